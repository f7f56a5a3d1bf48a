//! Small runs as processes, and what of a run folder must be equal between two runs that are one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ciborium::Value;

use crate::{backproof, json, latest, program, root};

/// A folder with `small.toml`: a small network with batch normalisation and dropout on 200 digits.
///
/// # Panics
///
/// If it cannot be made.
#[must_use]
pub fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(root().join("tests/fixtures/runs/small.toml"), folder.path().join("small.toml")).unwrap();
    folder
}

/// `train` on `small.toml` with the arguments `set`, one `--set` each.
#[must_use]
pub fn train(folder: &Path, set: &[&str]) -> assert_cmd::Command {
    let mut command = backproof(folder);
    command.args(train_arguments(set));
    command
}

/// `resume` of the newest run of `small.toml`.
#[must_use]
pub fn resume(folder: &Path) -> assert_cmd::Command {
    let mut command = backproof(folder);
    command.args(["resume", "runs/small/latest"]);
    command
}

/// The words of [`train`].
#[must_use]
pub fn train_arguments(set: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = ["train", "-c", "small.toml"].map(str::to_owned).to_vec();
    set.iter().for_each(|value| words.extend(["--set".to_owned(), (*value).to_owned()]));
    words
}

/// The program with `arguments` in `folder`, its output kept, and no argument from the variables of this process.
///
/// # Panics
///
/// If it cannot be started.
#[must_use]
pub fn spawn(folder: &Path, arguments: &[String]) -> Child {
    let mut command = Command::new(program());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BACKPROOF_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The newest run of `small.toml` in `folder`.
#[must_use]
pub fn small(folder: &Path) -> PathBuf {
    latest(folder, "small")
}

/// A run that goes on until it is stopped, however slow the machine and the test are. Its learning rate does not depend
/// on where it ends, so that [`assert_goes_on_exactly`] can end it anywhere.
pub const ENDLESS: [&str; 4] = [
    "training.iterations=1000000",
    "training.report_every=50",
    "training.checkpoint_every=400",
    "optimizer.schedule=constant",
];

/// Resumes the stopped run of `train` with `set` in `folder` for `more` iterations, and asserts that it is then the run
/// that nobody stopped.
///
/// # Panics
///
/// If it is another, or cannot be resumed.
pub fn assert_goes_on_exactly(folder: &Path, set: &[&str], more: u64, what: &str) {
    let state = small(folder).join("checkpoints/last/state.json");
    // Without a checkpoint it begins again.
    let stopped = if state.exists() { json(&state)["position"]["iteration"].as_u64().unwrap() } else { 0 };
    let end = (stopped + more).to_string();
    resume(folder).args(["--iterations", &end]).assert().success();
    let whole = self::folder();
    train(whole.path(), set).args(["--set", &format!("training.iterations={end}")]).assert().success();
    assert_same(&small(whole.path()), &small(folder), what);
}

/// Waits until `done` says so.
///
/// # Panics
///
/// After two minutes.
pub fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{what} did not happen in two minutes");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Asserts that two runs have the same files, but for what the clock says in them, and that neither has anything
/// unfinished.
///
/// # Panics
///
/// If they differ.
pub fn assert_same(one: &Path, other: &Path, what: &str) {
    let (one, other) = (contents(one), contents(other));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&one), names(&other), "{what}");
    for ((name, one), (_, other)) in one.into_iter().zip(other) {
        let show = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(3_000)]).into_owned();
        assert!(one == other, "{what}: {name} differs:\n{}\n{}", show(&one), show(&other));
    }
}

/// Every file of a run folder by its path, without what the clock gives, sorted. The report and its figures are drawn
/// from the others.
fn contents(run: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    collect(run, "", &mut files);
    files.retain(|(name, _)| !name.starts_with("figures/") && name != "report.html" && name != ".lock");
    files.sort();
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let own = path.file_name().unwrap().to_str().unwrap().to_owned();
        let name = format!("{prefix}{own}");
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let bytes = match own.as_str() {
            "run.json" => without_clock(&bytes, &["started", "ended", "training_seconds", "command_line"]),
            // The SHA-256 of an optimizer is of the bytes, whose order changes; see below.
            "state.json" => without_clock(&bytes, &["seconds", "optimizer_sha256", "config_sha256"]),
            // A best checkpoint from before a run was made longer or shorter has the length of then. How long a run is,
            // its metrics and its last checkpoint say too.
            "config.toml" => without_length(&String::from_utf8(bytes).unwrap()).into_bytes(),
            "metrics.jsonl" => {
                let clock = ["images_per_second", "seconds", "seconds_left"];
                bytes.split_inclusive(|&byte| byte == b'\n').flat_map(|line| without_clock(line, &clock)).collect()
            }
            "log.txt" => log_without_clock(&String::from_utf8(bytes).unwrap()).into_bytes(),
            "optimizer.bpk" => in_order(&bytes),
            _ => bytes,
        };
        files.push((name, bytes));
    }
}

/// A record of Burn's, its tensors in the order of their names: Burn writes them in the order of a hash map, another
/// one each time.
///
/// Ten bytes, the last four the length of a CBOR map of what is there; then the tensors, from the next multiple of 256
/// bytes on.
fn in_order(bytes: &[u8]) -> Vec<u8> {
    let length = u32::from_le_bytes(bytes[6..10].try_into().unwrap()) as usize;
    let data = &bytes[(10 + length).next_multiple_of(256)..];
    let contents: Value = ciborium::from_reader(&bytes[10..][..length]).unwrap();
    let get = |map: &Value, key: &str| -> Value {
        let entries = map.as_map().unwrap();
        entries.iter().find(|(name, _)| name.as_text() == Some(key)).unwrap_or_else(|| panic!("no {key}")).1.clone()
    };
    let mut text = format!("{:?} {:?}\n", get(&contents, "metadata"), get(&contents, "scalars"));
    let tensors = get(&contents, "tensors");
    let mut tensors: Vec<_> = tensors.as_map().unwrap().iter().collect();
    tensors.sort_by_key(|(name, _)| name.as_text());
    for (name, tensor) in tensors {
        let offsets: Vec<usize> = get(tensor, "data_offsets")
            .as_array()
            .unwrap()
            .iter()
            .map(|it| u64::try_from(it.as_integer().unwrap()).unwrap() as usize)
            .collect();
        text += &format!("{name:?} {:?} {:?}\n", get(tensor, "shape"), &data[offsets[0]..offsets[1]]);
    }
    text.into_bytes()
}

fn without_clock(bytes: &[u8], clock: &[&str]) -> Vec<u8> {
    fn strip(value: &mut serde_json::Value, clock: &[&str]) {
        if let Some(object) = value.as_object_mut() {
            object.retain(|key, _| !clock.contains(&key.as_str()));
            object.values_mut().for_each(|value| strip(value, clock));
        }
    }
    let mut value =
        serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(bytes)));
    strip(&mut value, clock);
    format!("{value}\n").into_bytes()
}

fn without_length(config: &str) -> String {
    config.split_inclusive('\n').filter(|line| !line.starts_with("iterations = ")).collect()
}

/// The log without the images per second and what comes after them, and without what tells of the stops.
fn log_without_clock(log: &str) -> String {
    assert!(log.ends_with('\n'), "the log ends in the middle of a line");
    let own = |line: &&str| !["interrupted at ", "resumed at ", "stopped: "].iter().any(|it| line.starts_with(it));
    log.lines()
        .filter(own)
        .map(|line| match line.split_once(" img/s") {
            Some((figures, _)) => figures.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end().to_owned() + "\n",
            None => line.to_owned() + "\n",
        })
        .collect()
}
