//! What can go wrong while a report is made.

use std::path::PathBuf;

use backproof_spec::ConfigError;
use backproof_train::TrainError;

/// An error of a report. What is merely missing from a run folder is no error: the report says what it lacks.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder is no run folder, or a file of the report cannot be written.
    #[error(transparent)]
    Folder(#[from] TrainError),
    /// The file of published results is not what it should be.
    #[error("{}: {reason}", path.display())]
    Results {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file of kept results is not what it should be.
    #[error("the file of kept results {} {reason}", path.display())]
    Kept {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, as a verb phrase.
        reason: String,
    },
    /// A weights file of a source is missing, or is another one.
    #[error("the weights file {} {reason}", path.display())]
    Authors {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, as a verb phrase.
        reason: String,
    },
    /// A config that the file of published results names is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A network of which no page can be made, with its weights of so many iterations.
    #[error("{network} has {numbers} weights, outputs and gradients{times}; a page can hold {most}")]
    TooLarge {
        /// Its name.
        network: String,
        /// How many numbers the page would have for each iteration.
        numbers: String,
        /// `, 9 times`: once for each iteration; nothing for one.
        times: String,
        /// How many there may be.
        most: String,
    },
    /// A picture that this crate drew cannot be drawn in another format.
    #[error("cannot draw {name} as {format}: {reason}")]
    Picture {
        /// The figure, such as `loss`.
        name: String,
        /// `PNG` or `PDF`.
        format: &'static str,
        /// Why.
        reason: String,
    },
    /// A template of this crate failed.
    #[error("cannot fill in a template of the report")]
    Template(#[from] minijinja::Error),
}
