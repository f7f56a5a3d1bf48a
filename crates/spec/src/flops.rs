//! How much arithmetic a network is.

use crate::{Architecture, ShapeError, TracedLayer};

/// Floating-point operations for one image. A multiplication and the addition that follows it count as two.
///
/// Convolutions and linear layers alone are counted, and of these the products: in the networks here biases,
/// activations, pooling, losses and the optimizer are a few percent of it. What is divided by these counts is therefore
/// a speed that cannot be overstated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flops {
    /// Of the forward pass.
    pub forward: u64,
    /// Of the backward pass: as much again for the gradients of the weights, and as much again for those of the inputs,
    /// less the one that nobody needs, of the images at the first layer that has parameters.
    pub backward: u64,
}

impl Flops {
    /// Of both passes.
    #[must_use]
    pub const fn training(self) -> u64 {
        self.forward + self.backward
    }
}

impl Architecture {
    /// The arithmetic of one image.
    ///
    /// # Errors
    ///
    /// As [`trace`](Self::trace).
    pub fn flops(&self) -> Result<Flops, ShapeError> {
        let layers = self.trace()?;
        let layers: Vec<&TracedLayer> = layers.iter().flat_map(TracedLayer::single).collect();
        let forward = layers.iter().copied().map(products).sum();
        let first = layers.iter().position(|layer| layer.weights + layer.biases > 0);
        // What lies after the first parameters passes a gradient on.
        let inputs: u64 =
            layers.iter().copied().skip(first.map_or(layers.len(), |first| first + 1)).map(products).sum();
        Ok(Flops { forward, backward: forward + inputs })
    }
}

/// Twice the multiplications of a layer's forward pass.
fn products(layer: &TracedLayer) -> u64 {
    2 * layer.layer.multiplications(layer.weights, layer.output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Conv2dSpec, LayerSpec, Shape, published};

    #[test]
    fn cifar_baseline_is_5_8_mflop_forward_and_15_a_training_step() {
        let flops = published::cifar_baseline().flops().unwrap();
        // 2·32·32·16·75 + 2·16·16·16·400 + 2·4,096·10
        assert_eq!(flops.forward, 2_457_600 + 3_276_800 + 81_920);
        // Three times that, less the gradient of the images.
        assert_eq!(flops.training(), 3 * 5_816_320 - 2_457_600);
    }

    #[test]
    fn petre_cnn_is_147_mflop_a_training_step() {
        // 2·32·32·32·27, 2·32·32·32·288, 2·16·16·64·288, 2·16·16·64·576, 2·4,096·64, 2·64·10
        let forward = [1_769_472, 18_874_368, 9_437_184, 18_874_368, 524_288, 1_280];
        let flops = published::petre_cnn().flops().unwrap();
        assert_eq!(flops.forward, forward.iter().sum::<u64>());
        assert_eq!(flops.training(), 3 * flops.forward - forward[0]);
        assert_eq!(flops.training() / 1_000_000, 146);
    }

    #[test]
    fn groups_divide_the_arithmetic_of_a_convolution() {
        let network = |groups| Architecture {
            name: "groups".to_owned(),
            input: Shape::image(4, 8, 8),
            layers: vec![LayerSpec::Conv2d(Conv2dSpec::new(6, 3).padding(1).groups(groups))],
        };
        assert_eq!(network(1).flops().unwrap().forward, 2 * 64 * 6 * 4 * 9);
        assert_eq!(network(2).flops().unwrap().forward, 2 * 64 * 6 * 2 * 9);
    }

    #[test]
    fn only_the_gradient_of_the_images_is_left_out() {
        // The first layer with parameters is the first linear one, behind a flatten.
        let flops = published::petre_mlp().flops().unwrap();
        let [first, others] = [2 * 3_072 * 128, 2 * (128 * 64 + 64 * 32 + 32 * 10)];
        assert_eq!((flops.forward, flops.backward), (first + others, first + 2 * others));
    }
}
