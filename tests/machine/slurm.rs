//! `docs/slurm-array.sh` on a real Slurm: a controller and two nodes on this machine, each node with a host name and
//! processes of its own, so that all of it can die at once.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use backproof_tests::root;
use backproof_tests::sweeps::folder_with;

use crate::cluster::{
    PATIENCE, RUNS, as_in_a_checkout, assert_as_if_nothing_had_happened, both_have_checkpoints, count, daemon, machine,
    printed, text,
};

const NODES: [&str; 2] = ["backproof-one", "backproof-two"];

/// A Slurm in a folder, which ends with the test.
struct Cluster {
    folder: tempfile::TempDir,
    controller: Child,
    nodes: Vec<Child>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.nodes.iter_mut().chain([&mut self.controller]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Cluster {
    /// Starts it and waits until both nodes are idle.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display();
        let free: Vec<_> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = free.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        drop(free);
        let mut config = format!(
            "ClusterName=backproof\nSlurmctldHost=localhost\nSlurmctldPort={}\nSlurmUser=root\nSlurmdUser=root\n\
             AuthType=auth/none\nCredType=cred/none\nStateSaveLocation={place}/state\nSlurmdSpoolDir={place}/spool-%n\n\
             SlurmctldPidFile={place}/controller.pid\nSlurmdPidFile={place}/%n.pid\n\
             SlurmctldLogFile={place}/controller.log\nSlurmdLogFile={place}/%n.log\nMailProg=/bin/true\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n\
             SwitchType=switch/none\nMpiDefault=none\nSchedulerType=sched/builtin\nSelectType=select/cons_tres\n\
             SelectTypeParameters=CR_CPU_Memory\nSlurmdParameters=config_overrides\nSlurmdTimeout=6\nKillWait=10\n\
             ReturnToService=2\nPartitionName=main Nodes=ALL Default=YES State=UP\n",
            ports[0]
        );
        for (node, port) in NODES.iter().zip(&ports[1..]) {
            // As many processors as one task asks for, whatever this machine has: the tasks run on two nodes.
            config += &format!(
                "NodeName={node} NodeHostname={node} NodeAddr=127.0.0.1 Port={port} CPUs=4 RealMemory=16384\n"
            );
            fs::create_dir(folder.path().join(format!("spool-{node}"))).unwrap();
        }
        fs::create_dir(folder.path().join("state")).unwrap();
        fs::write(folder.path().join("slurm.conf"), config).unwrap();
        let mut controller = daemon("slurmctld");
        let controller = controller.arg("-D").env("SLURM_CONF", folder.path().join("slurm.conf")).spawn().unwrap();
        let mut cluster = Self { folder, controller, nodes: Vec::new() };
        for node in NODES {
            let node = cluster.node(node);
            cluster.nodes.push(node);
        }
        cluster.wait_for("both nodes", |cluster| cluster.say(&["sinfo", "-h", "-t", "idle", "-o", "%D"]) == "2");
        cluster
    }

    fn node(&self, name: &str) -> Child {
        machine(name, &["slurmd", "-D", "-N", name]).env("SLURM_CONF", self.config()).spawn().unwrap()
    }

    fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("slurm.conf")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env("SLURM_CONF", self.config());
        command
    }

