//! `predict`: the classes of a user's own pictures.

use std::path::{Path, PathBuf};

use backproof::cli;
use backproof::error::{Failure, code};
use backproof_data::Picture;
use backproof_train::{Predictor, TrainError};
use serde::{Serialize, Serializer};

use crate::failures::with_causes;
use crate::picture::{check_center, is_grey, pixels};
use crate::setup::{open, predictor, setup, weights};

/// The version of what `--json` prints.
const SCHEMA: u32 = 1;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Answer {
    schema_version: u32,
    #[serde(serialize_with = "lossy")]
    run: PathBuf,
    /// Of the checkpoint; `null` of a weights file.
    iteration: Option<usize>,
    predictions: Vec<Predicted>,
    errors: Vec<Unread>,
}

/// What the network said of one picture.
#[derive(Debug, Serialize)]
struct Predicted {
    #[serde(serialize_with = "lossy")]
    file: PathBuf,
    class: String,
    probability: f64,
    /// Whether the network, trained on white on black, was shown mostly white.
    looks_inverted: bool,
    /// The most probable classes first.
    top: Vec<Candidate>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Candidate {
    pub(crate) class: String,
    pub(crate) probability: f64,
}

/// A picture of which nothing could be said.
#[derive(Debug, Serialize)]
struct Unread {
    #[serde(serialize_with = "lossy")]
    file: PathBuf,
    error: String,
}

/// A path as text: names need not be UTF-8, and one that is not must not lose the answer on the others.
fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, what is wrong with a picture to stderr
pub(crate) fn run(arguments: &cli::PredictArguments) -> anyhow::Result<()> {
    let folder = open(&arguments.run)?;
    let setup = setup(&arguments.device, &arguments.places, PathBuf::new())?;
    let weights = weights(arguments.checkpoint, arguments.weights.as_deref());
    let predictor = predictor(&arguments.run, &folder, &weights, &setup)?;
    check_center(arguments.center, predictor.shape())?;
    let mut answer = Answer {
        schema_version: SCHEMA,
        run: folder.path().to_owned(),
        iteration: predictor.iteration(),
        predictions: Vec::new(),
        errors: Vec::new(),
    };
    for file in &arguments.images {
        match predict(&predictor, file.clone(), arguments) {
            Ok(predicted) => {
                if !arguments.json {
                    println!("{}", picture_lines(&predicted));
                }
                if predicted.looks_inverted {
                    eprintln!("note: {} {}", file.display(), inversion_hint(arguments.invert));
                }
                answer.predictions.push(predicted);
            }
            Err(error) => {
                let error = with_causes(&error);
                eprintln!("error: {error}");
                answer.errors.push(Unread { file: file.clone(), error });
            }
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    }
    match answer.errors.len() {
        0 => Ok(()),
        failed => {
            let all = backproof_spec::counted(arguments.images.len(), "picture");
            Err(Failure::new(code::FAILED, format!("{failed} of {all} could not be predicted")).into())
        }
    }
}

fn predict(predictor: &Predictor, file: PathBuf, arguments: &cli::PredictArguments) -> Result<Predicted, TrainError> {
    let picture = Picture::read(&file, predictor.fit().behind)?;
    let Look { top, looks_inverted } = look(predictor, picture, arguments.invert, arguments.center, arguments.top)?;
    let Candidate { class, probability } = &top[0];
    Ok(Predicted { file, class: class.clone(), probability: *probability, looks_inverted, top })
}

/// What a network sees in a picture.
pub(crate) struct Look {
    /// The most probable classes first, at least one.
    pub(crate) top: Vec<Candidate>,
    /// Whether the network, trained on white on black, was shown mostly white.
    pub(crate) looks_inverted: bool,
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
    let probabilities = predictor.probabilities(pixels(&picture, shape, predictor.fit(), center))?;
    let named = predictor.class_names().iter().zip(probabilities);
    let mut top: Vec<Candidate> =
        named.map(|(class, probability)| Candidate { class: class.clone(), probability }).collect();
    // Stable, so that the first class wins a tie, as in an evaluation.
    top.sort_by(|one, other| other.probability.total_cmp(&one.probability));
    top.truncate(count);
    Ok(Look { top, looks_inverted })
}

pub(crate) fn inversion_hint(inverted: bool) -> &'static str {
    if inverted {
        "is mostly white as a negative; the network was trained on white on black: try it without --invert"
    } else {
        "is mostly white; the network was trained on white on black: --invert takes the negative"
    }
}

/// The picture's class, and under it a bar for each of the most probable ones.
fn picture_lines(predicted: &Predicted) -> String {
    let width = predicted.top.iter().map(|candidate| candidate.class.chars().count()).max().unwrap_or(0);
    let mut text = format!("{}: {}, {:.2} %", predicted.file.display(), predicted.class, 100.0 * predicted.probability);
    for Candidate { class, probability } in &predicted.top {
        text += format!("\n  {class:<width$}  {:>6.2} %  {}", 100.0 * probability, bar(*probability)).trim_end();
    }
    text
}

/// `share` of 40 cells, to an eighth of a cell.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share * 320.0).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}
