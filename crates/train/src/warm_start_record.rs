//! What a run keeps of its warm start.

use std::fmt;

use backproof_models::Transfer;
use serde::{Deserialize, Serialize};

/// What `run.json` says of a warm start. A resumed run takes its weights from its checkpoint, and from here what is
/// frozen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WarmStartRecord {
    /// The run folder or the file, all links followed.
    pub source: String,
    /// SHA-256 of the weights file that was read.
    pub weights_sha256: String,
    /// What became of each tensor.
    #[serde(flatten)]
    pub transfer: Transfer,
    /// The tensors that are not updated.
    pub frozen: Vec<String>,
    /// Share of the validation images that the network classifies right before its first iteration; absent without
    /// validation images.
    pub validation_accuracy: Option<f64>,
}

impl fmt::Display for WarmStartRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "warm start from {}\n{}", self.source, self.transfer)?;
        if !self.frozen.is_empty() {
            write!(f, "\nfrozen: {}", self.frozen.join(", "))?;
        }
        match self.validation_accuracy {
            Some(accuracy) => write!(f, "\nvalidation before training {:.2} %", 100.0 * accuracy),
            None => Ok(()),
        }
    }
}
