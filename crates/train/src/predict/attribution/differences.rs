//! The gradient of a logit with respect to the image, held against central differences in double precision.

use backproof_data::epoch_order;
use backproof_models::{Network, PassMode};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Tensor, TensorData};
use serde::Serialize;

/// Of each kind: the pixels of the largest gradients, and pixels at random from the others.
const PIXELS: usize = 32;
/// Steps as shares of the largest number of the image; a shorter one is taken where a longer one meets a kink. The last
/// is longer than the distance at which single precision takes one side of a kink for the other.
const STEPS: [f64; 3] = [1e-3, 1e-4, 1e-5];
/// The slopes on both sides of a place without a kink differ by no more than this share of the largest gradient. It is
/// small because kinks may nearly cancel: in a black background, a pixel is at many ties at once.
const STRAIGHT: f64 = 1e-5;
/// Or they differ by more, because the logit is curved: then by a tenth of what they differ by with a step ten times as
/// long, and not by so much that nothing could be told.
const CURVED: std::ops::Range<f64> = 0.05..0.2;
const MOST_CURVED: f64 = 1e-2;
/// Images in one forward pass.
const BATCH: usize = 32;

/// What central differences of the logit say of its gradient.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GradientCheck {
    /// The pixels that were compared: those of the 32 largest gradients, and 32 at random.
    pub pixels: usize,
    /// The pixels of these at which the logit has a kink, as a ReLU at 0 or a tie in a maximum: the differences on both
    /// sides never meet. They are not compared.
    pub kinks: usize,
    /// The largest error, as a share of the largest gradient of the image. `None` where no pixel was compared, or
    /// where a difference is not finite.
    pub largest_error: Option<f64>,
    /// Whether this error is at most [`TOLERANCE`](Self::TOLERANCE).
    pub agrees: bool,
}

impl GradientCheck {
    /// How large an error may be, as a share of the largest gradient: a hundred times what single precision does in a
    /// deep network, and far less than the error of a wrong backward pass.
    pub const TOLERANCE: f64 = 1e-3;
}

/// Checks `gradient` of the logit of `class` with respect to `input`, `[C, H, W]` both. `None` on a device without
/// double precision.
pub(super) fn check(
    network: &Network,
    input: &[f32],
    dims: [usize; 3],
    class: usize,
    gradient: &[f32],
) -> Option<GradientCheck> {
    let device = network.devices().swap_remove(0);
    if !device.supports_dtype(DType::F64) {
        return None;
    }
    let network = network.clone().map(&mut Double);
    let [channels, height, width] = dims;
    let logits = |images: Vec<f64>| -> Vec<f64> {
        let count = images.len() / input.len();
        let data = TensorData::new(images, [count, channels, height, width]);
        let logits = network.forward(Tensor::from_data(data, (&device, DType::F64)), PassMode::Inference);
        let [_, classes] = logits.dims();
        logits.into_data().iter::<f64>().skip(class).step_by(classes).collect()
    };
    let input: Vec<f64> = input.iter().map(|&number| f64::from(number)).collect();
    Some(compare(logits, &input, gradient, &chosen(gradient, dims)))
}

/// Weights and running statistics in double precision.
struct Double;

impl ModuleMapper for Double {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|tensor| tensor.cast(DType::F64))
    }
}

/// Of the pixels of the largest gradients and of some at random, the element of the channel with the largest one.
fn chosen(gradient: &[f32], [channels, height, width]: [usize; 3]) -> Vec<usize> {
    let area = height * width;
    let size = |element: &usize| gradient[*element].abs();
    let of_pixel = |pixel: usize| {
        let elements = (0..channels).map(|channel| channel * area + pixel);
        elements.max_by(|one, other| size(one).total_cmp(&size(other))).expect("an image has a channel")
    };
    let mut elements: Vec<usize> = (0..area).map(of_pixel).collect();
    elements.sort_by(|one, other| size(other).total_cmp(&size(one)));
    let others = elements.split_off(PIXELS.min(area));
    elements.extend(epoch_order(others.len(), 0, 0).into_iter().take(PIXELS).map(|place| others[place]));
    elements
}

