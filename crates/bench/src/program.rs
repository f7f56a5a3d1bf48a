//! What runs a benchmark, and who is told of it.

use std::path::PathBuf;

/// The program that is measured, and what a file of figures says of it.
#[derive(Debug, Clone)]
pub struct Program {
    /// Its file, to be started for every figure.
    pub path: PathBuf,
    /// How it was started.
    pub command_line: Vec<String>,
    /// The commit that it was built from.
    pub git_revision: Option<String>,
}

/// Is told how far a benchmark is.
pub trait Watch {
    /// So many pieces of work are ahead.
    fn begin(&self, pieces: usize);
    /// What is being done now.
    fn doing(&self, what: String);
    /// A piece of work is done.
    fn done(&self);
}
