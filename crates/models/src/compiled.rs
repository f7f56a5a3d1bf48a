//! A network on the CPU kernels: the layers as a plan, tensors going in and out by name.

use std::collections::BTreeMap;

use backproof_compiled::{
    Differentiable, InferencePlan, Inputs, Objective, Parameter, PassOutcome, Plan, TrainingPlan,
};
use backproof_kernels::{Isa, OptimizerStep};
use backproof_layers::{self as layers, Dropout, Layer};
use burn::module::Module;
use burn::tensor::{DType, TensorData};

use crate::has_kernels::{NotCompiled, operations};
use crate::weights::Replace;
use crate::{Network, PassMode};

/// A network on the CPU kernels, in single precision, as a plan of one kind: [`InferencePlan`], [`TrainingPlan`] or
/// [`SegmentPlan`](backproof_compiled::SegmentPlan).
///
/// The plan has memory of its own for the parameters; a [`Network`] gives them, and [`store`](Self::store) puts them into
/// one.
#[derive(Debug, Clone)]
pub struct Compiled<P> {
    plan: P,
    /// Of each tensor its name, its layer's number, role and shape in PyTorch's layout.
    tensors: Vec<(String, usize, Parameter, Vec<usize>)>,
    /// The layers that drop, by number.
    dropouts: BTreeMap<usize, Dropout>,
}

/// Writes image n, `[C, H, W]`.
type Write<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

impl<P: Plan> Compiled<P> {
    /// `network` with its parameters and running statistics.
    ///
    /// # Errors
    ///
    /// A layer without a kernel, frozen tensors, or another precision than single.
    pub fn new(network: &Network, isa: Isa) -> Result<Self, NotCompiled> {
        let (input, operations) = operations(network.architecture())?;
        can_freeze(network)?;
        let tensors = network.tensors();
        if !tensors.iter().all(|tensor| tensor.data.dtype() == DType::F32) {
            return Err(NotCompiled::Precision);
        }
        let tensors = tensors
            .into_iter()
            .map(|tensor| {
                let (layer, parameter) = parameter_of(network, &tensor.name);
                (tensor.name, layer, parameter, tensor.data.shape().to_vec())
            })
            .collect();
        let dropouts = network.all_layers().enumerate().filter_map(|(index, layer)| match layer {
            Layer::Dropout(dropout) => Some((index, dropout.clone())),
            _ => None,
        });
        let mut compiled = Self { plan: P::new(isa, input, &operations), tensors, dropouts: dropouts.collect() };
        compiled.load_those(network, |_, _| true, P::set);
        Ok(compiled)
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &P {
        &self.plan
    }

    /// The plan, to make steps with.
    pub fn plan_mut(&mut self) -> &mut P {
        &mut self.plan
    }

    /// `network` with these parameters and running statistics in place of its own.
    #[must_use]
    pub fn store(&self, network: Network) -> Network {
        self.store_those(network, |_, _| true, P::get)
    }

    fn load_those(
        &mut self,
        network: &Network,
        wanted: impl Fn(&str, Parameter) -> bool,
        set: impl Fn(&mut P, usize, Parameter, &[f32]),
    ) {
        for (tensor, (name, layer, parameter, _)) in network.tensors().into_iter().zip(&self.tensors) {
            debug_assert_eq!(&tensor.name, name);
            if wanted(name, *parameter) {
                let values = tensor.data.as_slice::<f32>().expect("a network in single precision");
                set(&mut self.plan, *layer, *parameter, values);
            }
        }
    }

    fn store_those(
        &self,
        network: Network,
        wanted: impl Fn(&str, Parameter) -> bool,
        get: impl Fn(&P, usize, Parameter, &mut [f32]),
    ) -> Network {
        let found = self
            .tensors
            .iter()
            .filter(|(name, _, parameter, _)| wanted(name, *parameter))
            .map(|(name, layer, parameter, shape)| {
                let mut values = vec![0.0; shape.iter().product()];
                get(&self.plan, *layer, *parameter, &mut values);
                (name.clone(), TensorData::new(values, shape.clone()))
            })
            .collect();
        let mut replace = Replace::new(&network, found);
        network.map(&mut replace)
    }
}

impl Compiled<InferencePlan> {
    /// The logits of `count` images by the running statistics, `[N, K]` in row-major order.
    pub fn logits(&mut self, count: usize, write: Write<'_>) -> Vec<f32> {
        let mask = |_: usize, _: usize, _: &mut [f32]| unreachable!("inference drops nothing");
        self.plan.infer(&Inputs { count, image: write, mask: &mask });
        (0..count).flat_map(|image| self.plan.outputs(image)).copied().collect()
    }
}

impl Compiled<TrainingPlan> {
    /// The images that `write` writes, as many as there are `labels`: loss, right answers and, inside of the plan,
    /// gradients.
    pub fn pass(&mut self, write: Write<'_>, labels: &[usize], objective: &Objective, mode: PassMode) -> PassOutcome {
        let mask = masks(&self.dropouts, mode);
        self.plan.pass(&Inputs { count: labels.len(), image: write, mask: &mask }, labels, objective)
    }

