//! Every worked number of `docs/derivations.md` and the pages below it, computed again by the layers in f64.
//!
//! It lies here because this crate knows layers and optimizers both. [`page`] says what a worked example looks like.

mod convolutions;
mod elementwise;
mod losses;
mod numbers;
mod optimizers;
mod page;
mod residual;
mod vectors;

use std::collections::BTreeSet;

use page::{Block, blocks};

/// Reads what a block gives, and compares what it states.
type Recompute = fn(&Block);

/// Every block of the pages, by its name.
const RECOMPUTED: &[&[(&str, Recompute)]] = &[
    convolutions::RECOMPUTED,
    elementwise::RECOMPUTED,
    losses::RECOMPUTED,
    numbers::RECOMPUTED,
    optimizers::RECOMPUTED,
    residual::RECOMPUTED,
    vectors::RECOMPUTED,
];

fn recompute(name: &str) -> Option<Recompute> {
    RECOMPUTED.iter().copied().flatten().find(|(of, _)| *of == name).map(|&(_, recompute)| recompute)
}

#[test]
fn every_worked_number_is_what_the_layers_compute() {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    for block in blocks() {
        assert!(names.insert(block.name.clone()), "{}: there are two blocks `{}`", block.place, block.name);
        match recompute(&block.name) {
            Some(recompute) => {
                recompute(&block);
                problems.extend(block.problems());
            }
            None => problems.push(format!("{}: nothing computes the block `{}`", block.place, block.name)),
        }
    }
    let gone = RECOMPUTED.iter().copied().flatten().filter(|(name, _)| !names.contains(*name));
    problems.extend(gone.map(|(name, _)| format!("no page has the block `{name}`")));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The test itself: each stated number is falsified by a little more than its last digit.
#[test]
fn a_wrong_number_is_found_wherever_it_stands() {
    let mut falsified = 0;
    for block in blocks() {
        let recompute = recompute(&block.name).expect("the other test says it");
        recompute(&block);
        for (name, at) in block.stated() {
            let wrong = block.falsified(&name, at);
            recompute(&wrong);
            assert!(!wrong.problems().is_empty(), "{}: {name}, number {at}, may be anything", block.place);
            falsified += 1;
        }
    }
    assert!(falsified > 300, "only {falsified}");
}

#[test]
fn a_line_that_nothing_reads_or_computes_is_a_problem() {
    let block = Block::parse("page.md:1", "example", "x = [1 2 % the first row\n 3 4]\ny = 3 % a remark").unwrap();
    assert_eq!((block.row("x"), block.matrix("x").dims()), (vec![1.0, 2.0, 3.0, 4.0], [2, 2]));
    assert_eq!(block.problems(), ["page.md:1: in `example`, nothing reads or computes y"]);
    block.states("y", &[3.1]);
    assert_eq!(block.problems(), ["page.md:1: in `example`, y is [3] and should be [3.1]"]);
}

#[test]
fn a_number_is_as_exact_as_it_is_written() {
    let block = Block::parse("page.md:1", "example", "a = 0.12\nb = -1/3\nc = 2.5e-3\nd = 4").unwrap();
    block.states("a", &[0.1249]);
    block.states("b", &[-1.0 / 3.0]);
    block.states("c", &[0.002_451]);
    block.states("d", &[4.0]);
    assert_eq!(block.problems(), [""; 0]);
    for (name, value) in [("a", 0.1251), ("b", -0.333_333), ("c", 0.002_449), ("d", 4.000_001)] {
        let block = Block::parse("page.md:1", "example", "a = 0.12\nb = -1/3\nc = 2.5e-3\nd = 4").unwrap();
        block.states(name, &[value]);
        assert!(block.problems()[0].contains("should be"), "{name}");
    }
}

#[test]
fn what_is_no_example_is_refused_with_its_line() {
    for (text, says) in [
        ("x 3", "page.md:2: `x 3` is not `name = value`"),
        ("x = [1 two]", "page.md:2: `two` is no number"),
        ("x = [1 2; 3]", "page.md:2: the rows of x differ in length"),
        ("x = [1 2", "page.md:2: `[1 2` has no closing bracket"),
        ("x = 1\nx = 2", "page.md:3: x stands there twice"),
    ] {
        assert_eq!(Block::parse("page.md:1", "example", text).unwrap_err(), says);
    }
}
