//! Activation functions, and their modules in burn-nn.

use crate::point::Point;
use burn::nn::Gelu;
use burn::nn::activation::{CeluConfig, EluConfig, Selu, Softsign};
use burn::tensor::activation;

use super::common::{CUDA, EXP_OVERFLOWS, FAULT, NDARRAY, SINGLE, SMALLEST, WGPU, x};
use crate::known::entry::{Found, Known, Smallest};
use crate::symptoms::Kind::{Mismatch, NotFinite};

const ELU: Known = Known {
    operation: "elu",
    points: EXP_OVERFLOWS,
    kinds: &[NotFinite],
    cause: "Burn computes the branch exp(x) − 1 for positive x too, and masks it afterwards. From 88.8 on (709.8 in \
        f64), the branch is infinite, and its gradient is 0 · ∞",
    location: "burn-tensor, tensor/activation/base.rs, elu",
    smallest: Smallest {
        tensors: &[("x", &[1], &[88.8])],
        options: "alpha 1",
        function: |t| activation::elu(x(t), 1.0),
        right: &[1.0],
        found: Found::Numbers(&[f64::NAN]),
        ..SMALLEST
    },
    ..FAULT
};

const SELU: Known = Known {
    operation: "selu",
    points: EXP_OVERFLOWS,
    kinds: &[NotFinite],
    cause: "The same as for elu",
    location: "burn-tensor, tensor/activation/base.rs, selu",
    smallest: Smallest {
        tensors: &[("x", &[1], &[88.8])],
        function: |t| activation::selu(x(t)),
        right: &[1.0507009873554805],
        found: Found::Numbers(&[f64::NAN]),
        ..SMALLEST
    },
    ..FAULT
};

const GELU_APPROXIMATE: Known = Known {
    operation: "gelu_approximate",
    precisions: SINGLE,
    points: &[Point::Saturated1e20],
    kinds: &[NotFinite],
    cause: "x² overflows from 1.9·10¹⁹ on, and the gradient of tanh is 0 · ∞",
    location: "burn-tensor, tensor/activation/base.rs, gelu_approximate",
    smallest: Smallest {
        tensors: &[("x", &[1], &[1e20])],
        function: |t| activation::gelu_approximate(x(t)),
        right: &[1.0],
        found: Found::Numbers(&[f64::NAN]),
        ..SMALLEST
    },
    ..FAULT
};

const ELU_MODULE: Known = Known {
    operation: "Elu",
    points: EXP_OVERFLOWS,
    kinds: &[NotFinite],
    cause: "The same as for the function elu",
    location: "burn-tensor, tensor/activation/base.rs, elu",
    smallest: Smallest {
        tensors: &[("x", &[1], &[88.8])],
        function: |t| EluConfig::new().init().forward(x(t)),
        right: &[1.0],
        found: Found::Numbers(&[f64::NAN]),
        ..SMALLEST
    },
    ..FAULT
};

const SOFTSIGN: Known = Known {
    operation: "softsign",
    precisions: SINGLE,
    points: &[Point::Saturated1e20],
    kinds: &[Mismatch],
    cause: "The function is x / (1 + |x|). The gradient of a division squares the divisor. The square overflows, and \
        half of the gradient is lost",
    location: "burn-autodiff, ops/tensor.rs, float_div",
    smallest: Smallest {
        tensors: &[("x", &[1], &[1e20])],
        function: |t| activation::softsign(x(t)),
        right: &[0.0],
        found: Found::Numbers(&[1e-20]),
        ..SMALLEST
    },
    ..FAULT
};

pub(super) const GELU: Known = Known {
    operation: "gelu",
    backends: &[NDARRAY, WGPU, CUDA],
    kinds: &[Mismatch],
    says: "tanh approximation",
    cause: "The forward pass computes the exact erf, but the backward pass differentiates the tanh approximation",
    location: "burn-backend, ops/activation.rs, gelu_backward",
    smallest: Smallest {
        tensors: &[("x", &[1], &[2.0])],
        function: |t| activation::gelu(x(t)),
        right: &[1.085232],
        found: Found::Numbers(&[1.086099]),
        ..SMALLEST
    },
    ..FAULT
};

pub(super) const FAULTS: &[Known] = &[
    ELU,
    Known {
        operation: "celu",
        cause: "The same as for elu, with exp(x / alpha)",
        location: "burn-tensor, tensor/activation/base.rs, celu",
        smallest: Smallest { function: |t| activation::celu(x(t), 1.0), ..ELU.smallest },
        ..ELU
    },
    SELU,
    GELU_APPROXIMATE,
    GELU,
    ELU_MODULE,
    Known {
        operation: "Celu",
        cause: "The same as for the function celu",
        location: "burn-tensor, tensor/activation/base.rs, celu",
        smallest: Smallest { function: |t| CeluConfig::new().init().forward(x(t)), ..ELU_MODULE.smallest },
        ..ELU_MODULE
    },
    Known {
        operation: "Selu",
        cause: "The same as for the function selu",
        smallest: Smallest { function: |t| Selu::new().forward(x(t)), ..SELU.smallest },
        ..SELU
    },
    Known {
        operation: "Gelu",
        cause: "The same as for gelu_approximate",
        smallest: Smallest {
            options: "approximate",
            function: |t| Gelu::new_approximate().forward(x(t)),
            ..GELU_APPROXIMATE.smallest
        },
        ..GELU_APPROXIMATE
    },
    SOFTSIGN,
    Known {
        operation: "Softsign",
        smallest: Smallest { function: |t| Softsign::new().forward(x(t)), ..SOFTSIGN.smallest },
        ..SOFTSIGN
    },
    SWI_GLU,
    Known {
        operation: "Activation",
        tensors: &["x", "SwiGlu.linear_inner.weight", "SwiGlu.linear_inner.bias"],
        cause: "The same as for SwiGlu",
        ..SWI_GLU
    },
    Known { operation: "Rnn", ..OF_RECURRENT_SOFTSIGN },
    Known { operation: "BiRnn", ..OF_RECURRENT_SOFTSIGN },
];

const OF_RECURRENT_SOFTSIGN: Known =
    Known { tensors: &["*"], cause: "The same as for Softsign, where Softsign is the activation", ..SOFTSIGN };

const SWI_GLU: Known = Known {
    operation: "SwiGlu",
    precisions: SINGLE,
    points: &[Point::Saturated1e20],
    tensors: &["x", "linear_inner.weight", "linear_inner.bias"],
    kinds: &[NotFinite],
    cause: "SiLU is x σ(x). The incoming gradient of σ is x g, which overflows, and the slope of σ is zero: 0 · ∞",
    location: "burn-tensor, tensor/activation/base.rs, silu",
    smallest: Smallest {
        tensors: &[("x", &[1], &[1e20])],
        options: "SiLU of x, times 10²⁰",
        function: |t| activation::silu(x(t)) * 1e20,
        right: &[1e20],
        found: Found::Numbers(&[f64::NAN]),
        ..SMALLEST
    },
    ..FAULT
};
