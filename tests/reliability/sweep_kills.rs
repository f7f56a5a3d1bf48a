//! `kill -9` of sweeps and of their runs at random moments.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use backproof_tests::small::assert_same;
use backproof_tests::sweeps::{figures, sweep_folder};
use backproof_tests::{backproof, children, program, stderr};

use super::random::{Random, kills};

/// Six runs of a tenth of a second and more: two engines with three seeds.
const SWEEP: &str = "base = \"small.toml\"\nseeds = [1, 2, 3]\n[set]\ntraining.iterations = 121\n\
                     training.report_every = 5\ntraining.checkpoint_every = 7\ntraining.validate_every = 20\n\
                     [grid]\nengine = [\"autodiff\", \"compiled\"]\n";

/// A folder with the sweep.
fn folder() -> tempfile::TempDir {
    let folder = backproof_tests::small::folder();
    fs::write(folder.path().join("sweep.toml"), SWEEP).unwrap();
    folder
}

const ARGUMENTS: [&str; 4] = ["sweep", "sweep.toml", "--jobs", "2"];

/// What a killed sweep left to do is done.
fn finish(folder: &Path) -> assert_cmd::assert::Assert {
    backproof(folder).args(ARGUMENTS).assert()
}

/// Every file and link under `folder` by its path, but for the names of run folders, which begin with the time.
fn names(folder: &Path) -> Vec<String> {
    fn collect(folder: &Path, prefix: &str, names: &mut Vec<String>) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let own = path.file_name().unwrap().to_str().unwrap();
            let is_run = prefix.ends_with("/train/small/") && own.starts_with("20");
            let name = format!("{prefix}{}", if is_run { "RUN" } else { own });
            if path.is_dir() && !path.is_symlink() {
                collect(&path, &format!("{name}/"), names);
            }
            names.push(name);
        }
    }
    let mut found = Vec::new();
    collect(folder, "", &mut found);
    found.sort();
    found
}

/// The run folder of each run by the number and the hash of the run.
fn runs(folder: &Path) -> BTreeMap<String, PathBuf> {
    let runs = fs::read_dir(folder.join("runs")).unwrap().map(|entry| entry.unwrap().path());
    runs.map(|run| (run.file_name().unwrap().to_str().unwrap().to_owned(), run.join("train/small/latest"))).collect()
}

/// `kill -9`; whether the process was still there.
fn kill(process: u32) -> bool {
    Command::new("kill").args(["-KILL", &process.to_string()]).stderr(Stdio::null()).status().unwrap().success()
}

/// Starts the sweep and kills it, or runs of it, or both, after a random time. Gives the number of processes that were
/// killed.
fn kill_once(folder: &Path, random: &mut Random) -> usize {
    let mut command = Command::new(program());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BACKPROOF_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).args(ARGUMENTS).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::thread::sleep(random.time(1_200));
    let runs = children(child.id());
    let mut killed = 0;
    let alone = match random.number(3) {
        0 => {
            // The sweep alone: its runs stop with a checkpoint.
            killed += usize::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            false
        }
        1 => {
            killed += usize::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            killed += runs.iter().filter(|&&run| kill(run)).count();
            false
        }
        // One run: the sweep goes on.
        _ => {
            let run = runs.get(random.number(2) as usize).or(runs.first());
            killed += run.map_or(0, |&run| usize::from(kill(run)));
            true
        }
    };
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!text.contains("panicked"), "{text}");
    if alone {
        // A run that was killed is done if nothing but its report was left to make.
        let one = text.contains("error: 1 of 6 runs failed") && text.contains("signal 9 (SIGKILL)");
        assert!(output.status.success() || one, "{text}");
    } else {
        assert!(!text.contains("error:"), "{text}");
    }
    killed
}

#[test]
fn sweeps_that_are_killed_with_or_without_their_runs_end_as_if_nothing_had_happened() {
    let whole = folder();
    finish(whole.path()).success();
    let undisturbed = sweep_folder(whole.path());
    let mut random = Random::new(2);
    let wanted = kills() - 4 * kills() / 5;
    let (mut killed, mut sweeps) = (0, 0);
    while killed < wanted {
        let folder = folder();
        for _ in 0..=random.number(8) {
            killed += kill_once(folder.path(), &mut random);
        }
        let what = format!("sweep {sweeps} after {killed} kills");
        let assert = finish(folder.path());
        assert!(assert.get_output().status.success(), "{what}: {}", stderr(&assert));
        let sweep = sweep_folder(folder.path());
        for name in ["results.csv", "runs.csv"] {
            assert_eq!(figures(folder.path(), name), figures(whole.path(), name), "{what}");
        }
        let (of_whole, of_sweep) = (runs(&undisturbed), runs(&sweep));
        assert_eq!(of_whole.len(), 6);
        for (name, run) in &of_whole {
            assert_same(run, &of_sweep[name], &format!("{what}: {name}"));
        }
        assert_eq!(names(&sweep), names(&undisturbed), "{what}");
        sweeps += 1;
    }
    println!("{killed} kills in {sweeps} sweeps of 6 runs; every sweep ended with the same results and files");
}
