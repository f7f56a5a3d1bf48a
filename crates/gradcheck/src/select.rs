use std::collections::BTreeSet;

use crate::random::Random;
use crate::{Options, Value};

/// The elements of a tensor to check: all of a small one; of a large one the first, the last, where the sources
/// disagree the most, where their gradients are the largest, and the rest by chance.
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

#[cfg(test)]
mod tests {
    use super::*;

    const TOTAL: usize = 1000;

    fn options(full: usize, quota: usize) -> Options {
        Options { full, quota, ..Options::default() }
    }

    fn value(at: impl Fn(usize) -> f64) -> Value {
        Value::new([TOTAL], (0..TOTAL).map(at).collect())
    }

    #[test]
    fn a_small_tensor_is_checked_in_full() {
        let x = value(|_| 1.0);
        for (full, quota) in [(TOTAL, 10), (10, TOTAL)] {
            assert!(select(&x, "x", &[], &options(full, quota)).into_iter().eq(0..TOTAL), "{full} {quota}");
        }
        assert_eq!(select(&x, "x", &[], &options(TOTAL - 1, 10)).len(), 10);
    }

    /// Of two cotangents with two sources each, a twelfth of 24 elements, 3, is chosen by the size of each gradient.
    #[test]
    fn a_large_one_at_the_ends_at_the_largest_disagreement_and_at_the_largest_gradients() {
        let decay = |from: usize| move |i: usize| 2.0 - (i as f64 - from as f64).abs() / TOTAL as f64;
        let one = [value(|i| decay(200)(i)), value(|i| -decay(400)(i))];
        let two = [value(|i| decay(600)(i)), value(|i| if i == 701 { f64::NAN } else { decay(800)(i) })];
        let sides = [vec![&one[0], &one[1]], vec![&two[0], &two[1]]];
        let chosen = select(&value(|_| 1.0), "x", &sides, &options(10, 24));
        assert_eq!(chosen.len(), 24);
        assert!(chosen.is_sorted() && chosen[0] == 0 && chosen[23] == TOTAL - 1);
        // One takes its neighbours with the peak; between the peaks of the first cotangent its sources are the furthest
        // apart, at the first of them.
        for peak in [199, 200, 201, 399, 400, 401, 599, 600, 601, 701, 799, 800] {
            assert!(chosen.contains(&peak) || peak == 799, "{peak}: {chosen:?}");
        }
        for near in [197, 198, 202, 203, 397, 398, 402, 403, 597, 598, 602, 603] {
            assert!(!chosen.contains(&near), "{near}: {chosen:?}");
        }
    }

    /// 40 elements, a quarter of which by size.
    #[test]
    fn the_largest_gradients_are_among_the_chosen_wherever_they_lie() {
        for seed in 0..200 {
            let gradient = Value::normal([TOTAL], seed);
            let chosen = select(&value(|_| 1.0), "x", &[vec![&gradient]], &options(10, 40));
            let mut order: Vec<usize> = (0..TOTAL).collect();
            order.sort_by(|&a, &b| gradient.data()[b].abs().total_cmp(&gradient.data()[a].abs()));
            assert!(order[..10].iter().all(|index| chosen.contains(index)), "{seed}");
        }
    }

    #[test]
    fn the_largest_disagreement_is_a_difference_and_a_nan_is_the_largest() {
        let [a, b] = [vec![5.0, 1.0, -2.0, 3.0], vec![4.5, 2.0, -5.0, f64::NAN]].map(|data| Value::new([4], data));
        assert_eq!([0, 1, 2, 3].map(|index| spread(&[&a, &b], index)), [0.5, 1.0, 3.0, f64::INFINITY]);
        assert_eq!(largest(3, |index| spread(&[&a, &b], index)), Some(2));
        assert_eq!(largest(4, |index| spread(&[&a, &b], index)), Some(3));
        assert_eq!(largest(3, |_| 0.0), None, "they agree");
    }
}
