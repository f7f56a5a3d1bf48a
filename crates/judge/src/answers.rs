//! The answers in a folder: files from strangers.
//!
//! Of a case there is `answers/case1.mat`, `.npz`, `.safetensors` or `.json`, or a folder `answers/case1` with a file
//! of raw numbers for each tensor. The content says which format a file has.

#[cfg(test)]
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use backproof_arrays::shown;
use backproof_gradcheck::Value;

use crate::shapes::{same, words};
use tensors::Tensors;

mod tensors;

/// Endings of the files that the skeletons write.
const ENDINGS: [&str; 4] = ["npz", "mat", "safetensors", "json"];

/// Bytes for what a file holds beside its numbers: heads, names, and tensors that nobody asked for.
const HEADS: u64 = 1 << 20;

/// What was found of the answers for a case.
#[derive(Debug)]
pub(crate) struct Answers {
    /// The file, or the folder.
    pub(crate) file: Option<String>,
    /// What is wrong with it, a sentence each.
    pub(crate) notes: Vec<String>,
    /// For each tensor that was asked for, in that order.
    pub(crate) tensors: Vec<Answer>,
}

/// The answer for one tensor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// Numbers in the shape that was asked for.
    Read(Value),
    /// None, and what there is.
    Missing(String),
    /// What is wrong, in a sentence.
    Unreadable(String),
}

impl Answers {
    /// The answers for the case `name` in `folder`, of which tensors of these names and shapes are asked.
    pub(crate) fn read(folder: &Path, name: &str, asked: &[(String, Vec<usize>)]) -> Self {
        let answers = folder.join("answers");
        let is_link = answers.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
        let found = if is_link { Err("answers is a link; expected a folder".to_owned()) } else { find(&answers, name) };
        let none = |notes: Vec<String>, answer: Answer| Self { file: None, notes, tensors: vec![answer; asked.len()] };
        let path = match found {
            Ok(Some(path)) => path,
            Ok(None) => {
                let message = format!(
                    "there is no answers/{name}.npz, .mat, .safetensors or .json, and no folder answers/{name}"
                );
                return none(Vec::new(), Answer::Missing(message));
            }
            Err(message) => return none(Vec::new(), Answer::Unreadable(message)),
        };
        let file = path.file_name().map(|name| shown(&name.to_string_lossy()));
        if path.is_dir() {
            let tensors = asked.iter().map(|(name, dims)| raw(&path, name, dims)).collect();
            return Self { file, notes: Vec::new(), tensors };
        }
        let numbers: usize = asked.iter().map(|(_, dims)| dims.iter().product::<usize>()).sum();
        let read = content(&path, 64 * numbers as u64 + HEADS).and_then(|bytes| Tensors::read(&bytes, numbers));
        match read {
            Ok(Tensors { mut found, damage }) => {
                let names: Vec<String> = found.keys().map(|name| shown(name)).collect();
                let tensors = asked.iter().map(|(name, dims)| match found.remove(name) {
                    Some(Ok((shape, values))) => shaped(&shape, values, dims),
                    Some(Err(what)) => Answer::Unreadable(what),
                    None => Answer::Missing(missing(name, &names)),
                });
                let tensors = tensors.collect();
                // What is left was not asked for.
                let others: Vec<String> = found.keys().take(10).map(|name| format!("`{}`", shown(name))).collect();
                let others = (!others.is_empty())
                    .then(|| format!("the file also has {}, which nobody asked for", others.join(", ")));
                Self { file, notes: damage.into_iter().chain(others).collect(), tensors }
            }
            Err(message) => Self { file, ..none(Vec::new(), Answer::Unreadable(message)) },
        }
    }
}

/// What is said of a tensor that is not in a file with these tensors.
fn missing(name: &str, others: &[String]) -> String {
    let near = others.iter().find(|other| other.eq_ignore_ascii_case(name));
    match (near, others) {
        (Some(near), _) => format!("the file has no `{name}`; it has `{near}`: names are told apart by their case"),
        (None, []) => format!("the file has no `{name}`; it is empty"),
        (None, others) => {
            let few: Vec<String> = others.iter().take(10).map(|name| format!("`{name}`")).collect();
            format!("the file has no `{name}`; it has {}", few.join(", "))
        }
    }
}

