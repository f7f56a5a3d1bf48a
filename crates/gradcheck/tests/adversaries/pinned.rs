//! Verdicts that hang on one comparison or one factor of the prover. A mutant of the prover changed each of them, and no
//! other test noticed. A change of the prover may change some; look at each, and at whether the new one is better.

use std::rc::Rc;

use crate::attack::Case;
use crate::{adversaries, functions, right};

// Cases as `BACKPROOF_VERDICTS` writes them, with source, tensor and verdict.

/// Right backward passes of one number.
const ELEMENTWISE: &[&str] = &[
    "right abs of a difference 236 right x KINK",
    "right abs of a difference 236 right y KINK",
    "right abs of a difference 400 right x KINK",
    "right abs of a difference 564 right x KINK",
    "right abs of a difference 605 right x PASS",
    "right cube 258 right x PASS",
    "right exp 133 right x PASS",
    "right log 260 right x PASS",
    "right quotient, broadcast 243 right x PASS",
    "right reciprocal 384 right x PASS",
    "right relu 83 right x PASS",
    "right relu of a product 157 right x UNRESOLVED",
    "right square and 10⁸ 221 right x PASS",
    "right square and 10⁸ 631 right x UNRESOLVED",
];

/// Right backward passes of sums and orders.
const SUMS: &[&str] = &[
    "right convolution 200 right w PASS",
    "right convolution 200 right x PASS",
    "right cross-entropy 492 right x UNRESOLVED",
    "right linear 486 right w PASS",
    "right logsumexp 21 right x PASS",
    "right max, even shares 313 right x PASS",
    "right mean squared error 204 right x PASS",
    "right sort 274 right x UNRESOLVED",
    "right two-layer network 736 right b PASS",
];

/// Right backward passes that were called wrong once, of a million: rounding that the points of the noise did not see,
/// and ties beside an outlier.
const ALARMS: &[&str] = &[
    "right cross-entropy 10249484 right x PASS",
    "right cross-entropy 10589702 right x PASS",
    "right sort 10132539 right x UNRESOLVED",
    "right top-k 10041069 right x UNRESOLVED",
];

/// Wrong backward passes.
const WRONG: &[&str] = &[
    "wrong 2 16 8 1 0 2415919105 adversary x MISMATCH",
    "wrong 33 23 6 1 1 35819356160 adversary gamma MISMATCH",
    "wrong 38 37 5 1 0 41422946304 adversary y MISMATCH",
    "wrong 43 2 5 1 0 46204452866 adversary x MISMATCH",
    "wrong 50 5 5 1 0 53770977280 adversary x MISMATCH",
];

/// More of them.
const WRONG_TOO: &[&str] = &[
    "wrong 55 11 6 1 0 59240349696 adversary x UNRESOLVED",
    "wrong 56 35 1 1 1 60716744704 adversary b PASS",
    "wrong 60 17 7 2 1 64709722112 adversary x MISMATCH",
    "wrong 62 7 9 1 0 66689433600 adversary x UNRESOLVED",
];

#[test]
fn right_passes_of_one_number_have_their_verdicts() {
    check(ELEMENTWISE);
}

#[test]
fn right_passes_of_sums_have_their_verdicts() {
    check(SUMS);
}

#[test]
fn wrong_passes_have_their_verdicts() {
    check(WRONG);
}

#[test]
fn more_wrong_passes_have_their_verdicts() {
    check(WRONG_TOO);
}

#[test]
fn right_passes_that_were_called_wrong_are_not() {
    check(ALARMS);
}

fn check(cases: &[&str]) {
    let functions = functions::all();
    for pinned in cases {
        let [verdict, tensor, source, case] =
            pinned.rsplitn(4, ' ').collect::<Vec<_>>().try_into().expect("four parts");
        let report = match case.split_once(' ').expect("right or wrong, and the case") {
            ("right", case) => {
                let (name, seed) = case.rsplit_once(' ').expect("a function and a seed");
                let function = functions.iter().find(|function| function.name == name).expect("a function");
                right::examined(function, seed.parse().expect("a seed"))
            }
            (_, case) => {
                let numbers: Vec<u64> = case.split(' ').map(|number| number.parse().expect("a number")).collect();
                let case = Case::of(&numbers);
                let adversary = Rc::new(adversaries::all().into_iter().nth(case.adversary).expect("an adversary"));
                case.examined(&adversary, &functions[case.function])
            }
        };
        let report = report.expect("a point that is not left out");
        let row = report.rows.iter().find(|row| row.source == source && row.tensor == tensor).expect("a row");
        assert_eq!(row.verdict.to_string(), verdict, "{pinned}\n{report}");
    }
}
