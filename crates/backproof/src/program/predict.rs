//! `predict`: the classes of a user's own pictures.

use std::path::{Path, PathBuf};

use backproof::cli;
use backproof::error::{Failure, code};
use backproof_data::{Ink, Picture, pictures};
use backproof_train::{GradientCheck, Predictor, TrainError, write_file};
use serde::{Serialize, Serializer};

use crate::explained::{Explaining, check_in_words};
use crate::failures::{failure, with_causes};
use crate::look::{Candidate, Look, look, notes};
use crate::picture::{Showing, ShownPicture, unlike_in_words};
use crate::saved::{Saving, check_apart};
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
    /// Where ink was told from paper, and was shown as bright on black.
    ink: Option<InkOnPaper>,
    /// In what the network's input is unlike the training images, a clause each, the largest difference first.
    warnings: Vec<String>,
    /// Of `--save-input`: the network's input as PNG.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "lossy_if_any")]
    input: Option<PathBuf>,
    /// The most probable classes first.
    top: Vec<Candidate>,
    /// Of `--explain`: the saliency against finite differences.
    #[serde(skip_serializing_if = "Option::is_none")]
    saliency_check: Option<GradientCheck>,
    /// In label order, for `--csv`.
    #[serde(skip)]
    probabilities: Vec<f64>,
    /// What a person should know, in sentences that begin with the picture's name.
    #[serde(skip)]
    notes: Vec<String>,
}

/// The ink on a picture.
#[derive(Debug, Serialize)]
struct InkOnPaper {
    is_dark: bool,
    /// The brightness of the paper, from 0 to 1.
    paper: f64,
    /// The share of the paper's brightness that the ink takes away, or of what is left to white that it adds.
    contrast: f64,
}

/// What is made of the pictures beside their classes.
struct Making<'a> {
    explaining: Option<Explaining<'a>>,
    saving: Option<Saving<'a>>,
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

fn lossy_if_any<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.as_deref().unwrap_or(Path::new("")).display())
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, what is wrong with a picture to stderr
pub(crate) fn run(arguments: &cli::PredictArguments) -> anyhow::Result<()> {
    let folder = open(&arguments.run)?;
    let setup = setup(&arguments.device, &arguments.places, PathBuf::new())?;
    let weights = weights(&arguments.weights);
    let predictor = predictor(&arguments.run, &folder, &weights, &setup)?;
    let showing = Showing::new(arguments.shown, &folder, &predictor, &setup)?;
    let mut answer = Answer {
        schema_version: SCHEMA,
        run: folder.path().to_owned(),
        iteration: predictor.iteration(),
        predictions: Vec::new(),
        errors: Vec::new(),
    };
    let unread = |file: PathBuf, error: String| {
        eprintln!("error: {error}");
        Unread { file, error }
    };
    let (mut files, mut empty) = (Vec::new(), 0);
    for named in &arguments.images {
        if !named.is_dir() {
            files.push(named.clone());
            continue;
        }
        match pictures(named) {
            Ok(found) => {
                found.notes.iter().for_each(|note| eprintln!("note: `{}`: {note}", named.display()));
                for (option, to) in [("--explain", &arguments.explain), ("--save-input", &arguments.save_input)] {
                    to.iter().try_for_each(|to| check_apart(option, to, named, &found.files))?;
                }
                files.extend(found.files);
            }
            Err(error) => {
                let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
                answer.errors.push(unread(named.clone(), with_causes(&error) + &help));
                empty += 1;
            }
        }
    }
    let explaining = match &arguments.explain {
        Some(to) => Some(Explaining::new(to, &folder, &predictor, arguments.class.as_deref())?),
        None => None,
    };
    let saving = arguments.save_input.as_deref().map(Saving::new).transpose()?;
    let mut making = Making { explaining, saving };
    let all = files.len() + empty;
    for file in files {
        match predict(&predictor, file.clone(), arguments, &showing, &mut making) {
            Ok(predicted) => {
                if !arguments.json {
                    println!("{}", picture_lines(&predicted));
                }
                predicted.notes.iter().for_each(|note| eprintln!("note: {} {note}", file.display()));
                if let Some(warning) = unlike_in_words(&predicted.warnings) {
                    eprintln!("warning: {} {warning}", file.display());
                }
                answer.predictions.push(predicted);
            }
            Err(error) => answer.errors.push(unread(file, with_causes(&error))),
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    }
    if let Some(path) = &arguments.csv {
        write_file(path, &csv(&answer.predictions, predictor.class_names())?).map_err(failure)?;
    }
    if let (Some(_), Some(to), false) = (&making.saving, &arguments.save_input, arguments.json) {
        println!("inputs       {}", to.display());
    }
    if let Some(explaining) = making.explaining {
        let unread: Vec<&str> = answer.errors.iter().map(|unread| unread.error.as_str()).collect();
        if let Some(page) = explaining.write(&unread)?
            && !arguments.json
        {
            let checks = answer.predictions.iter().filter_map(|it| it.saliency_check.as_ref());
            println!("explained    {}", page.display());
            println!("             {}", check_in_words(checks));
        }
    }
    match answer.errors.len() {
        0 => Ok(()),
        failed => {
            let all = backproof_spec::counted(all, "picture");
            Err(Failure::new(code::FAILED, format!("{failed} of {all} could not be predicted")).into())
        }
    }
}

fn predict(
    predictor: &Predictor,
    file: PathBuf,
    arguments: &cli::PredictArguments,
    showing: &Showing,
    making: &mut Making<'_>,
) -> Result<Predicted, TrainError> {
    let picture = Picture::read(&file, predictor.fit().behind)?;
    let Look { top, shown, probabilities } = look(predictor, &picture, showing, arguments.top)?;
    let notes = notes(&shown, arguments.shown.invert);
    let ShownPicture { pixels, ink, looks_inverted, warnings } = shown;
    let ink = ink.map(|Ink { is_dark, paper, contrast, .. }| InkOnPaper { is_dark, paper, contrast });
    let input = match &mut making.saving {
        Some(saving) => Some(saving.add(&file, &picture, &pixels, predictor.shape())?),
        None => None,
    };
    let saliency_check = match &mut making.explaining {
        Some(explaining) => explaining.add(&file, pixels)?,
        None => None,
    };
    let Candidate { class, probability } = &top[0];
    let (class, probability) = (class.clone(), *probability);
    Ok(Predicted {
        file,
        class,
        probability,
        looks_inverted,
        ink,
        warnings,
        input,
        top,
        saliency_check,
        probabilities,
        notes,
    })
}

/// A row for each picture; the columns are named as in `evaluation/predictions.csv`.
fn csv(predictions: &[Predicted], classes: &[String]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let heads = ["file", "class", "probability"].map(str::to_owned);
    let last = ["warnings", "input"].map(str::to_owned);
    let of_classes = classes.iter().map(|class| format!("p({class})"));
    writer.write_record(heads.into_iter().chain(of_classes).chain(last))?;
    for Predicted { file, class, probability, probabilities, warnings, input, .. } in predictions {
        let first = [file.display().to_string(), class.clone(), probability.to_string()];
        let input = input.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let last = [warnings.join(". "), input];
        writer.write_record(first.into_iter().chain(probabilities.iter().map(f64::to_string)).chain(last))?;
    }
    Ok(writer.into_inner()?)
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
