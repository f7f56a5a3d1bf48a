//! How a run can end.

use std::path::{Path, PathBuf};

use crate::{EvaluationResult, Summary};

/// How a run ended.
#[derive(Debug)]
pub enum Ending {
    /// All iterations done, evaluated on the test images.
    Finished(Box<Finished>),
    /// Stopped on request, with a checkpoint.
    Interrupted {
        /// The run folder.
        folder: PathBuf,
        /// Iterations done.
        iteration: usize,
    },
}

impl Ending {
    /// The run folder.
    pub fn folder(&self) -> &Path {
        match self {
            Self::Finished(finished) => &finished.folder,
            Self::Interrupted { folder, .. } => folder,
        }
    }
}

/// A finished run.
#[derive(Debug)]
pub struct Finished {
    /// The run folder.
    pub folder: PathBuf,
    /// The final evaluation on the test images.
    pub result: EvaluationResult,
    /// What `run.json` ends with.
    pub summary: Summary,
    /// The accuracy that the experiment expects, if it says one.
    pub expected_accuracy: Option<f64>,
}
