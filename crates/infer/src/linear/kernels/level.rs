//! Which vector instructions to use.

use weightsmith_tensors::kernels::Isa;

#[cfg(target_arch = "x86_64")]
use super::{amx::Amx, avx2::Avx2, avx512::Avx512, avx512::Avx512Vnni};
use super::{int8::Int8, lanes::Lanes, portable::Portable};

/// Vector instructions that this CPU has, proven by detection: there is no other way to make one but the portable one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::linear) struct Level(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Portable,
    /// With fused multiply-add and conversion from f16.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// All of the former and AVX-512 F, BW, DQ, VL.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// All of the former and dot products of 8-bit integers.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// All of the former and tiles of bfloat16.
    #[cfg(target_arch = "x86_64")]
    Amx(Amx),
}

/// A loop over floats, written once for all instruction sets. `run` and all it calls must be `#[inline(always)]`.
pub(super) trait Kernel {
    fn run<V: Lanes>(self, lanes: V);
}

/// The same for 8-bit integers.
pub(super) trait Int8Kernel {
    fn run<V: Int8>(self, lanes: V);
}

impl Level {
    /// The best that this CPU has within the instruction set that the process uses.
    pub(in crate::linear) fn detected() -> Self {
        Self::within(Isa::detected())
    }

    /// The best that this CPU has within an instruction set.
    pub(in crate::linear) fn within(isa: Isa) -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let fused = is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c");
            Self(match isa.name() {
                "avx512" if fused && is_x86_feature_detected!("avx512vnni") => {
                    Amx::detected().map_or(Kind::Avx512Vnni, Kind::Amx)
                }
                "avx512" if fused => Kind::Avx512,
                "avx2" if fused => Kind::Avx2,
                _ => Kind::Portable,
            })
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = isa;
            Self(Kind::Portable)
        }
    }

    /// All that this CPU has.
    #[cfg(test)]
    pub(in crate::linear) fn available() -> Vec<Self> {
        let mut all: Vec<Self> = Isa::available().into_iter().map(Self::within).collect();
        #[cfg(target_arch = "x86_64")]
        {
            let without = |kind: Kind| match kind {
                Kind::Amx(_) => Some(Kind::Avx512Vnni),
                Kind::Avx512Vnni => Some(Kind::Avx512),
                _ => None,
            };
            let mut best = all.last().copied();
            while let Some(Self(kind)) = best {
                best = without(kind).map(Self);
                all.extend(best);
            }
        }
        all
    }

    /// The unit for tiles of bfloat16, where it is used.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn amx(self) -> Option<Amx> {
        match self.0 {
            Kind::Amx(unit) => Some(unit),
            _ => None,
        }
    }

    /// Runs a kernel, compiled for these instructions.
    pub(super) fn run<K: Kernel>(self, kernel: K) {
        match self.0 {
            Kind::Portable => kernel.run(Portable),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `within` detected the features that the function enables.
            Kind::Avx2 => unsafe { avx2(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Kind::Avx512 | Kind::Avx512Vnni | Kind::Amx(_) => unsafe { avx512(kernel) },
        }
    }

    /// Runs a kernel of 8-bit integers, compiled for these instructions.
    pub(super) fn run_int8<K: Int8Kernel>(self, kernel: K) {
        match self.0 {
            Kind::Portable => kernel.run(Portable),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `within` detected the features that the function enables, and they are among those of `Avx512`.
            Kind::Avx2 | Kind::Avx512 => unsafe { avx2_int8(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Kind::Avx512Vnni | Kind::Amx(_) => unsafe { avx512_vnni(kernel) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn avx2<K: Kernel>(kernel: K) {
    // SAFETY: the features of this function.
    kernel.run(unsafe { Avx2::new() });
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn avx2_int8<K: Int8Kernel>(kernel: K) {
    // SAFETY: the features of this function.
    kernel.run(unsafe { Avx2::new() });
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]
fn avx512<K: Kernel>(kernel: K) {
    // SAFETY: the features of this function.
    kernel.run(unsafe { Avx512::new() });
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn avx512_vnni<K: Int8Kernel>(kernel: K) {
    // SAFETY: the features of this function.
    kernel.run(unsafe { Avx512Vnni::new() });
}