    /// As [`pass`](Self::pass), of images with two labels each, of which the first has the share `share`.
    pub fn mixed_pass(
        &mut self,
        write: Write<'_>,
        labels: [&[usize]; 2],
        share: f64,
        objective: &Objective,
        mode: PassMode,
    ) -> PassOutcome {
        let mask = masks(&self.dropouts, mode);
        self.plan.mixed_pass(&Inputs { count: labels[0].len(), image: write, mask: &mask }, labels, share, objective)
    }

    /// `network` with number `slot` of what the optimizer's step remembers of its parameters in their place. Running
    /// statistics stay its own.
    #[must_use]
    pub fn remembered(&self, slot: usize, network: Network) -> Network {
        self.store_those(network, is_parameter, |plan, layer, parameter, to| {
            plan.remembered(slot, layer, parameter, to)
        })
    }

    /// Takes the parameters of `network` as what [`remembered`](Self::remembered) gives.
    pub fn load_remembered(&mut self, slot: usize, network: &Network) {
        self.load_those(network, is_parameter, |plan, layer, parameter, values| {
            plan.set_remembered(slot, layer, parameter, values);
        });
    }
}

/// What an optimizer does by the names of parameters.
impl Compiled<TrainingPlan> {
    /// Puts the gradients of the last pass together, unless that is done, and moves each parameter by the step that
    /// `of` gives it.
    pub fn step_each<'a>(&mut self, of: &dyn Fn(&str) -> Option<&'a dyn OptimizerStep>) {
        let Self { plan, tensors, .. } = self;
        plan.step_each(&|layer, parameter| of(name_of(tensors, layer, parameter)?));
    }

    /// The sum of the squares of all gradients of the parameters that `of` names, once they are together.
    #[must_use]
    pub fn squared_gradients(&self, of: &dyn Fn(&str) -> bool) -> f64 {
        self.plan.squared_gradients(&|layer, parameter| name_of(&self.tensors, layer, parameter).is_some_and(of))
    }

    /// The weights as they lie in memory, for [`squared_steps`](Self::squared_steps).
    #[must_use]
    pub fn packed_weights(&self) -> Vec<f32> {
        self.plan.packed_weights()
    }

    /// Of each parameter its name, how many numbers it has, Σ (w − v)² and Σ v², where w are its weights, and v what
    /// they were in `before`, which [`packed_weights`](Self::packed_weights) gave.
    #[must_use]
    pub fn squared_steps(&self, before: &[f32]) -> Vec<(String, usize, [f64; 2])> {
        let sums = self.plan.squared_steps(before);
        let of_tensor = |(name, layer, role, shape): &(String, usize, Parameter, Vec<usize>)| {
            let (.., sums) = sums.iter().find(|(of, parameter, _)| (of, parameter) == (layer, role))?;
            Some((name.clone(), shape.iter().product(), *sums))
        };
        self.tensors.iter().filter_map(of_tensor).collect()
    }

    /// Σ g² of each parameter by its name, once the gradients are together.
    #[must_use]
    pub fn squared_gradients_of_each(&self) -> BTreeMap<String, f64> {
        let parameters = self.tensors.iter().filter(|(name, _, parameter, _)| is_parameter(name, *parameter));
        let squares = |layer, role| self.plan.squared_gradients(&|of, parameter| (of, parameter) == (layer, role));
        parameters.map(|(name, layer, role, _)| (name.clone(), squares(*layer, *role))).collect()
    }

