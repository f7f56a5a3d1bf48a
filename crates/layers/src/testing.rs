//! What the tests of all layers share: the values from PyTorch, comparison, autodiff, and tensors from a seed.

use std::collections::BTreeSet;
use std::path::Path;

use burn::tensor::{DType, Device, Gradients, Int, Tensor, TensorData};
use proptest::test_runner::RngSeed;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use safetensors::{Dtype, SafeTensors};

use crate::Mode;

/// How far gradients and outputs may be from PyTorch's, relative to each element.
pub(crate) const PYTORCH: f64 = 1e-9;
/// How far a gradient by hand may be from autodiff's on the same backend, relative to each element.
pub(crate) const AUTODIFF: f64 = 1e-10;
/// What cancellation in a sum may leave, relative to the largest element of the tensor.
const ROUND_OFF: f64 = 1e-13;

pub(crate) const TRAINING: Mode = Mode::Training { dropout_seed: [7; 32] };

/// Whether a layer's parameters take part in autodiff.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Engine {
    Manual,
    Autodiff,
}

impl Engine {
    /// The tensor where this engine wants it.
    pub(crate) fn on_device<const D: usize>(self, tensor: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Manual => tensor,
            Self::Autodiff => tensor.autodiff(),
        }
    }
}

/// The values of one layer in `tests/fixtures/layers`.
pub(crate) struct Fixture {
    bytes: Vec<u8>,
}

/// One case of a [`Fixture`].
pub(crate) struct Case<'data> {
    pub(crate) name: String,
    tensors: SafeTensors<'data>,
}

impl Fixture {
    pub(crate) fn load(layer: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/layers");
        let path = folder.join(format!("{layer}.safetensors"));
        Self { bytes: std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())) }
    }

    pub(crate) fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        let names: BTreeSet<String> = SafeTensors::deserialize(&self.bytes)
            .expect("a safetensors file")
            .names()
            .into_iter()
            .map(|name| name.split('/').next().expect("a case").to_owned())
            .collect();
        assert!(!names.is_empty());
        names.into_iter().map(|name| Case { name, tensors: SafeTensors::deserialize(&self.bytes).expect("as before") })
    }
}

impl Case<'_> {
    fn data(&self, name: &str) -> Option<(Vec<f64>, Vec<usize>)> {
        let view = self.tensors.tensor(&format!("{}/{name}", self.name)).ok()?;
        let values = match view.dtype() {
            Dtype::F64 => numbers(view.data(), f64::from_le_bytes),
            Dtype::F32 => numbers(view.data(), |bytes| f32::from_le_bytes(bytes).into()),
            Dtype::I64 => numbers(view.data(), |bytes| i64::from_le_bytes(bytes) as f64),
            other => panic!("{name} is {other:?}"),
        };
        Some((values, view.shape().to_vec()))
    }

    /// A tensor in f64 on the plain device.
    pub(crate) fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        self.optional(name).unwrap_or_else(|| panic!("{} has no {name}", self.name))
    }

    pub(crate) fn optional<const D: usize>(&self, name: &str) -> Option<Tensor<D>> {
        let (values, shape) = self.data(name)?;
        Some(from_values(values, shape.try_into().expect("the rank")))
    }

    pub(crate) fn classes(&self, name: &str) -> Tensor<1, Int> {
        let classes: Vec<i64> = self.data(name).expect(name).0.iter().map(|&class| class as i64).collect();
        Tensor::from_data(classes.as_slice(), &Device::flex())
    }

    pub(crate) fn pair(&self, name: &str) -> [usize; 2] {
        let values = self.data(name).expect(name).0;
        [values[0] as usize, values[1] as usize]
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        self.data(name).expect(name).0[0]
    }

    pub(crate) fn rank(&self, name: &str) -> usize {
        self.data(name).expect(name).1.len()
    }

    /// Asserts that a tensor has the values that PyTorch found.
    pub(crate) fn assert<const D: usize>(&self, name: &str, actual: Tensor<D>) {
        assert_close(&format!("{}/{name}", self.name), actual, self.tensor(name), PYTORCH);
    }
}

