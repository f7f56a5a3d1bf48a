//! What can go wrong between a data set's name and its images in memory.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use backproof_spec::{are, counted};

/// Why a data set could not be found, read, fetched or divided.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system refused to read or write.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried: a verb, as in "read".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is not what its name says.
    #[error("`{file}`: {what}: expected {expected}, found {found}")]
    Format {
        /// The file, as the caller knows it.
        file: String,
        /// What was looked at, for instance "magic number".
        what: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A file does not hold the arrays of a data set.
    #[error("`{file}` {problem}")]
    Arrays {
        /// The file, as the caller knows it.
        file: String,
        /// What is wrong with it, and what was expected.
        problem: backproof_arrays::FormatError,
    },
    /// There is no data set of that name.
    #[error("there is no data set `{name}`")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The nearest name that there is, or all of them, as a sentence.
        help: String,
    },
    /// A file belongs to another data set, whose files have the same names.
    #[error("`{}` is a file of {found}, not of {expected}", path.display())]
    OtherDataSet {
        /// The file.
        path: PathBuf,
        /// The data set that was asked for.
        expected: String,
        /// The data set whose published checksum the file has.
        found: &'static str,
    },
    /// A picture of the user's cannot be used.
    #[error("`{}` {problem}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, as a verb phrase.
        problem: String,
        /// What the decoder said, where there was one.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A folder of images, or a list of them, cannot be trained on.
    #[error("`{}` {problem}", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong with it, as a verb phrase.
        problem: String,
        /// The way out, where there is one.
        help: Option<String>,
    },
    /// Images of a folder cannot be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableFiles),
    /// Reading was broken off.
    #[error("interrupted while images were read; nothing is kept of them")]
    Stopped,
    /// Files are not there.
    #[error(transparent)]
    Missing(#[from] MissingFiles),
    /// There is nowhere to look for data.
    #[error("no folder for data: neither BACKPROOF_DATA_DIR nor XDG_CACHE_HOME is set, and there is no home directory")]
    NoDirectory,
    /// The split asks for more images than there are.
    #[error(
        "nothing is left to train on after {}: the training set has {}",
        counted(*validation, "validation image"),
        counted(*available, "image")
    )]
    TrainingSplit {
        /// How many validation images were asked for.
        validation: usize,
        /// How many images there are to divide.
        available: usize,
    },
    /// A limit of zero training images.
    #[error("training_images is 0: nothing to train on")]
    NoTrainingImages,
    /// No mirror gave the file.
    #[error(transparent)]
    Fetch(#[from] FetchFailure),
    /// An archive holds something that must not be unpacked.
    #[error("archive `{}`: entry `{entry}`: {problem}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The entry's name, or the part of the archive.
        entry: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// The result of everything here that can fail.
pub type Result<T, E = DataError> = std::result::Result<T, E>;

impl DataError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn folder(path: &Path, problem: impl Into<String>) -> Self {
        Self::Folder { path: path.to_path_buf(), problem: problem.into(), help: None }
    }

    /// The error of a folder with its way out; any other as it is.
    pub(crate) fn with_help(self, help: Option<String>) -> Self {
        match self {
            Self::Folder { path, problem, .. } => Self::Folder { path, problem, help },
            other => other,
        }
    }

    /// The error and its causes on one line.
    pub(crate) fn with_causes(&self) -> String {
        self.source().map_or_else(|| self.to_string(), |source| format!("{self}: {source}"))
    }

    /// Why a file cannot be read, without its path.
    #[cfg(feature = "pictures")]
    pub(crate) fn without_path(&self) -> String {
        let text = match self {
            Self::Io { source, .. } => format!("cannot be read: {source}"),
            Self::Picture { problem, source: Some(source), .. } => format!("{problem}: {source}"),
            Self::Picture { problem, .. } => problem.clone(),
            other => other.with_causes(),
        };
        // Some decoders end their words with a line break.
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn format(
        file: &str,
        what: &'static str,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self::Format { file: file.to_owned(), what, expected: expected.to_string(), found: found.to_string() }
    }

    /// The way out, where there is one, as a sentence for the user.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Missing(missing) => Some(format!(
                "`cargo xtask data fetch {}` downloads {}, or put the files there yourself",
                missing.data_set,
                if missing.files.len() == 1 { "it" } else { "them" },
            )),
            Self::Unknown { help, .. } => Some(help.clone()),
            Self::NoDirectory => Some("give one with --data-dir DIR".to_owned()),
            Self::OtherDataSet { expected, .. } => {
                Some(format!("give each data set a folder of its own: the one of {expected} is DIR/{expected}"))
            }
            Self::Fetch(failure) => Some(format!(
                "download `{}` by other means, put it at `{}`, and run the command again",
                failure.file,
                failure.path.display()
            )),
            Self::Folder { help, .. } => help.clone(),
            Self::Unreadable(_) => {
                Some("mend or remove them; `skip_unreadable = true` under [data] trains without them".to_owned())
            }
            Self::TrainingSplit { .. } => Some("lower data.validation_images".to_owned()),
            _ => None,
        }
    }
}

