//! Whole networks on real images: from the loss of each image back to the image and to every parameter.
//!
//! The forward pass records its kinks, the sign at each ReLU and the index of each maximum, and the points of a
//! difference are compared by them. `images.rs` says why the images get noise first.

use std::iter;
use std::rc::Rc;

use backproof_compiled::{Plan, SegmentPlan, TrainingPlan};
use backproof_gradcheck::{GradientSource, Kinks, Options, Problem, Value, check_module, module_at, poison_device};
use backproof_kernels::Isa;
use backproof_layers::{Ranked, Saved, Sides};
use backproof_models::{Compiled, Network, PassMode};
use backproof_spec::{Architecture, LayerSpec, Shape, ShapeError, TracedLayer};
use backproof_train::{TrainingLoss, losses, losses_backward, objective};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::images::RealImages;
use crate::kernels::{single, source_name, value};
use crate::subject::Context;

/// The check of a network with this loss in one mode.
pub(crate) fn problem(
    architecture: &Architecture,
    loss: &TrainingLoss,
    images: &RealImages,
    mode: PassMode,
    context: &Context,
) -> Result<Problem<'static>, ShapeError> {
    let network = Network::new(architecture, context.seed, &context.reference)?;
    let names: Vec<String> = network.tensors().into_iter().map(|tensor| tensor.name).collect();
    let point = Rc::new(Point { network, loss: loss.clone(), labels: images.labels.clone(), mode });
    let (device, dtype, unit_roundoff) = (&context.device, context.dtype, context.unit_roundoff);

    let point_of = point.clone();
    let forward = move |network: &Network, images| point_of.losses(network.forward(images, mode));
    let input = images.images.tensor::<4>(device, dtype);
    let mut problem = check_module(&point.network, input.clone(), forward.clone(), device, &context.reference);
    problem.name.clone_from(&architecture.name);
    problem.sources[0].unit_roundoff = unit_roundoff;
    // A module is visited in the order of the names.
    for (tensor, name) in problem.tensors.iter_mut().zip(iter::once("images".to_owned()).chain(names)) {
        tensor.name = name;
    }

    let (point_of, place) = (point.clone(), device.clone());
    let mut manual = GradientSource::new("manual", unit_roundoff, move |values, cotangent| {
        poison_device(&place, values, dtype);
        point_of.by_hand(values, cotangent, &place, dtype)
    });
    let (point_of, place) = (point.clone(), device.clone());
    manual.forward = Some(Rc::new(move |values| point_of.forward(values, &Kinks::ignored(), &place, dtype)));
    problem.sources.push(manual);
    #[cfg(feature = "flex")]
    if let Some(&isa) = context.kernels.first().filter(|_| architecture.all_layers().into_iter().any(has_a_node)) {
        let network = point.network.clone().with_segments(isa);
        let mut sources = check_module(&network, input, forward, device, &context.reference).sources;
        sources[0].name = super::kernels::segments_name(isa);
        sources[0].unit_roundoff = unit_roundoff;
        problem.sources.append(&mut sources);
    }
    // A plan of the kernels is for training: there is none of a layer without a kernel, and none that goes back by the
    // running statistics.
    let compiles = |isa| Compiled::<TrainingPlan>::new(&point.network, isa).is_ok();
    if context.kernels.first().is_some_and(|&isa| mode != PassMode::Inference && compiles(isa)) {
        problem.sources.extend(context.kernels.iter().map(|&isa| kernels(&point, isa, context)));
    }

    let place = context.reference.clone();
    problem.recording = Some(Rc::new(move |values, kinks| point.forward(values, kinks, &place, DType::F64)));
    Ok(problem)
}

#[cfg(feature = "flex")]
fn has_a_node(layer: &LayerSpec) -> bool {
    matches!(layer, LayerSpec::Conv2d(_) | LayerSpec::Linear(_))
}

