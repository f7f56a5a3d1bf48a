use crate::definition::Definition;
use crate::{Features, Initial, Mode, Ranked};
use backproof_compiled::Operation;
use backproof_spec::{self as spec, TracedLayer};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// All axes but the first made one, in row-major order.
///
/// # Derivation
///
/// `y_n,q = x_n,c,h,v` with `q = (c·H + h)·W + v` for an image, and likewise for any rank of at least 2. Every element
/// goes to one place and nothing is computed, so the Jacobian is a permutation and its transpose is the inverse one:
///
/// ```text
/// ∂L/∂x_n,c,h,v = ∂L/∂y_n,(c·H + h)·W + v
/// ```
///
/// that is, the gradient in the shape of the input.
#[derive(Module, Debug, Default)]
pub struct Flatten;

/// What [`Flatten::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct FlattenSaved<const D: usize> {
    /// The shape of `x`.
    pub input_shape: [usize; D],
}

impl Flatten {
    /// `[N, …]` to `[N, product of the others]`; a vector, `D = 1`, to `[N, 1]`.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<2> {
        let shape = input.dims();
        input.reshape([shape[0], shape[1..].iter().product()])
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<2>, FlattenSaved<D>) {
        let input_shape = input.dims();
        (self.forward(input), FlattenSaved { input_shape })
    }

    /// `∂L/∂x`, in the shape of the input, from `output_gradient = ∂L/∂y`.
    pub fn backward<const D: usize>(&self, saved: FlattenSaved<D>, output_gradient: Tensor<2>) -> Tensor<D> {
        output_gradient.reshape(saved.input_shape)
    }
}

impl Definition for Flatten {
    type Spec = spec::FlattenSpec;
    type Saved = Ranked<FlattenSaved<4>, FlattenSaved<2>>;

    fn build(_spec: &Self::Spec, _traced: &TracedLayer, _initial: Initial<'_>) -> Self {
        Self
    }

    fn forward(&self, input: Features, _mode: Mode) -> Features {
        Ranked::Vectors(match input {
            Ranked::Images(images) => self.forward(images),
            Ranked::Vectors(vectors) => self.forward(vectors),
        })
    }

    fn forward_saving(&self, input: Features, _mode: Mode) -> (Features, Self::Saved) {
        match input {
            Ranked::Images(images) => {
                let (output, saved) = self.forward_saving(images);
                (Ranked::Vectors(output), Ranked::Images(saved))
            }
            Ranked::Vectors(vectors) => {
                let (output, saved) = self.forward_saving(vectors);
                (Ranked::Vectors(output), Ranked::Vectors(saved))
            }
        }
    }

    fn backward(&self, saved: Self::Saved, gradient: Features, _gradients: &mut GradientsParams) -> Features {
        match saved {
            Ranked::Images(saved) => Ranked::Images(self.backward(saved, gradient.vectors())),
            Ranked::Vectors(saved) => Ranked::Vectors(self.backward(saved, gradient.vectors())),
        }
    }

    fn operation(_spec: &Self::Spec, _traced: &TracedLayer) -> Option<Operation> {
        Some(Operation::Flatten)
    }

    #[cfg(feature = "flex")]
    fn node(&self) -> Result<crate::Node, String> {
        Err("it moves no numbers".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn check<const D: usize>(case: &Case<'_>) {
        let (output, saved) = Flatten.forward_saving(case.tensor::<D>("input"));
        case.assert("output", output);
        case.assert("input_gradient", Flatten.backward(saved, case.tensor("cotangent")));
        let (_, gradient, _) =
            differentiate(case.tensor::<D>("input"), case.tensor("cotangent"), |input| Flatten.forward(input));
        case.assert("input_gradient", gradient);
    }

    #[test]
    fn agrees_with_pytorch() {
        for case in Fixture::load("flatten").cases() {
            match case.rank("input") {
                2 => check::<2>(&case),
                4 => check::<4>(&case),
                rank => panic!("{}: rank {rank}", case.name),
            }
        }
    }

    #[test]
    fn a_transposed_input_is_flattened_in_its_own_order() {
        let input = from_values((0..6).map(f64::from).collect(), [1, 2, 3]).swap_dims(1, 2);
        let (output, saved) = Flatten.forward_saving(input.clone());
        assert_eq!(values(output.clone()), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(values(Flatten.backward(saved, output)), values(input));
    }
}
