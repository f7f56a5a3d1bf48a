//! Which files a sweep takes, and what it says of others.

use std::fs;

use backproof_tests::sweeps::folder_with;
use backproof_tests::{backproof, root, stderr, stdout, xtask};

use super::SMALL;

/// `cargo xtask sweep` refuses the file with code 2 and these words, and builds nothing.
fn assert_refused(rest: &str, words: &[&str]) {
    let folder = folder_with(rest);
    let target = folder.path().join("target");
    let file = folder.path().join("a.toml");
    for command in [&["sweep"][..], &["config", "check"]] {
        let assert = xtask().env("CARGO_TARGET_DIR", &target).args(command).arg(&file).assert().code(2);
        let text = stderr(&assert);
        for word in words {
            assert!(text.contains(word), "`{word}` is not in:\n{text}");
        }
    }
    assert!(!target.join("release").exists(), "something was built");
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn a_bad_sweep_is_refused_before_anything_is_built() {
    assert_refused(
        "[grid]\noptimizer.learning_rat = [0.1, 0.2]\n",
        &["a.toml:3:11", "3 | optimizer.learning_rat = [0.1", "^^^^^^^^^^^^", "did you mean `learning_rate`?"],
    );
    assert_refused(
        "[grid]\noptimizer.momentum = [0.5, \"high\"]\n",
        &["`momentum` should be a number in [0, 1), got the string \"high\"", "a.toml:3:28"],
    );
    assert_refused("[grid]\n", &["error: the grid is empty", "a.toml:2:1"]);
    assert_refused("", &["error: nothing varies in this sweep"]);
    assert_refused("seeds = [1, 1]\n", &["error: two runs are the same", "a.toml:2:13"]);
}

#[test]
fn a_missing_base_is_refused_with_its_neighbour() {
    let folder = folder_with(SMALL);
    let file = folder.path().join("b.toml");
    fs::write(&file, "base = \"digit.toml\"\nseeds = [1]\n").unwrap();
    let assert = xtask().arg("sweep").arg(&file).assert().code(2);
    let text = stderr(&assert);
    assert!(text.contains("b.toml:1:8") && text.contains("digits.toml`?"), "{text}");
}

#[test]
fn an_experiment_and_a_sweep_are_told_apart() {
    let folder = folder_with(SMALL);
    let assert = backproof(folder.path()).args(["sweep", "digits.toml"]).assert().code(2);
    assert!(stderr(&assert).contains("digits.toml is an experiment and no sweep"), "{}", stderr(&assert));
    let assert = backproof(folder.path()).args(["train", "-c", "a.toml"]).assert().code(2);
    assert!(stderr(&assert).contains("help: `sweep a.toml` trains all of its runs"), "{}", stderr(&assert));
}

#[test]
fn the_sweeps_that_come_with_the_program_are_valid_and_say_their_command() {
    let files: Vec<_> =
        fs::read_dir(root().join("configs/sweeps")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let text = stdout(&xtask().args(["config", "check"]).args(&files).assert().success());
    assert!(text.contains("willis-chain is valid: 200 runs at 10 points"), "{text}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for head in ["# command:", "# time:", "# result:"] {
            assert!(text.contains(head), "{} has no `{head}`", file.display());
        }
        assert!(!text.contains("TO BE MEASURED"), "{}", file.display());
    }
}
