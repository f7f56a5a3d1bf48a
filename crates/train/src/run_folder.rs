//! The folder of one run: what is written into it, and under which names.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use backproof_data::Normalizer;
use backproof_models::has_kernels;
use backproof_spec::{DataSets, Engine, Experiment, Kernels, Shape};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::checkpoint::{Checkpoint, CheckpointName};
use crate::files::{UNFINISHED, check_version, replace_folder, write_json, write_whole};
use crate::{Computation, Evaluation, EvaluationResult, TrainError, TrainingReport, WarmStartRecord};

/// The version of `run.json` and `metrics.jsonl`. 2 added `computations`; before it, `engine = "manual"` in
/// `config.toml` meant the plan of CPU kernels where there was one.
pub const RUN_SCHEMA: u32 = 2;

/// The version of `normalizer.json`.
const NORMALIZER_SCHEMA: u32 = 1;

/// How the line of `log.txt` with the final result begins.
pub(crate) const TEST_RESULT: &str = "test accuracy ";

/// `normalizer.json`.
#[derive(Debug, Serialize, Deserialize)]
struct NormalizerRecord {
    schema_version: u32,
    #[serde(flatten)]
    normalizer: Normalizer,
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// Training, or killed while training.
    Running,
    /// All iterations and the final evaluation are done.
    Done,
    /// Stopped by a signal, with a checkpoint.
    Interrupted,
    /// The loss or a weight stopped being finite.
    Diverged,
    /// Stopped by another error.
    Failed,
}

/// `run.json`: how the run was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`RUN_SCHEMA`], or an earlier one.
    pub schema_version: u32,
    /// The experiment's name.
    pub experiment: String,
    /// The arguments as typed.
    pub command_line: Vec<String>,
    /// Versions of `backproof` and `burn`.
    pub versions: BTreeMap<String, String>,
    /// The commit of the working tree, with `-dirty` where files differ from it; absent outside a repository.
    pub git_revision: Option<String>,
    /// `flex`, `ndarray`, `wgpu` or `cuda`.
    pub backend: String,
    /// The device in words.
    pub device: String,
    /// SHA-256 of each data file that was read.
    pub data_checksums: BTreeMap<String, String>,
    /// The seed of everything random.
    pub seed: u64,
    /// What computed the run, in order; from version 2 on. There is more than one where it went on by another engine or
    /// on other instructions.
    #[serde(default)]
    pub computations: Vec<Computation>,
    /// Trainable parameters.
    pub trainable_parameters: usize,
    /// The weights that it began with; absent where they were random ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_start: Option<WarmStartRecord>,
    /// How far the run came.
    pub status: RunStatus,
    /// UTC, RFC 3339.
    pub started: String,
    /// UTC, RFC 3339; absent while it runs.
    pub ended: Option<String>,
    /// Absent until the final evaluation.
    pub summary: Option<Summary>,
}

impl RunRecord {
    /// An experiment that was written with this record's version, in the names of today.
    pub(crate) fn in_names_of_today(&self, experiment: Experiment) -> Experiment {
        let frozen = self.warm_start.as_ref().is_some_and(|warm_start| !warm_start.frozen.is_empty());
        let was_a_plan = self.schema_version < 2
            && (experiment.engine, experiment.kernels) == (Engine::Manual, Kernels::Auto)
            && self.backend == "flex"
            && !frozen
            && has_kernels(&experiment.model).is_ok();
        if was_a_plan { Experiment { engine: Engine::Compiled, ..experiment } } else { experiment }
    }
}

