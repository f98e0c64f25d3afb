//! Vectors of 16 numbers with fused multiplication and addition, for loops that are written once and compiled for several instruction
//! sets.
//!
//! Merging must not fuse, so [`weightsmith_tensors::kernels::Isa`] leaves those instructions out. The vectors are explicit because
//! the compiler does not find the best ones for sums that stay in registers: it turned rows into lanes and gathered them.

#![expect(
    unsafe_code,
    reason = "vector instructions, and calling code that is compiled for a detected CPU feature"
)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256, __m512, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_storeu_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps,
    _mm512_storeu_ps,
};

#[cfg(target_arch = "x86_64")]
use weightsmith_tensors::kernels::Isa;

/// Numbers of a vector.
pub(crate) const LANES: usize = 16;

/// Instructions that this CPU has, proven by detection: there is no other way to make one but the portable one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fused(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

/// Vector instructions. A value proves that the CPU has them.
pub(crate) trait Lanes: Copy {
    /// [`LANES`] numbers.
    type Vector: Copy;

    /// Zeros.
    fn zero(self) -> Self::Vector;
    /// The first numbers of a slice.
    fn load(self, from: &[f32]) -> Self::Vector;
    /// `sums + scale · values`
    fn add_scaled(self, sums: Self::Vector, scale: f32, values: Self::Vector) -> Self::Vector;
    /// Becomes the first numbers of a slice.
    fn store(self, vector: Self::Vector, to: &mut [f32]);
}

/// A loop with its arguments. `run` and all that it calls must be `#[inline(always)]`.
pub(crate) trait FusedLoop {
    /// The loop. `GROUPS` vectors for each of four rows find room in registers.
    fn run<V: Lanes, const GROUPS: usize>(self, lanes: V);
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
            "avx512" => Kind::Avx512(Avx512(())),
            "avx2" => Kind::Avx2(Avx2(())),
            _ => Kind::Portable,
        })
    }

    /// Runs a loop, compiled for these instructions.
    pub(crate) fn run(self, fused: impl FusedLoop) {
        match self.0 {
            Kind::Portable => fused.run::<Portable, 1>(Portable),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `within` makes this value, where `fma` and, by `Isa`, `avx2` were detected.
            Kind::Avx2(lanes) => unsafe { avx2(fused, lanes) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `within` makes this value, where `fma` and, by `Isa`, the others were detected.
            Kind::Avx512(lanes) => unsafe { avx512(fused, lanes) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(fused: impl FusedLoop, lanes: Avx2) {
    fused.run::<Avx2, 1>(lanes);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
fn avx512(fused: impl FusedLoop, lanes: Avx512) {
    fused.run::<Avx512, 4>(lanes);
}

/// What the compiler makes of arrays.
#[derive(Debug, Clone, Copy)]
struct Portable;

impl Lanes for Portable {
    type Vector = [f32; LANES];

    #[inline(always)]
    fn zero(self) -> Self::Vector {
        [0.0; LANES]
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> Self::Vector {
        std::array::from_fn(|lane| from[lane])
    }

    #[inline(always)]
    fn add_scaled(self, sums: Self::Vector, scale: f32, values: Self::Vector) -> Self::Vector {
        std::array::from_fn(|lane| {
            if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
                scale.mul_add(values[lane], sums[lane])
            } else {
                sums[lane] + scale * values[lane]
            }
        })
    }

    #[inline(always)]
    fn store(self, vector: Self::Vector, to: &mut [f32]) {
        to[..LANES].copy_from_slice(&vector);
    }
}

/// Two vectors of 8.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Avx2(());

#[cfg(target_arch = "x86_64")]
impl Lanes for Avx2 {
    type Vector = (__m256, __m256);

    #[inline(always)]
    fn zero(self) -> Self::Vector {
        // SAFETY: the value proves that the CPU has the instruction.
        unsafe { (_mm256_setzero_ps(), _mm256_setzero_ps()) }
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> Self::Vector {
        let from = from[..LANES].as_ptr();
        // SAFETY: there are 16 numbers, and the value proves that the CPU has the instruction.
        unsafe { (_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }

    #[inline(always)]
    fn add_scaled(self, sums: Self::Vector, scale: f32, values: Self::Vector) -> Self::Vector {
        // SAFETY: the value proves that the CPU has the instructions.
        unsafe {
            let scale = _mm256_set1_ps(scale);
            (
                _mm256_fmadd_ps(scale, values.0, sums.0),
                _mm256_fmadd_ps(scale, values.1, sums.1),
            )
        }
    }

    #[inline(always)]
    fn store(self, vector: Self::Vector, to: &mut [f32]) {
        let to = to[..LANES].as_mut_ptr();
        // SAFETY: there is room for 16 numbers, and the value proves that the CPU has the instruction.
        unsafe {
            _mm256_storeu_ps(to, vector.0);
            _mm256_storeu_ps(to.add(8), vector.1);
        }
    }
}

/// A vector of 16.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Avx512(());

#[cfg(target_arch = "x86_64")]
impl Lanes for Avx512 {
    type Vector = __m512;

    #[inline(always)]
    fn zero(self) -> Self::Vector {
        // SAFETY: the value proves that the CPU has the instruction.
        unsafe { _mm512_setzero_ps() }
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> Self::Vector {
        let from = from[..LANES].as_ptr();
        // SAFETY: there are 16 numbers, and the value proves that the CPU has the instruction.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    fn add_scaled(self, sums: Self::Vector, scale: f32, values: Self::Vector) -> Self::Vector {
        // SAFETY: the value proves that the CPU has the instructions.
        unsafe { _mm512_fmadd_ps(_mm512_set1_ps(scale), values, sums) }
    }

    #[inline(always)]
    fn store(self, vector: Self::Vector, to: &mut [f32]) {
        let to = to[..LANES].as_mut_ptr();
        // SAFETY: there is room for 16 numbers, and the value proves that the CPU has the instruction.
        unsafe { _mm512_storeu_ps(to, vector) }
    }
}
