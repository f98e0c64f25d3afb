//! What is added up over the elements of two tensors, and the numbers that come of it.

use weightsmith_tensors::kernels::{Isa, Kernel, LANES, count_non_finite, dot3};

use super::difference::{Measures, TaskMeasures};

/// Sums over elements. They are added block by block in order, so the result does not depend on who summed what.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) elements: u64,
    pub(super) changed: u64,
    /// Elements whose values were looked at, not their bytes alone.
    measured: u64,
    non_finite: u64,
    max_difference: f64,
    aa: f64,
    bb: f64,
    ab: f64,
    dd: f64,
    task: TaskSums,
}

/// Sums over the elements that the base has.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct TaskSums {
    elements: u64,
    base: f64,
    aa: f64,
    bb: f64,
    ab: f64,
    conflicts: u64,
}

/// Values of a tile, widened; `base` where there is one.
#[derive(Debug)]
pub(super) struct Tile<'a> {
    pub(super) a: &'a mut [f64],
    pub(super) b: &'a mut [f64],
    pub(super) base: Option<&'a mut [f64]>,
}

impl Sums {
    /// Nothing yet, for a part of so many elements.
    pub(super) fn of(elements: u64) -> Self {
        Self {
            elements,
            ..Self::default()
        }
    }

    /// Adds another part's sums.
    pub(super) fn add(&mut self, other: &Self) {
        self.elements += other.elements;
        self.changed += other.changed;
        self.measured += other.measured;
        self.non_finite += other.non_finite;
        self.max_difference = self.max_difference.max(other.max_difference);
        self.aa += other.aa;
        self.bb += other.bb;
        self.ab += other.ab;
        self.dd += other.dd;
        self.task.elements += other.task.elements;
        self.task.base += other.task.base;
        self.task.aa += other.task.aa;
        self.task.bb += other.task.bb;
        self.task.ab += other.task.ab;
        self.task.conflicts += other.task.conflicts;
    }

    /// Adds the values of a tile, whose contents are of no use afterwards. Their number and how many changed is counted elsewhere.
    pub(super) fn add_values(&mut self, tile: &mut Tile<'_>) {
        self.non_finite += leave_out_non_finite(tile);
        self.measured += tile.a.len() as u64;
        let [aa, bb, ab] = dot3(tile.a, tile.b);
        self.aa += aa;
        self.bb += bb;
        self.ab += ab;
        let (dd, largest) = Isa::detected().run(Distance {
            a: tile.a,
            b: tile.b,
        });
        self.dd += dd;
        self.max_difference = self.max_difference.max(largest);
        if let Some(base) = tile.base.as_deref() {
            self.task.add_values(tile.a, tile.b, base);
        }
    }

    /// The cosine between A and B; `None` where one of them is zero.
    pub(super) fn cosine(&self) -> Option<f64> {
        cosine(self.ab, self.aa, self.bb)
    }

    /// The numbers that come of the sums.
    pub(super) fn measures(&self) -> Measures {
        let relative = if self.dd == 0.0 {
            Some(0.0)
        } else {
            ratio(self.dd.sqrt(), self.aa.sqrt())
        };
        let measured = self.measured > 0;
        Measures {
            elements: self.elements,
            changed: self.changed,
            changed_share: share(self.changed, self.elements),
            non_finite: self.non_finite,
            max_difference: measured.then_some(self.max_difference),
            relative_difference: relative.filter(|_| measured),
            cosine: self.cosine(),
            task: (self.task.elements > 0).then(|| self.task.measures()),
        }
    }
}

impl TaskSums {
    /// Adds a tile; what is left in `a` and `b` are the task vectors.
    fn add_values(&mut self, a: &mut [f64], b: &mut [f64], base: &[f64]) {
        for ((a, b), base) in a.iter_mut().zip(b.iter_mut()).zip(base) {
            *a -= base;
            *b -= base;
            self.conflicts += u64::from((*a > 0.0 && *b < 0.0) || (*a < 0.0 && *b > 0.0));
        }
        self.elements += base.len() as u64;
        self.base += dot3(base, base)[0];
        let [aa, bb, ab] = dot3(a, b);
        self.aa += aa;
        self.bb += bb;
        self.ab += ab;
    }

    fn measures(&self) -> TaskMeasures {
        TaskMeasures {
            elements: self.elements,
            relative_length_a: ratio(self.aa.sqrt(), self.base.sqrt()),
            relative_length_b: ratio(self.bb.sqrt(), self.base.sqrt()),
            cosine: cosine(self.ab, self.aa, self.bb),
            sign_conflicts: self.conflicts,
            sign_conflict_share: share(self.conflicts, self.elements),
        }
    }
}

/// Sets to zero, in all of them, the elements that are not finite in one of them; says how many.
fn leave_out_non_finite(tile: &mut Tile<'_>) -> u64 {
    let base_count = tile.base.as_deref().map_or(0, count_non_finite);
    if count_non_finite(tile.a) + count_non_finite(tile.b) + base_count == 0 {
        return 0;
    }
    let mut left_out = 0;
    for index in 0..tile.a.len() {
        let base = tile.base.as_deref().map_or(0.0, |base| base[index]);
        if !(tile.a[index].is_finite() && tile.b[index].is_finite() && base.is_finite()) {
            left_out += 1;
            tile.a[index] = 0.0;
            tile.b[index] = 0.0;
            if let Some(base) = tile.base.as_deref_mut() {
                base[index] = 0.0;
            }
        }
    }
    left_out
}

/// Sum of (a − b)² and largest |a − b|.
struct Distance<'a> {
    a: &'a [f64],
    b: &'a [f64],
}

