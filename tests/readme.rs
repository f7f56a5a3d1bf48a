//! Every command in the README is one that a test or CI runs.

use std::process::ExitCode;

use backproof_tests::{backproof, root, trial, xtask};
use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let mut trials = vec![
        trial("the_readme_shows_the_quickstart_as_it_is", None, the_readme_shows_the_quickstart_as_it_is),
        trial("every_command_does_what_it_says", None, every_command_does_what_it_says),
    ];
    for (command, reason) in commands().iter().filter_map(|command| Some((command, elsewhere(command)?))) {
        trials.push(trial(command, Some(reason.to_owned()), || unreachable!("it is ignored")));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The lines of the README's `sh` blocks, without comments and empty lines.
fn commands() -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let mut commands = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside {
            let command = line.split(" #").next().unwrap_or_default().trim();
            if !command.is_empty() {
                commands.push(command.to_owned());
            }
        }
    }
    assert!(commands.len() > 10, "the README's commands were not found");
    commands
}

/// Why a command is not run here, where it is run elsewhere or cannot be.
fn elsewhere(command: &str) -> Option<&'static str> {
    let words: Vec<&str> = command.split_whitespace().collect();
    if command.starts_with("cargo test --release --workspace") {
        return Some("CI runs it, and this test is part of it");
    }
    if command.starts_with("cargo xtask data fetch") {
        return Some("it needs the network; the downloader is tested against a local server");
    }
    if words.contains(&"--backend") {
        return Some("it builds another backend or needs a GPU; `tests/machine` has its like");
    }
    words.contains(&"--peer").then_some("it needs PyTorch; `tests/bench.rs` has one that does not")
}

fn the_readme_shows_the_quickstart_as_it_is() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let config = std::fs::read_to_string(root().join("configs/quickstart.toml")).unwrap();
    let (_, keys) = config.split_at(config.find("name =").unwrap());
    assert!(readme.contains(keys.trim()));
}

fn every_command_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    // A finished run, for the commands that read one.
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    for command in commands() {
        let words = command.split_whitespace().collect::<Vec<_>>();
        if elsewhere(&command).is_some() {
            // Its arguments are right, at least: the config that it trains is checked.
            if let Some(index) = words.iter().position(|word| *word == "-c") {
                xtask().args(["config", "check", words[index + 1]]).assert().success();
            }
            continue;
        }
        let mut words =
            words.strip_prefix(&["cargo", "xtask"]).unwrap_or_else(|| panic!("`{command}` is no xtask")).to_vec();
        if words.first() == Some(&"train") {
            // Twenty iterations of it, and on data that is here.
            if !words.contains(&"--smoke") {
                words.push("--smoke");
            }
            if words.iter().any(|word| word.starts_with("configs/")) && !words.contains(&"configs/quickstart.toml") {
                words.extend(["--set", "data.dataset=mnist-sample", "--set", "model.name=mnist-baseline"]);
                words.extend(["--set", "data.validation_images=500"]);
            }
        }
        if matches!(words[..], ["compare-gradients", "--all" | "--mutants"]) {
            // Fewer shapes: `tests/gradients.rs` tries more.
            words.extend(["--cases", "2"]);
        }
        if words.first() == Some(&"bench") {
            // A moment of it.
            words.extend(["--seconds", "0.01", "--rounds", "1", "--batch", "1", "--model", "mnist-baseline"]);
        }
        if let Some(index) = words.iter().position(|word| *word == "--iterations") {
            words[index + 1] = "25"; // five more than the smoke runs have
        }
        let mut program = match words.first() {
            Some(
                &"train" | &"lr-find" | &"resume" | &"evaluate" | &"sweep" | &"predict" | &"explain" | &"export"
                | &"compare-gradients" | &"report" | &"compare-runs" | &"doctor" | &"data" | &"bench",
            ) => {
                // In a folder of its own, with configs and pictures where they are in a checkout.
                #[cfg(unix)]
                for here in ["configs", "tests"] {
                    let _ = std::os::unix::fs::symlink(root().join(here), folder.path().join(here));
                }
                backproof(folder.path())
            }
            _ => xtask(),
        };
        program.args(&words).assert().success();
    }
}
