//! What a network asks of each of its layers.

use std::fmt::Debug;

use backproof_compiled::Operation;
use backproof_spec::{Shape, TracedLayer};
use burn::Tensor;
use burn::module::Param;
use burn::optim::GradientsParams;

use crate::{Features, Initial, Layer, Mode, Saved, Sides};

/// A layer as a network uses it. The list in `lib.rs` makes the enum [`Layer`](crate::Layer) of all that implement it.
///
/// A layer of one rank takes that rank alone: `spec` checks the shapes of a network before it is built.
pub trait Definition: Sized {
    /// What describes it in an architecture.
    type Spec;
    /// What [`forward_saving`](Self::forward_saving) keeps for [`backward`](Self::backward).
    type Saved: Clone + Debug;

    /// Whether it has parameters to train.
    const TRAINABLE: bool = false;

    /// The layer with its initial parameters. `traced` has the shape of its inputs, and the layers inside of it.
    fn build(spec: &Self::Spec, traced: &TracedLayer, initial: Initial<'_>) -> Self;

    /// The pass that autodiff differentiates.
    fn forward(&self, input: Features, mode: Mode) -> Features;

    /// The pass on plain tensors that keeps what the backward pass needs.
    fn forward_saving(&self, input: Features, mode: Mode) -> (Features, Self::Saved);

    /// The gradient of the input; those of the parameters are registered in `gradients` by parameter id.
    fn backward(&self, saved: Self::Saved, gradient: Features, gradients: &mut GradientsParams) -> Features;

    /// Whether this one has parameters to train.
    fn is_trainable(&self) -> bool {
        Self::TRAINABLE
    }

    /// The layers inside of it, a slice for each branch, in the order of their numbers.
    fn branches(&self) -> Vec<&[Layer]> {
        Vec::new()
    }

    /// What the layers inside of it kept, in the same order.
    fn saved_inside(_saved: &Self::Saved) -> Vec<&Saved> {
        Vec::new()
    }

    /// The gradients of the parameters alone, which is less work in some layers.
    fn parameter_gradients(&self, saved: Self::Saved, gradient: Features, gradients: &mut GradientsParams) {
        self.backward(saved, gradient, gradients);
    }

    /// On which side of its kinks each element was; none where the layer is smooth.
    fn sides(_saved: &Self::Saved) -> Option<Sides> {
        None
    }

    /// What it is in a plan of CPU kernels; none where there is no kernel for it.
    fn operation(_spec: &Self::Spec, _traced: &TracedLayer) -> Option<Operation> {
        None
    }

    /// The layer as a node of autodiff's graph that CPU kernels compute.
    ///
    /// # Errors
    ///
    /// Why it is none, in a sentence without its full stop.
    #[cfg(feature = "flex")]
    fn node(&self) -> Result<crate::Node, String> {
        Err("there is no kernel for it".to_owned())
    }

    /// Adds what it needs in a segment after a convolution; `false` where a segment does not compute it in this mode.
    #[cfg(feature = "flex")]
    fn join_segment(&self, _mode: Mode, _parameters: &mut backproof_compiled::SegmentParameters) -> bool {
        true
    }
}

/// Registers the gradient of a parameter.
pub(crate) fn register<const D: usize>(
    gradients: &mut GradientsParams,
    parameter: &Param<Tensor<D>>,
    gradient: Tensor<D>,
) {
    gradients.register(parameter.id, gradient);
}

/// Registers the gradient of a bias, if there is one.
pub(crate) fn register_bias(
    gradients: &mut GradientsParams,
    bias: Option<&Param<Tensor<1>>>,
    gradient: Option<Tensor<1>>,
) {
    if let (Some(bias), Some(gradient)) = (bias, gradient) {
        register(gradients, bias, gradient);
    }
}

/// Height and width.
pub(crate) fn pair(size: backproof_spec::Size2) -> [usize; 2] {
    [size.height, size.width]
}

/// Rows and columns of an image; 1 of each for a vector.
pub(crate) fn plane(shape: Shape) -> [usize; 2] {
    match shape {
        Shape::Image { height, width, .. } => [height, width],
        Shape::Vector { .. } => [1, 1],
    }
}

/// The methods `forward` and `forward_saving` of a [`Definition`] whose layer has methods of these names for tensors of
/// any rank. With a name, these methods also take the mode.
macro_rules! forwards_of_either_rank {
    ($($mode:ident)?) => {
        fn forward(&self, input: crate::Features, _mode: crate::Mode) -> crate::Features {
            $(let $mode = _mode;)?
            match input {
                crate::Ranked::Images(images) => crate::Ranked::Images(self.forward(images $(, $mode)?)),
                crate::Ranked::Vectors(vectors) => crate::Ranked::Vectors(self.forward(vectors $(, $mode)?)),
            }
        }

        fn forward_saving(&self, input: crate::Features, _mode: crate::Mode) -> (crate::Features, Self::Saved) {
            $(let $mode = _mode;)?
            match input {
                crate::Ranked::Images(images) => {
                    let (output, saved) = self.forward_saving(images $(, $mode)?);
                    (crate::Ranked::Images(output), crate::Ranked::Images(saved))
                }
                crate::Ranked::Vectors(vectors) => {
                    let (output, saved) = self.forward_saving(vectors $(, $mode)?);
                    (crate::Ranked::Vectors(output), crate::Ranked::Vectors(saved))
                }
            }
        }
    };
}

/// The [`Definition`] of a layer without parameters that takes images and vectors, and does the same in training and in
/// inference. `$build` makes it of its spec; `$sides` says on which side of its kinks each element was, and
/// `$operation` what it is in a plan.
macro_rules! of_either_rank {
    (
        $Layer:ident, $Saved:ident, $Spec:ident,
        build: |$spec:pat_param| $build:expr
        $(, sides: |$saved:ident| $sides:expr)?
        $(, operation: |$of:pat_param| $operation:expr)?
        $(,)?
    ) => {
        impl crate::definition::Definition for $Layer {
            type Spec = backproof_spec::$Spec;
            type Saved = crate::Ranked<$Saved<4>, $Saved<2>>;

            fn build(
                $spec: &Self::Spec,
                _traced: &backproof_spec::TracedLayer,
                _initial: crate::Initial<'_>,
            ) -> Self {
                $build
            }

            crate::definition::forwards_of_either_rank! {}

            fn backward(
                &self,
                saved: Self::Saved,
                gradient: crate::Features,
                _gradients: &mut burn::optim::GradientsParams,
            ) -> crate::Features {
                match saved {
                    crate::Ranked::Images(saved) => crate::Ranked::Images(self.backward(saved, gradient.images())),
                    crate::Ranked::Vectors(saved) => crate::Ranked::Vectors(self.backward(saved, gradient.vectors())),
                }
            }

            $(
                fn sides(saved: &Self::Saved) -> Option<crate::Sides> {
                    Some(crate::Sides::Signs(match saved {
                        crate::Ranked::Images($saved) => crate::Ranked::Images($sides),
                        crate::Ranked::Vectors($saved) => crate::Ranked::Vectors($sides),
                    }))
                }
            )?

            $(
                fn operation(
                    $of: &Self::Spec,
                    _traced: &backproof_spec::TracedLayer,
                ) -> Option<backproof_compiled::Operation> {
                    Some($operation)
                }
            )?
        }
    };
}
pub(crate) use {forwards_of_either_rank, of_either_rank};
