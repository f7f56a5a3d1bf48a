use std::collections::BTreeSet;

use backproof_gradcheck::{Mutant, Report, Verdict, measure_unit_roundoff};
use burn::tensor::{DType, Device};

use super::*;
use crate::case_id::CaseId;
use crate::subject::Context;

fn context(device: Device, dtype: DType) -> Context {
    let unit_roundoff = measure_unit_roundoff(&device, dtype);
    Context {
        device,
        reference: Device::flex(),
        dtype,
        unit_roundoff,
        seed: 1,
        kernels: Vec::new(),
        case: CaseId::general(0),
    }
}

fn subject(name: &str) -> &'static Subject {
    subjects().find(|subject| subject.name == name).unwrap_or_else(|| panic!("no subject is named {name}"))
}

/// Every mismatch of the report has this in its diagnosis; `false` if there is none.
fn is_diagnosed(report: &Report, cause: &str) -> bool {
    let wrong: Vec<_> = report.rows.iter().filter(|row| row.verdict == Verdict::Mismatch).collect();
    for row in &wrong {
        let diagnosis = row.diagnosis.as_deref().unwrap_or_default();
        assert!(diagnosis.contains(cause), "{}: {diagnosis}\n\n{report}", row.tensor);
    }
    !wrong.is_empty()
}

/// A fault of Burn 0.22.1 on its CPU backend. When this test fails, it has gone: the operation then belongs to the test
/// after the next.
#[test]
fn the_uncropped_weight_gradient_of_a_grouped_conv1d_is_recognised() {
    let context = context(Device::flex(), DType::F32);
    for name in ["conv1d_groups", "Conv1d_groups"] {
        let recognised = (0..12).filter(|&number| {
            let report = subject(name).case(&context, number).check.run();
            report.proven || is_diagnosed(&report, "conv1d_weight_grad_groups")
        });
        assert_eq!(recognised.count(), 12, "{name}");
        assert!((0..12).any(|number| !subject(name).case(&context, number).check.run().proven), "{name}");
    }
}

/// Another one. The sum of no exponentials is raised to the smallest positive number, and its reciprocal times a large
/// value is infinite.
#[test]
fn the_bias_of_a_query_without_keys_has_no_number_for_a_gradient() {
    let context = context(Device::flex(), DType::F32);
    let report = subject("attention_without_keys_biased").case(&context, 0).check.run();
    assert_eq!(report.verdict("autodiff", "bias"), Some(Verdict::NonFinite), "{report}");
}

const FAULTY: [&str; 4] = ["conv1d_groups", "Conv1d_groups", "attention_without_keys_biased", "det_singular"];

/// A fault of burn-linalg 0.22.1, whatever the backend: from four rows on, the determinant of a singular matrix has no
/// derivative.
#[test]
fn the_lost_derivative_of_a_determinant_of_zero_is_recognised() {
    let context = context(Device::flex(), DType::F32);
    let is_known = |number: u64| {
        let report = subject("det_singular").case(&context, number).check.run();
        assert!(report.proven || is_diagnosed(&report, "burn-linalg, functions/det.rs, det"), "case {number}");
        report.proven
    };
    let proven = (0..12).filter(|&number| is_known(number)).count();
    assert!((1..12).contains(&proven), "{proven} of 12 are proven: some have three rows at most, and some have more");
}

#[test]
fn every_other_operation_is_proven_and_every_mutant_killed() {
    let context = context(Device::flex(), DType::F32);
    let others = |subject: &&Subject| !FAULTY.contains(&subject.name);
    for subject in subjects().filter(others) {
        for number in 0..3 {
            let case = subject.case(&context, number);
            let (report, mutants) = case.check.run_with_mutants();
            // A hinge may be flat at all elements of a small case: then there is nothing to see.
            let flat = report.rows.iter().all(|row| row.verdict == Verdict::Unobservable) && report.faults() == 0;
            assert!(report.proven || flat, "{} case {number}: {}\n\n{report}", subject.name, case.about);
            let survivors: Vec<_> = mutants.survivors().collect();
            assert!(survivors.is_empty(), "{} case {number}: {}: {survivors:?}", subject.name, case.about);
        }
    }
}

/// The faults that Burn has had, each of which must be tried and found out in some of the first cases.
#[test]
fn every_fault_of_the_past_would_be_found() {
    let context = context(Device::flex(), DType::F32);
    let past = [
        ("gelu", "differentiates the tanh approximation"),
        ("sigmoid", "burn#1140"),
        ("abs", "burn#2249"),
        ("cast", "burn#4069"),
        ("unfold", "burn#4069"),
        ("matmul", "burn#5304"),
        ("conv2d", "burn#1891"),
        ("conv2d", "burn#3521"),
        ("conv2d", "burn#4591"),
        ("max_pool2d", "burn#4466"),
        ("avg_pool2d", "burn#5604"),
        ("avg_pool2d", "burn#5308"),
    ];
    for name in past.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>() {
        let tried: Vec<Mutant> =
            (0..24).flat_map(|number| subject(name).case(&context, number).check.run_with_mutants().1.tried).collect();
        for (_, fault) in past.iter().filter(|(other, _)| *other == name) {
            let brought_back: Vec<_> = tried.iter().filter(|mutant| mutant.mutation.contains(fault)).collect();
            assert!(!brought_back.is_empty(), "{name}: {fault} changes nothing in any case");
            assert!(brought_back.iter().all(|mutant| mutant.killed), "{name}: {fault} survives");
        }
    }
}

/// What Burn 0.22.1 computes in single precision although the tensors are in double precision.
#[test]
fn a_loss_of_precision_is_recognised_by_its_cause() {
    let context = context(Device::flex(), DType::F64);
    for (name, cause) in [
        ("hard_sigmoid", "default hard_sigmoid"),
        ("hard_swish", "default hard_sigmoid"),
        ("div_scalar", "float_div_scalar"),
        ("var", "float_div_scalar"),
        ("var_mean", "float_div_scalar"),
        ("var_mean_bias", "float_div_scalar"),
        ("cov", "float_div_scalar"),
        ("softplus", "float_div_scalar"),
        ("softplus_with_threshold", "float_div_scalar"),
        ("deform_conv2d", "deform_conv2d_backward"),
    ] {
        let found = |number| is_diagnosed(&subject(name).case(&context, number).check.run(), cause);
        assert!((0..6).any(found), "{name} is proven");
    }
}

#[test]
fn names_are_told_apart() {
    let names: BTreeSet<&str> = subjects().map(|subject| subject.name).collect();
    assert_eq!(names.len(), subjects().count());
    assert!(!names.contains(""));
}

/// What NdArray has of its own.
#[cfg(feature = "ndarray")]
#[test]
#[expect(deprecated, reason = "the backend is")]
fn the_faults_of_ndarray_are_recognised_by_their_causes() {
    let context = context(Device::ndarray(), DType::F32);
    let all = |name: &str, cause: &str| {
        let found = |number| is_diagnosed(&subject(name).case(&context, number).check.run(), cause);
        (0..8).filter(|&number| found(number)).count()
    };
    assert_eq!(all("gelu", "differentiates the tanh approximation"), 8);
    assert!(all("deform_conv2d", "compute_offset_and_mask_gradient") > 0);
}
