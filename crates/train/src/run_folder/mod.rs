//! The folder of one run: what is written into it, and under which names.

mod image_statistics;
mod lines;
mod record;

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use backproof_data::Normalizer;
use backproof_spec::{DataSets, Experiment, Shape};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::checkpoint::{Checkpoint, CheckpointName};
use crate::files::{check_version, remove_previous, remove_unfinished, replace_folder, write_json, write_whole};
use crate::{TrainError, files};

pub(crate) use lines::TEST_RESULT;
pub use record::{BestValidation, RUN_SCHEMA, RunRecord, RunStatus, Summary};

/// The version of `normalizer.json`.
const NORMALIZER_SCHEMA: u32 = 1;
/// The folder of the weights that `training.keep` asks for.
const KEPT: &str = "checkpoints/kept";

/// `normalizer.json`.
#[derive(Debug, Serialize, Deserialize)]
struct NormalizerRecord {
    schema_version: u32,
    #[serde(flatten)]
    normalizer: Normalizer,
}

/// Keeps other processes from writing in a run folder.
#[derive(Debug)]
pub struct Hold {
    _lock: File,
}

/// A run folder.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// Held while a process trains in the folder.
    _lock: Option<File>,
}

impl RunFolder {
    /// Makes `runs/<experiment>/<UTC time>-<config hash>/` with the resolved config, and points `latest` at it.
    pub(crate) fn create(runs: &Path, experiment: &Experiment) -> Result<Self, TrainError> {
        let parent = runs.join(&experiment.name);
        fs::create_dir_all(&parent).map_err(|error| TrainError::write(&parent, error))?;
        // Two runs of one config in one second get a number each: `create_dir` is what decides who is first.
        let base = Self::next(runs, experiment);
        let mut path = base.clone();
        let mut number = 1;
        loop {
            match fs::create_dir(&path) {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    number += 1;
                    let mut name = base.clone().into_os_string();
                    name.push(format!("-{number}"));
                    path = name.into();
                }
                Err(error) => return Err(TrainError::write(&path, error)),
            }
        }
        let lock = lock(&path)?;
        let folder = Self { path, _lock: Some(lock) };
        folder.write_config(experiment)?;
        point_latest(&parent, &folder.path);
        Ok(folder)
    }

    /// The folder of a run that would begin now.
    pub(crate) fn next(runs: &Path, experiment: &Experiment) -> PathBuf {
        let time = OffsetDateTime::now_utc()
            .format(format_description!("[year][month][day]T[hour][minute][second]Z"))
            .expect("the format has no component that can fail");
        runs.join(&experiment.name).join(format!("{time}-{}", experiment.hash()))
    }

    /// Opens a run folder; `latest` and other links are followed.
    ///
    /// # Errors
    ///
    /// A folder that is not there, or that has no `run.json`; a `run.json` that is no file or cannot be looked at.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let path = fs::canonicalize(path).map_err(|error| TrainError::read(path, error))?;
        let record = path.join("run.json");
        match fs::metadata(&record) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(TrainError::damaged(&record, "is no file", "the record of a run")),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let expected = "a run folder, such as runs/quickstart/latest";
                return Err(TrainError::damaged(&path, "has no run.json", expected));
            }
            Err(error) => return Err(TrainError::read(&record, error)),
        }
        Ok(Self { path, _lock: None })
    }

    /// Keeps other processes from training in this folder as long as the value lives.
    pub(crate) fn locked(mut self) -> Result<Self, TrainError> {
        self._lock = Some(self.lock_soon()?);
        Ok(self)
    }

    /// Keeps other processes from training, reporting and sweeping up in the folder as long as the value lives, where
    /// nobody trains in it: a report may be made while a run goes on.
    #[must_use]
    pub fn hold(&self) -> Option<Hold> {
        self.lock_soon().ok().map(|lock| Hold { _lock: lock })
    }

    /// The lock; waits for a process that only makes a report.
    fn lock_soon(&self) -> Result<File, TrainError> {
        let begun = Instant::now();
        loop {
            let trains = || self.record().is_ok_and(|record| record.status == RunStatus::Running);
            match lock(&self.path) {
                Err(TrainError::Busy { .. }) if begun.elapsed() < Duration::from_secs(10) && !trains() => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                result => return result,
            }
        }
    }

    /// Whether another process, or another part of this one, is training in the folder at `path`, which need not have a
    /// record yet.
    #[must_use]
    pub fn is_busy(path: &Path) -> bool {
        matches!(lock(path), Err(TrainError::Busy { .. }))
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The checkpoints all of whose files are what was saved, with their iterations; the last before the best.
    #[must_use]
    pub fn sound_checkpoints(&self) -> Vec<(CheckpointName, usize)> {
        let sound = |name| Some((name, self.checkpoint(name).sound()?));
        [CheckpointName::Last, CheckpointName::Best].into_iter().filter_map(sound).collect()
    }

    /// The weights that `training.keep` asked for: iterations and safetensors files, in increasing order.
    #[must_use]
    pub fn kept_weights(&self) -> Vec<(usize, PathBuf)> {
        let files = fs::read_dir(self.path.join(KEPT)).into_iter().flatten().flatten().map(|entry| entry.path());
        let of_iteration = |path: PathBuf| Some((path.file_stem()?.to_str()?.parse().ok()?, path));
        let safetensors = files.filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
        let mut kept: Vec<(usize, PathBuf)> = safetensors.filter_map(of_iteration).collect();
        kept.sort();
        kept
    }

    /// Keeps the weights of an iteration.
    pub(crate) fn keep_weights(&self, iteration: usize, weights: &[u8]) -> Result<(), TrainError> {
        let folder = self.path.join(KEPT);
        fs::create_dir_all(&folder).map_err(|error| TrainError::write(&folder, error))?;
        write_whole(&folder.join(format!("{iteration}.safetensors")), weights)
    }

    pub(crate) fn last(&self) -> Checkpoint {
        self.checkpoint(CheckpointName::Last)
    }

    pub(crate) fn best(&self) -> Checkpoint {
        self.checkpoint(CheckpointName::Best)
    }

    pub(crate) fn checkpoint(&self, name: CheckpointName) -> Checkpoint {
        Checkpoint::new(&self.path, name)
    }

    /// The resolved experiment. Whether it goes with its data set is checked when the data is read.
    ///
    /// # Errors
    ///
    /// A `config.toml` that cannot be read or is not valid, or a `run.json` that cannot be read.
    pub fn experiment(&self) -> Result<Experiment, TrainError> {
        let experiment = Experiment::load(&self.path.join("config.toml"), &[], &DataSets::any())?;
        Ok(self.record()?.in_names_of_today(experiment))
    }

    pub(crate) fn write_config(&self, experiment: &Experiment) -> Result<(), TrainError> {
        write_whole(&self.path.join("config.toml"), experiment.to_toml().as_bytes())
    }

    /// `run.json`.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or of another schema version.
    pub fn record(&self) -> Result<RunRecord, TrainError> {
        let path = self.path.join("run.json");
        let text = files::read_text(&path).map_err(|error| TrainError::read(&path, error))?;
        check_version(&path, &text, RUN_SCHEMA)?;
        serde_json::from_str(&text)
            .map_err(|error| TrainError::damaged(&path, format!("cannot be read ({error})"), "the record of a run"))
    }

    pub(crate) fn write_record(&self, record: &RunRecord) -> Result<(), TrainError> {
        write_json(&self.path.join("run.json"), record)
    }

    /// How the run's pixels become numbers, from `normalizer.json`; `None` in a folder of a version that wrote none.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or is for images of another shape than `shape`.
    pub fn normalizer(&self, shape: Shape) -> Result<Option<Normalizer>, TrainError> {
        let path = self.path.join("normalizer.json");
        let text = match files::read_text(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TrainError::read(&path, error)),
        };
        check_version(&path, &text, NORMALIZER_SCHEMA)?;
        let expected = || format!("the normaliser of images {shape}");
        let record: NormalizerRecord = serde_json::from_str(&text)
            .map_err(|error| TrainError::damaged(&path, format!("cannot be read ({error})"), expected()))?;
        if !record.normalizer.fits(shape) {
            return Err(TrainError::damaged(&path, "does not fit the network", expected()));
        }
        Ok(Some(record.normalizer))
    }

    pub(crate) fn write_normalizer(&self, normalizer: &Normalizer) -> Result<(), TrainError> {
        let record = NormalizerRecord { schema_version: NORMALIZER_SCHEMA, normalizer: normalizer.clone() };
        // In one line: a mean image has thousands of numbers.
        let text = serde_json::to_string(&record).expect("our types have string keys only");
        write_whole(&self.path.join("normalizer.json"), format!("{text}\n").as_bytes())
    }

    /// The weights of the last checkpoint, or of the best by validation, as a safetensors file, and their iteration. Of
    /// a run that ended with the weights of its best epoch, the last checkpoint gives those.
    ///
    /// # Errors
    ///
    /// A checkpoint that is not there, or whose files are not the ones that were saved.
    pub fn weights(&self, best: bool) -> Result<(Vec<u8>, usize), TrainError> {
        if best { self.best() } else { self.last() }.weights()
    }

    /// Writes a file of the folder, such as `report.html`, whole or not at all.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), TrainError> {
        write_whole(&self.path.join(name), content)
    }

    /// Makes the folder `name` in this one hold `files`, by name, and nothing else; as a whole or not at all.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn write_folder(&self, name: &str, files: &[(String, Vec<u8>)]) -> Result<(), TrainError> {
        replace_folder(&self.path.join(name), |folder| {
            files.iter().try_for_each(|(name, content)| write_whole(&folder.join(name), content))
        })
    }

    /// Removes what a killed process was writing, unless another one is writing in the folder.
    pub fn sweep_up(&self) {
        let Ok(_lock) = lock(&self.path) else { return };
        self.sweep_up_locked();
    }

    /// The same while this process has the lock: nobody else writes then.
    pub(crate) fn sweep_up_locked(&self) {
        for folder in [self.path.clone(), self.path.join("checkpoints"), self.path.join("evaluation")] {
            remove_unfinished(&folder);
        }
        for folder in ["checkpoints/last", "checkpoints/best", "figures"] {
            remove_previous(&self.path.join(folder));
        }
        // A link that had not got its name.
        if let Some(link) = unfinished_link(&self.path) {
            let _ = fs::remove_file(link);
        }
    }
}

