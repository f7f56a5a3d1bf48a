//! MATLAB files written by hand, in both byte orders.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use backproof_arrays::matlab::kind;

/// Classes of arrays.
pub(crate) mod class {
    pub(crate) const CELL: u32 = 1;
    pub(crate) const STRUCT: u32 = 2;
    pub(crate) const CHAR: u32 = 4;
    pub(crate) const SPARSE: u32 = 5;
    pub(crate) const DOUBLE: u32 = 6;
    pub(crate) const FUNCTION: u32 = 16;
    pub(crate) const OPAQUE: u32 = 17;
}

pub(crate) const LOGICAL: u32 = 0x200;
pub(crate) const COMPLEX: u32 = 0x800;

/// Writes elements in one byte order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer {
    pub(crate) big_endian: bool,
}

impl Writer {
    pub(crate) fn word(self, word: u32) -> [u8; 4] {
        if self.big_endian { word.to_be_bytes() } else { word.to_le_bytes() }
    }

    pub(crate) fn words(self, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|&word| self.word(word)).collect()
    }

    pub(crate) fn doubles(self, numbers: &[f64]) -> Vec<u8> {
        let bytes = |number: &f64| if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
        numbers.iter().flat_map(bytes).collect()
    }

    /// A data element, a small one where that is possible.
    pub(crate) fn element(self, kind: u32, data: &[u8]) -> Vec<u8> {
        let size = data.len() as u32;
        let mut element = match size {
            1..=4 => [self.word(size << 16 | kind).as_slice(), data].concat(),
            _ => [&self.word(kind), &self.word(size), data].concat(),
        };
        element.resize(element.len().next_multiple_of(8), 0);
        element
    }

    /// An array whose content is in these elements.
    pub(crate) fn array(self, class: u32, dims: &[u32], name: &str, content: &[Vec<u8>]) -> Vec<u8> {
        let head = [
            self.element(kind::UINT32, &self.words(&[class, 0])),
            self.element(kind::INT32, &self.words(dims)),
            self.element(kind::INT8, name.as_bytes()),
        ];
        self.element(kind::MATRIX, &[&head[..], content].concat().concat())
    }

    pub(crate) fn numbers(self, dims: &[u32], numbers: &[f64]) -> Vec<u8> {
        self.array(class::DOUBLE, dims, "", &[self.element(kind::DOUBLE, &self.doubles(numbers))])
    }

    pub(crate) fn text(self, text: &str) -> Vec<u8> {
        self.array(class::CHAR, &[1, text.len() as u32], "", &[self.element(kind::UTF8, text.as_bytes())])
    }

    pub(crate) fn cell(self, arrays: &[Vec<u8>]) -> Vec<u8> {
        self.array(class::CELL, &[1, arrays.len() as u32], "", arrays)
    }

    pub(crate) fn structure(self, name: &str, fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut names = Vec::new();
        for (field, _) in fields {
            names.extend_from_slice(field.as_bytes());
            names.resize(names.len().next_multiple_of(16), 0);
        }
        let head = [self.element(kind::INT32, &self.word(16)), self.element(kind::INT8, &names)];
        let values: Vec<Vec<u8>> = fields.iter().map(|(_, value)| value.clone()).collect();
        self.array(class::STRUCT, &[1, 1], name, &[&head[..], &values].concat())
    }

    /// A layer of a type with weights and biases.
    pub(crate) fn layer(self, kind: &str, weights: Vec<u8>, biases: Vec<u8>) -> Vec<u8> {
        let params = self.structure("", &[("weights", weights), ("biases", biases)]);
        self.structure("", &[("type", self.text(kind)), ("params", params)])
    }

    /// A layer of a type alone.
    pub(crate) fn plain(self, kind: &str) -> Vec<u8> {
        self.structure("", &[("type", self.text(kind))])
    }

    /// A variable `net` with these layers.
    pub(crate) fn network(self, layers: &[Vec<u8>]) -> Vec<u8> {
        self.structure("net", &[("layers", self.cell(layers))])
    }

    pub(crate) fn compressed(self, variable: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(variable).unwrap();
        let packed = encoder.finish().unwrap();
        [&self.word(kind::COMPRESSED), &self.word(packed.len() as u32), &packed[..]].concat()
    }

    pub(crate) fn file(self, variables: &[Vec<u8>]) -> Vec<u8> {
        let mut head = b"MATLAB 5.0 MAT-file, written by a test".to_vec();
        head.resize(124, b' ');
        head.extend_from_slice(if self.big_endian { &[1, 0, b'M', b'I'] } else { &[0, 1, b'I', b'M'] });
        [&[head], variables].concat().concat()
    }
}