    /// `network` with the parameters that `wanted` names in place of its own.
    #[must_use]
    pub fn store_parameters(&self, network: Network, wanted: impl Fn(&str) -> bool) -> Network {
        self.store_those(network, |name, tensor| is_parameter(name, tensor) && wanted(name), Plan::get)
    }

    /// Takes the parameters of `network` that `wanted` names.
    pub fn load_parameters(&mut self, network: &Network, wanted: impl Fn(&str) -> bool) {
        self.load_those(network, |name, tensor| is_parameter(name, tensor) && wanted(name), Plan::set);
    }

    /// `network` with the gradients of the parameters that `wanted` names in place of these.
    #[must_use]
    pub fn store_gradients(&self, network: Network, wanted: impl Fn(&str) -> bool) -> Network {
        self.store_those(network, |name, tensor| is_parameter(name, tensor) && wanted(name), Differentiable::gradient)
    }

    /// `network` with the parameters of copy `slot`, and with the running statistics of now; none before there is one.
    #[must_use]
    pub fn copied(&self, slot: usize, network: Network) -> Option<Network> {
        let get = |plan: &TrainingPlan, layer, parameter, to: &mut [f32]| match parameter {
            Parameter::Weight | Parameter::Bias => plan.copied(slot, layer, parameter, to),
            Parameter::RunningMean | Parameter::RunningVariance => plan.get(layer, parameter, to),
        };
        self.plan.has_copy(slot).then(|| self.store_those(network, |_, _| true, get))
    }

    /// Takes the parameters of `network` as copy `slot`.
    pub fn load_copied(&mut self, slot: usize, network: &Network) {
        self.load_those(network, is_parameter, |plan, layer, parameter, values| {
            plan.set_copied(slot, layer, parameter, values);
        });
    }
}

impl<P: Differentiable> Compiled<P> {
    /// Forward and backward from `Σ_n weights[n] · loss[n]` of the images that `write` writes: the mean loss, right
    /// answers and, inside of the plan, gradients.
    pub fn weighted_pass(
        &mut self,
        write: Write<'_>,
        labels: &[usize],
        weights: &[f32],
        objective: &Objective,
        mode: PassMode,
    ) -> PassOutcome {
        let mask = masks(&self.dropouts, mode);
        let inputs = Inputs { count: labels.len(), image: write, mask: &mask };
        self.plan.weighted_pass(&inputs, labels, weights, objective)
    }

    /// `network` with the gradients of its parameters in their place. Running statistics stay its own.
    #[must_use]
    pub fn gradients(&self, network: Network) -> Network {
        self.store_those(network, is_parameter, P::gradient)
    }
}

/// What dropout multiplies with in a pass of this mode, as a batch asks for it.
fn masks(dropouts: &BTreeMap<usize, Dropout>, mode: PassMode) -> impl Fn(usize, usize, &mut [f32]) + Sync + '_ {
    move |layer, first, mask| match mode.of_layer(layer) {
        layers::Mode::Training { dropout_seed } => dropouts[&layer].write_mask(dropout_seed, first, mask),
        layers::Mode::Inference => mask.fill(1.0),
    }
}

/// The name of the tensor of a layer.
fn name_of(tensors: &[(String, usize, Parameter, Vec<usize>)], layer: usize, parameter: Parameter) -> Option<&str> {
    let named = tensors.iter().find(|(_, of, role, _)| (*of, *role) == (layer, parameter));
    named.map(|(name, ..)| name.as_str())
}

/// Whether the frozen tensors of a network only stay as they are. A normalisation that is frozen as a whole computes
/// otherwise, by its running statistics, which a plan does not do in training.
///
/// # Errors
///
/// The layers that are frozen as a whole.
pub fn can_freeze(network: &Network) -> Result<(), NotCompiled> {
    let layers = network.names().iter().enumerate().filter(|(number, _)| network.is_frozen_layer(*number));
    let layers: Vec<String> = layers.map(|(_, name)| name.clone()).collect();
    if layers.is_empty() { Ok(()) } else { Err(NotCompiled::Frozen { layers }) }
}

/// Whether it is trained, and no running statistic.
fn is_parameter(_: &str, tensor: Parameter) -> bool {
    matches!(tensor, Parameter::Weight | Parameter::Bias)
}

/// The layer and the role of the tensor `name`, `conv1.weight`.
fn parameter_of(network: &Network, name: &str) -> (usize, Parameter) {
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
