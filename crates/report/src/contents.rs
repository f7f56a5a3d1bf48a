//! Everything that a run folder holds, and what it lacks.

use std::error::Error;
use std::fs;
use std::path::Path;

use backproof_data::{Images, load_images};
use backproof_spec::{Experiment, LayerSpec, Loss};
use backproof_train::{
    EvaluationResult, ExplainedImages, LayersLook, Measures, Prediction, RunFolder, RunRecord, RunStatus, Split,
    TrainError, TrainingReport, weighted_layers,
};

use crate::ReportError;
use crate::explore::Milestone;
use crate::gradients::Gradients;
use crate::kernels::Kernels;
use crate::temperature::Temperature;

/// What a report is made of. Whatever is missing or damaged is empty here, and named in `missing`.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) record: RunRecord,
    /// `config.toml` as it is.
    pub(crate) config: String,
    /// The same, understood.
    pub(crate) experiment: Option<Experiment>,
    pub(crate) reports: Vec<TrainingReport>,
    /// What was seen of the layers; empty where nobody looked.
    pub(crate) looks: Vec<LayersLook>,
    /// Where the network looks in test images, with the weights of the result.
    pub(crate) explained: Option<ExplainedImages>,
    pub(crate) result: Option<EvaluationResult>,
    /// Of every test image; empty without a result.
    pub(crate) predictions: Vec<Prediction>,
    /// The temperature that suits the probabilities, of a network that was trained by cross-entropy.
    pub(crate) temperature: Option<Temperature>,
    /// The first convolution's, with the checkpoint's name and iteration.
    pub(crate) kernels: Option<(Kernels, &'static str, usize)>,
    pub(crate) gradients: Option<Gradients>,
    /// The iterations at which it was resumed.
    pub(crate) resumed: Vec<usize>,
    /// Sentences for the reader.
    pub(crate) missing: Vec<String>,
}

impl Contents {
    /// Reads the folder.
    ///
    /// # Errors
    ///
    /// Only a `run.json` that cannot be read: without it nothing is known of the run.
    pub(crate) fn read(folder: &RunFolder) -> Result<Self, ReportError> {
        let record = folder.record()?;
        let mut missing = Vec::new();
        if let Some(sentence) = unfinished(&record, folder.path()) {
            missing.push(sentence);
        }
        let config = fs::read_to_string(folder.path().join("config.toml")).unwrap_or_default(); // told with the next
        let experiment = keep(folder.experiment(), "The parameter table is missing", &mut missing);
        let reports = keep(folder.reports(), "The curves are missing", &mut missing);
        if was_cut(&folder.path().join("metrics.jsonl")) {
            missing.push("The last line of metrics.jsonl was cut when it was written, and is left out.".to_owned());
        } else if reports.as_ref().is_some_and(Vec::is_empty) {
            missing.push("There are no curves: no figures were reported yet.".to_owned());
        }
        let reports = reports.unwrap_or_default();
        let result = keep(folder.result(), "The test result is missing", &mut missing);
        if matches!(result, Some(None)) && record.status == RunStatus::Done {
            missing.push("There is no test result: evaluation/result.json is not there.".to_owned());
        }
        let mut result = result.flatten();
        let looks = keep(folder.looks(), "The curves of the layers are missing", &mut missing).unwrap_or_default();
        let explained = keep(folder.explained(), "It is not shown where the network looks", &mut missing).flatten();
        // An evaluation of other weights may have been broken off before it looked.
        let explained = explained.filter(|it| result.as_ref().is_some_and(|of| of.iteration == it.iteration));
        let predictions = result
            .as_ref()
            .and_then(|result| {
                let what = "The confusion matrix and the misclassified images are missing";
                keep(folder.predictions(result), what, &mut missing)
            })
            .unwrap_or_default();
        if let Some(result) = &mut result {
            // Files of earlier versions lack these figures.
            result.measures = Measures::of(&result.classes, &predictions);
        }
        let is_softmax = experiment.as_ref().is_some_and(|it| it.training.loss == Loss::CrossEntropy);
        let temperature = result.as_ref().filter(|_| is_softmax && !predictions.is_empty()).and_then(|result| {
            let what = "The temperature is not fitted on the validation images";
            let validation = keep(validation(folder, result), what, &mut missing).flatten();
            Temperature::fitted(&predictions, validation.as_deref())
        });
        let has_convolution = experiment.as_ref().is_some_and(|experiment| {
            experiment.model.layers.iter().any(|layer| matches!(layer, LayerSpec::Conv2d(_)))
        });
        let kernels = has_convolution.then(|| kernels(folder, &mut missing)).flatten();
        let gradients = Gradients::read(&folder.path().join("gradients.json")).unwrap_or_else(|reason| {
            missing.push(format!("The gradient proof is missing: gradients.json {reason}."));
            None
        });
        let resumed = resumed(&fs::read(folder.path().join("log.txt")).unwrap_or_default());
        Ok(Self {
            record,
            config,
            experiment,
            reports,
            looks,
            explained,
            result,
            predictions,
            temperature,
            kernels,
            gradients,
            resumed,
            missing,
        })
    }

    /// Images of a batch, and validation images that the config asks for; 0 where that is not known.
    pub(crate) fn batch_and_validation(&self) -> [usize; 2] {
        let of = |it: &Experiment| [it.training.batch_size, it.data.validation_images];
        self.experiment.as_ref().map_or([0; 2], of)
    }

