//! `docs/hyperqueue.sh` on a real HyperQueue: a server and two workers, each on what looks like a machine of its own.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use backproof_tests::root;
use backproof_tests::sweeps::folder_with;

use crate::cluster::{
    PATIENCE, RUNS, as_in_a_checkout, assert_as_if_nothing_had_happened, both_have_checkpoints, count, daemon, machine,
    printed, text,
};

const MACHINES: [&str; 2] = ["backproof-one", "backproof-two"];

/// Ends with the test.
struct Queue {
    /// Where the server says how to reach it.
    folder: tempfile::TempDir,
    server: Child,
    workers: Vec<Child>,
}

impl Drop for Queue {
    fn drop(&mut self) {
        for child in self.workers.iter_mut().chain([&mut self.server]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Queue {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = daemon("hq");
        let server = server.args(["server", "start", "--host", "127.0.0.1"]).env("HQ_SERVER_DIR", folder.path());
        let server = server.spawn().unwrap();
        let mut queue = Self { folder, server, workers: Vec::new() };
        queue.wait_for("a server", |queue| queue.command(&["server", "info"]).output().unwrap().status.success());
        for name in MACHINES {
            // Each has room for one task of the script, whatever this machine has.
            let mut worker = machine(name, &["hq", "worker", "start", "--cpus", "4"]);
            queue.workers.push(worker.env("HQ_SERVER_DIR", queue.folder.path()).spawn().unwrap());
        }
        queue
            .wait_for("two workers", |queue| MACHINES.iter().all(|name| queue.say(&["worker", "list"]).contains(name)));
        queue
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("hq");
        command.args(words).env("HQ_SERVER_DIR", self.folder.path());
        command
    }

    /// What a command prints, which has to succeed.
    fn say(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn submit(&self, folder: &Path, options: &[&str]) {
        as_in_a_checkout(folder);
        let mut command = self.command(&["submit"]);
        command.args(options).arg(root().join("docs/hyperqueue.sh")).args(["a.toml", "2"]).current_dir(folder);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }

    /// The states of the tasks of the last array.
    fn states(&self) -> Vec<String> {
        let text = self.say(&["--output-mode", "json", "job", "info", "last"]);
        let jobs: serde_json::Value = serde_json::from_str(&text).unwrap();
        let tasks = jobs[0]["tasks"].as_array().unwrap_or_else(|| panic!("{text}"));
        tasks.iter().map(|task| task["state"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned()).collect()
    }

    fn wait_for(&self, what: &str, is_there: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_there(self) {
            assert!(
                begun.elapsed() < PATIENCE,
                "{what} did not come\n{}",
                text(&self.command(&["job", "info", "last"]).output().unwrap())
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

pub(crate) fn a_task_whose_worker_dies_ends_on_another_one_as_if_nothing_had_happened() {
    let folder = folder_with(RUNS);
    let mut queue = Queue::start();
    queue.submit(folder.path(), &["--array=1-2"]);
    queue.wait_for("checkpoints", |_| both_have_checkpoints(folder.path()));
    assert!(count(folder.path(), "running") >= 2, "in the middle");
    let task = queue.say(&["job", "info", "last"]) + &queue.say(&["task", "list", "last"]);
    let died =
        MACHINES.iter().position(|name| task.lines().any(|line| line.contains("RUNNING") && line.contains(name)));
    let died = died.unwrap_or_else(|| panic!("{task}"));
    queue.workers[died].kill().unwrap();
    queue.workers[died].wait().unwrap();
    queue.say(&["job", "wait", "last"]);
    assert_eq!(queue.states(), ["finished"; 2], "{}", printed(folder.path()));
    assert_as_if_nothing_had_happened(folder.path());
}

pub(crate) fn a_task_that_is_cancelled_is_submitted_again_and_goes_on() {
    let folder = folder_with(RUNS);
    let queue = Queue::start();
    queue.submit(folder.path(), &["--array=1-2"]);
    queue.wait_for("checkpoints", |_| both_have_checkpoints(folder.path()));
    queue.say(&["job", "cancel", "last"]);
    let ids = queue.say(&["job", "task-ids", "last", "--filter=failed,canceled"]);
    assert!(["2", "1-2", "1,2"].contains(&ids.as_str()), "{ids}");
    // HyperQueue kills what has not ended a second after its SIGINT.
    std::thread::sleep(Duration::from_secs(2));
    queue.submit(folder.path(), &[&format!("--array={ids}")]);
    queue.say(&["job", "wait", "last"]);
    assert_as_if_nothing_had_happened(folder.path());
}
