//! `bench` as typed, on the smallest network and for moments: that it works, never how fast it is.

use std::fs;

use backproof_tests::{backproof, json, root, stderr, stdout};
use serde_json::Value;

const SHORT: [&str; 9] = ["bench", "--model", "mnist-baseline", "--batch", "16", "--seconds", "0.05", "--rounds", "1"];

fn text<'a>(cell: &'a Value, key: &str) -> &'a str {
    cell[key].as_str().unwrap_or_else(|| panic!("{key} is no text in {cell}"))
}

#[test]
fn every_engine_is_measured_in_both_passes() {
    let folder = tempfile::tempdir().unwrap();
    let assert = backproof(folder.path()).args(SHORT).args(["--json", "bench.json"]).assert().success();
    let results = json(&folder.path().join("bench.json"));
    assert_eq!(results["schema_version"], 1);
    let cells = results["cells"].as_array().unwrap();
    let measured: Vec<_> = cells.iter().map(|cell| (text(cell, "pass"), text(cell, "variant"))).collect();
    let expected =
        ["training", "inference"].map(|pass| ["autodiff", "compiled", "burn", "manual"].map(|engine| (pass, engine)));
    assert_eq!(measured, expected.concat());
    for cell in cells {
        // 2·28·28·16·25 + 2·14·14·16·400 + 2·784·10; a training step three times that, less the first.
        let flops = if cell["pass"] == "training" { 3 * 3_151_680 - 627_200 } else { 3_151_680 };
        assert_eq!(cell["flops_per_image"], flops);
        assert!(cell["rounds"][0]["steps"].as_u64().unwrap() > 0);
        assert!(cell["images_per_second"].as_f64().unwrap() > 0.0);
        assert_eq!(cell["speed_over_peer"], Value::Null);
        if cfg!(target_os = "linux") {
            assert!(cell["peak_memory_bytes"].as_u64().unwrap() > 1_000_000);
        }
    }
    assert!(stdout(&assert).starts_with("network         batch  pass       measured"), "{}", stdout(&assert));
}

#[test]
fn the_plan_of_a_network_with_a_layer_that_no_kernel_computes_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let config = fs::read_to_string(root().join("configs/quickstart.toml")).unwrap();
    let layers = r#"input = [1, 28, 28]
layers = ["layer_norm", "flatten", { type = "linear", out_features = 10 }]"#;
    fs::write(folder.path().join("norm.toml"), config.replace(r#"name = "mnist-baseline""#, layers)).unwrap();
    let arguments = ["bench", "-c", "norm.toml", "--batch", "16", "--seconds", "0.05", "--rounds", "1"];
    let asked = ["--engine", "autodiff", "--engine", "compiled", "--json", "bench.json"];
    let assert = backproof(folder.path()).args(arguments).args(asked).assert().success();
    let results = json(&folder.path().join("bench.json"));
    let of = |list: &str, key: &str| -> Vec<String> {
        results[list].as_array().unwrap().iter().map(|cell| text(cell, key).to_owned()).collect()
    };
    assert_eq!(of("cells", "variant"), ["autodiff", "autodiff"]);
    assert_eq!(of("unavailable", "reason"), ["there is no kernel for norm1 (layer norm)"; 2]);
    assert!(stdout(&assert).contains("there is no kernel for norm1 (layer norm)"), "{}", stdout(&assert));
}

#[test]
fn a_dated_folder_has_the_figures_and_a_page_with_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--pass", "inference", "--engine", "compiled", "--threads", "1", "--write", "bench/runs"];
    backproof(folder.path()).args(SHORT).args(arguments).assert().success();
    let runs: Vec<_> = fs::read_dir(folder.path().join("bench/runs")).unwrap().map(|it| it.unwrap().path()).collect();
    let [run] = &runs[..] else { panic!("{runs:?}") };
    let name = run.file_name().unwrap().to_str().unwrap();
    assert!(name.len() == "2026-01-31T0930Z".len() && name.ends_with('Z'), "{name}");
    assert_eq!(json(&run.join("results.json"))["setting"]["threads"], 1);
    let page = fs::read_to_string(run.join("results.md")).unwrap();
    for part in [
        "| processor | ",
        "| software | backproof ",
        "rustc ",
        "| mnist-baseline | 16 | inference | backproof compiled | ",
    ] {
        assert!(page.contains(part), "no `{part}` in\n{page}");
    }
}