    /// The convolutions and linear layers of the network, as far as it is known.
    pub(crate) fn weighted_layers(&self) -> Vec<String> {
        self.experiment.as_ref().and_then(|it| weighted_layers(&it.model).ok()).unwrap_or_default()
    }

    /// The names of the classes, in label order.
    pub(crate) fn class_names(&self) -> Vec<String> {
        self.result.iter().flat_map(|result| &result.classes).map(|class| class.class.clone()).collect()
    }

    /// What happened in the course of the run, in the order of iterations.
    pub(crate) fn milestones(&self) -> Vec<Milestone> {
        let resumed = self.resumed.iter().map(|&iteration| Milestone { iteration, name: "resumed" });
        let mut milestones: Vec<Milestone> = resumed.collect();
        if let Some(summary) = &self.record.summary {
            let best = summary.best_validation.as_ref().map(|best| best.iteration);
            milestones.extend(best.map(|iteration| Milestone { iteration, name: "best" }));
            let ended = summary.ended_early.as_ref().map(|ended| ended.iteration);
            milestones.extend(ended.map(|iteration| Milestone { iteration, name: "ended early" }));
        }
        milestones.sort_by_key(|milestone| milestone.iteration);
        milestones
    }

    /// The test images that the predictions are of; `None`, and a sentence in `missing`, if they are not at hand.
    pub(crate) fn test_images(&mut self, data_dir: Option<&Path>) -> Option<Images> {
        let experiment = self.experiment.as_ref()?;
        let dataset = experiment.data.images.name();
        if self.predictions.is_empty() {
            return None;
        }
        const WHAT: &str = "The misclassified images are listed without pictures";
        let loaded = match load_images(&experiment.data.images, data_dir, experiment.seed) {
            Ok(loaded) => loaded,
            Err(error) => {
                let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
                // The first line says what is missing, the others each file.
                let text = because(&error);
                let reason = text.lines().next().unwrap_or_default().trim_end_matches(':');
                self.missing.push(format!("{WHAT}: {reason}{help}."));
                return None;
            }
        };
        let fits = |it: &Prediction| it.index < loaded.test.len() && loaded.test.label(it.index) == it.label;
        if loaded.checksums != self.record.data_checksums || !self.predictions.iter().all(fits) {
            self.missing.push(format!("{WHAT}: the files of {dataset} here are not those that the run read."));
            return None;
        }
        Some(loaded.test)
    }
}

/// The predictions of the validation images, if they were evaluated with the weights that `test` is of.
fn validation(folder: &RunFolder, test: &EvaluationResult) -> Result<Option<Vec<Prediction>>, TrainError> {
    match folder.result_on(Split::Validation)? {
        Some(result) if result.iteration == test.iteration && result.classes.len() == test.classes.len() => {
            folder.predictions_on(Split::Validation, &result).map(Some)
        }
        _ => Ok(None),
    }
}

/// The iterations at which a run was resumed, by its log.
fn resumed(log: &[u8]) -> Vec<usize> {
    let log = String::from_utf8_lossy(log);
    log.lines().filter_map(|line| line.strip_prefix("resumed at iteration ")?.parse().ok()).collect()
}

/// Why the run has no end, in a sentence.
fn unfinished(record: &RunRecord, folder: &Path) -> Option<String> {
    let log = fs::read(folder.join("log.txt")).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let stopped = match &log {
        Ok(log) => {
            let said = log.lines().rev().find_map(|line| line.strip_prefix("stopped: "));
            said.unwrap_or("log.txt does not say why").to_owned()
        }
        Err(error) => format!("log.txt, which says why, cannot be read ({error})"),
    };
    match record.status {
        RunStatus::Done => None,
        RunStatus::Running => Some("The run is not finished: it is training, or was killed.".to_owned()),
        RunStatus::Interrupted => Some("The run was interrupted; `resume` goes on with it.".to_owned()),
        RunStatus::Diverged => Some(format!("Training diverged: {stopped}.")),
        RunStatus::Failed => Some(format!("The run failed: {stopped}.")),
    }
}

/// Whether the file ends in the middle of a line.
fn was_cut(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.last().is_some_and(|&byte| byte != b'\n'))
}

/// From the last checkpoint, which the test result is of, or else from the best one.
fn kernels(folder: &RunFolder, missing: &mut Vec<String>) -> Option<(Kernels, &'static str, usize)> {
    let mut reasons = Vec::new();
    for (name, best) in [("last", false), ("best", true)] {
        let read = folder.weights(best).map_err(|error| because(&error)).and_then(|(weights, iteration)| {
            Ok((Kernels::read(&weights).map_err(|reason| format!("checkpoints/{name}: {reason}"))?, name, iteration))
        });
        match read {
            Ok(kernels) => return Some(kernels),
            Err(reason) => reasons.push(reason),
        }
    }
    missing.push(format!("The kernels of the first convolution are missing: {}.", reasons.join("; ")));
    None
}

/// The value, or a sentence that `what` happened and why.
fn keep<T, E: Error>(value: Result<T, E>, what: &str, missing: &mut Vec<String>) -> Option<T> {
    value.map_err(|error| missing.push(format!("{what}: {}.", because(&error).trim_end_matches('.')))).ok()
}

/// An error with its causes.
pub(crate) fn because(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
