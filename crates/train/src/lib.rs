//! Training: the engines, the optimizers, the loop, the metrics, the checkpoints and the run folder.
//!
//! [`train`] takes an [`Experiment`](backproof_spec::Experiment) and makes a run folder; [`resume`] goes on with one;
//! [`evaluate`] measures one, and [`Predictor`] is its network on images from elsewhere. Training is one flat loop, in
//! `training.rs`, which reads from top to bottom.
//!
//! [`new_optimizer`] makes the update rule that a config names, ours or one of Burn's. A run may begin with the weights
//! of another; [`WarmStartRecord`] says which of them fitted.
//!
//! [`Trainer`] makes the steps of a run, and those of a benchmark. It is the only fork between the engines: it holds
//! network and optimizer as Burn's tensors or in the memory of the CPU kernels. [`Computation`] says which of them a
//! run took. Everything random is a function of (seed, step), so that a run can go on from any step and be the run that
//! it would have been.
//!
//! This crate prints nothing. What a person watches goes through [`Observer`].

mod areas;
mod begun;
mod checkpoint;
mod computation;
mod data;
mod dry_run;
mod early_stopping;
mod ending;
mod engine;
mod error;
mod evaluate;
mod evaluation;
mod evaluation_files;
mod explained;
mod files;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod imbalance;
mod learning_rate_range;
mod logits;
mod look;
mod loss;
mod measures;
mod momentum;
mod moving;
mod muon;
mod observer;
mod optimizer;
mod optimizer_record;
mod predict;
mod prediction;
mod probe;
mod report;
mod resume;
mod rules;
mod run;
mod run_folder;
mod setup;
mod targets;
mod tensorboard;
#[cfg(test)]
mod testing;
mod trainer;
mod training;
mod views;
mod warm_start;
mod warm_start_record;
mod weights;
mod whitening;

pub use areas::Areas;
pub use backproof_models::{Changes, ComputedBy};
pub use checkpoint::CheckpointName;
pub use computation::{Computation, LayerComputation};
pub use dry_run::{ClassImages, DryRun, PlannedMemory, PlannedSteps, PlannedTime, dry_run};
pub use early_stopping::{EndedEarly, restored_in_words};
pub use ending::{Ending, Finished};
pub use error::TrainError;
pub use evaluate::{Evaluated, evaluate, evaluate_weights};
pub use evaluation::{EVALUATION_SCHEMA, Evaluation, EvaluationResult};
pub use explained::{ExplainedImage, ExplainedImages};
pub use files::{remove_unfinished, write_file, write_json, write_whole};
pub use imbalance::class_weights_in_words;
pub use learning_rate_range::{
    RangeEnd, RangePoint, RangeTest, RateRange, Suggestion, learning_rate_range, rate_in_words, two_digits,
};
pub use look::{LayersLook, ReluLook, TensorLook, Unit, layer_warnings};
pub use loss::{TrainingLoss, losses, losses_backward, objective};
pub use measures::{CONFIDENCE_BINS, ConfidenceBin, Measures, confidence_bins};
pub use momentum::{Momentum, MomentumState};
pub use observer::{Observer, Silent, Started};
pub use optimizer::new_optimizer;
pub use predict::Predictor;
pub use predict::attribution::{Attribution, ClassActivation, GradientCheck, Map, Occlusion};
pub use predict::explanation::{ExplainedLayer, ExplainedTensor, Explanation, LayerInput, Sample};
pub use prediction::{ClassResult, MOST_KEPT, Prediction, Probabilities, TOP};
pub use probe::weighted_layers;
pub use report::{REPORT_WIDTH, TrainingReport, duration};
pub use resume::resume;
pub use run::train;
pub use run_folder::{BestValidation, Hold, RUN_SCHEMA, RunFolder, RunRecord, RunStatus, Summary};
pub use setup::{Setup, Split};
pub use trainer::{Minibatch, Step, Trainer, TrainerConfig};
pub use warm_start_record::WarmStartRecord;
pub use weights::Weights;

/// The version of Burn that everything here runs on.
pub const BURN_VERSION: &str = "0.22.1";
