//! A convolution with what follows it, on the CPU kernels: one node of autodiff's graph, with a backward of its own.
//!
//! There are two ways into the kernels. The compiled engine and evaluations run a whole network as one plan
//! (`backproof_models::Compiled`): only images go in, and tensors come out only where a checkpoint or a report wants
//! them. The autodiff engine uses segments and [linear nodes](crate::linear_on_kernels). Where there is no kernel,
//! Burn's operations compute the layer, as they compute every layer with `kernels = "off"`.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use backproof_kernels::{Batch, Isa, Layer, Parameter, Plan, SegmentPlan};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Tensor, TensorData};

use crate::primitive::{numbers, tensor};
use crate::{BatchNorm, Dropout};

/// A convolution and what follows it up to the next layer with weights, computed by the CPU kernels as one operation:
/// ReLU, pooling, dropout, and one batch normalisation by the statistics of the batch.
///
/// What lies between them stays in the cache, and is in no tensor. Forward and backward are those that the layers
/// derive.
#[derive(Debug, Clone)]
pub struct Segment(Arc<Shared>);

struct Shared {
    isa: Isa,
    input: [usize; 3],
    output: [usize; 3],
    layers: Vec<Layer>,
    bias: bool,
    /// the index of the batch normalisation.
    norm: Option<usize>,
    /// Plans that nobody uses at the moment: what one has allocated serves the next pass.
    idle: Mutex<Vec<SegmentPlan>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segment({:?} to {:?} by {:?})", self.input, self.output, self.layers)
    }
}

/// The parameters of a [`Segment`], and what else changes from pass to pass.
#[derive(Debug, Clone)]
pub struct SegmentParameters<'a> {
    /// Of the convolution, `[O, C/groups, K, K′]`.
    pub weight: Tensor<4>,
    /// Of the convolution, `[O]`.
    pub bias: Option<Tensor<1>>,
    /// The batch normalisation, whose running statistics move.
    pub norm: Option<&'a BatchNorm>,
    /// What is dropped, and the seed of its mask.
    pub dropout: Option<(Dropout, [u8; 32])>,
}

impl Segment {
    /// Of images `[C, H, W]` to `output`, the shape after the last of `layers`, of which the first is a convolution.
    ///
    /// # Panics
    ///
    /// If the first layer is no convolution, or there is more than one layer with weights of its kind or of dropout.
    #[must_use]
    pub fn new(isa: Isa, input: [usize; 3], layers: Vec<Layer>, output: [usize; 3]) -> Self {
        let Layer::Conv2d { bias, .. } = layers[0] else { panic!("a segment begins with a convolution") };
        let indices = |kind: fn(&Layer) -> bool| (1..layers.len()).filter(|&at| kind(&layers[at])).collect::<Vec<_>>();
        let norms = indices(|layer| matches!(layer, Layer::BatchNorm { .. }));
        let dropouts = indices(|layer| matches!(layer, Layer::Dropout));
        let others = indices(|layer| matches!(layer, Layer::Conv2d { .. } | Layer::Linear { .. }));
        assert!(norms.len() < 2 && dropouts.len() < 2 && others.is_empty(), "a segment has one layer of each kind");
        Self(Arc::new(Shared {
            isa,
            input,
            output,
            bias,
            norm: norms.first().copied(),
            layers,
            idle: Mutex::default(),
        }))
    }

    /// `[N, C, H, W]` to the output.
    ///
    /// # Panics
    ///
    /// If a shape is not what the segment was made for, a parameter is missing, or a tensor is not in single precision
    /// on the backend `flex`.
    #[must_use]
    pub fn forward(&self, input: Tensor<4>, parameters: SegmentParameters<'_>) -> Tensor<4> {
        let SegmentParameters { weight, bias, norm, dropout } = parameters;
        let device = weight.device();
        let none = || Tensor::<1>::zeros([1], &device);
        assert_eq!(norm.is_some(), self.0.norm.is_some(), "the segment's batch normalisation");
        let running = norm.map(|norm| {
            [&norm.running_mean, &norm.running_variance]
                .map(|state| state.value_sync().into_data().try_into_vec().expect("in single precision"))
        });
        let pass = Pass { segment: self.clone(), running: Arc::new(Mutex::new(running)), dropout };
        let statistics = pass.running.clone();
        let output = <Dispatch as Segments>::segment(
            input.into_dispatch(),
            weight.into_dispatch(),
            bias.unwrap_or_else(none).into_dispatch(),
            norm.map_or_else(none, |norm| norm.gamma.val()).into_dispatch(),
            norm.map_or_else(none, |norm| norm.beta.val()).into_dispatch(),
            pass,
        );
        let running = statistics.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(norm), Some(running)) = (norm, running) {
            let device = norm.running_mean.value_sync().device();
            for (state, values) in [&norm.running_mean, &norm.running_variance].into_iter().zip(running) {
                let channels = values.len();
                state.update(Tensor::from_data(TensorData::new(values, [channels]), &device));
            }
        }
        Tensor::from_dispatch(output)
    }

    fn take(&self) -> SegmentPlan {
        let idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| SegmentPlan::new(self.0.isa, self.0.input, &self.0.layers))
    }

    fn give_back(&self, plan: SegmentPlan) {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).push(plan);
    }
}

