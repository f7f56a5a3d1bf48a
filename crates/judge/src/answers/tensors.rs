//! The tensors of one file.

use std::collections::BTreeMap;

use backproof_arrays::{Budget, FormatError, shown};
use serde_json::Value;

/// A shape, and the elements with the last axis the fastest.
pub(super) type Tensor = (Vec<usize>, Vec<f64>);

/// What was found in a file.
pub(super) struct Tensors {
    /// By name: a tensor, or what is wrong with it.
    pub(super) found: BTreeMap<String, Result<Tensor, String>>,
    /// What is wrong with the file after these.
    pub(super) damage: Option<String>,
}

impl Tensors {
    /// The tensors of a file with this content, of which so many numbers were asked.
    pub(super) fn read(bytes: &[u8], numbers: usize) -> Result<Self, String> {
        // Some editors begin a text with a byte order mark.
        let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        if matches!(text.iter().find(|byte| !byte.is_ascii_whitespace()), None | Some(b'{' | b'[')) {
            return Self::json(text);
        }
        let mut budget = Budget::new(bytes.len(), numbers);
        let arrays = backproof_arrays::read(bytes, &mut budget).map_err(|error| format!("the file {error}"))?;
        let words = |FormatError { found, expected }| format!("the file {found}; expected {expected}");
        let found = arrays.tensors.into_iter().map(|(name, tensor)| {
            let tensor = tensor.map(|tensor| (tensor.shape.clone(), tensor.values().collect()));
            (name, tensor.map_err(words))
        });
        Ok(Self { found: found.collect(), damage: arrays.damage.map(|damage| format!("the file {damage}")) })
    }

    /// Numbers that somebody typed: an object with nested lists.
    fn json(bytes: &[u8]) -> Result<Self, String> {
        if bytes.trim_ascii().is_empty() {
            return Err("the file is empty".to_owned());
        }
        let no_json = |error: serde_json::Error| format!("the file is no JSON: {error}");
        let Value::Object(object) = serde_json::from_slice(bytes).map_err(no_json)? else {
            return Err("the file should have an object, {\"y\": …}".to_owned());
        };
        let found = object.into_iter().map(|(name, value)| {
            let (mut shape, mut numbers) = (Vec::new(), Vec::new());
            let tensor = flatten(&value, 0, &mut shape, &mut numbers).map(|()| (shape, numbers));
            let tensor = tensor.map_err(|what| format!("`{}` {what}", shown(&name)));
            (name, tensor)
        });
        Ok(Self { found: found.collect(), damage: None })
    }
}

/// Adds the numbers of a nested list, whose lists of one depth have one length.
fn flatten(value: &Value, depth: usize, shape: &mut Vec<usize>, numbers: &mut Vec<f64>) -> Result<(), String> {
    match value {
        Value::Array(items) => {
            match shape.get(depth) {
                // The first one of this depth, as long as no number has been deeper or less deep.
                None if numbers.is_empty() => shape.push(items.len()),
                Some(&length) if length == items.len() => {}
                _ => return Err("has lists of different lengths beside each other".to_owned()),
            }
            items.iter().try_for_each(|item| flatten(item, depth + 1, shape, numbers))
        }
        Value::Number(number) if depth == shape.len() => {
            numbers.push(number.as_f64().unwrap_or(f64::NAN));
            Ok(())
        }
        Value::Number(_) => Err("has numbers and lists beside each other".to_owned()),
        _ => Err("has something else than numbers and lists of them".to_owned()),
    }
}
