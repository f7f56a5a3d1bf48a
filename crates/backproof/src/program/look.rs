//! What the network of a run says of a picture.

use backproof_data::Picture;
use backproof_train::{Predictor, TrainError};
use serde::Serialize;

use crate::picture::{is_grey, pixels};

/// A class with its probability.
#[derive(Debug, Serialize)]
pub(crate) struct Candidate {
    pub(crate) class: String,
    pub(crate) probability: f64,
}

/// What a network sees in a picture.
pub(crate) struct Look {
    /// The most probable classes first, at least one.
    pub(crate) top: Vec<Candidate>,
    /// Whether the network, trained on white on black, was shown mostly white.
    pub(crate) looks_inverted: bool,
    /// What it was shown, `[C, H, W]`.
    pub(crate) pixels: Vec<u8>,
    /// The probability of each class, in label order.
    pub(crate) probabilities: Vec<f64>,
}

/// Shows a picture to a network, as it is or inverted, in its place or centred.
pub(crate) fn look(
    predictor: &Predictor,
    mut picture: Picture,
    invert: bool,
    center: bool,
    count: usize,
) -> Result<Look, TrainError> {
    if invert {
        picture = picture.inverted();
    }
    let shape = predictor.shape();
    // The grey data sets are white on black; what a folder holds is not known.
    let looks_inverted = predictor.images().folder().is_none() && is_grey(shape) && picture.brightness() > 0.5;
    let pixels = pixels(&picture, shape, predictor.fit(), center);
    let probabilities = predictor.probabilities(pixels.clone())?;
    let named = predictor.class_names().iter().zip(&probabilities);
    let mut top: Vec<Candidate> =
        named.map(|(class, &probability)| Candidate { class: class.clone(), probability }).collect();
    // Stable, so that the first class wins a tie, as in an evaluation.
    top.sort_by(|one, other| other.probability.total_cmp(&one.probability));
    top.truncate(count);
    Ok(Look { top, looks_inverted, pixels, probabilities })
}

pub(crate) fn inversion_hint(inverted: bool) -> &'static str {
    if inverted {
        "is mostly white as a negative; the network was trained on white on black: try it without --invert"
    } else {
        "is mostly white; the network was trained on white on black: --invert takes the negative"
    }
}
