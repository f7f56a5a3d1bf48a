//! A source under combinations of the cotangents, which a linear backward combines in the same way.

use crate::{GradientSource, Value};

/// The gradients under `Σ_k a_k w_k`, which must be `Σ_k a_k B(w_k)`.
#[derive(Clone)]
pub(crate) struct Combined {
    /// The factors by the number of the cotangent.
    pub(crate) factors: Vec<(usize, f64)>,
    pub(crate) gradients: Vec<Option<Value>>,
    /// They are the sum of two runs.
    pub(crate) parts: bool,
}

/// The gradients under the negative of the first cotangent, a large and a tiny multiple of it, a large negative one of
/// the second, all of which every precision can hold, and a sum of the two.
pub(crate) fn combined(
    source: &GradientSource<'_>,
    values: &[Value],
    cotangents: &[&Value],
    gradients: Option<&Vec<Option<Value>>>,
    most: f64,
) -> Vec<Combined> {
    let [mut large, tiny] =
        if source.unit_roundoff > 1e-4 { [64.0, 1.0 / 64.0] } else { [2f64.powi(20), 2f64.powi(-30)] };
    // What overflows says nothing.
    let steepest = gradients.into_iter().flatten().flatten().map(Value::max_abs).fold(0.0, f64::max);
    while large > 4.0 && large * steepest > 1e-4 * most && steepest.is_finite() {
        large /= 2.0;
    }
    let second = cotangents.len() > 1;
    let of_second = |factors: &[(usize, f64)]| second.then(|| factors.to_vec());
    let combinations = [
        Some(vec![(0, -1.0)]),
        Some(vec![(0, large)]),
        of_second(&[(1, -large)]),
        Some(vec![(0, tiny)]),
        of_second(&[(0, 0.375), (1, -2.625)]),
    ];
    let run = |factors| combination(source, values, cotangents, factors);
    if cotangents.is_empty() {
        return Vec::new();
    }
    let mut all: Vec<Combined> = combinations.into_iter().flatten().map(run).collect();
    // By several digits of their numbers, so that few outputs are always in the same part.
    all.extend((0..3).map_while(|digit| split(source, values, cotangents[0], digit)));
    all
}

/// The gradients under one combination.
pub(crate) fn combination(
    source: &GradientSource<'_>,
    values: &[Value],
    cotangents: &[&Value],
    factors: Vec<(usize, f64)>,
) -> Combined {
    let mut sum = vec![0.0; cotangents[0].len()];
    for &(number, factor) in &factors {
        sum.iter_mut().zip(cotangents[number].data()).for_each(|(sum, w)| *sum += factor * w);
    }
    let gradients = (source.backward)(values, &cotangents[0].map_data(sum));
    Combined { factors, gradients, parts: false }
}

/// What a part of a cotangent is beside the other in [`split`].
const PART: f64 = 1.0 / 256.0;

/// The gradients under the first cotangent with the weights made small of the outputs whose number has a 0 for this
/// binary digit, plus those with the others made small: each output is once small beside others. A backward that loses
/// what is small beside the largest loses it here. `None` if no number has such a digit.
fn split(source: &GradientSource<'_>, values: &[Value], cotangent: &Value, digit: u32) -> Option<Combined> {
    if cotangent.len() <= 1 << digit {
        return None;
    }
    let half = |kept: usize| {
        let part = |(output, w): (usize, &f64)| if output >> digit & 1 == kept { PART * w } else { *w };
        (source.backward)(values, &cotangent.map_data(cotangent.data().iter().enumerate().map(part).collect()))
    };
    let sum = |(a, b): (Option<Value>, Option<Value>)| {
        let (a, b) = (a?, b.filter(|b| !b.is_empty())?);
        (a.dims() == b.dims()).then(|| a.map_data(a.data().iter().zip(b.data()).map(|(a, b)| a + b).collect()))
    };
    let gradients = half(0).into_iter().zip(half(1)).map(sum).collect();
    Some(Combined { factors: vec![(0, 1.0 + PART)], gradients, parts: true })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// The multiples of a source of this round-off, as factors of the first cotangent, and its gradients of y = x.
    #[test]
    fn multiples_fit_into_the_precision_and_two_parts_add_up() {
        let factors = |u: f64| {
            let source = GradientSource::new("identity", u, |_, w| vec![Some(w.clone())]);
            let [first, second] = [vec![1.0, 2.0, 4.0], vec![1.0; 3]].map(|w| Value::new([3], w));
            let found = combined(&source, &[Value::full([3], 1.0)], &[&first, &second], None, f64::MAX);
            let last = found.last().unwrap().gradients[0].as_ref().unwrap().data().to_vec();
            assert_eq!(last, [1.0, 2.0, 4.0].map(|w| (1.0 + PART) * w));
            let sum = found[4].gradients[0].as_ref().unwrap().data().to_vec();
            assert_eq!(sum, [0.375 - 2.625, 0.75 - 2.625, 1.5 - 2.625]);
            found.iter().map(|one| one.factors[0].1).collect::<Vec<_>>()
        };
        // Three outputs have two digits.
        let parts = [1.0 + PART; 2];
        assert_eq!(factors(2f64.powi(-11)), [&[-1.0, 64.0, -64.0, 1.0 / 64.0, 0.375][..], &parts].concat());
        let large = 2f64.powi(20);
        assert_eq!(factors(2f64.powi(-24)), [&[-1.0, large, -large, 2f64.powi(-30), 0.375][..], &parts].concat());
    }

    #[test]
    fn a_multiple_that_overflows_is_made_smaller() {
        let source = GradientSource::new("identity", 1e-9, |_, w| vec![Some(w.clone())]);
        let first = Value::full([1], 8.0);
        let large = |most: f64| {
            let gradients = vec![Some(first.clone())];
            combined(&source, &[Value::full([1], 1.0)], &[&first], Some(&gradients), most)[1].factors[0].1
        };
        assert_eq!(large(1e38), 2f64.powi(20));
        assert_eq!(large(2560.0 * 8.0 * 1e2), 16.0);
        assert_eq!(large(1.0), 4.0);
    }

    /// Each part is under every second weight a thousandth of the other.
    #[test]
    fn each_output_is_small_beside_its_neighbours_once() {
        let seen = RefCell::new(Vec::new());
        let source = GradientSource::new("observer", 0.0, |_, w| {
            seen.borrow_mut().push(w.data().to_vec());
            vec![Some(w.clone())]
        });
        assert!(split(&source, &[], &Value::full([1], 1.0), 0).is_none());
        assert!(split(&source, &[], &Value::full([2], 1.0), 1).is_none());
        assert_eq!(split(&source, &[], &Value::full([2], 1.0), 0).unwrap().factors, [(0, 1.0 + PART)]);
        drop(source);
        assert_eq!(seen.into_inner(), [[PART, 1.0], [1.0, PART]]);
    }
}