/// The one file or folder with the answers for a case.
fn find(answers: &Path, name: &str) -> Result<Option<PathBuf>, String> {
    let files = ENDINGS.iter().map(|ending| answers.join(format!("{name}.{ending}")));
    let all: Vec<PathBuf> = files.chain([answers.join(name)]).filter(|path| path.symlink_metadata().is_ok()).collect();
    match &all[..] {
        [] => Ok(None),
        [one] => match one.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() => Err(format!("{} is a link; expected a file", file_name(one))),
            Ok(metadata) if metadata.is_file() || metadata.is_dir() => Ok(Some(one.clone())),
            Ok(_) => Err(format!("{} is neither a file nor a folder", file_name(one))),
            Err(error) => Err(format!("{} cannot be read: {error}", file_name(one))),
        },
        several => {
            let names: Vec<String> = several.iter().map(|path| file_name(path)).collect();
            Err(format!("there are {}; keep one of them", names.join(" and ")))
        }
    }
}

fn file_name(path: &Path) -> String {
    shown(&path.file_name().unwrap_or_default().to_string_lossy())
}

/// The bytes of a plain file of at most that size.
fn content(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let name = file_name(path);
    let metadata = fs::symlink_metadata(path).map_err(|error| format!("{name} cannot be read: {error}"))?;
    if metadata.is_symlink() {
        return Err(format!("{name} is a link; expected a file"));
    }
    if !metadata.is_file() {
        return Err(format!("{name} is no plain file"));
    }
    if metadata.len() > most {
        return Err(format!("{name} has {} bytes, and its numbers take at most {most}", metadata.len()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("{name} cannot be read: {error}"))?;
    file.take(most).read_to_end(&mut bytes).map_err(|error| format!("{name} cannot be read: {error}"))?;
    Ok(bytes)
}

/// The raw numbers of a tensor: `NAME.f64` or `NAME.f32`, little-endian, the last axis the fastest.
fn raw(folder: &Path, name: &str, dims: &[usize]) -> Answer {
    let count: usize = dims.iter().product();
    for (ending, size) in [("f64", 8), ("f32", 4)] {
        let path = folder.join(format!("{name}.{ending}"));
        if path.symlink_metadata().is_err() {
            continue;
        }
        let bytes = match content(&path, (size * count) as u64) {
            Ok(bytes) if bytes.len() == size * count => bytes,
            Ok(bytes) => {
                let (found, expected) = (bytes.len(), size * count);
                let shape = words(dims);
                return Answer::Unreadable(format!(
                    "{name}.{ending} has {found} bytes; expected {expected}, {size} for each number of {shape}"
                ));
            }
            Err(message) => return Answer::Unreadable(message),
        };
        let number = |bytes: &[u8]| match size {
            8 => f64::from_le_bytes(bytes.try_into().expect("chunks of 8")),
            _ => f32::from_le_bytes(bytes.try_into().expect("chunks of 4")).into(),
        };
        return finite(Value::new(dims, bytes.chunks_exact(size).map(number).collect()));
    }
    Answer::Missing(format!("there is no {name}.f64"))
}

/// Numbers in the shape that was asked for.
fn shaped(found: &[usize], values: Vec<f64>, dims: &[usize]) -> Answer {
    if same(found, dims) {
        return finite(Value::new(dims, values));
    }
    let reversed: Vec<usize> = dims.iter().rev().copied().collect();
    let [mut sorted, mut expected] = [found.to_vec(), dims.to_vec()];
    sorted.sort_unstable();
    expected.sort_unstable();
    let hint = match dims.len() {
        2 if same(found, &reversed) => ": transposed?",
        _ if same(found, &reversed) => ": the axes are in the opposite order: column-major?",
        _ if same(&sorted, &expected) => ": the axes are in another order",
        _ if found.iter().product::<usize>() == dims.iter().product::<usize>() => ": the same number of elements",
        _ => "",
    };
    Answer::Unreadable(format!("has the shape {}; expected {}{hint}", words(found), words(dims)))
}

fn finite(value: Value) -> Answer {
    let bad: Vec<usize> = (0..value.len()).filter(|&index| !value.data()[index].is_finite()).collect();
    match bad.first() {
        None => Answer::Read(value),
        Some(&first) => {
            let what = if value.data()[first].is_nan() { "NaN" } else { "infinite" };
            let place = crate::shapes::position(value.dims(), first);
            let (count, all) = (bad.len(), value.len());
            Answer::Unreadable(format!("{count} of {all} elements are not finite; the first, {place:?}, is {what}"))
        }
    }
}

/// The names of tensors in a map, for tests.
#[cfg(test)]
pub(crate) fn by_name(answers: &Answers, asked: &[(String, Vec<usize>)]) -> BTreeMap<String, Answer> {
    asked.iter().map(|(name, _)| name.clone()).zip(answers.tensors.iter().cloned()).collect()
}

#[cfg(test)]
mod tests;
