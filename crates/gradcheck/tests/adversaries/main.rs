//! The prover under attack: wrong backward passes of many kinds, none of which it may accept, and right ones, none of
//! which it may call wrong, at points that are hard.
//!
//! ```sh
//! BACKPROOF_CHECKS=1000000 cargo test --release -p backproof-gradcheck --test adversaries -- --nocapture
//! ```
//!
//! `BACKPROOF_FROM` is the first seed of the right ones. For each million of right gradients, a hundred points are tried
//! of every adversary on every function.
//! `BACKPROOF_REPLAY="softmax 1234"` runs the right backward of one function at the point of one seed, and prints its
//! report; `BACKPROOF_REPLAY_ADVERSARY` does so with the numbers that a failure shows.
//! `BACKPROOF_VERDICTS=FILE` writes every verdict, so that two programs can be compared.
#![allow(clippy::print_stdout, reason = "the counts are what one runs it for")]

mod adversaries;
mod attack;
mod changed;
mod draw;
mod edges;
mod findings;
mod functions;
mod pinned;
mod points;
mod real;
mod right;
mod told;

use backproof_gradcheck::Verdict;

/// A number from the environment.
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|set| set.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// Rows of right backward passes that are checked.
fn checks() -> usize {
    number("BACKPROOF_CHECKS").unwrap_or(10_000) as usize
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
    let tally = right::run(number("BACKPROOF_FROM").unwrap_or(1), checks());
    let seconds = started.elapsed().as_secs_f64();
    println!("{}\n{} checks in {seconds:.1} s", tally.table(), tally.checks());
    let mut alarms: Vec<_> = tally.alarms.iter().collect();
    alarms.sort_by_key(|alarm| (alarm.function, alarm.elements));
    let least = alarms.chunk_by(|a, b| a.function == b.function).flat_map(|of_function| of_function.iter().take(2));
    for alarm in least.copied().chain(tally.unresolved.values()) {
        println!("\nBACKPROOF_REPLAY=\"{} {}\"\n{}", alarm.function, alarm.seed, alarm.report);
    }
    assert!(alarms.is_empty(), "right backward passes are called wrong: {:?}", tally.alarmed);
    let unresolved = tally.of(Verdict::Unresolved);
    assert!(100 * unresolved < tally.checks(), "{unresolved} of {} are not resolved", tally.checks());
}

#[test]
fn no_adversary_is_accepted() {
    let adversaries = adversaries::all();
    let functions = functions::all();
    if let Ok(case) = std::env::var("BACKPROOF_REPLAY_ADVERSARY") {
        let numbers: Vec<u64> = case.split(' ').map(|number| number.parse().expect("six numbers")).collect();
        let case = attack::Case::of(&numbers);
        let adversary = std::rc::Rc::new(adversaries.into_iter().nth(case.adversary).expect("an adversary"));
        println!("{}: {}", adversary.family, adversary.name);
        println!("{}", case.examined(&adversary, &functions[case.function]).expect("a point at which it is wrong"));
        return;
    }
    let points = (checks() / 10_000).max(1);
    let started = std::time::Instant::now();
    // Fewer checks than usual try a part of the pairs.
    let every = 10_000usize.div_ceil(checks().max(1));
    let tallies = attack::run(points, every as u64);
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{:64} {:>7} {:>7} {:>9} {:>9} {:>9}",
        "adversary", "tried", "faults", "unproven", "accepted", "functions"
    );
    let line = |name: &str, tally: &attack::Tally| {
        let [accepted, functions] = [tally.accepted.len(), tally.functions.len()];
        println!(
            "{name:64} {:>7} {:>7} {:>9} {accepted:>9} {functions:>9}",
            tally.tried, tally.faults, tally.unresolved
        );
    };
    let mut all = attack::Tally::default();
    for members in adversaries.iter().zip(&tallies).collect::<Vec<_>>().chunk_by(|a, b| a.0.family == b.0.family) {
        let mut sum = attack::Tally::default();
        members.iter().for_each(|(_, tally)| sum.add((*tally).clone()));
        line(members[0].0.family, &sum);
        members.iter().for_each(|(adversary, tally)| line(&format!("  {}", adversary.name), tally));
        all.add(sum);
    }
    line("all", &all);
    println!("{} adversaries, {seconds:.1} s", adversaries.len());
    for tally in &tallies {
        if let Some((case, _, report)) = tally.accepted.iter().min_by_key(|(_, elements, _)| *elements) {
            let (adversary, function) = (&adversaries[case.adversary], functions[case.function].name);
            println!("\n{}: {} on {function}, {case:?}", adversary.family, adversary.name);
            println!("BACKPROOF_REPLAY_ADVERSARY=\"{}\"\n{report}", case.numbers());
        }
    }
    let untried: Vec<_> =
        adversaries.iter().zip(&tallies).filter(|(_, tally)| tally.tried == 0).map(|(a, _)| a.name).collect();
    assert!(untried.is_empty() || every > 1, "these change nothing anywhere: {untried:?}");
    let accepted: usize = tallies.iter().map(|tally| tally.accepted.len()).sum();
    assert_eq!(accepted, 0, "wrong backward passes are accepted, of {} that were tried", all.tried);
}
