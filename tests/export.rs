//! `export`, as typed. `tests/machine/export` runs what it writes in ONNX Runtime and PyTorch.

use std::fs;
use std::path::Path;

use backproof_tests::{backproof, latest, stderr, stdout, xtask};

const RUN: &str = "runs/quickstart/latest";

fn smoke_run(set: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let set = set.iter().flat_map(|set| ["--set", set]);
    backproof(folder.path()).args(["train", "--smoke"]).args(set).assert().success();
    folder
}

fn export(folder: &Path, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = backproof(folder);
    command.arg("export").args(arguments);
    command
}

#[test]
fn a_run_becomes_an_onnx_file_and_a_pytorch_module_the_same_each_time() {
    let folder = smoke_run(&[]);
    let assert = export(folder.path(), &[RUN, "new/one.onnx", "--pytorch", "module"]).assert().success();
    assert_eq!(
        stdout(&assert),
        "onnx         new/one.onnx: input f32 [N, 1, 28, 28] → logits f32 [N, 10]\n\
         pytorch      module: `python check.py` there compares it with Backproof\n"
    );
    assert_eq!(stderr(&assert), "");
    let one = fs::read(folder.path().join("new/one.onnx")).unwrap();
    let has = |text: &str| one.windows(text.len()).any(|window| window == text.as_bytes());
    for text in ["conv1.weight", "linear1.bias", "mnist-baseline", "\"9\"]", "standardize", "test_accuracy"] {
        assert!(has(text), "{text}");
    }
    // Over another file, whatever is in it.
    fs::write(folder.path().join("two.onnx"), "old").unwrap();
    export(folder.path(), &[RUN, "two.onnx"]).assert().success();
    assert!(fs::read(folder.path().join("two.onnx")).unwrap() == one);
    let readme = fs::read_to_string(folder.path().join("module/README.md")).unwrap();
    assert!(readme.contains("% of the test images right"), "{readme}");
    export(folder.path(), &[RUN, "--pytorch", "module"]).assert().success();

    // The weights of a file, whose accuracy nobody has measured.
    let weights = format!("{RUN}/checkpoints/last/weights.safetensors");
    export(folder.path(), &[RUN, "three.onnx", "--weights", &weights, "--pytorch", "module"]).assert().success();
    assert!(!fs::read_to_string(folder.path().join("module/README.md")).unwrap().contains('%'));
}

#[test]
fn an_evaluation_over_several_views_is_not_exported_and_that_is_said() {
    let folder = smoke_run(&["evaluation.views=mirror"]);
    let text = stderr(&export(folder.path(), &[RUN, "a.onnx"]).assert().success());
    assert!(text.starts_with("note: the run has `evaluation.views = \"mirror\"`, the mean over 2 views"), "{text}");
}

#[test]
fn wrong_arguments_are_refused_with_a_way_out_before_anything_is_built() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    fs::create_dir(folder.path().join("folder.onnx")).unwrap();
    let target = folder.path().join("target");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, model) = (path("file"), path("folder.onnx"));
    for (arguments, said) in [
        (&["run"][..], "error: export into what?"),
        (&["run"], "help: give a file or a folder: `export RUN model.onnx` writes ONNX"),
        (&["run", "model.txt"], "error: model.txt does not end in .onnx\nhelp: `export RUN model.onnx` writes ONNX"),
        (&["run", "model"], "error: model does not end in .onnx"),
        (&["run", &model], "folder.onnx is a folder; expected the name of a file"),
        (&["run", "--pytorch", &file], "file is a file, and --pytorch writes a folder"),
        (&["run", "a.onnx", "--normalize=f16"], "[possible values: f32, u8]"),
        (&["run", "--pytorch", "a", "--probabilities"], "<FILE.onnx>"),
        (&["run", "a.onnx", "--backend", "flax"], "did you mean `flex`?"),
        (&["run", "a.onnx", "--checkpoint", "best", "--weights", "b"], "cannot be used with"),
    ] {
        let assert = xtask().env("CARGO_TARGET_DIR", &target).arg("export").args(arguments).assert().code(2);
        assert!(stderr(&assert).contains(said), "{arguments:?}: {}", stderr(&assert));
    }
    assert!(!target.join("release").exists(), "something was built");
}

#[test]
fn what_cannot_be_exported_or_written_is_told_and_leaves_nothing() {
    let folder = smoke_run(&["data.validation_images=0"]);
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/notes.txt"), "").unwrap();
    for (arguments, code, said) in [
        (&["runs/none", "a.onnx"][..], 2, "there is no run folder runs/none"),
        (&["runs/quickstart", "a.onnx"], 1, "has no run.json; expected a run folder, such as runs/quickstart/latest"),
        (&[RUN, "a.onnx", "--checkpoint", "best"], 1, "`--checkpoint last` is the last one"),
        (&[RUN, "a.onnx", "--weights", "mine/notes.txt"], 1, "mine/notes.txt"),
        (&[RUN, "mine/notes.txt/a.onnx"], 1, "error: cannot write mine/notes.txt"),
        (&[RUN, "--pytorch", "mine/notes.txt/a"], 1, "error: cannot write mine/notes.txt/a"),
        (&[RUN, "a.onnx", "--pytorch", "mine"], 2, "error: mine has other files: notes.txt"),
        (&[RUN, "--pytorch", "mine"], 2, "error: mine has other files: notes.txt\nhelp: give a folder that is empty"),
    ] {
        let assert = export(folder.path(), arguments).assert().code(code);
        assert!(stderr(&assert).contains(said), "{arguments:?}: {}", stderr(&assert));
    }
    let names = |folder: &Path| fs::read_dir(folder).unwrap().count();
    assert_eq!((names(folder.path()), names(&folder.path().join("mine"))), (2, 1), "runs, mine; notes.txt");
}

#[test]
fn a_run_that_diverged_has_its_last_good_checkpoint_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let train = |set: &[&str]| {
        let set = set.iter().flat_map(|set| ["--set", set]);
        backproof(folder.path()).arg("train").args(set).assert().code(4);
    };
    // The first step leaves weights of 10²⁹, with which no output is finite.
    train(&["training.iterations=400", "training.checkpoint_every=1", "optimizer.learning_rate=1e30"]);
    let text = stderr(&export(folder.path(), &[RUN, "a.onnx"]).assert().code(1));
    assert!(text.contains("the weights are so large that the network's output is not finite"), "{text}");
    train(&["training.iterations=400", "training.checkpoint_every=300", "optimizer.learning_rate=1e30"]);
    let text = stderr(&export(folder.path(), &[RUN, "a.onnx"]).assert().code(1));
    assert!(text.contains("there is no checkpoint ") && text.contains("a lower optimizer.learning_rate"), "{text}");
    assert!(!folder.path().join("a.onnx").exists());
    // A sound one, as if the steps after it had gone wrong.
    let sound = smoke_run(&[]);
    let record = latest(sound.path(), "quickstart").join("run.json");
    let text = fs::read_to_string(&record).unwrap().replace("\"status\": \"done\"", "\"status\": \"diverged\"");
    fs::write(&record, text).unwrap();
    let text = stderr(&export(sound.path(), &[RUN, "a.onnx"]).assert().success());
    assert!(text.contains("exported is its last good checkpoint, of iteration 20"), "{text}");
}