fn numbers<const SIZE: usize>(bytes: &[u8], read: impl Fn([u8; SIZE]) -> f64) -> Vec<f64> {
    bytes.chunks_exact(SIZE).map(|chunk| read(chunk.try_into().expect("of that size"))).collect()
}

/// A tensor in f64 on the plain device.
pub(crate) fn from_values<const D: usize>(values: Vec<f64>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), (&Device::flex(), DType::F64))
}

pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.without_autodiff().into_data().try_into_vec().expect("f64")
}

/// Uniform values in `[-2, 2)`, in f64 on the plain device; never 0.
pub(crate) fn random<const D: usize>(seed: u64, shape: [usize; D]) -> Tensor<D> {
    let mut stream = ChaCha8Rng::seed_from_u64(seed);
    let elements = shape.iter().product();
    let uniform = |bits: u64| ((bits >> 11) as f64 + 0.5) * 2f64.powi(-51) - 2.0;
    from_values((0..elements).map(|_| uniform(stream.next_u64())).collect(), shape)
}

/// Integers from -2 to 2, full of ties and zeros.
pub(crate) fn few_values<const D: usize>(seed: u64, shape: [usize; D]) -> Tensor<D> {
    let mut stream = ChaCha8Rng::seed_from_u64(seed);
    let elements = shape.iter().product();
    from_values((0..elements).map(|_| f64::from(stream.next_u32() % 5) - 2.0).collect(), shape)
}

/// The values of a tensor, not laid out in order: as columns of a wider tensor with two axes exchanged.
pub(crate) fn scattered(tensor: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = tensor.dims();
    let wide = random::<4>(99, [channels + 1, batch, width + 2, height]);
    let all = [1..channels + 1, 0..batch, 2..width + 2, 0..height];
    let placed = wide.slice_assign(all.clone(), tensor.swap_dims(0, 1).swap_dims(2, 3));
    placed.slice(all).swap_dims(2, 3).swap_dims(0, 1)
}

/// The first element in which two tensors differ by more than the tolerance, described.
pub(crate) fn difference<const D: usize>(actual: Tensor<D>, expected: Tensor<D>, tolerance: f64) -> Option<String> {
    assert_eq!(actual.dtype(), DType::F64, "the layer left double precision");
    if actual.dims() != expected.dims() {
        return Some(format!("shape {:?}, expected {:?}", actual.dims(), expected.dims()));
    }
    let (actual, expected) = (values(actual), values(expected));
    let largest = expected.iter().fold(0f64, |largest, value| largest.max(value.abs()));
    actual
        .iter()
        .zip(&expected)
        .position(|(a, e)| {
            let agree = a == e || (a - e).abs() <= tolerance * e.abs() + ROUND_OFF * largest + f64::MIN_POSITIVE;
            !agree
        })
        .map(|at| format!("element {at} is {}, expected {}", actual[at], expected[at]))
}

/// Asserts equality within a tolerance, and that a relative error of 1e-6 would not have passed.
pub(crate) fn assert_close<const D: usize>(what: &str, actual: Tensor<D>, expected: Tensor<D>, tolerance: f64) {
    if let Some(difference) = difference(actual.clone(), expected.clone(), tolerance) {
        panic!("{what}: {difference}");
    }
    let nonzero = values(expected.clone()).iter().any(|&value| value.abs() > 1e-290);
    assert!(
        !nonzero || difference(actual * (1.0 + 1e-6), expected, tolerance).is_some(),
        "{what}: a comparison that sees nothing"
    );
}

/// The output of `forward`, the gradient of ⟨cotangent, output⟩ with respect to the input, and all gradients.
pub(crate) fn differentiate<const D: usize, const E: usize>(
    input: Tensor<D>,
    cotangent: Tensor<E>,
    forward: impl FnOnce(Tensor<D>) -> Tensor<E>,
) -> (Tensor<E>, Tensor<D>, Gradients) {
    let input = input.autodiff().require_grad();
    let output = forward(input.clone());
    let gradients = (output.clone() * cotangent.autodiff()).sum().backward();
    (output.without_autodiff(), input.grad(&gradients).expect("the input's gradient"), gradients)
}

