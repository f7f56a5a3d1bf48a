use backproof::backend::Backend::{self, Cuda, Flex, NdArray, Wgpu};
use backproof::point::Point;
use backproof_gradcheck::Arguments;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Bool, DType, Int, Tensor, TensorData, activation, module};

use super::{Found, Known, Smallest};
use crate::compare_gradients::symptoms::Kind::{Mismatch, NotFinite, WrongShape};

const EVERYWHERE: &[Backend] = &Backend::ALL;
const BOTH: &[DType] = &[DType::F32, DType::F64];
const SINGLE: &[DType] = &[DType::F32];

/// Where `exp` of a positive number overflows.
const EXP_OVERFLOWS: &[Point] = &[
    Point::Saturated90,
    Point::Saturated710,
    Point::Saturated1e4,
    Point::Saturated1e20,
    Point::Outlier,
    Point::Masked,
    Point::Wide,
];

/// Where some numbers are exactly zero.
const ZEROS: &[Point] = &[Point::SomeZeros, Point::AllZeros, Point::ZeroRows];

/// Where squares underflow or overflow.
const SQUARES: &[Point] = &[Point::Underflow, Point::Denormal, Point::Saturated1e20, Point::Masked];

/// Where tensors are broadcast.
const SHAPES: &[Point] = &[Point::Broadcast, Point::OneAxis1, Point::Size1];

fn x(t: &Arguments<'_>) -> Tensor<1> {
    t.get("x")
}

fn y(t: &Arguments<'_>) -> Tensor<1> {
    t.get("y")
}

