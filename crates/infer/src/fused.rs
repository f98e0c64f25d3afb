//! Loops that fuse multiplication and addition, written once and compiled for several instruction sets.
//!
//! Merging must not fuse, so [`weightsmith_tensors::kernels::Isa`] leaves the instructions out. Here they double what a loop of
//! sums of products can do.

#![expect(
    unsafe_code,
    reason = "calling code that is compiled for a detected CPU feature"
)]

#[cfg(target_arch = "x86_64")]
use weightsmith_tensors::kernels::Isa;

/// Instructions that this CPU has, proven by detection: there is no other way to make one but the portable one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fused(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Whether every CPU of the target fuses.
const ALWAYS: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

/// A loop with its arguments. `run` and all that it calls must be `#[inline(always)]`.
pub(crate) trait FusedLoop {
    /// The loop: whether [`multiply_add`] may fuse, and how many vectors of 16 numbers for each of four rows there are registers for.
    fn run<const FUSED: bool, const GROUPS: usize>(self);
}

impl Fused {
    /// The best that may be used: what [`Isa::detected`] is, with fused instructions.
    pub(crate) fn detected() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            Self::within(Isa::detected())
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            Self(Kind::Portable)
        }
    }

    /// All that this CPU has, the plainest first.
    #[cfg(test)]
    pub(crate) fn available() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        {
            Isa::available().into_iter().map(Self::within).collect()
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            vec![Self(Kind::Portable)]
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn within(isa: Isa) -> Self {
        Self(match isa.name() {
            _ if !is_x86_feature_detected!("fma") => Kind::Portable,
            "avx512" => Kind::Avx512,
            "avx2" => Kind::Avx2,
            _ => Kind::Portable,
        })
    }

    /// Runs a loop, compiled for these instructions.
    pub(crate) fn run(self, fused: impl FusedLoop) {
        match self.0 {
            Kind::Portable => fused.run::<ALWAYS, 1>(),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `within` makes this value, where `fma` and, by `Isa`, `avx2` were detected.
            Kind::Avx2 => unsafe { avx2(fused) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `within` makes this value, where `fma` and, by `Isa`, the others were detected.
            Kind::Avx512 => unsafe { avx512(fused) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(fused: impl FusedLoop) {
    fused.run::<true, 1>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
fn avx512(fused: impl FusedLoop) {
    fused.run::<true, 4>();
}

/// `a · b + c`, rounded once where the instructions do that.
#[inline(always)]
pub(crate) fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}
