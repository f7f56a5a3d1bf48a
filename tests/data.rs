//! The `data` command and data folders, as typed. Nothing here asks the network.

use std::fs;

use backproof_tests::{backproof, root, stderr, stdout};

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

/// What torchvision and Keras unpack is read; an archive of it, and the MATLAB version, are not.
#[test]
fn a_version_of_cifar_10_that_is_not_read_is_named_with_every_layout_that_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, what) in [
        (
            "cifar-10-python.tar.gz",
            "is an archive with the Python version of cifar-10; unpack it there, with `tar -xzf`",
        ),
        ("cifar-10-matlab.tar.gz", "is the MATLAB version of cifar-10, which Backproof does not read"),
    ] {
        fs::write(folder.path().join(name), b"packed").unwrap();
        let mut command = backproof(folder.path());
        command.args(["train", "--smoke", "--set", "data.dataset=cifar-10", "--set", "model.name=cifar-baseline"]);
        let text = stderr(&command.args(["--data-dir", "."]).assert().code(1));
        assert!(text.contains("6 files of cifar-10 are missing:"), "{text}");
        assert!(text.contains(&format!("`./{name}` {what}\n")), "{text}");
        assert!(text.contains("\nthese files may also lie in `cifar-10-batches-bin`, `cifar-10` or"), "{text}");
        let python =
            "\nor the Python version from https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz: `data_batch";
        assert!(text.contains(python), "{text}");
        assert!(text.contains("help: `cargo xtask data fetch cifar-10` downloads them"), "{text}");
        fs::remove_file(folder.path().join(name)).unwrap();
    }
}

#[test]
fn a_pickle_that_is_none_is_named_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let batches = folder.path().join("cifar-10-batches-py");
    fs::create_dir(&batches).unwrap();
    for batch in ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"] {
        fs::write(batches.join(batch), b"\x80\x02cos\nsystem\nU\x0ctouch created\x85R.").unwrap();
    }
    let mut command = backproof(folder.path());
    command.args(["train", "--smoke", "--set", "data.dataset=cifar-10", "--set", "model.name=cifar-baseline"]);
    let text = stderr(&command.args(["--data-dir", "."]).assert().code(1));
    assert!(
        text.contains("cifar-10-batches-py/data_batch_1` is a pickle that calls `os.system`; expected a"),
        "{text}"
    );
    assert!(!folder.path().join("created").exists());
    let assert = backproof(folder.path()).args(["data", "verify", "--data-dir", "."]).assert().code(3);
    let text = stdout(&assert);
    assert_eq!(text.matches(": damaged: is a pickle that calls `os.system`").count(), 6, "{text}");
    assert!(text.contains("\nnot here: mnist, fashion-mnist, cifar-100, "), "{text}");
}

/// Files of CIFAR-100 with the right labels, and images of one colour for each class.
#[test]
fn a_network_by_name_trains_on_100_classes_and_on_their_20_superclasses() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("cifar-100-binary");
    fs::create_dir(&files).unwrap();
    for (name, count) in [("train.bin", 50_000), ("test.bin", 10_000)] {
        let mut records = Vec::with_capacity(count * 3_074);
        for image in 0..count {
            let class = (image % 100) as u8;
            records.extend([class / 5, class]);
            for channel in [class / 25 * 60, class / 5 % 5 * 50, class % 5 * 50] {
                records.extend([channel; 1_024]);
            }
        }
        fs::write(files.join(name), records).unwrap();
    }
    for (name, classes) in [("cifar-100", 100), ("cifar-100-coarse", 20)] {
        let set = format!("data.dataset={name}");
        let mut command = backproof(folder.path());
        command.args(["train", "--set", &set, "--set", "model.name=cifar-baseline", "--data-dir", ".", "--name", name]);
        command.args(["--set", "training.iterations=60", "--set", "data.augmentation={}"]);
        command.args(["--set", "expect.test_accuracy=0"]).assert().success();
        let run = folder.path().join("runs").join(name).join("latest");
        let config = fs::read_to_string(run.join("config.toml")).unwrap();
        assert!(config.contains(&format!("name = \"cifar-baseline-3x32x32-{classes}\"")), "{config}");
        let result: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(run.join("evaluation/result.json")).unwrap()).unwrap();
        let accuracy = result["accuracy"].as_f64().unwrap();
        assert!(accuracy > 2.0 / f64::from(classes), "better than chance: {accuracy}");
    }
    let list = stdout(&backproof(folder.path()).args(["data", "list", "--data-dir", "."]).assert().success());
    let row = |name: &str| list.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{list}"));
    assert!(row("cifar-100 ").contains("100") && row("cifar-100 ").contains("./cifar-100-binary"), "{list}");
    assert!(row("svhn ").ends_with("no") && row("mnist-sample ").ends_with("part of the program"), "{list}");
    let verify = stdout(&backproof(folder.path()).args(["data", "verify", "--data-dir", "."]).assert().success());
    assert_eq!(verify.matches(": not as published: SHA-256 ").count(), 4, "{verify}");
}

#[test]
fn verify_says_what_is_missing_and_exits_with_3() {
    let folder = tempfile::tempdir().unwrap();
    let assert = backproof(folder.path()).args(["data", "verify", "cifar-10", "--data-dir", "."]).assert().code(3);
    assert_eq!(stdout(&assert).matches(": missing; from https://").count(), 6, "{}", stdout(&assert));
}

#[test]
fn the_table_of_the_docs_has_every_data_set_with_its_sizes() {
    let docs = fs::read_to_string(root().join("docs/data-sets.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let list = stdout(&backproof(folder.path()).args(["data", "list", "--data-dir", "."]).assert().success());
    let with_commas = |digits: &str| match digits.len() {
        0..=3 => digits.to_owned(),
        length => format!("{},{}", &digits[..length - 3], &digits[length - 3..]),
    };
    assert!(list.lines().count() > 10, "{list}");
    for line in list.lines().skip(1) {
        let [name, classes, image, training, test] = line.split_whitespace().collect::<Vec<_>>()[..5] else {
            panic!("{line}");
        };
        let row =
            docs.lines().find(|row| row.starts_with(&format!("| `{name}` |"))).unwrap_or_else(|| panic!("{name}"));
        let (training, test) = (with_commas(training), with_commas(test));
        assert!(row.contains(&format!("| {classes} | {image} | {training} | {test} |")), "{row}\n{line}");
    }
}

#[test]
fn verify_without_a_name_is_about_what_is_here() {
    let folder = tempfile::tempdir().unwrap();
    let assert = backproof(folder.path()).args(["data", "verify", "--data-dir", "."]).assert().code(3);
    assert!(stdout(&assert).starts_with("not here: mnist, fashion-mnist, "), "{}", stdout(&assert));
    assert!(stderr(&assert).starts_with("error: no data set is here\nhelp: "), "{}", stderr(&assert));
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
