//! The bits of the quickstart by each engine, as they have been: a change of the code that is to change no number
//! changes none here.
//!
//! Bits depend on the instructions. Those of the kernels are named by `BACKPROOF_KERNELS`; Burn's products choose
//! theirs by the processor, so that what they have a part in is compared where there is AVX-512, as there was when the
//! file was made.

use std::fs;

use backproof_kernels::{Isa, VARIABLE};
use backproof_tests::{backproof, latest, root};
use sha2::{Digest, Sha256};

/// A line of `tests/fixtures/bits/quickstart.csv`.
struct Line {
    engine: String,
    kernels: String,
    isa: Option<Isa>,
    weights: String,
    predictions: String,
}

fn lines() -> Vec<Line> {
    let text = fs::read_to_string(root().join("tests/fixtures/bits/quickstart.csv")).unwrap();
    text.lines()
        .skip(1)
        .map(|line| {
            let [engine, kernels, isa, weights, predictions] =
                line.split(',').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
            let isa = Isa::ALL.into_iter().find(|of| of.name() == isa);
            Line { engine, kernels, isa, weights, predictions }
        })
        .collect()
}

/// SHA-256 of the weights and of the predictions after 50 iterations.
fn train(line: &Line) -> [String; 2] {
    let folder = tempfile::tempdir().unwrap();
    let mut command = backproof(folder.path());
    if let Some(isa) = line.isa {
        command.env(VARIABLE, isa.name());
    }
    command.args(["train", "--set", "training.iterations=50", "--set", "expect.test_accuracy=0"]);
    command.args(["--set", &format!("engine={}", line.engine), "--set", &format!("kernels={}", line.kernels)]);
    command.assert().success();
    let run = latest(folder.path(), "quickstart");
    ["checkpoints/last/weights.safetensors", "evaluation/predictions.csv"]
        .map(|name| hexadecimal(&Sha256::digest(fs::read(run.join(name)).unwrap())))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_quickstart_has_the_bits_that_it_had_by_every_engine_and_instruction_set_of_this_machine() {
    let mut compared = Vec::new();
    for line in lines() {
        let by_kernels_alone = line.engine == "compiled";
        let here = line.isa.is_none_or(Isa::is_available) && (by_kernels_alone || Isa::Avx512.is_available());
        let name = format!("{} {} {}", line.engine, line.kernels, line.isa.map_or("-", Isa::name));
        if !here {
            continue;
        }
        assert_eq!(train(&line), [line.weights, line.predictions], "{name}: weights and predictions");
        compared.push(name);
    }
    println!("compared: {}", compared.join(", "));
    // Plain Rust is on every machine.
    assert!(compared.iter().any(|name| name == "compiled auto portable"), "{compared:?}");
}
