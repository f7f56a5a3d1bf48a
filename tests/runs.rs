//! Training, resuming and evaluating, as typed, on the bundled digits.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use backproof_tests::{backproof, json, latest, program, send, stderr, stdout, train};

fn read(run: &Path, name: &str) -> Vec<u8> {
    fs::read(run.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What must be equal to the last bit between two runs that are the same run.
fn assert_same_outcome(one: &Path, other: &Path) {
    for name in ["checkpoints/last/weights.safetensors", "evaluation/predictions.csv", "evaluation/result.json"] {
        assert!(read(one, name) == read(other, name), "{name} differs");
    }
    let state = |run: &Path| json(&run.join("checkpoints/last/state.json"))["weights_sha256"].clone();
    assert_eq!(state(one), state(other));
    assert_eq!(figures(one), figures(other));
}

/// The lines of `metrics.jsonl` without the figures that the clock gives.
fn figures(run: &Path) -> Vec<serde_json::Value> {
    let text = String::from_utf8(read(run, "metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let mut report: serde_json::Value = serde_json::from_str(line).unwrap();
            let report_object = report.as_object_mut().unwrap();
            for clock in ["images_per_second", "seconds", "seconds_left"] {
                assert!(report_object.remove(clock).is_some());
            }
            report
        })
        .collect()
}

#[test]
fn a_smoke_run_leaves_every_file_of_a_run_folder() {
    let folder = tempfile::tempdir().unwrap();
    let assert = backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    let run = latest(folder.path(), "quickstart");
    let text = stdout(&assert);
    assert!(text.contains("network      mnist-baseline: 14682 trainable parameters"), "{text}");
    let real = fs::canonicalize(&run).unwrap();
    assert!(text.contains(real.file_name().unwrap().to_str().unwrap()), "the run folder is not named:\n{text}");

    let record = json(&run.join("run.json"));
    assert_eq!(record["schema_version"], 3);
    assert_eq!(record["status"], "done");
    assert_eq!(record["backend"], "flex");
    assert_eq!(record["trainable_parameters"], 14_682);
    assert_eq!(record["versions"]["burn"], "0.22.1");

    let result = json(&run.join("evaluation/result.json"));
    assert_eq!(result["images"], 500);
    assert_eq!(result["classes"].as_array().unwrap().len(), 10);

    let predictions = String::from_utf8(read(&run, "evaluation/predictions.csv")).unwrap();
    assert_eq!(predictions.lines().count(), 501);
    for line in predictions.lines().skip(1) {
        let fields: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        let sum: f64 = fields[3..].iter().sum();
        assert!((sum - 1.0).abs() < 1e-12, "probabilities sum to {sum}");
    }
    let confusion = String::from_utf8(read(&run, "evaluation/confusion.csv")).unwrap();
    for line in confusion.lines().skip(1) {
        let row: usize = line.split(',').skip(1).map(|field| field.parse::<usize>().unwrap()).sum();
        assert_eq!(row, 50, "each class has 50 test images");
    }
    for name in ["config.toml", "log.txt", "checkpoints/best/weights.safetensors", "checkpoints/last/optimizer.bpk"] {
        assert!(run.join(name).is_file(), "{name} is missing");
    }
    let iterations: Vec<_> = figures(&run).iter().map(|report| report["iteration"].as_u64().unwrap()).collect();
    assert_eq!(iterations, [5, 10, 15, 20]);
}

#[test]
fn the_config_of_a_run_folder_makes_the_same_run_again() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    let first = fs::canonicalize(latest(folder.path(), "quickstart")).unwrap();
    backproof(folder.path()).args(["train", "-c"]).arg(first.join("config.toml")).assert().success();
    let second = fs::canonicalize(latest(folder.path(), "quickstart")).unwrap();
    assert_ne!(first, second, "a run folder is never used again");
    assert_eq!(read(&first, "config.toml"), read(&second, "config.toml"));
    assert_same_outcome(&first, &second);
}

#[test]
fn another_seed_makes_another_run() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    let first = fs::canonicalize(latest(folder.path(), "quickstart")).unwrap();
    backproof(folder.path()).args(["train", "--smoke", "--set", "seed=2"]).assert().success();
    let second = fs::canonicalize(latest(folder.path(), "quickstart")).unwrap();
    assert_ne!(read(&first, "evaluation/predictions.csv"), read(&second, "evaluation/predictions.csv"));
}

