use std::path::PathBuf;

/// Why an exercise cannot be written or judged at all.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// There is no exercise of this name.
    #[error("there is no exercise `{0}`")]
    NoSubject(String),
    /// The experiment of an exercise is not valid.
    #[error("the experiment of the exercise is not valid: {0}")]
    Config(String),
    /// There is no backward with a fault for this layer.
    #[error("there is no broken backward of `{0}`")]
    NotBroken(String),
    /// A folder that is written to is there already, with something in it.
    #[error("{} is there already, and not empty", .0.display())]
    NotEmpty(PathBuf),
    /// A folder that has no exercise.
    #[error("{} is no exercise: it has no exercise.json", .0.display())]
    NoExercise(PathBuf),
    /// The manifest cannot be read.
    #[error("{} cannot be read: {reason}", file.display())]
    Manifest {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The manifest lists other cases than an exercise of its layer, level and seed has.
    #[error("exercise.json of {} was changed: its cases are not those of its layer, level and seed", .0.display())]
    OtherCases(PathBuf),
    /// The cases cannot be drawn again.
    #[error("this version draws other cases than those of {}, which version {version} made", folder.display())]
    OtherVersion {
        /// The exercise.
        folder: PathBuf,
        /// What made it.
        version: String,
    },
    /// A file or a folder cannot be read or written.
    #[error("cannot {what} {}", path.display())]
    File {
        /// `read` or `write`.
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A template does not fit what it is filled with.
    #[error("a file of the exercise cannot be made")]
    Template(#[from] minijinja::Error),
}
