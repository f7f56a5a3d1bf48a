use backproof_train::{RunRecord, TrainingReport};

/// A finished run of one of the configs.
#[derive(Debug)]
pub(super) struct Run {
    /// The name of the config.
    pub(super) config: String,
    pub(super) record: RunRecord,
    pub(super) engine: &'static str,
    pub(super) dataset: String,
    pub(super) reports: Vec<TrainingReport>,
    pub(super) test_accuracy: f64,
    pub(super) training_seconds: f64,
}
