//! Files of arrays of double precision, for others to read.

use std::borrow::Cow;

use flate2::Crc;
use safetensors::tensor::{Dtype, TensorView};

use crate::matlab::kind;

/// An array to be written.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its shape; no axis is a single number.
    pub shape: &'a [usize],
    /// Its elements, the last axis the fastest.
    pub values: &'a [f64],
}

impl Named<'_> {
    fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// The elements, the first axis the fastest.
    fn columns(&self) -> Vec<u8> {
        let count = self.values.len();
        let place = |mut index: usize| {
            // From the first axis to the last: the index along it, and its stride among the values.
            let mut stride = count;
            let mut place = 0;
            for &length in self.shape {
                stride /= length.max(1);
                place += index % length.max(1) * stride;
                index /= length.max(1);
            }
            place
        };
        (0..count).flat_map(|index| self.values[place(index)].to_le_bytes()).collect()
    }
}

/// Raw numbers, little-endian, the last axis the fastest.
pub fn raw(array: &Named<'_>) -> Vec<u8> {
    array.bytes()
}

/// A safetensors file.
///
/// # Panics
///
/// Panics if two arrays have one name, or one has not as many elements as its shape says.
pub fn safetensors(arrays: &[Named<'_>]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> = arrays.iter().map(Named::bytes).collect();
    let view = |(array, bytes): (&Named<'_>, &'_ Vec<u8>)| {
        let view =
            TensorView::new(Dtype::F64, array.shape.to_vec(), bytes).expect("as many elements as the shape says");
        (array.name.to_owned(), Cow::<[u8]>::Owned(view.data().to_vec()), view.shape().to_vec())
    };
    let owned: Vec<_> = arrays.iter().zip(&bytes).map(view).collect();
    let views = owned.iter().map(|(name, data, shape)| {
        (name.as_str(), TensorView::new(Dtype::F64, shape.clone(), data).expect("it was made of this"))
    });
    safetensors::serialize(views, None).expect("names and shapes can be written")
}

/// An archive of NumPy, stored.
///
/// # Panics
///
/// Panics at 4 GB.
pub fn npz(arrays: &[Named<'_>]) -> Vec<u8> {
    let file = |array: &Named<'_>| (format!("{}.npy", array.name), npy("<f8", array.shape, &array.bytes()));
    zip(&arrays.iter().map(file).collect::<Vec<_>>())
}

/// A zip archive of files by their names, stored.
///
/// # Panics
///
/// Panics at 4 GB.
pub fn zip(files: &[(impl AsRef<str>, impl AsRef<[u8]>)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("less than 4 GB").to_le_bytes();
    for (name, content) in files {
        let (name, content) = (name.as_ref(), content.as_ref());
        let mut crc = Crc::new();
        crc.update(content);
        // Version, flags, method, time, and the first day that the format knows; then checksum and sizes.
        let mut head = vec![20, 0, 0, 0, 0, 0, 0, 0, 33, 0];
        head.extend(crc.sum().to_le_bytes());
        head.extend([length(content), length(content)].concat());
        head.extend((name.len() as u16).to_le_bytes());
        head.extend([0, 0]);
        let begin = length(&archive);
        archive.extend([b"PK\x03\x04", &head[..], name.as_bytes(), content].concat());
        directory.extend([b"PK\x01\x02\x14\x00", &head[..], &[0; 10], &begin, name.as_bytes()].concat());
    }
    let count = (files.len() as u16).to_le_bytes();
    let end = [b"PK\x05\x06\0\0\0\0", &count[..], &count, &length(&directory), &length(&archive), &[0, 0]].concat();
    [archive, directory, end].concat()
}

/// A file with a single NumPy array. `descr` is NumPy's name of its type, and `numbers` are its bytes, the last axis the
/// fastest.
pub fn npy(descr: &str, shape: &[usize], numbers: &[u8]) -> Vec<u8> {
    let shape = match shape {
        [one] => format!("({one},)"),
        shape => format!("({})", shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    };
    let mut head = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    // The numbers begin at a multiple of 64.
    while !(10 + head.len() + 1).is_multiple_of(64) {
        head.push(' ');
    }
    head.push('\n');
    let length = (head.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], head.as_bytes(), numbers].concat()
}

/// A MATLAB file of version 5, without compression. A vector is a column there, and a single number a 1×1 matrix.
///
/// # Panics
///
/// Panics at 4 GB.
pub fn matlab(arrays: &[Named<'_>]) -> Vec<u8> {
    let mut file = b"MATLAB 5.0 MAT-file, written by Backproof".to_vec();
    file.resize(124, b' ');
    file.extend([0, 1, b'I', b'M']);
    for array in arrays {
        let mut dims = array.shape.to_vec();
        dims.resize(dims.len().max(2), 1);
        let dims: Vec<u8> = dims.iter().flat_map(|&length| (length as u32).to_le_bytes()).collect();
        const DOUBLE: [u8; 8] = [6, 0, 0, 0, 0, 0, 0, 0];
        let parts = [
            element(kind::UINT32, &DOUBLE),
            element(kind::INT32, &dims),
            element(kind::INT8, array.name.as_bytes()),
            element(kind::DOUBLE, &array.columns()),
        ];
        file.extend(element(kind::MATRIX, &parts.concat()));
    }
    file
}

/// A data element, at a multiple of eight bytes.
fn element(kind: u32, data: &[u8]) -> Vec<u8> {
    let size = u32::try_from(data.len()).expect("less than 4 GB");
    let mut element = [&kind.to_le_bytes(), &size.to_le_bytes(), data].concat();
    element.resize(element.len().next_multiple_of(8), 0);
    element
}
