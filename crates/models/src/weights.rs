//! Weights as safetensors, with the names and layouts of PyTorch.
//!
//! A tensor is called after its layer and its role, `conv1.weight`, `linear1.bias`, `norm2.running_var`. A linear
//! weight is stored `[out, in]` as PyTorch has it, and is `[in, out]` in memory as Burn has it; everything else has one
//! layout in both.

use std::collections::{BTreeMap, BTreeSet};

use burn::Tensor;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::Network;

/// Why weights cannot be read into a network.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The bytes are not a safetensors file.
    #[error("the weights are not a safetensors file, or a damaged one")]
    Format(#[from] safetensors::SafeTensorError),
    /// The file lacks tensors that the network has.
    #[error("the weights lack {}, which the network has", .0.join(", "))]
    Missing(Vec<String>),
    /// The file has tensors that the network lacks.
    #[error("the weights have {}, which the network lacks", .0.join(", "))]
    Unexpected(Vec<String>),
    /// A tensor has another shape than the network's.
    #[error("{name} has the shape {found:?}; the network's is {expected:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The network's.
        expected: Vec<usize>,
    },
    /// A tensor is neither f32 nor f64.
    #[error("{name} has elements of type {found}; expected F32 or F64")]
    Type {
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// A tensor has an infinite element or one that is not a number.
    #[error("{name} has an element that is not a finite number")]
    NotFinite {
        /// The tensor.
        name: String,
    },
}

/// One tensor of a network as a weights file has it.
#[derive(Debug, Clone)]
pub struct NamedTensor {
    /// `conv1.weight`.
    pub name: String,
    /// Values in PyTorch's layout.
    pub data: TensorData,
    /// Whether it is trained; running statistics and frozen tensors are not.
    pub trainable: bool,
}

impl Network {
    /// Every tensor of the network, in the order of its layers.
    #[must_use]
    pub fn tensors(&self) -> Vec<NamedTensor> {
        let mut collect = Collect { path: Path::new(self.names()), frozen: self.frozen(), tensors: Vec::new() };
        // `valid` brings running statistics up to date; a visit alone may see them one step old.
        self.valid().visit(&mut collect);
        collect.tensors
    }

    /// The trainable tensors as if they were gradients of the parameters that they stand for, for an optimizer. Running
    /// statistics have none, and an optimizer that got one would move them.
    #[must_use]
    pub fn as_gradients(&self) -> GradientsParams {
        let mut collect = CollectGradients { path: Path::new(self.names()), gradients: GradientsParams::new() };
        self.visit(&mut collect);
        collect.gradients
    }

    /// ½ ‖w‖² over all trainable parameters, in f64.
    #[must_use]
    pub fn half_squared_norm(&self) -> f64 {
        let trainable = self.tensors().into_iter().filter(|tensor| tensor.trainable);
        trainable.map(|tensor| 0.5 * tensor.data.iter::<f64>().map(|w| w * w).sum::<f64>()).sum()
    }
}

/// The network's tensors as a safetensors file.
///
/// # Errors
///
/// [`WeightsError::NotFinite`]: such weights are worth nothing, and must not replace a good file.
pub fn save_weights(network: &Network) -> Result<Vec<u8>, WeightsError> {
    let tensors = network.tensors();
    for tensor in &tensors {
        if !tensor.data.iter::<f64>().all(f64::is_finite) {
            return Err(WeightsError::NotFinite { name: tensor.name.clone() });
        }
    }
    let views = tensors
        .iter()
        .map(|tensor| {
            let dtype = match tensor.data.dtype() {
                DType::F64 => Dtype::F64,
                DType::F32 => Dtype::F32,
                other => unreachable!("networks are trained in f32 or f64, not {other:?}"),
            };
            let view = TensorView::new(dtype, tensor.data.shape().to_vec(), tensor.data.as_bytes())?;
            Ok((tensor.name.clone(), view))
        })
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    let metadata = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
    Ok(safetensors::serialize(views, Some(metadata))?)
}

