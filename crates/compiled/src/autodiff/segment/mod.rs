//! A convolution with what follows it, on the CPU kernels, as one node.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use backproof_kernels::Isa;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::module::RunningState;
use burn::tensor::{Tensor, TensorData};

use super::primitive::{numbers, tensor};
use crate::{Differentiable, Inputs, Operation, Parameter, Plan, SegmentPlan};

/// A convolution and what follows it up to the next layer with weights, computed by the CPU kernels as one node:
/// activations, pooling, dropout, and one batch normalisation by the statistics of the batch.
///
/// What lies between them stays in the cache, and is in no tensor. Forward and backward are those that the layers
/// derive.
#[derive(Debug, Clone)]
pub struct Segment(Arc<Shared>);

struct Shared {
    isa: Isa,
    input: [usize; 3],
    output: [usize; 3],
    operations: Vec<Operation>,
    bias: bool,
    /// The number of the batch normalisation among the operations.
    norm: Option<usize>,
    /// Whether it has γ, and whether it has β.
    affine: [bool; 2],
    /// Plans that nobody uses at the moment: what one has allocated serves the next pass.
    idle: Mutex<Vec<SegmentPlan>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segment({:?} to {:?} by {:?})", self.input, self.output, self.operations)
    }
}

/// The parameters of a [`Segment`], and what else changes from pass to pass.
#[derive(Clone)]
pub struct SegmentParameters {
    /// Of the convolution, `[O, C/groups, K, K′]`.
    pub weight: Tensor<4>,
    /// Of the convolution, `[O]`.
    pub bias: Option<Tensor<1>>,
    /// Of the batch normalisation.
    pub normalization: Option<SegmentNormalization>,
    /// What dropout multiplies with.
    pub mask: Option<WriteMask>,
}

/// The parameters and statistics of a batch normalisation, each `[C]`.
#[derive(Debug, Clone)]
pub struct SegmentNormalization {
    /// γ, if it has one.
    pub gamma: Option<Tensor<1>>,
    /// β, if it has one.
    pub beta: Option<Tensor<1>>,
    /// The running mean, which a pass moves.
    pub running_mean: RunningState<Tensor<1>>,
    /// The running variance, which a pass moves.
    pub running_variance: RunningState<Tensor<1>>,
}

impl SegmentNormalization {
    fn running(&self) -> [&RunningState<Tensor<1>>; 2] {
        [&self.running_mean, &self.running_variance]
    }
}

/// Writes what dropout multiplies with: the elements from e on, in row-major order over the whole batch.
pub type WriteMask = Arc<dyn Fn(usize, &mut [f32]) + Send + Sync>;

