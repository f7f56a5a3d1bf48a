//! Whole networks on real images: from the loss of each image back to the image and to every parameter.

use std::rc::Rc;

use backproof_gradcheck::{Kinks, Options, Problem, Role, Source, Value, Variable, module_at, poison_device};
use backproof_layers::{BinaryCrossEntropy, MeanSquaredError, SoftmaxCrossEntropy};
use backproof_models::{Mode, Network, Ranked, Saved};
use backproof_spec::{Architecture, Layer, Loss, Shape, ShapeError, TracedLayer};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Gradients, Int, Tensor, TensorData};

use super::images::RealImages;
use super::subject::Context;

/// The check of a network with this loss in one mode.
pub(crate) fn problem(
    architecture: &Architecture,
    loss: Loss,
    images: &RealImages,
    mode: Mode,
    context: &Context,
) -> Result<Problem<'static>, ShapeError> {
    let network = Network::new(architecture, context.seed, &context.reference)?;
    let mut parameters = Collect(Vec::new());
    network.clone().train().visit(&mut parameters);
    let mut tensors = vec![variable("images", Role::Input, images.images.clone())];
    // The visit is in the order of the names.
    for ((role, value), named) in parameters.0.into_iter().zip(network.tensors()) {
        tensors.push(variable(named.name, role, value));
    }
    let point = Rc::new(Point { network, loss, labels: images.labels.clone(), mode });

    let (device, dtype, unit_roundoff) = (&context.device, context.dtype, context.unit_roundoff);

    let (point_of, place) = (point.clone(), device.clone());
    let mut autodiff = Source::new("autodiff", unit_roundoff, move |values, cotangent| {
        poison_device(&place, values, dtype);
        point_of.by_autodiff(values, cotangent, &place, dtype)
    });
    let (point_of, place) = (point.clone(), device.clone());
    autodiff.forward = Some(Rc::new(move |values| point_of.tracked(values, &place, dtype).losses.into()));

    let (point_of, place) = (point.clone(), device.clone());
    let mut manual = Source::new("manual", unit_roundoff, move |values, cotangent| {
        poison_device(&place, values, dtype);
        point_of.by_hand(values, cotangent, &place, dtype)
    });
    let (point_of, place) = (point.clone(), device.clone());
    manual.forward = Some(Rc::new(move |values| point_of.losses(values, &Kinks::ignored(), &place, dtype)));

    let (point_of, place) = (point.clone(), context.reference.clone());
    let forward = move |values: &[Value]| point_of.losses(values, &Kinks::ignored(), &place, DType::F64);
    let mut problem = Problem::new(&architecture.name, dtype, tensors, forward);
    let place = context.reference.clone();
    problem.recording = Some(Rc::new(move |values, kinks| point.losses(values, kinks, &place, DType::F64)));
    problem.sources = vec![autodiff, manual];
    Ok(problem)
}

/// What every closure of the problem needs: the structure, whose numbers are replaced, and the labels.
struct Point {
    network: Network,
    loss: Loss,
    labels: Vec<usize>,
    mode: Mode,
}

/// A pass that autodiff follows.
struct Tracked {
    network: Network,
    images: Tensor<4>,
    losses: Tensor<1>,
}

impl Point {
    fn labels(&self, device: &Device) -> Tensor<1, Int> {
        let labels: Vec<i64> = self.labels.iter().map(|&label| label as i64).collect();
        let count = labels.len();
        Tensor::from_data(TensorData::new(labels, [count]), device)
    }

    /// 1 at each label and 0 elsewhere, like the outputs `[N, K]`.
    fn one_hot(&self, outputs: &Tensor<2>) -> Tensor<2> {
        let [count, classes] = outputs.dims();
        let mut rows = vec![0.0; count * classes];
        self.labels.iter().enumerate().for_each(|(image, label)| rows[image * classes + label] = 1.0);
        Value::new([count, classes], rows).tensor(&outputs.device(), outputs.dtype())
    }

    /// The loss of each image, `[N]`, of outputs `[N, K]`.
    fn loss(&self, outputs: Tensor<2>) -> Tensor<1> {
        let (labels, targets) = (self.labels(&outputs.device()), self.one_hot(&outputs));
        match self.loss {
            Loss::CrossEntropy => SoftmaxCrossEntropy.forward(outputs, labels),
            Loss::MeanSquaredError => MeanSquaredError.forward(outputs, targets),
            Loss::BinaryCrossEntropy => BinaryCrossEntropy.forward(outputs, targets),
        }
    }

    /// The gradient of the outputs, `[N, K]`, from that of the losses, `[N]`.
    fn loss_backward(&self, outputs: Tensor<2>, gradient: Tensor<1>) -> Tensor<2> {
        let (labels, targets) = (self.labels(&outputs.device()), self.one_hot(&outputs));
        match self.loss {
            Loss::CrossEntropy => {
                SoftmaxCrossEntropy.backward(SoftmaxCrossEntropy.forward_saving(outputs, labels).1, gradient)
            }
            Loss::MeanSquaredError => {
                MeanSquaredError.backward(MeanSquaredError.forward_saving(outputs, targets).1, gradient)
            }
            Loss::BinaryCrossEntropy => {
                BinaryCrossEntropy.backward(BinaryCrossEntropy.forward_saving(outputs, targets).1, gradient)
            }
        }
    }

