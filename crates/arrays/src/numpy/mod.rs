//! Archives of NumPy arrays (`.npz`): a zip archive with a file `NAME.npy` for each array.
//!
//! Arrays of Python objects are refused: they are pickles, which run code when they are read.
//!
//! The zip archive is read here too: NumPy writes a small part of what the format allows, stored or deflated members
//! without encryption. A member is checked against the sizes and the checksum of the archive.

mod array;
#[cfg(test)]
mod tests;
mod zip;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::FormatError;
use crate::error::shown;
use crate::numbers::StoredTensor;
use crate::unpack::{Budget, Fault};
use array::Head;

/// The arrays of an archive by name.
///
/// # Errors
///
/// An archive that is damaged, is not NumPy's, or unpacks to more than `budget`; an array whose numbers are not read.
pub fn read<'a>(bytes: &'a [u8], budget: &mut Budget) -> Result<BTreeMap<String, StoredTensor<'a>>, FormatError> {
    each(bytes, budget)?.into_iter().map(|(name, tensor)| Ok((name, tensor?))).collect()
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
        let content = member.content(budget).map_err(|fault| match fault {
            Fault::Damaged => zip::damaged(format_args!("`{}` cannot be unpacked", shown(&member.name))),
            Fault::Exceeded => FormatError::new(
                format!("is an archive in which `{}` unpacks to more than its tensors take", shown(&member.name)),
                "an archive with the tensors that were asked for alone",
            ),
        });
        let tensor = content.and_then(|content| {
            tensor(content).map_err(|FormatError { found, expected }| {
                FormatError::new(format!("has an array `{}` that {found}", shown(name)), expected)
            })
        });
        tensors.insert(name.to_owned(), tensor);
    }
    Ok(tensors)
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