fn lock(folder: &Path) -> Result<File, TrainError> {
    let path = folder.join(".lock");
    let file = File::create(&path).map_err(|error| TrainError::write(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(TrainError::Busy { folder: folder.to_owned() }),
        // A file system without locks is no reason not to train.
        Err(TryLockError::Error(error)) => {
            tracing::warn!("{} cannot be locked: {error}", path.display());
            Ok(file)
        }
    }
}

/// What `latest` is called before it has its name: of each run something else.
fn unfinished_link(run: &Path) -> Option<PathBuf> {
    let name = run.file_name()?.to_string_lossy();
    Some(run.with_file_name(format!(".latest-{name}")))
}

/// A link beside the runs; a file system without links does without.
fn point_latest(parent: &Path, run: &Path) {
    #[cfg(unix)]
    {
        let (Some(name), Some(next)) = (run.file_name(), unfinished_link(run)) else { return };
        let result = std::os::unix::fs::symlink(name, &next).and_then(|()| fs::rename(&next, parent.join("latest")));
        if let Err(error) = result {
            let _ = fs::remove_file(&next);
            tracing::warn!("{} cannot be linked: {error}", parent.join("latest").display());
        }
    }
    #[cfg(not(unix))]
    let _ = (parent, run);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normalizer_for_other_images_than_the_networks_is_refused() {
        let temporary = tempfile::tempdir().unwrap();
        fs::write(temporary.path().join("run.json"), "{}").unwrap();
        let run = RunFolder::open(temporary.path()).unwrap();
        assert!(run.normalizer(Shape::image(1, 28, 28)).unwrap().is_none());
        let grey = Normalizer::Standardize { mean: vec![0.5], std: vec![0.25] };
        run.write_normalizer(&grey).unwrap();
        assert_eq!(run.normalizer(Shape::image(1, 28, 28)).unwrap(), Some(grey));
        let error = run.normalizer(Shape::image(3, 32, 32)).unwrap_err().to_string();
        assert!(
            error.ends_with("normalizer.json does not fit the network; expected the normaliser of images 3×32×32"),
            "{error}"
        );
    }

    #[test]
    fn a_record_that_is_no_file_is_told_from_one_that_is_not_there() {
        let temporary = tempfile::tempdir().unwrap();
        let refused = || RunFolder::open(temporary.path()).unwrap_err().to_string();
        assert!(refused().ends_with(" has no run.json; expected a run folder, such as runs/quickstart/latest"));
        fs::create_dir(temporary.path().join("run.json")).unwrap();
        assert!(refused().ends_with("run.json is no file; expected the record of a run"), "{}", refused());
    }

    #[test]
    fn a_checkpoint_whose_state_cannot_be_read_is_told_from_one_that_is_not_there() {
        let temporary = tempfile::tempdir().unwrap();
        fs::write(temporary.path().join("run.json"), "{}").unwrap();
        let run = RunFolder::open(temporary.path()).unwrap();
        assert!(!run.last().exists());
        fs::create_dir_all(temporary.path().join("checkpoints/last/state.json")).unwrap();
        assert!(run.last().exists());
        let error = run.weights(false).unwrap_err().to_string();
        assert!(error.starts_with("cannot read ") && error.ends_with("state.json"), "{error}");
    }

    #[test]
    fn a_folder_of_files_holds_those_that_were_given_last_and_no_others() {
        let temporary = tempfile::tempdir().unwrap();
        fs::write(temporary.path().join("run.json"), "{}").unwrap();
        let run = RunFolder::open(temporary.path()).unwrap();
        let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
        run.write_folder("figures", &[file("a.svg", "1"), file("b.svg", "1")]).unwrap();
        run.write_folder("figures", &[file("b.svg", "2")]).unwrap();
        let figures = run.path().join("figures");
        assert_eq!(fs::read_dir(&figures).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(figures.join("b.svg")).unwrap(), "2");
        run.write("report.html", b"<p>").unwrap();
        assert_eq!(fs::read(run.path().join("report.html")).unwrap(), b"<p>");
    }
}
