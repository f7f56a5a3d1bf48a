//! What is broadcast, grouped or aligned.

use std::f64::consts::LN_2;

use burn::tensor::ops::{AttentionModuleOptions, ConvOptions};
use burn::tensor::{Bool, Int, Tensor, TensorData, module};

use super::common::{FAULT, FLEX, NDARRAY, SHAPES, SMALLEST, x};
use crate::known::entry::{Found, Known, Smallest};
use crate::symptoms::Kind::{Mismatch, NotFinite, WrongShape};

const CONV1D_GROUPS: Known = Known {
    operation: "conv1d_groups",
    backends: &[FLEX],
    tensors: &["weight"],
    kinds: &[Mismatch],
    says: "not cropped",
    cause: "If the stride leaves pixels over, Burn does not crop the gradient of a group's weights to the kernel",
    location: "burn-backend, ops/modules/conv.rs, conv1d_weight_grad_groups",
    smallest: Smallest {
        tensors: &[("x", &[1, 2, 2], &[1.0, 2.0, 3.0, 4.0]), ("weight", &[4, 1, 1], &[1.0; 4])],
        options: "stride 2, 2 groups",
        function: |t| {
            let options = ConvOptions::new([2], [0], [1], 2);
            module::conv1d(t.get("x"), t.get("weight"), None, options).reshape([4])
        },
        of: "weight",
        right: &[1.0, 1.0, 3.0, 3.0],
        found: Found::Numbers(&[1.0, 2.0, 3.0, 4.0]),
        ..SMALLEST
    },
    ..FAULT
};

pub(super) const FAULTS: &[Known] = &[
    Known {
        operation: "cross",
        points: SHAPES,
        tensors: &["x", "y"],
        kinds: &[WrongShape, Mismatch],
        cause: "If an argument was broadcast, Burn does not sum its gradient: it has the shape of the product",
        location: "burn-autodiff, ops/tensor.rs, float_cross",
        smallest: Smallest {
            tensors: &[("x", &[1, 3], &[1.0, 2.0, 3.0]), ("y", &[2, 3], &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0])],
            options: "axis 1",
            function: |t| t.get::<2>("x").cross(t.get::<2>("y"), 1).reshape([6]),
            right: &[1.0, -1.0, 0.0],
            found: Found::Shape(&[2, 3]),
            ..SMALLEST
        },
        ..FAULT
    },
    Known {
        operation: "mask_fill",
        points: SHAPES,
        kinds: &[WrongShape, Mismatch],
        cause: "If a tensor was broadcast to its mask, Burn does not sum its gradient: it has the shape of the mask",
        location: "burn-autodiff, ops/tensor.rs, float_mask_fill",
        smallest: Smallest {
            tensors: &[("x", &[1], &[1.0])],
            options: "mask [true, false, false]",
            function: |t| {
                let mask = TensorData::new(vec![true, false, false], [3]);
                x(t).mask_fill(Tensor::<1, Bool>::from_data(mask, t.device()), 3.0)
            },
            right: &[2.0],
            found: Found::Shape(&[3]),
            ..SMALLEST
        },
        ..FAULT
    },
    Known {
        operation: "ctc_loss",
        backends: &[FLEX, NDARRAY],
        kinds: &[Mismatch],
        cause: "Burn computes log(eᵃ + eᵇ) as max(a, b) + log1p(exp(−abs(a − b))). Where a = b, autodiff gives all of \
            the gradient to one, and nothing to the other. An untrained network with equal outputs is such a point",
        location: "burn-backend, ops/modules/ctc.rs, log_sum_exp",
        smallest: Smallest {
            tensors: &[("x", &[2, 1, 2], &[-LN_2; 4])],
            options: "log-probabilities of 2 steps and 2 classes, target [1], blank 0",
            function: |t| {
                let int = |number: i64| Tensor::<1, Int>::from_data(TensorData::new(vec![number], [1]), t.device());
                module::ctc_loss(t.get::<3>("x"), int(1).reshape([1, 1]), int(2), int(1), 0)
            },
            right: &[-1.0 / 3.0, -2.0 / 3.0, -1.0 / 3.0, -2.0 / 3.0],
            found: Found::Numbers(&[0.0, -1.0, -1.0 / 3.0, -2.0 / 3.0]),
            ..SMALLEST
        },
        ..FAULT
    },
    CONV1D_GROUPS,
    Known { operation: "Conv1d_groups", cause: "The same as for conv1d_groups", ..CONV1D_GROUPS },
    Known {
        operation: "attention_without_keys_biased",
        tensors: &["bias"],
        kinds: &[NotFinite],
        cause: "If all keys of a query are masked, the softmax divides by the smallest normal number instead of 0. A \
            gradient above 4 overflows, and ∞ · exp(−∞) is NaN",
        location: "burn-backend, ops/modules/attention.rs, attention_fallback",
        smallest: Smallest {
            tensors: &[
                ("query", &[1, 1, 1, 1], &[1.0]),
                ("key", &[1, 1, 1, 1], &[1.0]),
                ("value", &[1, 1, 1, 1], &[8.0]),
                ("bias", &[1, 1, 1, 1], &[0.0]),
            ],
            options: "mask [true]",
            function: |t| {
                let mask = Tensor::<1, Bool>::from_data(TensorData::new(vec![true], [1]), t.device());
                let options = AttentionModuleOptions { scale: None, softcap: None, is_causal: false };
                let (query, key, value) = (t.get("query"), t.get("key"), t.get("value"));
                let mask = Some(mask.reshape([1, 1, 1, 1]));
                module::attention(query, key, value, mask, Some(t.get("bias")), options).reshape([1])
            },
            of: "bias",
            right: &[0.0],
            found: Found::Numbers(&[f64::NAN]),
            ..SMALLEST
        },
        ..FAULT
    },
];
