//! What a user who is not root may not read or write.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use backproof_tests::small::{folder, small, train};
use backproof_tests::{program, root};

/// `program` in `folder` as `nobody`, who has no home directory.
pub(crate) fn as_nobody(folder: &Path, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BACKPROOF_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).env("HOME", "/nonexistent").env("NO_COLOR", "1");
    command
}

/// A folder where anybody may do anything, with the program, two sweeps, a run, its weights, a picture and a data set
/// whose files are cut.
fn place() -> tempfile::TempDir {
    let place = folder();
    let at = |name: &str| place.path().join(name);
    fs::copy(program(), at("backproof")).unwrap();
    train(place.path(), &[]).assert().success();
    fs::rename(fs::canonicalize(small(place.path())).unwrap(), at("run")).unwrap();
    fs::copy(at("run/checkpoints/last/weights.safetensors"), at("weights.safetensors")).unwrap();
    fs::copy(root().join("tests/fixtures/digits/3.png"), at("3.png")).unwrap();
    fs::copy(at("small.toml"), at("base.toml")).unwrap();
    fs::write(at("sweep.toml"), "base = \"small.toml\"\nseeds = [1]\n").unwrap();
    fs::write(at("other.toml"), "base = \"base.toml\"\nseeds = [1]\n").unwrap();
    fs::create_dir_all(at("data/mnist")).unwrap();
    for name in
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    {
        fs::write(at("data/mnist").join(name), [0; 99]).unwrap();
    }
    assert!(Command::new("chmod").args(["-R", "a+rwX", "."]).current_dir(place.path()).status().unwrap().success());
    place
}

/// Exit code, stdout and stderr of a command line that `nobody` types.
fn typed(place: &Path, line: &str) -> (Option<i32>, String, String) {
    let output = as_nobody(place, &place.join("backproof")).args(line.split(' ')).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(!err.contains("panicked"), "{line}: {err}");
    (output.status.code(), out, err)
}

/// Every file of a folder with its content, and what it may hold in other folders.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => found.extend(contents(&path)),
            false => found.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

/// Runs `test` while `path` has the permissions `mode`.
fn with_mode(path: &Path, mode: u32, test: impl FnOnce()) {
    let before = fs::metadata(path).unwrap().permissions();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    test();
    fs::set_permissions(path, before).unwrap();
}