#[test]
fn every_engine_trains_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let losses = |engine: &str, set: &[&str]| -> Vec<f64> {
        let engine = format!("engine={engine}");
        let short = [engine.as_str(), "training.iterations=20", "training.report_every=1", "expect.test_accuracy=0"];
        train(folder.path(), &[&short[..], set].concat()).assert().success();
        let run = latest(folder.path(), "quickstart");
        figures(&run).iter().map(|report| report["classification_loss"].as_f64().unwrap()).collect()
    };
    let weights = "training.class_weights=[1, 2, 1, 0.5, 1, 1, 3, 1, 1, 1]";
    let softened = ["training.label_smoothing=0.2", weights];
    for set in [&[][..], &softened, &["training.class_weights=balanced"]] {
        let autodiff = losses("autodiff", set);
        assert_eq!(autodiff.len(), 20);
        for engine in ["manual", "compiled"] {
            for (step, (a, m)) in autodiff.iter().zip(losses(engine, set)).enumerate() {
                assert!(
                    (a - m).abs() < 1e-4 * a.abs(),
                    "{set:?}, step {step}: {a} by autodiff, {m} by engine {engine}"
                );
            }
        }
    }
}

#[test]
fn the_compiled_engine_names_the_layer_without_a_kernel_and_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let layers = r#"model.layers=["flatten", "batch_norm", { type = "linear", out_features = 10 }]"#;
    let assert = train(folder.path(), &["engine=compiled", "model.input=[1, 28, 28]", layers]).assert().code(2);
    let text = stderr(&assert);
    assert!(text.contains("there is no kernel for norm1 (batch norm of flattened images)"), "{text}");
    assert!(text.contains("help: `engine = \"manual\"` trains it"), "{text}");
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn resume_on_other_instructions_warns_that_the_bits_differ() {
    let folder = tempfile::tempdir().unwrap();
    let smoke = ["train", "--smoke", "--set", "engine=compiled"];
    let on = |isa: &str| {
        let mut command = backproof(folder.path());
        command.env("BACKPROOF_KERNELS", isa);
        command
    };
    // Of a machine without vector instructions there is but one set, and nothing to warn of.
    let other = backproof_kernels::Isa::available()[0].name();
    on(other).args(smoke).assert().success();
    let go_on = |iterations: &str| {
        let assert = on("portable").args(["resume", "runs/quickstart/latest", "--iterations", iterations]).assert();
        stderr(&assert.success())
    };
    let warning = format!("warning: iterations up to 20 were computed by engine compiled with {other} on flex");
    assert_eq!(go_on("25").contains(&warning), other != "portable");
    assert!(!go_on("30").contains("warning: "));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for engine in ["engine=manual", "engine=compiled", "engine=autodiff"] {
        let runs = ["1", "2", "4"].map(|threads| {
            let folder = tempfile::tempdir().unwrap();
            let set = [engine, "training.iterations=20", "training.report_every=5", "expect.test_accuracy=0"];
            train(folder.path(), &set).env("RAYON_NUM_THREADS", threads).assert().success();
            folder
        });
        let [one, two, four] = runs.each_ref().map(|folder| latest(folder.path(), "quickstart"));
        assert_same_outcome(&one, &two);
        assert_same_outcome(&one, &four);
    }
}

#[test]
fn a_missed_expectation_exits_with_3() {
    let folder = tempfile::tempdir().unwrap();
    let assert = train(folder.path(), &["training.iterations=5", "expect.test_accuracy=1.0"]).assert().code(3);
    assert!(stderr(&assert).contains("is below the 100.00 % that the experiment expects"), "{}", stderr(&assert));
    assert_eq!(json(&latest(folder.path(), "quickstart").join("run.json"))["status"], "done");
}

