//! TensorBoard events, read with a reader that shares nothing with the writer but the format.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crc::{CRC_32_ISCSI, Crc};

/// The events in `folder`: step, tag, value, files in the order of their names.
///
/// # Panics
///
/// If a file is no file of events, or a checksum is wrong.
#[must_use]
pub fn scalars(folder: &Path) -> Vec<(u64, String, f32)> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| records(&fs::read(path).unwrap())).flat_map(|record| event(&record)).collect()
}

/// The contents of the records of a file, with every checksum looked at.
fn records(bytes: &[u8]) -> Vec<Vec<u8>> {
    let masked = |bytes: &[u8]| {
        let sum = Crc::<u32>::new(&CRC_32_ISCSI).checksum(bytes);
        sum.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
    };
    let mut contents = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        let content = &rest[12..12 + length];
        assert_eq!(rest[8..12], masked(&rest[..8]), "the sum of the length");
        assert_eq!(rest[12 + length..16 + length], masked(content), "the sum of the content");
        contents.push(content.to_vec());
        rest = &rest[16 + length..];
    }
    contents
}

/// The fields of a protocol buffer: number, and the value's bytes (a varint as 8).
fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let length = match key & 7 {
            0 => {
                let value = varint(&mut bytes);
                found.push((key >> 3, value.to_le_bytes().to_vec()));
                continue;
            }
            1 => 8,
            2 => varint(&mut bytes) as usize,
            5 => 4,
            other => panic!("wire type {other}"),
        };
        found.push((key >> 3, bytes[..length].to_vec()));
        bytes = &bytes[length..];
    }
    found
}

/// The scalars of an event: field 2 is the step, 5 the summary, whose fields 1 have a tag 1 and a float 2.
fn event(bytes: &[u8]) -> Vec<(u64, String, f32)> {
    let event: BTreeMap<u64, Vec<u8>> = fields(bytes).into_iter().collect();
    let step = event.get(&2).map_or(0, |step| u64::from_le_bytes(step[..].try_into().unwrap()));
    let values = event.get(&5).map(|summary| fields(summary)).unwrap_or_default();
    let scalar = |value: &[u8]| {
        let value: BTreeMap<u64, Vec<u8>> = fields(value).into_iter().collect();
        let number = f32::from_le_bytes(value[&2][..].try_into().unwrap());
        (step, String::from_utf8(value[&1].clone()).unwrap(), number)
    };
    values.iter().map(|(_, value)| scalar(value)).collect()
}

/// The same from `metrics.jsonl` and `layers.jsonl`.
///
/// # Panics
///
/// If a line is no report.
#[must_use]
pub fn metrics(run: &Path) -> Vec<(u64, String, f32)> {
    let lines = |name: &str| -> Vec<serde_json::Value> {
        let text = fs::read_to_string(run.join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let iteration = |line: &serde_json::Value| line["iteration"].as_u64().unwrap();
    let mut expected = Vec::new();
    let mut looks = lines("layers.jsonl").into_iter().peekable();
    for report in lines("metrics.jsonl") {
        while let Some(look) = looks.next_if(|look| iteration(look) <= iteration(&report)) {
            let mut add = |tag: String, value: f64| expected.push((iteration(&look), tag, value as f32));
            for tensor in look["tensors"].as_array().unwrap() {
                let name = tensor["name"].as_str().unwrap();
                add(format!("gradient_rms/{name}"), tensor["gradient"].as_f64().unwrap());
                let [update, weight] = ["update", "weight"].map(|figure| tensor[figure].as_f64().unwrap());
                if weight > 0.0 {
                    add(format!("update_over_weight/{name}"), update / weight);
                }
            }
            for relu in look["relus"].as_array().unwrap() {
                let name = relu["layer"].as_str().unwrap();
                let [dead, units] = ["dead", "units"].map(|count| relu[count].as_f64().unwrap());
                add(format!("dead_share/{name}"), dead / units);
                add(format!("zero_share/{name}"), relu["zeros"].as_f64().unwrap());
            }
        }
        for (tag, name) in [
            ("loss/classification", "classification_loss"),
            ("loss/weight_decay", "weight_decay_loss"),
            ("loss/total", "total_loss"),
            ("loss/validation", "validation_loss"),
            ("accuracy/training", "training_accuracy"),
            ("accuracy/validation", "validation_accuracy"),
            ("learning_rate", "learning_rate"),
        ] {
            if let Some(value) = report[name].as_f64() {
                expected.push((iteration(&report), tag.to_owned(), value as f32));
            }
        }
    }
    expected
}
