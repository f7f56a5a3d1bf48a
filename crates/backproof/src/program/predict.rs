//! `predict`: the classes of a user's own pictures.

use std::path::{Path, PathBuf};

use backproof::cli;
use backproof::error::{Failure, code};
use backproof_data::{Picture, pictures};
use backproof_train::{GradientCheck, Predictor, TrainError, write_file};
use serde::{Serialize, Serializer};

use crate::explained::{Explaining, check_in_words};
use crate::failures::{failure, with_causes};
use crate::look::{Candidate, Look, inversion_hint, look};
use crate::picture::check_center;
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
    /// Of `--explain`: the saliency against finite differences.
    #[serde(skip_serializing_if = "Option::is_none")]
    saliency_check: Option<GradientCheck>,
    /// In label order, for `--csv`.
    #[serde(skip)]
    probabilities: Vec<f64>,
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
    let weights = weights(&arguments.weights);
    let predictor = predictor(&arguments.run, &folder, &weights, &setup)?;
    check_center(arguments.picture.center, predictor.shape())?;
    let mut explaining = match &arguments.explain {
        Some(to) => Some(Explaining::new(to, &folder, &predictor, arguments.class.as_deref())?),
        None => None,
    };
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
                files.extend(found.files);
            }
            Err(error) => {
                let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
                answer.errors.push(unread(named.clone(), with_causes(&error) + &help));
                empty += 1;
            }
        }
    }
    let all = files.len() + empty;
    for file in files {
        match predict(&predictor, file.clone(), arguments, explaining.as_mut()) {
            Ok(predicted) => {
                if !arguments.json {
                    println!("{}", picture_lines(&predicted));
                }
                if predicted.looks_inverted {
                    eprintln!("note: {} {}", file.display(), inversion_hint(arguments.picture.invert));
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
    if let Some(explaining) = explaining {
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
    explaining: Option<&mut Explaining<'_>>,
) -> Result<Predicted, TrainError> {
    let picture = Picture::read(&file, predictor.fit().behind)?;
    let Look { top, looks_inverted, pixels, probabilities } =
        look(predictor, picture, arguments.picture.invert, arguments.picture.center, arguments.top)?;
    let saliency_check = match explaining {
        Some(explaining) => explaining.add(&file, pixels)?,
        None => None,
    };
    let Candidate { class, probability } = &top[0];
    let (class, probability) = (class.clone(), *probability);
    Ok(Predicted { file, class, probability, looks_inverted, top, saliency_check, probabilities })
}

/// A row for each picture; the columns are named as in `evaluation/predictions.csv`.
fn csv(predictions: &[Predicted], classes: &[String]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let heads = ["file", "class", "probability"].map(str::to_owned);
    writer.write_record(heads.into_iter().chain(classes.iter().map(|class| format!("p({class})"))))?;
    for Predicted { file, class, probability, probabilities, .. } in predictions {
        let first = [file.display().to_string(), class.clone(), probability.to_string()];
        writer.write_record(first.into_iter().chain(probabilities.iter().map(f64::to_string)))?;
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