#[test]
fn divergence_exits_with_4_and_names_batch_step_and_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let set = ["training.iterations=400", "training.checkpoint_every=1", "optimizer.learning_rate=1e30"];
    let assert = train(folder.path(), &set).assert().code(4);
    let text = stderr(&assert);
    assert!(text.contains("error: training diverged at iteration "), "{text}");
    assert!(text.contains("help: the batch was images "), "{text}");
    assert!(text.contains("checkpoint"), "{text}");
    let run = latest(folder.path(), "quickstart");
    assert_eq!(json(&run.join("run.json"))["status"], "diverged");
}

/// A run that goes on until it is stopped, however slow the machine and the test are. Its learning rate does not depend
/// on where it ends, so that [`assert_goes_on_exactly`] can end it anywhere.
const ENDLESS: [&str; 5] = [
    "training.iterations=1000000",
    "training.report_every=10",
    "training.checkpoint_every=70",
    "optimizer.schedule=constant",
    "expect.test_accuracy=0",
];

/// Starts a run and waits until `file` is in its folder.
fn start(folder: &Path, file: &str) -> Child {
    let mut child = Command::new(program())
        .current_dir(folder)
        .arg("train")
        .args(ENDLESS.iter().flat_map(|set| ["--set", set]))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let file = latest(folder, "quickstart").join(file);
    let begun = Instant::now();
    while !file.exists() {
        assert!(child.try_wait().unwrap().is_none(), "the program ended by itself");
        assert!(begun.elapsed() < Duration::from_secs(120), "no {} in two minutes", file.display());
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

/// Resumes the run in `folder` for 100 iterations more than its last checkpoint has, and asserts that it is then the
/// run that nobody stopped.
fn assert_goes_on_exactly(folder: &Path) {
    let run = latest(folder, "quickstart");
    let stopped = json(&run.join("checkpoints/last/state.json"))["position"]["iteration"].as_u64().unwrap();
    let end = (stopped + 100).to_string();
    backproof(folder).args(["resume", "runs/quickstart/latest", "--iterations", &end]).assert().success();
    assert_eq!(json(&run.join("run.json"))["status"], "done");
    let whole = tempfile::tempdir().unwrap();
    train(whole.path(), &ENDLESS).args(["--set", &format!("training.iterations={end}")]).assert().success();
    assert_same_outcome(&run, &latest(whole.path(), "quickstart"));
}

#[test]
#[cfg(unix)]
fn an_interrupted_run_goes_on_and_ends_as_if_nothing_had_happened() {
    let folder = tempfile::tempdir().unwrap();
    let child = start(folder.path(), "metrics.jsonl");
    send("INT", child.id());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("interrupted; a checkpoint of iteration "), "{text}");
    assert_eq!(json(&latest(folder.path(), "quickstart").join("run.json"))["status"], "interrupted");
    assert_goes_on_exactly(folder.path());
}

#[test]
#[cfg(unix)]
fn a_killed_run_goes_on_from_its_last_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(folder.path(), "checkpoints/last/state.json");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_goes_on_exactly(folder.path());
}

#[test]
fn a_finished_run_goes_on_only_when_more_iterations_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    let assert = backproof(folder.path()).args(["resume", "runs/quickstart/latest"]).assert().code(2);
    assert!(stderr(&assert).contains("iteration 20 of 20: there is nothing left to do"), "{}", stderr(&assert));
    assert!(stderr(&assert).contains("--iterations N"), "{}", stderr(&assert));
    backproof(folder.path()).args(["resume", "runs/quickstart/latest", "--iterations", "30"]).assert().success();
    let iterations: Vec<_> = figures(&latest(folder.path(), "quickstart"))
        .iter()
        .map(|report| report["iteration"].as_u64().unwrap())
        .collect();
    assert_eq!(iterations, [5, 10, 15, 20, 25, 30]);
}

#[test]
fn evaluate_gives_the_result_of_the_run_again() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    let run = latest(folder.path(), "quickstart");
    let written = json(&run.join("evaluation/result.json"));
    let assert = backproof(folder.path()).args(["evaluate", "runs/quickstart/latest", "--json"]).assert().success();
    let printed: serde_json::Value = serde_json::from_str(&stdout(&assert)).unwrap();
    assert_eq!(written, printed);
    backproof(folder.path())
        .args(["evaluate", "runs/quickstart/latest", "--split", "validation", "--checkpoint", "best"])
        .assert()
        .success();
    assert_eq!(json(&run.join("evaluation/validation/result.json"))["split"], "validation");
    assert_eq!(json(&run.join("evaluation/result.json")), written, "the test result is left alone");
}

