//! The figures of `metrics.jsonl` and `layers.jsonl` as TensorBoard's event files.
//!
//! An event file is a row of records. A record is the length of its content (8 bytes), the masked CRC-32C of those 8
//! bytes (4), the content, and the masked CRC-32C of the content (4), all little-endian; the content is a protocol
//! buffer, [`Event`]. Sources: TensorFlow's `core/lib/io/record_writer.h`, `core/util/event.proto` and
//! `core/framework/summary.proto`.
//!
//! A run has one folder of events, with one file for each time that it was begun or resumed. A run that is resumed cuts
//! the earlier files at the iteration from which it goes on, so that no step is there twice.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crc::{CRC_32_ISCSI, Crc};
use prost::Message;

use crate::{LayersLook, ReluLook, TensorLook, TrainError, TrainingReport, files};

/// Where the events of the run in `folder` are.
fn events(folder: &Path) -> PathBuf {
    folder.join("tensorboard")
}

/// Part of `tensorflow.Event`.
#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    /// In the first event of a file.
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

/// `tensorflow.Summary`.
#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

/// Part of `tensorflow.Summary.Value`.
#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

/// An event file that reports are added to.
#[derive(Debug)]
pub(crate) struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// A new file in the run folder `folder`, for the reports after `iteration`.
    pub(crate) fn create(folder: &Path, iteration: usize) -> Result<Self, TrainError> {
        let folder = events(folder);
        fs::create_dir_all(&folder).map_err(|error| TrainError::write(&folder, error))?;
        // TensorBoard reads files in the order of their names. Two in one second get a number each, and a clock that
        // was set back must not put the new file before the old ones.
        let seconds = newest(&folder).max(now() as u64);
        let mut number = 0;
        let (path, file) = loop {
            let path = folder.join(format!("events.out.tfevents.{seconds:010}.{iteration:09}.{number}.backproof"));
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => break (path, file),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(TrainError::write(&path, error)),
            }
        };
        let mut this = Self { path, file };
        let version = Some("brain.Event:2".to_owned());
        this.append(&Event { wall_time: now(), step: 0, file_version: version, summary: None })?;
        Ok(this)
    }

    /// Adds the figures of `report`, at its iteration.
    pub(crate) fn report(&mut self, report: &TrainingReport) -> Result<(), TrainError> {
        let figures = [
            ("loss/classification", Some(report.classification_loss)),
            ("loss/weight_decay", Some(report.weight_decay_loss)),
            ("loss/total", Some(report.total_loss)),
            ("loss/validation", report.validation_loss),
            ("accuracy/training", Some(report.training_accuracy)),
            ("accuracy/validation", report.validation_accuracy),
            ("learning_rate", Some(report.learning_rate)),
        ];
        let figures = figures.into_iter().filter_map(|(tag, figure)| Some((tag.to_owned(), figure?)));
        self.figures(report.iteration, figures)
    }

    /// Adds what was seen of the layers.
    pub(crate) fn look(&mut self, look: &LayersLook) -> Result<(), TrainError> {
        let of_tensor = |tensor: &TensorLook| {
            let update = tensor.update_share().map(|share| (format!("update_over_weight/{}", tensor.name), share));
            std::iter::once((format!("gradient_rms/{}", tensor.name), tensor.gradient)).chain(update)
        };
        let of_relu = |relu: &ReluLook| {
            let of = |what: &str| format!("{what}/{}", relu.layer);
            [(of("dead_share"), relu.dead_share()), (of("zero_share"), relu.zeros)]
        };
        let tensors = look.tensors.iter().flat_map(of_tensor);
        self.figures(look.iteration, tensors.chain(look.relus.iter().flat_map(of_relu)))
    }

    fn figures(&mut self, iteration: usize, figures: impl Iterator<Item = (String, f64)>) -> Result<(), TrainError> {
        let value = figures.map(|(tag, figure)| Value { tag, simple_value: Some(figure as f32) });
        let summary = Some(Summary { value: value.collect() });
        self.append(&Event { wall_time: now(), step: iteration as i64, file_version: None, summary })
    }

    fn append(&mut self, event: &Event) -> Result<(), TrainError> {
        // One write a record: a kill leaves whole records.
        self.file.write_all(&frame(&event.encode_to_vec())).map_err(|error| TrainError::write(&self.path, error))
    }
}

/// Whether the run in `folder` writes events.
pub(crate) fn is_on(folder: &Path) -> bool {
    events(folder).is_dir()
}

/// Cuts off, of every event file of the run in `folder`, what comes after `iteration` and what is no whole record.
pub(crate) fn rewind(folder: &Path, iteration: usize) -> Result<(), TrainError> {
    let folder = events(folder);
    for entry in fs::read_dir(&folder).map_err(|error| TrainError::read(&folder, error))? {
        let path = entry.map_err(|error| TrainError::read(&folder, error))?.path();
        let bytes = files::read(&path).map_err(|error| TrainError::read(&path, error))?;
        // Steps rise within a file, so what is to go is its end.
        let kept: usize =
            records(&bytes).take_while(|(event, _)| event.step <= iteration as i64).map(|(_, length)| length).sum();
        if kept < bytes.len() {
            let cut = || OpenOptions::new().write(true).open(&path)?.set_len(kept as u64);
            cut().map_err(|error| TrainError::write(&path, error))?;
        }
    }
    Ok(())
}

