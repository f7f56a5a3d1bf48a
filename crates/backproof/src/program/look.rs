//! What the network of a run says of a picture.

use backproof_data::Picture;
use backproof_train::{Predictor, TrainError};
use serde::Serialize;

use crate::picture::{Showing, ShownPicture, ink_in_words};

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
    /// What it was shown.
    pub(crate) shown: ShownPicture,
    /// The probability of each class, in label order.
    pub(crate) probabilities: Vec<f64>,
}

/// Shows a picture to a network; gives the `count` most probable classes.
pub(crate) fn look(
    predictor: &Predictor,
    picture: &Picture,
    showing: &Showing,
    count: usize,
) -> Result<Look, TrainError> {
    let shown = showing.picture(predictor, picture);
    let probabilities = predictor.probabilities(shown.pixels.clone())?;
    let named = predictor.class_names().iter().zip(&probabilities);
    let mut top: Vec<Candidate> =
        named.map(|(class, &probability)| Candidate { class: class.clone(), probability }).collect();
    // Stable, so that the first class wins a tie, as in an evaluation.
    top.sort_by(|one, other| other.probability.total_cmp(&one.probability));
    top.truncate(count);
    Ok(Look { top, shown, probabilities })
}

/// What a person should know of how a picture was shown, in sentences that begin with the picture's name.
pub(crate) fn notes(shown: &ShownPicture, inverted: bool) -> Vec<String> {
    let inversion = shown.looks_inverted.then(|| inversion_hint(inverted).to_owned());
    shown.ink.as_ref().map(ink_in_words).into_iter().chain(inversion).collect()
}

fn inversion_hint(inverted: bool) -> &'static str {
    if inverted {
        "is mostly white as a negative; the network was trained on white on black: try it without --invert"
    } else {
        "is mostly white; the network was trained on white on black: --invert takes the negative"
    }
}
