//! The gradient proof of a run, if its folder has one.

use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What is shown of `gradients.json`, which `compare-gradients -c RUN/config.toml --json RUN/gradients.json` writes.
/// Other keys of the file are left alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gradients {
    /// Whether every gradient is proven.
    pub(crate) proven: bool,
    /// The outcome in a sentence.
    #[serde(default)]
    pub(crate) summary: String,
    /// One for each thing that was checked.
    #[serde(default)]
    pub(crate) subjects: Vec<Subject>,
}

/// A layer, a network or a loss, and what is known of its gradient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Subject {
    pub(crate) subject: String,
    pub(crate) verdict: String,
}

impl Gradients {
    /// The file at `path`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Why it cannot be read, as a verb phrase.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, String> {
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| format!("is damaged ({error})")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("cannot be read ({error})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_verdict_is_needed_and_other_keys_do_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gradients.json");
        assert_eq!(Gradients::read(&path), Ok(None));
        std::fs::write(
            &path,
            r#"{"schema": 9, "proven": true, "subjects": [{"subject": "relu", "verdict": "PASS", "n": 1}]}"#,
        )
        .unwrap();
        let gradients = Gradients::read(&path).unwrap().unwrap();
        assert!(gradients.proven && gradients.subjects[0].subject == "relu");
        std::fs::write(&path, "{}").unwrap();
        assert!(Gradients::read(&path).is_err());
    }
}
