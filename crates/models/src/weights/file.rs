//! A weights file as others write it.

use std::collections::BTreeMap;

use backproof_arrays::{Budget, Element, Format, FormatError, Numbers, StoredTensor, numpy};
use backproof_spec::{Architecture, Shape, TracedLayer};
use burn::tensor::{DType, TensorData};
use safetensors::tensor::{Dtype, SafeTensors};

use super::matlab::MatlabNetwork;
use super::{Changes, ElementFault, WeightsError};

/// What wrappers put before the name of every tensor: `DataParallel` of PyTorch, `torch.compile`, and modules that hold
/// the network as `model`, as those of Lightning do.
const PREFIXES: [&str; 3] = ["module.", "_orig_mod.", "model."];

/// The tensors of a file by name, without the prefix that all names had.
pub(crate) struct WeightsFile<'a> {
    tensors: BTreeMap<String, FileTensor<'a>>,
    /// The network of a MATLAB file, without its tensors.
    network: Option<MatlabNetwork>,
    pub(crate) changes: Changes,
}

/// A tensor of a file.
pub(crate) enum FileTensor<'a> {
    /// One whose elements are read.
    Read(StoredTensor<'a>),
    /// One whose elements are not read: its shape and its type.
    Unread(Vec<usize>, String),
}

impl<'a> WeightsFile<'a> {
    /// Reads the file that `bytes` are, whatever its format; [`FileTensor::elements`] reads a tensor.
    ///
    /// `architecture` is the network that the weights are for. `classes` are the names of its classes, where they are
    /// known: a MATLAB file has the digits in another order.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Format`], and [`WeightsError::Prefix`] where only some names have a prefix.
    pub(crate) fn read(bytes: &'a [u8], architecture: &Architecture, classes: &[String]) -> Result<Self, WeightsError> {
        let parameters = architecture.trace().map_or(0, |layers| layers.iter().map(numbers_of).sum());
        let mut budget = Budget::new(bytes.len(), parameters);
        match Format::of(bytes)? {
            Format::Safetensors => Self::safetensors(bytes),
            Format::Npz => {
                let tensors = numpy::read(bytes, &mut budget)?;
                Self::named(tensors.into_iter().map(|(name, tensor)| (name, FileTensor::Read(tensor))))
            }
            Format::Matlab => {
                let mut network = MatlabNetwork::read(bytes, &mut budget, architecture.input, digits(classes))?;
                let tensors = std::mem::take(&mut network.tensors);
                let tensors = tensors.into_iter().map(|(name, tensor)| (name, FileTensor::Read(tensor))).collect();
                let reordered_digits = network.moved_zero.then_some(classes.len());
                let changes = Changes { reordered_digits, ..Changes::default() };
                Ok(Self { tensors, network: Some(network), changes })
            }
        }
    }

    fn safetensors(bytes: &'a [u8]) -> Result<Self, WeightsError> {
        let file = SafeTensors::deserialize(bytes).map_err(|error| {
            FormatError::new(format!("is a damaged safetensors file ({error})"), "a whole one; save or copy it again")
        })?;
        Self::named(file.iter().map(|(name, view)| {
            let element = match view.dtype() {
                Dtype::F16 => Element::F16,
                Dtype::BF16 => Element::BF16,
                Dtype::F32 => Element::F32,
                Dtype::F64 => Element::F64,
                other => return (name.to_owned(), FileTensor::Unread(view.shape().to_vec(), format!("{other:?}"))),
            };
            let numbers = Numbers { element, big_endian: false, bytes: view.data().into() };
            (name.to_owned(), FileTensor::Read(StoredTensor::row_major(view.shape().to_vec(), numbers)))
        }))
    }

    /// Tensors by names that may have a prefix.
    fn named(tensors: impl Iterator<Item = (String, FileTensor<'a>)>) -> Result<Self, WeightsError> {
        let tensors: Vec<_> = tensors.collect();
        let names: Vec<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
        let prefix = common_prefix(&names)?;
        let without = |(name, tensor): (String, FileTensor<'a>)| (name[prefix.len()..].to_owned(), tensor);
        let tensors = tensors.into_iter().map(without).collect();
        let changes = Changes { removed_prefix: Some(prefix).filter(|it| !it.is_empty()), ..Changes::default() };
        Ok(Self { tensors, network: None, changes })
    }

    /// # Errors
    ///
    /// [`WeightsError::Layer`], where the file says what layers its network has, and they are not those of the network.
    pub(crate) fn check_layers(&self, input: Shape, layers: &[TracedLayer]) -> Result<(), WeightsError> {
        match &self.network {
            Some(network) => network.check(input, layers).map_err(WeightsError::Layer),
            None => Ok(()),
        }
    }

    /// The names, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    pub(crate) fn tensor(&self, name: &str) -> Option<&FileTensor<'a>> {
        self.tensors.get(name)
    }
}

fn numbers_of(layer: &TracedLayer) -> usize {
    layer.weights + layer.biases + layer.running_statistics
}

/// How many classes there are, if they are the digits from 0 on. Where labels count from 1, the label of the digit 0 is
/// then the last one, so that every other digit is its own label.
fn digits(classes: &[String]) -> Option<usize> {
    let is_digit = |(index, name): (usize, &String)| *name == index.to_string();
    (classes.len() > 1 && classes.iter().enumerate().all(is_digit)).then_some(classes.len())
}

/// The prefix of wrappers that every name has; wrappers can be nested.
fn common_prefix(names: &[&str]) -> Result<String, WeightsError> {
    let mut prefix = String::new();
    loop {
        let begins = |wrapper: &str| names.iter().any(|name| name[prefix.len()..].starts_with(wrapper));
        let wrapper = PREFIXES.into_iter().find(|wrapper| begins(wrapper));
        let Some(wrapper) = wrapper else { return Ok(prefix) };
        prefix += wrapper;
        let [with, without] = [true, false].map(|has| names.iter().find(|name| name.starts_with(&prefix) == has));
        if let (Some(with), Some(without)) = (with, without) {
            return Err(WeightsError::Prefix { prefix, with: (*with).to_owned(), without: (*without).to_owned() });
        }
    }
}

impl FileTensor<'_> {
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::Read(tensor) => &tensor.shape,
            Self::Unread(shape, _) => shape,
        }
    }

    /// The elements in the precision `dtype` of a network.
    ///
    /// # Errors
    ///
    /// Elements of a type that is not read, that are not finite, or that are not finite in `dtype`.
    pub(crate) fn elements(&self, dtype: DType) -> Result<TensorData, ElementFault> {
        let tensor = match self {
            Self::Read(tensor) => tensor,
            Self::Unread(_, element) => return Err(ElementFault::Type(element.clone())),
        };
        if !tensor.values().all(f64::is_finite) {
            return Err(ElementFault::NotFinite);
        }
        let shape = tensor.shape.clone();
        if dtype == DType::F64 {
            return Ok(TensorData::new(tensor.values().collect::<Vec<f64>>(), shape));
        }
        let converted = TensorData::new(tensor.values().map(|value| value as f32).collect::<Vec<f32>>(), shape);
        let converted = if dtype == DType::F32 { converted } else { converted.convert_dtype(dtype) };
        let large = tensor.values().zip(converted.iter::<f64>()).find(|(_, converted)| !converted.is_finite());
        large.map_or(Ok(converted), |(value, _)| Err(ElementFault::TooLarge(value)))
    }
}
