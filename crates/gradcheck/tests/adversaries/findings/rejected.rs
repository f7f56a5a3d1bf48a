use backproof_gradcheck::{Gradients, Value};
use burn::tensor::{DType, Tensor, activation};

use super::{device, of_matrix, row};

#[test]
fn a_masked_score_does_not_condemn_the_others() {
    for dtype in [DType::F32, DType::F64] {
        for mask in [-1e4, -1e9, -1e20] {
            of_matrix("softmax", dtype, row(&[mask, 0.5, 1.0]), |x| activation::softmax(x, 1)).run().assert();
            of_matrix("log-softmax", dtype, row(&[mask, 0.5, 1.0]), |x| activation::log_softmax(x, 1)).run().assert();
        }
    }
}

#[test]
fn two_tied_maxima_of_large_logits_are_a_smooth_place() {
    for x in [[1e4, 1e4, -1e4], [1e4, -1e4, 1e4], [-1e4, -1e4, -1e4]] {
        of_matrix("softmax", DType::F64, row(&x), |x| activation::softmax(x, 1)).run().assert();
    }
}

type Activation = fn(Tensor<2>) -> Tensor<2>;

/// Burn's activations write their slopes in terms of the output, which has no digits where the function is flat; there they need not be proven, but they
/// are not wrong.
#[test]
fn activations_are_not_wrong_beside_an_outlier() {
    let activations: [(&str, Activation); 5] = [
        ("sigmoid", activation::sigmoid),
        ("tanh", activation::tanh),
        ("gelu", activation::gelu),
        ("silu", activation::silu),
        ("softplus", |x| activation::softplus(x, 1.0)),
    ];
    for (name, f) in activations {
        for outlier in [1e4, -1e9, 1e20] {
            for dtype in [DType::F32, DType::F64] {
                let report = of_matrix(name, dtype, row(&[outlier, 0.5, -1.0]), f).run();
                assert_eq!(report.faults(), 0, "{outlier:e}\n{report}");
            }
        }
    }
}

/// A slope that is below the smallest number of f32 is zero there.
#[test]
fn a_gradient_below_the_smallest_number_is_zero() {
    for x in [-90.0, -110.0, -710.0] {
        let check = of_matrix("exp", DType::F32, Value::full([1, 2], x), |x| x.exp());
        let report = check.source("by hand", &device(), |t| {
            let slope = t.get::<2>("x").exp();
            Gradients::new().with("x", t.cotangent::<2>() * slope)
        });
        let report = report.run();
        assert_eq!(report.faults(), 0, "{report}");
    }
}

/// Any order of three equal elements is right.
#[test]
fn a_sort_may_order_equal_elements_as_it_likes() {
    for x in [[1.0, 1.0, 1.0, 0.0], [2.0, 1.0, 1.0, 1.0], [0.0; 4]] {
        let report = of_matrix("sort", DType::F32, row(&x), |x| x.sort(1)).run();
        report.assert();
    }
}
