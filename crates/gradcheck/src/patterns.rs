//! What wrong gradients look like. Every pattern answers with a sentence if it explains all known elements.

use crate::symptoms::Symptoms;
use crate::value::position;
use crate::words::counted;

pub(crate) fn kink_only(symptoms: &Symptoms<'_>, wrong: &[usize]) -> Option<String> {
    let at_kink = |index: &usize| symptoms.kinks.contains(index);
    if !wrong.is_empty() && wrong.iter().all(at_kink) {
        return Some("wrong only at kinks or ties: the gradient lies outside of what the two sides allow".into());
    }
    let at_zero = |index: &usize| symptoms.value[*index] == 0.0;
    let others = symptoms.known().count() > wrong.len();
    (others && wrong.len() > 1 && wrong.iter().all(at_zero)).then(|| {
        "wrong only where the tensor is exactly 0: look at the convention for ties, or a division by it".into()
    })
}

pub(crate) fn zero_everywhere(symptoms: &Symptoms<'_>, wrong: &[usize]) -> Option<String> {
    (!wrong.is_empty() && symptoms.gradient.iter().all(|&g| g == 0.0))
        .then(|| "zero everywhere: the tensor is detached, or its gradient is never written".into())
}

/// A constant ratio over the whole tensor.
pub(crate) fn scaled(symptoms: &Symptoms<'_>, _: &[usize]) -> Option<String> {
    let (_, gradient, truth) = symptoms.known().max_by(|a, b| a.2.abs().total_cmp(&b.2.abs()))?;
    if truth.abs() <= 10.0 * symptoms.tolerance {
        return None;
    }
    let ratio = gradient / truth;
    let same = |(_, g, t): (usize, f64, f64)| (g - ratio * t).abs() <= 4.0 * symptoms.tolerance * ratio.abs().max(1.0);
    if !symptoms.known().all(same) || gradient == 0.0 {
        return None;
    }
    let is = |factor: f64| (ratio / factor - 1.0).abs() <= 1e-6 + 2.0 * symptoms.tolerance / truth.abs();
    let sign = if ratio < 0.0 { -1.0 } else { 1.0 };
    let also = if ratio < 0.0 { ", and the sign is flipped" } else { "" };
    if is(-1.0) {
        return Some("the sign is flipped".into());
    }
    for (size, name) in symptoms.factors.iter().filter(|(size, _)| *size > 1.0) {
        if is(sign * size) {
            return Some(format!("{size} times too large: a lost factor 1/N, N = {size} is {name}{also}"));
        }
        if is(sign / size) {
            return Some(format!("{size} times too small: an extra factor 1/N, N = {size} is {name}{also}"));
        }
    }
    let meaning = match ratio.abs() {
        r if (r - 2.0).abs() < 1e-6 => ": an extra factor 2, or a term that is counted twice",
        r if (r - 0.5).abs() < 1e-6 => ": a lost factor 2, or one of two equal terms",
        _ => ": a lost or extra constant factor",
    };
    Some(format!("{ratio:.6} times what it should be, the same for all elements{meaning}"))
}

pub(crate) fn one_element(symptoms: &Symptoms<'_>, wrong: &[usize]) -> Option<String> {
    match wrong {
        [index] if symptoms.known().count() > 2 => {
            let place = position(symptoms.dims, *index);
            let end = match *index {
                0 => ", the first one",
                index if index + 1 == symptoms.gradient.len() => ", the last one",
                _ => "",
            };
            Some(format!("only the element {place:?}{end} is wrong"))
        }
        _ => None,
    }
}

/// The right numbers in other places: transposed, turned or shifted.
pub(crate) fn rearranged(symptoms: &Symptoms<'_>, wrong: &[usize]) -> Option<String> {
    let (dims, length) = (symptoms.dims, symptoms.gradient.len());
    if wrong.len() < 2 || symptoms.known().count() < length {
        return None;
    }
    let truth: Vec<f64> = symptoms.truth.iter().flatten().copied().collect();
    let fits = |from: &dyn Fn(usize) -> usize| {
        (0..length).all(|index| symptoms.same(symptoms.gradient[index], truth[from(index)]))
    };
    let rank = dims.len();
    for a in (0..rank).rev() {
        for b in (a + 1..rank).rev() {
            if dims[a] > 1 && dims[b] > 1 && fits(&|index| swapped(dims, a, b, index)) {
                return Some(match rank {
                    2 => "transposed".into(),
                    _ => format!("axes {a} and {b} are swapped"),
                });
            }
        }
    }
    if fits(&|index| (index + length - 1) % length) || fits(&|index| (index + 1) % length) {
        return Some("shifted by one element".into());
    }
    for axis in 0..rank {
        let moved = |by: usize| {
            move |index: usize| {
                let mut place = position(dims, index);
                place[axis] = (place[axis] + by) % dims[axis];
                flat(dims, &place)
            }
        };
        if dims[axis] > 1 && (fits(&moved(1)) || fits(&moved(dims[axis] - 1))) {
            return Some(format!("shifted by one along axis {axis}"));
        }
    }
    if rank >= 2 {
        let turned = |index| {
            let mut place = position(dims, index);
            for axis in [rank - 2, rank - 1] {
                place[axis] = dims[axis] - 1 - place[axis];
            }
            flat(dims, &place)
        };
        if fits(&turned) {
            return Some("the last two axes are turned by 180°: a convolution where a correlation should be".into());
        }
    }
    None
}

