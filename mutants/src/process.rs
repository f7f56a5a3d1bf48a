//! Runs tests of a program in a process of their own, until the first fails.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A mutant may want all memory: no process gets more than so many KiB.
const MEMORY: u64 = 8 << 20;

/// How the system ends what has used up its time on a core.
const SIGXCPU: i32 = 24;

/// How tests went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// The name of the first test that failed, or of the program if it ended without a word.
    Failed(String),
    TimedOut,
}

/// How tests went, and how many seconds they had on a core.
pub(crate) struct Run {
    pub(crate) outcome: Outcome,
    pub(crate) seconds: f64,
}

/// A program with tests, and the folder in which it runs.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) folder: PathBuf,
}

impl Program {
    /// The names of its tests.
    pub(crate) fn tests(&self) -> Result<Vec<String>, String> {
        let output = Command::new(&self.path).args(["--list", "--format", "terse"]).output();
        let output = output.map_err(|error| format!("{}: {error}", self.path.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
    }

    /// Runs tests one after the other, with these variables set. They get `limit` seconds on a core, and ten times as
    /// many in all, since others may need the core.
    pub(crate) fn run(&self, names: &[&str], variables: &[(&str, String)], limit: u64) -> Result<Run, String> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -v {MEMORY}; ulimit -S -t {limit}; exec \"$0\" \"$@\"")).arg(&self.path);
        command.args(["--exact", "--test-threads=1"]).args(names).current_dir(&self.folder);
        // Generated tests are the same in each run, and stop at the first failure.
        command.env("PROPTEST_RNG_SEED", "1").env("PROPTEST_MAX_SHRINK_ITERS", "0").env("RAYON_NUM_THREADS", "1");
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("{}: {error}", self.path.display()))?;
        watch(child, Duration::from_secs(10 * limit), &self.path)
    }
}

fn watch(mut child: Child, limit: Duration, path: &Path) -> Result<Run, String> {
    let end = Instant::now() + limit;
    let output = child.stdout.take().expect("it is a pipe");
    let (sender, lines) = channel();
    let reader = std::thread::spawn(move || {
        BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)).ok();
    });
    let outcome = loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if let Some(test) = line.strip_suffix(" ... FAILED") {
                    break Outcome::Failed(test.strip_prefix("test ").unwrap_or(test).to_owned());
                }
            }
            Err(RecvTimeoutError::Timeout) => break Outcome::TimedOut,
            Err(RecvTimeoutError::Disconnected) => break Outcome::Passed,
        }
    };
    if outcome != Outcome::Passed {
        child.kill().ok();
    }
    let seconds = on_a_core(child.id());
    let status = child.wait().map_err(|error| format!("{}: {error}", path.display()))?;
    reader.join().ok();
    // It may crash, or end by itself, before a test has failed.
    if status.signal().is_some_and(|signal| signal == SIGXCPU) {
        return Ok(Run { outcome: Outcome::TimedOut, seconds });
    }
    if outcome == Outcome::Passed && !status.success() {
        return Ok(Run { outcome: Outcome::Failed(format!("{} ended: {status}", path.display())), seconds });
    }
    Ok(Run { outcome, seconds })
}

/// How long a process that has ended, or nearly so, was on a core, as Linux says it until somebody waits for the
/// process. The clock on the wall says little where others need the core.
fn on_a_core(process: u32) -> f64 {
    const TICKS: f64 = 100.0;
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The second field is a name in brackets, and may have spaces.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS
}