impl Kernel for Distance<'_> {
    type Output = (f64, f64);

    #[expect(
        clippy::inline_always,
        reason = "only what is inlined into a kernel is compiled for the instruction set"
    )]
    #[inline(always)]
    fn run(self) -> (f64, f64) {
        let (mut squares, mut largest) = ([0.0_f64; LANES], [0.0_f64; LANES]);
        let (a_rows, a_rest) = self.a.as_chunks::<LANES>();
        let (b_rows, b_rest) = self.b.as_chunks::<LANES>();
        for (a, b) in a_rows.iter().zip(b_rows) {
            for lane in 0..LANES {
                let distance = a[lane] - b[lane];
                squares[lane] += distance * distance;
                largest[lane] = largest[lane].max(distance.abs());
            }
        }
        for (lane, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
            let distance = a - b;
            squares[lane] += distance * distance;
            largest[lane] = largest[lane].max(distance.abs());
        }
        (
            squares.iter().sum(),
            largest.into_iter().fold(0.0, f64::max),
        )
    }
}

/// Number of places of `N` bytes where the two differ.
fn changed_of<const N: usize>(a: &[u8], b: &[u8]) -> u64 {
    let (a, _) = a.as_chunks::<N>();
    let (b, _) = b.as_chunks::<N>();
    a.iter().zip(b).map(|(a, b)| u64::from(a != b)).sum()
}

/// Number of elements of `bits` bits whose bytes differ. For packed types every element of a byte that differs counts.
pub(super) fn changed_elements(bits: u64, elements: u64, a: &[u8], b: &[u8]) -> u64 {
    match bits {
        8 => changed_of::<1>(a, b),
        16 => changed_of::<2>(a, b),
        32 => changed_of::<4>(a, b),
        64 => changed_of::<8>(a, b),
        _ => (changed_of::<1>(a, b) * 8).div_ceil(bits).min(elements),
    }
}

/// Number of elements whose values differ; two NaNs are the same.
pub(super) fn changed_values(a: &[f64], b: &[f64]) -> u64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| u64::from(a != b && !(a.is_nan() && b.is_nan())))
        .sum()
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator)
}

fn cosine(ab: f64, aa: f64, bb: f64) -> Option<f64> {
    ratio(ab, aa.sqrt() * bb.sqrt()).map(|cosine| cosine.clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(a: &[f64], b: &[f64], base: Option<&[f64]>) -> Sums {
        let (mut a, mut b) = (a.to_vec(), b.to_vec());
        let mut base = base.map(<[f64]>::to_vec);
        let mut sums = Sums::of(a.len() as u64);
        sums.add_values(&mut Tile {
            a: &mut a,
            b: &mut b,
            base: base.as_deref_mut(),
        });
        sums
    }

    #[test]
    fn a_right_angle_has_cosine_zero() {
        let measures = sums(&[3.0, 0.0], &[0.0, 4.0], None).measures();
        assert_eq!(measures.cosine, Some(0.0));
        assert_eq!(measures.max_difference, Some(4.0));
        // the hypotenuse 5 over the side 3
        assert_eq!(measures.relative_difference, Some(5.0 / 3.0));
    }

    #[test]
    fn nothing_can_be_said_of_the_direction_of_zero() {
        let measures = sums(&[0.0, 0.0], &[0.0, 4.0], None).measures();
        assert_eq!(
            (measures.cosine, measures.relative_difference),
            (None, None)
        );
        let measures = sums(&[0.0], &[0.0], None).measures();
        assert_eq!(measures.relative_difference, Some(0.0));
    }

    #[test]
    fn task_vectors_conflict_where_both_moved_and_the_signs_differ() {
        let measures = sums(
            &[2.0, 1.0, 1.0, 2.0],
            &[0.0, 1.0, 2.0, 2.0],
            Some(&[1.0; 4]),
        )
        .measures();
        let task = measures.task.expect("there is a base");
        // deltas (1, 0, 0, 1) and (-1, 0, 1, 1)
        assert_eq!((task.sign_conflicts, task.sign_conflict_share), (1, 0.25));
        assert_eq!(task.cosine, Some(0.0));
        assert_eq!(task.relative_length_a, Some(2.0_f64.sqrt() / 2.0));
    }

    #[test]
    fn values_that_are_not_finite_are_counted_and_left_out() {
        let measures = sums(&[1.0, f64::NAN, 2.0], &[1.0, 5.0, f64::INFINITY], None).measures();
        assert_eq!(measures.non_finite, 2);
        assert_eq!(measures.max_difference, Some(0.0));
        assert_eq!(measures.cosine, Some(1.0));
    }

    #[test]
    fn a_rest_shorter_than_a_row_of_lanes_counts() {
        let a: Vec<f64> = (0..LANES + 3).map(|index| index as f64).collect();
        let b: Vec<f64> = a.iter().map(|value| value + 1.0).collect();
        let sums = sums(&a, &b, None);
        assert_eq!(sums.dd, (LANES + 3) as f64);
        assert_eq!(sums.max_difference, 1.0);
    }

    #[test]
    fn changed_elements_are_counted_by_their_size() {
        let (a, b) = ([0, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(changed_elements(8, 8, &a, &b), 3);
        assert_eq!(changed_elements(16, 4, &a, &b), 2);
        assert_eq!(changed_elements(64, 1, &a, &b), 1);
        assert_eq!(changed_elements(4, 16, &a, &b), 6);
    }

    #[test]
    fn minus_zero_is_another_element_but_the_same_value() {
        assert_eq!(
            changed_elements(64, 1, &0.0_f64.to_le_bytes(), &(-0.0_f64).to_le_bytes()),
            1
        );
        assert_eq!(changed_values(&[0.0, f64::NAN], &[-0.0, f64::NAN]), 0);
    }
}
