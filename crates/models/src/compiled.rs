//! A network on the CPU kernels: the layers as a plan, tensors going in and out by name.

use std::collections::BTreeMap;

use backproof_kernels as kernels;
use backproof_kernels::{Isa, Of, Parameter, Plan, Purpose};
use backproof_layers as layers;
use backproof_layers::Dropout;
use burn::module::Module;
use burn::tensor::{DType, TensorData};

use crate::has_kernels::{NotCompiled, kernel_layers};
use crate::layer::Layer;
use crate::weights::Replace;
use crate::{Mode, Network};

/// A network whose passes run on the CPU kernels, in single precision.
///
/// It has memory for its parameters, their gradients and what momentum remembers; a [`Network`] gives them and takes them back
/// ([`load`](Self::load), [`store`](Self::store)).
#[derive(Debug, Clone)]
pub struct Compiled {
    plan: Plan,
    /// Of each tensor its name, layer, role and shape in PyTorch's layout.
    tensors: Vec<(String, usize, Parameter, Vec<usize>)>,
    /// The layers that drop, by place.
    dropouts: BTreeMap<usize, Dropout>,
}

impl Compiled {
    /// `network` with its parameters.
    ///
    /// # Errors
    ///
    /// A layer without a kernel, frozen tensors, or another precision than single.
    pub fn new(network: &Network, isa: Isa, purpose: Purpose) -> Result<Self, NotCompiled> {
        let (input, layers) = kernel_layers(network.architecture())?;
        if !network.frozen().is_empty() {
            return Err(NotCompiled::Frozen { tensors: network.frozen().iter().cloned().collect() });
        }
        let tensors = network.tensors();
        if !tensors.iter().all(|tensor| tensor.data.dtype() == DType::F32) {
            return Err(NotCompiled::Precision);
        }
        let tensors = tensors
            .into_iter()
            .map(|tensor| {
                let (layer, parameter) = place(network, &tensor.name);
                (tensor.name, layer, parameter, tensor.data.shape().to_vec())
            })
            .collect();
        let dropouts = network
            .layers()
            .iter()
            .enumerate()
            .filter_map(|(place, layer)| match layer {
                Layer::Dropout(dropout) => Some((place, dropout.clone())),
                _ => None,
            })
            .collect();
        let mut compiled = Self { plan: Plan::new(isa, input, &layers, purpose), tensors, dropouts };
        compiled.load(network, Of::Values);
        Ok(compiled)
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The plan, to make steps with.
    pub fn plan_mut(&mut self) -> &mut Plan {
        &mut self.plan
    }

    /// The images that `write` writes, as many as there are `labels`: loss, right answers and, inside of the plan, gradients.
    pub fn pass(
        &mut self,
        write: &(dyn Fn(usize, &mut [f32]) + Sync),
        labels: &[usize],
        objective: kernels::Objective,
        mode: Mode,
    ) -> kernels::Outcome {
        let mask = masks(&self.dropouts, mode);
        self.plan.pass(&kernels::Batch { count: labels.len(), image: write, mask: &mask }, labels, objective)
    }

    /// [`pass`](Self::pass) with the gradients of `Σ_n weights[n] · loss[n]` in place of the mean's.
    pub fn weighted_pass(
        &mut self,
        write: &(dyn Fn(usize, &mut [f32]) + Sync),
        labels: &[usize],
        weights: &[f32],
        objective: kernels::Objective,
        mode: Mode,
    ) -> kernels::Outcome {
        let mask = masks(&self.dropouts, mode);
        let batch = kernels::Batch { count: labels.len(), image: write, mask: &mask };
        self.plan.weighted_pass(&batch, labels, weights, objective)
    }

    /// The logits of `count` images by the running statistics, `[N, K]` in row-major order.
    pub fn logits(&mut self, count: usize, write: &(dyn Fn(usize, &mut [f32]) + Sync)) -> Vec<f32> {
        let mask = |_: usize, _: usize, _: &mut [f32]| unreachable!("inference drops nothing");
        self.plan.infer(&kernels::Batch { count, image: write, mask: &mask });
        (0..count).flat_map(|image| self.plan.outputs(image)).copied().collect()
    }

    /// Takes the tensors of `network`, as parameters or as what momentum remembers of them. Running statistics are taken with the
    /// parameters.
    pub fn load(&mut self, network: &Network, of: Of) {
        self.load_those(network, of, |parameter| of == Of::Values || is_parameter(parameter));
    }

    /// Takes the parameters of `network`, and no running statistics.
    pub fn load_parameters(&mut self, network: &Network) {
        self.load_those(network, Of::Values, is_parameter);
    }

    fn load_those(&mut self, network: &Network, of: Of, wanted: impl Fn(Parameter) -> bool) {
        for (tensor, (name, layer, parameter, _)) in network.tensors().into_iter().zip(&self.tensors) {
            debug_assert_eq!(&tensor.name, name);
            if !wanted(*parameter) {
                continue;
            }
            let values = tensor.data.as_slice::<f32>().expect("a network in single precision");
            self.plan.set(*layer, *parameter, of, values);
        }
    }

    /// `network` with the parameters, their gradients, or what momentum remembers of them in place of its tensors. Running
    /// statistics are themselves, whatever is asked for.
    #[must_use]
    pub fn store(&self, network: Network, of: Of) -> Network {
        let found = self
            .tensors
            .iter()
            .map(|(name, layer, parameter, shape)| {
                let mut values = vec![0.0; shape.iter().product()];
                self.plan.get(*layer, *parameter, of, &mut values);
                (name.clone(), TensorData::new(values, shape.clone()))
            })
            .collect();
        let mut replace = Replace::new(&network, found);
        network.map(&mut replace)
    }
}

/// What dropout multiplies with in a pass of this mode, as a batch asks for it.
fn masks(dropouts: &BTreeMap<usize, Dropout>, mode: Mode) -> impl Fn(usize, usize, &mut [f32]) + Sync + '_ {
    move |layer, first, mask| match mode.of_layer(layer) {
        layers::Mode::Training { dropout_seed } => dropouts[&layer].write_mask(dropout_seed, first, mask),
        layers::Mode::Inference => mask.fill(1.0),
    }
}

/// Whether it is trained, and no running statistic.
fn is_parameter(tensor: Parameter) -> bool {
    matches!(tensor, Parameter::Weight | Parameter::Bias)
}

/// The layer and the role of the tensor `name`, `conv1.weight`.
fn place(network: &Network, name: &str) -> (usize, Parameter) {
    let (layer, role) = name.rsplit_once('.').expect("a tensor's name has its role");
    let layer = network.names().iter().position(|name| name == layer).expect("a tensor is of a layer");
    let parameter = match role {
        "weight" => Parameter::Weight,
        "bias" => Parameter::Bias,
        "running_mean" => Parameter::RunningMean,
        "running_var" => Parameter::RunningVariance,
        other => unreachable!("no tensor is called {other}"),
    };
    (layer, parameter)
}
