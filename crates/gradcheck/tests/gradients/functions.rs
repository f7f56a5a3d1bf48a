use backproof_gradcheck::{Check, Gradients, Options, Value, Verdict, measure_unit_roundoff, unit_roundoff};
use burn::tensor::{DType, activation};

use crate::common::*;

const BOTH: [DType; 2] = [DType::F32, DType::F64];

#[test]
fn a_linear_layer_is_proven_and_all_its_mutants_are_killed() {
    for dtype in BOTH {
        let check = linear(dtype).autodiff(&device()).source("manual", &device(), linear_manual);
        let (report, mutants) = check.run_with_mutants();
        report.assert();
        assert!(report.jacobian);
        mutants.assert();
        assert!(mutants.tried.len() >= 40, "{mutants}");
    }
}

#[test]
fn a_convolution_is_proven_and_all_its_mutants_are_killed() {
    for dtype in BOTH {
        for (stride, padding) in [(1, 0), (2, 1), (1, 1)] {
            let (report, mutants) = conv(dtype, [3, 4], 5, stride, padding).run_with_mutants();
            report.assert();
            mutants.assert();
            assert!(mutants.tried.len() >= 20, "{mutants}");
        }
    }
}

#[test]
fn relu_is_proven_with_its_kinks_and_all_its_mutants_are_killed() {
    for dtype in BOTH {
        let mut x = Value::normal([4, 5], 1).data().to_vec();
        x[3] = 0.0;
        x[11] = 0.0;
        let (report, mutants) = relu(dtype, Value::new([4, 5], x)).run_with_mutants();
        report.assert();
        let row = report.row("manual", "x").unwrap();
        assert_eq!((row.verdict, row.kinks), (Verdict::Kink, 2), "{report}");
        mutants.assert();
        assert!(mutants.tried.iter().any(|mutant| mutant.mutation == backproof_gradcheck::Mutation::Kink.to_string()));
    }
}

#[test]
fn softmax_is_proven_and_all_its_mutants_are_killed() {
    for dtype in BOTH {
        let (report, mutants) = softmax(dtype, Value::normal([4, 5], 1)).run_with_mutants();
        report.assert();
        mutants.assert();
    }
}

#[test]
fn cross_entropy_and_batch_norm_are_proven() {
    for dtype in BOTH {
        for check in [cross_entropy(dtype), batch_norm(dtype, 7, 3)] {
            let (report, mutants) = check.run_with_mutants();
            report.assert();
            mutants.assert();
        }
    }
}

#[test]
fn a_chain_of_tanh_is_proven_to_nine_digits_in_double_precision() {
    let check = Check::new("tanh chain")
        .dtype(DType::F64)
        .input("x", Value::normal([3, 4], 1))
        .parameter("v", Value::normal([4, 5], 2))
        .parameter("w", Value::normal([5, 2], 3))
        .forward(&device(), |t| {
            activation::tanh(activation::tanh(t.get::<2>("x").matmul(t.get::<2>("v"))).matmul(t.get::<2>("w")))
        })
        .autodiff(&device());
    let report = check.run();
    report.assert();
    for row in &report.rows {
        assert!(row.worst.as_ref().unwrap().error < 1e-9, "{report}");
    }
}

#[test]
fn max_pooling_with_ties_is_proven_with_kinks() {
    for dtype in BOTH {
        let few: Vec<f64> = (0..2 * 2 * 4 * 4).map(|i| f64::from(i * 7 % 3)).collect();
        let report = max_pool(dtype, Value::new([2, 2, 4, 4], few)).run();
        report.assert();
        assert!(report.rows[0].kinks > 0, "{report}");
    }
}

#[test]
fn under_a_sum_a_softmax_cannot_be_seen_and_under_random_signs_it_can() {
    let x = Value::normal([4, 5], 1);
    let random = softmax(DType::F64, x.clone()).options(Options { jacobian: 0, ..Options::default() }).run();
    assert_eq!(random.verdict("manual", "x"), Some(Verdict::Pass), "{random}");

    // The same under Σf, and a backward that returns nothing but zeros: the trap that random signs avoid.
    let sum = Check::new("sum of a softmax")
        .dtype(DType::F64)
        .input("x", x)
        .forward(&device(), |t| activation::softmax(t.get::<2>("x"), 1).sum())
        .source("zero", &device(), |t| Gradients::new().with("x", t.get::<2>("x").zeros_like()))
        .run();
    assert_eq!(sum.verdict("zero", "x"), Some(Verdict::Unobservable), "{sum}");
    assert!(!sum.proven);
}

#[test]
fn of_a_large_tensor_a_quota_is_checked_and_shown() {
    let check = Check::new("large")
        .input("x", Value::normal([40, 50], 1))
        .forward(&device(), |t| t.get::<2>("x").sin())
        .autodiff(&device())
        .source("manual", &device(), |t| Gradients::new().with("x", t.cotangent::<2>() * t.get::<2>("x").cos()));
    let report = check.run();
    report.assert();
    let row = report.row("manual", "x").unwrap();
    assert!((64..100).contains(&row.checked) && row.total == 2000, "{report}");
    assert!(report.to_string().contains(&format!("{}/2000", row.checked)));
}

#[test]
fn one_wrong_element_of_a_large_tensor_is_found_because_another_source_is_right() {
    let check = Check::new("large")
        .input("x", Value::normal([40, 50], 1))
        .forward(&device(), |t| t.get::<2>("x").sin())
        .autodiff(&device())
        .source("manual", &device(), |t| {
            let gradient = Value::from_tensor(t.cotangent::<2>() * t.get::<2>("x").cos());
            let mut data = gradient.data().to_vec();
            data[1234] *= 1.001;
            Gradients::new().with("x", Value::new([40, 50], data))
        });
    let report = check.run();
    let row = report.row("manual", "x").unwrap();
    assert_eq!(row.verdict, Verdict::Mismatch, "{report}");
    assert_eq!(row.worst.as_ref().unwrap().position, [24, 34]);
    assert_eq!(row.odd_one_out.as_deref(), Some("manual"));
    assert_eq!(row.diagnosis.as_deref(), Some("only the element [24, 34] is wrong"));
}

#[test]
fn the_round_off_of_a_matrix_product_is_that_of_its_type() {
    for dtype in BOTH {
        let measured = measure_unit_roundoff(&device(), dtype);
        assert!(measured >= unit_roundoff(dtype) && measured < 4.0 * unit_roundoff(dtype), "{measured:e}");
    }
}

#[test]
fn the_same_seed_gives_the_same_report_and_it_survives_json() {
    let report = batch_norm(DType::F32, 7, 3).seed(5).run();
    assert_eq!(report, batch_norm(DType::F32, 7, 3).seed(5).run());
    let json = report.to_json();
    assert!(json.contains("\"schema\": 1"));
    assert_eq!(serde_json::from_str::<backproof_gradcheck::Report>(&json).unwrap(), report);
}

#[test]
fn what_every_source_said_can_be_written_down() {
    let problem = linear(DType::F64).source("manual", &device(), linear_manual).problem();
    let options = Options { jacobian: 0, ..Options::default() };
    let examination = problem.examine(&options);
    let cotangents: Vec<_> = examination.cotangents().collect();
    assert_eq!(cotangents.len(), 3);
    assert_eq!((cotangents[2].0, cotangents[2].1.dims()), ("random 2", &[6, 3][..]));
    assert_eq!(examination.gradient("manual", "w", 2).unwrap().dims(), [4, 3]);
    assert!(examination.gradient("manual", "w", 3).is_none() && examination.gradient("nobody", "w", 0).is_none());
}
