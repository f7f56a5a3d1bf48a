//! A process that is measured: it lives from its warm-up to its last turn, and computes only when it is told to.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context;

use crate::protocol::{Answer, Ready, Round, Task};
use crate::{BenchError, memory};

/// A running process, ended when dropped.
pub(crate) struct Process {
    name: String,
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// What it wrote there, for an error; a library's warnings are nobody's business else.
    stderr: File,
}

/// What became of a process that was started.
pub(crate) enum Started {
    Ready(Process, Ready),
    /// It cannot be measured on this machine, for this reason.
    Unavailable(String),
}

impl Process {
    /// Starts `command`, gives it `task`, and waits until it has warmed up. `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// A program that cannot be started, that says why it cannot do it, or that says anything else.
    pub(crate) fn start(name: &str, mut command: Command, task: &Task) -> anyhow::Result<Started> {
        let stderr = tempfile::tempfile().context("cannot make a temporary file")?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr.try_clone()?);
        let mut child = command.spawn().map_err(|error| not_started(&command, &error))?;
        let (stdin, stdout) = (child.stdin.take().expect("it is piped"), child.stdout.take().expect("it is piped"));
        let mut process = Self { name: name.to_owned(), child, stdin, stdout: BufReader::new(stdout), stderr };
        process.say(&serde_json::to_string(task)?)?;
        match process.answer()? {
            Answer::Ready { ready } => Ok(Started::Ready(process, ready)),
            Answer::Unavailable { unavailable } => Ok(Started::Unavailable(unavailable)),
            answer => Err(process.unexpected(&answer).into()),
        }
    }

    /// One turn.
    ///
    /// # Errors
    ///
    /// A process that has ended, or that gives no round for an answer.
    pub(crate) fn round(&mut self) -> anyhow::Result<Round> {
        self.say("go")?;
        match self.answer()? {
            Answer::Round(round) if round.steps > 0 && round.seconds > 0.0 => Ok(round),
            answer => Err(self.unexpected(&answer).into()),
        }
    }

    /// The most memory that the process had at once so far, in bytes, where the system says so.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        memory::peak_of(self.child.id())
    }

    fn say(&mut self, line: &str) -> Result<(), BenchError> {
        // One write, so that the process never sees half a line.
        let written = self.stdin.write_all(format!("{line}\n").as_bytes()).and_then(|()| self.stdin.flush());
        written.map_err(|_| self.ended())
    }

    fn answer(&mut self) -> Result<Answer, BenchError> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line).is_ok_and(|bytes| bytes == 0) {
            return Err(self.ended());
        }
        serde_json::from_str(&line).map_err(|_| {
            let said = line.trim();
            BenchError::failed(format!("{} said something that `bench` does not understand: {said}", self.name))
        })
    }

    fn unexpected(&self, answer: &Answer) -> BenchError {
        match answer {
            Answer::Error { error, help } => {
                BenchError::Failed { message: format!("{}: {error}", self.name), help: help.clone() }
            }
            other => BenchError::failed(format!("{} answered out of turn: {other:?}", self.name)),
        }
    }

    /// The process has ended by itself: with its last words.
    fn ended(&mut self) -> BenchError {
        let status = self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        let words = last_words(&mut self.stderr).unwrap_or_default();
        BenchError::failed(format!("{} ended before it was told to ({status}){words}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn not_started(command: &Command, error: &io::Error) -> BenchError {
    let program = command.get_program().to_string_lossy();
    let help = "`--python PATH` names the Python to use; it needs bench/peers/requirements.txt";
    BenchError::Failed {
        message: format!("cannot start {program}: {error}"),
        help: (error.kind() == io::ErrorKind::NotFound).then(|| help.to_owned()),
    }
}

/// The last lines that a process wrote, indented below the error.
pub(crate) fn last_words(stderr: &mut File) -> io::Result<String> {
    const MOST: usize = 8;
    let mut bytes = Vec::new();
    stderr.seek(SeekFrom::Start(0))?;
    stderr.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(MOST)..];
    Ok(last.iter().map(|line| format!("\n  {line}")).collect())
}

#[cfg(all(test, unix))]
mod tests {
    use backproof_spec::published;

    use super::*;

    fn task() -> Task {
        Task {
            architecture: published::mnist_baseline(),
            batch: 1,
            pass: "training".to_owned(),
            variant: "fake".to_owned(),
            threads: 1,
            seconds: 0.1,
        }
    }

    fn start(script: &str) -> anyhow::Result<Started> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start("the fake", command, &task())
    }

    fn failure(script: &str) -> String {
        match start(script) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("`{script}` did not fail"),
        }
    }

    const READY: &str = r#"read task; echo '{"ready": {"software": "fake 1"}}';"#;

    #[test]
    fn a_process_gets_its_task_and_answers_each_turn() {
        // The number of the turn comes back as steps; a task without the network's name is an error.
        let script = r#"read task
            case "$task" in *mnist-baseline*) ;; *) exit 7;; esac
            echo '{"ready": {"software": "fake 1"}}'
            n=0
            while read go; do [ "$go" = go ] || exit 8; n=$((n + 1)); echo "{\"steps\": $n, \"seconds\": 0.5}"; done"#;
        let Ok(Started::Ready(mut process, ready)) = start(script) else { panic!("not ready") };
        assert_eq!(ready, Ready { software: "fake 1".to_owned(), instructions: None });
        let rounds: Vec<u64> = (0..3).map(|_| process.round().unwrap().steps).collect();
        assert_eq!(rounds, [1, 2, 3]);
        if cfg!(target_os = "linux") {
            assert!(process.peak_memory().unwrap() > 100_000);
        }
    }

    #[test]
    fn a_process_that_ends_is_an_error_with_its_last_words() {
        let text = failure("read task; echo 'out of luck' >&2; exit 3");
        assert!(text.starts_with("the fake ended before it was told to (exit status: 3)"), "{text}");
        assert!(text.ends_with("\n  out of luck"), "{text}");
        let Ok(Started::Ready(mut process, _)) = start(&format!("{READY} read go; exit 4")) else {
            panic!("not ready")
        };
        assert!(process.round().unwrap_err().to_string().contains("exit status: 4"));
    }

    #[test]
    fn a_process_that_cannot_do_it_says_why() {
        let text = failure(r#"read task; echo '{"error": "no torch", "help": "install it"}'"#);
        assert_eq!(text, "the fake: no torch");
        let unavailable = start(r#"read task; echo '{"unavailable": "no compiler"}'"#).unwrap();
        assert!(matches!(unavailable, Started::Unavailable(reason) if reason == "no compiler"));
    }

    #[test]
    fn nonsense_is_an_error_and_no_figure() {
        assert!(failure("read task; echo hello").contains("does not understand: hello"));
        let Ok(Started::Ready(mut process, _)) =
            start(&format!(r#"{READY} read go; echo '{{"steps": 0, "seconds": 0.5}}'"#))
        else {
            panic!("not ready")
        };
        assert!(process.round().unwrap_err().to_string().contains("out of turn"));
    }

    #[test]
    fn a_python_that_is_not_there_names_the_way_out() {
        let Err(error) = Process::start("PyTorch", Command::new("/nowhere/python3"), &task()) else { panic!() };
        assert!(error.to_string().starts_with("cannot start /nowhere/python3: "), "{error}");
    }
}
