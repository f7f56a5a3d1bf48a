//! Checkpoints and run folders that are damaged, foreign, or of another version.

use std::fs;
use std::path::Path;

use backproof_tests::{backproof, json, latest, root, stderr, stdout};

use backproof_tests::small::{assert_same, folder, resume, small, train};

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// The fixture of that name as a run in `folder`.
fn fixture(folder: &Path, name: &str) {
    let (from, to) = (root().join("tests/fixtures/runs").join(name), latest(folder, "small"));
    for name in ["", "checkpoints", "checkpoints/last", "checkpoints/best", "evaluation"] {
        fs::create_dir_all(to.join(name)).unwrap();
        for file in fs::read_dir(from.join(name)).unwrap().map(|entry| entry.unwrap().path()) {
            if file.is_file() {
                fs::copy(&file, to.join(name).join(file.file_name().unwrap())).unwrap();
            }
        }
    }
}

#[test]
fn a_run_of_every_earlier_version_is_read_resumed_and_reported() {
    for version in [1, 2, 3] {
        let folder = folder();
        fixture(folder.path(), &format!("schema-{version}"));
        let run = small(folder.path());
        assert_eq!(json(&run.join("checkpoints/last/state.json"))["schema_version"], version);
        let expected = json(&run.join("evaluation/result.json"));
        let assert = backproof(folder.path()).args(["evaluate", "runs/small/latest", "--json"]).assert().success();
        let found: serde_json::Value = serde_json::from_str(&stdout(&assert)).unwrap();
        // Another processor may round otherwise.
        let loss = |result: &serde_json::Value| result["loss"].as_f64().unwrap();
        assert!((loss(&found) - loss(&expected)).abs() < 1e-4, "version {version}: {found}");
        backproof(folder.path()).args(["report", "runs/small/latest"]).assert().success();
        resume(folder.path()).args(["--checkpoint", "best", "--iterations", "25"]).assert().success();
        resume(folder.path()).args(["--iterations", "30"]).assert().success();
        assert_eq!(json(&run.join("checkpoints/last/state.json"))["position"]["iteration"], 30);
        assert_eq!(json(&run.join("checkpoints/last/state.json"))["schema_version"], 3, "it is written anew");
    }
}

/// Up to schema version 1 of `run.json`, `engine = "manual"` meant the plan of CPU kernels.
#[test]
fn a_run_of_the_manual_engine_of_version_2_goes_on_to_the_bits_that_it_had() {
    let folder = folder();
    fixture(folder.path(), "schema-2-manual");
    let run = small(folder.path());
    let read = |run: &Path| fs::read(run.join("checkpoints/last/weights.safetensors")).unwrap();
    resume(folder.path()).env("BACKPROOF_KERNELS", "portable").args(["--checkpoint", "best"]).assert().success();
    assert_eq!(json(&run.join("checkpoints/last/state.json"))["position"]["iteration"], 24);
    assert!(read(&run) == read(&root().join("tests/fixtures/runs/schema-2-manual")), "the weights differ");
}

#[test]
fn a_newer_or_foreign_file_is_refused_with_a_sentence() {
    let newer = "has schema version 99: a newer backproof wrote it; expected version 1";
    for (name, sentence) in [("checkpoints/last/state.json", newer), ("run.json", newer), ("normalizer.json", newer)] {
        let folder = folder();
        train(folder.path(), &[]).assert().success();
        edit(&small(folder.path()).join(name), "\"schema_version\":", "\"schema_version\":99,\"other\":");
        let picture = root().join("tests/fixtures/digits/3.png");
        let assert = match name {
            "normalizer.json" => backproof(folder.path()).args(["predict", "runs/small/latest"]).arg(picture).assert(),
            _ => resume(folder.path()).args(["--iterations", "30"]).assert(),
        };
        let text = stderr(&assert.code(1));
        assert!(text.contains(sentence), "{name}: {text}");
    }
    let folder = folder();
    train(folder.path(), &[]).assert().success();
    for text in ["", "[]", "{}", "{\"schema_version\": \"1\"}", "\u{feff}", "{\"schema_version\": -1}"] {
        fs::write(small(folder.path()).join("checkpoints/last/state.json"), text).unwrap();
        let text = stderr(&resume(folder.path()).args(["--iterations", "30"]).assert().code(1));
        let reasons = ["state.json has no schema version (", "state.json cannot be read ("];
        assert!(reasons.iter().any(|reason| text.contains(reason)), "{text}");
        assert!(text.contains("help: `--checkpoint best` takes the one of iteration 16, which is sound"), "{text}");
    }
}

