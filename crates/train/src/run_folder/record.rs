//! `run.json`.

use std::collections::BTreeMap;

use backproof_models::has_kernels;
use backproof_spec::{Architecture, ClassWeights, Engine, Experiment, Kernels, LayerSpec, Training};
use serde::{Deserialize, Serialize};

use crate::{Computation, EndedEarly, WarmStartRecord};

/// The version of `run.json` and `metrics.jsonl`. 2 added `computations`; before it, `engine = "manual"` in
/// `config.toml` meant the plan of CPU kernels where there was one. 3 gave `best_validation` its keys; before it, that was
/// the pair of accuracy and iteration.
pub const RUN_SCHEMA: u32 = 3;

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// Training, or killed while training.
    Running,
    /// All iterations and the final evaluation are done.
    Done,
    /// Stopped by a signal, with a checkpoint.
    Interrupted,
    /// The loss or a weight stopped being finite.
    Diverged,
    /// Stopped by another error.
    Failed,
}

/// `run.json`: how the run was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`RUN_SCHEMA`], or an earlier one.
    pub schema_version: u32,
    /// The experiment's name.
    pub experiment: String,
    /// The arguments as typed.
    pub command_line: Vec<String>,
    /// Versions of `backproof` and `burn`.
    pub versions: BTreeMap<String, String>,
    /// The commit of the working tree, with `-dirty` where files differ from it; absent outside a repository.
    pub git_revision: Option<String>,
    /// `flex`, `ndarray`, `wgpu` or `cuda`.
    pub backend: String,
    /// The device in words.
    pub device: String,
    /// SHA-256 of each data file that was read.
    pub data_checksums: BTreeMap<String, String>,
    /// The names of the classes in label order; empty in the records of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// The weight of each class in the loss, in label order; empty where the loss has none, and in the records of
    /// earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_weights: Vec<f64>,
    /// The seed of everything random.
    pub seed: u64,
    /// What computed the run, in order; from version 2 on. There is more than one where it went on by another engine or
    /// on other instructions.
    #[serde(default)]
    pub computations: Vec<Computation>,
    /// Trainable parameters.
    pub trainable_parameters: usize,
    /// The weights that it began with; absent where they were random ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_start: Option<WarmStartRecord>,
    /// How far the run came.
    pub status: RunStatus,
    /// UTC, RFC 3339.
    pub started: String,
    /// UTC, RFC 3339; absent while it runs.
    pub ended: Option<String>,
    /// Absent until the final evaluation.
    pub summary: Option<Summary>,
}

impl RunRecord {
    /// The training of the run's experiment, with the class weights that the run began with in place of how they are
    /// found.
    #[must_use]
    pub fn with_class_weights(&self, training: &Training) -> Training {
        let mut training = training.clone();
        if training.class_weights.is_some() && !self.class_weights.is_empty() {
            training.class_weights = Some(ClassWeights::Each(self.class_weights.clone()));
        }
        training
    }

    /// An experiment that was written with this record's version, in the names of today.
    pub(crate) fn in_names_of_today(&self, experiment: Experiment) -> Experiment {
        let frozen = self.warm_start.as_ref().is_some_and(|warm_start| !warm_start.frozen.is_empty());
        let was_a_plan = self.schema_version < 2
            && (experiment.engine, experiment.kernels) == (Engine::Manual, Kernels::Auto)
            && self.backend == "flex"
            && !frozen
            && had_kernels(&experiment.model);
        if was_a_plan { Experiment { engine: Engine::Compiled, ..experiment } } else { experiment }
    }
}

/// Whether a network had a kernel for each layer in the versions that did not write what computes it.
fn had_kernels(model: &Architecture) -> bool {
    use LayerSpec::{AvgPool2d, BatchNorm, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Relu};
    let had_one = |layer: &LayerSpec| {
        matches!(
            layer,
            Conv2d(_) | Linear(_) | Relu(_) | MaxPool2d(_) | AvgPool2d(_) | BatchNorm(_) | Dropout(_) | Flatten(_)
        )
    };
    model.layers.iter().all(had_one) && has_kernels(model).is_ok()
}

/// The figures that a run ends with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Share of test images classified right by the weights that the run ended with.
    pub test_accuracy: f64,
    /// Mean loss over the test images.
    pub test_loss: f64,
    /// Absent without validation images.
    pub best_validation: Option<BestValidation>,
    /// Seconds of training, validation included.
    pub training_seconds: f64,
    /// Why the run ended before its last iteration, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_early: Option<EndedEarly>,
    /// The iteration whose weights the run ended with, where those of its best epoch were restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<usize>,
}

/// The best validation of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "AnyBestValidation")]
pub struct BestValidation {
    /// Share of validation images classified right.
    pub accuracy: f64,
    /// The iteration after which it was.
    pub iteration: usize,
}

/// As any version of `run.json` has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyBestValidation {
    Keys { accuracy: f64, iteration: usize },
    Pair(f64, usize),
}

impl From<AnyBestValidation> for BestValidation {
    fn from(any: AnyBestValidation) -> Self {
        match any {
            AnyBestValidation::Keys { accuracy, iteration } | AnyBestValidation::Pair(accuracy, iteration) => {
                Self { accuracy, iteration }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_validation_of_every_version_is_read_and_written_with_its_keys() {
        let of = |text: &str| serde_json::from_str::<BestValidation>(text).unwrap();
        let best = BestValidation { accuracy: 0.96, iteration: 1900 };
        assert_eq!((of("[0.96, 1900]"), of(r#"{"accuracy": 0.96, "iteration": 1900}"#)), (best, best));
        assert_eq!(serde_json::to_string(&best).unwrap(), r#"{"accuracy":0.96,"iteration":1900}"#);
    }

    /// Up to version 1, `engine = "manual"` was a plan of kernels where there could be one.
    #[test]
    fn the_manual_engine_of_an_earlier_version_is_compiled_where_it_was_a_plan() {
        let runs = tempfile::tempdir().unwrap();
        let experiment = crate::testing::experiment(&["training.iterations=1", "engine=manual"]);
        let now = crate::testing::run(&experiment, runs.path()).unwrap().record().unwrap();
        let earlier = RunRecord { schema_version: 1, ..now.clone() };
        let read = |record: &RunRecord, experiment: &Experiment| record.in_names_of_today(experiment.clone()).engine;
        assert_eq!(read(&earlier, &experiment), Engine::Compiled);
        assert_eq!(read(&now, &experiment), Engine::Manual);
        assert_eq!(read(&RunRecord { backend: "ndarray".to_owned(), ..earlier.clone() }, &experiment), Engine::Manual);
        for set in ["kernels=off", r#"model.layers=["gelu", "flatten", { type = "linear", out_features = 10 }]"#] {
            let input = if set.starts_with("model") { "model.input=[1,28,28]" } else { "seed=1" };
            let on_tensors = crate::testing::experiment(&["engine=manual", input, set]);
            assert_eq!(read(&earlier, &on_tensors), Engine::Manual, "{set}");
        }
        for engine in ["engine=autodiff", "engine=compiled"] {
            let other = crate::testing::experiment(&[engine]);
            assert_eq!(read(&earlier, &other), other.engine);
        }
    }
}
