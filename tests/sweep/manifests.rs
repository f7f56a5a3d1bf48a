//! What `docs/kubernetes-job.yaml` assumes about the program.

use std::collections::BTreeMap;
use std::fs;

use backproof_tests::sweeps::{figures, folder_with, run_folders, sweep};
use backproof_tests::{clean, program, root, stderr};

use super::SMALL;

fn manifest() -> String {
    fs::read_to_string(root().join("docs/kubernetes-job.yaml")).unwrap()
}

/// The value of the only line `key: value`.
fn value(key: &str) -> String {
    let text = manifest();
    let mut values = text.lines().filter_map(|line| line.trim().strip_prefix(key)?.strip_prefix(": "));
    let only = values.next().unwrap_or_else(|| panic!("{key} is missing"));
    assert!(values.next().is_none(), "{key} is there twice");
    only.to_owned()
}

/// The action for each exit code that has a rule.
fn rules() -> BTreeMap<i32, String> {
    let text = manifest();
    let mut rules = BTreeMap::new();
    for rule in text.split("- action: ").skip(1) {
        let action = rule.lines().next().unwrap();
        if let Some(list) = rule.split("values: [").nth(1) {
            let codes = list.split(']').next().unwrap().split(", ").map(|code| code.parse().unwrap());
            rules.extend(codes.map(|code| (code, action.to_owned())));
        }
    }
    rules
}

#[test]
fn the_pods_of_the_kubernetes_job_together_do_what_one_process_does() {
    let text = manifest();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("- exec backproof ")).unwrap();
    let shards: usize = value("completions").parse().unwrap();
    assert!(line.ends_with(&format!("/{shards}\"")), "`completions` is not the number of shards in `{line}`");
    assert_eq!(value("restartPolicy"), "Never", "with a podFailurePolicy, Kubernetes takes no other");
    let folder = folder_with(SMALL);
    let line = line.replace("configs/sweeps/willis-chain.toml", "a.toml");
    for index in 0..shards {
        let mut pod = assert_cmd::Command::new("sh");
        clean(&mut pod);
        pod.args(["-c", &format!("exec \"$PROGRAM\" {line}")]).current_dir(folder.path());
        pod.env("PROGRAM", program()).env("JOB_COMPLETION_INDEX", index.to_string()).assert().success();
    }
    let whole = folder_with(SMALL);
    sweep(whole.path()).assert().success();
    for name in ["results.csv", "runs.csv"] {
        assert_eq!(figures(folder.path(), name), figures(whole.path(), name));
    }
    assert_eq!(run_folders(folder.path()).len(), 4);
}

/// A scheduler tries again what may end in another way, and nothing else.
#[test]
fn the_exit_code_of_a_sweep_says_whether_the_same_again_may_help() {
    let rules = rules();
    let action = |code: i32| rules.get(&code).map_or("Count", String::as_str);
    let cases = [
        ("[grid]\n", 2, "FailJob", "the grid is empty"),
        ("[set]\ndata.dataset = \"mnist\"\n[grid]\ntraining.iterations = [1, 2]\n", 1, "Count", "2 of 2 runs failed"),
        (
            "[set]\ntraining.iterations = 2\nexpect.test_accuracy = 1\n[grid]\ntraining.batch_size = [1, 2]\n",
            3,
            "FailIndex",
            "2 of 2 runs missed the accuracy that is expected",
        ),
        (
            "[set]\ntraining.iterations = 20\noptimizer.learning_rate = 1e20\n[grid]\ntraining.batch_size = [8, 16]\n",
            4,
            "FailIndex",
            "2 of 2 runs diverged",
        ),
    ];
    for (rest, code, expected, words) in cases {
        let folder = folder_with(rest);
        for again in [false, true] {
            let assert = sweep(folder.path()).args(["--data-dir", "nothing"]).assert().code(code);
            assert!(stderr(&assert).contains(words), "{rest}, again {again}: {}", stderr(&assert));
        }
        assert_eq!(action(code), expected, "{code}");
    }
    // Interrupted (`stopped.rs`), and killed.
    assert_eq!((action(130), action(137)), ("Count", "Count"));
}
