//! A few neighbouring elements at a time: loops over several slices keep what they gather in registers this way.

use crate::Real;

/// `N` elements from index `first` on, with zeros for those beyond the end.
///
/// # Panics
/// When `first` is beyond the end.
#[inline(always)]
pub fn load<T: Real, const N: usize>(values: &[T], first: usize) -> [T; N] {
    let rest = &values[first..];
    if let Some(group) = rest.first_chunk() {
        return *group;
    }
    padded(rest)
}

/// Puts a group in its place, as far as it reaches.
///
/// # Panics
/// When `first` is beyond the end.
#[inline(always)]
pub fn store<T: Real, const N: usize>(values: &mut [T], first: usize, group: &[T; N]) {
    let rest = &mut values[first..];
    if let Some(whole) = rest.first_chunk_mut() {
        *whole = *group;
    } else {
        // a copy, so that the group itself can stay in registers
        let group = *group;
        cut_off(rest, &group);
    }
}

// Calls that are not inlined: the compiler would make one copy of variable length of both branches, for every group.

#[cold]
#[inline(never)]
fn padded<T: Real, const N: usize>(rest: &[T]) -> [T; N] {
    let mut group = [T::ZERO; N];
    group[..rest.len()].copy_from_slice(rest);
    group
}

#[cold]
#[inline(never)]
fn cut_off<T: Real>(rest: &mut [T], group: &[T]) {
    rest.copy_from_slice(&group[..rest.len()]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_at_the_end_is_filled_up_with_zeros_and_cut_off() {
        let values = [1.0f32, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(load(&values, 0), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(load(&values, 4), [5.0, 0.0, 0.0, 0.0]);
        let mut copy = [0.0; 5];
        store(&mut copy, 1, &load::<_, 3>(&values, 1));
        store(&mut copy, 4, &load::<_, 3>(&values, 4));
        assert_eq!(copy, [0.0, 2.0, 3.0, 4.0, 5.0]);
    }
}
