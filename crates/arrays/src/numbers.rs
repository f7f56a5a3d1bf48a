//! Numbers as they lie in a file, and tensors of them in any order of axes.

use std::borrow::Cow;

use half::{bf16, f16};

/// What each number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// Half precision.
    F16,
    /// The upper half of single precision.
    BF16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// Whole number of 8 bits.
    I8,
    /// Whole number of 8 bits from 0 on.
    U8,
    /// Whole number of 16 bits.
    I16,
    /// Whole number of 16 bits from 0 on.
    U16,
    /// Whole number of 32 bits.
    I32,
    /// Whole number of 32 bits from 0 on.
    U32,
    /// Whole number of 64 bits.
    I64,
    /// Whole number of 64 bits from 0 on.
    U64,
}

impl Element {
    /// Its size in bytes.
    pub fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::F16 | Self::BF16 | Self::I16 | Self::U16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }
}

/// Numbers one after the other.
#[derive(Debug, Clone)]
pub struct Numbers<'a> {
    /// What each number is.
    pub element: Element,
    /// The byte order.
    pub big_endian: bool,
    /// A whole number of elements.
    pub bytes: Cow<'a, [u8]>,
}

impl Numbers<'_> {
    /// The same in memory of its own.
    pub fn into_owned(self) -> Numbers<'static> {
        Numbers { bytes: Cow::Owned(self.bytes.into_owned()), ..self }
    }

    /// Whether there are no numbers.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.element.size()
    }

    /// The number at `index`, in double precision: exact, except for whole numbers beyond 2⁵³.
    pub fn get(&self, index: usize) -> f64 {
        let number = &self.bytes[index * self.element.size()..];
        match self.element {
            Element::F16 => f16::from_bits(u16::from_le_bytes(self.first(number))).to_f64(),
            Element::BF16 => bf16::from_bits(u16::from_le_bytes(self.first(number))).to_f64(),
            Element::F32 => f32::from_le_bytes(self.first(number)).into(),
            Element::F64 => f64::from_le_bytes(self.first(number)),
            Element::I8 => i8::from_le_bytes(self.first(number)).into(),
            Element::U8 => number[0].into(),
            Element::I16 => i16::from_le_bytes(self.first(number)).into(),
            Element::U16 => u16::from_le_bytes(self.first(number)).into(),
            Element::I32 => i32::from_le_bytes(self.first(number)).into(),
            Element::U32 => u32::from_le_bytes(self.first(number)).into(),
            Element::I64 => i64::from_le_bytes(self.first(number)) as f64,
            Element::U64 => u64::from_le_bytes(self.first(number)) as f64,
        }
    }

    /// The first bytes, the lowest one first.
    fn first<const N: usize>(&self, bytes: &[u8]) -> [u8; N] {
        let mut first = [0; N];
        first.copy_from_slice(&bytes[..N]);
        if self.big_endian {
            first.reverse();
        }
        first
    }
}

/// An axis of a tensor, as it lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// How many indices it has.
    pub length: usize,
    /// How many numbers further the next index is.
    pub stride: usize,
}

/// A tensor of a file.
#[derive(Debug, Clone)]
pub struct StoredTensor<'a> {
    /// Its shape in PyTorch's layout.
    pub shape: Vec<usize>,
    /// Its axes, the slowest first; they may divide an axis of `shape` into several.
    axes: Vec<Axis>,
    /// The index on the first axis where the tensor begins: what is before it comes last.
    begin: usize,
    numbers: Numbers<'a>,
}

