//! A published network for other images and classes than it was published for.

use crate::{Architecture, LayerSpec, Shape, ShapeError};

impl Architecture {
    /// The same layers for images of `input` and for `classes` classes: the last linear layer has as many features. A
    /// network that differs has another name, `cifar-baseline-3x64x64-5`, because it is not the published one.
    ///
    /// # Errors
    ///
    /// Images that do not go through the layers, and layers that end in other scores whatever the linear layer has.
    pub fn fitted(&self, input: Shape, classes: usize) -> Result<Self, ShapeError> {
        let mut fitted = Self { input, ..self.clone() };
        let last = fitted.layers.iter_mut().rev().find_map(|layer| match layer {
            LayerSpec::Linear(linear) => Some(linear),
            _ => None,
        });
        if let Some(linear) = last {
            linear.out_features = classes;
        }
        if fitted == *self {
            return Ok(fitted);
        }
        let sides: Vec<String> = input.dimensions().iter().map(usize::to_string).collect();
        fitted.name = format!("{}-{}-{classes}", self.name, sides.join("x"));
        match fitted.classes()? {
            found if found == classes => Ok(fitted),
            found => {
                let message = format!("`{}` ends in {found} scores, and cannot end in {classes}", self.name);
                Err(ShapeError::of_network(&fitted, Shape::vector(found), message, None))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::published;

    #[test]
    fn every_published_network_takes_other_classes_and_most_take_other_images() {
        for name in published::names() {
            let network = published::by_name(name).unwrap();
            assert_eq!(network.fitted(network.input, network.classes().unwrap()).unwrap(), network);
            for classes in [2, 3, 1_000, 65_535] {
                let fitted = network.fitted(network.input, classes).unwrap();
                assert_eq!((fitted.input, fitted.classes()), (network.input, Ok(classes)), "{name}");
                if network.classes() != Ok(classes) {
                    assert!(fitted.name.starts_with(&format!("{name}-")) && published::by_name(&fitted.name).is_none());
                }
            }
        }
        let fitted = published::cifar_baseline().fitted(Shape::image(1, 64, 48), 5).unwrap();
        assert_eq!((fitted.name.as_str(), fitted.classes()), ("cifar-baseline-1x64x48-5", Ok(5)));
    }

    #[test]
    fn images_that_are_too_small_are_an_error() {
        assert!(published::alexnet().fitted(Shape::image(3, 8, 8), 5).is_err());
    }
}
