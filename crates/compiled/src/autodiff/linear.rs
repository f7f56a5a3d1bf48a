//! A linear layer on the CPU kernels, as one node.
//!
//! Burn stores linear weights as `[F, O]`, the kernels as `[O, F]`. No weight is transposed: the kernel of the input
//! gradient computes the output here, and the kernel of the output computes the input gradient. Vectors then go along
//! the outputs. With the 10 outputs of `cifar-baseline` a step took 1.4 times as long as with Burn's product; with the
//! 128 of `petre-mlp` it takes 0.6 of that time. [`linear_pays`] says where it is faster.

use backproof_kernels::{Isa, LANES, linear_forward, linear_input_gradient, linear_weight_gradient};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::primitive::{numbers, tensor};

/// Images that a task takes: their number is the same for any number of threads.
const IMAGES: usize = 8;
/// Rows of a weight's gradient that a task takes; six at a time is what the kernel is best at.
const ROWS: usize = 48;
/// Multiplications below which dividing a product between threads costs more than it saves.
const LEAST: usize = 1 << 18;

/// Whether [`linear_on_kernels`] is faster than Burn's product for so many outputs, by measurement on AVX-512: there
/// are many, and they are whole vectors, so that nothing has to be copied.
#[must_use]
pub const fn linear_pays(outputs: usize) -> bool {
    outputs >= 64 && outputs.is_multiple_of(LANES)
}

/// `y = x W + b` of `[N, I]` by `W`, `[I, O]`, and `b`, `[O]`, on the CPU kernels.
///
/// # Panics
///
/// If the shapes do not fit, or a tensor is not in single precision on the backend `flex`.
#[must_use]
pub fn linear_on_kernels(isa: Isa, input: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let has_bias = bias.is_some();
    let bias = bias.unwrap_or_else(|| Tensor::zeros([1], &weight.device()));
    let [input, weight] = [input, weight].map(Tensor::into_dispatch);
    Tensor::from_dispatch(<Dispatch as Linears>::linear(input, weight, bias.into_dispatch(), isa, has_bias))
}

/// The operation on the primitives of a backend.
#[backend_extension(Autodiff, Flex)]
pub(crate) trait Linears: Backend {
    /// Without `has_bias`, the bias is any tensor.
    fn linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        isa: Isa,
        has_bias: bool,
    ) -> FloatTensor<Self>;
}

impl Linears for Flex {
    fn linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        isa: Isa,
        has_bias: bool,
    ) -> FloatTensor<Self> {
        Product::new(isa, input, weight).forward(has_bias.then_some(bias))
    }
}

/// The operands, contiguous.
#[derive(Debug, Clone)]
struct Product {
    isa: Isa,
    images: usize,
    inputs: usize,
    outputs: usize,
    input: FloatTensor<Flex>,
    weight: FloatTensor<Flex>,
}

impl Product {
    fn new(isa: Isa, input: FloatTensor<Flex>, weight: FloatTensor<Flex>) -> Self {
        let ([images, inputs], [rows, outputs]) = (input.shape().dims(), weight.shape().dims());
        assert_eq!(inputs, rows, "the inputs of a linear layer");
        Self { isa, images, inputs, outputs, input: input.to_contiguous(), weight: weight.to_contiguous() }
    }

    fn forward(&self, bias: Option<FloatTensor<Flex>>) -> FloatTensor<Flex> {
        let &Self { isa, inputs, outputs, .. } = self;
        let (row, weight) = self.padded(numbers(&self.weight));
        let mut output = vec![0.0; self.images * row];
        output
            .par_chunks_mut(IMAGES * row)
            .zip(numbers(&self.input).par_chunks(IMAGES * inputs))
            .with_min_len(self.least_tasks())
            .for_each(|(output, input)| linear_input_gradient(isa, [inputs, row], &weight, input, inputs, output));
        let mut output = unpadded(output, row, outputs);
        if let Some(bias) = bias {
            let bias = bias.to_contiguous();
            for image in output.chunks_exact_mut(outputs) {
                image.iter_mut().zip(numbers(&bias)).for_each(|(value, bias)| *value += bias);
            }
        }
        tensor(output, vec![self.images, outputs])
    }

    /// From `gradient`, [`padded`](Self::padded).
    fn input_gradient(&self, gradient: &[f32]) -> FloatTensor<Flex> {
        let &Self { isa, images, inputs, .. } = self;
        let (row, weight) = self.padded(numbers(&self.weight));
        let mut found = vec![0.0; images * inputs];
        found
            .par_chunks_mut(IMAGES * inputs)
            .zip(gradient.par_chunks(IMAGES * row))
            .with_min_len(self.least_tasks())
            .for_each(|(found, gradient)| {
                linear_forward(isa, [inputs, row], &weight, None, false, gradient, found, inputs);
            });
        tensor(found, vec![images, inputs])
    }

    /// From `gradient`, [`padded`](Self::padded).
    fn weight_gradient(&self, gradient: &[f32]) -> FloatTensor<Flex> {
        let &Self { isa, images, inputs, outputs, .. } = self;
        let row = gradient.len() / images;
        let mut found = vec![0.0; inputs * row];
        found.par_chunks_mut(ROWS * row).enumerate().with_min_len(self.least_tasks()).for_each(|(chunk, found)| {
            let rows = chunk * ROWS..(chunk * ROWS + ROWS).min(inputs);
            linear_weight_gradient(isa, rows, row, &[(gradient, numbers(&self.input))], inputs, found);
        });
        tensor(unpadded(found, row, outputs), vec![inputs, outputs])
    }