/// Zeros where there should be none, and the other way round.
pub(crate) fn masks(symptoms: &Symptoms<'_>, wrong: &[usize]) -> Option<String> {
    let (mut lost, mut stale, mut other) = (0, 0, 0);
    for &index in wrong {
        let truth = symptoms.truth[index]?;
        match (symptoms.gradient[index] == 0.0, truth.abs() <= symptoms.tolerance) {
            (true, false) => lost += 1,
            (false, true) => stale += 1,
            _ => other += 1,
        }
    }
    if other > 0 || lost + stale < 2 {
        return None;
    }
    let slice = one_slice(symptoms, wrong).map(|slice| format!(" ({slice})")).unwrap_or_default();
    let (zeros, others) = (counted(lost, "element"), counted(stale, "element"));
    Some(match (lost, stale) {
        (_, 0) => format!("zero in {zeros} where it should not be: a part is masked or detached{slice}"),
        (0, _) => {
            format!("not zero in {others} where the forward is flat: the mask is missing or stale{slice}")
        }
        _ => format!(
            "zero in {zeros} where it should not be, and not zero in {stale} that should be: the mask of another step"
        ),
    })
}

/// Wrong in one row, column or channel, and right elsewhere.
pub(crate) fn one_slice(symptoms: &Symptoms<'_>, wrong: &[usize]) -> Option<String> {
    let dims = symptoms.dims;
    let first = position(dims, *wrong.first()?);
    let axis = (0..dims.len())
        .find(|&axis| dims[axis] > 1 && wrong.iter().all(|&index| position(dims, index)[axis] == first[axis]))?;
    let end = match first[axis] {
        0 => " (the first)",
        last if last + 1 == dims[axis] => " (the last)",
        _ => "",
    };
    Some(format!("wrong only at index {} of {}{end} along axis {axis}", first[axis], dims[axis]))
}

/// The same number too much everywhere, or a multiple of the tensor itself.
pub(crate) fn offset(symptoms: &Symptoms<'_>, wrong: &[usize]) -> Option<String> {
    let known: Vec<_> = symptoms.known().collect();
    let (index, gradient, truth) =
        *known.iter().max_by(|a, b| symptoms.value[a.0].abs().total_cmp(&symptoms.value[b.0].abs()))?;
    if known.len() < 3 || wrong.len() < 2 {
        return None;
    }
    let constant = gradient - truth;
    let tolerance = 4.0 * symptoms.tolerance;
    if known.iter().all(|(_, g, t)| (g - t - constant).abs() <= tolerance) {
        return Some(format!("{constant:.6} too much in every element: a constant that does not belong"));
    }
    let rate = constant / symptoms.value[index];
    let proportional = |&(index, g, t): &(usize, f64, f64)| (g - t - rate * symptoms.value[index]).abs() <= tolerance;
    (rate.is_finite() && known.iter().all(proportional))
        .then(|| format!("too large by {rate:.6} times the tensor itself: a weight decay that does not belong"))
}

pub(crate) fn permuted(symptoms: &Symptoms<'_>, wrong: &[usize]) -> Option<String> {
    if wrong.len() < 2 || symptoms.known().count() < symptoms.gradient.len() {
        return None;
    }
    let mut truth: Vec<f64> = symptoms.truth.iter().flatten().copied().collect();
    let mut gradient = symptoms.gradient.to_vec();
    truth.sort_by(f64::total_cmp);
    gradient.sort_by(f64::total_cmp);
    let same = truth.iter().zip(&gradient).all(|(&a, &b)| symptoms.same(a, b));
    same.then(|| "the right numbers in the wrong places: swapped axes, strides or indices".into())
}

pub(crate) fn flat(dims: &[usize], place: &[usize]) -> usize {
    place.iter().zip(dims).fold(0, |index, (&at, &size)| index * size + at)
}

/// Where the element at `index` comes from if a tensor of these dimensions holds itself with the axes `a` and `b`
/// swapped.
pub(crate) fn swapped(dims: &[usize], a: usize, b: usize, index: usize) -> usize {
    let mut other = dims.to_vec();
    other.swap(a, b);
    let mut place = position(&other, index);
    place.swap(a, b);
    flat(dims, &place)
}

#[cfg(test)]
mod tests;
