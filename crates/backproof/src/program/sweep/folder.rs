//! The folder of a sweep, and where in it each run is.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context;
use backproof_spec::{Experiment, Sweep};
use backproof_train::{RunFolder, write_whole};

use super::outcome::Outcome;

/// `runs/sweeps/<name>-<hash>/`.
pub(crate) struct SweepFolder {
    path: PathBuf,
}

/// One run of a sweep, and its folder.
pub(crate) struct Task {
    /// Its place in the sweep, from 0.
    pub(crate) number: usize,
    /// The point and the seed in words.
    pub(crate) label: String,
    pub(crate) experiment: Experiment,
    pub(crate) folder: PathBuf,
}

impl SweepFolder {
    pub(crate) fn create(runs_dir: &Path, sweep: &Sweep, backend: &str) -> anyhow::Result<Self> {
        let path = runs_dir.join("sweeps").join(format!("{}-{}", sweep.name, sweep.hash(backend)));
        fs::create_dir_all(path.join("runs")).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Run `number` at the point that `label` says.
    pub(crate) fn task(&self, number: usize, label: String, experiment: &Experiment) -> Task {
        // The number makes the name unique and sorts it; the hash shows that it is the same run.
        let folder = self.path.join("runs").join(format!("{number:04}-{}", experiment.hash()));
        let label = match label.as_str() {
            "" => format!("seed {}", experiment.seed),
            label => format!("{label}, seed {}", experiment.seed),
        };
        Task { number, label, experiment: experiment.clone(), folder }
    }

    /// Held while the results are read and written, so that of two processes the last to write is the last to have read.
    pub(crate) fn results_lock(&self) -> anyhow::Result<File> {
        let path = self.path.join(".results.lock");
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        // A file system without locks is no reason not to write.
        let _ = file.lock();
        Ok(file)
    }
}

impl Task {
    pub(crate) fn create(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot write {}", self.folder.display()))
    }

    pub(crate) fn write_config(&self) -> anyhow::Result<()> {
        Ok(write_whole(&self.config(), self.experiment.to_toml().as_bytes())?)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("config.toml")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    pub(crate) fn output(&self) -> PathBuf {
        self.folder.join("output.txt")
    }

    /// Where `train` makes run folders.
    pub(crate) fn train_dir(&self) -> PathBuf {
        self.folder.join("train")
    }

    /// How the run ended, if it did.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        Outcome::read(&self.folder)
    }

    /// What `train` made, newest first: more than one where an attempt was killed before its first checkpoint.
    pub(crate) fn run_folders(&self) -> Vec<RunFolder> {
        let parent = self.train_dir().join(&self.experiment.name);
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| !path.is_symlink()).collect();
        // A name begins with the time.
        paths.sort_unstable_by(|one, other| other.cmp(one));
        paths.iter().filter_map(|path| RunFolder::open(path).ok()).collect()
    }
}
