//! What tests need: each function says why it is not here, or nothing if it is.

use std::process::Command;

/// `reason` if a program that should do nothing does not end well.
fn unless(mut command: Command, reason: &str) -> Option<String> {
    let here = command.output().is_ok_and(|output| output.status.success());
    (!here).then(|| reason.to_owned())
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// `reason` if a variable is not set.
fn unless_set(variable: &str, reason: &str) -> Option<String> {
    std::env::var_os(variable).is_none().then(|| format!("{variable} {reason}"))
}

/// Backends to hold against flex. Building them takes minutes.
pub(crate) fn backends() -> Option<String> {
    unless_set("BACKPROOF_TEST_BACKENDS", "names no backends, such as \"ndarray wgpu\"")
}

/// Two instruction sets of the kernels.
pub(crate) fn instruction_sets() -> Option<String> {
    let only_one = backproof_kernels::Isa::available().len() < 2;
    only_one.then(|| "this machine has no instruction set for the kernels beside the portable one".to_owned())
}

/// The full data sets.
pub(crate) fn data() -> Option<String> {
    unless_set("BACKPROOF_DATA_DIR", "names no folder with the full data sets")
}

/// A Python that has torch and safetensors.
pub(crate) fn torch() -> Option<String> {
    unless_set("BACKPROOF_TEST_PYTHON", "names no Python with torch and safetensors")
}

/// A Python that has NumPy.
pub(crate) fn numpy() -> Option<String> {
    unless(command(&["python3", "-c", "import numpy"]), "there is no `python3` with NumPy")
}

/// LaTeX with the packages booktabs and graphicx.
pub(crate) fn latex() -> Option<String> {
    let find = ["kpsewhich", "booktabs.sty", "graphicx.sty", "article.cls", "t1enc.def"];
    let has_program = unless(command(&["pdflatex", "--version"]), "there is no `pdflatex`");
    has_program.or_else(|| unless(command(&find), "`pdflatex` has no booktabs or graphicx"))
}

/// GNU Octave.
pub(crate) fn octave() -> Option<String> {
    unless(command(&["octave-cli", "--version"]), "there is no `octave-cli`")
}

/// Any Python.
#[cfg(unix)]
pub(crate) fn python() -> Option<String> {
    unless(command(&["python3", "--version"]), "there is no `python3`")
}

/// A Python that has ONNX Runtime.
pub(crate) fn onnx_runtime() -> Option<String> {
    let mut command = Command::new(any_python());
    command.args(["-c", "import onnx, onnxruntime, safetensors.numpy, PIL"]);
    unless(command, "neither BACKPROOF_TEST_PYTHON nor `python3` has onnx, onnxruntime, safetensors and pillow")
}

/// The Python that is named, or else any.
pub(crate) fn any_python() -> std::ffi::OsString {
    std::env::var_os("BACKPROOF_TEST_PYTHON").unwrap_or_else(|| "python3".into())
}

/// The schemas of Kubernetes.
#[cfg(unix)]
pub(crate) fn kubernetes() -> Option<String> {
    let mut command = Command::new(any_python());
    command.args(["-m", "kubernetes_validate", "--version"]);
    unless(command, "neither BACKPROOF_TEST_PYTHON nor `python3` has kubernetes-validate")
}

/// Chromium, and what drives it.
pub(crate) fn browser() -> Option<String> {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    unless_set("BACKPROOF_TEST_BROWSER", "names no folder in which `npm ci` installed tests/browser/package.json")
        .or_else(|| unless(command(&["node", "--version"]), "there is no `node`"))
        .or_else(|| unless(command(&[&chromium, "--version"]), "CHROMIUM names no Chromium, and Debian's is not there"))
}

/// The right to run as another user.
#[cfg(target_os = "linux")]
pub(crate) fn another_user() -> Option<String> {
    let words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "true"];
    unless(command(&words), "only root can try another user, by `setpriv`")
}

/// A C compiler.
#[cfg(target_os = "linux")]
pub(crate) fn compiler() -> Option<String> {
    unless(command(&["cc", "--version"]), "there is no `cc`")
}

/// Mounts and networks of the test's own.
#[cfg(target_os = "linux")]
pub(crate) fn namespaces() -> Option<String> {
    let words = ["unshare", "--map-root-user", "--mount", "--net", "true"];
    unless(command(&words), "this system does not allow `unshare --map-root-user --mount --net`")
}

/// Machines that only look like some.
#[cfg(target_os = "linux")]
fn machines() -> Option<String> {
    let words = ["unshare", "--uts", "--pid", "--fork", "--mount-proc", "hostname", "backproof"];
    unless(command(&words), "only root can make machines of host names and processes, by `unshare --uts --pid`")
}

/// Slurm, and machines for its nodes.
#[cfg(target_os = "linux")]
pub(crate) fn slurm() -> Option<String> {
    let reason = "there is no Slurm; on Debian, `slurm-wlm` is one";
    let missing = unless(command(&["slurmctld", "-V"]), reason).or_else(|| unless(command(&["slurmd", "-V"]), reason));
    missing.or_else(machines)
}

/// HyperQueue, and machines for its workers.
#[cfg(target_os = "linux")]
pub(crate) fn hyperqueue() -> Option<String> {
    unless(command(&["hq", "--version"]), "there is no HyperQueue, `hq`").or_else(machines)
}