/// The events of a file and the length of their records, up to the first that is cut or damaged.
fn records(mut bytes: &[u8]) -> impl Iterator<Item = (Event, usize)> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let (length_sum, rest) = rest.split_first_chunk::<4>()?;
        let content = rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        let (content_sum, rest) = rest[content.len()..].split_first_chunk::<4>()?;
        if u32::from_le_bytes(*length_sum) != masked(length) || u32::from_le_bytes(*content_sum) != masked(content) {
            return None;
        }
        let record = bytes.len() - rest.len();
        bytes = rest;
        Some((Event::decode(content).ok()?, record))
    })
}

fn frame(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    [&length, masked(&length).to_le_bytes().as_slice(), content, &masked(content).to_le_bytes()].concat()
}

/// The CRC-32C of `bytes`, turned and shifted, as records have it: a sum over data that holds sums would be weak.
fn masked(bytes: &[u8]) -> u32 {
    const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
    CRC.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The largest time in the names of the event files in `folder`.
fn newest(folder: &Path) -> u64 {
    let time = |name: &str| name.strip_prefix("events.out.tfevents.")?.split('.').next()?.parse().ok();
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter_map(|name| time(&name.to_string_lossy())).max().unwrap_or(0)
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn report(iteration: usize) -> TrainingReport {
        TrainingReport {
            iteration,
            epoch: 0.5,
            learning_rate: 0.25,
            classification_loss: 1.5,
            weight_decay_loss: 0.125,
            total_loss: 1.625,
            training_accuracy: 0.75,
            validation_accuracy: iteration.is_multiple_of(20).then_some(0.5),
            validation_loss: None,
            images_per_second: 1.0,
            seconds: 1.0,
            seconds_left: 1.0,
            averages: backproof_spec::Averages::Plain,
        }
    }

    /// Every event in `folder`, files in the order of their names.
    fn read(folder: &Path) -> Vec<Event> {
        let mut paths: Vec<_> = fs::read_dir(events(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let mut found = Vec::new();
        for path in paths {
            let bytes = fs::read(path).unwrap();
            let all: Vec<_> = records(&bytes).collect();
            assert_eq!(all.iter().map(|(_, length)| length).sum::<usize>(), bytes.len(), "every record is whole");
            found.extend(all.into_iter().map(|(event, _)| event));
        }
        found
    }

    /// The iterations of the reports in the event files of the run in `folder`.
    pub(crate) fn steps(folder: &Path) -> Vec<i64> {
        let is_report = |event: &Event| {
            event.summary.iter().flat_map(|summary| &summary.value).any(|value| value.tag == "loss/classification")
        };
        read(folder).into_iter().filter(is_report).map(|event| event.step).collect()
    }

    #[test]
    fn a_record_has_the_bytes_that_tensorflow_writes() {
        // The first record of every TensorFlow event file, here of time 0: its sums are published with the format.
        let event = Event { wall_time: 0.0, step: 0, file_version: Some("brain.Event:2".to_owned()), summary: None };
        assert_eq!(event.encode_to_vec(), b"\x1a\x0dbrain.Event:2");
        // CRC-32C of "123456789" is E3069283 (RFC 3720's polynomial); turned by 15 and shifted.
        assert_eq!(masked(b"123456789"), 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8));
    }

    #[test]
    fn figures_come_back_under_their_names_and_absent_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = EventFile::create(folder.path(), 0).unwrap();
        file.report(&report(10)).unwrap();
        file.report(&report(20)).unwrap();
        let events = read(folder.path());
        assert_eq!(events[0].file_version.as_deref(), Some("brain.Event:2"));
        let values = |event: &Event| -> Vec<(String, f32)> {
            event.summary.iter().flat_map(|it| &it.value).map(|it| (it.tag.clone(), it.simple_value.unwrap())).collect()
        };
        let always = [("loss/classification", 1.5), ("loss/weight_decay", 0.125), ("loss/total", 1.625)];
        let last = [("learning_rate", 0.25)];
        let named = |figures: &[(&str, f32)]| -> Vec<(String, f32)> {
            figures.iter().map(|(tag, value)| ((*tag).to_owned(), *value)).collect()
        };
        assert_eq!(values(&events[1]), named(&[&always[..], &[("accuracy/training", 0.75)], &last].concat()));
        let validated = [("accuracy/training", 0.75), ("accuracy/validation", 0.5)];
        assert_eq!(values(&events[2]), named(&[&always[..], &validated, &last].concat()));
    }

    #[test]
    fn a_resumed_run_has_every_step_once() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_on(folder.path()));
        let mut file = EventFile::create(folder.path(), 0).unwrap();
        [10, 20, 30].iter().for_each(|&iteration| file.report(&report(iteration)).unwrap());
        // Killed in the middle of a record, and resumed at 20.
        file.file.write_all(&frame(b"half")[..9]).unwrap();
        assert!(is_on(folder.path()));
        rewind(folder.path(), 20).unwrap();
        assert_eq!(steps(folder.path()), [10, 20]);
        let mut file = EventFile::create(folder.path(), 20).unwrap();
        [30, 40].iter().for_each(|&iteration| file.report(&report(iteration)).unwrap());
        assert_eq!(steps(folder.path()), [10, 20, 30, 40]);
        // And again, further back than that file begins.
        rewind(folder.path(), 10).unwrap();
        assert_eq!(steps(folder.path()), [10]);
    }

    #[test]
    fn a_changed_byte_is_found_by_its_checksum() {
        let whole = frame(&Event { step: 7, ..Event::default() }.encode_to_vec());
        assert_eq!(records(&whole).count(), 1);
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            assert_eq!(records(&damaged).count(), 0, "byte {place}");
        }
    }
}
