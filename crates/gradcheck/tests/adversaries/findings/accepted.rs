use backproof_gradcheck::{Arguments, Check, Gradients, Options, Value, Verdict};
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{DType, activation};

use super::{device, of_matrix, only_this_is_wrong, row};

/// The gradient of silu, and 0 wherever |x| < 2.
fn with_zeros(t: &Arguments<'_>) -> Gradients {
    let x = t.get::<2>("x");
    let s = activation::sigmoid(x.clone());
    let slope = s.clone() + x.clone() * s.clone() * (-s + 1);
    Gradients::new().with("x", t.cotangent::<2>() * slope.mask_fill(x.abs().lower_scalar(2.0), 0.0))
}

#[test]
fn an_outlier_hides_no_wrong_element() {
    for outlier in [1e2, 1e4, 1e9, 1e20] {
        for dtype in [DType::F32, DType::F64] {
            let x = row(&[outlier, 1.5, -outlier]);
            only_this_is_wrong(of_matrix("silu", dtype, x, activation::silu), with_zeros);
        }
    }
}

const TIED: [f64; 6] = [2.0, 2.0, 1.0, 0.0, 5.0, 5.0];

/// `f` of every element of a row of three, and of the number of those that are equal to the largest.
fn shares(t: &Arguments<'_>, f: impl Fn(bool, f64) -> f64) -> Gradients {
    let (x, g) = (t.value("x"), t.cotangent_value());
    let row = |(row, g): (&[f64], &f64)| {
        let most = row.iter().copied().fold(f64::MIN, f64::max);
        let count = row.iter().filter(|&&x| x == most).count() as f64;
        row.iter().map(|&x| g * f(x == most, count)).collect::<Vec<_>>()
    };
    Gradients::new().with("x", Value::new(x.dims(), x.data().chunks(3).zip(g.data()).flat_map(row).collect()))
}

#[test]
fn tied_maxima_share_what_there_is() {
    for dtype in [DType::F32, DType::F64] {
        let max = || of_matrix("max", dtype, Value::new([2, 3], TIED.to_vec()), |x| x.max_dim(1));
        only_this_is_wrong(max(), |t| shares(t, |most, _| f64::from(most)));
        only_this_is_wrong(max(), |t| shares(t, |_, _| 0.0));
        only_this_is_wrong(max(), |t| shares(t, |most, count| f64::from(most) * 0.9 / count));
        let even = max().source("even", &device(), |t| shares(t, |most, count| f64::from(most) / count)).run();
        assert!(even.verdict("even", "x").unwrap().proven(), "{even}");
    }
}

#[test]
fn tied_maxima_of_a_window_share_what_there_is() {
    let pool = |x: burn::tensor::Tensor<2>| max_pool2d(x.reshape([1, 2, 1, 3]), MaxPoolOptions::new([1, 3]));
    let check = || of_matrix("max pooling", DType::F32, Value::new([2, 3], TIED.to_vec()), pool);
    only_this_is_wrong(check(), |t| shares(t, |most, _| f64::from(most)));
    only_this_is_wrong(check(), |t| shares(t, |_, _| 0.0));
}

/// Both of two equal elements have the gradient of the one place, or of the other.
#[test]
fn equal_elements_are_not_sorted_to_one_place() {
    let sort = || of_matrix("sort", DType::F32, row(&[3.0, 1.0, 3.0]), |x| x.sort(1));
    only_this_is_wrong(sort(), |t| {
        let g = t.cotangent_value().data();
        Gradients::new().with("x", row(&[g[1], g[0], g[1]]))
    });
    only_this_is_wrong(sort(), |t| {
        let g = t.cotangent_value().data();
        Gradients::new().with("x", row(&[g[2], g[0], g[2]]))
    });
    let top = || of_matrix("top-k", DType::F32, row(&[3.0, 1.0, 3.0]), |x| x.topk(1, 1));
    only_this_is_wrong(top(), |t| {
        let g = t.cotangent_value().data();
        Gradients::new().with("x", row(&[g[0], 0.0, g[0]]))
    });
}

#[test]
fn both_sides_of_a_difference_move_together() {
    let check = || {
        let check = Check::new("abs of a difference").input("x", row(&[1.0, 2.0])).input("y", row(&[1.0, 3.0]));
        check.forward(&device(), |t| (t.get::<2>("x") - t.get::<2>("y")).abs()).autodiff(&device())
    };
    // Each has a slope within −1 and 1, and together they would move what stays.
    let report = check()
        .source("wrong", &device(), |t| {
            let sign = (t.get::<2>("x") - t.get::<2>("y")).sign();
            let tied = sign.clone().equal_scalar(0.0);
            let of = |side: f64| t.cotangent::<2>() * (sign.clone() * side).mask_fill(tied.clone(), 1.0);
            Gradients::new().with("x", of(1.0)).with("y", of(-1.0))
        })
        .run();
    assert!(!report.rows.iter().filter(|row| row.source == "wrong").all(|row| row.verdict.proven()), "{report}");
    assert!(report.rows.iter().filter(|row| row.source == "autodiff").all(|row| row.verdict.proven()), "{report}");
}

type Use = fn(f64) -> f64;

#[test]
fn a_wrong_use_of_the_cotangent_is_no_gradient() {
    let uses: [(&str, Use); 8] = [
        ("sign", f64::signum),
        ("clamp", |g| g.clamp(-1.0, 1.0)),
        ("cube", |g| g * g * g),
        ("absolute", f64::abs),
        ("square", |g| g * g.abs()),
        ("integer", f64::round),
        ("small lost", |g| if g.abs() < 1e-3 { 0.0 } else { g }),
        ("large cut", |g| g.clamp(-50.0, 50.0)),
    ];
    for (name, of_g) in uses {
        let square = of_matrix("square", DType::F32, row(&[0.5, -1.5, 3.0]), |x| x.square());
        let report = square
            .source("wrong", &device(), move |t| {
                let pairs = t.value("x").data().iter().zip(t.cotangent_value().data());
                let gradient: Vec<f64> = pairs.map(|(x, &g)| 2.0 * x * of_g(g)).collect();
                Gradients::new().with("x", row(&gradient))
            })
            .run();
        assert!(!report.verdict("wrong", "x").unwrap().proven(), "{name}\n{report}");
        assert_eq!(report.verdict("autodiff", "x"), Some(Verdict::Pass), "{name}\n{report}");
    }
}

#[test]
fn a_mean_of_squares_that_ignores_its_cotangent_is_no_gradient() {
    for seed in 0..20 {
        let check = of_matrix("mean of squares", DType::F32, row(&[0.5, -1.5, 3.0]), |x| x.square().mean());
        let check = check.options(Options { seed, ..Options::default() });
        only_this_is_wrong(check, |t| {
            let x = t.get::<2>("x");
            Gradients::new().with("x", x * (2.0 / 3.0))
        });
    }
}
