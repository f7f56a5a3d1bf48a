//! Exercises that are solved in other languages.

use std::fs;
use std::path::Path;
use std::process::Command;

use backproof_tests::{backproof, root, stdout};

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What the judge prints of the folder `exercise`.
fn judged(folder: &Path, code: i32) -> String {
    stdout(&backproof(folder).args(["judge", "exercise"]).assert().code(code))
}

/// A broken backward of each of several seeds is run by Python, and the judge names the fault that the key names.
pub(crate) fn a_backward_in_numpy_that_is_broken_gets_the_name_of_its_fault() {
    for (layer, seed) in [("conv2d", "1"), ("batch_norm", "2"), ("softmax_cross_entropy", "3")] {
        let folder = tempfile::tempdir().unwrap();
        backproof(folder.path()).args(["judge", "break", layer, "--seed", seed, "-o", "exercise"]).assert().success();
        run(Command::new("python3").arg(folder.path().join("exercise/python/broken.py")));
        let key = stdout(&backproof(folder.path()).args(["judge", "key", layer, "--seed", seed]).assert().success());
        let fault = key.lines().next().unwrap();
        let text = judged(folder.path(), 3);
        assert!(text.contains(fault), "{fault} is not in\n{text}");
    }
}

/// A convolution by loops, right and with a flipped kernel.
pub(crate) fn a_convolution_in_octave_is_right_and_a_flipped_kernel_is_named() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path()).args(["judge", "new", "conv2d", "-o", "exercise"]).assert().success();
    let matlab = folder.path().join("exercise/matlab");
    let fixture = |name: &str| fs::read_to_string(root().join("tests/fixtures/judge/octave").join(name)).unwrap();
    let octave = || run(Command::new("octave-cli").arg("run_cases.m").current_dir(&matlab));
    fs::write(matlab.join("forward.m"), fixture("forward.m")).unwrap();
    fs::write(matlab.join("backward.m"), fixture("backward.m")).unwrap();
    octave();
    assert!(judged(folder.path(), 0).contains("\nall right: "));
    let flipped =
        fixture("backward.m").replace("+ weight(o, c, k, l)", "+ weight(o, c, rows - k + 1, columns - l + 1)");
    fs::write(matlab.join("backward.m"), flipped).unwrap();
    octave();
    let text = judged(folder.path(), 3);
    assert!(text.contains("looks like: the kernel is flipped"), "{text}");
}