    /// Tasks that a thread takes at least: all of them where the product is small.
    const fn least_tasks(&self) -> usize {
        if self.images * self.inputs * self.outputs < LEAST { usize::MAX } else { 1 }
    }

    fn bias_gradient(&self, gradient: &[f32]) -> FloatTensor<Flex> {
        let mut found = vec![0.0; self.outputs];
        for image in gradient.chunks_exact(self.outputs) {
            found.iter_mut().zip(image).for_each(|(sum, gradient)| *sum += gradient);
        }
        tensor(found, vec![self.outputs])
    }

    /// Rows of `outputs` numbers, each with zeros up to a whole vector, and how long they then are.
    fn padded<'a>(&self, rows: &'a [f32]) -> (usize, std::borrow::Cow<'a, [f32]>) {
        let row = self.outputs.next_multiple_of(LANES);
        if row == self.outputs {
            return (row, rows.into());
        }
        let mut padded = vec![0.0; rows.len() / self.outputs * row];
        for (to, from) in padded.chunks_exact_mut(row).zip(rows.chunks_exact(self.outputs)) {
            to[..self.outputs].copy_from_slice(from);
        }
        (row, padded.into())
    }
}

/// The first `length` numbers of each row.
fn unpadded(rows: Vec<f32>, row: usize, length: usize) -> Vec<f32> {
    if row == length {
        return rows;
    }
    rows.chunks_exact(row).flat_map(|row| &row[..length]).copied().collect()
}

impl<C: CheckpointStrategy> Linears for Autodiff<Flex, C> {
    fn linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        isa: Isa,
        has_bias: bool,
    ) -> FloatTensor<Self> {
        let nodes = [&input, &weight, &bias].map(|tensor| tensor.node());
        let prepared = Backward::<Flex, 3>::prepare::<C>(LinearBackward, nodes).compute_bound().stateful();
        let product = Product::new(isa, input.into_primitive(), weight.into_primitive());
        let output = product.forward(has_bias.then(|| bias.into_primitive()));
        match prepared {
            OpsKind::Tracked(node) => node.finish((product, has_bias), output),
            OpsKind::UnTracked(node) => node.finish(output),
        }
    }
}

#[derive(Debug)]
struct LinearBackward;

impl Backward<Flex, 3> for LinearBackward {
    type State = (Product, bool);

    fn backward(self, ops: Ops<(Product, bool), 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let gradient = numbers(&gradient);
        let (product, has_bias) = ops.state;
        let (_, padded) = product.padded(gradient);
        let [input, weight, bias] = ops.parents;
        if let Some(node) = input {
            gradients.register::<Flex>(node.id, product.input_gradient(&padded));
        }
        if let Some(node) = weight {
            gradients.register::<Flex>(node.id, product.weight_gradient(&padded));
        }
        if let Some(node) = bias.filter(|_| has_bias) {
            gradients.register::<Flex>(node.id, product.bias_gradient(gradient));
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::DType;
    use proptest::test_runner::{Config, RngSeed};

    use super::*;
    use crate::autodiff::testing::{random, values};

    /// Output and gradients of ⟨cotangent, output⟩.
    fn differentiate(
        inputs: [Tensor<2>; 2],
        bias: Option<Tensor<1>>,
        forward: impl FnOnce([Tensor<2>; 2], Option<Tensor<1>>) -> Tensor<2>,
    ) -> Vec<Vec<f64>> {
        let inputs = inputs.map(|tensor| tensor.autodiff().require_grad());
        let bias = bias.map(|tensor| tensor.autodiff().require_grad());
        let output = forward(inputs.clone(), bias.clone());
        let cotangent = random::<2>(9, output.dims()).cast(output.dtype());
        let gradients = (output.clone() * cotangent.autodiff()).sum().backward();
        let mut found = vec![values(output)];
        found.extend(inputs.map(|tensor| values(tensor.grad(&gradients).unwrap())));
        found.extend(bias.map(|bias| values(bias.grad(&gradients).unwrap())));
        found
    }

    proptest::proptest! {
        #![proptest_config(Config {
            cases: 200,
            rng_seed: RngSeed::Fixed(20),
            failure_persistence: None,
            ..Config::default()
        })]
        #[test]
        fn agrees_with_the_product_in_double_precision(
            seed: u64, images in 1..20usize, inputs in 1..100usize, outputs in 1..40usize, biased: bool
        ) {
            let tensors = [random::<2>(seed, [images, inputs]), random::<2>(seed ^ 1, [inputs, outputs])];
            let bias = biased.then(|| random::<1>(seed ^ 2, [outputs]));
            let expected = differentiate(tensors.clone(), bias.clone(), |[x, weight], bias| {
                let product = x.matmul(weight);
                match bias {
                    Some(bias) => product + bias.unsqueeze(),
                    None => product,
                }
            });
            let single = tensors.map(|tensor| tensor.cast(DType::F32));
            let bias = bias.map(|bias| bias.cast(DType::F32));
            for isa in Isa::available() {
                let found = differentiate(single.clone(), bias.clone(), |[x, w], b| linear_on_kernels(isa, x, w, b));
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(&expected) {
                    let largest = expected.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
                    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                    assert!(found.len() == expected.len() && apart < 1e-5 * largest, "{isa}: {apart:e} of {largest}");
                }
            }
        }
    }
}
