//! What goes wrong with a benchmark.

/// A benchmark that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// What was asked for cannot be compared.
    #[error("{message}")]
    Refused {
        /// What is wrong.
        message: String,
        /// The way out.
        help: &'static str,
    },
    /// A process failed, or a file is in the way.
    #[error("{message}")]
    Failed {
        /// What happened.
        message: String,
        /// The way out, where one is known.
        help: Option<String>,
    },
}

#[cfg(feature = "measure")]
impl BenchError {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), help: None }
    }
}