#[test]
fn a_run_begins_with_the_weights_of_another() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    let first = fs::canonicalize(latest(folder.path(), "quickstart")).unwrap();
    let set =
        ["name=warm", "model.init_from=runs/quickstart/latest", "training.iterations=5", "expect.test_accuracy=0"];
    let assert = train(folder.path(), &set).assert().success();
    let line = "warm start   6 tensors loaded, 0 resized, 0 not loaded, 0 frozen, from ";
    assert!(stdout(&assert).contains(line), "{}", stdout(&assert));
    let run = latest(folder.path(), "warm");
    let record = json(&run.join("run.json"));
    assert_eq!(record["warm_start"]["source"], first.to_str().unwrap());
    assert_eq!(record["warm_start"]["loaded"].as_array().unwrap().len(), 6);
    backproof(folder.path()).args(["resume", "runs/warm/latest", "--iterations", "8"]).assert().success();
    assert_eq!(json(&run.join("run.json"))["warm_start"], record["warm_start"]);
}

#[test]
fn a_warm_start_that_cannot_be_is_a_usage_error_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let assert = train(folder.path(), &["model.init_from=runs/none/latest"]).assert().code(2);
    let text = stderr(&assert);
    assert!(text.contains("error: there are no weights at runs/none/latest to start from"), "{text}");
    assert!(text.contains("help: `model.init_from` takes a run folder"), "{text}");
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn every_loss_and_every_optimizer_trains_and_evaluates() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = ["momentum", "sgd", "adagrad", "rmsprop", "adam", "adamw"];
    let losses = ["cross-entropy", "mean-squared-error", "binary-cross-entropy"];
    for (kind, loss) in kinds.into_iter().zip(losses.into_iter().cycle()) {
        let set =
            [format!("optimizer.kind={kind}"), format!("training.loss={loss}"), "optimizer.learning_rate=1e-3".into()];
        let mut command = train(folder.path(), &set.each_ref().map(String::as_str));
        command.arg("--smoke").assert().success();
        let run = latest(folder.path(), "quickstart");
        let predictions = String::from_utf8(read(&run, "evaluation/predictions.csv")).unwrap();
        for line in predictions.lines().skip(1) {
            let sum: f64 = line.split(',').skip(3).map(|field| field.parse::<f64>().unwrap()).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{loss}: probabilities sum to {sum}");
        }
    }
}

#[test]
fn a_damaged_checkpoint_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    let weights = latest(folder.path(), "quickstart").join("checkpoints/last/weights.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&weights, bytes).unwrap();
    let assert = backproof(folder.path()).args(["evaluate", "runs/quickstart/latest"]).assert().code(1);
    assert!(stderr(&assert).contains("the file was changed or cut"), "{}", stderr(&assert));
}

#[test]
fn a_folder_that_is_no_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let assert = backproof(folder.path()).args(["evaluate", "."]).assert().code(1);
    assert!(stderr(&assert).contains("has no run.json"), "{}", stderr(&assert));
    let assert = backproof(folder.path()).args(["resume", "runs/none/latest"]).assert().code(2);
    assert!(stderr(&assert).contains("there is no run folder runs/none/latest"), "{}", stderr(&assert));
}

#[test]
fn a_network_spelled_out_in_a_config_trains() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("own.toml"),
        r#"
name = "own"
[data]
dataset = "mnist-sample"
[model]
input = [1, 28, 28]
layers = [
    { type = "conv2d", out_channels = 4, kernel = 3, padding = 1, stride = 2 },
    { type = "batch_norm" },
    { type = "leaky_relu" },
    { type = "avg_pool2d", kernel = 2 },
    "flatten",
    { type = "dropout", probability = 0.2 },
    { type = "linear", out_features = 10 },
]
[optimizer]
learning_rate = 0.05
[training]
iterations = 10
"#,
    )
    .unwrap();
    for engine in ["autodiff", "manual"] {
        backproof(folder.path())
            .args(["train", "-c", "own.toml", "--set", &format!("engine={engine}")])
            .assert()
            .success();
    }
}
