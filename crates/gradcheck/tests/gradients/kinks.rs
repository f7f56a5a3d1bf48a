//! Kinks that the forward records, in a network of two layers that is a given distance from one.

use backproof_gradcheck::{
    Arguments, Check, GradientSource, Gradients, Kinks, Options, Problem, Report, Role, Value, Variable, Verdict,
    unit_roundoff,
};
use burn::tensor::module::{conv2d, max_pool2d_with_indices};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{DType, Tensor, activation};

use crate::common::*;

const DISTANCES: [f64; 11] = [1e-7, 3e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2];

/// Convolution, ReLU, max pooling, linear. The bias of the convolution is a constant, so that it can be moved over a
/// kink.
fn network(t: &Arguments<'_>, kinks: &Kinks) -> Tensor<2> {
    let z = conv2d(t.get("x"), t.get("v"), Some(t.get("a")), ConvOptions::new([1, 1], [1, 1], [1, 1], 1));
    kinks.signs(&z);
    let (pooled, indices) =
        max_pool2d_with_indices(activation::relu(z), MaxPoolOptions::new([2, 2]).with_stride([2, 2]));
    kinks.argmax(&indices);
    pooled.flatten::<2>(1, 3).matmul(t.get("w"))
}

/// The network with a first bias of `a`.
fn check(dtype: DType, a: f64, recording: bool) -> Check<'static> {
    let check = Check::new("network")
        .dtype(dtype)
        .options(Options { jacobian: 0, ..Options::default() })
        .input("x", Value::normal([2, 1, 4, 4], 1))
        .parameter("v", Value::normal([2, 1, 3, 3], 2))
        .parameter("w", Value::normal([8, 3], 3))
        .constant("a", Value::new([2], vec![a, 0.3]));
    match recording {
        true => check.forward_recording(&device(), network),
        false => check.forward(&device(), |t| network(t, &Kinks::ignored())),
    }
}

/// With this bias the largest of a pooling window is zero before the ReLU, up to rounding.
fn bias_at_a_kink() -> f64 {
    let [x, v] = [Value::normal([2, 1, 4, 4], 1), Value::normal([2, 1, 3, 3], 2)]
        .map(|value| value.tensor::<4>(&device(), DType::F64));
    let z = conv2d(x, v, None, ConvOptions::new([1, 1], [1, 1], [1, 1], 1));
    let (largest, _) = max_pool2d_with_indices(z, MaxPoolOptions::new([2, 2]).with_stride([2, 2]));
    -Value::from_tensor(largest).data()[1]
}

/// The network at this distance from a kink.
pub(crate) fn network_beside_a_kink(dtype: DType, distance: f64) -> Check<'static> {
    check(dtype, bias_at_a_kink() + distance, true).autodiff(&device())
}

/// Max pooling of a ReLU, both recorded.
pub(crate) fn rectified_pool(dtype: DType, x: Value) -> Check<'static> {
    let check = Check::new("ReLU and max pooling").dtype(dtype).input("x", x);
    let check = check.forward_recording(&device(), |t, kinks| {
        let x = t.get::<4>("x");
        kinks.signs(&x);
        let options = MaxPoolOptions::new([2, 2]).with_stride([2, 2]);
        let (y, indices) = max_pool2d_with_indices(activation::relu(x), options);
        kinks.argmax(&indices);
        y
    });
    check.autodiff(&device())
}

/// The check of the network at this distance from the kink, with autodiff and with autodiff of the network on the other
/// side.
fn beside_a_kink(dtype: DType, distance: f64, recording: bool) -> Report {
    let kink = bias_at_a_kink();
    let check = check(dtype, kink + distance, recording).autodiff(&device());
    let autodiff = check.problem().sources[0].backward.clone();
    let other_side = GradientSource::new("other side", unit_roundoff(dtype), move |values, w| {
        let mut values = values.to_vec();
        values[3] = Value::new([2], vec![kink - distance, 0.3]);
        autodiff(&values, w)
    });
    check.add(other_side).run()
}

