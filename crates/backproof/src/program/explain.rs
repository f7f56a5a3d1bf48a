//! `explain`: both passes of one image through the network of a run, as a page.

use std::path::{Path, PathBuf};

use backproof::cli;
use backproof::error::{Failure, code};
use backproof::shell;
use backproof_data::{Picture, load_images};
use backproof_report::ReportError;
use backproof_spec::{Experiment, Shape, Views, counted};
use backproof_train::{Predictor, RunFolder, Silent, Weights, write_file};

use crate::failures::{data_failure, failure, with_causes};
use crate::look::notes as notes_on;
use crate::picture::{Showing, unlike_in_words};
use crate::report::plain;
use crate::setup::{open, predictor, setup, weights};

/// An image to explain.
struct Sample {
    /// `[C, H, W]`, 0 to 255.
    pixels: Vec<u8>,
    /// Its class, where that is known.
    label: Option<usize>,
    /// Which one it is, in a few words.
    words: String,
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, warnings to stderr
pub(crate) fn run(arguments: &cli::ExplainArguments) -> anyhow::Result<()> {
    let folder = open(&arguments.run)?;
    let setup = setup(&arguments.device, &arguments.places, PathBuf::new())?;
    let weights = weights(&arguments.weights);
    let predictor = predictor(&arguments.run, &folder, &weights, &setup)?;
    let label = arguments.label.as_deref().map(|label| class(label, predictor.class_names())).transpose()?;
    let sample = match &arguments.image {
        Some(file) => {
            let showing = Showing::new(arguments.shown, &folder, &predictor, &setup)?;
            from_file(file, &showing, arguments.shown.invert, &predictor)?
        }
        None => from_data_set(&folder, arguments, predictor.shape())?,
    };
    let explain = |predictor: &Predictor, label| {
        predictor.explain(sample.pixels.clone(), label, arguments.batch_statistics).map_err(failure)
    };
    let last = explain(&predictor, label.or(sample.label))?;
    let mut explanations = Vec::new();
    for (iteration, _) in folder.kept_weights() {
        if arguments.weights.weights.is_none() && last.iteration.is_some_and(|last| iteration < last) {
            match Predictor::open(&folder, &Weights::Kept(iteration), &setup, &mut Silent) {
                Ok(kept) => explanations.push(explain(&kept, Some(last.label))?),
                // The page is worth having without them.
                Err(error) => {
                    eprintln!("warning: the weights of iteration {iteration} are left out: {}", with_causes(&error))
                }
            }
        }
    }
    explanations.push(last);
    let notes = notes(&folder.experiment().map_err(failure)?);
    let kept = explanations.len() - 1;
    let page = backproof_report::explanation(&explanations, &sample.words, notes).map_err(|error| match error {
        ReportError::TooLarge { .. } if kept > 0 => {
            let weights = shell::argument(&folder.path().join("checkpoints/last/weights.safetensors"));
            anyhow::Error::from(Failure::from_error(code::FAILED, error).help(format!(
                "`--weights {weights}` shows the last weights alone; a smaller `training.keep` keeps fewer"
            )))
        }
        ReportError::TooLarge { .. } => Failure::from_error(code::FAILED, error)
            .help("a smaller network has a page: about 330,000 parameters at most, if it is convolutional")
            .into(),
        error => plain(error),
    })?;
    let path = match &arguments.write {
        Some(path) => {
            write_file(path, page.as_bytes()).map_err(failure)?;
            path.clone()
        }
        None => {
            folder.write("explain.html", page.as_bytes()).map_err(failure)?;
            folder.path().join("explain.html")
        }
    };
    println!("explanation  {}", path.display());
    Ok(())
}

/// In what the page differs from the training of the experiment and from its predictions.
fn notes(experiment: &Experiment) -> Vec<String> {
    let training = &experiment.training;
    let unlike_training = training.label_smoothing > 0.0 || training.class_weights.is_some();
    let unlike_predictions = experiment.views != Views::One;
    [
        (unlike_training, "Training smooths the labels or weights the classes. The loss of this page does neither, as in an evaluation."),
        (unlike_predictions, "A prediction is the mean over several views of the image. This page shows one view, the image as it is."),
    ]
    .into_iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, note)| note.to_owned())
    .collect()
}

/// The number of a class by its name.
pub(crate) fn class(label: &str, names: &[String]) -> Result<usize, Failure> {
    names.iter().position(|name| name == label).ok_or_else(|| {
        let shown: Vec<&str> = names.iter().take(20).map(String::as_str).collect();
        let more = if names.len() > shown.len() { ", …" } else { "" };
        Failure::usage(format!("the run has no class `{label}`"))
            .help(format!("its classes: {}{more}", shown.join(", ")))
    })
}

/// The picture of a file, as `predict` takes it.
#[allow(clippy::print_stderr)] // notes and warnings go to stderr
fn from_file(file: &Path, showing: &Showing, inverted: bool, predictor: &Predictor) -> anyhow::Result<Sample> {
    let picture = Picture::read(file, predictor.fit().behind).map_err(data_failure)?;
    let shown = showing.picture(predictor, &picture);
    notes_on(&shown, inverted).iter().for_each(|note| eprintln!("note: {} {note}", file.display()));
    if let Some(warning) = unlike_in_words(&shown.warnings) {
        eprintln!("warning: {} {warning}", file.display());
    }
    let pixels = shown.pixels;
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    Ok(Sample { pixels, label: None, words: name.into_owned() })
}

/// The test image whose class got the least probability in the run's evaluation; the first one without an evaluation.
fn least_sure(folder: &RunFolder, count: usize) -> usize {
    let told = folder.result().ok().flatten().and_then(|result| folder.predictions(&result).ok()).unwrap_or_default();
    let least = told.iter().min_by(|one, other| one.of_label().total_cmp(&other.of_label()));
    least.map(|prediction| prediction.index).filter(|&index| index < count).unwrap_or(0)
}

/// A test image of the data set of the run.
fn from_data_set(folder: &RunFolder, arguments: &cli::ExplainArguments, shape: Shape) -> anyhow::Result<Sample> {
    let always = arguments.shown.ink == cli::InkChoice::Always;
    for (flag, given) in [("--invert", arguments.shown.invert), ("--center", arguments.shown.center), ("--ink", always)]
    {
        if given {
            return Err(Failure::usage(format!("{flag} is for an IMAGE, and there is none")).into());
        }
    }
    let experiment = folder.experiment().map_err(failure)?;
    let data = load_images(&experiment.data.images, arguments.places.data_dir.as_deref(), experiment.seed)
        .map_err(data_failure)?;
    let count = data.test.len();
    let number = arguments.test_image.unwrap_or_else(|| least_sure(folder, count));
    if number >= count {
        let name = experiment.data.images.name();
        let message = format!("there is no test image {number}: {name} has {}", counted(count, "test image"));
        return Err(Failure::usage(message).help(format!("the last one is --test-image {}", count - 1)).into());
    }
    if data.test.shape() != shape {
        let found = data.test.shape();
        return Err(
            Failure::new(code::FAILED, format!("the run takes images of {shape}, the data set has {found}")).into()
        );
    }
    let words = format!("test image {number} of {}", experiment.data.images.name());
    Ok(Sample { pixels: data.test.pixels(number).to_vec(), label: Some(data.test.label(number)), words })
}