    /// The loss of each image, without autodiff.
    fn losses(&self, values: &[Value], kinks: &Kinks, device: &Device, dtype: DType) -> Value {
        let network = module_at(&self.network, &values[1..], device, dtype);
        let (logits, saved) = network.forward_saving(values[0].tensor(device, dtype), self.mode);
        saved.layers().iter().for_each(|saved| record(saved, kinks));
        self.loss(logits).into()
    }

    fn by_hand(&self, values: &[Value], cotangent: &Value, device: &Device, dtype: DType) -> Vec<Option<Value>> {
        let network = module_at(&self.network, &values[1..], device, dtype);
        let (logits, saved) = network.forward_saving(values[0].tensor(device, dtype), self.mode);
        let logits_gradient = self.loss_backward(logits, cotangent.tensor(device, dtype));
        let (images, parameters) = network.backward_to_images(saved, logits_gradient);
        let mut found = ByHand { parameters: &parameters, values: vec![Some(images.into())] };
        network.visit(&mut found);
        found.values
    }

    fn tracked(&self, values: &[Value], device: &Device, dtype: DType) -> Tracked {
        let network = module_at(&self.network, &values[1..], device, dtype).train();
        let device = device.clone().autodiff();
        let images = values[0].tensor::<4>(&device, dtype).require_grad();
        let logits = network.forward(images.clone(), self.mode);
        let losses = self.loss(logits);
        Tracked { network, images, losses }
    }

    fn by_autodiff(&self, values: &[Value], cotangent: &Value, device: &Device, dtype: DType) -> Vec<Option<Value>> {
        let Tracked { network, images, losses } = self.tracked(values, device, dtype);
        let weights = cotangent.tensor::<1>(&losses.device(), dtype);
        let gradients = (losses * weights).sum().backward();
        let mut found = ByAutodiff { values: vec![images.grad(&gradients).map(Value::from)], gradients: &gradients };
        network.visit(&mut found);
        found.values
    }
}

/// On which side of its kinks a layer was.
fn record(saved: &Saved, kinks: &Kinks) {
    macro_rules! signs {
        ($saved:expr, $field:ident) => {
            match $saved {
                Ranked::Images(saved) => kinks.signs(&saved.$field),
                Ranked::Vectors(saved) => kinks.signs(&saved.$field),
            }
        };
    }
    match saved {
        Saved::Relu(saved) => signs!(saved, output),
        Saved::Prelu(saved) => signs!(saved, input),
        Saved::Elu(saved) => signs!(saved, input),
        Saved::LeakyRelu(Ranked::Images(saved)) => kinks.signs(&(saved.slopes.clone() - 1)),
        Saved::LeakyRelu(Ranked::Vectors(saved)) => kinks.signs(&(saved.slopes.clone() - 1)),
        Saved::MaxPool2d(saved) => kinks.winners(&saved.winners),
        _ => {}
    }
}

fn variable(name: impl Into<String>, role: Role, value: Value) -> Variable {
    Variable { name: name.into(), role, value, expect_zero: false }
}

/// Roles and values of a module's tensors, in the order of the visit.
struct Collect(Vec<(Role, Value)>);

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let role = if param.base().is_require_grad() { Role::Parameter } else { Role::Constant };
        self.0.push((role, param.base().into()));
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

/// The gradients that autodiff found, in the order of the visit.
struct ByAutodiff<'g> {
    gradients: &'g Gradients,
    values: Vec<Option<Value>>,
}

impl ModuleVisitor for ByAutodiff<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.values.push(param.base().grad(self.gradients).map(Value::from));
    }
}

/// The modes in which the gradients of an architecture differ.
pub(crate) fn modes(architecture: &Architecture, seed: u64) -> Vec<(&'static str, Mode)> {
    let training = ("training", Mode::Training { seed, step: 0 });
    let depends = |layer: &Layer| matches!(layer, Layer::BatchNorm(_) | Layer::Dropout(_));
    match architecture.layers.iter().any(depends) {
        true => vec![training, ("inference", Mode::Inference)],
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
    Ok(architecture.trace()?.iter().map(of_layer).sum())
}

/// How much of a network is checked: as many elements of each tensor as a budget of multiplications allows, from 2 to 64.
pub(crate) fn options(architecture: &Architecture, images: usize, seed: u64) -> Result<Options, ShapeError> {
    /// About ten seconds of a core in double precision.
    const BUDGET: usize = 10_000_000_000;
    /// Evaluations for one element: two steps to either side.
    const EVALUATIONS: usize = 4;
    let of_layer = |layer: &TracedLayer| usize::from(layer.weights > 0) + usize::from(layer.biases > 0);
    let tensors = 1 + architecture.trace()?.iter().map(of_layer).sum::<usize>();
    let pass = images * multiplications(architecture)?.max(1);
    let quota = (BUDGET / (EVALUATIONS * tensors * pass)).clamp(2, 64);
    Ok(Options { seed, cotangents: 2, full: quota, quota, jacobian: 0, ..Options::default() })
}