/// `network` with the tensors of a safetensors file, in the network's precision. The counters `num_batches_tracked`
/// that PyTorch keeps for batch normalisation are passed over: the running statistics here are averaged with a fixed
/// momentum, which needs no count.
///
/// # Errors
///
/// Bytes that are no safetensors file; a tensor that is missing, unexpected, of another shape or type, or not finite.
pub fn load_weights(network: Network, bytes: &[u8]) -> Result<Network, WeightsError> {
    let file = SafeTensors::deserialize(bytes)?;
    let mut found: BTreeMap<String, TensorData> = BTreeMap::new();
    for (name, view) in file.iter().filter(|(name, _)| !name.ends_with(".num_batches_tracked")) {
        found.insert(name.to_owned(), decode(name, &view)?);
    }

    let expected = network.tensors();
    let missing: Vec<String> =
        expected.iter().filter(|tensor| !found.contains_key(&tensor.name)).map(|tensor| tensor.name.clone()).collect();
    if !missing.is_empty() {
        return Err(WeightsError::Missing(missing));
    }
    let unexpected: Vec<String> =
        found.keys().filter(|name| expected.iter().all(|tensor| &tensor.name != *name)).cloned().collect();
    if !unexpected.is_empty() {
        return Err(WeightsError::Unexpected(unexpected));
    }
    for tensor in expected {
        let data = found.get_mut(&tensor.name).expect("missing tensors were looked for");
        if data.shape() != tensor.data.shape() {
            return Err(WeightsError::Shape {
                name: tensor.name,
                found: data.shape().to_vec(),
                expected: tensor.data.shape().to_vec(),
            });
        }
        if data.dtype() != tensor.data.dtype() {
            *data = data.clone().convert_dtype(tensor.data.dtype());
        }
        // After that, since a large f64 is infinite in f32.
        if !data.iter::<f64>().all(f64::is_finite) {
            return Err(WeightsError::NotFinite { name: tensor.name });
        }
    }
    let mut replace = Replace::new(&network, found);
    Ok(network.map(&mut replace))
}

pub(crate) fn decode(name: &str, view: &TensorView<'_>) -> Result<TensorData, WeightsError> {
    let bytes = view.data();
    let shape = view.shape().to_vec();
    match view.dtype() {
        Dtype::F32 => {
            let values = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b));
            Ok(TensorData::new(values.collect::<Vec<_>>(), shape))
        }
        Dtype::F64 => {
            let values = bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b));
            Ok(TensorData::new(values.collect::<Vec<_>>(), shape))
        }
        other => Err(WeightsError::Type { name: name.to_owned(), found: format!("{other:?}") }),
    }
}

/// Where a walk over the module tree is: `layers`, the layer's index, its variant, the field.
pub(crate) struct Path {
    names: Vec<String>,
    steps: Vec<String>,
}

impl Path {
    pub(crate) fn new(names: &[String]) -> Self {
        Self { names: names.to_vec(), steps: Vec::new() }
    }

    pub(crate) fn enter(&mut self, step: &str) {
        self.steps.push(step.to_owned());
    }

    pub(crate) fn exit(&mut self) {
        self.steps.pop();
    }

    /// PyTorch's name of the tensor here.
    pub(crate) fn tensor_name(&self) -> String {
        let index: usize = self.steps[1].parse().expect("the layers are a `Vec`");
        let role = match self.steps.last().expect("a tensor is a field").as_str() {
            "gamma" | "slope" => "weight",
            "beta" => "bias",
            "running_variance" => "running_var",
            other => other,
        };
        format!("{}.{role}", self.names[index])
    }

    fn is_linear_weight(&self) -> bool {
        self.steps.iter().any(|step| step == "Linear") && self.steps.last().is_some_and(|step| step == "weight")
    }

    fn is_trainable(&self) -> bool {
        !self.steps.last().is_some_and(|step| step.starts_with("running_"))
    }
}

struct Collect<'a> {
    path: Path,
    frozen: &'a BTreeSet<String>,
    tensors: Vec<NamedTensor>,
}

impl ModuleVisitor for Collect<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let tensor = parameter.val();
        let tensor = if self.path.is_linear_weight() { tensor.transpose() } else { tensor };
        let name = self.path.tensor_name();
        let trainable = self.path.is_trainable() && !self.frozen.contains(&name);
        self.tensors.push(NamedTensor { name, data: tensor.into_data(), trainable });
    }
}

struct CollectGradients {
    path: Path,
    gradients: GradientsParams,
}

impl ModuleVisitor for CollectGradients {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if self.path.is_trainable() {
            self.gradients.register(parameter.id, parameter.val());
        }
    }
}

/// Puts the tensors of `found` in place of those of the same name; each has its shape.
pub(crate) struct Replace {
    path: Path,
    found: BTreeMap<String, TensorData>,
}

impl Replace {
    pub(crate) fn new(network: &Network, found: BTreeMap<String, TensorData>) -> Self {
        Self { path: Path::new(network.names()), found }
    }
}

impl ModuleMapper for Replace {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(data) = self.found.remove(&self.path.tensor_name()) else { return parameter };
        let (device, dtype) = (parameter.device(), data.dtype());
        let mut tensor = Tensor::from_data(data, (&device, dtype));
        if self.path.is_linear_weight() {
            // Laid out anew, through the host. A transposed view would be multiplied in another order and give other
            // last bits, and a resumed run would not be the run that was interrupted.
            tensor = Tensor::from_data(tensor.transpose().into_data(), (&device, dtype));
        }
        let id = parameter.id;
        parameter.transform_for_load(tensor, id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PassMode, cifar_baseline, mnist_baseline};
    use burn::tensor::Device;

    fn images(device: &Device) -> Tensor<4> {
        Tensor::arange(0..2 * 784, device).float().reshape([2, 1, 28, 28]) / 784.0
    }

