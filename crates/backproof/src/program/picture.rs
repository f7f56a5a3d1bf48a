//! A user's own picture, as a network gets it.

use backproof::cli::{InkChoice, Shown};
use backproof::error::Failure;
use backproof_data::{ImageStatistics, Ink, Measure, Picture, Unlike};
use backproof_spec::Shape;
use backproof_train::{Predictor, RunFolder, Setup, TrainError};

use crate::failures::{data_failure, failure, with_causes};

pub(crate) fn is_grey(shape: Shape) -> bool {
    matches!(shape, Shape::Image { channels: 1, .. })
}

/// How pictures are shown to a network.
#[derive(Debug)]
pub(crate) struct Showing {
    how: Shown,
    /// What the images are like that the network was trained on, where that is known.
    statistics: Option<ImageStatistics>,
    /// Whether these are bright strokes on black.
    is_of_strokes: bool,
}

/// A picture as it is shown.
pub(crate) struct ShownPicture {
    /// What the network gets, `[C, H, W]`.
    pub(crate) pixels: Vec<u8>,
    /// The ink, if that is shown.
    pub(crate) ink: Option<Ink>,
    /// Whether the network, trained on white on black, is shown mostly white.
    pub(crate) looks_inverted: bool,
    /// In what this is unlike the training images, a clause each.
    pub(crate) warnings: Vec<String>,
}

impl Showing {
    /// How pictures are shown to the network of a run, as the arguments say. Says where pictures cannot be compared
    /// with the training images.
    #[allow(clippy::print_stderr)] // a note goes to stderr
    pub(crate) fn new(how: Shown, folder: &RunFolder, predictor: &Predictor, setup: &Setup) -> Result<Self, Failure> {
        let shape = predictor.shape();
        if how.center && !is_grey(shape) {
            let message = format!("--center is for networks of grey images, and this one takes {shape}");
            return Err(Failure::usage(message));
        }
        let always = how.ink == InkChoice::Always;
        if always && (how.invert || how.center) {
            return Err(Failure::usage("--ink always does what --invert and --center do by hand: leave them out"));
        }
        let statistics = match folder.image_statistics(setup) {
            Ok(statistics) => Some(statistics),
            // The images must be looked at, and they are not there.
            Err(TrainError::Data(error)) if always => return Err(data_failure(error)),
            Err(TrainError::Data(error)) => {
                eprintln!("note: pictures are not compared with the training images: {}", with_causes(&error));
                None
            }
            Err(error) => return Err(failure(error)),
        };
        let not_strokes = statistics.as_ref().and_then(ImageStatistics::not_strokes);
        if let (true, Some(why)) = (always, &not_strokes) {
            let message = "--ink always is for networks that were trained on bright strokes on black";
            let message = format!("{message}. The training images of this one are others: {why}");
            return Err(Failure::usage(message).help("leave out --ink; --ink auto takes such pictures as they are"));
        }
        let is_of_strokes = statistics.is_some() && not_strokes.is_none();
        Ok(Self { how, statistics, is_of_strokes })
    }

    /// The picture as it is shown: inverted or centred by its mass where that is asked for, or the ink on it.
    pub(crate) fn picture(&self, predictor: &Predictor, picture: &Picture) -> ShownPicture {
        let (shape, fit) = (predictor.shape(), predictor.fit());
        let inverted;
        let by_hand = match self.how.invert {
            true => {
                inverted = picture.clone().inverted();
                &inverted
            }
            false => picture,
        };
        // What is black has no place that it should be in.
        let centred = if self.how.center { by_hand.centred(shape) } else { None };
        let as_it_is = centred.unwrap_or_else(|| by_hand.to_pixels(shape, fit));
        let ink = self.wants_ink(picture, &as_it_is, shape).then(|| picture.ink(shape)).flatten();
        let pixels = ink.as_ref().map_or(as_it_is, |ink| ink.pixels.clone());
        // The grey data sets are white on black; what a folder holds is not known.
        let is_of_data_set = predictor.images().folder().is_none() && is_grey(shape);
        let looks_inverted = ink.is_none() && is_of_data_set && by_hand.brightness() > 0.5;
        let warnings = self.unlike(&pixels, shape).iter().map(Unlike::to_string).collect();
        ShownPicture { pixels, ink, looks_inverted, warnings }
    }

    fn unlike(&self, pixels: &[u8], shape: Shape) -> Vec<Unlike> {
        self.statistics.as_ref().map(|statistics| statistics.unlike(pixels, shape)).unwrap_or_default()
    }

    /// Whether ink is looked for: a picture that could be a training image already is shown as it is.
    fn wants_ink(&self, picture: &Picture, as_it_is: &[u8], shape: Shape) -> bool {
        match self.how.ink {
            InkChoice::Never => false,
            InkChoice::Always => true,
            InkChoice::Auto if !self.is_of_strokes || self.how.invert || self.how.center => false,
            InkChoice::Auto => {
                let unlike = self.unlike(as_it_is, shape);
                let (width, height) = picture.size();
                let has_its_size = shape == Shape::image(1, height, width);
                let has_its_border = unlike.iter().all(|unlike| unlike.spread.measure != Measure::Border);
                !(unlike.is_empty() || has_its_size && has_its_border)
            }
        }
    }
}

/// What was taken for ink, in a sentence that begins with the picture's name.
pub(crate) fn ink_in_words(ink: &Ink) -> String {
    let kind = if ink.is_dark { "dark" } else { "bright" };
    format!(
        "has {kind} ink of contrast {:.2} on paper of brightness {:.2}; the network gets it as bright strokes on black. \
         `--ink never` shows the picture as it is",
        ink.contrast, ink.paper
    )
}

/// In what a picture is unlike the training images, in sentences of which the first begins with the picture's name. Not
/// more than three differences: the largest say enough.
pub(crate) fn unlike_in_words(warnings: &[String]) -> Option<String> {
    let (first, more) = warnings.split_first()?;
    let sentence = |clause: &String| format!(". {}{}", clause[..1].to_uppercase(), &clause[1..]);
    let more: String = more.iter().take(2).map(sentence).collect();
    Some(format!("is unlike the training images: {first}{more}"))
}
