//! Which layers the CPU kernels do not compute.
//!
//! This crate has no kernels, but it knows for which layers there are some, so that `config check` can say it before
//! anything is built. A test of `backproof-models` holds it against the operations of plans.

use std::fmt;

use crate::{Architecture, Engine, Experiment, Kernels, LayerSpec, Shape, ShapeError, TracedLayer, describe_layer};

/// A layer that no CPU kernel computes. The engine `compiled` refuses its network; the others compute it by operations
/// of Burn's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithoutKernel {
    /// Its name, `norm1`.
    pub layer: String,
    /// What it is, in words.
    pub description: String,
}

impl fmt::Display for WithoutKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.layer, self.description)
    }
}

impl Architecture {
    /// The layers that no CPU kernel computes, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// As [`trace`](Self::trace).
    pub fn without_kernels(&self) -> Result<Vec<WithoutKernel>, ShapeError> {
        let mut found = Vec::new();
        add(&self.trace()?, None, &mut found);
        Ok(found)
    }
}

impl Experiment {
    /// What a person is told where kernels take part in the training and some layers have none. The engine `compiled`
    /// refuses such a network, and the engine `manual` and `kernels = "off"` want no kernels.
    ///
    /// # Errors
    ///
    /// As [`Architecture::trace`].
    pub fn without_kernels_in_words(&self) -> Result<Option<String>, ShapeError> {
        let found = self.model.without_kernels()?;
        if found.is_empty() || self.engine != Engine::Autodiff || self.kernels == Kernels::Off {
            return Ok(None);
        }
        let them = if found.len() == 1 { "it" } else { "them" };
        let layers = found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Ok(Some(format!("there is no CPU kernel for {layers}: operations of Burn compute {them}, which is slow")))
    }
}

/// Adds those of these layers, and of the layers inside of them, that no kernel computes. `flattened` is the image of
/// more than one pixel that the first one gets as a vector, if it does; so is what comes back of the last one. A plan
/// leaves flattened images as they are, channel by channel.
fn add(layers: &[TracedLayer], mut flattened: Option<Shape>, found: &mut Vec<WithoutKernel>) -> Option<Shape> {
    for layer in layers {
        let refused =
            |of: &str| WithoutKernel { layer: layer.name.clone(), description: describe_layer(&layer.layer) + of };
        match (&layer.layer, layer.input) {
            (LayerSpec::Residual(_), _) => {
                let (before, at) = (flattened, found.len());
                let mut given: Vec<_> =
                    layer.branches.iter().map(|branch| add(&branch.layers, before, found)).collect();
                given.resize(2, before); // an identity, or zero padding, which is of images alone
                if given[0] != given[1] {
                    found.insert(at, refused(" of flattened images of several shapes"));
                }
                flattened = given[0];
            }
            (LayerSpec::Flatten(_), Shape::Image { height, width, .. }) => {
                flattened = Some(layer.input).filter(|_| height * width > 1);
            }
            (LayerSpec::Linear(_), _) => flattened = None,
            (LayerSpec::BatchNorm(_), _) if flattened.is_some() => found.push(refused(" of flattened images")),
            (other, _) if !other.has_kernel() => found.push(refused("")),
            _ => {}
        }
    }
    flattened
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        BatchNormSpec, DataSets, FlattenSpec, GroupNormSpec, LayerNormSpec, LinearSpec, ResidualSpec, published,
    };

    fn without(layers: Vec<LayerSpec>) -> Vec<String> {
        let network = Architecture { name: "small".to_owned(), input: Shape::image(2, 3, 3), layers };
        network.without_kernels().unwrap().iter().map(ToString::to_string).collect()
    }

    fn flatten() -> LayerSpec {
        LayerSpec::Flatten(FlattenSpec)
    }

    fn linear(outputs: usize) -> LayerSpec {
        LayerSpec::Linear(LinearSpec::new(outputs))
    }

    fn residual(body: Vec<LayerSpec>) -> LayerSpec {
        LayerSpec::Residual(ResidualSpec::new(body))
    }

    #[test]
    fn every_published_network_is_on_kernels() {
        for name in published::names() {
            assert_eq!(published::by_name(name).unwrap().without_kernels(), Ok(vec![]), "{name}");
        }
    }

    #[test]
    fn a_normalisation_of_flattened_images_has_no_kernel_and_one_after_a_linear_layer_has() {
        let norm = || LayerSpec::BatchNorm(BatchNormSpec::default());
        assert_eq!(without(vec![flatten(), norm(), linear(4)]), ["norm1 (batch norm of flattened images)"]);
        assert!(without(vec![flatten(), linear(4), norm(), linear(4)]).is_empty());
        assert!(without(vec![norm(), flatten(), linear(4)]).is_empty());
    }

    #[test]
    fn all_are_named_those_inside_of_a_residual_layer_too() {
        let layer_norm = || LayerSpec::LayerNorm(LayerNormSpec { epsilon: 1e-5 });
        let group_norm = LayerSpec::GroupNorm(GroupNormSpec { groups: 2, epsilon: 1e-5 });
        let found = without(vec![residual(vec![layer_norm()]), group_norm, flatten(), layer_norm(), linear(4)]);
        let expected = ["residual1.body.norm1 (layer norm)", "norm1 (group norm, 2 groups)", "norm2 (layer norm)"];
        assert_eq!(found, expected);
    }

    #[test]
    fn words_are_for_those_who_want_kernels() {
        let words = |layers: &str, overrides: &[&str]| {
            let text = format!(
                "[data]\ndataset = \"d\"\n[model]\ninput = [2, 3, 3]\nlayers = [{layers}]\n[optimizer]\n\
                 learning_rate = 0.1\n[training]\niterations = 1\n"
            );
            let overrides: Vec<String> = overrides.iter().map(|&key| key.to_owned()).collect();
            let experiment = Experiment::from_toml("x.toml", &text, &overrides, &DataSets::any()).unwrap();
            experiment.without_kernels_in_words().unwrap()
        };
        let head = r#"{ type = "linear", out_features = 3 }"#;
        let one = format!(r#""layer_norm", "flatten", {head}"#);
        let expected = "there is no CPU kernel for norm1 (layer norm): operations of Burn compute it, which is slow";
        assert_eq!(words(&one, &[]).as_deref(), Some(expected));
        let two = format!(r#""layer_norm", "flatten", "layer_norm", {head}"#);
        assert!(
            words(&two, &[])
                .unwrap()
                .contains("norm1 (layer norm), norm2 (layer norm): operations of Burn compute them")
        );
        for unasked in ["engine=manual", "engine=compiled", "kernels=off"] {
            assert_eq!(words(&one, &[unasked]), None, "{unasked}");
        }
        assert_eq!(words(&format!(r#""flatten", {head}"#), &[]), None);
    }

    /// A plan has the input of the sum as an image, and the output of the body as a vector.
    #[test]
    fn a_sum_of_flattened_images_and_a_vector_has_no_kernel() {
        let found = without(vec![flatten(), residual(vec![linear(18)]), linear(4)]);
        assert_eq!(found, ["residual1 (residual, identity of flattened images of several shapes)"]);
        assert!(without(vec![flatten(), linear(5), residual(vec![linear(5)]), linear(4)]).is_empty());
    }
}
