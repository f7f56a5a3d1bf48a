//! `compare-gradients`, as typed.

use std::collections::BTreeSet;
use std::path::Path;
#[cfg(unix)]
use std::process::{Command, Stdio};
#[cfg(unix)]
use std::time::Duration;

use backproof_compiled::Fault;
use backproof_kernels::Isa;
use backproof_tests::{backproof, json, root, stderr, stdout, xtask};
use safetensors::SafeTensors;

/// Layers with parameters that are trained.
const WITH_PARAMETERS: [&str; 4] = ["linear", "conv2d", "prelu", "batch_norm"];

#[test]
fn without_arguments_every_layer_and_network_is_proven_and_every_mutant_killed() {
    let folder = tempfile::tempdir().unwrap();
    let assert = backproof(folder.path())
        .args(["compare-gradients", "--cases", "12", "--mutants", "--json", "all.json", "--data-dir", "no-data"])
        .assert()
        .success();
    let text = stdout(&assert);
    assert!(text.contains("\nproven: "), "{text}");
    assert!(!text.contains("NOT PROVEN") && !text.contains("survived"), "{text}");

    let found = json(&folder.path().join("all.json"));
    assert_eq!(found["schema"], 1);
    assert_eq!(found["proven"], true);
    let subjects: Vec<&str> =
        found["subjects"].as_array().unwrap().iter().map(|line| line["subject"].as_str().unwrap()).collect();
    for &layer in backproof_suite::LAYERS {
        assert!(subjects.contains(&layer), "{layer} is not among {subjects:?}");
        let of_layer = found["checks"].as_array().unwrap().iter().filter(|check| check["subject"] == layer);
        // At hard points a gradient that is zero stays so when it is falsified, and no mutant is tried.
        let of_layer = of_layer.filter(|check| check["point"] == "general");
        let tried = of_layer.flat_map(|check| check["mutants"]["tried"].as_array().unwrap());
        let kinds: BTreeSet<&str> = tried
            .map(|mutant| {
                assert_eq!(mutant["killed"], true, "{layer}: {mutant}");
                mutant["mutation"].as_str().unwrap()
            })
            .collect();
        let least = if WITH_PARAMETERS.contains(&layer) { 8 } else { 4 };
        assert!(kinds.len() >= least, "{layer} has only the mutants {kinds:?}");
    }
    let checks = found["checks"].as_array().unwrap();
    let faults: BTreeSet<&str> = checks
        .iter()
        .flat_map(|check| check["mutants"]["tried"].as_array().into_iter().flatten())
        .filter_map(|mutant| mutant["mutation"].as_str().filter(|name| name.starts_with("kernel: ")))
        .collect();
    assert_eq!(faults, Fault::ALL.into_iter().map(Fault::name).collect(), "faults of the kernels that were tried");
    for network in backproof_spec::published::names() {
        let left_out = text.contains(&format!("left out: {network}"));
        assert!(subjects.contains(network) != left_out, "{network} is not among {subjects:?}");
    }
    assert_eq!(text.matches("left out: ").count(), 4, "AlexNet, the residual networks and airbench94: {text}");
}

