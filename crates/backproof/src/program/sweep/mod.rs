//! `sweep`: every run of a sweep in a process of its own, and the table that compares them.
//!
//! A sweep's folder is a function of its runs and the backend, and a run's folder in it of the run, so that the same
//! command finds what it did before:
//!
//! ```text
//! runs/sweeps/<name>-<hash>/
//!   runs/<number>-<hash>/   one for each run
//!     config.toml           the experiment
//!     train/…               the run folder that `train` made
//!     output.txt            what `train` printed
//!     outcome.json          how it ended: written last
//!     lock                  while a process works on it
//!   results.csv             a line for each point, best first
//!   runs.csv                a line for each run
//!   results.md  results.json
//!   comparison.html         the page: the points, their curves, what each key does
//!   best                    a link to the run folder of the best point, of its best seed by validation
//! ```
//!
//! Runs are processes, and not threads, because Burn's random numbers, default precision and logger are process-wide,
//! and because a run that dies, by memory or by a fault of a driver, must not take the others along. A sweep stops its
//! runs by closing their stdin, so that they stop with a checkpoint even when the sweep itself is killed. Two sweeps on
//! one folder keep apart by a lock file (`lock.rs`).
//!
//! Sweeps start this program, and therefore lie beside the command line and not in `backproof-train`.

mod cause;
mod child;
mod csv;
mod folder;
mod outcome;
mod point;
mod ranking;
mod results;
mod table;
mod words;
mod work;

pub(crate) use folder::{has_results, is_run, run_of};

use std::sync::{Arc, Mutex};
use std::time::Instant;

use backproof::backend::Backend;
use backproof::cli;
use backproof::error::{Failure, code};
use backproof_report::{Comparison, ForPaper, ReportError};
use backproof_spec::{Sweep, counted};
use backproof_train::RunFolder;

use crate::device;
use crate::failures::with_causes;
use crate::report::{for_paper, say_files};
use child::Launcher;
use folder::{SweepFolder, Task};
use outcome::Status;
use results::Results;
use work::{Ended, Work};

#[allow(clippy::print_stdout, clippy::print_stderr)] // results go to stdout, warnings to stderr
pub(crate) fn run(arguments: &cli::SweepArguments) -> anyhow::Result<()> {
    let sweep = backproof::sweep(arguments)?;
    let backend = Backend::by_name(&arguments.device.backend)?;
    device::open(backend)?;
    let folder = SweepFolder::create(&arguments.runs_dir, &sweep, backend.name())?;
    let tasks: Vec<_> = sweep
        .runs()
        .enumerate()
        .filter(|(number, _)| arguments.shard.is_none_or(|shard| shard.contains(*number)))
        .map(|(number, (point, run))| {
            let task = folder.task(number, sweep.label(&sweep.points[point]), run);
            Task { first: folder.first(&sweep, run), ..task }
        })
        .collect();
    println!("sweep folder {}", folder.path().display());
    let shard = arguments.shard.map_or(String::new(), |shard| format!(", {} of them in shard {shard}", tasks.len()));
    let points = counted(sweep.points.len(), "point");
    println!("runs         {} at {points}{shard}", sweep.runs().count());

    let stop = crate::signals::stop_on_signal()?;
    let launcher = Launcher::new(arguments, backend)?;
    let so_far = SoFar { folder: &folder, sweep: &sweep, backend, next: Mutex::new(Instant::now()) };
    let between = |left: &str| so_far.show(left);
    let work = Work { tasks, launcher, jobs: arguments.jobs.get(), stop: Arc::clone(&stop), between: &between };
    let ended = work.finish()?;

    let lock = folder.results_lock()?;
    let results = Results::write(&folder, &sweep, backend.name())?;
    println!("\n{}", results.table());
    println!("\nresults      {}", folder.path().join("results.md").display());
    match page(&folder, &results, None, &for_paper(&arguments.figures)) {
        Ok(Some(comparison)) => {
            for sentence in &comparison.missing {
                eprintln!("warning: {sentence}");
            }
            println!("page         {}", comparison.page.display());
            say_files(&comparison.for_paper);
        }
        Ok(None) => {}
        Err(error) => eprintln!("warning: the page of the sweep could not be made: {}", with_causes(&error)),
    }
    let best = results.best_run_folder().map(|run| folder.point_best(&run));
    drop(lock);
    if let Some(closing) = best.and_then(|best| results.closing(&best)) {
        println!("\n{closing}");
    }
    verdict(&ended, &results)
}

