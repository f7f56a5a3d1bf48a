//! `judge`, as typed.

use std::fs;
use std::path::Path;

use backproof_tests::{backproof, json, root, stderr, stdout, xtask};

/// Makes an exercise in `folder`, with the right answers in it.
fn solved(folder: &Path, subject: &str, name: &str) {
    backproof(folder).args(["judge", "new", subject, "-o", name]).assert().success();
    let answers = format!("{name}/answers");
    backproof(folder).args(["judge", "key", name, "-o", &answers]).assert().success();
    for entry in fs::read_dir(folder.join(answers)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "mat") {
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn an_exercise_is_made_and_right_answers_are_right() {
    let folder = tempfile::tempdir().unwrap();
    solved(folder.path(), "linear", "exercise");
    let exercise = folder.path().join("exercise");
    for file in [
        "README.md",
        "exercise.json",
        "python/solution.py",
        "matlab/run_cases.m",
        "matlab/forward.m",
        "matlab/backward.m",
        "julia/solution.jl",
        "rust/src/main.rs",
        "rust/Cargo.toml",
        "c/solution.c",
        "c/exercise.h",
        "cases/case1.mat",
        "cases/case1.npz",
        "cases/case1.safetensors",
        "cases/case1/x.f64",
    ] {
        assert!(exercise.join(file).is_file(), "{file} is not there");
    }
    let assert = backproof(folder.path()).args(["judge", "exercise", "--json", "found.json"]).assert().success();
    assert!(stdout(&assert).contains("\nall right: "), "{}", stdout(&assert));
    let found = json(&folder.path().join("found.json"));
    assert_eq!((&found["schema"], &found["exercises"][0]["right"]), (&1.into(), &true.into()));
    assert!(fs::read_to_string(exercise.join("judge.html")).unwrap().contains("linear: all right"));
    // What is there already is not overwritten.
    let assert = backproof(folder.path()).args(["judge", "new", "linear", "-o", "exercise"]).assert().code(2);
    assert!(stderr(&assert).contains("exercise is there already"), "{}", stderr(&assert));
}

#[test]
fn the_network_of_an_experiment_is_an_exercise() {
    let folder = tempfile::tempdir().unwrap();
    let config = root().join("configs/quickstart.toml");
    backproof(folder.path()).args(["judge", "new", "-o", "network", "-c"]).arg(&config).assert().success();
    let readme = fs::read_to_string(folder.path().join("network/README.md")).unwrap();
    assert!(!readme.contains("| `labels` | an option, [height, width]"), "{readme}");
    let pencil = ["judge", "new", "-o", "pencil", "--level", "1", "-c"];
    let assert = backproof(folder.path()).args(pencil).arg(&config).assert().code(2);
    assert!(stderr(&assert).contains("a network has too many numbers for one"), "{}", stderr(&assert));
    backproof(folder.path()).args(["judge", "key", "network", "-o", "network/answers"]).assert().success();
    let answers = folder.path().join("network/answers");
    fs::remove_file(answers.join("case1.mat")).unwrap();
    backproof(folder.path()).args(["judge", "network"]).assert().success();
    let manifest = folder.path().join("network/exercise.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("dataset", "datasets")).unwrap();
    let assert = backproof(folder.path()).args(["judge", "network"]).assert().code(1);
    assert!(stderr(&assert).contains("the experiment of the exercise is not valid"), "{}", stderr(&assert));
}

#[test]
fn what_is_missing_is_told_with_exit_code_3_and_of_a_class_there_is_a_table() {
    let folder = tempfile::tempdir().unwrap();
    solved(folder.path(), "relu", "ada");
    backproof(folder.path()).args(["judge", "new", "relu", "-o", "bob", "--level", "1"]).assert().success();
    let assert = backproof(folder.path()).args(["judge", "bob"]).assert().code(3);
    assert!(stdout(&assert).contains("missing") && stderr(&assert).contains("not every answer is right"));
    fs::create_dir(folder.path().join("eve")).unwrap();
    let assert = backproof(folder.path()).args(["judge", "ada", "bob", "eve"]).assert().code(3);
    let text = stdout(&assert);
    for words in ["ada", "bob", "not judged", "eve is no exercise"] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    let page = fs::read_to_string(folder.path().join("class.html")).unwrap();
    assert!(page.contains("ada") && page.contains("not judged"));
    assert!(folder.path().join("bob/judge.html").is_file() && !folder.path().join("eve/judge.html").exists());
    // Nothing wrong, but one that is no exercise.
    backproof(folder.path()).args(["judge", "ada", "eve"]).assert().code(1);
}

#[test]
fn right_answers_go_into_a_folder_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    solved(folder.path(), "linear", "exercise");
    let answer = folder.path().join("exercise/answers/case1.npz");
    fs::write(&answer, "mine").unwrap();
    let assert = backproof(folder.path()).args(["judge", "key", "exercise", "-o", "exercise/answers"]).assert().code(2);
    assert!(stderr(&assert).contains("exercise/answers is there already"), "{}", stderr(&assert));
    assert_eq!(fs::read_to_string(&answer).unwrap(), "mine");
    for (arguments, said) in [
        (&["key", "exercise"][..], "`cargo xtask judge key exercise -o DIR` writes them"),
        (&["key", "conv2d"], "`cargo xtask judge key conv2d --seed N` prints"),
        (&["new", "-o", "other"], "`judge new -c FILE -o DIR` of a network"),
    ] {
        let assert = backproof(folder.path()).arg("judge").args(arguments).assert().code(2);
        assert!(stderr(&assert).contains(said), "{arguments:?}: {}", stderr(&assert));
    }
}

#[test]
fn a_page_that_cannot_be_written_takes_no_verdict_away() {
    let folder = tempfile::tempdir().unwrap();
    solved(folder.path(), "linear", "a");
    solved(folder.path(), "relu", "b");
    fs::create_dir(folder.path().join("a/judge.html")).unwrap();
    let assert = backproof(folder.path()).args(["judge", "a", "b"]).assert().success();
    assert!(stderr(&assert).contains("warning: there is no page of a: "), "{}", stderr(&assert));
    assert_eq!(stdout(&assert).lines().filter(|line| line.contains(" of ")).count(), 2, "{}", stdout(&assert));
    let assert = backproof(folder.path()).args(["judge", "a"]).assert().success();
    assert!(stdout(&assert).contains("all right: "), "{}", stdout(&assert));
    // A class of one, where its page is asked for.
    backproof(folder.path()).args(["judge", "b", "--page", "one.html"]).assert().success();
    assert!(fs::read_to_string(folder.path().join("one.html")).unwrap().contains("relu"));
}

#[test]
fn a_broken_backward_is_handed_out_and_the_key_names_its_fault() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["judge", "break", "conv2d", "--seed", "4711", "-o", "broken"]).assert().success();
    let key = stdout(&backproof(folder.path()).args(["judge", "key", "conv2d", "--seed", "4711"]).assert().success());
    let wrong = key.lines().find_map(|line| line.strip_prefix("  wrong  ")).unwrap();
    let code = fs::read_to_string(folder.path().join("broken/python/broken.py")).unwrap();
    assert!(code.contains(wrong), "{wrong} is not in\n{code}");
    let manifest = fs::read_to_string(folder.path().join("broken/exercise.json")).unwrap();
    assert!(!manifest.contains("4711"), "the manifest gives the fault away");
}

#[test]
fn what_there_is_no_exercise_of_is_refused_before_anything_is_built() {
    let assert = xtask().args(["judge", "new", "conv2", "-o", "nowhere"]).assert().code(2);
    assert!(stderr(&assert).contains("did you mean `conv2d`?"), "{}", stderr(&assert));
    let assert = xtask().args(["judge", "break", "adam", "--seed", "1", "-o", "nowhere"]).assert().code(2);
    assert!(stderr(&assert).contains("there is no broken backward of `adam`"), "{}", stderr(&assert));
    let assert = xtask().args(["judge", "no-such-folder"]).assert().code(2);
    assert!(stderr(&assert).contains("no-such-folder is no exercise"), "{}", stderr(&assert));
    let assert = xtask().args(["judge", "key", "conv2d"]).assert().code(2);
    assert!(stderr(&assert).contains("--seed"), "{}", stderr(&assert));
}
