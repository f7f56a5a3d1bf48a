//! A convolution with what follows it, on the CPU kernels: one node of autodiff's graph, with a backward of its own.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use backproof_kernels::{Batch, Isa, Layer, Of, Parameter, Plan, Purpose};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Tensor, TensorData};

/// A convolution, and where they follow it a ReLU and a maximum, computed by the CPU kernels as one operation.
///
/// What lies between the three stays in the cache, and is in no tensor. Forward and backward are those that the layers derive.
#[derive(Debug, Clone)]
pub struct Segment(Arc<Shared>);

struct Shared {
    isa: Isa,
    input: [usize; 3],
    output: [usize; 3],
    layers: Vec<Layer>,
    bias: bool,
    /// Plans that nobody uses at the moment: what one has allocated serves the next pass.
    idle: Mutex<Vec<Plan>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segment({:?} to {:?} by {:?})", self.input, self.output, self.layers)
    }
}

impl Segment {
    /// Of images `[C, H, W]` to `output`, the shape after the last of `layers`, of which the first is a convolution.
    ///
    /// # Panics
    ///
    /// If the first layer is no convolution.
    #[must_use]
    pub fn new(isa: Isa, input: [usize; 3], layers: Vec<Layer>, output: [usize; 3]) -> Self {
        let Layer::Conv2d { bias, .. } = layers[0] else { panic!("a segment begins with a convolution") };
        Self(Arc::new(Shared { isa, input, output, layers, bias, idle: Mutex::default() }))
    }

    /// `[N, C, H, W]` to the output, with the convolution's weight and bias.
    ///
    /// # Panics
    ///
    /// If a shape is not what the segment was made for, or a tensor is not in single precision on the backend `flex`.
    #[must_use]
    pub fn forward(&self, input: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
        let outputs = weight.dims()[0];
        let bias = bias.unwrap_or_else(|| Tensor::zeros([outputs], &weight.device()));
        let output = <Dispatch as Segments>::segment(
            input.into_dispatch(),
            weight.into_dispatch(),
            bias.into_dispatch(),
            self.clone(),
        );
        Tensor::from_dispatch(output)
    }

    fn take(&self) -> Plan {
        let idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| Plan::new(self.0.isa, self.0.input, &self.0.layers, Purpose::Segment))
    }

    fn give_back(&self, plan: Plan) {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).push(plan);
    }
}

/// A plan between its forward and its backward pass; given back when the graph is done with it.
#[derive(Debug, Clone)]
struct Lent(Arc<Mutex<Option<Plan>>>, Segment, usize);

impl Drop for Lent {
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1
            && let Some(plan) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            self.1.give_back(plan);
        }
    }
}

/// The operation on the primitives of a backend.
#[backend_extension(Autodiff, Flex)]
pub(crate) trait Segments: Backend {
    /// Convolution and what follows.
    fn segment(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        segment: Segment,
    ) -> FloatTensor<Self>;
}

impl Segments for Flex {
    fn segment(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        segment: Segment,
    ) -> FloatTensor<Self> {
        let (output, lent) = forward(&segment, input, weight, bias);
        drop(lent);
        output
    }
}

fn forward(
    segment: &Segment,
    input: FloatTensor<Flex>,
    weight: FloatTensor<Flex>,
    bias: FloatTensor<Flex>,
) -> (FloatTensor<Flex>, Lent) {
    let [channels, height, width] = segment.0.input;
    let [out_channels, out_height, out_width] = segment.0.output;
    let count = input.shape()[0];
    assert_eq!(input.shape().to_vec(), [count, channels, height, width], "the segment's input");
    let (input, weight, bias) = (input.to_contiguous(), weight.to_contiguous(), bias.to_contiguous());
    let numbers = input.as_slice::<f32>().expect("contiguous, in single precision");
    let mut plan = segment.take();
    plan.set(0, Parameter::Weight, Of::Values, weight.as_slice().expect("contiguous, in single precision"));
    if segment.0.bias {
        plan.set(0, Parameter::Bias, Of::Values, bias.as_slice().expect("contiguous, in single precision"));
    }
    let elements = channels * height * width;
    let image = |n: usize, to: &mut [f32]| to.copy_from_slice(&numbers[n * elements..][..elements]);
    let mask = |_: usize, _: usize, _: &mut [f32]| unreachable!("a segment drops nothing");
    plan.segment_forward(&Batch { count, image: &image, mask: &mask });
    let mut output = vec![0f32; count * out_channels * out_height * out_width];
    plan.segment_output(&mut output);
    let output = TensorData::new(output, [count, out_channels, out_height, out_width]);
    let output = Flex::float_from_data(output, &Default::default());
    (output, Lent(Arc::new(Mutex::new(Some(plan))), segment.clone(), count))
}

