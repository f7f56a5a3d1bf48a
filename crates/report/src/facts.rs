//! What a run came to in a few figures, and how it was made.

use backproof_spec::{Experiment, Order, plural, thousands};
use backproof_train::{
    CONFIDENCE_BINS, Computation, EvaluationResult, RunRecord, class_weights_in_words, restored_in_words,
};
use serde::Serialize;

use crate::contents::Contents;
use crate::curves::nats;

/// A figure at the head of a page.
#[derive(Debug, Serialize)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) note: String,
}

/// How the run was made, and how to make it again.
#[derive(Debug, Serialize)]
pub(crate) struct Provenance {
    pub(crate) rows: Vec<(&'static str, String)>,
    /// SHA-256 of each data file, by name.
    pub(crate) checksums: Vec<(String, String)>,
    /// Shell lines.
    pub(crate) repeat: Vec<String>,
}

pub(crate) fn facts(contents: &Contents) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(result) = &contents.result {
        let (correct, images) = (thousands(result.correct), thousands(result.images));
        let noun = plural(result.images, "image");
        facts.push(Fact {
            name: "Test accuracy",
            value: format!("{:.2} %", 100.0 * result.accuracy),
            note: match result.views.in_words() {
                Some(views) => format!("{correct} of {images} {noun}, {views}"),
                None => format!("{correct} of {images} {noun}"),
            },
        });
        facts.extend(of_measures(result));
        facts.push(Fact { name: "Test loss", value: nats(result.loss), note: "nats".to_owned() });
    }
    let best = contents.reports.iter().filter_map(|report| Some((report.validation_accuracy?, report.iteration)));
    let moving = contents.reports.iter().any(|report| !report.averages.is_default());
    // The first of equals, as the best checkpoint is.
    if let Some((accuracy, iteration)) = best.reduce(|best, next| if next.0 > best.0 { next } else { best }) {
        facts.push(Fact {
            name: "Best validation",
            value: format!("{:.2} %", 100.0 * accuracy),
            note: format!("at iteration {}{}", thousands(iteration), if moving { ", a moving average" } else { "" }),
        });
    }
    facts.push(Fact {
        name: "Parameters",
        value: thousands(contents.record.trainable_parameters),
        note: "trainable".to_owned(),
    });
    if let Some(last) = contents.reports.last() {
        facts.push(Fact {
            name: "Trained for",
            value: duration(last.seconds),
            note: format!("{} {}", thousands(last.iteration), plural(last.iteration, "iteration")),
        });
    }
    facts
}

/// Figures that say what accuracy does not.
fn of_measures(result: &EvaluationResult) -> Vec<Fact> {
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let measures = &result.measures;
    let mut facts = Vec::new();
    if let Some(balanced) = measures.balanced_accuracy.filter(|_| is_imbalanced(result)) {
        let f1 = measures.macro_f1.map_or_else(String::new, |f1| format!("; macro F1 {}", percent(f1)));
        let note = format!("mean recall of the classes{f1}");
        facts.push(Fact { name: "Balanced accuracy", value: percent(balanced), note });
    }
    if let Some(top) = measures.top_5_accuracy {
        facts.push(Fact {
            name: "Top-5 accuracy",
            value: percent(top),
            note: "true class among the 5 likeliest".to_owned(),
        });
    }
    if let Some(error) = measures.expected_calibration_error {
        let note = format!("expected (ECE), {CONFIDENCE_BINS} bins");
        facts.push(Fact { name: "Calibration error", value: percent(error), note });
    }
    facts
}

/// Whether a class has more than one and a half times the images of another.
fn is_imbalanced(result: &EvaluationResult) -> bool {
    let supports = || result.classes.iter().map(|class| class.support).filter(|&support| support > 0);
    supports().max().zip(supports().min()).is_some_and(|(most, least)| 2 * most > 3 * least)
}

