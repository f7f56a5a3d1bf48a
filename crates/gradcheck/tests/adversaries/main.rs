//! The prover under attack: wrong backward passes of many kinds, none of which it may accept, and right ones, none of which it may call wrong, at points
//! that are hard.
//!
//! ```sh
//! BACKPROOF_CHECKS=1000000 cargo test --release -p backproof-gradcheck --test adversaries -- --nocapture
//! ```
//!
//! `BACKPROOF_REPLAY="softmax 1234"` runs the right backward of one function at the point of one seed, and prints its report.
#![allow(clippy::print_stdout, reason = "the counts are what one runs it for")]

mod draw;
mod edges;
mod functions;
mod points;
mod real;
mod right;

use backproof_gradcheck::Verdict;

/// Rows of right backward passes that are checked.
fn checks() -> usize {
    let set = std::env::var("BACKPROOF_CHECKS").ok();
    set.map_or(20_000, |set| set.parse().expect("BACKPROOF_CHECKS is a number"))
}

#[test]
fn no_right_backward_is_called_wrong() {
    if let Ok(case) = std::env::var("BACKPROOF_REPLAY") {
        let (name, seed) = case.rsplit_once(' ').expect("a function and a seed");
        let functions = functions::all();
        let function = functions.iter().find(|function| function.name == name).expect("a function of this name");
        match right::examined(function, seed.parse().expect("the seed is a number")) {
            Some(report) => println!("{report}\n{}", report.to_json()),
            None => println!("this point is left out"),
        }
        return;
    }
    let started = std::time::Instant::now();
    let tally = right::run(1, checks());
    let seconds = started.elapsed().as_secs_f64();
    println!("{}\n{} checks in {seconds:.1} s", tally.table(), tally.checks());
    let mut told = std::collections::BTreeMap::<_, usize>::new();
    for (function, seed, report) in &tally.alarms {
        let count = told.entry(function).or_default();
        *count += 1;
        if *count <= 2 {
            println!("\nBACKPROOF_REPLAY=\"{function} {seed}\"\n{report}");
        }
    }
    assert!(tally.alarms.is_empty(), "{} right backward passes are called wrong: {told:?}", tally.alarms.len());
    let unresolved = tally.of(Verdict::Unresolved);
    assert!(100 * unresolved < tally.checks(), "{unresolved} of {} are not resolved", tally.checks());
}
