//! Archives of NumPy arrays (`.npz`): a zip archive with a file `NAME.npy` for each array.
//!
//! Arrays of Python objects are refused: they are pickles, which run code when they are read.
//!
//! [`zip`] reads the archive.

mod array;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::FormatError;
use crate::error::shown;
use crate::numbers::StoredTensor;
use crate::unpack::{Budget, Fault};
use crate::zip::{self, Member};
use array::Head;

/// The arrays of an archive by name.
///
/// # Errors
///
/// An archive that is damaged, is not NumPy's, or unpacks to more than `budget`; an array whose numbers are not read.
pub fn read<'a>(bytes: &'a [u8], budget: &mut Budget) -> Result<BTreeMap<String, StoredTensor<'a>>, FormatError> {
    each(bytes, budget)?.into_iter().map(|(name, tensor)| Ok((name, tensor?))).collect()
}

/// The array `name` of an archive; the others are not unpacked.
///
/// # Errors
///
/// As [`read`], and an archive without that array.
pub fn one<'a>(bytes: &'a [u8], name: &str, budget: &mut Budget) -> Result<StoredTensor<'a>, FormatError> {
    let members = zip::members(bytes)?;
    let found = members.iter().find(|member| member.name.strip_suffix(".npy") == Some(name));
    match found {
        Some(member) => array_of(member, name, budget),
        None => {
            let names: Vec<String> =
                members.iter().take(8).map(|member| format!("`{}`", shown(&member.name))).collect();
            let has = if names.is_empty() { "no file".to_owned() } else { names.join(", ") };
            Err(FormatError::new(format!("is an archive with {has}"), format!("an array `{name}.npy`")))
        }
    }
}

/// The arrays of an archive by name, or why one of them cannot be read.
///
/// # Errors
///
/// An archive that is damaged or is not NumPy's.
pub fn each<'a>(
    bytes: &'a [u8],
    budget: &mut Budget,
) -> Result<BTreeMap<String, Result<StoredTensor<'a>, FormatError>>, FormatError> {
    let members = zip::members(bytes)?;
    if members.iter().any(|member| member.name.ends_with("data.pkl")) {
        return Err(FormatError::new(
            "is a file of `torch.save`, which is a pickle and runs code when it is read",
            "safetensors: `safetensors.torch.save_file(model.state_dict(), 'FILE.safetensors')`",
        ));
    }
    let mut tensors = BTreeMap::new();
    for member in members {
        let Some(name) = member.name.strip_suffix(".npy") else {
            return Err(FormatError::new(
                format!("is a zip archive with the file `{}`", shown(&member.name)),
                "an archive of NumPy, in which every file is an array with the ending .npy",
            ));
        };
        let tensor = array_of(&member, name, budget);
        tensors.insert(name.to_owned(), tensor);
    }
    Ok(tensors)
}

/// The array `name` in its file.
fn array_of<'a>(member: &Member<'a>, name: &str, budget: &mut Budget) -> Result<StoredTensor<'a>, FormatError> {
    let content = member.content(budget).map_err(|fault| match fault {
        Fault::Damaged => zip::damaged(format_args!("`{}` cannot be unpacked", shown(&member.name))),
        Fault::Exceeded => FormatError::new(
            format!("is an archive in which `{}` unpacks to more than its tensors take", shown(&member.name)),
            "an archive with the tensors that were asked for alone",
        ),
    })?;
    tensor(content).map_err(|FormatError { found, expected }| {
        FormatError::new(format!("has an array `{}` that {found}", shown(name)), expected)
    })
}

/// The tensor in the content of a `.npy` file.
fn tensor(content: Cow<'_, [u8]>) -> Result<StoredTensor<'_>, FormatError> {
    let (head, begin) = Head::read(&content)?;
    let numbers = match content {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[begin..]),
        Cow::Owned(mut bytes) => Cow::Owned(bytes.split_off(begin)),
    };
    head.tensor(numbers)
}