/// Checks a layer without parameters, on tensors of `$rank` axes, against a [`Case`].
macro_rules! assert_agrees_with_pytorch {
    ($case:expr, $layer:expr, $rank:expr) => {
        let (case, layer) = (&$case, $layer);
        let (input, cotangent) = (case.tensor::<{ $rank }>("input"), case.tensor::<{ $rank }>("cotangent"));
        let (output, saved) = layer.forward_saving(input.clone());
        case.assert("output", output);
        case.assert("input_gradient", layer.backward(saved, cotangent.clone()));
        let (output, gradient, _) = crate::testing::differentiate(input, cotangent, |input| layer.forward(input));
        case.assert("output", output);
        case.assert("input_gradient", gradient);
    };
}

/// Checks a layer without parameters against autodiff. `$given` is the cotangent as the backward pass by hand is given
/// it, which may be laid out in another way.
macro_rules! assert_agrees_with_autodiff {
    ($layer:expr, $input:expr, $cotangent:expr, $given:expr) => {
        let (layer, input, cotangent, given) = ($layer, $input, $cotangent, $given);
        let (output, saved) = layer.forward_saving(input.clone());
        let gradient = layer.backward(saved, given);
        let (expected_output, expected, _) =
            crate::testing::differentiate(input, cotangent, |input| layer.forward(input));
        crate::testing::assert_close("output", output, expected_output, crate::testing::AUTODIFF);
        crate::testing::assert_close("input", gradient, expected, crate::testing::AUTODIFF);
    };
}

/// Runs `$check::<rank>(&case)` on every case of a fixture.
macro_rules! for_every_case {
    ($fixture:literal, $check:ident) => {
        for case in crate::testing::Fixture::load($fixture).cases() {
            match case.rank("input") {
                1 => $check::<1>(&case),
                2 => $check::<2>(&case),
                4 => $check::<4>(&case),
                rank => panic!("{}: rank {rank}", case.name),
            }
        }
    };
}

/// Checks an elementwise layer without parameters against its fixture: `$layer` is made from a [`Case`].
macro_rules! elementwise_agrees_with_pytorch {
    ($fixture:literal, $layer:expr) => {
        #[test]
        fn agrees_with_pytorch() {
            fn check<const D: usize>(case: &crate::testing::Case<'_>) {
                crate::testing::assert_agrees_with_pytorch!(case, ($layer)(case), D);
            }
            crate::testing::for_every_case!($fixture, check);
        }
    };
}

/// Checks an elementwise layer without parameters against autodiff, over generated values with and without zeros.
macro_rules! elementwise_agrees_with_autodiff {
    ($layer:expr) => {
        proptest::proptest! {
            #![proptest_config(crate::testing::generated())]
            #[test]
            fn agrees_with_autodiff(seed: u64, shape in [1..4usize, 1..4usize, 1..6usize], zeros: bool, scale in 0.1..20.0f64) {
                let make = if zeros { crate::testing::few_values::<3> } else { crate::testing::random::<3> };
                let cotangent = crate::testing::random::<3>(seed ^ 1, shape);
                let input = make(seed, shape) * scale;
                crate::testing::assert_agrees_with_autodiff!($layer, input, cotangent.clone(), cotangent);
            }
        }
    };
}

/// Checks a layer with weights, and perhaps a bias, against a [`Case`]. `$layer` makes it for an [`Engine`].
macro_rules! assert_weights_agree_with_pytorch {
    ($case:expr, $layer:expr) => {
        let (case, layer) = (&$case, $layer);
        let manual = layer(crate::testing::Engine::Manual);
        let (output, saved) = manual.forward_saving(case.tensor("input"));
        let gradients = manual.backward(saved, case.tensor("cotangent"));
        case.assert("output", output);
        case.assert("input_gradient", gradients.input);
        case.assert("weight_gradient", gradients.weight);
        assert_eq!(gradients.bias.is_some(), manual.bias.is_some());
        if let Some(bias) = gradients.bias {
            case.assert("bias_gradient", bias);
        }

        let autodiff = layer(crate::testing::Engine::Autodiff);
        let (output, input, gradients) =
            crate::testing::differentiate(case.tensor("input"), case.tensor("cotangent"), |input| {
                autodiff.forward(input)
            });
        case.assert("output", output);
        case.assert("input_gradient", input);
        case.assert("weight_gradient", autodiff.weight.val().grad(&gradients).unwrap());
        if let Some(bias) = autodiff.bias {
            case.assert("bias_gradient", bias.val().grad(&gradients).unwrap());
        }
    };
}

