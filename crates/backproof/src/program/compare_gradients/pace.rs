//! How far the checks are, and how long the others will take.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use backproof_spec::thousands;
use backproof_suite::Task;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

/// When a pipe is told how long it takes: earlier, nobody has begun to wonder, and the pace is not known.
const TOLD_AFTER: Duration = Duration::from_secs(10);

/// A bar on a terminal; where stderr is none, a line once. Both count what the checks cost.
pub(super) struct Pace {
    bar: ProgressBar,
    checks: usize,
    done: AtomicUsize,
    /// There is nothing to tell a pipe, or it is told.
    told: AtomicBool,
}

impl Pace {
    pub(super) fn new(tasks: &[Task]) -> Self {
        let style =
            ProgressStyle::with_template("{bar:40} {msg}").expect("the template is constant").progress_chars("━╸─");
        // Indicatif draws nothing where stderr is no terminal.
        let bar = ProgressBar::new(tasks.iter().map(Task::cost).sum()).with_style(style);
        let told = AtomicBool::new(std::io::stderr().is_terminal());
        Self { bar, checks: tasks.len(), done: AtomicUsize::new(0), told }
    }

    #[allow(clippy::print_stderr)] // progress goes to stderr
    pub(super) fn done(&self, task: &Task) {
        self.bar.inc(task.cost());
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let message = format!(
            "{} of {} checks, about {} left",
            thousands(done),
            thousands(self.checks),
            HumanDuration(self.left())
        );
        if self.bar.elapsed() > TOLD_AFTER && !self.told.swap(true, Ordering::Relaxed) {
            eprintln!("{message}");
        }
        self.bar.set_message(message);
    }

    /// As long for what is left as for what is done, by cost.
    fn left(&self) -> Duration {
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
        self.bar.elapsed().mul_f64(all.saturating_sub(done) as f64 / done.max(1) as f64)
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
