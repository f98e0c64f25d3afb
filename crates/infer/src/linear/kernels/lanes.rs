//! Vectors of f32 and the weights that are loaded into them.

use half::{bf16, f16};
use weightsmith_tensors::DType;

/// A vector register of f32. A value of such a type proves that the CPU has its instructions.
pub(super) trait Lanes: Copy {
    /// The register.
    type Vector: Copy;

    /// Number of lanes, at most [`MAX_WIDTH`].
    const WIDTH: usize;

    /// How many inputs are multiplied by [`STRIP`] rows at a time: their sums should fill the registers.
    const INPUTS: usize;

    /// Whether f16 is loaded by an instruction, not lane by lane.
    const F16: bool;

    fn zero(self) -> Self::Vector;

    /// # Safety
    /// `WIDTH` elements can be read at `from`, aligned or not.
    unsafe fn load_f32(self, from: *const u8) -> Self::Vector;

    /// # Safety
    /// `WIDTH` elements can be read at `from`, aligned or not.
    unsafe fn load_bf16(self, from: *const u8) -> Self::Vector;

    /// # Safety
    /// `WIDTH` elements can be read at `from`, aligned or not.
    unsafe fn load_f16(self, from: *const u8) -> Self::Vector;

    /// `a * b + c`, rounded once where the CPU can.
    fn multiply_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;

    /// The sum of each vector's lanes.
    fn sums(self, vectors: [Self::Vector; STRIP]) -> [f32; STRIP];
}

/// Rows of weights that are multiplied at a time.
pub(super) const STRIP: usize = 4;

/// The most lanes of any vector.
pub(super) const MAX_WIDTH: usize = 16;

/// The most inputs that any instruction set multiplies at a time.
pub(super) const MAX_INPUTS: usize = 6;

/// A type of weights.
pub(super) trait Element {
    const BYTES: usize;
    const DTYPE: DType;

    /// # Safety
    /// `V::WIDTH` elements can be read at `from`, aligned or not.
    unsafe fn load<V: Lanes>(lanes: V, from: *const u8) -> V::Vector;
}

macro_rules! element {
    ($name:ident, $load:ident, $value:ty) => {
        pub(super) struct $name;

        impl Element for $name {
            const BYTES: usize = size_of::<$value>();
            const DTYPE: DType = DType::$name;

            #[inline(always)]
            unsafe fn load<V: Lanes>(lanes: V, from: *const u8) -> V::Vector {
                // SAFETY: the same contract.
                unsafe { lanes.$load(from) }
            }
        }
    };
}

element!(F32, load_f32, f32);
element!(F16, load_f16, f16);
element!(BF16, load_bf16, bf16);