/// The names of those who computed the gradients of a check.
fn sources(report: &serde_json::Value) -> BTreeSet<String> {
    report["rows"].as_array().unwrap().iter().map(|row| row["source"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_kernels_are_checked_on_every_instruction_set_of_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let with_kernels: BTreeSet<String> = ["autodiff".to_owned(), "manual".to_owned()]
        .into_iter()
        .chain(Isa::available().into_iter().map(|isa| format!("kernels {isa}")))
        .collect();
    assert!(with_kernels.contains("kernels portable"));
    for layer in ["conv2d", "max_pool2d", "avg_pool2d", "flatten", "relu"] {
        assert_eq!(sources(&report(folder.path(), &["--layer", layer, "--case", "0"])), with_kernels, "{layer}");
    }
    // In a segment, a linear layer and a network also through autodiff.
    let segments = format!("segments {}", Isa::available()[0]);
    let with_segments: BTreeSet<String> = with_kernels.iter().cloned().chain([segments]).collect();
    for layer in ["segment", "linear"] {
        assert_eq!(sources(&report(folder.path(), &["--layer", layer, "--case", "0"])), with_segments, "{layer}");
    }
    let network = report(folder.path(), &["--model", "mnist-baseline"]);
    assert_eq!(sources(&network), with_segments);
    let images = network["rows"].as_array().unwrap().iter().filter(|row| row["tensor"] == "images");
    assert_eq!(images.count(), with_segments.len(), "the images' gradient is checked too");
    assert_eq!(sources(&report(folder.path(), &["--layer", "gelu", "--case", "0"])), with_kernels);
    // They compute in single precision alone, and there is none for group normalisation.
    let plain = BTreeSet::from(["autodiff".to_owned(), "manual".to_owned()]);
    assert_eq!(sources(&report(folder.path(), &["--layer", "conv2d", "--case", "0", "--dtype", "f64"])), plain);
    assert_eq!(sources(&report(folder.path(), &["--layer", "group_norm", "--case", "0"])), plain);
}

#[test]
fn the_loss_of_a_config_is_the_one_that_is_checked() {
    for loss in ["mean-squared-error", "binary-cross-entropy"] {
        let folder = tempfile::tempdir().unwrap();
        let config = std::fs::read_to_string(root().join("configs/quickstart.toml")).unwrap();
        let config = config.replace("[training]", &format!("[training]\nloss = \"{loss}\""));
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        let arguments = ["compare-gradients", "-c", "config.toml", "--dump", "dump.safetensors"];
        backproof(folder.path()).args(arguments).assert().success();
        let bytes = std::fs::read(folder.path().join("dump.safetensors")).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        // Under these losses all outputs of an image have gradients of one sign each, which do not sum to zero as under
        // a softmax.
        let (_, bias) = tensor(&file, "mnist-baseline/training/gradient.manual.linear1.bias");
        assert!(bias.iter().sum::<f64>().abs() > 1e-3, "{loss}: {bias:?}");
    }
}

#[test]
fn the_network_of_a_config_is_checked_on_its_own_data_in_double_precision() {
    let assert =
        xtask().args(["compare-gradients", "-c", "configs/quickstart.toml", "--dtype", "f64"]).assert().success();
    let text = stdout(&assert);
    assert!(text.contains("mnist-baseline: 4 of mnist-sample, training"), "{text}");
    for tensor in
        ["images", "conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "linear1.weight", "linear1.bias"]
    {
        let rows: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with(tensor)).collect();
        let [row] = rows[..] else { panic!("one line for {tensor}:\n{text}") };
        assert!(row.contains("autodiff, manual") && (row.contains("PASS") || row.contains("KINK")), "{row}");
    }
}

#[test]
fn without_arguments_a_short_check_has_every_layer_and_says_how_to_check_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let assert = backproof(folder.path()).args(["compare-gradients", "--json", "short.json"]).assert().success();
    let text = stdout(&assert);
    assert!(text.contains("\nproven: ") && text.contains("`cargo xtask compare-gradients --all`"), "{text}");
    assert!(!text.contains("left out: "), "{text}");
    let found = json(&folder.path().join("short.json"));
    assert_eq!((&found["proven"], &found["interrupted"]), (&true.into(), &false.into()));
    let subjects: BTreeSet<&str> =
        found["subjects"].as_array().unwrap().iter().map(|line| line["subject"].as_str().unwrap()).collect();
    let expected = backproof_suite::LAYERS.iter().copied().chain(["mnist-baseline"]).collect();
    assert_eq!(subjects, expected);
}

/// What was found by then is told and written, and nothing is called proven.
#[cfg(unix)]
#[test]
fn an_interrupted_check_keeps_what_it_has_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(backproof_tests::program());
    command.args(["compare-gradients", "--layer", "conv2d", "--cases", "1000000", "--hard-cases", "0"]);
    command.args(["--json", "part.json"]).current_dir(folder.path());
    let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    backproof_tests::send("INT", process.id());
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("interrupted after ") && errors.contains(" of 1,000,000"), "{errors}");
    let found = json(&folder.path().join("part.json"));
    assert_eq!((&found["proven"], &found["interrupted"]), (&false.into(), &true.into()));
    assert!(!found["checks"].as_array().unwrap().is_empty());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("conv2d") && text.contains("not all checks were made"), "{text}");
}

/// The report of a case, without the line that says how long it took.
fn report(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    backproof(folder).args(["compare-gradients", "--json", "found.json"]).args(arguments).assert().success();
    json(&folder.join("found.json"))["checks"].as_array().unwrap().last().unwrap()["report"].clone()
}

#[test]
fn a_case_by_itself_is_the_case_among_others() {
    let folder = tempfile::tempdir().unwrap();
    let among_others = report(folder.path(), &["--layer", "conv2d", "--cases", "4", "--seed", "7"]);
    let by_itself = report(folder.path(), &["--layer", "conv2d", "--case", "3", "--seed", "7"]);
    assert_eq!(among_others, by_itself);
    assert_ne!(by_itself, report(folder.path(), &["--layer", "conv2d", "--case", "3", "--seed", "8"]));
}

/// A tensor of a dump, row-major.
fn tensor(file: &SafeTensors<'_>, name: &str) -> (Vec<usize>, Vec<f64>) {
    let view = file.tensor(name).unwrap_or_else(|_| panic!("no {name} among {:?}", file.names()));
    let numbers = view.data().as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    (view.shape().to_vec(), numbers)
}