impl Segment {
    /// Of images `[C, H, W]` to `output`, the shape after the last of `operations`, of which the first is a
    /// convolution.
    ///
    /// # Panics
    ///
    /// If the first operation is no convolution, or there is more than one operation with weights of its kind or of
    /// dropout.
    #[must_use]
    pub fn new(isa: Isa, input: [usize; 3], operations: Vec<Operation>, output: [usize; 3]) -> Self {
        let Operation::Conv2d { bias, .. } = operations[0] else { panic!("a segment begins with a convolution") };
        let indices = |kind: fn(&Operation) -> bool| {
            (1..operations.len()).filter(|&at| kind(&operations[at])).collect::<Vec<_>>()
        };
        let norms = indices(|operation| matches!(operation, Operation::BatchNorm { .. }));
        let dropouts = indices(|operation| matches!(operation, Operation::Dropout));
        let others = indices(|operation| {
            matches!(operation, Operation::Conv2d { .. } | Operation::Linear { .. } | Operation::Prelu)
        });
        assert!(norms.len() < 2 && dropouts.len() < 2 && others.is_empty(), "a segment has one operation of each kind");
        Self(Arc::new(Shared {
            isa,
            input,
            output,
            bias,
            norm: norms.first().copied(),
            affine: match norms.first().map(|&norm| &operations[norm]) {
                Some(&Operation::BatchNorm { scale, shift, .. }) => [scale, shift],
                _ => [false, false],
            },
            operations,
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
    pub fn forward(&self, input: Tensor<4>, parameters: SegmentParameters) -> Tensor<4> {
        let SegmentParameters { weight, bias, normalization, mask } = parameters;
        let device = weight.device();
        let none = || Tensor::<1>::zeros([1], &device);
        assert_eq!(normalization.is_some(), self.0.norm.is_some(), "the segment's batch normalisation");
        let affine = normalization.as_ref().map_or([None, None], |of| [of.gamma.clone(), of.beta.clone()]);
        assert_eq!(affine.each_ref().map(Option::is_some), self.0.affine, "the segment's γ and β");
        let [gamma, beta] = affine.map(|parameter| parameter.unwrap_or_else(none).into_dispatch());
        let running = normalization.as_ref().map(|normalization| {
            normalization
                .running()
                .map(|state| state.value_sync().into_data().try_into_vec().expect("in single precision"))
        });
        let pass = Pass { segment: self.clone(), running: Arc::new(Mutex::new(running)), mask };
        let statistics = pass.running.clone();
        let output = <Dispatch as Segments>::segment(
            input.into_dispatch(),
            weight.into_dispatch(),
            bias.unwrap_or_else(none).into_dispatch(),
            gamma,
            beta,
            pass,
        );
        let running = statistics.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(normalization), Some(running)) = (normalization, running) {
            let device = normalization.running_mean.value_sync().device();
            for (state, values) in normalization.running().into_iter().zip(running) {
                let channels = values.len();
                state.update(Tensor::from_data(TensorData::new(values, [channels]), &device));
            }
        }
        Tensor::from_dispatch(output)
    }

    fn take(&self) -> SegmentPlan {
        let idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| SegmentPlan::new(self.0.isa, self.0.input, &self.0.operations))
    }

    fn give_back(&self, plan: SegmentPlan) {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).push(plan);
    }
}

/// What a pass needs that is no parameter.
#[derive(Clone)]
pub(crate) struct Pass {
    segment: Segment,
    /// Running mean and variance, before the pass and after it.
    running: Arc<Mutex<Option<[Vec<f32>; 2]>>>,
    mask: Option<WriteMask>,
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
    /// Operation and role of weight, bias, γ and β, those that there are.
    fn parameters(&self) -> [Option<(usize, Parameter)>; 4] {
        let of_norm = |is_there: bool, parameter| self.norm.filter(|_| is_there).map(|index| (index, parameter));
        let [scale, shift] = self.affine;
        [
            Some((0, Parameter::Weight)),
            self.bias.then_some((0, Parameter::Bias)),
            of_norm(scale, Parameter::Weight),
            of_norm(shift, Parameter::Bias),
        ]
    }
}

fn forward(
    pass: &Pass,
    input: FloatTensor<Flex>,
    parameters: [FloatTensor<Flex>; 4],
) -> (FloatTensor<Flex>, SavedPlan) {
    let Pass { segment, running, mask } = pass;
    let [channels, height, width] = segment.0.input;
    let [out_channels, out_height, out_width] = segment.0.output;
    let images = input.shape()[0];
    assert_eq!(input.shape().to_vec(), [images, channels, height, width], "the segment's input");
    let input = input.to_contiguous();
    let pixels = numbers(&input);
    let mut plan = segment.take();
    for (parameter, values) in segment.0.parameters().into_iter().zip(parameters) {
        let Some((operation, parameter)) = parameter else { continue };
        let values = values.to_contiguous();
        plan.set(operation, parameter, numbers(&values));
    }
    let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
    let statistics = [Parameter::RunningMean, Parameter::RunningVariance];
    let moving = segment.0.norm.zip(running.as_mut());
    if let Some((norm, running)) = &moving {
        statistics.iter().zip(running.iter()).for_each(|(&of, values)| plan.set(*norm, of, values));
    }
    let elements = channels * height * width;
    let image = |n: usize, to: &mut [f32]| to.copy_from_slice(&pixels[n * elements..][..elements]);
    let write_mask = |_: usize, first: usize, to: &mut [f32]| {
        let write = mask.as_ref().expect("a segment that drops is given a mask");
        write(first, to);
    };
    plan.forward(&Inputs { count: images, image: &image, mask: &write_mask });
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
        let Operation::Conv2d { shape, .. } = shared.operations[0] else { unreachable!("checked when it was made") };
        let [rows, columns] = shape.kernel;
        for (node, parameter) in parameters.into_iter().zip(shared.parameters()) {
            let (Some(node), Some((operation, parameter))) = (node, parameter) else { continue };
            let of_weight = vec![shape.outputs, shape.channels / shape.groups, rows, columns];
            let shape = if (operation, parameter) == (0, Parameter::Weight) { of_weight } else { vec![shape.outputs] };
            let mut values = vec![0.0; shape.iter().product()];
            plan.gradient(operation, parameter, &mut values);
            gradients.register::<Flex>(node.id, tensor(values, shape));
        }
    }
}

#[cfg(test)]
mod tests;