/// What a pass needs that is no parameter.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    segment: Segment,
    /// Running mean and variance, before the pass and after it.
    running: Arc<Mutex<Option<[Vec<f32>; 2]>>>,
    dropout: Option<(Dropout, [u8; 32])>,
}

/// A plan between its forward and its backward pass; given back when the graph is done with it.
#[derive(Debug, Clone)]
struct SavedPlan {
    plan: Arc<Mutex<Option<SegmentPlan>>>,
    segment: Segment,
    images: usize,
}

impl Drop for SavedPlan {
    fn drop(&mut self) {
        if Arc::strong_count(&self.plan) == 1
            && let Some(plan) = self.plan.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            self.segment.give_back(plan);
        }
    }
}

/// The operation on the primitives of a backend.
#[backend_extension(Autodiff, Flex)]
pub(crate) trait Segments: Backend {
    /// Convolution and what follows; a parameter that there is not is any tensor.
    fn segment(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        pass: Pass,
    ) -> FloatTensor<Self>;
}

impl Segments for Flex {
    fn segment(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        pass: Pass,
    ) -> FloatTensor<Self> {
        let (output, saved) = forward(&pass, input, [weight, bias, gamma, beta]);
        drop(saved);
        output
    }
}

impl Shared {
    /// Layer and role of weight, bias, γ and β, those that there are.
    fn parameters(&self) -> [Option<(usize, Parameter)>; 4] {
        let of_norm = |parameter| self.norm.map(|index| (index, parameter));
        [
            Some((0, Parameter::Weight)),
            self.bias.then_some((0, Parameter::Bias)),
            of_norm(Parameter::Weight),
            of_norm(Parameter::Bias),
        ]
    }
}

fn forward(
    pass: &Pass,
    input: FloatTensor<Flex>,
    parameters: [FloatTensor<Flex>; 4],
) -> (FloatTensor<Flex>, SavedPlan) {
    let Pass { segment, running, dropout } = pass;
    let [channels, height, width] = segment.0.input;
    let [out_channels, out_height, out_width] = segment.0.output;
    let images = input.shape()[0];
    assert_eq!(input.shape().to_vec(), [images, channels, height, width], "the segment's input");
    let input = input.to_contiguous();
    let pixels = numbers(&input);
    let mut plan = segment.take();
    for (parameter, values) in segment.0.parameters().into_iter().zip(parameters) {
        let Some((layer, parameter)) = parameter else { continue };
        let values = values.to_contiguous();
        plan.set(layer, parameter, numbers(&values));
    }
    let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
    let statistics = [Parameter::RunningMean, Parameter::RunningVariance];
    let moving = segment.0.norm.zip(running.as_mut());
    if let Some((norm, running)) = &moving {
        statistics.iter().zip(running.iter()).for_each(|(&of, values)| plan.set(*norm, of, values));
    }
    let elements = channels * height * width;
    let image = |n: usize, to: &mut [f32]| to.copy_from_slice(&pixels[n * elements..][..elements]);
    let mask = |_: usize, first: usize, to: &mut [f32]| {
        let (dropout, seed) = dropout.as_ref().expect("a segment that drops is given what");
        dropout.write_mask(*seed, first, to);
    };
    plan.forward(&Batch { count: images, image: &image, mask: &mask });
    if let Some((norm, running)) = moving {
        statistics.iter().zip(running).for_each(|(&of, values)| plan.get(norm, of, values));
    }
    let mut output = vec![0f32; images * out_channels * out_height * out_width];
    plan.output(&mut output);
    let output = tensor(output, vec![images, out_channels, out_height, out_width]);
    (output, SavedPlan { plan: Arc::new(Mutex::new(Some(plan))), segment: segment.clone(), images })
}