pub(crate) fn what_another_user_may_not_read_is_told_with_its_cause() {
    let place = place();
    let run = contents(&place.path().join("run"));
    let mnist = "train --smoke --set data.dataset=mnist --data-dir data";
    let init = "train -c small.toml --set model.init_from";
    // What nobody may read; what is typed; the exit code; what is told beside `Permission denied`.
    for (forbidden, line, code, words) in [
        ("small.toml", "train -c small.toml", 2, "error: the config cannot be read: Permission denied"),
        ("small.toml", "config check small.toml", 2, "--> small.toml"),
        ("small.toml", "params small.toml", 2, "--> small.toml"),
        ("small.toml", "sweep sweep.toml", 2, "(small.toml)\n  --> sweep.toml:1:8"),
        ("sweep.toml", "sweep sweep.toml", 2, "--> sweep.toml"),
        ("base.toml", "sweep other.toml", 2, "(base.toml)\n  --> other.toml:1:8"),
        ("data/mnist/train-images-idx3-ubyte", mnist, 1, "cannot read `data/mnist/train-images-idx3-ubyte`"),
        ("data/mnist", mnist, 1, "cannot read `data/mnist/train-images-idx3-ubyte`"),
        ("data", mnist, 1, "cannot read `data/mnist/train-images-idx3-ubyte`"),
        ("data/mnist", "data verify mnist --data-dir data", 3, "mnist/t10k-images-idx3-ubyte: cannot be read: "),
        ("data/mnist", "data verify mnist --data-dir data", 3, "error: 4 files cannot be read"),
        (
            "data/mnist",
            "doctor --data-dir data",
            0,
            "mnist             cannot read data/mnist/train-images-idx3-ubyte: ",
        ),
        ("weights.safetensors", "evaluate run --weights weights.safetensors", 1, "cannot read weights.safetensors"),
        ("weights.safetensors", "predict run 3.png --weights weights.safetensors", 1, "cannot read weights.safe"),
        ("weights.safetensors", &format!("{init}=weights.safetensors"), 1, "/weights.safetensors\n"),
        ("3.png", "predict run 3.png", 1, "cannot read `3.png`"),
        ("run", "evaluate run", 1, "/run/run.json\n"),
        ("run", &format!("{init}=run"), 1, "/run/run.json\n"),
        ("run/run.json", "report run", 1, "/run/run.json\n"),
        ("run/config.toml", "resume run --iterations 30", 2, "/run/config.toml"),
        ("run/checkpoints", "evaluate run", 1, "/run/checkpoints/last/state.json\n"),
        // A run must not begin again because its checkpoints may not be looked at.
        ("run/checkpoints", "resume run --iterations 30", 1, "/run/checkpoints/last/state.json\n"),
        ("run/checkpoints/last", "resume run --iterations 30", 1, "/run/checkpoints/last/state.json\n"),
        ("run/checkpoints/last/state.json", "predict run 3.png", 1, "/run/checkpoints/last/state.json\n"),
        ("run/checkpoints/last/weights.safetensors", "evaluate run", 1, "/checkpoints/last/weights.safetensors\n"),
        ("run/checkpoints/last/optimizer.bpk", "resume run --iterations 30", 1, "/checkpoints/last/optimizer.bpk\n"),
        ("run/normalizer.json", "predict run 3.png", 1, "/run/normalizer.json\n"),
        ("run/metrics.jsonl", "resume run --iterations 30", 1, "/run/metrics.jsonl\n"),
        ("run/log.txt", "resume run --iterations 30", 1, "/run/log.txt\n"),
    ] {
        with_mode(&place.path().join(forbidden), 0, || {
            let (found, out, err) = typed(place.path(), line);
            let text = format!("{out}{err}");
            assert_eq!(found, Some(code), "{forbidden}, {line}: {text}");
            assert!(text.contains(words) && text.contains("Permission denied"), "{forbidden}, {line}: {text}");
            assert!(!text.contains("missing") && !text.contains("no checkpoint"), "{forbidden}, {line}: {text}");
        });
        let now = contents(&place.path().join("run"));
        let changed: Vec<_> = run.iter().filter(|file| !now.contains(file)).map(|(path, _)| path).collect();
        assert!(changed.is_empty(), "{forbidden}, {line}: {changed:?}");
    }
    // A report says what it lacks.
    with_mode(&place.path().join("run/metrics.jsonl"), 0, || {
        let (code, out, err) = typed(place.path(), "report run");
        assert_eq!(code, Some(0), "{out}{err}");
        assert!(err.contains("warning: The curves are missing: cannot read "), "{err}");
        assert!(err.contains("/run/metrics.jsonl: Permission denied"), "{err}");
    });
}

pub(crate) fn what_another_user_may_not_write_is_told_with_its_cause() {
    const READABLE: u32 = 0o555;
    let place = place();
    // What nobody may write; what is typed; the exit code; what is told beside `Permission denied`.
    for (forbidden, line, code, words) in [
        ("runs", "train -c small.toml --name other", 1, "error: cannot write runs/other\n"),
        ("runs/small", "train -c small.toml", 1, "error: cannot write runs/small/"),
        ("runs", "sweep sweep.toml", 1, "error: cannot write runs/sweeps/"),
        ("run", "report run", 1, "/run/figures\n"),
        ("run/checkpoints", "resume run --iterations 30", 1, "/run/checkpoints/last\n"),
        ("run/evaluation", "evaluate run", 0, "warning: the result is not kept in the run folder: cannot write "),
        ("data", "data fetch fashion-mnist --data-dir data", 1, "error: cannot create `data/.lock`\n"),
        (".", "compare-runs run run", 1, "error: cannot write comparison"),
        (".", "evaluate run --logits logits.safetensors", 1, "error: cannot write logits.safetensors\n"),
    ] {
        with_mode(&place.path().join(forbidden), READABLE, || {
            let (found, out, err) = typed(place.path(), line);
            assert_eq!(found, Some(code), "{forbidden}, {line}: {out}{err}");
            assert!(err.contains(words) && err.contains("Permission denied"), "{forbidden}, {line}: {err}");
        });
    }
}
