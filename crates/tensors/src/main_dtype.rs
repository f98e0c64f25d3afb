//! Which types the elements of some tensors have.

use crate::{DType, TensorInfo};

/// The types of tensors with their numbers of elements, the most first. Of equally many the wider type comes first, then the one
/// whose name is later.
pub fn elements_by_dtype<'t>(
    tensors: impl IntoIterator<Item = &'t TensorInfo>,
) -> Vec<(DType, u64)> {
    let mut elements: Vec<(DType, u64)> = Vec::new();
    for tensor in tensors {
        let count = tensor.elements();
        match elements
            .iter_mut()
            .find(|(known, _)| *known == tensor.dtype)
        {
            Some((_, sum)) => *sum = sum.saturating_add(count),
            None => elements.push((tensor.dtype, count)),
        }
    }
    elements.sort_by_key(|(dtype, count)| std::cmp::Reverse((*count, dtype.bits(), dtype.name())));
    elements
}

/// The type that most elements of some tensors have; ties as in [`elements_by_dtype`].
pub fn main_dtype<'t>(tensors: impl IntoIterator<Item = &'t TensorInfo>) -> Option<DType> {
    elements_by_dtype(tensors).first().map(|(dtype, _)| *dtype)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(dtype: DType, elements: u64) -> TensorInfo {
        TensorInfo {
            dtype,
            shape: vec![elements],
        }
    }

    #[test]
    fn the_main_type_is_that_of_most_elements_not_of_most_tensors() {
        let tensors = [
            tensor(DType::F32, 1),
            tensor(DType::F32, 2),
            tensor(DType::BF16, 4),
        ];
        assert_eq!(main_dtype(&tensors), Some(DType::BF16));
        assert_eq!(
            elements_by_dtype(&tensors),
            [(DType::BF16, 4), (DType::F32, 3)]
        );
        assert_eq!(main_dtype(&[]), None);
    }

    #[test]
    fn ties_do_not_depend_on_the_order_of_the_tensors() {
        let of = |dtypes: &[DType]| {
            let tensors: Vec<TensorInfo> = dtypes.iter().map(|dtype| tensor(*dtype, 2)).collect();
            let reversed: Vec<TensorInfo> = tensors.iter().rev().cloned().collect();
            assert_eq!(elements_by_dtype(&tensors), elements_by_dtype(&reversed));
            main_dtype(&tensors)
        };
        assert_eq!(of(&[DType::BF16, DType::F32]), Some(DType::F32));
        assert_eq!(of(&[DType::BF16, DType::F16]), Some(DType::F16));
        assert_eq!(of(&[DType::U8, DType::F32, DType::F64]), Some(DType::F64));
    }

    #[test]
    fn impossible_numbers_of_elements_do_not_overflow() {
        let tensors = [tensor(DType::F32, u64::MAX), tensor(DType::F32, 2)];
        assert_eq!(elements_by_dtype(&tensors), [(DType::F32, u64::MAX)]);
    }
}