impl<C: CheckpointStrategy> Segments for Autodiff<Flex, C> {
    fn segment(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        pass: Pass,
    ) -> FloatTensor<Self> {
        let nodes = [&input, &weight, &bias, &gamma, &beta].map(|tensor| tensor.node());
        let prepared = Backward::<Flex, 5>::prepare::<C>(SegmentBackward, nodes).compute_bound().stateful();
        let parameters = [weight, bias, gamma, beta].map(|tensor| tensor.into_primitive());
        let (output, saved) = forward(&pass, input.into_primitive(), parameters);
        match prepared {
            OpsKind::Tracked(node) => node.finish(saved, output),
            OpsKind::UnTracked(node) => node.finish(output),
        }
    }
}

#[derive(Debug)]
struct SegmentBackward;

impl Backward<Flex, 5> for SegmentBackward {
    type State = SavedPlan;

    fn backward(self, ops: Ops<SavedPlan, 5>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let saved = ops.state;
        let shared = &saved.segment.0;
        let mut plan = saved.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = plan.as_mut().expect("a graph is walked once");
        let elements: usize = shared.output.iter().product();
        let gradient = numbers(&gradient);
        let write = |n: usize, to: &mut [f32]| to.copy_from_slice(&gradient[n * elements..][..elements]);
        plan.backward(&write, ops.parents[0].is_some());
        let [input, parameters @ ..] = ops.parents;
        if let Some(node) = input {
            let [channels, height, width] = shared.input;
            let mut values = vec![0.0; saved.images * channels * height * width];
            plan.input_gradient(&mut values);
            gradients.register::<Flex>(node.id, tensor(values, vec![saved.images, channels, height, width]));
        }
        let Layer::Conv2d { shape, .. } = shared.layers[0] else { unreachable!("checked when it was made") };
        let [rows, columns] = shape.kernel;
        for (node, parameter) in parameters.into_iter().zip(shared.parameters()) {
            let (Some(node), Some((layer, parameter))) = (node, parameter) else { continue };
            let of_weight = vec![shape.outputs, shape.channels / shape.groups, rows, columns];
            let shape = if (layer, parameter) == (0, Parameter::Weight) { of_weight } else { vec![shape.outputs] };
            let mut values = vec![0.0; shape.iter().product()];
            plan.gradient(layer, parameter, &mut values);
            gradients.register::<Flex>(node.id, tensor(values, shape));
        }
    }
}

#[cfg(test)]
mod tests {
    use backproof_kernels::{Conv2dShape, Window};
    use burn::tensor::DType;

    use super::*;
    use crate::testing::{random, values};
    use crate::{Conv2d, Conv2dOptions, MaxPool2d, MaxPool2dOptions, Mode, Relu};

    /// 3 images of 4 channels, 9×7, to 6 channels in 2 groups; then windows of 2×2 side by side.
    const IMAGES: usize = 3;
    const SHAPE: Conv2dShape = Conv2dShape {
        channels: 4,
        input: [9, 7],
        outputs: 6,
        kernel: [3, 2],
        stride: [1, 1],
        padding: [1, 0],
        dilation: [1, 1],
        groups: 2,
    };

    /// What there is besides convolution, ReLU and maximum.
    #[derive(Debug, Clone, Copy)]
    struct With {
        bias: bool,
        norm: bool,
        dropout: bool,
    }

    const PLAIN: With = With { bias: true, norm: false, dropout: false };
    const EVERYTHING: With = With { bias: true, norm: true, dropout: true };
    const SEED: [u8; 32] = [3; 32];
    /// ε and the momentum of the normalisation.
    const NORM: [f64; 2] = [1e-3, 0.2];

    fn dropout() -> Dropout {
        Dropout::new(0.4)
    }