    #[test]
    fn saved_weights_give_the_same_logits_in_another_network() {
        let device = Device::flex();
        let network = mnist_baseline(&device);
        let other = Network::new(&backproof_spec::published::mnist_baseline(), 2, &device).unwrap();
        let logits = |network: &Network| network.forward(images(&device), PassMode::Inference).into_data();
        assert_ne!(logits(&network), logits(&other));
        let loaded = load_weights(other, &save_weights(&network).unwrap()).unwrap();
        assert_eq!(logits(&network), logits(&loaded));
    }

    #[test]
    fn names_and_layouts_are_those_of_pytorch() {
        let tensors = mnist_baseline(&Device::flex()).tensors();
        let table: Vec<(&str, Vec<usize>)> =
            tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.data.shape().to_vec())).collect();
        let expected = [
            ("conv1.weight", vec![16, 1, 5, 5]),
            ("conv1.bias", vec![16]),
            ("conv2.weight", vec![16, 16, 5, 5]),
            ("conv2.bias", vec![16]),
            ("linear1.weight", vec![10, 784]),
            ("linear1.bias", vec![10]),
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn weights_of_another_network_are_refused_by_name() {
        let device = Device::flex();
        let bytes = save_weights(&cifar_baseline(&device)).unwrap();
        let error = load_weights(mnist_baseline(&device), &bytes).unwrap_err();
        assert_eq!(error.to_string(), "conv1.weight has the shape [16, 3, 5, 5]; the network's is [16, 1, 5, 5]");
        let bytes = save_weights(&crate::willis_improved(&device)).unwrap();
        let error = load_weights(cifar_baseline(&device), &bytes).unwrap_err();
        assert!(matches!(&error, WeightsError::Unexpected(names) if names.len() == 2), "{error}");
        let bytes = save_weights(&cifar_baseline(&device)).unwrap();
        let error = load_weights(crate::willis_improved(&device), &bytes).unwrap_err();
        assert!(matches!(&error, WeightsError::Missing(names) if names.len() == 2), "{error}");
    }

    /// What `tests/fixtures/weights/make_fixture.py` made.
    fn fixture(name: &str) -> Vec<u8> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/weights");
        std::fs::read(folder.join(name)).unwrap()
    }

    fn fixture_network(device: &Device) -> Network {
        let config = String::from_utf8(fixture("config.toml")).unwrap();
        let experiment =
            backproof_spec::Experiment::from_toml("config.toml", &config, &[], &backproof_spec::DataSets::any())
                .unwrap();
        Network::new(&experiment.model, 1, device).unwrap()
    }

    #[test]
    fn weights_that_pytorch_saved_give_the_logits_of_pytorch() {
        let device = Device::flex();
        let bytes = fixture("pytorch.safetensors");
        assert!(SafeTensors::deserialize(&bytes).unwrap().names().contains(&"norm1.num_batches_tracked"));
        let network = load_weights(fixture_network(&device), &bytes).unwrap();
        let expected = fixture("expected.safetensors");
        let expected = SafeTensors::deserialize(&expected).unwrap();
        let tensor = |name: &str| decode(name, &expected.tensor(name).unwrap()).unwrap();
        let logits = network.forward(Tensor::from_data(tensor("images"), &device), PassMode::Inference).into_data();
        for (ours, theirs) in logits.iter::<f64>().zip(tensor("logits").iter::<f64>()) {
            assert!((ours - theirs).abs() < 1e-5 * theirs.abs().max(1.0), "{ours} is not {theirs}");
        }
    }

    #[test]
    fn doubles_are_rounded_to_the_precision_of_the_network() {
        let device = Device::flex();
        let network = mnist_baseline(&device);
        let doubles = |scale: f64| -> Vec<(String, Vec<usize>, Vec<u8>)> {
            let tensors = network.tensors().into_iter();
            tensors
                .map(|it| {
                    let bytes = it.data.iter::<f64>().flat_map(|w| (w * scale).to_le_bytes()).collect();
                    (it.name, it.data.shape().to_vec(), bytes)
                })
                .collect()
        };
        let file = |tensors: &[(String, Vec<usize>, Vec<u8>)]| {
            let views = tensors
                .iter()
                .map(|(name, shape, bytes)| (name.clone(), TensorView::new(Dtype::F64, shape.clone(), bytes).unwrap()));
            safetensors::serialize(views, None).unwrap()
        };
        let loaded = load_weights(mnist_baseline(&device), &file(&doubles(1.0))).unwrap();
        assert_eq!(
            loaded.forward(images(&device), PassMode::Inference).into_data(),
            network.forward(images(&device), PassMode::Inference).into_data()
        );
        let error = load_weights(mnist_baseline(&device), &file(&doubles(1e300))).unwrap_err();
        assert!(matches!(error, WeightsError::NotFinite { .. }), "{error}");
    }

    #[test]
    fn bytes_cut_anywhere_are_refused() {
        let device = Device::flex();
        let bytes = save_weights(&mnist_baseline(&device)).unwrap();
        for cut in [0, 7, 8, 100, bytes.len() - 1] {
            assert!(load_weights(mnist_baseline(&device), &bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}