pub(crate) const FAULTS: &[Known] = &[
    Known {
        operation: "elu",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: EXP_OVERFLOWS,
        tensors: &["x"],
        kinds: &[NotFinite],
        says: "",
        cause: "The branch exp(x) − 1 is computed for positive x too and masked afterwards: from 88.8 on (709.8 in f64) it is infinite, \
                and its gradient 0 · ∞",
        place: "burn-tensor, tensor/activation/base.rs, elu",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[88.8])],
            options: "alpha 1",
            function: |t| activation::elu(x(t), 1.0),
            of: "x",
            right: &[1.0],
            found: Found::Numbers(&[f64::NAN]),
        },
    },
    Known {
        operation: "celu",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: EXP_OVERFLOWS,
        tensors: &["x"],
        kinds: &[NotFinite],
        says: "",
        cause: "As of elu, with exp(x / alpha)",
        place: "burn-tensor, tensor/activation/base.rs, celu",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[88.8])],
            options: "alpha 1",
            function: |t| activation::celu(x(t), 1.0),
            of: "x",
            right: &[1.0],
            found: Found::Numbers(&[f64::NAN]),
        },
    },
    Known {
        operation: "selu",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: EXP_OVERFLOWS,
        tensors: &["x"],
        kinds: &[NotFinite],
        says: "",
        cause: "As of elu",
        place: "burn-tensor, tensor/activation/base.rs, selu",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[88.8])],
            options: "",
            function: |t| activation::selu(x(t)),
            of: "x",
            right: &[1.0507009873554805],
            found: Found::Numbers(&[f64::NAN]),
        },
    },
    Known {
        operation: "gelu_approximate",
        backends: EVERYWHERE,
        precisions: SINGLE,
        points: &[Point::Saturated1e20],
        tensors: &["x"],
        kinds: &[NotFinite],
        says: "",
        cause: "x² overflows from 1.9·10¹⁹ on, and the gradient of tanh is 0 · ∞",
        place: "burn-tensor, tensor/activation/base.rs, gelu_approximate",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[1e20])],
            options: "",
            function: |t| activation::gelu_approximate(x(t)),
            of: "x",
            right: &[1.0],
            found: Found::Numbers(&[f64::NAN]),
        },
    },
    Known {
        operation: "div",
        backends: EVERYWHERE,
        precisions: SINGLE,
        points: SQUARES,
        tensors: &["y"],
        kinds: &[NotFinite, Mismatch],
        says: "",
        cause: "The divisor's gradient is −x / y², and y² is 0 or ∞ where −(x / y) / y is neither",
        place: "burn-autodiff, ops/tensor.rs, float_div",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[1e-30]), ("y", &[1], &[1e-30])],
            options: "",
            function: |t| x(t) / y(t),
            of: "y",
            right: &[-1e30],
            found: Found::Numbers(&[f64::NEG_INFINITY]),
        },
    },
    Known {
        operation: "powf",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: &[Point::SomeZeros, Point::AllZeros, Point::ZeroRows, Point::Saturated1e20, Point::Masked],
        tensors: &["y"],
        kinds: &[NotFinite],
        says: "",
        cause: "The exponent's gradient is xʸ ln x, which is 0 · −∞ at x = 0; of a negative x, ln x is NaN",
        place: "burn-autodiff, ops/tensor.rs, float_powf",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[0.0]), ("y", &[1], &[2.0])],
            options: "",
            function: |t| x(t).powf(y(t)),
            of: "y",
            right: &[0.0],
            found: Found::Numbers(&[f64::NAN]),
        },
    },
    Known {
        operation: "powf",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: ZEROS,
        tensors: &["x"],
        kinds: &[NotFinite],
        says: "",
        cause: "The base's gradient is y · xʸ⁻¹, which is 0 · ∞ at x = y = 0, although x⁰ is 1 everywhere",
        place: "burn-autodiff, ops/tensor.rs, float_powf",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[0.0]), ("y", &[1], &[0.0])],
            options: "",
            function: |t| x(t).powf(y(t)),
            of: "x",
            right: &[0.0],
            found: Found::Numbers(&[f64::NAN]),
        },
    },
    Known {
        operation: "powf",
        backends: EVERYWHERE,
        precisions: SINGLE,
        points: &[Point::Denormal],
        tensors: &["x"],
        kinds: &[NotFinite, Mismatch],
        says: "",
        cause: "The base's gradient is y · xʸ⁻¹, of which the power overflows where the product does not",
        place: "burn-autodiff, ops/tensor.rs, float_powf",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[1e-39]), ("y", &[1], &[1e-3])],
            options: "",
            function: |t| x(t).powf(y(t)),
            of: "x",
            right: &[9.141131e35],
            found: Found::Numbers(&[f64::INFINITY]),
        },
    },
    Known {
        operation: "atan2",
        backends: EVERYWHERE,
        precisions: SINGLE,
        points: SQUARES,
        tensors: &["x", "y"],
        kinds: &[NotFinite, Mismatch],
        says: "",
        cause: "Both gradients divide by x² + y², which is 0 or ∞ where the quotient is neither",
        place: "burn-autodiff, ops/tensor.rs, float_atan2",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("y", &[1], &[1e-30]), ("x", &[1], &[1e-30])],
            options: "",
            function: |t| y(t).atan2(x(t)),
            of: "y",
            right: &[5e29],
            found: Found::Numbers(&[f64::INFINITY]),
        },
    },
    Known {
        operation: "hypot",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: ZEROS,
        tensors: &["x", "y"],
        kinds: &[NotFinite],
        says: "",
        cause: "The gradient is x / √(x² + y²), 0 / 0 where both are zero; every number from −1 to 1 would be right",
        place: "burn-autodiff, ops/tensor.rs, float_hypot",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[0.0]), ("y", &[1], &[0.0])],
            options: "",
            function: |t| x(t).hypot(y(t)),
            of: "x",
            right: &[0.0],
            found: Found::Numbers(&[f64::NAN]),
        },
    },
    Known {
        operation: "cross",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: SHAPES,
        tensors: &["x", "y"],
        kinds: &[WrongShape, Mismatch],
        says: "",
        cause: "An argument that was broadcast gets a gradient in the shape of the product: it is not summed",
        place: "burn-autodiff, ops/tensor.rs, float_cross",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1, 3], &[1.0, 2.0, 3.0]), ("y", &[2, 3], &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0])],
            options: "axis 1",
            function: |t| t.get::<2>("x").cross(t.get::<2>("y"), 1).reshape([6]),
            of: "x",
            right: &[1.0, -1.0, 0.0],
            found: Found::Shape(&[2, 3]),
        },
    },
    Known {
        operation: "mask_fill",
        backends: EVERYWHERE,
        precisions: BOTH,
        points: SHAPES,
        tensors: &["x"],
        kinds: &[WrongShape, Mismatch],
        says: "",
        cause: "A tensor that was broadcast to its mask gets a gradient in the shape of the mask: it is not summed",
        place: "burn-autodiff, ops/tensor.rs, float_mask_fill",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[1.0])],
            options: "mask [true, false, false]",
            function: |t| {
                let mask = TensorData::new(vec![true, false, false], [3]);
                x(t).mask_fill(Tensor::<1, Bool>::from_data(mask, t.device()), 3.0)
            },
            of: "x",
            right: &[2.0],
            found: Found::Shape(&[3]),
        },
    },
    Known {
        operation: "ctc_loss",
        backends: &[Flex, NdArray],
        precisions: BOTH,
        points: &[],
        tensors: &["x"],
        kinds: &[Mismatch],
        says: "",
        cause: "log(eᵃ + eᵇ) is computed as max(a, b) + log1p(exp(−abs(a − b))); where a = b, autodiff gives all of the gradient to one and none to the \
                other. An untrained network with equal outputs is such a point",
        place: "burn-backend, ops/modules/ctc.rs, log_sum_exp",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[2, 1, 2], &[-0.6931471805599453; 4])],
            options: "log-probabilities of 2 steps and 2 classes, target [1], blank 0",
            function: |t| {
                let int = |number: i64| Tensor::<1, Int>::from_data(TensorData::new(vec![number], [1]), t.device());
                module::ctc_loss(t.get::<3>("x"), int(1).reshape([1, 1]), int(2), int(1), 0)
            },
            of: "x",
            right: &[-1.0 / 3.0, -2.0 / 3.0, -1.0 / 3.0, -2.0 / 3.0],
            found: Found::Numbers(&[0.0, -1.0, -1.0 / 3.0, -2.0 / 3.0]),
        },
    },
    Known {
        operation: "conv1d_groups",
        backends: &[Flex, NdArray],
        precisions: BOTH,
        points: &[],
        tensors: &["weight"],
        kinds: &[Mismatch],
        says: "conv1d_weight_grad_groups",
        cause: "The weight's gradient of a group is not cropped to the kernel where the stride leaves something over",
        place: "burn-backend, ops/modules/conv.rs, conv1d_weight_grad_groups",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1, 2, 2], &[1.0, 2.0, 3.0, 4.0]), ("weight", &[4, 1, 1], &[1.0; 4])],
            options: "stride 2, 2 groups",
            function: |t| {
                let options = ConvOptions::new([2], [0], [1], 2);
                module::conv1d(t.get("x"), t.get("weight"), None, options).reshape([4])
            },
            of: "weight",
            right: &[1.0, 1.0, 3.0, 3.0],
            found: Found::Numbers(&[1.0, 2.0, 3.0, 4.0]),
        },
    },
    Known {
        operation: "gelu",
        backends: &[NdArray, Wgpu, Cuda],
        precisions: BOTH,
        points: &[],
        tensors: &["x"],
        kinds: &[Mismatch],
        says: "tanh approximation",
        cause: "The forward is the exact erf, the backward differentiates the tanh approximation",
        place: "burn-backend, ops/activation.rs, gelu_backward",
        smallest: Smallest {
            precision: DType::F32,
            tensors: &[("x", &[1], &[2.0])],
            options: "",
            function: |t| activation::gelu(x(t)),
            of: "x",
            right: &[1.085232],
            found: Found::Numbers(&[1.086099]),
        },
    },
];
