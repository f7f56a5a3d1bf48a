use std::collections::BTreeSet;

use crate::random::Random;
use crate::{Options, Value};

/// The elements of a tensor to check: all of a small one; of a large one the first, the last, where the sources disagree the most, where
/// their gradients are the largest, and the rest by chance.
///
/// `gradients` has one entry for each cotangent, with the gradients of the sources that have one.
pub(crate) fn select(value: &Value, name: &str, gradients: &[Vec<&Value>], options: &Options) -> Vec<usize> {
    let total = value.len();
    if total <= options.full.max(options.quota) {
        return (0..total).collect();
    }
    let mut chosen = BTreeSet::from([0, total - 1]);
    for sides in gradients {
        if let Some(index) = largest(total, |index| spread(sides, index)) {
            chosen.insert(index);
        }
        for side in sides {
            let mut order: Vec<usize> = (0..total).collect();
            let count = (options.quota / (4 * gradients.len().max(1))).clamp(1, total);
            let key = |index: &usize| std::cmp::Reverse(ordered(side.data()[*index].abs()));
            order.select_nth_unstable_by_key(count - 1, key);
            chosen.extend(&order[..count]);
        }
    }
    let mut random = Random::new(options.seed, name);
    while chosen.len() < options.quota {
        chosen.insert(random.below(total));
    }
    chosen.into_iter().collect()
}

/// The largest difference between two sources, if they differ at all.
fn spread(sides: &[&Value], index: usize) -> f64 {
    let [low, high] = sides.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], side| {
        let g = side.data()[index];
        [low.min(g), high.max(g)]
    });
    if sides.iter().any(|side| !side.data()[index].is_finite()) { f64::INFINITY } else { high - low }
}

fn largest(total: usize, of: impl Fn(usize) -> f64) -> Option<usize> {
    let index = (0..total).max_by(|&a, &b| of(a).total_cmp(&of(b)))?;
    (of(index) > 0.0).then_some(index)
}

/// NaN first: bits of non-negative floats are ordered as they are.
fn ordered(x: f64) -> u64 {
    x.to_bits()
}