#[test]
fn a_dump_has_all_that_another_framework_needs_to_find_the_same_gradients() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path())
        .args(["compare-gradients", "--layer", "linear", "--cases", "3", "--dump", "linear.safetensors"])
        .assert()
        .success();
    let bytes = std::fs::read(folder.path().join("linear.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for case in 0..3 {
        let of_case = |name: &str| tensor(&file, &format!("linear/{case}/{name}"));
        let (([samples, inputs], x), (_, weight), (output, g)) =
            (pair(of_case("x")), of_case("weight"), of_case("cotangent"));
        assert_eq!(output[0], samples);
        for source in ["manual", "autodiff"] {
            let ([rows, columns], found) = pair(of_case(&format!("gradient.{source}.x")));
            assert_eq!([rows, columns], [samples, inputs]);
            for (index, found) in found.iter().enumerate() {
                let (sample, input) = (index / inputs, index % inputs);
                let expected: f64 =
                    (0..output[1]).map(|o| g[sample * output[1] + o] * weight[input * output[1] + o]).sum();
                assert!((found - expected).abs() < 1e-5, "case {case}, {source}, {sample}, {input}");
            }
            assert_eq!(of_case(&format!("gradient.{source}.weight")).1.len(), weight.len());
        }
        assert_eq!(x.len(), samples * inputs);
    }
}

fn pair((dims, data): (Vec<usize>, Vec<f64>)) -> ([usize; 2], Vec<f64>) {
    (dims.try_into().expect("two axes"), data)
}

/// What is wrong with Burn 0.22.1 on flex at general points too.
const KNOWN: [&str; 4] = ["conv1d_groups", "Conv1d_groups", "attention_without_keys_biased", "det_singular"];

/// Of Burn 0.22.1, faults that are known do not fail the command.
#[test]
fn of_burns_operations_nothing_is_wrong_on_flex_but_what_is_known() {
    let text = stdout(&xtask().args(["compare-gradients", "--suite", "burn", "--cases", "12"]).assert().success());
    let verdicts: Vec<&str> =
        text.lines().take_while(|line| !line.is_empty()).filter(|line| line.contains(" of ")).collect();
    assert!(verdicts.len() > 150, "{text}");
    for line in verdicts {
        let name = line.split_whitespace().next().unwrap_or_default();
        let right =
            line.trim_end().ends_with("PASS") || (KNOWN.contains(&name) && line.trim_end().ends_with("KNOWN FAULT"));
        assert!(right, "{line}\n{text}");
    }
    assert!(text.contains("known faults of Burn, which docs/upstream.md lists: "), "{text}");
    assert!(text.contains("conv1d_groups: If the stride leaves pixels over"), "{text}");
    assert!(text.contains("\nproven but for known faults: "), "{text}");
}

#[test]
fn a_case_at_a_hard_point_is_found_by_the_point_and_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let found = |arguments: &[&str]| {
        let arguments =
            [&["compare-gradients", "--suite", "burn", "--layer", "elu", "--json", "found.json"], arguments];
        backproof(folder.path()).args(arguments.concat()).assert().success();
        json(&folder.path().join("found.json"))["checks"].as_array().unwrap().clone()
    };
    let all = found(&["--cases", "1"]);
    let met = all.iter().find(|check| check["point"] == "saturated-90").expect("every point has a case");
    assert_eq!((met["status"].as_str(), met["wrong"][0]["kind"].as_str()), (Some("known"), Some("not_finite")));
    let number = met["case"].to_string();
    let again = found(&["--point", "saturated-90", "--case", &number]);
    assert_eq!(again.len(), 1);
    assert_eq!((&again[0]["about"], &again[0]["report"]), (&met["about"], &met["report"]));
    assert_eq!(found(&["--cases", "3", "--hard-cases", "0"]).len(), 3);
    assert_eq!(found(&["--point", "some-zeros,equal", "--hard-cases", "2"]).len(), 4);
}

#[test]
fn what_cannot_be_compared_is_refused_before_anything_is_built() {
    let target = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str], expected: &[&str]| {
        let assert =
            xtask().env("CARGO_TARGET_DIR", target.path()).arg("compare-gradients").args(arguments).assert().code(2);
        let text = stderr(&assert);
        for expected in expected {
            assert!(text.contains(expected), "{arguments:?}: {text}");
        }
    };
    refused(&["--layer", "conv2"], &["there is no layer `conv2`", "did you mean `conv2d`?"]);
    refused(&["--model", "cifar"], &["there is no network `cifar`"]);
    refused(&["--backend", "wgpu", "--dtype", "f64"], &["`wgpu` does not compute in f64", "help: "]);
    refused(&["--layer", "relu", "--model", "cifar-baseline"], &["cannot be used with"]);
    refused(&["--case", "3"], &["--layer <L>"]);
    refused(&["--cases", "0"], &["0 is not in 1..="]);
    refused(&["-c", "configs/missing.toml"], &["configs/missing.toml"]);
    assert!(!target.path().join("release").exists(), "something was built");
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_the_work() {
    let assert = backproof(root()).args(["compare-gradients", "--json", "no/such/folder/all.json"]).assert().code(2);
    assert!(stderr(&assert).contains("there is no folder no/such/folder"), "{}", stderr(&assert));
    let assert = backproof(root()).args(["compare-gradients", "--suite", "burn", "--layer", "geluu"]).assert().code(2);
    assert!(stderr(&assert).contains("did you mean `gelu`?"), "{}", stderr(&assert));
}