/// Files of a folder that are no images that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableFiles {
    /// The folder or the list.
    pub folder: PathBuf,
    /// Each with the reason, as a verb phrase.
    pub files: Vec<(PathBuf, String)>,
}

impl std::error::Error for UnreadableFiles {}

impl fmt::Display for UnreadableFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of `{}` cannot be read:", counted(self.files.len(), "file"), self.folder.display())?;
        for (path, reason) in &self.files {
            write!(f, "\n  {}: {reason}", path.display())?;
        }
        Ok(())
    }
}

/// Every file of a data set that is not there, with its address and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingFiles {
    /// The data set.
    pub data_set: String,
    /// The missing files.
    pub files: Vec<MissingFile>,
    /// What lies there and is not read as it is: where, and what it is, as a verb phrase.
    pub other_version: Option<(PathBuf, String)>,
    /// Where else the files may lie, and which others are read in their place: a sentence each.
    pub layouts: Vec<String>,
}

/// One missing file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingFile {
    /// Where to put the file.
    pub path: PathBuf,
    /// Where to get it, or the archive that holds it.
    pub url: String,
    /// A file that lies there under a similar name.
    pub alike: Option<PathBuf>,
}

impl std::error::Error for MissingFiles {}

impl fmt::Display for MissingFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.files.len();
        write!(f, "{} of {} {} missing:", counted(count, "file"), self.data_set, are(count))?;
        for file in &self.files {
            write!(f, "\n  {}\n    from {}", file.path.display(), file.url)?;
            if let Some(alike) = &file.alike {
                write!(
                    f,
                    "\n    `{}` has a similar name; if it holds this file, unpack it or rename it",
                    alike.display()
                )?;
            }
        }
        if let Some((path, what)) = &self.other_version {
            write!(f, "\n`{}` {what}", path.display())?;
        }
        for layout in &self.layouts {
            write!(f, "\n{layout}")?;
        }
        Ok(())
    }
}

/// A file that no mirror gave, and why each did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchFailure {
    /// The name of the file as published.
    pub file: String,
    /// Where it would have been put.
    pub path: PathBuf,
    /// What was tried, in order: the address and what came of it.
    pub tried: Vec<(String, String)>,
}

impl std::error::Error for FetchFailure {}

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot download `{}`:", self.file)?;
        for (url, reason) in &self.tried {
            write!(f, "\n  {url}: {reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_files_are_all_listed_with_address_place_and_command() {
        let error = DataError::from(MissingFiles {
            data_set: "mnist".to_owned(),
            files: vec![
                MissingFile { path: "/d/mnist/a.gz".into(), url: "https://one/a.gz".into(), alike: None },
                MissingFile {
                    path: "/d/mnist/b.gz".into(),
                    url: "https://one/b.gz".into(),
                    alike: Some("/d/mnist/B.gz".into()),
                },
            ],
            other_version: None,
            layouts: vec!["they may also lie in `MNIST/raw`".to_owned()],
        });
        assert_eq!(
            error.to_string(),
            "2 files of mnist are missing:\n  /d/mnist/a.gz\n    from https://one/a.gz\n  /d/mnist/b.gz\n    from https://one/b.gz\n    \
             `/d/mnist/B.gz` has a similar name; if it holds this file, unpack it or rename it\n\
             they may also lie in `MNIST/raw`"
        );
        assert!(error.help().is_some_and(|help| help.contains("`cargo xtask data fetch mnist`")));
    }

    #[test]
    fn what_the_user_can_mend_comes_with_a_way_out() {
        let one = MissingFile { path: "/d/mnist/a.gz".into(), url: "https://one/a.gz".into(), alike: None };
        let missing = DataError::from(MissingFiles {
            data_set: "mnist".to_owned(),
            files: vec![one],
            other_version: None,
            layouts: Vec::new(),
        });
        assert!(missing.to_string().starts_with("1 file of mnist is missing:"), "{missing}");
        let other =
            DataError::OtherDataSet { path: "/d/a".into(), expected: "mnist".to_owned(), found: "fashion-mnist" };
        assert_eq!(other.to_string(), "`/d/a` is a file of fashion-mnist, not of mnist");
        for (error, help) in [
            (missing, "`cargo xtask data fetch mnist` downloads it, or put the files there yourself"),
            (other, "give each data set a folder of its own: the one of mnist is DIR/mnist"),
            (DataError::NoDirectory, "give one with --data-dir DIR"),
            (DataError::TrainingSplit { validation: 9, available: 9 }, "lower data.validation_images"),
        ] {
            assert_eq!(error.help().as_deref(), Some(help));
        }
        assert_eq!(DataError::NoTrainingImages.help(), None);
    }
}
