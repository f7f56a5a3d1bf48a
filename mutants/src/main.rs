//! Mutants of `crates/gradcheck`, all in one program.
//!
//! A mutant is a small change of the source. Where it changes a result, a test has to fail. cargo-mutants compiles the
//! crate again for each change, which takes a minute or more. Here every change is behind a switch that an environment
//! variable sets, and the tests run once for each.
//!
//! ```sh
//! cargo run --release --manifest-path mutants/Cargo.toml -- make         # the program, in `target/mutants`
//! cargo run --release --manifest-path mutants/Cargo.toml -- run          # the tests for each mutant
//! cargo run --release --manifest-path mutants/Cargo.toml -- verdicts     # what survives: does it change a verdict?
//! cargo run --release --manifest-path mutants/Cargo.toml -- table
//! cargo run --release --manifest-path mutants/Cargo.toml -- record       # what is known now, for the next time
//! ```
//!
//! `make` finds the places (`points.rs`) and rewrites the files (`schema.rs`). What does not compile is dropped, as the
//! compiler's errors say, until the rest compiles (`program.rs`). `run` first learns which test reaches which mutant,
//! and then runs, for each mutant, only the tests that reach it (`trial.rs`). It goes on where it was stopped.
//! `verdicts` attacks the prover with each survivor (`verdicts.rs`). `record.json` in the repository keeps what became of
//! them (`record.rs`): `make` begins with it, and `record` writes it.

mod points;
mod process;
mod program;
mod record;
mod schema;
mod table;
mod trial;
mod values;
mod verdicts;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: make | run [--jobs N] [FILE.rs ...] | verdicts [--jobs N] [--checks N] | table | record";

fn main() -> ExitCode {
    match perform(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn perform(arguments: &[String]) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in the repository");
    let work = root.join("target/mutants");
    let mut rest = arguments.iter();
    let command = rest.next().ok_or(USAGE)?.as_str();
    let (mut jobs, mut checks, mut files) = (1, 1000, Vec::new());
    while let Some(argument) = rest.next() {
        let mut number = || {
            let text = rest.next().ok_or(format!("{argument} needs a number"))?;
            text.parse::<u32>().ok().filter(|&n| n > 0).ok_or(format!("{argument} needs a number from 1, not {text}"))
        };
        match argument.as_str() {
            "--jobs" => jobs = number()? as usize,
            "--checks" => checks = number()?,
            file if file.ends_with(".rs") => files.push(file.to_owned()),
            other => return Err(format!("`{other}` is not known\n{USAGE}")),
        }
    }
    match command {
        "make" => {
            fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
            for old in ["program.json", "tests.json", "results.json", "verdicts.json"] {
                fs::remove_file(work.join(old)).ok();
            }
            let program = program::make(root, &work)?;
            let (mut results, mut verdicts) = (trial::Results::default(), verdicts::Verdicts::default());
            verdicts.checks = checks;
            let restored = record::Record::load(root)?.restore(root, &program, &mut results, &mut verdicts)?;
            println!("{restored} of them were tried before, in files that have not changed");
            (results.save(&work), verdicts.save(&work));
            println!("{}", table::table(&program, &results, &verdicts));
        }
        "run" => {
            let program = load(&work)?;
            if let Some(file) = files.iter().find(|file| program.mutants.values().all(|about| about.file != **file)) {
                return Err(format!("no mutant is in `{file}`; files are named as in src, such as `difference.rs`"));
            }
            let results = trial::run(&program, &work, jobs, &files)?;
            println!("{}", table::table(&program, &results, &verdicts::Verdicts::load(&work)?));
        }
        "verdicts" => {
            let program = load(&work)?;
            let verdicts = verdicts::run(&program, &work, jobs, checks)?;
            println!("{}", table::table(&program, &trial::Results::load(&work)?, &verdicts));
        }
        "table" => {
            let program = load(&work)?;
            let (results, verdicts) = (trial::Results::load(&work)?, verdicts::Verdicts::load(&work)?);
            println!("{}", table::table(&program, &results, &verdicts));
            println!("{}", table::survivors(&program, &results, &verdicts));
        }
        "record" => {
            let program = load(&work)?;
            record::Record::save(root, &program, &trial::Results::load(&work)?, &verdicts::Verdicts::load(&work)?)?;
        }
        other => return Err(format!("`{other}` is not known\n{USAGE}")),
    }
    Ok(())
}

fn load(work: &Path) -> Result<program::Program, String> {
    let path = work.join("program.json");
    let text = fs::read_to_string(&path).map_err(|_| format!("{} is not there: `make` comes first", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
