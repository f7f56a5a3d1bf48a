//! Sweeps of a few digits, and what of their folders does not depend on the clock.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{backproof, root};

/// A folder with the base experiment `digits.toml` and the sweep `a.toml`, which says `rest` after its base.
///
/// # Panics
///
/// If it cannot be made.
#[must_use]
pub fn folder_with(rest: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(root().join("configs/quickstart.toml"), folder.path().join("digits.toml")).unwrap();
    fs::write(folder.path().join("a.toml"), format!("base = \"digits.toml\"\n{rest}")).unwrap();
    folder
}

/// `sweep a.toml` in `folder`.
#[must_use]
pub fn sweep(folder: &Path) -> assert_cmd::Command {
    let mut command = backproof(folder);
    command.args(["sweep", "a.toml"]);
    command
}

/// The one sweep's folder.
///
/// # Panics
///
/// If there is none, or another.
#[must_use]
pub fn sweep_folder(folder: &Path) -> PathBuf {
    let mut found = fs::read_dir(folder.join("runs/sweeps")).unwrap().map(|entry| entry.unwrap().path());
    let only = found.next().unwrap();
    assert!(found.next().is_none(), "there is more than one sweep");
    only
}

/// The lines of a CSV file without the columns that the clock gives.
///
/// # Panics
///
/// If it cannot be read.
#[must_use]
pub fn figures(folder: &Path, name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(sweep_folder(folder).join(name)).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let kept: Vec<usize> = (0..head.len()).filter(|&column| !head[column].contains("seconds")).collect();
    assert!(kept.len() < head.len(), "the columns of the clock have other names");
    std::iter::once(head.clone()).chain(lines).map(|line| kept.iter().map(|&it| line[it].clone()).collect()).collect()
}

/// Every run folder that a sweep's processes made.
///
/// # Panics
///
/// If there is no sweep.
#[must_use]
pub fn run_folders(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for run in fs::read_dir(sweep_folder(folder).join("runs")).unwrap() {
        let made = run.unwrap().path().join("train").join("quickstart");
        let entries = fs::read_dir(made).into_iter().flatten().map(|entry| entry.unwrap().path());
        found.extend(entries.filter(|path| !path.is_symlink()));
    }
    found
}
