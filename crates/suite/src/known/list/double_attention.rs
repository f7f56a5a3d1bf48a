//! Attention, and modules with it, that compute in single precision, or panic, although the tensors are in
//! double precision.

use burn::tensor::module;
use burn::tensor::ops::AttentionModuleOptions;

use super::common::{IN_DOUBLE, SMALLEST_IN_DOUBLE, x};
use crate::known::entry::{Found, Known, Smallest};
use crate::symptoms::Kind::Mismatch;

const ATTENTION_WITH_OPTIONS: Known = Known {
    operation: "attention_with_options",
    kinds: &[Mismatch],
    cause: "Burn divides the scores by the cap of softcap. This is the fault of div_scalar",
    location: "burn-autodiff, ops/tensor.rs, float_div_scalar",
    smallest: Smallest {
        tensors: &[
            ("query", &[1, 1, 1, 1], &[1.0]),
            ("key", &[1, 1, 2, 1], &[0.0, 0.0]),
            ("value", &[1, 1, 2, 1], &[1.0, 0.0]),
        ],
        options: "scale 1, softcap 5",
        function: |t| {
            let options = AttentionModuleOptions { scale: Some(1.0), softcap: Some(5.0), is_causal: false };
            let (query, key, value) = (t.get("query"), t.get("key"), t.get("value"));
            module::attention(query, key, value, None, None, options).reshape([1])
        },
        of: "key",
        right: &[0.25, -0.25],
        found: Found::Numbers(&[0.2500000037252903, -0.2500000037252903]),
        ..SMALLEST_IN_DOUBLE
    },
    ..IN_DOUBLE
};

const MULTI_HEAD_ATTENTION: Known = Known {
    operation: "MultiHeadAttention",
    kinds: &[Mismatch],
    cause: "Burn divides the scores by √d of a head. This is the fault of div_scalar, and the root is rounded to \
        single precision too",
    location: "burn-nn, modules/attention/mha.rs, attn_scores; burn-autodiff, ops/tensor.rs, float_div_scalar",
    smallest: Smallest {
        tensors: &[("x", &[1], &[1.0])],
        options: "as a division by √2",
        function: |t| x(t) / f64::from(2f32.sqrt()),
        right: &[0.707106770308],
        found: Found::Numbers(&[0.7071067690849304]),
        ..SMALLEST_IN_DOUBLE
    },
    ..IN_DOUBLE
};

pub(super) const FAULTS: &[Known] = &[
    ATTENTION_WITH_OPTIONS,
    Known { operation: "attention_fallback", ..ATTENTION_WITH_OPTIONS },
    Known { operation: "attention_without_keys", ..ATTENTION_WITH_OPTIONS },
    Known { operation: "attention_without_keys_biased", ..ATTENTION_WITH_OPTIONS },
    MULTI_HEAD_ATTENTION,
    Known { operation: "MultiHeadAttention_of_itself", ..MULTI_HEAD_ATTENTION },
    Known { operation: "TransformerEncoder", ..MULTI_HEAD_ATTENTION },
    Known { operation: "TransformerDecoder", ..MULTI_HEAD_ATTENTION },
];
