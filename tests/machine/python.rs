//! Backproof and a Python beside it.

use std::process::Command;

use backproof_tests::{backproof, latest, program, root, stderr};

/// PyTorch loads the weights of two runs and computes their logits, and the program does so with weights that PyTorch
/// saved.
pub(crate) fn pytorch_computes_the_same_logits_and_its_weights_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let config = root().join("tests/fixtures/weights/config.toml");
    backproof(folder.path()).args(["train", "-c"]).arg(config).assert().success();
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    let output = Command::new(std::env::var_os("BACKPROOF_TEST_PYTHON").unwrap())
        .arg(root().join("tests/pytorch/check_weights.py"))
        .args([latest(folder.path(), "small"), latest(folder.path(), "quickstart")])
        .arg("--program")
        .arg(program())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.matches(": equal").count(), 4, "{text}");
}

/// `kubernetes-validate` has the schemas of Kubernetes, and finds names that are not in them.
#[cfg(unix)]
pub(crate) fn the_kubernetes_job_fits_the_schemas_of_kubernetes() {
    let job = std::fs::read_to_string(root().join("docs/kubernetes-job.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let is_valid = |text: &str, version: &str| {
        let file = folder.path().join("job.yaml");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(crate::needs::any_python());
        command.args(["-m", "kubernetes_validate", "--strict", "-k", version]).arg(file);
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // The first version in which the limit of an index is on without a switch, and a new one.
    for version in ["1.29", "1.37"] {
        let (valid, text) = is_valid(&job, version);
        assert!(valid, "{version}: {text}");
    }
    for (one, other) in
        [("completionMode:", "completionmode:"), ("value: \"2\"", "value: 2"), ("completions: 8", "completions: eight")]
    {
        assert!(job.contains(one) && !is_valid(&job.replace(one, other), "1.37").0, "{other} is taken");
    }
}

/// The real script, in a Python that finds no package.
#[cfg(unix)]
pub(crate) fn a_python_without_torch_says_how_to_get_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let isolated = folder.path().join("python");
    std::fs::write(&isolated, "#!/bin/sh\nexec python3 -S -E \"$@\"\n").unwrap();
    std::fs::set_permissions(&isolated, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = backproof(folder.path());
    command.args(["bench", "--model", "mnist-baseline", "--batch", "16", "--seconds", "0.05", "--rounds", "1"]);
    command.args(["--pass", "inference", "--peer", "pytorch", "--python"]).arg(isolated);
    let text = stderr(&command.assert().code(1));
    assert!(text.contains("cannot import torch"), "{text}");
    assert!(text.contains("help: ") && text.contains("-m pip install -r bench/peers/requirements.txt"), "{text}");
}