#[test]
fn what_is_wrong_is_said_before_anything_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let failed = |arguments: &[&str], code, parts: &[&str]| {
        let assert = backproof(folder.path()).arg("bench").args(arguments).assert().code(code);
        let text = stderr(&assert);
        for part in parts {
            assert!(text.contains(part), "no `{part}` in\n{text}");
        }
    };
    failed(&["--model", "cifar-basline"], 2, &["there is no network", "did you mean `cifar-baseline`?"]);
    failed(&["--seconds", "0"], 2, &["above 0"]);
    failed(&["--engine", "auto"], 2, &["autodiff"]);
    failed(&["--peer", "pytorch", "--isa", "sse9"], 2, &["cannot be held to the instruction set `sse9`"]);
    failed(&["--whole-run", "nothing"], 2, &["configs/nothing.toml"]);
}

#[test]
fn a_python_that_is_not_there_names_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--pass", "inference", "--peer", "pytorch", "--python", "/nowhere/python3"];
    let assert = backproof(folder.path()).args(SHORT).args(arguments).assert().code(1);
    let text = stderr(&assert);
    assert!(text.contains("error: cannot start /nowhere/python3"), "{text}");
    assert!(text.contains("help: `--python PATH` names the Python to use"), "{text}");
}

/// A program that is started as Python and answers as the peer's scripts do.
#[cfg(unix)]
fn fake_python(folder: &std::path::Path, script: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("python");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn speeds_are_over_the_fastest_way_of_the_peer_on_as_many_threads() {
    let folder = tempfile::tempdir().unwrap();
    // 1 ms a step compiled and 4 ms not; channels-last cannot be measured. The threads come back as the name.
    let python = fake_python(
        folder.path(),
        r#"read task
        case "$task" in *channels-last*) echo '{"unavailable": "no such format"}'; exit 0;; esac
        echo "{\"ready\": {\"software\": \"fake $OMP_NUM_THREADS $ATEN_CPU_CAPABILITY $ONEDNN_MAX_CPU_ISA\"}}"
        case "$task" in *compile*) steps=400;; *) steps=100;; esac
        while read go; do echo "{\"steps\": $steps, \"seconds\": 0.4}"; done"#,
    );
    let mut command = backproof(folder.path());
    command.args(SHORT).args([
        "--pass",
        "training",
        "--peer",
        "pytorch",
        "--threads",
        "1",
        "--isa",
        "avx2",
        "--json",
        "b.json",
    ]);
    let assert = command.arg("--python").arg(&python).assert().success();
    let results = json(&folder.path().join("b.json"));
    let cells = results["cells"].as_array().unwrap();
    let ratio = |variant: &str| {
        let cell = cells.iter().find(|cell| cell["variant"] == variant).unwrap();
        (cell["speed_over_peer"].as_f64().unwrap(), cell["seconds_per_step"].as_f64().unwrap())
    };
    assert_eq!((ratio("compile").0, ratio("eager").0), (1.0, 0.25));
    let (speed, seconds) = ratio("compiled");
    assert!((speed - 0.001 / seconds).abs() < 1e-9 * speed, "{speed}, {seconds}");
    let eager = cells.iter().find(|cell| cell["variant"] == "eager").unwrap();
    assert_eq!(text(eager, "software"), "fake 1 avx2 AVX2");
    assert!(stdout(&assert).contains("not measured: pytorch eager-channels-last, no such format"));
}

#[cfg(unix)]
#[test]
fn a_whole_run_is_compared_by_time_accuracy_and_memory() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("own.toml");
    let quickstart = fs::read_to_string(backproof_tests::root().join("configs/quickstart.toml")).unwrap();
    fs::write(&config, quickstart.replace("2_000", "20").replace("cosine\"", "constant\"")).unwrap();
    // Without a peer, the bundled digits are data enough.
    let mut command = backproof(folder.path());
    command.args(["bench", "--whole-run", "own.toml", "--rounds", "2", "--engine", "compiled", "--json", "whole.json"]);
    let assert = command.assert().success();
    let results = json(&folder.path().join("whole.json"));
    let [trained] = &results["trainers"].as_array().unwrap()[..] else { panic!("{results}") };
    let runs = trained["runs"].as_array().unwrap();
    let seeds: Vec<_> = runs.iter().map(|run| run["seed"].as_u64().unwrap()).collect();
    assert_eq!(seeds, [1, 2]);
    assert!(runs.iter().all(|run| run["seconds"].as_f64().unwrap() > 0.0));
    assert!(trained["test_accuracy_mean"].as_f64().unwrap() > 0.05);
    assert!(stdout(&assert).contains("backproof compiled"), "{}", stdout(&assert));
}
