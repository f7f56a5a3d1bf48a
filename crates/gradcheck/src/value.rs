use std::fmt;

use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::random::Random;

/// A tensor of any rank on the host, in double precision: row-major elements and their dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    dims: Vec<usize>,
    data: Vec<f64>,
}

impl Value {
    /// `data` in row-major order.
    ///
    /// # Panics
    ///
    /// Panics if there are not as many elements as the dimensions say.
    pub fn new(dims: impl Into<Vec<usize>>, data: Vec<f64>) -> Self {
        let dims = dims.into();
        assert_eq!(data.len(), dims.iter().product::<usize>(), "elements for a tensor of dimensions {dims:?}");
        Self { dims, data }
    }

    /// Every element is `value`.
    pub fn full(dims: impl Into<Vec<usize>>, value: f64) -> Self {
        let dims = dims.into();
        Self { data: vec![value; dims.iter().product()], dims }
    }

    /// Independent draws of the standard normal distribution, a function of the seed alone.
    pub fn normal(dims: impl Into<Vec<usize>>, seed: u64) -> Self {
        let dims = dims.into();
        let mut random = Random::new(seed, "value");
        Self { data: (0..dims.iter().product()).map(|_| random.normal()).collect(), dims }
    }

    /// The elements of a tensor, whatever its precision; it may be tracked by autodiff.
    ///
    /// # Panics
    ///
    /// Panics if the device cannot be read.
    pub fn from_tensor<const D: usize>(tensor: Tensor<D>) -> Self {
        let dims = tensor.dims().to_vec();
        let data = tensor.try_into_vec_as::<f64>().expect("a float tensor can be read as f64");
        Self { dims, data }
    }

    /// This as a tensor of rank `D`.
    ///
    /// # Panics
    ///
    /// Panics if `D` is another rank.
    pub fn tensor<const D: usize>(&self, device: &Device, dtype: DType) -> Tensor<D> {
        assert_eq!(self.dims.len(), D, "a tensor of dimensions {:?} was asked for with rank {D}", self.dims);
        Tensor::from_data(TensorData::new(self.data.clone(), self.dims.clone()), (device, dtype))
    }

    /// The nearest values that `dtype` can hold.
    pub fn rounded(&self, dtype: DType) -> Self {
        let data = match dtype {
            DType::F64 => self.data.clone(),
            DType::F32 => self.data.iter().map(|&x| f64::from(x as f32)).collect(),
            other => TensorData::new(self.data.clone(), [self.data.len()]).convert_dtype(other).iter::<f64>().collect(),
        };
        Self { dims: self.dims.clone(), data }
    }

    /// Elements an axis.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The elements, row-major.
    pub fn data(&self) -> &[f64] {
        &self.data
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    pub(crate) fn set(&mut self, index: usize, value: f64) {
        self.data[index] = value;
    }

    pub(crate) fn map_data(&self, data: Vec<f64>) -> Self {
        Self::new(self.dims.clone(), data)
    }

    /// Equal to the last bit; NaN equals a NaN of the same bits.
    pub(crate) fn same_bits(&self, other: &Self) -> bool {
        self.dims == other.dims && self.data.iter().zip(&other.data).all(|(a, b)| a.to_bits() == b.to_bits())
    }

    pub(crate) fn max_abs(&self) -> f64 {
        self.data.iter().fold(0.0, |largest, x| x.abs().max(largest))
    }
}

impl<const D: usize> From<Tensor<D>> for Value {
    fn from(tensor: Tensor<D>) -> Self {
        Self::from_tensor(tensor)
    }
}

/// The index along every axis of an element, written `[1, 0, 2]`.
pub(crate) fn position(dims: &[usize], mut index: usize) -> Vec<usize> {
    let mut position = vec![0; dims.len()];
    for axis in (0..dims.len()).rev() {
        position[axis] = index % dims[axis];
        index /= dims[axis];
    }
    position
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.dims, self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_dimensions_must_be_the_same() {
        let value = |dims: &[usize], last: f64| Value::new(dims, vec![1.0, last]);
        assert!(value(&[2], f64::NAN).same_bits(&value(&[2], f64::NAN)));
        assert!(!value(&[2], 0.0).same_bits(&value(&[2], -0.0)));
        assert!(!value(&[2], 0.0).same_bits(&value(&[1, 2], 0.0)));
    }

    #[test]
    fn a_tensor_without_elements_is_empty() {
        assert!(Value::full([0, 3], 1.0).is_empty() && !Value::full([1, 3], 1.0).is_empty());
    }

    #[test]
    fn a_position_is_the_index_along_every_axis() {
        assert_eq!(position(&[2, 3, 4], 23), [1, 2, 3]);
        assert_eq!(position(&[2, 3, 4], 17), [1, 1, 1]);
    }

    #[test]
    fn half_precision_keeps_eleven_bits() {
        let value = Value::new([3], vec![1.0, 1.0 + 1.0 / 1024.0, 1.0 + 1.0 / 4096.0]);
        assert_eq!(value.rounded(DType::F16).data(), [1.0, 1.0 + 1.0 / 1024.0, 1.0]);
    }
}
