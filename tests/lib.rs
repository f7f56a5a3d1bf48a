//! Helpers of the end-to-end tests: the program as `cargo xtask` builds it, and folders that go away.

pub mod events;
pub mod pictures;
pub mod small;
pub mod sweeps;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use assert_cmd::assert::Assert;
use libtest_mimic::{Completion, Trial};

/// The root of the workspace.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace")
}

/// `cargo xtask`, typed in the root of the workspace.
#[must_use]
pub fn xtask() -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(env!("CARGO"));
    command.current_dir(root()).arg("xtask");
    clean(&mut command);
    command
}

/// The program that `cargo xtask` runs, typed in `folder`. The first call builds it.
#[must_use]
pub fn backproof(folder: &Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(program());
    command.current_dir(folder);
    clean(&mut command);
    command
}

/// The path of the program. The first call builds it.
#[must_use]
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        xtask().arg("doctor").assert().success();
        target().join("xtask").join(format!("backproof-flex{}", std::env::consts::EXE_SUFFIX))
    })
}

/// Where cargo builds.
#[must_use]
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The variables that the program reads are the test's own to set. Those that cargo sets for a test would make another
/// cargo build `ring`, and all that uses it, once more: its build script reads them.
pub fn clean(command: &mut assert_cmd::Command) {
    const NOT_FOR_IT: [&str; 3] = ["BACKPROOF_", "CARGO_PKG_", "CARGO_MANIFEST_"];
    for (name, _) in std::env::vars_os() {
        if NOT_FOR_IT.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.env("NO_COLOR", "1");
}

/// A test that shows as ignored, with the reason, where `missing` gives one.
#[must_use]
pub fn trial(name: &str, missing: Option<String>, test: fn()) -> Trial {
    Trial::ignorable_test(name, move || match missing {
        Some(reason) => Ok(Completion::ignored_with(reason)),
        None => {
            test();
            Ok(Completion::Completed)
        }
    })
}

/// `train` of the quickstart in `folder`, with the arguments `set`, one `--set` each.
#[must_use]
pub fn train(folder: &Path, set: &[&str]) -> assert_cmd::Command {
    let mut command = backproof(folder);
    command.arg("train");
    for value in set {
        command.args(["--set", value]);
    }
    command
}

/// Copies a folder with all that is in it.
///
/// # Panics
///
/// If it cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// What the program wrote to stdout.
#[must_use]
pub fn stdout(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

/// What the program wrote to stderr.
#[must_use]
pub fn stderr(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

/// The newest run of `experiment` in `folder/runs`.
#[must_use]
pub fn latest(folder: &Path, experiment: &str) -> PathBuf {
    folder.join("runs").join(experiment).join("latest")
}

/// A file as JSON.
///
/// # Panics
///
/// If it cannot be read or is no JSON.
#[must_use]
pub fn json(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Sends `signal` (`INT`, `TERM`, `KILL`) to a process.
///
/// # Panics
///
/// If there is no `kill`.
pub fn send(signal: &str, process: u32) {
    let status = Command::new("kill").args([&format!("-{signal}"), &process.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "kill -{signal} {process} failed");
}

/// The processes whose parent is `parent`.
///
/// # Panics
///
/// If there is no `/proc`.
#[cfg(target_os = "linux")]
#[must_use]
pub fn children(parent: u32) -> Vec<u32> {
    let parent_of = |process: u32| -> Option<u32> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
    };
    let entries = std::fs::read_dir("/proc").expect("Linux has /proc");
    let processes = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    processes.filter(|&process| parent_of(process) == Some(parent)).collect()
}