    fn segment(isa: Isa, with: With) -> Segment {
        let window = Window { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };
        let [epsilon, momentum] = NORM;
        let mut layers = vec![Layer::Conv2d { shape: SHAPE, bias: with.bias }, Layer::Relu];
        layers.extend(with.norm.then_some(Layer::BatchNorm { epsilon, momentum }));
        layers.push(Layer::MaxPool2d { window, output: [4, 3] });
        layers.extend(with.dropout.then_some(Layer::Dropout));
        Segment::new(isa, [4, 9, 7], layers, [6, 4, 3])
    }

    struct Inputs {
        input: Tensor<4>,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
        norm: Option<BatchNorm>,
        dropout: bool,
    }

    impl Inputs {
        fn new(seed: u64, with: With) -> Self {
            let vector = |salt: u64| random::<1>(seed ^ salt, [6]);
            let norm = BatchNorm::new(vector(4), vector(5), NORM[0], NORM[1])
                .with_running_statistics(vector(6), vector(7).abs());
            Self {
                input: random(seed ^ 1, [IMAGES, 4, 9, 7]),
                weight: random(seed ^ 2, [6, 2, 3, 2]),
                bias: with.bias.then(|| vector(3)),
                norm: with.norm.then_some(norm),
                dropout: with.dropout,
            }
        }

        fn map(self, matrix: impl Fn(Tensor<4>) -> Tensor<4>, vector: impl Fn(Tensor<1>) -> Tensor<1>) -> Self {
            let norm = self.norm.map(|norm| {
                let [mean, variance] =
                    [&norm.running_mean, &norm.running_variance].map(|state| vector(state.value_sync()));
                BatchNorm::new(vector(norm.gamma.val()), vector(norm.beta.val()), NORM[0], NORM[1])
                    .with_running_statistics(mean.detach(), variance.detach())
            });
            let bias = self.bias.map(vector);
            Self { input: matrix(self.input), weight: matrix(self.weight), bias, norm, dropout: self.dropout }
        }

        fn cast(self, dtype: DType) -> Self {
            self.map(|tensor| tensor.cast(dtype), |tensor| tensor.cast(dtype))
        }

        fn watched(self) -> Self {
            self.map(|tensor| tensor.autodiff().require_grad(), |tensor| tensor.autodiff().require_grad())
        }

        /// The output of `forward`, the gradients of ⟨cotangent, output⟩ and the running statistics after it, in f64.
        fn differentiate(self, forward: impl FnOnce(&Self) -> Tensor<4>) -> Vec<(&'static str, Vec<f64>)> {
            let output = forward(&self);
            let cotangent = random::<4>(9, output.dims()).cast(output.dtype());
            let gradients = (output.clone() * cotangent.autodiff()).sum().backward();
            let of = |tensor: Tensor<4>| values(tensor.cast(DType::F64));
            let vector = |tensor: Tensor<1>| values(tensor.cast(DType::F64));
            let mut found = vec![
                ("output", of(output)),
                ("input", of(self.input.grad(&gradients).unwrap())),
                ("weight", of(self.weight.grad(&gradients).unwrap())),
            ];
            found.extend(self.bias.map(|bias| ("bias", vector(bias.grad(&gradients).unwrap()))));
            if let Some(norm) = self.norm {
                found.push(("gamma", vector(norm.gamma.val().grad(&gradients).unwrap())));
                found.push(("beta", vector(norm.beta.val().grad(&gradients).unwrap())));
                found.push(("running mean", vector(norm.running_mean.value_sync())));
                found.push(("running variance", vector(norm.running_variance.value_sync())));
            }
            found
        }
    }

    /// In double precision, one layer after the other.
    fn by_layers(inputs: &Inputs) -> Tensor<4> {
        let mode = Mode::Training { dropout_seed: SEED };
        let Conv2dShape { stride, padding, dilation, groups, .. } = SHAPE;
        let options = Conv2dOptions { stride, padding, dilation, groups };
        let conv = Conv2d::new(inputs.weight.clone(), inputs.bias.clone(), options);
        let mut features = Relu.forward(conv.forward(inputs.input.clone()));
        if let Some(norm) = &inputs.norm {
            features = norm.forward(features, mode);
        }
        features = MaxPool2d::new(MaxPool2dOptions::new([2, 2])).forward(features);
        if inputs.dropout { dropout().forward(features, mode) } else { features }
    }