#[test]
fn beside_a_recorded_kink_only_the_right_side_passes() {
    for distance in DISTANCES.into_iter().flat_map(|distance| [distance, -distance]) {
        let report = beside_a_kink(DType::F64, distance, true);
        for tensor in ["x", "v", "w"] {
            let row = report.row("autodiff", tensor).unwrap();
            assert_eq!((row.verdict, row.kinks), (Verdict::Pass, 0), "{distance:e}: {report}");
        }
        for tensor in ["x", "v"] {
            assert_eq!(report.verdict("other side", tensor), Some(Verdict::Mismatch), "{distance:e}: {report}");
        }
    }
}

#[test]
fn without_a_record_the_other_side_of_a_kink_is_found_out_too() {
    for distance in [3e-6, 1e-5, 1e-4] {
        let report = beside_a_kink(DType::F64, distance, false);
        assert!(report.verdict("autodiff", "x").unwrap().proven(), "{distance}: {report}");
        assert_eq!(report.verdict("other side", "x"), Some(Verdict::Mismatch), "{distance}: {report}");
    }
}

#[test]
fn in_single_precision_the_right_side_is_proven_and_a_wrong_gradient_is_not() {
    for distance in DISTANCES.into_iter().flat_map(|distance| [distance, -distance]) {
        let check = check(DType::F32, bias_at_a_kink() + distance, true).autodiff(&device());
        let autodiff = check.problem().sources[0].backward.clone();
        let wrong = GradientSource::new("wrong", unit_roundoff(DType::F32), move |values, w| {
            let spoil =
                |gradient: Value| Value::new(gradient.dims(), gradient.data().iter().map(|g| 1.01 * g).collect());
            autodiff(values, w).into_iter().map(|gradient| gradient.map(spoil)).collect()
        });
        let report = check.add(wrong).run();
        for tensor in ["x", "v", "w"] {
            assert!(report.verdict("autodiff", tensor).unwrap().proven(), "{distance:e}: {report}");
            // So near to the kink that the source's own round-off crosses it, it may be right for all that can be
            // known.
            let wrong = report.verdict("wrong", tensor).unwrap();
            assert!(wrong == Verdict::Mismatch || (distance.abs() < 2e-5 && !wrong.proven()), "{distance:e}: {report}");
        }
        assert_eq!(report.verdict("wrong", "x"), Some(Verdict::Mismatch), "{distance:e}: {report}");
    }
}

#[test]
fn on_a_recorded_kink_a_gradient_must_lie_between_both_sides() {
    for (gradient, expected) in [
        (0.0, Verdict::Kink),
        (0.3, Verdict::Kink),
        (1.0, Verdict::Kink),
        (1.01, Verdict::Mismatch),
        (-0.01, Verdict::Mismatch),
    ] {
        let report = Check::new("relu")
            .dtype(DType::F64)
            .input("x", Value::new([4], vec![1.5, 0.0, -2.0, 1e-4]))
            .forward_recording(&device(), |t, kinks| {
                let x = t.get::<1>("x");
                kinks.signs(&x);
                activation::relu(x)
            })
            .source("manual", &device(), move |t| {
                let slope = |x: f64| if x == 0.0 { gradient } else { f64::from(x > 0.0) };
                let pairs = t.value("x").data().iter().zip(t.cotangent_value().data());
                Gradients::new().with("x", Value::new([4], pairs.map(|(&x, g)| g * slope(x)).collect()))
            })
            .run();
        let row = report.row("manual", "x").unwrap();
        assert_eq!(
            (row.verdict, row.kinks),
            (expected, usize::from(expected == Verdict::Kink)),
            "{gradient}: {report}"
        );
    }
}

