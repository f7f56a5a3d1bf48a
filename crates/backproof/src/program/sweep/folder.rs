//! The folder of a sweep, and where in it each run is.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context;
use backproof::lock::Lock;
use backproof_spec::{Experiment, Sweep};
use backproof_train::{RunFolder, write_whole};

use super::outcome::{FILE as OUTCOME, Outcome};

/// The link to the run of the best point.
const BEST: &str = "best";

/// The run folder that `path` stands for: of the folder of a sweep, that of its best point; of a folder of one of its
/// runs, what `train` made in it; any other path is a run folder itself.
///
/// # Errors
///
/// Where there is none yet, or the outcome of a run cannot be read: a sentence.
pub(crate) fn run_of(path: &Path) -> Result<PathBuf, String> {
    if path.join("run.json").exists() {
        return Ok(path.to_owned());
    }
    if has_results(path) {
        let best = path.join(BEST);
        let none = || format!("the sweep in {} has no best run yet", path.display());
        return if best.exists() { Ok(best) } else { Err(none()) };
    }
    // A folder that may not be looked at is told of as a run folder.
    let outcome = if is_run(path) { Outcome::read(path)? } else { None };
    match outcome {
        Some(outcome) => {
            let none = || format!("the run of the sweep in {} made no run folder", path.display());
            Ok(path.join(outcome.run_folder.ok_or_else(none)?))
        }
        None => Ok(path.to_owned()),
    }
}

/// Whether a folder is that of a run of a sweep, which has ended.
pub(crate) fn is_run(path: &Path) -> bool {
    path.join(OUTCOME).exists()
}

/// Whether a folder is that of a sweep.
pub(crate) fn has_results(path: &Path) -> bool {
    path.join("results.json").exists() && path.join("runs").is_dir()
}

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
    /// The run of the sweep whose last weights it begins with.
    pub(crate) first: Option<First>,
}

/// An earlier run of the sweep.
pub(crate) struct First {
    pub(crate) number: usize,
    /// What it is called, and its seed.
    label: String,
    folder: PathBuf,
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
        let folder = self.of_run(number, experiment);
        let label = match label.as_str() {
            "" => format!("seed {}", experiment.seed),
            label => format!("{label}, seed {}", experiment.seed),
        };
        Task { number, label, experiment: experiment.clone(), folder, first: None }
    }

    /// The folder of run `number`.
    fn of_run(&self, number: usize, experiment: &Experiment) -> PathBuf {
        // The number makes the name unique and sorts it; the hash shows that it is the same run.
        self.path.join("runs").join(format!("{number:04}-{}", experiment.hash()))
    }

    /// The run of `sweep` that `experiment`, another one, begins with.
    pub(crate) fn first(&self, sweep: &Sweep, experiment: &Experiment) -> Option<First> {
        let number = sweep.first_weights(experiment)?;
        let (_, first) = sweep.runs().nth(number)?;
        let label = format!("{} with seed {}", first.name, first.seed);
        Some(First { number, label, folder: self.of_run(number, first) })
    }

    /// Points `best` at the run folder `run`, a path from the sweep's folder on. What leads to the run: the link, or the
    /// folder itself where the file system has no links.
    pub(crate) fn point_best(&self, run: &Path) -> PathBuf {
        #[cfg(unix)]
        {
            // Links are replaced as a whole, as files are. The caller holds the lock of the results.
            let (next, best) = (self.path.join(".best"), self.path.join(BEST));
            let _ = fs::remove_file(&next);
            if std::os::unix::fs::symlink(run, &next).and_then(|()| fs::rename(&next, &best)).is_ok() {
                return best;
            }
            let _ = fs::remove_file(&next);
        }
        self.path.join(run)
    }

    /// Held while the results are read and written, so that of two processes the last to write is the last to have
    /// read. Removes what a process was writing that was killed there.
    pub(crate) fn results_lock(&self) -> anyhow::Result<File> {
        let path = self.path.join(".results.lock");
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        // A file system without locks is no reason not to write.
        if file.lock().is_ok() {
            for folder in [self.path.clone(), self.path.join("figures")] {
                backproof_train::remove_unfinished(&folder);
            }
        }
        Ok(file)
    }
}

impl First {
    /// The folder of the run; if it is not done, or that cannot be read, why as a sentence.
    pub(crate) fn run_folder(&self) -> Result<PathBuf, String> {
        let done = Outcome::read(&self.folder)?.filter(|outcome| outcome.figures.is_some());
        let folder = done.and_then(|outcome| outcome.run_folder);
        let not_done = || format!("the run that it begins with, {}, is not done", self.label);
        Ok(self.folder.join(folder.ok_or_else(not_done)?))
    }
}

impl Task {
    pub(crate) fn create(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot write {}", self.folder.display()))
    }

    /// Writes the experiment, with the weights of the run folder `first` as its first ones if there is one.
    pub(crate) fn write_config(&self, first: Option<&Path>) -> anyhow::Result<()> {
        let mut experiment = self.experiment.clone();
        if let (Some(warm_start), Some(first)) = (&mut experiment.warm_start, first) {
            warm_start.init_from = first.to_str().context("the path of a run folder is no UTF-8")?.to_owned();
        }
        Ok(write_whole(&self.config(), experiment.to_toml().as_bytes())?)
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

    /// How the run ended, if it did; a sentence where that cannot be read.
    pub(crate) fn outcome(&self) -> Result<Option<Outcome>, String> {
        Outcome::read(&self.folder)
    }

    /// What `train` made and has a record, newest first.
    pub(crate) fn run_folders(&self) -> Vec<RunFolder> {
        self.made().iter().filter_map(|path| RunFolder::open(path).ok()).collect()
    }

    /// The folders that `train` made, newest first: more than one where an attempt was killed before it had a record,
    /// or was about to begin when its sweep was killed.
    pub(crate) fn made(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.experiment_dir()).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.path()).filter(|path| path.is_dir() && !path.is_symlink()).collect();
        // A name begins with the time.
        paths.sort_unstable_by(|one, other| other.cmp(one));
        paths
    }

    /// Removes what killed processes left behind: files that they were writing, and run folders without a record, with
    /// which nobody can go on. The caller holds the lock.
    pub(crate) fn sweep_up(&self) {
        backproof_train::remove_unfinished(&self.folder);
        Lock::remove_left_behind(&self.folder);
        for folder in self.made() {
            // That something stays only takes up space.
            if is_missing(&folder.join("run.json")) && !RunFolder::is_busy(&folder) {
                let _ = fs::remove_dir_all(folder);
            }
        }
    }

    /// Removes the attempts among `runs` that were stopped, once another one is done.
    pub(crate) fn remove_unfinished(&self, runs: &[RunFolder]) {
        use backproof_train::RunStatus::{Interrupted, Running};
        for run in runs.iter().filter(|run| !RunFolder::is_busy(run.path())) {
            if run.record().is_ok_and(|record| matches!(record.status, Running | Interrupted)) {
                let _ = fs::remove_dir_all(run.path());
            }
        }
    }

    /// Where the run folders are.
    fn experiment_dir(&self) -> PathBuf {
        self.train_dir().join(&self.experiment.name)
    }
}

fn is_missing(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}