impl<C: CheckpointStrategy> Segments for Autodiff<Flex, C> {
    fn segment(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        segment: Segment,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), weight.node(), bias.node()];
        let prepared = Backward::<Flex, 3>::prepare::<C>(SegmentBackward, nodes).compute_bound().stateful();
        let (output, lent) = forward(&segment, input.into_primitive(), weight.into_primitive(), bias.into_primitive());
        match prepared {
            OpsKind::Tracked(node) => node.finish(lent, output),
            OpsKind::UnTracked(node) => node.finish(output),
        }
    }
}

#[derive(Debug)]
struct SegmentBackward;

impl Backward<Flex, 3> for SegmentBackward {
    type State = Lent;

    fn backward(self, ops: Ops<Lent, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let lent = ops.state;
        let Lent(plan, segment, count) = &lent;
        let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = plan.as_mut().expect("a graph is walked once");
        let [channels, height, width] = segment.0.input;
        let elements: usize = segment.0.output.iter().product();
        let numbers = gradient.as_slice::<f32>().expect("contiguous, in single precision");
        let write = |n: usize, to: &mut [f32]| to.copy_from_slice(&numbers[n * elements..][..elements]);
        plan.segment_backward(&write, ops.parents[0].is_some());
        let tensor = |values: Vec<f32>, shape: Vec<usize>| {
            Flex::float_from_data(TensorData::new(values, shape), &Default::default())
        };
        let [input, weight, bias] = ops.parents;
        if let Some(node) = input {
            let mut values = vec![0.0; count * channels * height * width];
            plan.segment_input_gradient(&mut values);
            gradients.register::<Flex>(node.id, tensor(values, vec![*count, channels, height, width]));
        }
        let Layer::Conv2d { shape, .. } = segment.0.layers[0] else { unreachable!("checked when it was made") };
        if let Some(node) = weight {
            let mut values = vec![0.0; shape.weights()];
            plan.get(0, Parameter::Weight, Of::Gradients, &mut values);
            let [height, width] = shape.kernel;
            let shape = vec![shape.outputs, shape.channels / shape.groups, height, width];
            gradients.register::<Flex>(node.id, tensor(values, shape));
        }
        if let Some(node) = bias.filter(|_| segment.0.bias) {
            let mut values = vec![0.0; shape.outputs];
            plan.get(0, Parameter::Bias, Of::Gradients, &mut values);
            gradients.register::<Flex>(node.id, tensor(values, vec![shape.outputs]));
        }
    }
}

#[cfg(test)]
mod tests {
    use backproof_kernels::{Conv2dShape, Window};
    use burn::tensor::DType;

    use super::*;
    use crate::testing::{random, values};
    use crate::{Conv2d, Conv2dOptions, MaxPool2d, MaxPool2dOptions, Relu};

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

    fn segment(isa: Isa, bias: bool) -> Segment {
        let window = Window { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };
        let pool = Layer::MaxPool2d { window, output: [4, 3] };
        Segment::new(isa, [4, 9, 7], vec![Layer::Conv2d { shape: SHAPE, bias }, Layer::Relu, pool], [6, 4, 3])
    }

    /// Of input, weight and bias.
    struct Inputs(Tensor<4>, Tensor<4>, Option<Tensor<1>>);

    impl Inputs {
        fn new(seed: u64, bias: bool) -> Self {
            let bias = bias.then(|| random(seed ^ 3, [6]));
            Self(random(seed ^ 1, [IMAGES, 4, 9, 7]), random(seed ^ 2, [6, 2, 3, 2]), bias)
        }

        fn cast(self, dtype: DType) -> Self {
            Self(self.0.cast(dtype), self.1.cast(dtype), self.2.map(|bias| bias.cast(dtype)))
        }

        fn watched(self) -> Self {
            let Self(input, weight, bias) = self;
            let bias = bias.map(|bias| bias.autodiff().require_grad());
            Self(input.autodiff().require_grad(), weight.autodiff().require_grad(), bias)
        }

