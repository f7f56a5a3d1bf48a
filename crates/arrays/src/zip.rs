//! Zip archives, as far as NumPy and publishers of data write them: stored or deflated files without encryption, of
//! less than 4 GB. A file is checked against the sizes and the checksum that the archive says.

use std::borrow::Cow;
use std::collections::BTreeSet;

use flate2::Crc;
use flate2::read::DeflateDecoder;

use crate::FormatError;
use crate::error::shown;
use crate::unpack::{Budget, Fault, is_at_end, unpack};

/// A file in an archive.
#[derive(Debug)]
pub struct Member<'a> {
    /// Its path in the archive.
    pub name: String,
    is_deflated: bool,
    packed: &'a [u8],
    size: u32,
    crc: u32,
}

pub(crate) fn damaged(what: impl std::fmt::Display) -> FormatError {
    FormatError::new(format!("is a damaged archive: {what}"), "a whole one; save or copy it again")
}

/// Little-endian numbers at fixed places of a record.
#[derive(Clone, Copy)]
struct Record<'a>(&'a [u8]);

impl<'a> Record<'a> {
    /// The record of `length` bytes at `place`, which begins with `signature`.
    fn at(bytes: &'a [u8], place: usize, length: usize, signature: &[u8; 4]) -> Option<Self> {
        let record = bytes.get(place..place.checked_add(length)?)?;
        record.starts_with(signature).then_some(Self(record))
    }

    fn two(self, place: usize) -> usize {
        u16::from_le_bytes([self.0[place], self.0[place + 1]]).into()
    }

    fn four(self, place: usize) -> u32 {
        u32::from_le_bytes([self.0[place], self.0[place + 1], self.0[place + 2], self.0[place + 3]])
    }
}

const END: usize = 22;
const ENTRY: usize = 46;
const LOCAL: usize = 30;

/// The members, in the order of the archive's directory.
///
/// # Errors
///
/// A directory that is damaged, or has files that are not read.
pub fn members(bytes: &[u8]) -> Result<Vec<Member<'_>>, FormatError> {
    let (entries, mut place) = directory(bytes)?;
    let (mut members, mut names, mut packed) = (Vec::new(), BTreeSet::new(), 0);
    for _ in 0..entries {
        let entry = Record::at(bytes, place, ENTRY, b"PK\x01\x02")
            .ok_or_else(|| damaged("its directory ends before its last file"))?;
        let (name_length, others) = (entry.two(28), entry.two(30) + entry.two(32));
        let name = place + ENTRY;
        let name = bytes.get(name..name + name_length).ok_or_else(|| damaged("the name of a file is cut"))?;
        place += ENTRY + name_length + others;
        let member = member(bytes, entry, name)?;
        if !names.insert(member.name.clone()) {
            return Err(damaged(format_args!("it has the file `{}` twice", shown(&member.name))));
        }
        // Else a small archive could have the same bytes unpacked many times.
        packed += member.packed.len();
        if packed > bytes.len() {
            return Err(damaged("its files overlap"));
        }
        members.push(member);
    }
    Ok(members)
}

/// The number of members that the directory has, and where it begins.
fn directory(bytes: &[u8]) -> Result<(usize, usize), FormatError> {
    // It is at the end, but for a comment.
    let last = bytes.len().checked_sub(END).ok_or_else(|| damaged("it is cut"))?;
    let end = (last.saturating_sub(usize::from(u16::MAX))..=last).rev().find_map(|place| {
        let end = Record::at(bytes, place, END, b"PK\x05\x06")?;
        (place + END + end.two(20) == bytes.len()).then_some(end)
    });
    let end = end.ok_or_else(|| damaged("its end with the directory is not there"))?;
    let (entries, start) = (end.two(10), end.four(16));
    if entries == 0xffff || start == u32::MAX {
        return Err(FormatError::new(
            "is an archive of more than 4 GB or 65,534 files",
            "a smaller one, or safetensors",
        ));
    }
    Ok((entries, start as usize))
}

/// The member of an entry of the directory.
fn member<'a>(bytes: &'a [u8], entry: Record<'_>, name: &[u8]) -> Result<Member<'a>, FormatError> {
    let text = String::from_utf8_lossy(name).into_owned();
    let (flags, method, crc) = (entry.two(8), entry.two(10), entry.four(16));
    let (packed, size, local) = (entry.four(20), entry.four(24), entry.four(42));
    let refused = |what: &str| {
        let found = format!("is an archive whose file `{}` {what}", shown(&text));
        Err(FormatError::new(found, "what `np.savez` or `np.savez_compressed` writes"))
    };
    match method {
        _ if flags & 1 == 1 => return refused("is encrypted"),
        0 | 8 => {}
        _ => return refused(&format!("is packed by the method {method}")),
    }
    if [packed, size, local].contains(&u32::MAX) {
        return refused("is larger than 4 GB");
    }
    // The record in front of the content has a name and more of lengths of its own.
    let local = local as usize;
    let begin = Record::at(bytes, local, LOCAL, b"PK\x03\x04").and_then(|record| {
        let begin = local + LOCAL + record.two(26);
        (bytes.get(local + LOCAL..begin)? == name).then_some(begin + record.two(28))
    });
    let begin = begin.ok_or_else(|| damaged(format_args!("the file `{}` is not where it should be", shown(&text))))?;
    match bytes.get(begin..begin.saturating_add(packed as usize)) {
        Some(packed) => Ok(Member { name: text, is_deflated: method == 8, packed, size, crc }),
        None => Err(damaged(format_args!("the file `{}` is cut", shown(&text)))),
    }
}

impl<'a> Member<'a> {
    /// Its content, of the size and with the checksum that the archive says.
    ///
    /// # Errors
    ///
    /// A file that is damaged, or unpacks to more than `budget`.
    pub fn unpacked(&self, budget: &mut Budget) -> Result<Cow<'a, [u8]>, FormatError> {
        self.content(budget).map_err(|fault| match fault {
            Fault::Damaged => damaged(format_args!("`{}` cannot be unpacked", shown(&self.name))),
            Fault::Exceeded => {
                let found = format!("is an archive in which `{}` is too large", shown(&self.name));
                FormatError::new(found, "the published archive")
            }
        })
    }

    /// As [`unpacked`](Self::unpacked), for a caller with words of its own.
    pub(crate) fn content(&self, budget: &mut Budget) -> Result<Cow<'a, [u8]>, Fault> {
        let content = if self.is_deflated {
            let mut stream = DeflateDecoder::new(self.packed);
            let content = unpack(&mut stream, self.size.into(), budget)?;
            if !is_at_end(&mut stream) || stream.total_in() != self.packed.len() as u64 {
                return Err(Fault::Damaged);
            }
            Cow::Owned(content)
        } else {
            Cow::Borrowed(self.packed)
        };
        let mut crc = Crc::new();
        crc.update(&content);
        if content.len() != self.size as usize || crc.sum() != self.crc {
            return Err(Fault::Damaged);
        }
        Ok(content)
    }
}