#[test]
fn after_a_damaged_last_checkpoint_the_best_one_gives_the_same_run() {
    let whole = folder();
    train(whole.path(), &[]).assert().success();
    for name in ["weights.safetensors", "optimizer.bpk", "config.toml", "state.json"] {
        let folder = folder();
        train(folder.path(), &[]).assert().success();
        let run = small(folder.path());
        let path = run.join("checkpoints/last").join(name);
        fs::write(&path, &fs::read(&path).unwrap()[..200]).unwrap();
        // As a killed run has it.
        edit(&run.join("run.json"), "\"done\"", "\"running\"");
        let text = stderr(&resume(folder.path()).assert().code(1));
        assert!(text.contains(&format!("checkpoints/last/{name}")), "{text}");
        assert!(text.contains("help: `--checkpoint best` takes the one of iteration 16, which is sound"), "{text}");
        resume(folder.path()).args(["--checkpoint", "best"]).assert().success();
        assert_same(&small(whole.path()), &run, name);

        fs::write(run.join("checkpoints/best/weights.safetensors"), "").unwrap();
        fs::write(run.join("checkpoints/last/weights.safetensors"), "").unwrap();
        let text = stderr(&backproof(folder.path()).args(["evaluate", "runs/small/latest"]).assert().code(1));
        assert!(text.contains("help: no checkpoint of this run is sound"), "{text}");
        fs::remove_dir_all(run.join("checkpoints/best")).unwrap();
        let text = stderr(&resume(folder.path()).args(["--checkpoint", "best"]).assert().code(1));
        assert!(text.contains("there is no checkpoint"), "{text}");
    }
}

#[test]
fn a_config_that_was_changed_since_the_checkpoint_is_refused() {
    let folder = folder();
    train(folder.path(), &[]).assert().success();
    let config = small(folder.path()).join("config.toml");
    edit(&config, "learning_rate = 0.01", "learning_rate = 0.02");
    let text = stderr(&resume(folder.path()).args(["--iterations", "30"]).assert().code(2));
    assert!(text.contains("now `learning_rate = 0.02`, then `learning_rate = 0.01`"), "{text}");
    edit(&config, "learning_rate = 0.02", "learning_rate = 0.01");
    edit(&config, "checkpoint_every = 8", "checkpoint_every = 3");
    resume(folder.path()).args(["--iterations", "30"]).assert().success();
}

#[test]
fn other_data_than_the_run_began_with_is_refused() {
    let folder = folder();
    train(folder.path(), &[]).assert().success();
    edit(
        &small(folder.path()).join("run.json"),
        "\"test-labels-idx1-ubyte\": \"2b",
        "\"test-labels-idx1-ubyte\": \"00",
    );
    let text = stderr(&resume(folder.path()).args(["--iterations", "30"]).assert().code(1));
    assert!(text.contains("test-labels-idx1-ubyte is not what the run began with"), "{text}");
}

#[test]
fn a_validation_part_of_zero_cannot_be_evaluated_on() {
    let folder = folder();
    train(folder.path(), &["data.validation_images=0"]).assert().success();
    let assert =
        backproof(folder.path()).args(["evaluate", "runs/small/latest", "--split", "validation"]).assert().code(2);
    assert!(stderr(&assert).contains("error: the run has no validation images"), "{}", stderr(&assert));
    assert!(stderr(&assert).contains("help: `validation_images` under [data]"), "{}", stderr(&assert));
}
