//! Single arrays (`.npy`): a head, which is a Python dictionary of three entries, and the numbers.

use std::borrow::Cow;

use crate::FormatError;
use crate::error::shown;
use crate::numbers::{Element, Numbers, StoredTensor};

/// What the head of an array says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    element: Element,
    big_endian: bool,
    fortran_order: bool,
    shape: Vec<usize>,
}

/// NumPy's own limit is 64.
const MOST_AXES: usize = 64;

impl Head {
    /// The head of `content`, and where the numbers begin.
    ///
    /// # Errors
    ///
    /// Content that is no array, of a version that is not read, or of elements that are no numbers.
    pub(crate) fn read(content: &[u8]) -> Result<(Self, usize), FormatError> {
        let damaged = |what: &str| FormatError::new(format!("is damaged: {what}"), "an array that `np.savez` wrote");
        let Some(rest) = content.strip_prefix(b"\x93NUMPY") else { return Err(damaged("it has no head")) };
        let (length, begin) = match *rest {
            [1, 0, low, high, ..] => (u16::from_le_bytes([low, high]).into(), 10),
            [2 | 3, 0, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
            [1..=3, 0, ..] | [] | [_] => return Err(damaged("its head is cut")),
            [major, minor, ..] => {
                let found = format!("has the version {major}.{minor} of the format");
                return Err(FormatError::new(found, "1.0, 2.0 or 3.0"));
            }
        };
        let end = begin + length;
        let text = content.get(begin..end).and_then(|text| std::str::from_utf8(text).ok());
        let text = text.ok_or_else(|| damaged("its head is cut, or no text"))?;
        let parsed =
            Parser { rest: text }.dictionary().ok_or_else(|| damaged("its head is no dictionary of NumPy's"))?;
        let (element, big_endian) = element(&parsed.descr)?;
        let Parsed { fortran_order, shape, .. } = parsed;
        Ok((Self { element, big_endian, fortran_order, shape }, end))
    }

    /// The tensor with these numbers.
    ///
    /// # Errors
    ///
    /// More or fewer bytes than the head says.
    pub(crate) fn tensor(self, bytes: Cow<'_, [u8]>) -> Result<StoredTensor<'_>, FormatError> {
        let size = self.shape.iter().try_fold(self.element.size(), |size, &length| size.checked_mul(length));
        if size != Some(bytes.len()) {
            let found = format!("has the shape {:?} and {} bytes of numbers", self.shape, bytes.len());
            return Err(FormatError::new(found, format!("{} bytes for each number", self.element.size())));
        }
        let numbers = Numbers { element: self.element, big_endian: self.big_endian, bytes };
        Ok(match self.fortran_order {
            true => StoredTensor::column_major(self.shape, numbers),
            false => StoredTensor::row_major(self.shape, numbers),
        })
    }
}

/// The type of the elements, and whether they are big-endian, of a `descr` such as `<f4`.
fn element(descr: &str) -> Result<(Element, bool), FormatError> {
    let big_endian = match descr.as_bytes().first() {
        Some(b'<' | b'|') => Some(false),
        Some(b'>') => Some(true),
        _ => None,
    };
    let element = match descr.get(1..) {
        Some("f2") => Some(Element::F16),
        Some("f4") => Some(Element::F32),
        Some("f8") => Some(Element::F64),
        Some("i1") => Some(Element::I8),
        Some("u1") => Some(Element::U8),
        Some("i2") => Some(Element::I16),
        Some("u2") => Some(Element::U16),
        Some("i4") => Some(Element::I32),
        Some("u4") => Some(Element::U32),
        Some("i8") => Some(Element::I64),
        Some("u8") => Some(Element::U64),
        _ => None,
    };
    let expected = "floating-point numbers or integers, such as `np.float32`";
    match (element, big_endian) {
        (Some(element), Some(big_endian)) => Ok((element, big_endian)),
        _ if descr.contains('O') => {
            let found = "has Python objects as elements; they are a pickle, which runs code when it is read";
            Err(FormatError::new(found, expected))
        }
        _ => Err(FormatError::new(format!("has elements of the type `{}`", shown(descr)), expected)),
    }
}

/// The entries of a head.
struct Parsed {
    /// A type, or what else is there as it is written.
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

/// Reads the head as Python writes it: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn dictionary(mut self) -> Option<Parsed> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.sign('{')?;
        while self.sign('}').is_none() {
            let key = self.string()?;
            self.sign(':')?;
            match key {
                "descr" if descr.is_none() => descr = Some(self.descr()?),
                "fortran_order" if fortran_order.is_none() => fortran_order = Some(self.truth()?),
                "shape" if shape.is_none() => shape = Some(self.shape()?),
                _ => return None,
            }
            if self.sign(',').is_none() {
                self.sign('}')?;
                break;
            }
        }
        let is_done = self.rest.trim_ascii().is_empty();
        is_done.then_some(Parsed { descr: descr?, fortran_order: fortran_order?, shape: shape? })
    }

    /// The next sign, if it is this one.
    fn sign(&mut self, sign: char) -> Option<()> {
        self.rest = self.rest.trim_ascii_start().strip_prefix(sign)?;
        Some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_ascii_start();
        let quote = rest.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
        let (text, rest) = rest[1..].split_once(quote)?;
        self.rest = rest;
        Some(text)
    }

    /// A string; or a list of fields, which no tensor has, as it is written.
    fn descr(&mut self) -> Option<String> {
        if let Some(text) = self.string() {
            return Some(text.to_owned());
        }
        let rest = self.rest.trim_ascii_start();
        let end = rest.starts_with('[').then(|| rest.rfind(']'))??;
        let (list, rest) = rest.split_at(end + 1);
        // The list ends where the next entry begins.
        self.rest = rest;
        Some(list.to_owned())
    }

    fn truth(&mut self) -> Option<bool> {
        let rest = self.rest.trim_ascii_start();
        let (truth, rest) = match (rest.strip_prefix("True"), rest.strip_prefix("False")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return None,
        };
        self.rest = rest;
        Some(truth)
    }

    fn shape(&mut self) -> Option<Vec<usize>> {
        let mut shape = Vec::new();
        self.sign('(')?;
        while self.sign(')').is_none() {
            let rest = self.rest.trim_ascii_start();
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            shape.push(rest[..digits].parse().ok()?);
            self.rest = &rest[digits..];
            if self.sign(',').is_none() {
                self.sign(')')?;
                break;
            }
            if shape.len() > MOST_AXES {
                return None;
            }
        }
        Some(shape)
    }
}