/// Holds `gradient` at `elements` of `input` against differences of `logits`, which takes images one after the other.
fn compare(
    logits: impl Fn(Vec<f64>) -> Vec<f64>,
    input: &[f64],
    gradient: &[f32],
    elements: &[usize],
) -> GradientCheck {
    let size = input.iter().fold(0.0_f64, |most, number| number.abs().max(most));
    let size = if size > 0.0 { size } else { 1.0 };
    let here = logits(input.to_vec())[0];
    let mut scale = gradient.iter().fold(0.0_f64, |most, &number| f64::from(number).abs().max(most));
    // With how far the slopes were apart with the step before.
    let mut pending: Vec<(usize, f64)> = elements.iter().map(|&element| (element, f64::INFINITY)).collect();
    let mut errors = Vec::new();
    for share in STEPS {
        let step = share * size;
        let mut slopes = Vec::with_capacity(pending.len());
        for elements in pending.chunks(BATCH / 2) {
            let moved = |(element, by): (usize, f64)| {
                let mut image = input.to_vec();
                image[element] += by;
                image
            };
            let images = elements.iter().flat_map(|&(element, _)| [(element, step), (element, -step)]).flat_map(moved);
            let found = logits(images.collect());
            let of_pair = |pair: &[f64]| [(pair[0] - here) / step, (here - pair[1]) / step];
            slopes.extend(found.chunks_exact(2).map(of_pair));
        }
        // A gradient of zeros is wrong if the logit moves.
        scale = slopes.iter().map(|[right, left]| (right + left).abs() / 2.0).fold(scale, f64::max);
        let mut kinks = Vec::new();
        for (&(element, before), [right, left]) in pending.iter().zip(slopes) {
            let (apart, claimed) = ((right - left).abs(), f64::from(gradient[element]));
            let is_curved =
                share == STEPS[STEPS.len() - 1] && CURVED.contains(&(apart / before)) && apart <= MOST_CURVED * scale;
            if apart > STRAIGHT * scale && !is_curved {
                kinks.push((element, apart));
            } else if claimed.is_finite() {
                // A slope on one side is right if a kink is on the other.
                errors.push((claimed - right.max(left)).max(right.min(left) - claimed).max(0.0));
            } else {
                errors.push(f64::INFINITY);
            }
        }
        pending = kinks;
    }
    let finite = errors.iter().all(|error| error.is_finite());
    let largest = if finite { errors.iter().copied().fold(0.0, f64::max) } else { f64::INFINITY };
    let share = if scale > 0.0 { largest / scale } else { largest };
    GradientCheck {
        pixels: errors.len(),
        kinks: pending.len(),
        largest_error: (!errors.is_empty() && share.is_finite()).then_some(share),
        agrees: !errors.is_empty() && share <= GradientCheck::TOLERANCE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: [f64; 4] = [0.5, -1.0, 0.0, 2.0];

    /// Σ x³ of each image, with |x| in place of x³ at element 2, where it has a kink.
    fn cubes(images: Vec<f64>) -> Vec<f64> {
        let of = |image: &[f64]| image[0].powi(3) + image[1].powi(3) + image[2].abs() + image[3].powi(3);
        images.chunks_exact(4).map(of).collect()
    }

    fn checked(gradient: [f32; 4]) -> GradientCheck {
        compare(cubes, &INPUT, &gradient, &[0, 1, 2, 3])
    }

    #[test]
    fn a_right_gradient_agrees_and_a_kink_is_not_compared() {
        let check = checked([0.75, 3.0, 0.0, 12.0]);
        assert!(check.agrees && check.largest_error.unwrap() < 1e-5, "{check:?}");
        assert_eq!((check.pixels, check.kinks), (3, 1));
    }

    #[test]
    fn a_wrong_gradient_differs_by_what_it_is_wrong() {
        let check = checked([0.75, 3.0, 0.0, 12.6]);
        assert!(!check.agrees && (check.largest_error.unwrap() - 0.6 / 12.6).abs() < 1e-4, "{check:?}");
        let zeros = checked([0.0; 4]);
        assert!(!zeros.agrees && (zeros.largest_error.unwrap() - 1.0).abs() < 1e-4, "{zeros:?}");
        assert!(!checked([0.75, f32::NAN, 0.0, 12.0]).agrees);
    }

    /// Two ties that nearly cancel, where a backward pass may take the one side of the one and the other of the other.
    #[test]
    fn kinks_that_nearly_cancel_are_kinks() {
        let logits = |images: Vec<f64>| -> Vec<f64> {
            images.chunks_exact(2).map(|image| 10.0 * image[1] + image[0].abs() - 0.999 * image[0].abs()).collect()
        };
        let check = compare(logits, &[0.0, 1.0], &[1.999, 10.0], &[0, 1]);
        assert!(check.agrees, "{check:?}");
        assert_eq!((check.pixels, check.kinks), (1, 1));
    }

    #[test]
    fn where_nothing_can_be_compared_nothing_agrees() {
        let check = compare(cubes, &INPUT, &[0.0; 4], &[2]);
        assert_eq!(check, GradientCheck { pixels: 0, kinks: 1, largest_error: None, agrees: false });
    }

    #[test]
    fn the_largest_gradients_are_chosen_and_as_many_others_each_once() {
        let gradient: Vec<f32> = (0..3 * 100).map(|element| ((element * 37) % 299) as f32 - 150.0).collect();
        let mut found = chosen(&gradient, [3, 10, 10]);
        assert_eq!(found.len(), 64);
        let least = found[..32].iter().map(|&element| gradient[element].abs()).fold(f32::MAX, f32::min);
        assert!(found[32..].iter().all(|&element| gradient[element].abs() <= least));
        found.iter_mut().for_each(|element| *element %= 100);
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), 64);
        assert_eq!(chosen(&[1.0, 2.0], [1, 1, 2]), [1, 0]);
    }
}