/// The figures that a run ends with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Share of test images classified right by the last weights.
    pub test_accuracy: f64,
    /// Mean loss over the test images.
    pub test_loss: f64,
    /// The best validation accuracy and its iteration; absent without validation images.
    pub best_validation: Option<(f64, usize)>,
    /// Seconds of training, validation included.
    pub training_seconds: f64,
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
        let time = OffsetDateTime::now_utc()
            .format(format_description!("[year][month][day]T[hour][minute][second]Z"))
            .expect("the format has no component that can fail");
        let base = format!("{time}-{}", experiment.hash());
        // Two runs of one config in one second get a number each: `create_dir` is what decides who is first.
        let mut path = parent.join(&base);
        let mut number = 1;
        loop {
            match fs::create_dir(&path) {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    number += 1;
                    path = parent.join(format!("{base}-{number}"));
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

    /// Opens a run folder; `latest` and other links are followed.
    ///
    /// # Errors
    ///
    /// A folder that is not there, or that has no `run.json`.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let path = fs::canonicalize(path).map_err(|error| TrainError::read(path, error))?;
        if !path.join("run.json").is_file() {
            return Err(TrainError::damaged(&path, "has no run.json", "a run folder, such as runs/quickstart/latest"));
        }
        Ok(Self { path, _lock: None })
    }

    /// Keeps other processes from training in this folder as long as the value lives.
    pub(crate) fn locked(mut self) -> Result<Self, TrainError> {
        self._lock = Some(lock(&self.path)?);
        Ok(self)
    }

    /// Whether there is a checkpoint of the last iterations.
    #[must_use]
    pub fn has_checkpoint(&self) -> bool {
        self.last().exists()
    }

    /// Whether another process, or another part of this one, is training in the folder.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(lock(&self.path), Err(TrainError::Busy { .. }))
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
        let text = fs::read_to_string(&path).map_err(|error| TrainError::read(&path, error))?;
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
        let text = match fs::read_to_string(&path) {
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

    /// Appends a line to `metrics.jsonl` and to `log.txt`.
    pub(crate) fn append_report(&self, report: &TrainingReport) -> Result<(), TrainError> {
        let line = serde_json::to_string(report).expect("our types have string keys only");
        self.append("metrics.jsonl", &line)?;
        self.append("log.txt", &report.to_string())
    }

    /// Appends one line or several to `log.txt`.
    pub(crate) fn log(&self, line: &str) -> Result<(), TrainError> {
        self.append("log.txt", line)
    }

    fn append(&self, name: &str, line: &str) -> Result<(), TrainError> {
        let path = self.path.join(name);
        // One write a line: a kill leaves whole lines.
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()))
            .map_err(|error| TrainError::write(&path, error))
    }

    /// Every line of `metrics.jsonl`, without a last line that a kill has cut; nothing before the first report.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or a line that is no report, by number.
    pub fn reports(&self) -> Result<Vec<TrainingReport>, TrainError> {
        let path = self.path.join("metrics.jsonl");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(TrainError::read(&path, error)),
        };
        bytes
            .split_inclusive(|&byte| byte == b'\n')
            .filter(|line| line.ends_with(b"\n"))
            .enumerate()
            .map(|(number, line)| {
                serde_json::from_slice(line).map_err(|error| {
                    TrainError::damaged(&path, format!("line {}: {error}", number + 1), "a report in JSON")
                })
            })
            .collect()
    }

    /// The weights of the last checkpoint, or of the best by validation, as a safetensors file, and their iteration.
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

    /// Drops what a run that has reported up to `iteration` will write again: the lines of `metrics.jsonl` and
    /// `log.txt` after it, the result of an evaluation that the run did not live to note (`done` is false), and last
    /// lines cut by a kill.
    pub(crate) fn rewind_lines(&self, iteration: usize, done: bool) -> Result<(), TrainError> {
        self.rewrite("metrics.jsonl", |lines| {
            lines.retain(|line| {
                serde_json::from_str::<TrainingReport>(line).is_ok_and(|report| report.iteration <= iteration)
            });
        })?;
        self.rewrite("log.txt", |lines| {
            lines.retain(|line| TrainingReport::iteration_of_line(line).is_none_or(|of| of <= iteration));
            while !done && lines.last().is_some_and(|line| line.starts_with(TEST_RESULT)) {
                lines.pop();
            }
        })
    }

    /// Replaces the whole lines of a file, with their ends, by what `change` makes of them; a file that is not there
    /// stays so.
    fn rewrite(&self, name: &str, change: impl FnOnce(&mut Vec<&str>)) -> Result<(), TrainError> {
        let path = self.path.join(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(TrainError::read(&path, error)),
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut lines: Vec<&str> = text.split_inclusive('\n').filter(|line| line.ends_with('\n')).collect();
        change(&mut lines);
        let kept = lines.concat();
        if kept.as_bytes() == bytes { Ok(()) } else { write_whole(&path, kept.as_bytes()) }
    }

    /// Brings the lines that were appended to the disk: a checkpoint that survives a loss of power must not be ahead of
    /// them.
    pub(crate) fn flush_lines(&self) -> Result<(), TrainError> {
        for name in ["metrics.jsonl", "log.txt"] {
            let path = self.path.join(name);
            match OpenOptions::new().append(true).open(&path).and_then(|file| file.sync_all()) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(TrainError::write(&path, error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes what a killed process was writing; nobody else writes while the folder is locked.
    pub(crate) fn sweep_up(&self) {
        for folder in [self.path.clone(), self.path.join("checkpoints"), self.path.join("evaluation")] {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            for path in entries.flatten().map(|entry| entry.path()) {
                if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED)) {
                    // It only takes up space: that it stays is no reason not to train.
                    let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                }
            }
        }
    }

    /// Writes `result.json`, `confusion.csv` and `predictions.csv` into `evaluation/`, or `evaluation/<split>` for
    /// another split than the test images.
    pub(crate) fn write_evaluation(
        &self,
        evaluation: &Evaluation,
        result: &EvaluationResult,
    ) -> Result<(), TrainError> {
        let mut folder = self.path.join("evaluation");
        if result.split != "test" {
            folder = folder.join(&result.split);
        }
        fs::create_dir_all(&folder).map_err(|error| TrainError::write(&folder, error))?;

        let class_names: Vec<&str> = result.classes.iter().map(|class| class.class.as_str()).collect();
        let mut confusion = csv::Writer::from_writer(Vec::new());
        let head = std::iter::once("true \\ predicted").chain(class_names.iter().copied());
        write_row(&mut confusion, head);
        for (name, row) in class_names.iter().zip(evaluation.confusion()) {
            let counts = row.iter().map(ToString::to_string);
            write_row(&mut confusion, std::iter::once((*name).to_owned()).chain(counts));
        }
        write_whole(&folder.join("confusion.csv"), &finish(confusion))?;

        let mut predictions = csv::Writer::from_writer(Vec::new());
        let fixed = ["index", "true", "predicted"].map(str::to_owned);
        let probabilities = class_names.iter().map(|name| format!("p({name})"));
        write_row(&mut predictions, fixed.into_iter().chain(probabilities));
        for prediction in &evaluation.predictions {
            let fixed = [prediction.index, prediction.label, prediction.predicted].map(|n| n.to_string());
            let probabilities = prediction.probabilities.iter().map(ToString::to_string);
            write_row(&mut predictions, fixed.into_iter().chain(probabilities));
        }
        write_whole(&folder.join("predictions.csv"), &finish(predictions))?;
        // Last, so that who finds a result finds the rest.
        write_json(&folder.join("result.json"), result)
    }
}

fn write_row<S: AsRef<[u8]>>(writer: &mut csv::Writer<Vec<u8>>, row: impl Iterator<Item = S>) {
    writer.write_record(row).expect("rows have one length, and memory does not fail");
}

fn finish(writer: csv::Writer<Vec<u8>>) -> Vec<u8> {
    writer.into_inner().expect("memory does not fail")
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

/// A link beside the runs; a file system without links does without.
fn point_latest(parent: &Path, run: &Path) {
    #[cfg(unix)]
    {
        let Some(name) = run.file_name() else { return };
        let next = parent.join(format!(".latest-{}", std::process::id()));
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

    /// Up to version 1, `engine = "manual"` was a plan of kernels where there could be one.
    #[test]
    fn the_manual_engine_of_an_earlier_version_is_compiled_where_it_was_a_plan() {
        let runs = tempfile::tempdir().unwrap();
        let experiment = crate::testing::experiment(&["training.iterations=1", "engine=manual"]);
        let now = crate::testing::run(&experiment, runs.path()).unwrap().record().unwrap();
        let earlier = RunRecord { schema_version: 1, ..now.clone() };
        let read = |record: &RunRecord, experiment: &Experiment| record.in_names_of_today(experiment.clone()).engine;
        assert_eq!(read(&earlier, &experiment), Engine::Compiled);
        assert_eq!(read(&now, &experiment), Engine::Manual);
        assert_eq!(read(&RunRecord { backend: "ndarray".to_owned(), ..earlier.clone() }, &experiment), Engine::Manual);
        for set in ["kernels=off", r#"model.layers=["gelu", "flatten", { type = "linear", out_features = 10 }]"#] {
            let input = if set.starts_with("model") { "model.input=[1,28,28]" } else { "seed=1" };
            let on_tensors = crate::testing::experiment(&["engine=manual", input, set]);
            assert_eq!(read(&earlier, &on_tensors), Engine::Manual, "{set}");
        }
        for engine in ["engine=autodiff", "engine=compiled"] {
            let other = crate::testing::experiment(&[engine]);
            assert_eq!(read(&earlier, &other), other.engine);
        }
    }

    #[test]
    fn a_last_line_that_a_kill_has_cut_is_no_report_and_no_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("run.json"), "{}").unwrap();
        let run = RunFolder::open(folder.path()).unwrap();
        assert_eq!(run.reports().unwrap(), []);
        let line = r#"{"iteration":5,"epoch":0.1,"learning_rate":0.1,"classification_loss":1,"weight_decay_loss":0,"total_loss":1,
            "training_accuracy":0.5,"validation_accuracy":null,"validation_loss":null,"images_per_second":1,"seconds":1,
            "seconds_left":1}"#
            .replace('\n', "");
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, format!("{line}\n{}", &line[..50])).unwrap();
        assert_eq!(run.reports().unwrap().len(), 1);
        fs::write(&path, format!("{line}\n{}\n", &line[..50])).unwrap();
        let error = run.reports().unwrap_err().to_string();
        assert!(error.contains("line 2: "), "{error}");
    }

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