        /// The output of `forward`, and the gradients of ⟨cotangent, output⟩, in f64.
        fn differentiate(self, forward: impl FnOnce(&Self) -> Tensor<4>) -> Vec<(&'static str, Vec<f64>)> {
            let output = forward(&self);
            let cotangent = random::<4>(9, output.dims()).cast(output.dtype());
            let gradients = (output.clone() * cotangent.autodiff()).sum().backward();
            let of = |tensor: Tensor<4>| values(tensor.cast(DType::F64));
            let mut found = vec![
                ("output", of(output)),
                ("input", of(self.0.grad(&gradients).unwrap())),
                ("weight", of(self.1.grad(&gradients).unwrap())),
            ];
            if let Some(bias) = &self.2 {
                found.push(("bias", values(bias.grad(&gradients).unwrap().cast(DType::F64))));
            }
            found
        }
    }

    /// In double precision, one layer after the other.
    fn by_layers(Inputs(input, weight, bias): &Inputs) -> Tensor<4> {
        let Conv2dShape { stride, padding, dilation, groups, .. } = SHAPE;
        let options = Conv2dOptions { stride, padding, dilation, groups };
        let features = Conv2d::new(weight.clone(), bias.clone(), options).forward(input.clone());
        MaxPool2d::new(MaxPool2dOptions::new([2, 2])).forward(Relu.forward(features))
    }

    fn by(segment: &Segment) -> impl Fn(&Inputs) -> Tensor<4> {
        |Inputs(input, weight, bias)| segment.forward(input.clone(), weight.clone(), bias.clone())
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
        for isa in Isa::available() {
            for bias in [false, true] {
                let segment = segment(isa, bias);
                for seed in [10, 20, 30] {
                    // Rounded once, so that both begin with the same numbers.
                    let inputs = || Inputs::new(seed, bias).cast(DType::F32);
                    let expected = inputs().cast(DType::F64).watched().differentiate(by_layers);
                    let found = inputs().watched().differentiate(by(&segment));
                    assert_eq!(found.len(), expected.len());
                    for ((name, found), (_, expected)) in found.iter().zip(&expected) {
                        assert_close(&format!("{isa}, bias {bias}, {name}"), found, expected);
                    }
                    let plain = by(&segment)(&inputs());
                    assert_close("without autodiff", &values(plain.cast(DType::F64)), &expected[0].1);
                }
            }
        }
    }

    #[test]
    fn images_that_need_no_gradient_leave_those_of_the_weights_as_they_are() {
        let segment = segment(Isa::available()[0], true);
        let inputs = || Inputs::new(40, true).cast(DType::F32);
        let expected = inputs().watched().differentiate(by(&segment));
        let Inputs(_, weight, bias) = inputs().watched();
        let output = segment.forward(inputs().0.autodiff(), weight.clone(), bias.clone());
        let cotangent = random::<4>(9, output.dims()).cast(DType::F32);
        let gradients = (output * cotangent.autodiff()).sum().backward();
        assert_eq!(values(weight.grad(&gradients).unwrap().cast(DType::F64)), expected[2].1);
        assert_eq!(values(bias.unwrap().grad(&gradients).unwrap().cast(DType::F64)), expected[3].1);
    }

    #[test]
    fn plans_come_back_and_serve_again() {
        let segment = segment(Isa::available()[0], true);
        let idle = || segment.0.idle.lock().unwrap().len();
        let inputs = || Inputs::new(50, true).cast(DType::F32);
        by(&segment)(&inputs());
        assert_eq!(idle(), 1);
        let [one, other] = [(); 2].map(|()| by(&segment)(&inputs().watched()));
        assert_eq!(idle(), 0, "each graph holds a plan");
        drop(one);
        assert_eq!(idle(), 1);
        other.sum().backward();
        assert_eq!(idle(), 2);
    }

    #[test]
    #[should_panic(expected = "the segment's input")]
    fn images_of_another_shape_are_refused() {
        let Inputs(_, weight, _) = Inputs::new(60, false).cast(DType::F32);
        let input = random::<4>(1, [IMAGES, 4, 7, 9]).cast(DType::F32);
        segment(Isa::available()[0], false).forward(input, weight, None);
    }
}
