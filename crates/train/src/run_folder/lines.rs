//! The files of a run folder that grow by lines: `metrics.jsonl`, `layers.jsonl` and `log.txt`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use serde::de::DeserializeOwned;

use super::RunFolder;
use crate::files::write_whole;
use crate::{LayersLook, TrainError, TrainingReport, files, layer_warnings, weighted_layers};

/// What is seen of the layers.
const LAYERS: &str = "layers.jsonl";

/// How the line of `log.txt` with the final result begins.
pub(crate) const TEST_RESULT: &str = "test accuracy ";

impl RunFolder {
    /// Appends a line to `metrics.jsonl` and to `log.txt`.
    pub(crate) fn append_report(&self, report: &TrainingReport) -> Result<(), TrainError> {
        let line = serde_json::to_string(report).expect("our types have string keys only");
        self.append("metrics.jsonl", &line)?;
        self.append("log.txt", &report.to_string())
    }

    /// Appends a line to `layers.jsonl`.
    pub(crate) fn append_look(&self, look: &LayersLook) -> Result<(), TrainError> {
        self.append(LAYERS, &serde_json::to_string(look).expect("our types have string keys only"))
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
        self.lines_of("metrics.jsonl", "a report in JSON")
    }

    /// Every line of `layers.jsonl`, likewise; nothing in a run that does not look at its layers.
    ///
    /// # Errors
    ///
    /// As [`reports`](Self::reports).
    pub fn looks(&self) -> Result<Vec<LayersLook>, TrainError> {
        self.lines_of(LAYERS, "what was seen of the layers, in JSON")
    }

    /// What is wrong with the layers of the run, in sentences; nothing where that is not known.
    #[must_use]
    pub fn layer_warnings(&self) -> Vec<String> {
        let Ok((looks, experiment)) = self.looks().and_then(|looks| Ok((looks, self.experiment()?))) else {
            return Vec::new();
        };
        weighted_layers(&experiment.model).map_or_else(|_| Vec::new(), |layers| layer_warnings(&looks, &layers))
    }

    fn lines_of<T: DeserializeOwned>(&self, name: &str, expected: &str) -> Result<Vec<T>, TrainError> {
        let path = self.path.join(name);
        let bytes = match files::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(TrainError::read(&path, error)),
        };
        bytes
            .split_inclusive(|&byte| byte == b'\n')
            .filter(|line| line.ends_with(b"\n"))
            .enumerate()
            .map(|(number, line)| {
                serde_json::from_slice(line)
                    .map_err(|error| TrainError::damaged(&path, format!("line {}: {error}", number + 1), expected))
            })
            .collect()
    }

    /// Drops what a run that has done `done_iterations` and reported up to `iteration` will write again: the lines of
    /// `layers.jsonl` after the one, those of `metrics.jsonl` and `log.txt` after the other, the result of an evaluation that the run did not live to note (`done` is false), and last
    /// lines cut by a kill.
    pub(crate) fn rewind_lines(&self, done_iterations: usize, iteration: usize, done: bool) -> Result<(), TrainError> {
        self.rewrite(LAYERS, |lines| {
            let is_kept = |line: &LayersLook| line.iteration <= done_iterations;
            lines.retain(|line| serde_json::from_str(line).is_ok_and(|line| is_kept(&line)));
        })?;
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
        let bytes = match files::read(&path) {
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
        for name in ["metrics.jsonl", LAYERS, "log.txt"] {
            let path = self.path.join(name);
            match OpenOptions::new().append(true).open(&path).and_then(|file| file.sync_all()) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(TrainError::write(&path, error)),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

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
}