    /// What a command prints, which has to succeed.
    fn say(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Submits the sweep in `folder` as two tasks, as a user does in a checkout; the number of the array.
    fn submit(&self, folder: &Path) -> String {
        as_in_a_checkout(folder);
        let mut command = self.command(&["sbatch", "--parsable", "--array=1-2"]);
        let output =
            command.arg(root().join("docs/slurm-array.sh")).arg("a.toml").current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What Slurm says of task 2 of an array.
    fn second(&self, array: &str) -> String {
        self.say(&["scontrol", "show", "job", &format!("{array}_2")])
    }

    /// Waits until task 2 of an array is queued again, and has it start. Slurm lets such a task wait for two minutes.
    fn wait_for_requeue(&self, array: &str) {
        let is = |words: &str| self.second(array).contains(words);
        self.wait_for("a task that is queued again", |_| is("Restarts=1") && is("JobState=PENDING"));
        self.say(&["scontrol", "update", &format!("JobId={array}_2"), "StartTime=now"]);
    }

    /// Waits until all tasks have ended.
    fn wait_for_end(&self) {
        self.wait_for("the end", |cluster| cluster.say(&["squeue", "-h"]).is_empty());
    }

    fn wait_for(&self, what: &str, is_there: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_there(self) {
            if begun.elapsed() > PATIENCE {
                let logs = ["controller.log".to_owned(), format!("{}.log", NODES[0]), format!("{}.log", NODES[1])];
                let logs = logs.map(|log| fs::read_to_string(self.folder.path().join(log)).unwrap_or_default());
                panic!("{what} did not come\n{}\n{}", self.say(&["scontrol", "show", "job"]), logs.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

pub(crate) fn a_task_whose_node_dies_ends_on_another_node_as_if_nothing_had_happened() {
    let folder = folder_with(RUNS);
    let mut cluster = Cluster::start();
    let array = cluster.submit(folder.path());
    cluster.wait_for("checkpoints", |_| both_have_checkpoints(folder.path()));
    let on =
        |cluster: &Cluster| NODES.iter().position(|node| cluster.second(&array).contains(&format!("NodeList={node}")));
    let died = on(&cluster).unwrap();
    cluster.nodes[died].kill().unwrap();
    cluster.nodes[died].wait().unwrap();
    assert!(count(folder.path(), "running") >= 2, "in the middle");
    cluster.wait_for_requeue(&array);
    cluster.wait_for_end();
    assert!(on(&cluster).is_some_and(|node| node != died), "{}", cluster.second(&array));
    assert!(cluster.second(&array).contains("JobState=COMPLETED"), "{}", cluster.second(&array));
    assert!(cluster.second(&array).contains("Restarts=1"), "{}", cluster.second(&array));
    assert_as_if_nothing_had_happened(folder.path());
}

pub(crate) fn a_task_at_its_time_limit_saves_checkpoints_and_goes_on_and_so_does_a_cancelled_one() {
    let folder = folder_with(RUNS);
    let cluster = Cluster::start();
    let array = cluster.submit(folder.path());
    cluster.wait_for("checkpoints", |_| both_have_checkpoints(folder.path()));
    // The signal that the script asks for before its time limit, to the shell alone.
    cluster.say(&["scancel", "--batch", "--signal=USR1", &format!("{array}_2")]);
    let is = |cluster: &Cluster, words: &str| cluster.second(&array).contains(words);
    cluster.wait_for_requeue(&array);
    assert_eq!(count(folder.path(), "interrupted"), 2);
    let other = cluster.say(&["scontrol", "show", "job", &format!("{array}_1")]);
    assert!(other.contains("Restarts=0"), "the other task goes on as it was: {other}");
    assert!(
        printed(folder.path()).contains("error: interrupted; 2 of 2 runs left to do"),
        "{}",
        printed(folder.path())
    );
    // It goes on, and is cancelled.
    cluster.wait_for("a task that goes on", |_| count(folder.path(), "running") > 0);
    cluster.say(&["scancel", &array]);
    cluster.wait_for_end();
    assert!(is(&cluster, "JobState=CANCELLED") && is(&cluster, "Restarts=1"), "{}", cluster.second(&array));
    assert!(count(folder.path(), "interrupted") > 0, "{}", printed(folder.path()));
    assert_eq!(count(folder.path(), "running"), 0, "{}", printed(folder.path()));
    // The same again ends it.
    cluster.submit(folder.path());
    cluster.wait_for_end();
    assert_as_if_nothing_had_happened(folder.path());
}

/// `sbatch` gives the exit code of a task: that of the sweep.
pub(crate) fn a_task_ends_with_the_exit_code_of_the_sweep() {
    let cluster = Cluster::start();
    let missed = "seeds = [1, 2]\n[set]\ntraining.iterations = 5\nexpect.test_accuracy = 1\n";
    for (rest, code) in [(missed, 3), ("[grid]\n", 2)] {
        let folder = folder_with(rest);
        cluster.submit(folder.path());
        cluster.wait_for_end();
        let first = cluster.say(&["scontrol", "show", "job"]);
        assert!(first.contains(&format!("ExitCode={code}:0")), "{first}\n{}", printed(folder.path()));
    }
}
