//! The runs of a sweep, some at once, each until it has ended one way or another.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use backproof::error::code;
use backproof::lock::{Attempt, Lock, Owner};
use backproof_train::RunFolder;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::cause;
use super::child::{self, Launcher};
use super::folder::{First, Task};
use super::outcome::{Outcome, Status};
use super::words::{percent, seconds};
use crate::failures::with_causes;

/// What is to be done.
pub(crate) struct Work<'w> {
    pub(crate) tasks: Vec<Task>,
    pub(crate) launcher: Launcher,
    /// How many runs at once.
    pub(crate) jobs: usize,
    pub(crate) stop: Arc<AtomicBool>,
    /// Called whenever a run has ended and others are left, with how long they will take in words.
    pub(crate) between: &'w (dyn Fn(&str) + Sync),
}

/// What became of each run that has ended, by its number.
type Endings = Mutex<BTreeMap<usize, Ended>>;

/// What became of a run.
pub(crate) enum Ended {
    With(Status),
    /// Another process has it.
    Elsewhere,
    /// It was stopped, or never begun.
    Interrupted,
}

impl Work<'_> {
    /// Does all of it; what became of each run, in their order.
    ///
    /// # Errors
    ///
    /// Only what keeps the sweep itself from going on: a folder that cannot be written, a process that cannot be
    /// started.
    pub(crate) fn finish(&self) -> anyhow::Result<Vec<Ended>> {
        let progress = Progress::new(self.tasks.len());
        let next = AtomicUsize::new(0);
        let ended = Endings::default();
        let worker = || -> anyhow::Result<()> {
            while let Some(task) = self.tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                let result =
                    self.one(task, &ended, &progress).inspect_err(|_| self.stop.store(true, Ordering::Relaxed))?;
                ended.lock().unwrap_or_else(PoisonError::into_inner).insert(task.number, result);
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.jobs.min(self.tasks.len())).map(|_| scope.spawn(worker)).collect();
            let results: Vec<_> = workers.into_iter().map(|worker| worker.join().expect("a worker panicked")).collect();
            results.into_iter().collect::<anyhow::Result<()>>()
        })?;
        Ok(ended.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect())
    }

    fn one(&self, task: &Task, ended: &Endings, progress: &Progress) -> anyhow::Result<Ended> {
        if let Some(first) = &task.first {
            self.wait_for(first, ended);
        }
        if self.stop.load(Ordering::Relaxed) {
            return Ok(Ended::Interrupted);
        }
        // An outcome that cannot be read is found, or made, once more.
        let is_known = |outcome: &Outcome| outcome.status.is_final() && !outcome.lacks_report(&task.folder);
        let known = || task.outcome().ok().flatten().filter(is_known);
        if let Some(outcome) = known() {
            // Whoever was killed after the outcome was written left its lock behind; a lock that is taken is removed.
            if task.lock().exists() {
                let _ = Lock::take(&task.lock(), &self.stop);
            }
            progress.known();
            return Ok(Ended::With(outcome.status));
        }
        task.create()?;
        let path = task.lock();
        let lock = match Lock::take(&path, &self.stop).with_context(|| format!("cannot make {}", path.display()))? {
            Attempt::Taken(lock) => lock,
            Attempt::Held(owner) => {
                progress.elsewhere(task, owner.as_ref());
                return Ok(Ended::Elsewhere);
            }
        };
        // Who had the lock until now may have done it.
        if let Some(outcome) = known() {
            progress.known();
            return Ok(Ended::With(outcome.status));
        }
        let outcome = self.attempt(task, &lock)?;
        if lock.is_lost() {
            progress.elsewhere(task, None);
            return Ok(Ended::Elsewhere);
        }
        let Some(outcome) = outcome else { return Ok(Ended::Interrupted) };
        outcome.write(&task.folder)?;
        progress.ended(task, &outcome);
        if let Some(left) = progress.left() {
            (self.between)(&left);
        }
        Ok(Ended::With(outcome.status))
    }

    /// Waits until the run that another one begins with has ended, if it is one of this process's.
    fn wait_for(&self, first: &First, ended: &Endings) {
        // It stands before the other, so that a worker has taken it by now.
        let is_ours = self.tasks.iter().any(|task| task.number == first.number);
        let has_ended = || ended.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&first.number);
        while is_ours && !has_ended() && !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Trains, or goes on with what an earlier process began; `None` if it was stopped.
    fn attempt(&self, task: &Task, lock: &Lock) -> anyhow::Result<Option<Outcome>> {
        let first = match &task.first {
            Some(first) => match first.run_folder() {
                Ok(folder) => Some(folder.canonicalize().unwrap_or(folder)),
                Err(reason) => {
                    let error = vec![format!("error: {reason}")];
                    return Ok(Some(Outcome::failed(Status::Failed, None, error, None, &task.folder)));
                }
            },
            None => None,
        };
        task.write_config(first.as_deref())?;
        self.wait_for_orphans(task);
        task.sweep_up();
        if let Some(outcome) = self.done(task, None) {
            return Ok(Some(outcome));
        }
        let command = match task.run_folders().iter().find(|run| can_go_on(run)) {
            Some(run) => self.launcher.resume(run.path()),
            None => self.launcher.train(task),
        };
        let stop = || self.stop.load(Ordering::Relaxed) || lock.is_lost();
        let status = child::run(command, &task.output(), stop)?;
        let exit_code = status.code();
        if let Some(outcome) = self.done(task, exit_code) {
            return Ok(Some(outcome));
        }
        let runs = task.run_folders();
        if exit_code == Some(i32::from(code::INTERRUPTED)) && self.stopped_soon() {
            return Ok(None);
        }
        let mut error = cause::of(status, &task.output());
        if let Some(Err(unreadable)) = runs.first().map(RunFolder::record) {
            error.push(format!("error: {}", with_causes(&unreadable)));
        }
        let diverged = exit_code == Some(i32::from(code::DIVERGED));
        let status = if diverged { Status::Diverged } else { Status::Failed };
        Ok(Some(Outcome::failed(status, exit_code, error, runs.first(), &task.folder)))
    }

    /// The outcome of a run that is done. Completes what a kill after the last iteration left to do.
    fn done(&self, task: &Task, exit_code: Option<i32>) -> Option<Outcome> {
        let runs = task.run_folders();
        let outcome = |run: &RunFolder| Outcome::of(run, &task.experiment, &task.folder, exit_code);
        let (run, outcome) = runs.iter().find_map(|run| Some((run, outcome(run)?)))?;
        run.sweep_up();
        if outcome.lacks_report(&task.folder) {
            self.launcher.report(run.path());
        }
        task.remove_unfinished(&runs);
        Some(outcome)
    }

    /// A run whose sweep was killed ends by itself, with a checkpoint, but not at once. A file server gives up the locks
    /// of a machine that died after a while, NFS on Linux after 90 seconds.
    fn wait_for_orphans(&self, task: &Task) {
        let begun = Instant::now();
        while task.made().iter().any(|folder| RunFolder::is_busy(folder))
            && begun.elapsed() < Duration::from_secs(120)
            && !self.stop.load(Ordering::Relaxed)
        {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ctrl-C reaches every process of a terminal, and a run may be gone before this process has noticed.
    fn stopped_soon(&self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(500) && !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.stop.load(Ordering::Relaxed)
    }
}

/// Whether `resume` could go on, or begin again where there is no checkpoint; what diverged or ended would end in the
/// same way.
fn can_go_on(run: &RunFolder) -> bool {
    use backproof_train::RunStatus::{Failed, Interrupted, Running};
    run.record().is_ok_and(|record| matches!(record.status, Running | Interrupted | Failed))
}

/// A line for each run that ends and, on a terminal, a bar under them; on stderr.
struct Progress {
    bar: ProgressBar,
    begun: Instant,
    ended: AtomicUsize,
    /// Those of the ended that this process trained.
    trained: AtomicUsize,
    of: usize,
}

impl Progress {
    fn new(of: usize) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs  {elapsed} so far  {msg}")
                .expect("the template is constant")
                .progress_chars("━╸─");
            let bar = ProgressBar::with_draw_target(Some(of as u64), ProgressDrawTarget::stderr()).with_style(style);
            bar.enable_steady_tick(Duration::from_secs(1));
            bar
        } else {
            ProgressBar::hidden()
        };
        Self { bar, begun: Instant::now(), ended: AtomicUsize::new(0), trained: AtomicUsize::new(0), of }
    }

    /// How long the runs that are left will take, in words, if as long each as those that were trained here.
    fn left(&self) -> Option<String> {
        let trained = self.trained.load(Ordering::Relaxed);
        let left = self.of.saturating_sub(self.ended.load(Ordering::Relaxed));
        let time = self.begun.elapsed().as_secs_f64() * left as f64 / trained as f64;
        (left > 0 && trained > 0).then(|| format!("about {} left", backproof_train::duration(time)))
    }

    /// A run that an earlier process ended.
    fn known(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.bar.inc(1);
    }

    fn ended(&self, task: &Task, outcome: &Outcome) {
        let words = match (&outcome.figures, outcome.error.first()) {
            (Some(figures), _) => {
                let missed = if outcome.status == Status::Missed { ", below what is expected" } else { "" };
                format!("{} in {}{missed}", percent(figures.test_accuracy), seconds(figures.training_seconds))
            }
            (None, Some(error)) => error.clone(),
            (None, None) => "failed".to_owned(),
        };
        self.line(&format!("{}: {words}", task.label));
        self.trained.fetch_add(1, Ordering::Relaxed);
        self.bar.set_message(self.left().unwrap_or_default());
    }

    fn elsewhere(&self, task: &Task, owner: Option<&Owner>) {
        let whom = match owner {
            Some(owner) => format!("process {} on {}", owner.process, owner.host),
            None => "another process".to_owned(),
        };
        self.line(&format!("{}: left to {whom}, which holds {}", task.label, task.lock().display()));
    }

    #[allow(clippy::print_stderr)] // progress goes to stderr
    fn line(&self, text: &str) {
        let number = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
        let width = self.of.to_string().len();
        self.bar.suspend(|| eprintln!("[{number:>width$}/{}] {text}", self.of));
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