/// The network on the CPU kernels as a source.
fn kernels(point: &Rc<Point>, isa: Isa, context: &Context) -> GradientSource<'static> {
    let (of_backward, of_forward) = (point.clone(), point.clone());
    let (place, again) = (context.device.clone(), context.device.clone());
    let mut source = GradientSource::new(source_name(isa), context.unit_roundoff, move |values, cotangent| {
        poison_device(&place, values, DType::F32);
        of_backward.by_kernels(values, cotangent, isa, &place)
    });
    source.forward = Some(Rc::new(move |values| of_forward.losses_by_kernels(values, isa, &again)));
    source
}

/// What every closure of the problem needs: the structure, whose numbers are replaced, and the labels.
struct Point {
    network: Network,
    loss: TrainingLoss,
    labels: Vec<usize>,
    mode: PassMode,
}

impl Point {
    fn labels(&self, device: &Device) -> Tensor<1, Int> {
        let labels: Vec<i64> = self.labels.iter().map(|&label| label as i64).collect();
        let count = labels.len();
        Tensor::from_data(TensorData::new(labels, [count]), device)
    }

    /// The loss of each image, `[N]`, of outputs `[N, K]`.
    fn losses(&self, outputs: Tensor<2>) -> Tensor<1> {
        let labels = self.labels(&outputs.device());
        losses(&self.loss, outputs, labels)
    }

    /// The loss of each image, without autodiff.
    fn forward(&self, values: &[Value], kinks: &Kinks, device: &Device, dtype: DType) -> Value {
        let network = module_at(&self.network, &values[1..], device, dtype);
        let (logits, saved) = network.forward_saving(values[0].tensor(device, dtype), self.mode);
        saved.all().for_each(|saved| record(saved, kinks));
        self.losses(logits).into()
    }

    fn by_hand(&self, values: &[Value], cotangent: &Value, device: &Device, dtype: DType) -> Vec<Option<Value>> {
        let network = module_at(&self.network, &values[1..], device, dtype);
        let (logits, saved) = network.forward_saving(values[0].tensor(device, dtype), self.mode);
        let logits_gradient = losses_backward(&self.loss, logits, self.labels(device), cotangent.tensor(device, dtype));
        let (images, parameters) = network.backward_to_images(saved, logits_gradient);
        let mut found = ByHand { parameters: &parameters, values: vec![Some(images.into())] };
        network.visit(&mut found);
        found.values
    }

    /// The parameters' gradients by the plan that trains; the images' by one that goes on to them.
    fn by_kernels(&self, values: &[Value], cotangent: &Value, isa: Isa, device: &Device) -> Vec<Option<Value>> {
        let weights = single(cotangent);
        let (compiled, network) = self.trained(values, &weights, isa, device);
        let mut found = Stored(Vec::new());
        compiled.gradients(network).visit(&mut found);
        let (mut compiled, _) = self.compiled::<SegmentPlan>(values, isa, device);
        self.images(values, |write| {
            compiled.weighted_pass(write, &self.labels, &weights, &objective(&self.loss), self.mode);
        });
        let mut images = vec![0.0; values[0].len()];
        compiled.plan().input_gradient(&mut images);
        iter::once(value(values[0].dims(), &images)).chain(found.0).map(Some).collect()
    }

    /// The loss of each image.
    fn losses_by_kernels(&self, values: &[Value], isa: Isa, device: &Device) -> Value {
        let weights = vec![1.0; self.labels.len()];
        let (compiled, _) = self.trained(values, &weights, isa, device);
        let objective = objective(&self.loss);
        let of_image = |(image, &label): (usize, &usize)| {
            let outputs = compiled.plan().outputs(image);
            objective.loss(outputs, label, 1.0, &mut vec![0.0; outputs.len()])
        };
        Value::new([self.labels.len()], self.labels.iter().enumerate().map(of_image).collect())
    }

    /// The network of these values, and its plan with the gradients of a pass with these weights of the images.
    fn trained(
        &self,
        values: &[Value],
        weights: &[f32],
        isa: Isa,
        device: &Device,
    ) -> (Compiled<TrainingPlan>, Network) {
        let (mut compiled, network) = self.compiled::<TrainingPlan>(values, isa, device);
        self.images(values, |write| {
            compiled.weighted_pass(write, &self.labels, weights, &objective(&self.loss), self.mode);
        });
        (compiled, network)
    }

