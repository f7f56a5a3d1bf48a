//! Which networks run on the CPU kernels alone.

use backproof_compiled::Operation;
use backproof_layers::Layer;
use backproof_spec::{Architecture, Shape, TracedLayer, describe_layer};
use serde::{Deserialize, Serialize};

/// Why a network does not run on the CPU kernels alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCompiled {
    /// There is no kernel for a layer.
    #[error("there is no kernel for {layer} ({description})")]
    NoKernel {
        /// Its name, `gelu1`.
        layer: String,
        /// What it is, in words.
        description: String,
    },
    /// A plan normalises by the statistics of each batch.
    #[error("the kernels train batch normalisation by the statistics of each batch, and {} is frozen", .layers.join(", "))]
    Frozen {
        /// The frozen layers.
        layers: Vec<String>,
    },
    /// The kernels compute in single precision.
    #[error("the kernels compute in single precision, and the network has another")]
    Precision,
    /// The kernels work on the memory of another backend.
    #[error("the kernels are for the backend flex")]
    Backend,
    /// The kernels take images.
    #[error("the kernels take images, and {network} takes {input}")]
    NoImages {
        /// The network's name.
        network: String,
        /// What it takes.
        input: Shape,
    },
}

/// What computes a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum ComputedBy {
    /// One of our CPU kernels.
    Kernel,
    /// An operation of Burn's.
    Burn {
        /// Why, in a sentence without its full stop.
        reason: String,
    },
}

/// An error where a layer of the architecture has no CPU kernel.
///
/// # Errors
///
/// The first such layer, or an input that is no image.
pub fn has_kernels(architecture: &Architecture) -> Result<(), NotCompiled> {
    operations(architecture).map(|_| ())
}

/// The shape of an image, `[C, H, W]`, and each layer as an operation of a plan.
pub(crate) fn operations(architecture: &Architecture) -> Result<([usize; 3], Vec<Operation>), NotCompiled> {
    let Shape::Image { channels, height, width } = architecture.input else {
        return Err(NotCompiled::NoImages { network: architecture.name.clone(), input: architecture.input });
    };
    let traced = architecture.trace().expect("a network was made of it, or a config was checked");
    check(&traced, None)?;
    let operations = traced.iter().map(Layer::operation).collect::<Option<_>>();
    Ok(([channels, height, width], operations.expect("each layer was looked at")))
}

/// An error where one of these layers, or one inside of them, has no kernel. `flattened` is the image of more than one
/// pixel that the first one gets as a vector, if it does; so is what comes back of the last one. A plan leaves
/// flattened images as they are, channel by channel.
fn check(layers: &[TracedLayer], mut flattened: Option<Shape>) -> Result<Option<Shape>, NotCompiled> {
    for layer in layers {
        let refused = |of: &str| NotCompiled::NoKernel {
            layer: layer.name.clone(),
            description: describe_layer(&layer.layer) + of,
        };
        if !layer.branches.is_empty() {
            let before = flattened;
            let given = layer.branches.iter().map(|branch| check(&branch.layers, before));
            let mut given = given.collect::<Result<Vec<_>, _>>()?;
            given.resize(2, before); // an identity, or zero padding, which is of images alone
            if given[0] != given[1] {
                return Err(refused(" of flattened images of several shapes"));
            }
            flattened = given[0];
            continue;
        }
        match (Layer::operation(layer).ok_or_else(|| refused(""))?, layer.input) {
            (Operation::Flatten, Shape::Image { height, width, .. }) => {
                flattened = Some(layer.input).filter(|_| height * width > 1);
            }
            (Operation::Linear { .. }, _) => flattened = None,
            (Operation::BatchNorm { .. }, _) if flattened.is_some() => return Err(refused(" of flattened images")),
            _ => {}
        }
    }
    Ok(flattened)
}

#[cfg(test)]
mod tests {
    use backproof_spec::{BatchNormSpec, FlattenSpec, LayerNormSpec, LayerSpec, LinearSpec, ResidualSpec};
    use burn::tensor::Device;

    use super::*;
    use crate::{Network, PassMode};

    fn architecture(layers: Vec<LayerSpec>) -> Architecture {
        Architecture { name: "small".to_owned(), input: Shape::image(2, 3, 3), layers }
    }

    #[test]
    fn a_normalisation_of_flattened_images_has_no_kernel_and_one_after_a_linear_layer_has() {
        let linear = || LayerSpec::Linear(LinearSpec::new(4));
        let (flatten, norm) = (|| LayerSpec::Flatten(FlattenSpec), || LayerSpec::BatchNorm(BatchNormSpec::default()));
        let refused = architecture(vec![flatten(), norm(), linear()]);
        let error = has_kernels(&refused).unwrap_err().to_string();
        assert!(error.starts_with("there is no kernel for norm1 (") && error.contains("flattened"), "{error}");
        assert_eq!(has_kernels(&architecture(vec![flatten(), linear(), norm(), linear()])), Ok(()));
        assert_eq!(has_kernels(&architecture(vec![norm(), flatten(), linear()])), Ok(()));
        let network = Network::new(&refused, 1, &Device::flex()).unwrap();
        let images = burn::Tensor::ones([5, 2, 3, 3], &Device::flex());
        assert_eq!(network.forward(images, PassMode::Inference).dims(), [5, 4]);
    }

    #[test]
    fn a_layer_without_a_kernel_is_named_inside_of_a_residual_one_too() {
        let residual = |body| LayerSpec::Residual(ResidualSpec::new(body));
        let (flatten, linear) = (|| LayerSpec::Flatten(FlattenSpec), |out| LayerSpec::Linear(LinearSpec::new(out)));
        let norm = LayerSpec::LayerNorm(LayerNormSpec { epsilon: 1e-5 });
        let norm = architecture(vec![residual(vec![norm]), flatten(), linear(4)]);
        let error = has_kernels(&norm).unwrap_err().to_string();
        assert_eq!(error, "there is no kernel for residual1.body.norm1 (layer norm)");
        // The plan has the input of the sum as an image, and the output of the body as a vector.
        let mixed = architecture(vec![flatten(), residual(vec![linear(18)]), linear(4)]);
        let error = has_kernels(&mixed).unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no kernel for residual1 (residual, identity of flattened images of several shapes)"
        );
        let vectors = architecture(vec![flatten(), linear(5), residual(vec![linear(5)]), linear(4)]);
        assert_eq!(has_kernels(&vectors), Ok(()));
    }
}
