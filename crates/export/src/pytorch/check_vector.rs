//! Images of noise, and what the network makes of them: with these another program sees that it computes the same.

use std::collections::BTreeMap;

use super::state::{Entry, to_bytes};
use crate::Model;

/// How many images there are.
const IMAGES: usize = 8;

/// `pixels` u8 `[8, C, H, W]`, `input` f32 as the network takes them, `logits` f32 `[8, K]`, as a safetensors file.
pub(super) fn check_vector(model: &Model) -> Vec<u8> {
    let pixels = model.noise(IMAGES);
    let (input, logits) = model.run(&pixels, IMAGES);
    let batch = |shape: &[usize]| [&[IMAGES], shape].concat();
    let entries = [
        ("pixels", Entry::pixels(&batch(&model.image.dimensions()), pixels)),
        ("input", Entry::floats(&batch(&model.input().dimensions()), &input)),
        ("logits", Entry::floats(&[IMAGES, logits.len() / IMAGES], &logits)),
    ];
    to_bytes(&BTreeMap::from(entries.map(|(name, entry)| (name.to_owned(), entry))))
}
