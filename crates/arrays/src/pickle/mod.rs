//! Pickles of NumPy arrays: dictionaries of arrays, whole numbers and text, as Python 2 and 3 write them.
//!
//! A pickle is a program for a machine with a stack, and may call any function of Python. This reader runs nothing: it
//! knows the opcodes that such files need, and the six functions by which NumPy and Python write arrays and bytes
//! (`objects.rs`). Any other opcode or function is an error. Bytes and text stay where they are in the file, and the
//! number of objects is bounded by its length (`Limit` in `machine.rs`), so that reading takes less memory than the file
//! has bytes, and 1 MB.
//!
//! The reader is our own. Of the crates, `serde-pickle` (1.2) was tried on files of NumPy: it keeps the shape and the
//! bytes of an array, but not the type of its numbers, refuses protocol 5, and copies all bytes into values.
//! `repugnant-pickle` (0.0.1) is no longer kept. `pyferrite` (0.0.2) is new, and reads far more than a file of images
//! should hold. Candle's and Burn's readers of PyTorch's files make tensors of `torch` alone. `npyz` and `ndarray-npy`
//! refuse pickles.
//!
//! The opcodes are those of Python's `pickletools`, for the protocols 2 to 5.

mod machine;
mod objects;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::FormatError;
use crate::error::shown;
use crate::numbers::{Element, Numbers, StoredTensor};
use machine::{Machine, damaged};
use objects::{Array, Chars, Id, Object};

/// A dictionary that was pickled.
#[derive(Debug)]
pub struct Pickle<'a> {
    objects: Vec<Object<'a>>,
    entries: Vec<(Id, Id)>,
}

/// Reads a pickled dictionary, all of `bytes`.
///
/// # Errors
///
/// Bytes that are no pickle, or are cut; a pickle of another protocol than 2 to 5, with opcodes or functions that a
/// dictionary of arrays does not need, or of anything else than a dictionary.
pub fn read(bytes: &[u8]) -> Result<Pickle<'_>, FormatError> {
    let (objects, top) = Machine::new(bytes).run()?;
    match objects.get(top as usize) {
        Some(Object::Dictionary(entries)) => Ok(Pickle { entries: entries.clone(), objects }),
        other => Err(FormatError::new(
            format!("is a pickle of {}", other.map_or("nothing", Object::describe)),
            "a dictionary of NumPy arrays",
        )),
    }
}

impl<'a> Pickle<'a> {
    /// The keys that are text or bytes, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = Cow<'a, str>> {
        self.entries.iter().filter_map(|(key, _)| match self.objects[*key as usize] {
            Object::Text(text) | Object::Bytes(Chars::Latin1(text)) => Some(Cow::Borrowed(text)),
            Object::Bytes(Chars::Bytes(bytes)) => Some(String::from_utf8_lossy(bytes)),
            _ => None,
        })
    }

    /// The value of the last entry with this key, which may be text or, from Python 2, bytes.
    fn value(&self, key: &str) -> Result<&Object<'a>, FormatError> {
        let is = |id: Id| match self.objects[id as usize] {
            Object::Text(text) | Object::Bytes(Chars::Latin1(text)) => text == key,
            Object::Bytes(Chars::Bytes(bytes)) => bytes == key.as_bytes(),
            _ => false,
        };
        let found = self.entries.iter().rev().find(|(id, _)| is(*id));
        found.map(|(_, value)| &self.objects[*value as usize]).ok_or_else(|| {
            let keys: Vec<String> = self.keys().take(8).map(|key| format!("`{}`", shown(&key))).collect();
            let found =
                if keys.is_empty() { "no entry".to_owned() } else { format!("the entries {}", keys.join(", ")) };
            FormatError::new(format!("is a pickle with {found}"), format!("an entry `{key}`"))
        })
    }

    /// The array of the entry `key`.
    ///
    /// # Errors
    ///
    /// No such entry, or one that is no array, or has more or fewer bytes than its shape says.
    pub fn array(&self, key: &str) -> Result<StoredTensor<'a>, FormatError> {
        match self.value(key)? {
            Object::Array(array) => tensor(key, array),
            other => Err(FormatError::new(format!("has {} as `{key}`", other.describe()), "a NumPy array")),
        }
    }

    /// The whole numbers of the entry `key`: a list, a tuple or an array with one axis.
    ///
    /// # Errors
    ///
    /// No such entry, or one that is something else.
    pub fn integers(&self, key: &str) -> Result<Vec<i64>, FormatError> {
        let (found, expected) = match self.value(key)? {
            Object::List(items) | Object::Tuple(items) => {
                let integer = |id: &Id| match self.objects[*id as usize] {
                    Object::Integer(integer) => Ok(integer),
                    ref other => Err(other.describe()),
                };
                match items.iter().map(integer).collect() {
                    Ok(integers) => return Ok(integers),
                    Err(found) => (format!("has {found} in the list `{key}`"), "whole numbers"),
                }
            }
            Object::Array(array) => {
                let tensor = tensor(key, array)?;
                let is_whole = !matches!(tensor.element(), Element::F16 | Element::BF16 | Element::F32 | Element::F64);
                if is_whole && tensor.shape.len() == 1 {
                    return Ok(tensor.values().map(|value| value as i64).collect());
                }
                (format!("has an array of the shape {:?} as `{key}`", tensor.shape), "one axis of whole numbers")
            }
            other => (format!("has {} as `{key}`", other.describe()), "a list of whole numbers"),
        };
        Err(FormatError::new(found, expected))
    }
}

fn tensor<'a>(key: &str, array: &Array<'a>) -> Result<StoredTensor<'a>, FormatError> {
    let Array::Whole { shape, kind, fortran_order, chars } = array else {
        return Err(damaged(format_args!("the array `{}` has no content", shown(key))));
    };
    // A text of Latin-1 becomes bytes only here, once for an array that is asked for.
    let bytes = match *chars {
        Chars::Bytes(bytes) => Cow::Borrowed(bytes),
        Chars::Latin1(text) => {
            let bytes: Option<Vec<u8>> = text.chars().map(|character| u8::try_from(character).ok()).collect();
            Cow::Owned(bytes.ok_or_else(|| damaged("a text that stands for bytes has other characters"))?)
        }
    };
    let size = shape.iter().try_fold(kind.element.size(), |size, &length| size.checked_mul(length));
    if size != Some(bytes.len()) {
        let found = format!("has an array `{}` of the shape {shape:?} with {} bytes", shown(key), bytes.len());
        return Err(FormatError::new(found, format!("{} bytes for each number", kind.element.size())));
    }
    let numbers = Numbers { element: kind.element, big_endian: kind.big_endian, bytes };
    Ok(match fortran_order {
        true => StoredTensor::column_major(shape.clone(), numbers),
        false => StoredTensor::row_major(shape.clone(), numbers),
    })
}
