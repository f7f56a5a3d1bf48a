//! Which networks run on the CPU kernels alone.

use backproof_compiled::Operation;
use backproof_layers::Layer;
use backproof_spec::{Architecture, Shape, WithoutKernel};
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
    const CHECKED: &str = "a network was made of it, or a config was checked";
    let mut without = architecture.without_kernels().expect(CHECKED).into_iter();
    if let Some(WithoutKernel { layer, description }) = without.next() {
        return Err(NotCompiled::NoKernel { layer, description });
    }
    let traced = architecture.trace().expect(CHECKED);
    let operations = traced.iter().map(Layer::operation).collect::<Option<_>>();
    Ok(([channels, height, width], operations.expect("`spec` knows which layers have none")))
}

#[cfg(test)]
mod tests {
    use backproof_spec::{BatchNormSpec, DataSets, Experiment, FlattenSpec, LayerSpec, LinearSpec};
    use burn::tensor::Device;

    use super::*;
    use crate::{Network, PassMode};

    fn architecture(layers: Vec<LayerSpec>) -> Architecture {
        Architecture { name: "small".to_owned(), input: Shape::image(2, 3, 3), layers }
    }

    /// The text that explains the keys has a layer of each type.
    #[test]
    fn spec_knows_for_which_layers_there_are_operations() {
        let explained = backproof_spec::defaults(&DataSets::any());
        for name in LayerSpec::TYPES {
            let begins = format!("{{ type = \"{name}\"");
            let line = explained.lines().find_map(|line| line.strip_prefix("#   ")?.strip_prefix(&begins)).expect(name);
            let table = begins + line.split_once("}    ").expect("its words follow").0 + "}";
            // What a linear layer begins with is a vector.
            let before = if *name == "linear" { "\"flatten\", " } else { "" };
            let config = format!(
                "[data]\ndataset = \"d\"\n[model]\ninput = [4, 6, 6]\n\
                 layers = [{before}{table}, \"flatten\", {{ type = \"linear\", out_features = 3 }}]\n\
                 [optimizer]\nlearning_rate = 0.1\n[training]\niterations = 1\n"
            );
            let network = Experiment::from_toml("x.toml", &config, &[], &DataSets::any()).unwrap().model;
            let has_operation = Layer::operation(&network.trace().unwrap()[usize::from(!before.is_empty())]).is_some();
            assert_eq!(network.without_kernels().unwrap().is_empty(), has_operation, "{table}");
        }
    }

    #[test]
    fn the_first_layer_without_a_kernel_is_named_and_tensors_compute_it() {
        let (flatten, linear) = (|| LayerSpec::Flatten(FlattenSpec), || LayerSpec::Linear(LinearSpec::new(4)));
        let norm = || LayerSpec::BatchNorm(BatchNormSpec::default());
        let refused = architecture(vec![flatten(), norm(), norm(), linear()]);
        let error = has_kernels(&refused).unwrap_err().to_string();
        assert_eq!(error, "there is no kernel for norm1 (batch norm of flattened images)");
        assert_eq!(has_kernels(&architecture(vec![flatten(), linear(), norm(), linear()])), Ok(()));
        let network = Network::new(&refused, 1, &Device::flex()).unwrap();
        let images = burn::Tensor::ones([5, 2, 3, 3], &Device::flex());
        assert_eq!(network.forward(images, PassMode::Inference).dims(), [5, 4]);
    }
}
