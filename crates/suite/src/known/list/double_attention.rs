//! Attention, and modules with it, that compute in single precision, or panic, although the tensors are in
//! double precision.

use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{DType, module};

use super::{DOUBLE, EVERYWHERE, x};
use crate::known::{Found, Known, Smallest};
use crate::symptoms::Kind::Mismatch;

pub(super) const FAULTS: &[Known] = &[
    Known {
        operation: "attention_with_options",
        backends: EVERYWHERE,
        precisions: DOUBLE,
        points: &[],
        tensors: &["*"],
        kinds: &[Mismatch],
        says: "",
        cause: "The scores are divided by the cap of softcap, as of div_scalar",
        location: "burn-autodiff, ops/tensor.rs, float_div_scalar",
        smallest: Smallest {
            precision: DType::F64,
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
        },
    },
    Known {
        operation: "attention_fallback",
        backends: EVERYWHERE,
        precisions: DOUBLE,
        points: &[],
        tensors: &["*"],
        kinds: &[Mismatch],
        says: "",
        cause: "The scores are divided by the cap of softcap, as of div_scalar",
        location: "burn-autodiff, ops/tensor.rs, float_div_scalar",
        smallest: Smallest {
            precision: DType::F64,
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
        },
    },
    Known {
        operation: "attention_without_keys",
        backends: EVERYWHERE,
        precisions: DOUBLE,
        points: &[],
        tensors: &["*"],
        kinds: &[Mismatch],
        says: "",
        cause: "The scores are divided by the cap of softcap, as of div_scalar",
        location: "burn-autodiff, ops/tensor.rs, float_div_scalar",
        smallest: Smallest {
            precision: DType::F64,
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
        },
    },
    Known {
        operation: "attention_without_keys_biased",
        backends: EVERYWHERE,
        precisions: DOUBLE,
        points: &[],
        tensors: &["*"],
        kinds: &[Mismatch],
        says: "",
        cause: "The scores are divided by the cap of softcap, as of div_scalar",
        location: "burn-autodiff, ops/tensor.rs, float_div_scalar",
        smallest: Smallest {
            precision: DType::F64,
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
        },
    },
    Known {
        operation: "MultiHeadAttention",
        backends: EVERYWHERE,
        precisions: DOUBLE,
        points: &[],
        tensors: &["*"],
        kinds: &[Mismatch],
        says: "",
        cause: "The scores are divided by √d of a head, as of div_scalar, and the root is rounded to single precision",
        location: "burn-nn, modules/attention/mha.rs, attn_scores; burn-autodiff, ops/tensor.rs, float_div_scalar",
        smallest: Smallest {
            precision: DType::F64,
            tensors: &[("x", &[1], &[1.0])],
            options: "as a division by √2",
            function: |t| x(t) / f64::from(2f32.sqrt()),
            of: "x",
            right: &[0.707106770308],
            found: Found::Numbers(&[0.7071067690849304]),
        },
    },
    Known {
        operation: "MultiHeadAttention_of_itself",
        backends: EVERYWHERE,
        precisions: DOUBLE,
        points: &[],
        tensors: &["*"],
        kinds: &[Mismatch],
        says: "",
        cause: "The scores are divided by √d of a head, as of div_scalar, and the root is rounded to single precision",
        location: "burn-nn, modules/attention/mha.rs, attn_scores; burn-autodiff, ops/tensor.rs, float_div_scalar",
        smallest: Smallest {
            precision: DType::F64,
            tensors: &[("x", &[1], &[1.0])],
            options: "as a division by √2",
            function: |t| x(t) / f64::from(2f32.sqrt()),
            of: "x",
            right: &[0.707106770308],
            found: Found::Numbers(&[0.7071067690849304]),
        },
    },
    Known {
        operation: "TransformerEncoder",
        backends: EVERYWHERE,
        precisions: DOUBLE,
        points: &[],
        tensors: &["*"],
        kinds: &[Mismatch],
        says: "",
        cause: "The scores are divided by √d of a head, as of div_scalar, and the root is rounded to single precision",
        location: "burn-nn, modules/attention/mha.rs, attn_scores; burn-autodiff, ops/tensor.rs, float_div_scalar",
        smallest: Smallest {
            precision: DType::F64,
            tensors: &[("x", &[1], &[1.0])],
            options: "as a division by √2",
            function: |t| x(t) / f64::from(2f32.sqrt()),
            of: "x",
            right: &[0.707106770308],
            found: Found::Numbers(&[0.7071067690849304]),
        },
    },
    Known {
        operation: "TransformerDecoder",
        backends: EVERYWHERE,
        precisions: DOUBLE,
        points: &[],
        tensors: &["*"],
        kinds: &[Mismatch],
        says: "",
        cause: "The scores are divided by √d of a head, as of div_scalar, and the root is rounded to single precision",
        location: "burn-nn, modules/attention/mha.rs, attn_scores; burn-autodiff, ops/tensor.rs, float_div_scalar",
        smallest: Smallest {
            precision: DType::F64,
            tensors: &[("x", &[1], &[1.0])],
            options: "as a division by √2",
            function: |t| x(t) / f64::from(2f32.sqrt()),
            of: "x",
            right: &[0.707106770308],
            found: Found::Numbers(&[0.7071067690849304]),
        },
    },
];