/// The results and the page of a sweep that is not done.
struct SoFar<'s> {
    folder: &'s SweepFolder,
    sweep: &'s Sweep,
    backend: Backend,
    /// When they are next written.
    next: Mutex<Instant>,
}

impl SoFar<'_> {
    /// Writes them anew, seldom enough that the runs do not notice: in a fiftieth of the time. `left` says how long the
    /// runs that are left will take. What cannot be written now is told at the end.
    fn show(&self, left: &str) {
        const IDLE: u32 = 50;
        let begun = Instant::now();
        let Ok(mut next) = self.next.try_lock() else { return };
        if begun < *next {
            return;
        }
        let Ok(_lock) = self.folder.results_lock() else { return };
        if let Ok(results) = Results::write(self.folder, self.sweep, self.backend.name()) {
            let _ = page(self.folder, &results, Some(left), &ForPaper::default());
        }
        *next = Instant::now() + IDLE * begun.elapsed();
    }
}

/// The page of the sweep: its points, best first, with the runs that are done; none where no run is. That it cannot be
/// made is no failure of the sweep.
#[allow(clippy::print_stderr)] // warnings go to stderr
fn page(
    folder: &SweepFolder,
    results: &Results,
    left: Option<&str>,
    for_paper: &ForPaper,
) -> Result<Option<Comparison>, ReportError> {
    let of_run = |run: &point::Run| {
        let made = run.outcome.as_ref().filter(|outcome| outcome.figures.is_some())?.run_folder.as_ref()?;
        let open = RunFolder::open(&folder.path().join(&run.folder).join(made));
        open.inspect_err(|error| eprintln!("warning: {} is not on the page: {}", run.folder, with_causes(error))).ok()
    };
    let sweep = results.compared(of_run, left);
    if sweep.points.iter().all(|point| point.runs.is_empty()) {
        return Ok(None);
    }
    backproof_report::compare_sweep(&sweep, folder.path(), for_paper).map(Some)
}

/// The exit code: of the runs that were this process's to do.
#[allow(clippy::print_stderr)] // as progress
fn verdict(ended: &[Ended], results: &Results) -> anyhow::Result<()> {
    let count = |status: Status| ended.iter().filter(|it| matches!(it, Ended::With(has) if *has == status)).count();
    let interrupted = ended.iter().filter(|it| matches!(it, Ended::Interrupted)).count();
    let elsewhere = ended.iter().filter(|it| matches!(it, Ended::Elsewhere)).count();
    let all = counted(ended.len(), "run");
    if elsewhere > 0 {
        let runs = counted(elsewhere, "run");
        eprintln!("{runs} left to other processes; the same command shows the table again");
    }
    if interrupted > 0 {
        let message = format!("interrupted; {interrupted} of {all} left to do");
        return Err(Failure::new(code::INTERRUPTED, message).help("the same command continues the sweep").into());
    }
    let (failed, diverged, missed) = (count(Status::Failed), count(Status::Diverged), count(Status::Missed));
    if failed + diverged > 0 {
        let message = match (failed, diverged) {
            (0, _) => format!("{diverged} of {all} diverged"),
            (_, 0) => format!("{failed} of {all} failed"),
            _ => format!("{failed} of {all} failed and {diverged} diverged"),
        };
        // Another code than that of a failure, so that a cluster's scheduler does not start again what would not change.
        let (code, help) = if failed > 0 {
            (code::FAILED, "the same command tries what failed again, and does nothing else twice")
        } else {
            (code::DIVERGED, "a lower optimizer.learning_rate may help; what diverged is not tried again")
        };
        return Err(Failure::new(code, message).help(help).into());
    }
    if missed > 0 {
        let message = format!("{missed} of {all} missed the accuracy that is expected");
        return Err(Failure::new(code::CHECK_FAILED, message).maybe_help(results.best_label()).into());
    }
    Ok(())
}
