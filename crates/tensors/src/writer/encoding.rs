//! How the elements of a tensor lie in a file.

use serde::{Deserialize, Serialize};

use crate::DType;

/// How elements lie in a file: so many of them in a unit of so many bytes.
///
/// A type says what an element is, an encoding how it is stored: plain ones hold the elements one after the other, packed ones hold
/// blocks of them together with what they share, such as a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Encoding {
    /// Elements of a unit.
    pub unit_elements: u64,
    /// Bytes of a unit.
    pub unit_bytes: u64,
}

/// Why a tensor has no size in an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSize {
    /// Its elements do not fill whole units.
    PartialUnit,
    /// The number of its bits does not fit 64 of them.
    TooLarge,
}

impl Encoding {
    /// The elements of a type one after the other, in the fewest of them that fill whole bytes.
    pub const fn plain(dtype: DType) -> Self {
        let bits = dtype.bits();
        let mut unit_elements = 1;
        while !(bits * unit_elements).is_multiple_of(8) {
            unit_elements += 1;
        }
        Self {
            unit_elements,
            unit_bytes: bits * unit_elements / 8,
        }
    }

    /// The bytes of a tensor of a shape.
    ///
    /// # Errors
    /// [`NoSize`].
    pub fn bytes_of(self, shape: &[u64]) -> Result<u64, NoSize> {
        // as readers count: a zero among the sizes does not excuse an overflow before it
        let mut sides = shape.iter();
        let elements = sides.try_fold(1u64, |product, side| product.checked_mul(*side));
        let elements = elements.ok_or(NoSize::TooLarge)?;
        if !elements.is_multiple_of(self.unit_elements) {
            return Err(NoSize::PartialUnit);
        }
        let units = elements / self.unit_elements;
        let bits = units.checked_mul(self.unit_bytes * 8);
        bits.map(|bits| bits / 8).ok_or(NoSize::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_elements_fill_whole_bytes() {
        let unit = |dtype| {
            let encoding = Encoding::plain(dtype);
            (encoding.unit_elements, encoding.unit_bytes)
        };
        assert_eq!(unit(DType::BF16), (1, 2));
        assert_eq!(unit(DType::F64), (1, 8));
        assert_eq!(unit(DType::F4), (2, 1));
        assert_eq!(unit(DType::F6_E2M3), (4, 3));
        for dtype in DType::ALL {
            let (elements, bytes) = unit(dtype);
            assert_eq!(elements * dtype.bits(), bytes * 8, "{dtype}");
        }
    }

    #[test]
    fn sizes_are_in_whole_units() {
        let packed = Encoding {
            unit_elements: 32,
            unit_bytes: 34,
        };
        assert_eq!(packed.bytes_of(&[2, 64]), Ok(136));
        assert_eq!(packed.bytes_of(&[33]), Err(NoSize::PartialUnit));
        assert_eq!(packed.bytes_of(&[]), Err(NoSize::PartialUnit));
        assert_eq!(packed.bytes_of(&[0, u64::MAX, 2]), Ok(0));
        assert_eq!(packed.bytes_of(&[u64::MAX, 2, 0]), Err(NoSize::TooLarge));
        assert_eq!(packed.bytes_of(&[u64::MAX, 2]), Err(NoSize::TooLarge));
        let wide = Encoding::plain(DType::F64);
        assert_eq!(wide.bytes_of(&[u64::MAX / 8]), Err(NoSize::TooLarge));
        assert_eq!(wide.bytes_of(&[]), Ok(8));
    }
}
