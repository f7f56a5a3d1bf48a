//! What a pickle may hold, and the functions that it may name.

use crate::numbers::Element;

/// The place of an object among all of a pickle.
pub(super) type Id = u32;

/// Bytes of the file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Chars<'a> {
    Bytes(&'a [u8]),
    /// A character for each byte: so Python 3 writes bytes for Python 2.
    Latin1(&'a str),
}

/// An object. Those that hold others have their places, so that nothing is deep and nothing goes in a circle.
#[derive(Debug)]
pub(super) enum Object<'a> {
    None,
    Truth(bool),
    Integer(i64),
    Text(&'a str),
    /// Also the strings of Python 2.
    Bytes(Chars<'a>),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dictionary(Vec<(Id, Id)>),
    Function(Function),
    /// What the numbers of an array are.
    Kind(Kind),
    Array(Box<Array<'a>>),
}

/// A `dtype`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub element: Element,
    pub big_endian: bool,
}

/// An `ndarray`.
#[derive(Debug)]
pub(super) enum Array<'a> {
    /// Made, and not filled yet.
    Empty,
    Whole {
        shape: Vec<usize>,
        kind: Kind,
        fortran_order: bool,
        chars: Chars<'a>,
    },
}

/// A function or class of Python that a pickle of arrays names. None of them is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// `_reconstruct`: an array without content, which `BUILD` fills.
    Reconstruct,
    /// `_frombuffer`: an array of some bytes (protocol 5).
    FromBuffer,
    /// The class of arrays.
    ArrayClass,
    /// The class of what numbers are.
    DType,
    /// `_codecs.encode`: bytes of a text (Python 3 at protocol 2).
    Encode,
    /// The class of bytes, called for empty ones.
    Bytes,
}

impl Function {
    pub(super) fn of(module: &str, name: &str) -> Option<Self> {
        // NumPy 2 calls its core `_core`.
        Some(match (module, name) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Self::Reconstruct,
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Self::FromBuffer,
            ("numpy", "ndarray") => Self::ArrayClass,
            ("numpy", "dtype") => Self::DType,
            ("_codecs", "encode") => Self::Encode,
            ("__builtin__" | "builtins", "bytes") => Self::Bytes,
            _ => return None,
        })
    }
}

impl<'a> Object<'a> {
    /// What it is, in words.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Truth(_) => "a truth value",
            Self::Integer(_) => "a number",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dictionary(_) => "a dictionary",
            Self::Function(_) => "a function",
            Self::Kind(_) => "a type of numbers",
            Self::Array(_) => "an array",
        }
    }

    /// A text, or a string of Python 2.
    pub(super) fn text(&self) -> Option<&'a str> {
        match *self {
            Self::Text(text) | Self::Bytes(Chars::Latin1(text)) => Some(text),
            Self::Bytes(Chars::Bytes(bytes)) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }
}

impl Kind {
    /// Of a name such as `u1`.
    pub(super) fn of(name: &str) -> Option<Self> {
        let element = match name {
            "f2" => Element::F16,
            "f4" => Element::F32,
            "f8" => Element::F64,
            "i1" => Element::I8,
            "u1" => Element::U8,
            "i2" => Element::I16,
            "u2" => Element::U16,
            "i4" => Element::I32,
            "u4" => Element::U32,
            "i8" => Element::I64,
            "u8" => Element::U64,
            _ => return None,
        };
        Some(Self { element, big_endian: false })
    }
}