    /// The network of these values and its plan.
    fn compiled<P: Plan>(&self, values: &[Value], isa: Isa, device: &Device) -> (Compiled<P>, Network) {
        let network = module_at(&self.network, &values[1..], device, DType::F32);
        (Compiled::new(&network, isa).expect("the network was compiled before"), network)
    }

    /// Calls `pass` with what writes an image of these values.
    fn images(&self, values: &[Value], pass: impl FnOnce(&(dyn Fn(usize, &mut [f32]) + Sync))) {
        let images = single(&values[0]);
        let elements = images.len() / self.labels.len();
        pass(&|n, to| to.copy_from_slice(&images[n * elements..][..elements]));
    }
}

/// On which side of its kinks a layer was.
fn record(saved: &Saved, kinks: &Kinks) {
    match saved.sides() {
        Some(Sides::Signs(Ranked::Images(images))) => kinks.signs(&images),
        Some(Sides::Signs(Ranked::Vectors(vectors))) => kinks.signs(&vectors),
        Some(Sides::Argmax(argmax)) => kinks.argmax(&argmax),
        None => {}
    }
}

/// The gradients that the backward by hand registered, in the order of the visit.
struct ByHand<'g> {
    parameters: &'g GradientsParams,
    values: Vec<Option<Value>>,
}

impl ModuleVisitor for ByHand<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.values.push(self.parameters.get::<D>(param.id).map(Value::from));
    }
}

/// The tensors of a network, in the order of the visit.
struct Stored(Vec<Value>);

impl ModuleVisitor for Stored {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().into());
    }
}

/// The modes in which the gradients of an architecture differ.
pub(crate) fn modes(architecture: &Architecture, seed: u64) -> Vec<(&'static str, PassMode)> {
    let training = ("training", PassMode::Training { seed, step: 0 });
    let depends = |layer: &LayerSpec| matches!(layer, LayerSpec::BatchNorm(_) | LayerSpec::Dropout(_));
    match architecture.all_layers().into_iter().any(depends) {
        true => vec![training, ("inference", PassMode::Inference)],
        false => vec![training],
    }
}

/// Images in the batch of a network: 2 where one takes more than ten million multiplications, else 4.
pub(crate) fn images(architecture: &Architecture) -> Result<usize, ShapeError> {
    Ok(if multiplications(architecture)? > 10_000_000 { 2 } else { 4 })
}

/// Multiplications of a forward pass of one image.
fn multiplications(architecture: &Architecture) -> Result<usize, ShapeError> {
    let of_layer = |layer: &TracedLayer| match layer.output {
        Shape::Image { height, width, .. } => layer.weights * height * width,
        Shape::Vector { .. } => layer.weights,
    };
    Ok(architecture.trace()?.iter().flat_map(TracedLayer::single).map(of_layer).sum())
}

/// How much of a network is checked: as many elements of each tensor as a budget of multiplications allows, from 2 to
/// 64.
pub(crate) fn options(architecture: &Architecture, images: usize, seed: u64) -> Result<Options, ShapeError> {
    /// About ten seconds of a core in double precision.
    const BUDGET: usize = 10_000_000_000;
    /// Evaluations for one element: two steps to either side.
    const EVALUATIONS: usize = 4;
    let of_layer = |layer: &TracedLayer| usize::from(layer.weights > 0) + usize::from(layer.biases > 0);
    let tensors = 1 + architecture.trace()?.iter().flat_map(TracedLayer::single).map(of_layer).sum::<usize>();
    let pass = images * multiplications(architecture)?.max(1);
    let quota = (BUDGET / (EVALUATIONS * tensors * pass)).clamp(2, 64);
    Ok(Options { seed, cotangents: 2, full: quota, quota, jacobian: 0, ..Options::default() })
}
