//! Grad-CAM: which places of a convolution's output speak for a class.

use backproof_models::Passes;
use backproof_spec::{Architecture, LayerSpec, Shape, ShapeError, TracedLayer};

use super::super::explanation::numbers;
use super::map::Map;

/// Which places of a layer's output speak for a class: max(0, Σ_k α_k A_k), where A_k is channel k of the output and
/// α_k the mean over its places of ∂ logit / ∂ A_k.
///
/// R. R. Selvaraju and others, *Grad-CAM: visual explanations from deep networks via gradient-based localization*, 2017.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassActivation {
    /// The name of the layer.
    pub layer: String,
    /// As large as the output of the layer.
    pub map: Map,
}

/// Of the last layer that is a convolution, or contains one, and whose output has more than one place. A layer inside of
/// a residual layer does not count: the sum of both branches does.
///
/// Without such a layer, why there is no Grad-CAM.
pub(super) fn grad_cam(
    architecture: &Architecture,
    passes: &Passes,
) -> Result<Result<ClassActivation, &'static str>, ShapeError> {
    let traced = architecture.trace()?;
    let convolves = |layer: &&TracedLayer| layer.all().iter().any(|it| matches!(it.layer, LayerSpec::Conv2d(_)));
    let has_places =
        |layer: &&TracedLayer| matches!(layer.output, Shape::Image { height, width, .. } if height * width > 1);
    let mut convolutions = traced.iter().filter(convolves).peekable();
    if convolutions.peek().is_none() {
        return Ok(Err("The network has no convolution, so there is no Grad-CAM."));
    }
    let Some(layer) = convolutions.rfind(has_places) else {
        return Ok(Err("Each convolution's output has one place only, so there is no Grad-CAM."));
    };
    let Shape::Image { channels, height, width } = layer.output else { unreachable!("it has places") };
    let pass = &passes.layers[layer.number];
    Ok(Ok(ClassActivation {
        layer: layer.name.clone(),
        map: weighted(&numbers(&pass.output), &numbers(&pass.gradient), [channels, height, width]),
    }))
}

fn weighted(output: &[f32], gradient: &[f32], [channels, height, width]: [usize; 3]) -> Map {
    let area = height * width;
    let of_channel = |numbers: &[f32], channel: usize| -> Vec<f64> {
        numbers[channel * area..][..area].iter().map(|&number| f64::from(number)).collect()
    };
    let mut values = vec![0.0; area];
    for channel in 0..channels {
        let weight = of_channel(gradient, channel).iter().sum::<f64>() / area as f64;
        values.iter_mut().zip(of_channel(output, channel)).for_each(|(sum, number)| *sum += weight * number);
    }
    values.iter_mut().for_each(|sum| *sum = sum.max(0.0));
    Map { height, width, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: α = (1 + 3) / 2 = 2 and (−1 − 1) / 2 = −1; 2·[1, 5] − [4, 3] = [−2, 7].
    #[test]
    fn channels_are_weighed_by_their_mean_gradients_and_what_speaks_against_the_class_is_zero() {
        let map = weighted(&[1.0, 5.0, 4.0, 3.0], &[1.0, 3.0, -1.0, -1.0], [2, 1, 2]);
        assert_eq!(map, Map { height: 1, width: 2, values: vec![0.0, 7.0] });
    }
}
