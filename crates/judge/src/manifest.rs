//! `exercise.json`: by which numbers the cases were drawn.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::JudgeError;

/// Its name in the folder.
pub(crate) const FILE: &str = "exercise.json";

/// Of the manifest that is written here.
const SCHEMA: u32 = 1;

/// More than any manifest has.
const LARGEST: u64 = 1 << 20;

/// How hard the numbers of an exercise are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Level {
    /// Few small whole numbers, for a pencil.
    Pencil,
    /// Any numbers, and hard points.
    Program,
}

impl TryFrom<u8> for Level {
    type Error = String;

    fn try_from(level: u8) -> Result<Self, String> {
        match level {
            1 => Ok(Self::Pencil),
            2 => Ok(Self::Program),
            other => Err(format!("there is no level {other}; the levels are 1 and 2")),
        }
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> Self {
        match level {
            Level::Pencil => 1,
            Level::Program => 2,
        }
    }
}

/// What exercise is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// One of [`subjects`](crate::subjects), or [`NETWORK`](crate::NETWORK).
    pub subject: String,
    /// The experiment whose network it is, as TOML.
    pub config: Option<String>,
    /// How hard its numbers are.
    pub level: Level,
    /// What its numbers are drawn from.
    pub seed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) schema: u32,
    /// Of the program that made it.
    pub(crate) version: String,
    pub(crate) subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<String>,
    pub(crate) level: Level,
    pub(crate) seed: u64,
    pub(crate) cases: Vec<DrawnCase>,
}

/// How a case is drawn again, and what it must be then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DrawnCase {
    pub(crate) name: String,
    pub(crate) number: u64,
    /// SHA-256 of its numbers.
    pub(crate) sha256: String,
}

impl Manifest {
    pub(crate) fn new(request: &Request, cases: Vec<DrawnCase>) -> Self {
        let Request { subject, config, level, seed } = request.clone();
        Self { schema: SCHEMA, version: env!("CARGO_PKG_VERSION").to_owned(), subject, config, level, seed, cases }
    }

    /// What was asked for when it was made.
    pub(crate) fn request(&self) -> Request {
        let Self { subject, config, level, seed, .. } = self.clone();
        Request { subject, config, level, seed }
    }

    pub(crate) fn read(folder: &Path) -> Result<Self, JudgeError> {
        let path = folder.join(FILE);
        // A pipe or a device could be read for ever.
        if !path.metadata().is_ok_and(|file| file.is_file()) {
            return Err(JudgeError::NoExercise(folder.to_owned()));
        }
        let failed = |reason: String| JudgeError::Manifest { file: path.clone(), reason };
        let mut text = String::new();
        let file = File::open(&path).map_err(|error| failed(error.to_string()))?;
        file.take(LARGEST).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;

        #[derive(Deserialize)]
        struct Schema {
            schema: u32,
        }
        let Schema { schema } = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        if schema > SCHEMA {
            return Err(failed(format!("it has the schema version {schema}, and {SCHEMA} is the newest known here")));
        }
        let manifest: Self = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        // Names become names of files.
        let plain = |case: &DrawnCase| case.name.chars().all(|c| c.is_ascii_alphanumeric()) && !case.name.is_empty();
        if !manifest.cases.iter().all(plain) || manifest.cases.is_empty() || manifest.cases.len() > 100 {
            return Err(failed("its cases are not named case1, case2, …".to_owned()));
        }
        Ok(manifest)
    }
}
