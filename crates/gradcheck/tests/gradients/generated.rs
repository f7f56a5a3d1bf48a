//! Right functions over generated shapes: whatever is not proven must at least be no fault.

use backproof_gradcheck::{Check, Options, Report, Value, Verdict};
use burn::tensor::DType;
use proptest::prelude::*;

use crate::common::*;

fn few() -> Options {
    Options { full: 24, quota: 24, cotangents: 2, jacobian: 256, ..Options::default() }
}

fn no_fault(check: Check<'_>, seed: u64) -> Result<(), TestCaseError> {
    let report: Report = check.options(few()).seed(seed).run();
    prop_assert_eq!(report.faults(), 0, "{}", report);
    // Size 1 makes a batch norm and a softmax constant, and a batch norm of two rows all but that: more than single
    // precision can prove.
    let undecided =
        |verdict| verdict == Verdict::Unobservable || (report.dtype == "f32" && verdict == Verdict::Unresolved);
    let proven = |verdict: Verdict| verdict.proven() || undecided(verdict);
    prop_assert!(report.rows.iter().all(|row| proven(row.verdict)), "{}", report);
    Ok(())
}

/// Integers: zeros and ties everywhere.
fn values(dims: [usize; 2], seed: u64, integers: bool) -> Value {
    let normal = Value::normal(dims, seed);
    if integers { Value::new(dims, normal.data().iter().map(|x| x.round()).collect()) } else { normal }
}

/// 120 of each family, or `PROPTEST_CASES`.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn activations_give_no_false_alarm(seed: u64, rows in 1..6usize, columns in 1..7usize, integers: bool, single: bool) {
        let dtype = if single { DType::F32 } else { DType::F64 };
        no_fault(relu(dtype, values([rows, columns], seed, integers)), seed)?;
        no_fault(softmax(dtype, values([rows, columns], seed, integers)), seed)?;
    }

    #[test]
    fn convolution_gives_no_false_alarm(
        seed: u64, inputs in 1..4usize, outputs in 1..4usize, size in 3..7usize, stride in 1..3usize, padding in 0..2usize, single: bool
    ) {
        let dtype = if single { DType::F32 } else { DType::F64 };
        no_fault(conv(dtype, [inputs, outputs], size, stride, padding), seed)?;
    }

    #[test]
    fn batch_norm_gives_no_false_alarm(seed: u64, rows in 1..9usize, channels in 1..4usize, single: bool) {
        let dtype = if single { DType::F32 } else { DType::F64 };
        no_fault(batch_norm(dtype, rows, channels), seed)?;
    }

    #[test]
    fn max_pooling_gives_no_false_alarm(seed: u64, channels in 1..3usize, size in 2..6usize, integers: bool, single: bool) {
        let dtype = if single { DType::F32 } else { DType::F64 };
        let x = values([channels, size * size], seed, integers);
        no_fault(max_pool(dtype, Value::new([1, channels, size, size], x.data().to_vec())), seed)?;
    }

    #[test]
    fn recorded_kinks_give_no_false_alarm(seed: u64, channels in 1..3usize, size in 2..6usize, integers: bool, single: bool) {
        let dtype = if single { DType::F32 } else { DType::F64 };
        let x = values([channels, size * size], seed, integers);
        no_fault(crate::kinks::rectified_pool(dtype, Value::new([1, channels, size, size], x.data().to_vec())), seed)?;
    }

    #[test]
    fn a_network_beside_a_recorded_kink_gives_no_false_alarm(seed: u64, exponent in 2.0..7.5f64, below: bool, single: bool) {
        let dtype = if single { DType::F32 } else { DType::F64 };
        let distance = 10f64.powf(-exponent);
        no_fault(crate::kinks::network_beside_a_kink(dtype, if below { -distance } else { distance }), seed)?;
    }
}
