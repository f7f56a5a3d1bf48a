//! What can go wrong in an export.

use std::io;
use std::path::PathBuf;

use backproof_spec::ShapeError;

/// Why a model is not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The architecture does not fit together.
    #[error(transparent)]
    Shape(ShapeError),
    /// It does not fit into an ONNX file.
    #[error("the network has {} parameters, and an ONNX file holds 2 GiB, about 536,000,000 of them",
        backproof_spec::thousands(*.parameters))]
    TooLarge {
        /// How many numbers the network has.
        parameters: usize,
    },
    /// The folder of a PyTorch module has other files.
    #[error("{} has other files: {}", folder.display(), files.join(", "))]
    OtherFiles {
        /// The folder.
        folder: PathBuf,
        /// Their names; a few of them.
        files: Vec<String>,
    },
    /// A file or a folder cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or the folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
