//! The bits of the quickstart by each engine, as they have been: a change of the code that is to change no number
//! changes none here.
//!
//! Bits depend on the instructions. Those of the kernels are named by `BACKPROOF_KERNELS`. Burn's products choose theirs
//! by the processor, and the order of their sums by the size of its caches. So a line in which they have a part has the
//! loss on the test images in place of bits, and is compared within rounding.

use std::fs;

use backproof_kernels::{Isa, VARIABLE};
use backproof_tests::{backproof, json, latest, root};
use sha2::{Digest, Sha256};

/// A line of `tests/fixtures/bits/quickstart.csv`.
struct Line {
    engine: String,
    kernels: String,
    isa: Option<Isa>,
    expected: Expected,
}

enum Expected {
    /// SHA-256 of the weights and of the predictions.
    Bits([String; 2]),
    /// The mean loss of the test images.
    Loss(f64),
}

fn lines() -> Vec<Line> {
    let text = fs::read_to_string(root().join("tests/fixtures/bits/quickstart.csv")).unwrap();
    text.lines()
        .skip(1)
        .map(|line| {
            let [engine, kernels, isa, weights, predictions, loss] =
                line.split(',').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
            let isa = Isa::ALL.into_iter().find(|of| of.name() == isa);
            let expected = match loss.parse() {
                Ok(loss) => Expected::Loss(loss),
                Err(_) => Expected::Bits([weights, predictions]),
            };
            Line { engine, kernels, isa, expected }
        })
        .collect()
}

/// Trains for 50 iterations; what is compared is wrong where this is an error.
fn train(line: &Line) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = backproof(folder.path());
    if let Some(isa) = line.isa {
        command.env(VARIABLE, isa.name());
    }
    command.args(["train", "--set", "training.iterations=50", "--set", "expect.test_accuracy=0"]);
    command.args(["--set", &format!("engine={}", line.engine), "--set", &format!("kernels={}", line.kernels)]);
    command.assert().success();
    let run = latest(folder.path(), "quickstart");
    match &line.expected {
        Expected::Bits(bits) => {
            let found = ["checkpoints/last/weights.safetensors", "evaluation/predictions.csv"]
                .map(|name| hexadecimal(&Sha256::digest(fs::read(run.join(name)).unwrap())));
            if found == *bits { Ok(()) } else { Err(format!("SHA-256 {found:?}, not {bits:?}")) }
        }
        Expected::Loss(expected) => {
            let found = json(&run.join("evaluation/result.json"))["loss"].as_f64().unwrap();
            if (found / expected - 1.0).abs() < 1e-4 { Ok(()) } else { Err(format!("loss {found}, not {expected}")) }
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_quickstart_has_the_bits_that_it_had_by_every_engine_and_instruction_set_of_this_machine() {
    let (mut compared, mut wrong) = (Vec::new(), Vec::new());
    for line in lines().into_iter().filter(|line| line.isa.is_none_or(Isa::is_available)) {
        let name = format!("{} {} {}", line.engine, line.kernels, line.isa.map_or("-", Isa::name));
        wrong.extend(train(&line).err().map(|what| format!("{name}: {what}")));
        compared.push(name);
    }
    println!("compared: {}", compared.join(", "));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Plain Rust is on every machine.
    assert!(compared.iter().any(|name| name == "compiled auto portable"), "{compared:?}");
}