#[test]
fn beside_a_recorded_tie_the_winner_alone_has_the_gradient() {
    for distance in DISTANCES {
        let pool = |swapped: bool| {
            move |t: &Arguments<'_>| {
                let (x, g) = (t.value("x").data(), t.cotangent_value().data());
                let mut dx = vec![0.0; 16];
                for (window, g) in g.iter().enumerate() {
                    let corner = window / 2 * 8 + window % 2 * 2;
                    let argmax = [0, 1, 4, 5].map(|at| corner + at).into_iter().max_by(|&a, &b| x[a].total_cmp(&x[b]));
                    let argmax = argmax.unwrap();
                    dx[if swapped && argmax == 5 { 0 } else { argmax }] = *g;
                }
                Gradients::new().with("x", Value::new([1, 1, 4, 4], dx))
            }
        };
        let mut x = Value::normal([1, 1, 4, 4], 7).data().to_vec();
        (x[0], x[1], x[4], x[5]) = (2.0, 0.5, -1.0, 2.0 + distance);
        let report = Check::new("max pool")
            .dtype(DType::F64)
            .input("x", Value::new([1, 1, 4, 4], x))
            .forward_recording(&device(), |t, kinks| {
                let options = MaxPoolOptions::new([2, 2]).with_stride([2, 2]);
                let (y, indices) = max_pool2d_with_indices(t.get::<4>("x"), options);
                kinks.argmax(&indices);
                y
            })
            .autodiff(&device())
            .source("manual", &device(), pool(false))
            .source("loser", &device(), pool(true))
            .run();
        let verdicts = ["autodiff", "manual", "loser"].map(|source| report.verdict(source, "x").unwrap());
        assert_eq!(verdicts, [Verdict::Pass, Verdict::Pass, Verdict::Mismatch], "{distance:e}: {report}");
    }
}

#[test]
fn a_sharp_bend_is_no_kink() {
    // The radius of the bend is a tenth of the shortest usual step: from those it is a kink, and the shortest of all
    // says that it is none.
    let bend = |x: f64| (x * x + 1e-14).sqrt();
    let check = |recording: bool| {
        let tensors = vec![Variable {
            name: "x".into(),
            role: Role::Input,
            value: Value::new([2], vec![0.0, 1.0]),
            expect_zero: false,
        }];
        let forward = move |values: &[Value]| {
            let x = values[0].data();
            Value::new([2], vec![bend(x[0]), x[1].max(0.0)])
        };
        let source = GradientSource::new("half", unit_roundoff(DType::F64), |_, w: &Value| {
            vec![Some(Value::new([2], vec![0.5 * w.data()[0], w.data()[1]]))]
        });
        let mut problem = Problem::new("bend", DType::F64, tensors, forward);
        problem.sources = vec![source];
        if recording {
            problem.recording = Some(std::rc::Rc::new(move |values, kinks| {
                kinks.decisions([i64::from(values[0].data()[1] > 0.0)]);
                forward(values)
            }));
        }
        let options = Options::default();
        problem.examine(&options).report().rows[0].verdict
    };
    assert!(!check(false).proven());
    assert!(!check(true).proven());
}

#[test]
fn noise_is_measured_beside_a_kink_that_the_point_lies_on() {
    // What is left of 1e8 after a cancellation rounds by far more than the rest moves, and the second element lies on a
    // kink.
    let forward = |values: &[Value]| {
        let x = values[0].data();
        Value::new([2], vec![((1e8 + x[0]) - 1e8 - x[0]) + 1e-8 * x[0], x[1].max(0.0)])
    };
    let tensors = vec![Variable {
        name: "x".into(),
        role: Role::Input,
        value: Value::new([2], vec![0.7, 0.0]),
        expect_zero: false,
    }];
    let right = |_: &[Value], w: &Value| vec![Some(Value::new([2], vec![1e-8 * w.data()[0], 0.0]))];
    let mut problem = Problem::new("buried", DType::F64, tensors, forward);
    problem.sources = vec![GradientSource::new("right", unit_roundoff(DType::F64), right)];
    problem.recording = Some(std::rc::Rc::new(move |values, kinks| {
        kinks.decisions([values[0].data()[1].partial_cmp(&0.0).map_or(2, |order| order as i64)]);
        forward(values)
    }));
    let options = Options::default();
    let report = problem.examine(&options).report().clone();
    assert_eq!(report.faults(), 0, "{report}");
}
