//! Data elements: a tag that says type and size, and the data.

use crate::FormatError;

/// Types of data, by the names that MathWorks gives them.
#[allow(missing_docs, reason = "the names are those of the format")]
pub mod kind {
    pub const INT8: u32 = 1;
    pub const UINT8: u32 = 2;
    pub const INT16: u32 = 3;
    pub const UINT16: u32 = 4;
    pub const INT32: u32 = 5;
    pub const UINT32: u32 = 6;
    pub const SINGLE: u32 = 7;
    pub const DOUBLE: u32 = 9;
    pub const INT64: u32 = 12;
    pub const UINT64: u32 = 13;
    pub const MATRIX: u32 = 14;
    pub const COMPRESSED: u32 = 15;
    pub const UTF8: u32 = 16;
    pub const UTF16: u32 = 17;
    pub const UTF32: u32 = 18;
}

/// A damaged MATLAB file.
pub(crate) fn damaged(what: impl std::fmt::Display) -> FormatError {
    FormatError::new(format!("is a damaged MATLAB file: {what}"), "a whole one; save or copy it again")
}

/// One data element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    /// One of [`kind`], or anything.
    pub kind: u32,
    pub data: &'a [u8],
}

/// The data elements in some bytes, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Elements<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl<'a> Elements<'a> {
    pub(crate) fn new(bytes: &'a [u8], big_endian: bool) -> Self {
        Self { bytes, big_endian }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn big_endian(&self) -> bool {
        self.big_endian
    }

    /// The next element.
    ///
    /// # Errors
    ///
    /// None is left, or its size is more than what is left.
    pub(crate) fn next(&mut self) -> Result<Element<'a>, FormatError> {
        let Some((tag, rest)) = self.bytes.split_first_chunk::<8>() else {
            return Err(damaged(format_args!("it ends after {} of an element", count(self.bytes.len()))));
        };
        let [first, second] = [number(&tag[..4], self.big_endian), number(&tag[4..], self.big_endian)];
        // A small element has its data in the tag, and its size in the upper half of the type.
        let small = (first >> 16) as usize;
        if small > 0 {
            if small > 4 {
                return Err(damaged(format_args!("a small element says that it has {}", count(small))));
            }
            let data = &self.bytes[4..4 + small];
            self.bytes = rest;
            return Ok(Element { kind: first & 0xffff, data });
        }
        let Some(data) = rest.get(..second as usize) else {
            let (says, left) = (count(second as usize), count(rest.len()));
            return Err(damaged(format_args!("an element of {says} ends after {left}")));
        };
        // Each begins at a multiple of eight bytes, but for what comes after a compressed one.
        let whole = if first == kind::COMPRESSED { data.len() } else { data.len().next_multiple_of(8) };
        self.bytes = &rest[whole.min(rest.len())..];
        Ok(Element { kind: first, data })
    }

    /// The next element, which is of the type `kind`; `what` says what it is for.
    pub(crate) fn next_of(&mut self, kind: u32, what: &str) -> Result<&'a [u8], FormatError> {
        let element = self.next()?;
        if element.kind != kind {
            return Err(damaged(format_args!("{what} should have the type {kind}, and has the type {}", element.kind)));
        }
        Ok(element.data)
    }
}

/// The first four bytes as a number.
pub(crate) fn number(bytes: &[u8], big_endian: bool) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[..4]);
    if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
}

fn count(bytes: usize) -> String {
    format!("{bytes} {}", if bytes == 1 { "byte" } else { "bytes" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_elements_and_padding_are_passed_over_in_both_byte_orders() {
        let little = [2, 0, 3, 0, 7, 8, 9, 0, 1, 0, 0, 0, 2, 0, 0, 0, 5, 6, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
        let big = [0, 3, 0, 2, 7, 8, 9, 0, 0, 0, 0, 1, 0, 0, 0, 2, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0];
        for (bytes, big_endian) in [(little, false), (big, true)] {
            let mut elements = Elements::new(&bytes, big_endian);
            let mut next = || elements.next().map(|element| (element.kind, element.data.to_vec())).unwrap();
            assert_eq!([next(), next(), next()], [(2, vec![7, 8, 9]), (1, vec![5, 6]), (2, vec![])]);
            assert!(elements.is_empty());
        }
    }

    #[test]
    fn sizes_that_lie_are_refused() {
        let refused = |bytes: &[u8]| Elements::new(bytes, false).next().unwrap_err().found;
        let head = "is a damaged MATLAB file: ";
        assert_eq!(refused(&[]), format!("{head}it ends after 0 bytes of an element"));
        assert_eq!(refused(&[9, 0, 0, 0, 0]), format!("{head}it ends after 5 bytes of an element"));
        assert_eq!(refused(&[2, 0, 5, 0, 1, 2, 3, 4, 5]), format!("{head}a small element says that it has 5 bytes"));
        assert_eq!(
            refused(&[9, 0, 0, 0, 255, 255, 255, 255, 1]),
            format!("{head}an element of 4294967295 bytes ends after 1 byte")
        );
    }
}