pub(crate) fn provenance(contents: &Contents, folder_name: &str) -> Provenance {
    let record = &contents.record;
    let mut status = serde_json::to_value(record.status).ok().and_then(|status| status.as_str().map(str::to_owned));
    if let (Some(status), Some(ended_early)) =
        (&mut status, record.summary.as_ref().and_then(|it| it.ended_early.as_ref()))
    {
        *status += &format!("; {ended_early}");
    }
    if let (Some(status), Some(iteration)) = (&mut status, record.summary.as_ref().and_then(|it| it.restored)) {
        *status += &format!("; {}", restored_in_words(iteration));
    }
    let versions = record.versions.iter().map(|(name, version)| format!("{name} {version}"));
    let commit = record.git_revision.as_deref();
    let mut rows = vec![
        ("Run folder", folder_name.to_owned()),
        ("Command", command(&record.command_line)),
        ("Status", status.unwrap_or_default()),
        ("Started", time(&record.started)),
        ("Ended", record.ended.as_deref().map_or_else(|| "–".to_owned(), time)),
        ("Versions", versions.collect::<Vec<_>>().join(", ")),
        ("Commit", commit.map_or_else(|| "not in a repository".to_owned(), in_words)),
        ("Device", record.device.clone()),
        ("Computed by", computed_by(record)),
        ("Seed", record.seed.to_string()),
    ];
    rows.extend(contents.experiment.as_ref().into_iter().flat_map(|experiment| of_classes(experiment, record)));
    let checkout = commit.map(|commit| format!("git checkout {}", commit.trim_end_matches("-dirty")));
    let train = format!("cargo xtask train -c RUN/config.toml --backend {}", record.backend);
    Provenance {
        rows,
        checksums: record.data_checksums.clone().into_iter().collect(),
        repeat: checkout.into_iter().chain([train]).collect(),
    }
}

/// How training made up for classes of different sizes, where it did.
fn of_classes(experiment: &Experiment, record: &RunRecord) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let Some(how) = &experiment.training.class_weights {
        rows.push(("Class weights", class_weights_in_words(how, &record.class_weights, &record.class_names)));
    }
    if experiment.data.order == Order::Balanced {
        rows.push(("Batches", "balanced: each image is drawn from a class, and all classes are as likely".to_owned()));
    }
    rows
}

/// Why figures of training and of validation differ where training makes up for classes of different sizes.
pub(crate) fn training_of_classes(experiment: &Experiment) -> Vec<&'static str> {
    let weights = experiment.training.class_weights.as_ref().map(|_| {
        "The classification loss of training counts the images of some classes more than others; that of validation \
         does not."
    });
    let order = (experiment.data.order == Order::Balanced).then_some(
        "Figures of training are of batches in which all classes come as often; those of validation are of every image \
         once.",
    );
    weights.into_iter().chain(order).collect()
}

/// Engine and instruction set, each with the iteration that it began at where there were several.
fn computed_by(record: &RunRecord) -> String {
    let words = |computation: &Computation| {
        let instructions = match &computation.instructions {
            Some(name) => format!("instruction set {name}"),
            None => "no CPU kernels".to_owned(),
        };
        format!("engine {}, {instructions}", computation.engine.name())
    };
    match &record.computations[..] {
        [] => "a version that did not note it".to_owned(),
        [only] => words(only),
        all => {
            let from = |it: &Computation| format!("from iteration {} {}", thousands(it.from + 1), words(it));
            all.iter().map(from).collect::<Vec<_>>().join("; ")
        }
    }
}

/// A time in RFC 3339, UTC, to the second: `2026-01-31 12:00:00 UTC`. What is no such time stays as it is.
fn time(text: &str) -> String {
    let Some((date, time)) = text.strip_suffix('Z').and_then(|text| text.split_once('T')) else {
        return text.to_owned();
    };
    format!("{date} {} UTC", time.split('.').next().unwrap_or(time))
}

/// A commit as `git describe --dirty` gives it.
fn in_words(commit: &str) -> String {
    match commit.strip_suffix("-dirty") {
        Some(commit) => format!("{commit}, with changes that were not committed"),
        None => commit.to_owned(),
    }
}

/// The command without the place of the program; an argument with a space or a quote in it is quoted.
fn command(words: &[String]) -> String {
    let quoted = |word: &String| {
        let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    let arguments = words.iter().skip(1).map(quoted);
    std::iter::once("backproof".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// `14.2 s`, `1 min 05 s` or `2 h 03 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) => format!("{:.1} s", seconds.max(0.0)),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_typed_again() {
        let words =
            ["/a/b/backproof-flex", "train", "--set", "name='it''s'", "--set", "a=[1, 2]", ""].map(str::to_owned);
        assert_eq!(command(&words), r"backproof train --set 'name='\''it'\'''\''s'\''' --set 'a=[1, 2]' ''");
    }

    #[test]
    fn times_are_shown_to_the_second() {
        assert_eq!(time("2026-11-21T06:27:51.612513659Z"), "2026-11-21 06:27:51 UTC");
        assert_eq!(time("2026-11-21T06:27:51Z"), "2026-11-21 06:27:51 UTC");
        assert_eq!(time("<b>"), "<b>");
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        assert_eq!([0.42, 59.4, 65.0, 7_400.0].map(duration), ["0.4 s", "59.4 s", "1 min 05 s", "2 h 03 min"]);
    }
}
