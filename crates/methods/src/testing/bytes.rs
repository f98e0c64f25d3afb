//! The bytes of every method on a tensor of two reduction blocks: they change with the arithmetic alone, never with the machine.

use weightsmith_tensors::Real;

use super::evaluate::{evaluate_seeded, operation, with, with_source};
use super::oracle::drawn;
use crate::{METHODS, Operation, Value};

const SHAPE: [u64; 2] = [709, 1531];

/// A method, a switch that is turned, and the hashes of its results in f32 and f64.
type Case = (&'static str, Option<(&'static str, bool)>, [u64; 2]);

const CASES: &[Case] = &[
    (
        "linear",
        None,
        [0xf9fd_f052_3600_7a6f, 0x878a_1d5f_3b27_c088],
    ),
    (
        "slerp",
        None,
        [0x0754_d8d3_f270_da90, 0x1741_7aa2_3870_d601],
    ),
    (
        "nuslerp",
        None,
        [0x1e9d_065b_6ef4_1965, 0x2496_6215_453d_cda8],
    ),
    (
        "nuslerp",
        Some(("nuslerp_flatten", false)),
        [0x4aff_3dc9_bde2_196e, 0x1083_db8f_4179_bd93],
    ),
    (
        "nuslerp",
        Some(("nuslerp_row_wise", true)),
        [0xdcd4_0d05_7fa0_26c3, 0xae82_9950_94c9_3d76],
    ),
    (
        "multislerp",
        None,
        [0xe0f5_e836_c4c5_86fa, 0x981d_e8ec_c70a_e4b0],
    ),
    (
        "task_arithmetic",
        None,
        [0xea93_1530_0ca9_a6bb, 0x6c68_6b63_2b9e_c295],
    ),
    ("ties", None, [0x0b77_a39d_f866_15dc, 0x2a0f_59cc_2f03_c8da]),
    (
        "ties",
        Some(("rescale", true)),
        [0x2aee_2b71_60d9_4789, 0x9a31_426f_fb3a_e686],
    ),
    (
        "dare_linear",
        None,
        [0x774d_cfd2_8cd0_dcac, 0x23bd_1bb3_5819_95a1],
    ),
    (
        "dare_ties",
        None,
        [0x8489_f0c3_dc8e_ad04, 0x6bed_e23e_f496_d557],
    ),
    (
        "breadcrumbs",
        None,
        [0x983b_011e_cf59_a3ff, 0xf2ff_dbcf_1261_5d47],
    ),
    (
        "breadcrumbs_ties",
        None,
        [0x1270_b42f_0199_629a, 0xe462_d60e_7796_746f],
    ),
    (
        "della",
        None,
        [0xfb3e_7df6_b955_febf, 0x1ff6_92d7_ceb7_511d],
    ),
    (
        "della_linear",
        None,
        [0xbf82_2ad6_e83f_d4a9, 0x607c_5f4d_b02b_9d63],
    ),
    ("sce", None, [0x9472_4740_5c9c_6419, 0xba07_339b_a608_c926]),
    (
        "karcher",
        None,
        [0x0394_2e06_dcc2_0f95, 0x0235_7658_1fea_67ee],
    ),
    ("ram", None, [0x2f1a_0520_4a93_b851, 0xa7dd_f6ab_a572_de10]),
    (
        "ramplus_tl",
        None,
        [0x3c6d_4331_fbb4_8564, 0x81ab_b49b_1cdd_4223],
    ),
    (
        "model_stock",
        None,
        [0x502b_71cf_d798_32e2, 0xd627_ab8d_1169_ac57],
    ),
    (
        "model_stock",
        Some(("filter_wise", true)),
        [0x2430_07d2_5608_1774, 0x8289_c7b0_34b0_31c6],
    ),
    (
        "nearswap",
        None,
        [0x0e65_2a49_b65e_40f6, 0x851f_986b_5488_8fdb],
    ),
    (
        "arcee_fusion",
        None,
        [0xeaf0_f1e8_1c6a_11f4, 0xf53e_a9af_a192_357e],
    ),
    (
        "passthrough",
        None,
        [0x1f40_e6bc_b1ec_0fe4, 0x3fc4_d809_d99f_1fc4],
    ),
];

/// The operation of a case, on a base where the method needs one and models beside it.
fn operation_of(&(method, switch, _): &Case) -> Operation {
    let (sources, base) = match method {
        "slerp" | "nearswap" | "arcee_fusion" => (2, Some(0)),
        "nuslerp" => (2, None),
        "passthrough" => (1, None),
        "linear" | "multislerp" | "karcher" => (3, None),
        _ => (3, Some(0)),
    };
    let mut case = operation(method, sources, base);
    for parameter in crate::find(method).unwrap().parameters {
        case = match parameter.name {
            "t" => with(case, "t", Value::Number(0.03)),
            "weight" => with_source(case, "weight", &[0.4, 0.7, 0.5]),
            "scale" => with_source(case, "scale", &[0.3]),
            "density" => with_source(case, "density", &[0.6, 0.4, 0.5]),
            "select_topk" => with(case, "select_topk", Value::Number(0.4)),
            _ => case,
        };
    }
    if let Some((name, on)) = switch {
        case = with(case, name, Value::Bool(on));
        if name == "nuslerp_row_wise" {
            case = with(case, "nuslerp_flatten", Value::Bool(false));
        }
    }
    case
}

/// A hash of the bits of the result (FNV-1a, on halves of numbers folded into one).
fn hash<T: Real>(operation: &Operation) -> u64 {
    let elements = (SHAPE[0] * SHAPE[1]) as usize;
    let base: Vec<f64> = drawn(11, 0.05, elements);
    let sources: Vec<Vec<T>> = (0..operation.sources.len() as u64)
        .map(|source| {
            let moved: Vec<f64> = drawn(source + 1, 0.02 * source as f64, elements);
            let values = base.iter().zip(moved);
            values.map(|(base, by)| T::from_f64(base + by)).collect()
        })
        .collect();
    let result = evaluate_seeded(operation, 3, &SHAPE, &sources);
    result.iter().fold(0xcbf2_9ce4_8422_2325, |hash, value| {
        let bits = value.to_f64().to_bits();
        (hash ^ bits ^ (bits >> 32)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn every_method_makes_the_same_bytes_as_ever() {
    let mut found = String::new();
    let mut expected = String::new();
    for case in CASES {
        let operation = operation_of(case);
        let hashes = [hash::<f32>(&operation), hash::<f64>(&operation)];
        let line = |[single, double]: [u64; 2]| {
            format!("{:?} [{single:#018x}, {double:#018x}]\n", (case.0, case.1))
        };
        found += &line(hashes);
        expected += &line(case.2);
    }
    assert_eq!(found, expected, "\n{found}");
}

#[test]
fn no_method_is_left_out() {
    for method in METHODS {
        let is_there = CASES.iter().any(|(name, ..)| *name == method.name);
        assert!(is_there, "{}", method.name);
    }
}
