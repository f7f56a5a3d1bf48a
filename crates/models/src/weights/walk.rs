//! Walks over the module tree: the tensors of a network by their names in PyTorch, read and replaced.

use std::collections::{BTreeMap, BTreeSet};

use burn::Tensor;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::TensorData;

use crate::Network;

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

    /// The network with `values` in place of those of the tensor `name`, in PyTorch's layout and in the precision of
    /// the network.
    ///
    /// # Panics
    ///
    /// If it has no such tensor, or the tensor has another number of elements.
    #[must_use]
    pub fn with_values(self, name: &str, values: &[f64]) -> Self {
        let tensors = self.tensors();
        let own = &tensors.iter().find(|tensor| tensor.name == name).expect("a tensor of the network").data;
        let data = TensorData::new(values.to_vec(), own.shape().to_vec()).convert_dtype(own.dtype());
        let mut replace = Replace::new(&self, BTreeMap::from([(name.to_owned(), data)]));
        self.map(&mut replace)
    }

    /// The network with the parameters of `other`, which has the same layers, and with its own running statistics.
    #[must_use]
    pub fn with_parameters(self, other: &Self) -> Self {
        let names: BTreeSet<String> = self.parameter_ids().into_iter().map(|(name, _)| name).collect();
        let parameters = other.tensors().into_iter().filter(|tensor| names.contains(&tensor.name));
        let found = parameters.map(|tensor| (tensor.name, tensor.data)).collect();
        let mut replace = Replace::new(&self, found);
        self.map(&mut replace)
    }

    /// The names and the ids of the parameters, frozen ones included, in the order of the layers.
    #[must_use]
    pub fn parameter_ids(&self) -> Vec<(String, ParamId)> {
        let mut collect = CollectIds { path: Path::new(self.names()), ids: Vec::new() };
        self.visit(&mut collect);
        collect.ids
    }

    /// ½ ‖w‖² over the trainable parameters of each of `count` groups, in f64; `group` says by name which one.
    #[must_use]
    pub fn half_squared_norms(&self, count: usize, group: impl Fn(&str) -> Option<usize>) -> Vec<f64> {
        let mut norms = vec![0.0; count];
        for tensor in self.tensors().into_iter().filter(|tensor| tensor.trainable) {
            if let Some(group) = group(&tensor.name) {
                norms[group] += 0.5 * tensor.data.iter::<f64>().map(|w| w * w).sum::<f64>();
            }
        }
        norms
    }
}

/// Where a walk over the module tree is: `layers`, the layer's index, its variant, the field. Inside of a layer there
/// may be others: `layers`, index, `Residual`, `body`, index, and so on.
pub(crate) struct Path {
    names: Vec<String>,
    steps: Vec<String>,
    /// The numbers of the layer that the walk is in, and of those around it.
    layers: Vec<usize>,
    /// The number of the next layer: a walk meets the layers in the order of their numbers.
    next: usize,
}

impl Path {
    pub(crate) fn new(names: &[String]) -> Self {
        Self { names: names.to_vec(), steps: Vec::new(), layers: Vec::new(), next: 0 }
    }

    pub(crate) fn enter(&mut self, step: &str) {
        if is_index(step) {
            self.layers.push(self.next);
            self.next += 1;
        }
        self.steps.push(step.to_owned());
    }

    pub(crate) fn exit(&mut self) {
        if self.steps.pop().is_some_and(|step| is_index(&step)) {
            self.layers.pop();
        }
    }

    /// PyTorch's name of the tensor here.
    pub(crate) fn tensor_name(&self) -> String {
        let number = *self.layers.last().expect("a tensor is of a layer");
        let role = match self.steps.last().expect("a tensor is a field").as_str() {
            "gamma" | "slope" => "weight",
            "beta" => "bias",
            "running_variance" => "running_var",
            other => other,
        };
        format!("{}.{role}", self.names[number])
    }

    fn is_linear_weight(&self) -> bool {
        self.steps.iter().any(|step| step == "Linear") && self.steps.last().is_some_and(|step| step == "weight")
    }

    fn is_trainable(&self) -> bool {
        !self.steps.last().is_some_and(|step| step.starts_with("running_"))
    }
}

/// Whether a step is the index of a layer: only layers are in a `Vec`.
fn is_index(step: &str) -> bool {
    step.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads the tensors.
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

/// Reads the trainable tensors as gradients.
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

/// Reads the ids of the parameters.
struct CollectIds {
    path: Path,
    ids: Vec<(String, ParamId)>,
}

impl ModuleVisitor for CollectIds {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if self.path.is_trainable() {
            self.ids.push((self.path.tensor_name(), parameter.id));
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