/// Checks a loss of targets in the shape of its input against its fixture, and against autodiff over generated values.
macro_rules! loss_agrees_with_pytorch_and_autodiff {
    ($fixture:literal, $loss:expr) => {
        #[test]
        fn agrees_with_pytorch() {
            fn check<const D: usize>(case: &Case<'_>) {
                let (input, targets) = (case.tensor::<D>("input"), case.tensor::<D>("targets"));
                let (output, saved) = $loss.forward_saving(input.clone(), targets.clone());
                case.assert("output", output);
                case.assert("input_gradient", $loss.backward(saved.clone(), case.tensor("cotangent")));
                case.assert("mean", $loss.mean(input.clone(), targets.clone()));
                case.assert("mean_gradient", $loss.mean_backward(saved));

                let forward = |input| $loss.forward(input, targets.autodiff());
                let (output, gradient, _) = differentiate(input, case.tensor("cotangent"), forward);
                case.assert("output", output);
                case.assert("input_gradient", gradient);
            }
            for_every_case!($fixture, check);
        }

        proptest::proptest! {
            #![proptest_config(generated())]
            #[test]
            fn agrees_with_autodiff(seed: u64, shape in [1..5usize, 1..4usize, 1..4usize], zeros: bool) {
                let input = if zeros { few_values(seed, shape) } else { random::<3>(seed, shape) };
                let targets = random::<3>(seed ^ 2, shape).abs() / 2.0;
                let cotangent = random::<1>(seed ^ 1, [shape[0]]);
                let (_, saved) = $loss.forward_saving(input.clone(), targets.clone());
                let gradient = $loss.backward(saved.clone(), cotangent.clone());
                let forward = |input| $loss.forward(input, targets.clone().autodiff());
                let (_, expected, _) = differentiate(input.clone(), cotangent, forward);
                assert_close("input", gradient, expected, AUTODIFF);
                let one = from_values(vec![1.0], [1]);
                let (_, expected, _) = differentiate(input, one, |input| forward(input).mean());
                assert_close("mean", $loss.mean_backward(saved), expected, AUTODIFF);
            }
        }
    };
}

pub(crate) use {
    assert_agrees_with_autodiff, assert_agrees_with_pytorch, assert_weights_agree_with_pytorch,
    elementwise_agrees_with_autodiff, elementwise_agrees_with_pytorch, for_every_case,
    loss_agrees_with_pytorch_and_autodiff,
};

/// The cases of each generated test: the same ones every time.
pub(crate) fn generated() -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        cases: 200,
        rng_seed: RngSeed::Fixed(20),
        failure_persistence: None,
        max_global_rejects: 100_000,
        ..Default::default()
    }
}

mod tests {
    use super::*;

    #[test]
    fn a_comparison_notices_one_wrong_element() {
        let right = random::<2>(1, [3, 4]);
        let mut wrong = values(right.clone());
        wrong[7] *= 1.0 + 1e-8;
        assert!(difference(from_values(wrong, [3, 4]), right.clone(), PYTORCH).is_some());
        assert!(difference(right.clone().transpose(), right.clone(), PYTORCH).is_some());
        assert!(difference(right.clone(), right, PYTORCH).is_none());
    }

    #[test]
    fn a_comparison_notices_nan() {
        assert!(difference(from_values(vec![f64::NAN], [1]), from_values(vec![1.0], [1]), PYTORCH).is_some());
    }
}

/// Faults of Burn 0.22.1 that the layers work around. A test here that fails says that a workaround may go.
mod burn_faults {
    use super::*;

    #[test]
    fn the_gradient_of_a_division_by_a_scalar_has_single_precision() {
        let one = from_values(vec![1.0], [1]);
        let (_, gradient, _) = differentiate(one.clone(), one, |input| input / 3.0);
        assert_eq!(values(gradient), [f64::from(1f32 / 3.0)]);
    }
}
