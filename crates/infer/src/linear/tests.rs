use super::*;
use weightsmith_tensors::{Checkpoint, testing};

/// Values in -1..1, the same for the same seed.
fn values(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state) / f64::from(1_u32 << 31) - 1.0) as f32
    };
    (0..count).map(|_| next()).collect()
}

fn linear(dtype: DType, rows: usize, cols: usize) -> (tempfile::TempDir, Linear) {
    let folder = tempfile::tempdir().unwrap();
    let shape = [rows as u64, cols as u64];
    let tensor = ("w", dtype, &shape[..], values(rows * cols, 1));
    testing::write_checkpoint(folder.path(), &[tensor]).unwrap();
    let source: Arc<dyn TensorSource> = Arc::new(Checkpoint::open(folder.path()).unwrap());
    let linear = Linear::open(&source, 0).unwrap();
    (folder, linear)
}

#[test]
fn products_are_those_of_the_rows() {
    let pool = Pool::new(2);
    for dtype in [DType::F32, DType::F16, DType::BF16] {
        let (_folder, plain) = linear(dtype, 5, 37);
        for (linear, tolerance) in [(&plain, 1e-5), (&plain.quantize_q8_0(&pool).unwrap(), 0.1)] {
            let inputs = values(3 * 37, 2);
            let mut out = vec![0.0; 3 * 5];
            linear.forward(&pool, &inputs, &mut out);
            let mut row = vec![0.0; 37];
            for (index, out) in out.iter().enumerate() {
                linear.row(index % 5, &mut row);
                let input = &inputs[index / 5 * 37..][..37];
                let dot: f32 = input.iter().zip(&row).map(|(x, w)| x * w).sum();
                assert!((dot - out).abs() < tolerance, "{linear:?}: {dot} {out}");
            }
        }
    }
}