    fn by(segment: &Segment) -> impl Fn(&Inputs) -> Tensor<4> {
        |Inputs { input, weight, bias, norm, dropout: drops }| {
            let dropout = drops.then(|| (dropout(), SEED));
            let (weight, bias) = (weight.clone(), bias.clone());
            segment.forward(input.clone(), SegmentParameters { weight, bias, norm: norm.as_ref(), dropout })
        }
    }

    fn assert_close(what: &str, found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "{what}");
        let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(largest > 0.1 && apart < 1e-5 * largest, "{what}: {apart:e} of {largest}");
    }

    /// A segment is used again and again, with a plan that has been through other passes.
    #[test]
    fn output_and_gradients_are_those_of_the_layers_one_after_the_other() {
        let without_bias = With { bias: false, ..PLAIN };
        let normalised = With { norm: true, ..without_bias };
        for (isa, with) in Isa::available()
            .into_iter()
            .flat_map(|isa| [PLAIN, without_bias, normalised, EVERYTHING].map(|with| (isa, with)))
        {
            let segment = segment(isa, with);
            for seed in [10, 20, 30] {
                // Rounded once, so that both begin with the same numbers.
                let inputs = || Inputs::new(seed, with).cast(DType::F32);
                let expected = inputs().cast(DType::F64).watched().differentiate(by_layers);
                let found = inputs().watched().differentiate(by(&segment));
                assert_eq!(found.len(), expected.len());
                for ((name, found), (_, expected)) in found.iter().zip(&expected) {
                    assert_close(&format!("{isa}, {with:?}, {name}"), found, expected);
                }
                let plain = by(&segment)(&inputs());
                assert_close("without autodiff", &values(plain.cast(DType::F64)), &expected[0].1);
            }
        }
    }

    #[test]
    fn images_that_need_no_gradient_leave_those_of_the_parameters_as_they_are() {
        let segment = segment(Isa::available()[0], EVERYTHING);
        let inputs = || Inputs::new(40, EVERYTHING).cast(DType::F32);
        let expected = inputs().watched().differentiate(by(&segment));
        let watched = inputs().watched();
        let parameters = SegmentParameters {
            weight: watched.weight.clone(),
            bias: watched.bias.clone(),
            norm: watched.norm.as_ref(),
            dropout: Some((dropout(), SEED)),
        };
        let output = segment.forward(inputs().input.autodiff(), parameters);
        let cotangent = random::<4>(9, output.dims()).cast(DType::F32);
        let gradients = (output * cotangent.autodiff()).sum().backward();
        assert_eq!(values(watched.weight.grad(&gradients).unwrap().cast(DType::F64)), expected[2].1);
        let gamma = watched.norm.unwrap().gamma.val();
        for (vector, (name, expected)) in [watched.bias.unwrap(), gamma].into_iter().zip(&expected[3..]) {
            assert_eq!(&values(vector.grad(&gradients).unwrap().cast(DType::F64)), expected, "{name}");
        }
    }

    #[test]
    fn plans_come_back_and_serve_again() {
        let segment = segment(Isa::available()[0], PLAIN);
        let idle = || segment.0.idle.lock().unwrap().len();
        let inputs = || Inputs::new(50, PLAIN).cast(DType::F32);
        by(&segment)(&inputs());
        assert_eq!(idle(), 1);
        let [one, other] = [(); 2].map(|()| by(&segment)(&inputs().watched()));
        assert_eq!(idle(), 0, "each graph holds a plan");
        drop(one);
        other.sum().backward();
        assert_ne!(idle(), 0, "a graph that was walked is done with its plan");
    }

    #[test]
    #[should_panic(expected = "the segment's input")]
    fn images_of_another_shape_are_refused() {
        let Inputs { weight, bias, .. } = Inputs::new(60, PLAIN).cast(DType::F32);
        let input = random::<4>(1, [IMAGES, 4, 7, 9]).cast(DType::F32);
        let parameters = SegmentParameters { weight, bias, norm: None, dropout: None };
        let _ = segment(Isa::available()[0], PLAIN).forward(input, parameters);
    }

    #[test]
    #[should_panic(expected = "a segment has one layer of each kind")]
    fn two_normalisations_are_refused() {
        let norm = Layer::BatchNorm { epsilon: 1e-3, momentum: 0.1 };
        let layers = vec![Layer::Conv2d { shape: SHAPE, bias: true }, norm.clone(), norm];
        let _ = Segment::new(Isa::available()[0], [4, 9, 7], layers, [6, 9, 6]);
    }
}
