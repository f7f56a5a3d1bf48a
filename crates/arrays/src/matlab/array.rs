//! Arrays: numbers, text, cells and structs.

use std::borrow::Cow;

use super::elements::{Elements, damaged, kind, number};
use crate::FormatError;
use crate::numbers::{Element, Numbers};

/// How deep cells and structs may lie in each other. The course's networks have six levels.
const DEEPEST: usize = 32;

/// How many arrays a file may hold. An empty one takes 8 bytes of the file, and 100 of memory.
const MOST_ARRAYS: usize = 100_000;

/// More axes than MATLAB users have, and few enough to be listed in an error.
const MOST_AXES: usize = 32;

/// An array of a file.
#[derive(Debug)]
pub struct Array<'a> {
    /// Of a variable; empty inside of a cell or a struct.
    pub name: String,
    /// Its size. The first axis is the fastest.
    pub dims: Vec<usize>,
    /// What it holds.
    pub content: Content<'a>,
}

/// What an array holds.
#[derive(Debug)]
pub enum Content<'a> {
    /// One number for each place.
    Numbers(Numbers<'a>),
    /// The characters in the order of the file.
    Text(String),
    /// An array for each place.
    Cells(Vec<Array<'a>>),
    /// For each place an array for each of the fields.
    Struct {
        /// Their names.
        fields: Vec<String>,
        /// All fields of the first place, then of the next.
        values: Vec<Array<'a>>,
    },
    /// What is passed over, in words.
    Other(&'static str),
}

impl<'a> Array<'a> {
    /// The array with that content of a data element.
    ///
    /// # Errors
    ///
    /// A size, a type or a number of elements that does not fit the others.
    pub fn read(content: &'a [u8], big_endian: bool) -> Result<Self, FormatError> {
        Reader { arrays: 0 }.array(content, big_endian, 0)
    }

    /// What it is, in words.
    pub fn describe(&self) -> &'static str {
        match &self.content {
            Content::Numbers(numbers) if numbers.is_empty() => "empty",
            Content::Numbers(_) => "an array of numbers",
            Content::Text(_) => "text",
            Content::Cells(_) => "a cell array",
            Content::Struct { .. } => "a struct",
            Content::Other(what) => what,
        }
    }

    /// The field of that name, of a struct with one place.
    pub fn field(&self, name: &str) -> Option<&Array<'a>> {
        let Content::Struct { fields, values } = &self.content else { return None };
        let index = fields.iter().position(|field| field == name)?;
        if values.len() == fields.len() { values.get(index) } else { None }
    }
}

struct Reader {
    arrays: usize,
}

impl Reader {
    fn array<'a>(&mut self, content: &'a [u8], big_endian: bool, depth: usize) -> Result<Array<'a>, FormatError> {
        self.arrays += 1;
        if self.arrays > MOST_ARRAYS || depth > DEEPEST {
            let what = if depth > DEEPEST { "levels of cells and structs" } else { "arrays" };
            let limit = if depth > DEEPEST { DEEPEST } else { MOST_ARRAYS };
            return Err(FormatError::new(
                format!("is a MATLAB file with more than {limit} {what}"),
                "a file with the tensors alone: `save('FILE.mat', 'NAME', '-v7')`",
            ));
        }
        if content.is_empty() {
            // What MATLAB writes for a place that was never set.
            let numbers = Numbers { element: Element::F64, big_endian, bytes: Cow::Borrowed(&[]) };
            return Ok(Array { name: String::new(), dims: vec![0, 0], content: Content::Numbers(numbers) });
        }
        let mut elements = Elements::new(content, big_endian);
        let flags = elements.next_of(kind::UINT32, "the flags of an array")?;
        if flags.len() != 8 {
            return Err(damaged(format_args!("the flags of an array have {} bytes, expected 8", flags.len())));
        }
        let flags = number(flags, big_endian);
        let (class, is_complex) = (flags & 0xff, flags & 0x800 != 0);
        if class == 17 {
            // Objects of newer classes have no size where all others have it.
            return Ok(Array { name: String::new(), dims: Vec::new(), content: Content::Other("an object") });
        }
        let (dims, places) = dims(elements.next_of(kind::INT32, "the size of an array")?, big_endian)?;
        let name = elements.next_of(kind::INT8, "the name of an array")?;
        let name = String::from_utf8_lossy(name).into_owned();
        let content = match class {
            1 => Content::Cells(self.arrays(&mut elements, places, depth)?),
            2 => self.structure(&mut elements, places, depth)?,
            4 => Content::Text(text(&mut elements, places)?),
            6..=15 if is_complex => Content::Other("complex numbers"),
            6..=15 => Content::Numbers(numbers(&mut elements, places)?),
            3 => Content::Other("an object"),
            5 => Content::Other("a sparse matrix"),
            16 => Content::Other("a function handle"),
            other => return Err(damaged(format_args!("an array has the class {other}"))),
        };
        if !elements.is_empty() && !matches!(content, Content::Other(_)) {
            return Err(damaged("an array is longer than its content"));
        }
        Ok(Array { name, dims, content })
    }

    /// So many arrays. Nothing is allocated for those that are only claimed.
    fn arrays<'a>(&mut self, of: &mut Elements<'a>, count: usize, depth: usize) -> Result<Vec<Array<'a>>, FormatError> {
        let mut arrays = Vec::new();
        for _ in 0..count {
            let content = of.next_of(kind::MATRIX, "an array in a cell or a struct")?;
            arrays.push(self.array(content, of.big_endian(), depth + 1)?);
        }
        Ok(arrays)
    }

    fn structure<'a>(
        &mut self,
        elements: &mut Elements<'a>,
        places: usize,
        depth: usize,
    ) -> Result<Content<'a>, FormatError> {
        let length = elements.next_of(kind::INT32, "the length of names of fields")?;
        let length = if length.len() == 4 { number(length, elements.big_endian()) as usize } else { 0 };
        let names = elements.next_of(kind::INT8, "the names of fields")?;
        if length == 0 || !names.len().is_multiple_of(length) {
            return Err(damaged("the names of a struct's fields do not have the length that it says"));
        }
        let fields: Vec<String> = names.chunks(length).map(until_zero).collect();
        // With no field there is no array, however many places there are.
        let count = fields.len().checked_mul(places).ok_or_else(|| damaged("a struct has too many fields"))?;
        let values = self.arrays(elements, count, depth)?;
        Ok(Content::Struct { fields, values })
    }
}

