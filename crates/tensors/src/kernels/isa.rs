//! One source for every instruction set: the loops are written once, portably, and compiled for each.
//!
//! The compiler may use wider registers but neither reorders nor contracts floating point, so the results are the same
//! bytes everywhere.

use std::fmt;
use std::sync::OnceLock;

/// An instruction set that this CPU has, proven by detection: there is no other way to make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Isa(Level);

/// The one in use, once it is known.
static CHOSEN: OnceLock<Isa> = OnceLock::new();

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Level {
    /// What the compiler assumes of every CPU of the target: SSE2 on x86-64, NEON on aarch64.
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// What every CPU of the target has.
    pub const PORTABLE: Self = Self(Level::Portable);

    /// The one that kernels use: the best that this CPU has, unless [`Isa::choose`] chose another.
    pub fn detected() -> Self {
        *CHOSEN.get_or_init(|| Self::available().pop().unwrap_or(Self::PORTABLE))
    }

    /// Makes the whole process use an instruction set, to compare results or to find a fault.
    ///
    /// # Errors
    /// With the one in use, when kernels ran before or another was chosen.
    pub fn choose(self) -> Result<(), Self> {
        match CHOSEN.set(self) {
            Err(_) if Self::detected() != self => Err(Self::detected()),
            _ => Ok(()),
        }
    }

    /// All that this CPU has, the plainest first.
    pub fn available() -> Vec<Self> {
        #[cfg_attr(
            not(target_arch = "x86_64"),
            expect(unused_mut, reason = "only x86-64 has more than one")
        )]
        let mut available = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                available.push(Self(Level::Avx2));
            }
            if is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                available.push(Self(Level::Avx512));
            }
        }
        available
    }

    /// Its name in lower case.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
        }
    }

    /// Runs a kernel, compiled for this instruction set.
    #[expect(
        unsafe_code,
        reason = "calling code that is compiled for a detected CPU feature"
    )]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Level::Portable => kernel.run(),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this value, after it detected the features that `avx2` enables.
            Level::Avx2 => unsafe { avx2(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this value, after it detected the features that `avx512` enables.
            Level::Avx512 => unsafe { avx512(kernel) },
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A loop with its arguments.
///
/// `run` and all that it calls must be `#[inline(always)]`: only what is inlined is compiled for the instruction set.
///
/// # Examples
/// ```
/// use weightsmith_tensors::kernels::{Isa, Kernel};
///
/// struct Negate<'a>(&'a mut [f32]);
///
/// impl Kernel for Negate<'_> {
///     type Output = ();
///
///     #[inline(always)]
///     fn run(self) {
///         self.0.iter_mut().for_each(|x| *x = -*x);
///     }
/// }
///
/// let mut values = [1.0, -2.0];
/// Isa::detected().run(Negate(&mut values));
/// assert_eq!(values, [-1.0, 2.0]);
/// ```
pub trait Kernel {
    /// What it gives back.
    type Output;

    /// The loop.
    fn run(self) -> Self::Output;
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl")]
fn avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}