impl<'a> StoredTensor<'a> {
    /// The same in memory of its own.
    pub fn into_owned(self) -> StoredTensor<'static> {
        StoredTensor { shape: self.shape, axes: self.axes, begin: self.begin, numbers: self.numbers.into_owned() }
    }

    /// What each number is.
    pub fn element(&self) -> Element {
        self.numbers.element
    }

    /// A tensor whose last axis is the fastest. There is a number for each element of `shape`.
    pub fn row_major(shape: Vec<usize>, numbers: Numbers<'a>) -> Self {
        let axes = vec![Axis { length: numbers.len(), stride: 1 }];
        Self { shape, axes, begin: 0, numbers }
    }

    /// A tensor whose first axis is the fastest.
    pub fn column_major(shape: Vec<usize>, numbers: Numbers<'a>) -> Self {
        let mut stride = 1;
        let axes = shape.iter().map(|&length| {
            let axis = Axis { length, stride };
            stride *= length;
            axis
        });
        let axes = axes.collect();
        Self { axes, shape, begin: 0, numbers }
    }

    /// A tensor whose axes lie anyhow. They reach each number once.
    pub fn with_axes(shape: Vec<usize>, axes: Vec<Axis>, numbers: Numbers<'a>) -> Self {
        Self { shape, axes, begin: 0, numbers }
    }

    /// The same with the last index of the first axis in front.
    #[must_use]
    pub fn last_first(mut self) -> Self {
        self.begin = self.axes.first().map_or(0, |axis| axis.length.saturating_sub(1));
        self
    }

    /// The numbers as bytes in the order of `shape`, if each is a whole number of 8 bits from 0 on.
    pub fn into_bytes(self) -> Option<Cow<'a, [u8]>> {
        if self.numbers.element != Element::U8 {
            return None;
        }
        match self.axes[..] {
            [Axis { stride: 1, .. }] if self.begin == 0 => Some(self.numbers.bytes),
            _ => Some(self.values().map(|value| value as u8).collect()),
        }
    }

    /// The numbers in the order of `shape`, its last axis the fastest.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        (0..self.numbers.len()).map(|index| {
            let (mut rest, mut place) = (index, 0);
            for (number, axis) in self.axes.iter().enumerate().rev() {
                let mut along = rest % axis.length;
                if number == 0 {
                    along = (along + self.begin) % axis.length;
                }
                rest /= axis.length;
                place += along * axis.stride;
            }
            self.numbers.get(place)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(count: u8) -> Numbers<'static> {
        Numbers { element: Element::U8, big_endian: false, bytes: (0..count).collect::<Vec<u8>>().into() }
    }

    #[test]
    fn every_type_is_read_in_both_byte_orders() {
        let cases: [(Element, &[u8], f64); 12] = [
            (Element::F16, &[0xc0, 0x01], -(2.0 + 2.0_f64.powi(-9))),
            (Element::BF16, &[0x3f, 0xc0], 1.5),
            (Element::F32, &(-1.25_f32).to_be_bytes(), -1.25),
            (Element::F64, &1e-300_f64.to_be_bytes(), 1e-300),
            (Element::I8, &[0x80], -128.0),
            (Element::U8, &[0x80], 128.0),
            (Element::I16, &[0xff, 0x00], -256.0),
            (Element::U16, &[0xff, 0x00], 65_280.0),
            (Element::I32, &(-70_000_i32).to_be_bytes(), -70_000.0),
            (Element::U32, &4_000_000_000_u32.to_be_bytes(), 4e9),
            (Element::I64, &(-5_000_000_000_i64).to_be_bytes(), -5e9),
            (Element::U64, &(1_u64 << 63).to_be_bytes(), 2.0_f64.powi(63)),
        ];
        for (element, big, expected) in cases {
            let two: Vec<u8> = [&vec![0; big.len()], big].concat();
            let numbers = |big_endian, bytes: &[u8]| {
                let numbers = Numbers { element, big_endian, bytes: bytes.to_vec().into() };
                assert_eq!(numbers.len(), 2);
                (numbers.get(0), numbers.get(1))
            };
            assert_eq!(numbers(true, &two), (0.0, expected), "{element:?}");
            let little: Vec<u8> = two.chunks(element.size()).flat_map(|one| one.iter().rev().copied()).collect();
            assert_eq!(numbers(false, &little), (0.0, expected), "{element:?}");
        }
    }

    #[test]
    fn bytes_come_in_the_order_of_the_shape_and_other_numbers_are_none() {
        assert_eq!(StoredTensor::row_major(vec![2, 3], bytes(6)).into_bytes().unwrap(), vec![0, 1, 2, 3, 4, 5]);
        assert_eq!(StoredTensor::column_major(vec![2, 3], bytes(6)).into_bytes().unwrap(), vec![0, 2, 4, 1, 3, 5]);
        assert_eq!(StoredTensor::column_major(vec![6], bytes(6)).last_first().into_bytes().unwrap()[0], 5);
        let signed = Numbers { element: Element::I8, ..bytes(6) };
        assert_eq!(StoredTensor::row_major(vec![6], signed).into_bytes(), None);
    }

    #[test]
    fn axes_come_in_the_order_of_the_shape() {
        let values = |tensor: StoredTensor<'_>| tensor.values().collect::<Vec<f64>>();
        assert_eq!(values(StoredTensor::row_major(vec![2, 3], bytes(6))), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let columns = StoredTensor::column_major(vec![2, 3], bytes(6));
        assert_eq!(values(columns.clone()), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
        assert_eq!(values(columns.last_first()), [1.0, 3.0, 5.0, 0.0, 2.0, 4.0]);
        assert!(values(StoredTensor::column_major(vec![2, 0], bytes(0))).is_empty());
        assert_eq!(values(StoredTensor::row_major(vec![], bytes(1))), [0.0]);
        let axes = [(2, 2), (2, 4), (2, 1)].map(|(length, stride)| Axis { length, stride });
        let divided = StoredTensor::with_axes(vec![2, 4], axes.to_vec(), bytes(8));
        assert_eq!(values(divided), [0.0, 1.0, 4.0, 5.0, 2.0, 3.0, 6.0, 7.0]);
    }
}
