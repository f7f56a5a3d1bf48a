//! Every command in the README is one that a test or CI runs.

use backproof_tests::{backproof, root, xtask};

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
    let starts = [
        ("cargo test --release --workspace", "CI runs it; this test is part of it"),
        ("cargo xtask data fetch", "needs the network; the downloader is tested against a local server"),
    ];
    starts.into_iter().find(|(start, _)| command.starts_with(start)).map(|(_, reason)| reason)
}

#[test]
fn the_readme_shows_the_quickstart_as_it_is() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let config = std::fs::read_to_string(root().join("configs/quickstart.toml")).unwrap();
    let (_, keys) = config.split_at(config.find("name =").unwrap());
    assert!(readme.contains(keys.trim()));
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    // A finished run, for the commands that read one.
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    for command in commands() {
        if let Some(reason) = elsewhere(&command) {
            eprintln!("not run: `{command}`: {reason}");
            continue;
        }
        let words = command.strip_prefix("cargo xtask").unwrap_or_else(|| panic!("`{command}` is no xtask"));
        let mut words: Vec<&str> = words.split_whitespace().collect();
        if words.contains(&"--backend") {
            eprintln!("not run: `{command}`: CI runs its like on this backend, or it needs a GPU");
            // Its arguments are right, at least: the config that it trains is checked.
            if let Some(place) = words.iter().position(|word| *word == "-c") {
                xtask().args(["config", "check", words[place + 1]]).assert().success();
            }
            continue;
        }
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
        if words.first() == Some(&"bench") {
            if words.contains(&"--peer") {
                eprintln!("not run: `{command}`: needs PyTorch; tests/bench.rs has one that is not");
                continue;
            }
            // A moment of it.
            words.extend(["--seconds", "0.01", "--rounds", "1", "--batch", "1", "--model", "mnist-baseline"]);
        }
        if let Some(place) = words.iter().position(|word| *word == "--iterations") {
            words[place + 1] = "25"; // five more than the smoke runs have
        }
        let mut program = match words.first() {
            Some(
                &"train" | &"resume" | &"evaluate" | &"sweep" | &"predict" | &"compare-gradients" | &"report"
                | &"compare-runs" | &"doctor" | &"data" | &"bench",
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
        eprintln!("run: `{command}`");
        program.args(&words).assert().success();
    }
}