/// The size of an array, and its number of places.
fn dims(data: &[u8], big_endian: bool) -> Result<(Vec<usize>, usize), FormatError> {
    if !data.len().is_multiple_of(4) || data.len() < 8 || data.len() > 4 * MOST_AXES {
        return Err(damaged(format_args!("the size of an array has {} bytes", data.len())));
    }
    let dims: Vec<usize> = data.chunks(4).map(|bytes| number(bytes, big_endian) as usize).collect();
    let places = dims.iter().try_fold(1_usize, |places, &length| places.checked_mul(length));
    match places {
        Some(places) if dims.iter().all(|&length| length <= i32::MAX as usize) => Ok((dims, places)),
        _ => Err(damaged(format_args!("an array has the size {dims:?}"))),
    }
}

/// Real numbers, in the type that takes the least space of those that hold them.
fn numbers<'a>(elements: &mut Elements<'a>, places: usize) -> Result<Numbers<'a>, FormatError> {
    let big_endian = elements.big_endian();
    let stored = elements.next()?;
    let element = match stored.kind {
        kind::INT8 => Element::I8,
        kind::UINT8 => Element::U8,
        kind::INT16 => Element::I16,
        kind::UINT16 => Element::U16,
        kind::INT32 => Element::I32,
        kind::UINT32 => Element::U32,
        kind::SINGLE => Element::F32,
        kind::DOUBLE => Element::F64,
        kind::INT64 => Element::I64,
        kind::UINT64 => Element::U64,
        other => return Err(damaged(format_args!("numbers have the type {other}"))),
    };
    if places.checked_mul(element.size()) != Some(stored.data.len()) {
        return Err(damaged(format_args!(
            "an array of {places} numbers has {} bytes, {} for each",
            stored.data.len(),
            element.size()
        )));
    }
    Ok(Numbers { element, big_endian, bytes: Cow::Borrowed(stored.data) })
}

fn text(elements: &mut Elements<'_>, places: usize) -> Result<String, FormatError> {
    let big_endian = elements.big_endian();
    let stored = elements.next()?;
    let size = match stored.kind {
        kind::INT8 | kind::UINT8 | kind::UTF8 => 1,
        kind::UINT16 | kind::UTF16 => 2,
        kind::UTF32 => 4,
        other => return Err(damaged(format_args!("text has the type {other}"))),
    };
    // A character of UTF-8 or UTF-16 may take several units.
    let units = stored.data.len() / size;
    if !stored.data.len().is_multiple_of(size) || units < places || (stored.kind != kind::UTF8 && units != places) {
        return Err(damaged(format_args!("a text of {places} characters has {} bytes", stored.data.len())));
    }
    Ok(match size {
        1 => String::from_utf8_lossy(stored.data).into_owned(),
        2 => {
            let unit = |bytes: &[u8]| {
                let two = [bytes[0], bytes[1]];
                if big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }
            };
            String::from_utf16_lossy(&stored.data.chunks(2).map(unit).collect::<Vec<u16>>())
        }
        _ => {
            let units = stored.data.chunks(4).map(|bytes| number(bytes, big_endian));
            units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
    })
}

fn until_zero(bytes: &[u8]) -> String {
    let length = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}
