//! Which cases an exercise has: few, that together show what a layer does and tell every known mistake from what is
//! right.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use backproof_gradcheck::{GradientSource, Value};
use backproof_suite::quietly;
use burn::tensor::Device;

use crate::case::{Case, LayerTruth, Truth};
use crate::gradients::provable;
use crate::manifest::{Level, Request};
use crate::optimizer;

/// So many cases are drawn, of which a few are chosen.
const DRAWN: u64 = 1200;

/// The cases of an exercise, `case1` and so on, the smallest first.
pub(crate) fn choose(request: &Request, device: &Device) -> Vec<Case> {
    let mut cases = chosen(request, device);
    for (number, case) in (1..).zip(&mut cases) {
        case.name = format!("case{number}");
    }
    cases
}

fn chosen(request: &Request, device: &Device) -> Vec<Case> {
    if crate::OPTIMIZERS.contains(&request.subject.as_str()) {
        return (0..optimizer_cases(request)).filter_map(|number| Case::draw(request, number, device)).collect();
    }
    if request.config.is_some() {
        return Case::draw(request, 0, device).into_iter().collect();
    }
    // Cases, and numbers in each: what is usual, and the most.
    let (most, usual, numbers, outputs) = match request.level {
        Level::Pencil => (3, 24, 48, 16),
        Level::Program => (6, 100, 320, 200),
    };
    let drawn = (0..DRAWN).filter_map(|number| Case::draw(request, number, device));
    let small = drawn.filter(|case| size(case) <= numbers && truth(case).output.len() <= outputs);
    // With a pencil, one pitfall at a time.
    let few = |case: &Case| {
        let small = |(_, value): &(String, Value)| value.len() > 2 || value.data().iter().all(|&x| x <= 2.0);
        request.level == Level::Program || case.options.iter().all(small)
    };
    let mut cases: Vec<Case> = small.filter(few).collect();
    let signature = |case: &Case| case.tensors.iter().filter(|tensor| tensor.differentiated).count();
    let largest = cases.iter().map(signature).max().unwrap_or(0);
    cases.retain(|case| signature(case) == largest);
    let mut ahead: Vec<(BTreeSet<String>, Case)> =
        quietly(|| cases.into_iter().map(|case| (features(&case, request.level), case)).collect());
    // How many of the chosen cases show it. Two that tell a mistake are better than one.
    let (mut seen, mut chosen) = (BTreeMap::<String, usize>::new(), Vec::new());
    while chosen.len() < most && !ahead.is_empty() {
        let gain = |(features, case): &(BTreeSet<String>, Case)| {
            let of = |feature: &String| {
                let wanted = if feature.starts_with(TELLS) { 2usize } else { 1 };
                wanted.saturating_sub(seen.get(feature).copied().unwrap_or(0)).pow(2)
            };
            let gain: usize = features.iter().map(of).sum();
            // One without pitfalls comes first.
            let first = chosen.is_empty() && features.contains(PLAIN);
            (first, gain, Reverse(size(case).abs_diff(usual)), Reverse(case.number))
        };
        let best = (0..ahead.len()).max_by_key(|&at| gain(&ahead[at])).expect("there are some");
        let nothing_new = gain(&ahead[best]).1 == 0;
        let (features, case) = ahead.swap_remove(best);
        if nothing_new && chosen.len() >= 2 {
            break;
        }
        if provable(truth(&case)) {
            let hard = !features.contains(PLAIN);
            features.into_iter().for_each(|feature| *seen.entry(feature).or_default() += 1);
            chosen.push((hard, case));
        }
    }
    chosen.sort_by_key(|(hard, case)| (*hard, size(case), case.number));
    chosen.into_iter().map(|(_, case)| case).collect()
}

fn optimizer_cases(request: &Request) -> u64 {
    if request.level == Level::Pencil { 2 } else { optimizer::COUNT }
}

fn truth(case: &Case) -> &LayerTruth {
    match &case.truth {
        Truth::Layer(truth) => truth,
        Truth::Optimizer(_) => unreachable!("optimizers have cases of their own"),
    }
}

fn size(case: &Case) -> usize {
    case.tensors.iter().map(|tensor| tensor.value.len()).sum::<usize>() + truth(case).output.len()
}

/// The feature of a case whose options are 0 or 1.
const PLAIN: &str = "plain";

/// What a feature begins with that is a mistake which the case tells from what is right.
const TELLS: &str = "tells: ";

/// What a case shows.
fn features(case: &Case, level: Level) -> BTreeSet<String> {
    let mut features = BTreeSet::new();
    for (name, value) in &case.options {
        match value.data() {
            [0.0 | 1.0] => drop(features.insert(format!("{name} {}", value.data()[0]))),
            [one] if *one > 1.0 && one.fract() == 0.0 => drop(features.insert(format!("{name} more than one"))),
            [a, b] => {
                features.extend((a != b).then(|| format!("{name} uneven")));
                features.extend((*a > 1.0 || *b > 1.0).then(|| format!("{name} more than one")));
                features.extend((*a > 0.0 || *b > 0.0).then(|| format!("{name} not zero")));
                features.extend((*a <= 1.0 && *b <= 1.0).then(|| format!("{name} small")));
            }
            _ => {}
        }
    }
    let easy = |(name, value): &(String, Value)| match name.as_str() {
        "kernel" => value.data().iter().all(|&x| x > 1.0),
        _ => value.data().iter().all(|&x| x == 0.0 || x == 1.0),
    };
    features.extend(case.options.iter().all(easy).then(|| PLAIN.to_owned()));
    let truth = truth(case);
    for tensor in case.tensors.iter().filter(|tensor| tensor.differentiated) {
        let (name, dims, data) = (&tensor.name, tensor.value.dims(), tensor.value.data());
        features.extend((dims.len() > 1).then(|| format!("{name} batch {}", dims[0].min(3))));
        if let [_, channels, _, ..] = dims {
            features.extend((*channels > 1).then(|| format!("{name} has channels")));
        }
        if let [.., rows, columns] = dims {
            features.extend((rows != columns).then(|| format!("{name} not square")));
            features.extend((*rows > 1 && *columns > 1).then(|| format!("{name} has rows and columns")));
        }
        let zeros = data.iter().filter(|&&x| x == 0.0).count();
        features.extend((zeros > 0 && zeros < data.len()).then(|| format!("{name} zeros")));
    }
    features.extend((level == Level::Program && truth.output.len() > 20).then(|| "many outputs".to_owned()));
    let right = truth.gradients();
    let mistakes = truth.problem.mutants.iter().chain(&truth.conventions);
    let told = mistakes.filter(|mistake| differs(truth, &right, mistake));
    features.extend(told.map(|mistake| format!("{TELLS}{}", mistake.name)));
    features
}

/// Whether a mistake changes a gradient of this case by more than rounding.
fn differs(truth: &LayerTruth, right: &[Option<Value>], mistake: &GradientSource<'static>) -> bool {
    let run = || (mistake.backward)(&truth.values(), &truth.cotangent);
    let Ok(wrong) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) else { return false };
    right.iter().zip(&wrong).any(|pair| {
        let (Some(right), Some(wrong)) = pair else { return false };
        let largest = right.data().iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
        right.data().iter().zip(wrong.data()).any(|(a, b)| (a - b).abs() > 1e-3 * largest)
    })
}
