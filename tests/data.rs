//! The `data` command and data folders, as typed. Nothing here asks the network.

use std::fs;

use backproof_tests::{backproof, stderr, stdout};

#[test]
fn missing_data_is_an_error_that_lists_every_file_its_address_and_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let config = "\
        [data]\ndataset = \"mnist\"\n[model]\nname = \"mnist-baseline\"\n\
        [optimizer]\nlearning_rate = 0.1\n[training]\niterations = 10\n";
    fs::write(folder.path().join("mnist.toml"), config).unwrap();
    let assert = backproof(folder.path()).args(["train", "-c", "mnist.toml", "--data-dir", "there"]).assert().code(1);
    let text = stderr(&assert);
    for name in
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    {
        assert!(text.contains(&format!("https://storage.googleapis.com/cvdf-datasets/mnist/{name}.gz")), "{text}");
        assert!(text.contains(&format!("there/mnist/{name}")), "{text}");
    }
    assert!(text.contains("cargo xtask data fetch mnist"), "{text}");
    assert!(!folder.path().join("runs").exists(), "no run folder is made for a run that cannot begin");
}

/// The layout in which torchvision has CIFAR-10.
#[test]
fn the_python_version_of_cifar_10_is_named_and_what_is_read_instead() {
    let folder = tempfile::tempdir().unwrap();
    let batches = folder.path().join("cifar-10-batches-py");
    fs::create_dir(&batches).unwrap();
    for name in ["batches.meta", "data_batch_1", "data_batch_2", "test_batch"] {
        fs::write(batches.join(name), b"\x80\x02}q").unwrap();
    }
    for data_dir in [".", "cifar-10-batches-py"] {
        let mut command = backproof(folder.path());
        command.args(["train", "--smoke", "--set", "data.dataset=cifar-10", "--set", "model.name=cifar-baseline"]);
        let text = stderr(&command.args(["--data-dir", data_dir]).assert().code(1));
        let sentence = "` is the Python version of cifar-10, which Backproof does not read; it reads the binary version, \
                        cifar-10-binary.tar.gz\n";
        assert!(text.contains("6 files of cifar-10 are missing:") && text.contains(sentence), "{text}");
        assert!(!text.contains("similar name"), "{text}");
        assert!(text.contains("help: `cargo xtask data fetch cifar-10` downloads them"), "{text}");
    }
}

#[test]
fn verify_says_what_is_missing_and_exits_with_3() {
    let folder = tempfile::tempdir().unwrap();
    let assert = backproof(folder.path()).args(["data", "verify", "cifar-10", "--data-dir", "."]).assert().code(3);
    assert_eq!(stdout(&assert).matches(": missing; from https://").count(), 6, "{}", stdout(&assert));
}

#[test]
fn a_damaged_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mnist")).unwrap();
    fs::write(folder.path().join("mnist/t10k-labels-idx1-ubyte"), b"<html>not found</html>").unwrap();
    let assert = backproof(folder.path()).args(["data", "verify", "mnist", "--data-dir", "."]).assert().code(3);
    assert!(stdout(&assert).contains("t10k-labels-idx1-ubyte: damaged: "), "{}", stdout(&assert));
}

#[test]
fn the_data_folder_is_the_flag_then_the_variable_then_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let path = |command: &mut assert_cmd::Command| stdout(&command.args(["data", "path"]).assert().success());
    let flag = stdout(&backproof(folder.path()).args(["data", "path", "--data-dir", "flag"]).assert().success());
    assert_eq!(flag, "flag\n");
    assert_eq!(path(backproof(folder.path()).env("BACKPROOF_DATA_DIR", "variable")), "variable\n");
    let cache = path(backproof(folder.path()).env("XDG_CACHE_HOME", "/cache"));
    assert_eq!(cache, "/cache/backproof\n");
}

#[test]
fn a_misspelt_data_set_gets_the_nearest_name() {
    let folder = tempfile::tempdir().unwrap();
    let assert = backproof(folder.path()).args(["data", "fetch", "cifar10"]).assert().code(2);
    assert!(stderr(&assert).contains("help: did you mean `cifar-10`?"), "{}", stderr(&assert));
}

#[test]
fn the_sample_needs_no_download() {
    let folder = tempfile::tempdir().unwrap();
    let text = stdout(&backproof(folder.path()).args(["data", "fetch", "mnist-sample"]).assert().success());
    assert_eq!(text, "mnist-sample: comes with the program\n");
}
