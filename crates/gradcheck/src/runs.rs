use std::rc::Rc;

use crate::allocator::Garbage;
use crate::caught::caught;
use crate::combined::{Combined, combined};
use crate::poison::{LARGE, NAN, poison};
use crate::precision::largest;
use crate::random::direction;
use crate::{GradientSource, Problem, Value};

/// Everything that one source says: its gradients `[cotangent][tensor]`.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) gradients: Vec<Vec<Option<Value>>>,
    pub(crate) magnitudes: Option<Vec<Vec<Option<Value>>>>,
    /// For every tensor, whether all runs at the point were equal to the last bit.
    pub(crate) repeatable: Vec<bool>,
    /// How much every element `[cotangent][tensor][element]` changes when the tensors change by about their round-off;
    /// empty where there is no gradient.
    pub(crate) wobble: Vec<Vec<Vec<Wobble>>>,
    /// The gradients under combinations of the cotangents.
    pub(crate) combined: Vec<Combined>,
    /// Its forward, and whether that was repeatable.
    pub(crate) output: Option<(Value, bool)>,
}

/// What round-off was seen to do to an element: by the small changes alone, and by the large one too, which sees more
/// and exaggerates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Wobble {
    pub(crate) near: f64,
    pub(crate) full: f64,
}

impl Run {
    /// Runs the source twice for every cotangent, over memory with other garbage in it, and three times more after it
    /// has been at other points and under other cotangents: what it remembers of those shows. `most` is the largest
    /// number of the precision.
    pub(crate) fn new(
        source: &GradientSource<'_>,
        values: &[Value],
        perturbed: &[Vec<Value>; 4],
        cotangents: &[&Value],
        most: f64,
    ) -> Self {
        let sizes = || {
            let lengths = values.iter().chain(cotangents.first().copied()).map(Value::len);
            lengths.flat_map(|length| [4 * length, 8 * length]).collect::<Vec<_>>()
        };
        let mut repeatable = vec![true; values.len()];
        let mut compare = |a: &[Option<Value>], b: &[Option<Value>]| {
            for (repeatable, (a, b)) in repeatable.iter_mut().zip(a.iter().zip(b)) {
                *repeatable &= match (a, b) {
                    (Some(a), Some(b)) => a.same_bits(b),
                    (None, None) => true,
                    _ => false,
                };
            }
        };
        let mut gradients = Vec::new();
        for cotangent in cotangents {
            let first = over_garbage(sizes(), NAN, || (source.backward)(values, cotangent));
            assert_eq!(first.len(), values.len(), "{}: one entry for each tensor", source.name);
            let second = over_garbage(sizes(), LARGE, || (source.backward)(values, cotangent));
            compare(&first, &second);
            gradients.push(first);
        }
        let wobble = wobble(source, perturbed, cotangents, &gradients);
        let combined = match source.recorded {
            true => Vec::new(),
            false => combined(source, values, cotangents, gradients.first(), most),
        };
        if let (Some(cotangent), Some(first)) = (cotangents.first(), gradients.first()) {
            // Three times: a buffer that changes with every second call is another one in one of them.
            for _ in 0..3 {
                compare(first, &(source.backward)(values, cotangent));
            }
        }
        let magnitudes = source
            .magnitudes
            .as_ref()
            .map(|magnitudes| cotangents.iter().map(|cotangent| magnitudes(values, cotangent)).collect());
        let output = source.forward.as_ref().map(|forward| {
            let first = over_garbage(sizes(), NAN, || forward(values));
            let repeatable = first.same_bits(&over_garbage(sizes(), LARGE, || forward(values)));
            (first, repeatable)
        });
        Self { gradients, magnitudes, repeatable, wobble, combined, output }
    }

    /// The gradient of a tensor for every cotangent.
    pub(crate) fn of(&self, tensor: usize) -> Vec<Option<&Value>> {
        self.gradients.iter().map(|all| all[tensor].as_ref()).collect()
    }
}

/// Runs over memory that holds this garbage: likely where the program has another allocator than ours, certainly where
/// it has ours.
fn over_garbage<T>(sizes: Vec<usize>, pattern: u64, run: impl FnOnce() -> T) -> T {
    poison(sizes, pattern);
    let _garbage = Garbage::new(pattern);
    run()
}

/// The relative changes of the tensors, in unit round-offs, under which a source is run again: two small ones and a
/// large one in one direction, and a small one in another.
const CHANGES: [f64; 4] = [3.0, -5.0, -64.0, 4.0];

/// Runs the source at points that differ by a few units in the last place. What changes is round-off, which no bound
/// from outside sees where a gradient is what is left of a cancellation (a batch norm of two rows). No element gets
/// less than the tensor's median beside its own gradient: one may stay by luck.
///
/// An intermediate result that rounds to the same number at near points, such as a probability next to 1, shows its
/// round-off only at one further away; there, the change that goes on from the near ones is the function's own, and
/// does not count.
fn wobble(
    source: &GradientSource<'_>,
    perturbed: &[Vec<Value>; 4],
    cotangents: &[&Value],
    gradients: &[Vec<Option<Value>>],
) -> Vec<Vec<Vec<Wobble>>> {
    let of_cotangent = |(cotangent, first): (&&Value, &Vec<Option<Value>>)| {
        // Beside the point a source may refuse: then nothing is seen there.
        let beside = |point: &Vec<Value>| caught(|| (source.backward)(point, cotangent)).unwrap_or_default();
        let others = perturbed.each_ref().map(beside);
        (0..first.len())
            .map(|tensor| {
                let Some(gradient) = &first[tensor] else { return Vec::new() };
                let others = others.each_ref().map(|other| match other.get(tensor) {
                    Some(Some(gradient)) => gradient.data(),
                    _ => &[],
                });
                let changes = |index: usize| {
                    let at = |other: &[f64]| other.get(index).map_or(0.0, |g| g - gradient.data()[index]);
                    let [up, down, far, aside] = others.map(at);
                    let trend = CHANGES[2] * (up - down) / (CHANGES[0] - CHANGES[1]);
                    let near = up.abs().max(down.abs()).max(aside.abs());
                    (near, near.max((far - trend).abs()))
                };
                let (near, full): (Vec<f64>, Vec<f64>) = (0..gradient.len()).map(changes).unzip();
                let [typical_near, typical_full] = [&near, &full].map(|all| median_ratio(all, gradient.data()));
                let of = |((near, full), g): ((f64, f64), &f64)| Wobble {
                    near: near.max(typical_near * g.abs()),
                    full: full.max(typical_full * g.abs()),
                };
                near.into_iter().zip(full).zip(gradient.data()).map(of).collect()
            })
            .collect()
    };
    cotangents.iter().zip(gradients).map(of_cotangent).collect()
}

/// The tensors, of which each element that is differentiated has changed by up to `by` of itself.
///
/// Each element moves by itself, as rounding moves it: one factor for all would show nothing of a function that is the
/// same at every scale, such as a normalisation. What is of equal magnitude moves alike, so that ties stay ties.
pub(crate) fn moved(problem: &Problem<'_>, values: &[Value], by: f64, stream: u64) -> Vec<Value> {
    let move_one = |(tensor, value): (usize, &Value)| {
        let by = if problem.differentiated(tensor) { by } else { 0.0 };
        scattered(value, by, stream).rounded(problem.dtype)
    };
    values.iter().enumerate().map(move_one).collect()
}

/// A tensor of which each element has changed by up to `by` of itself.
pub(crate) fn scattered(value: &Value, by: f64, stream: u64) -> Value {
    value.map_data(value.data().iter().map(|&x| x * (1.0 + by * direction(x.abs(), stream))).collect())
}

/// The median of the changes beside the gradients, of elements that have one.
pub(crate) fn median_ratio(changes: &[f64], gradients: &[f64]) -> f64 {
    let pairs = changes.iter().zip(gradients).filter(|(change, g)| **g != 0.0 && (**change / **g).is_finite());
    let mut ratios: Vec<f64> = pairs.map(|(change, g)| change / g.abs()).collect();
    match ratios.len() {
        0 => 0.0,
        length => *ratios.select_nth_unstable_by(length / 2, f64::total_cmp).1,
    }
}

/// The run of one source, or why there is none.
#[derive(Clone)]
pub(crate) enum Outcome {
    Ran(Box<Run>),
    Skipped,
    Panicked(String),
}

impl Outcome {
    /// What it said, if it ran.
    pub(crate) fn run(&self) -> Option<&Run> {
        match self {
            Self::Ran(run) => Some(run),
            _ => None,
        }
    }
}

/// A mutant's gradients `[cotangent][tensor]`, or with what it panicked.
pub(crate) type NamedRun = Result<Vec<Vec<Option<Value>>>, String>;

/// How far round-off moves every element of every tensor under one cotangent; empty where there is no gradient.
pub(crate) type Spread = Rc<Vec<Vec<f64>>>;

/// The runs of every source.
pub(crate) fn run_all(problem: &Problem<'_>, values: &[Value], cotangents: &[&Value]) -> Vec<Outcome> {
    let run = |source: &GradientSource<'_>| {
        if source.skipped.is_some() {
            return Outcome::Skipped;
        }
        let beside = |at: usize| moved(problem, values, CHANGES[at] * source.unit_roundoff, u64::from(at == 3));
        let perturbed = [0, 1, 2, 3].map(beside);
        match caught(|| Run::new(source, values, &perturbed, cotangents, largest(problem.dtype))) {
            Ok(run) => Outcome::Ran(Box::new(run)),
            Err(message) => Outcome::Panicked(message),
        }
    };
    problem.sources.iter().map(run).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::{Role, Variable};

    /// What each of three elements says at the point, after the two small changes, after the large one, and
    /// after the one in another direction.
    const GRADIENTS: [[f64; 5]; 3] =
        [[10.0, 13.0, 4.0, 50.0, 9.0], [1.0, 1.0, 1.0, 1.0, 1.0], [2.0, 2.5, 2.25, -6.0, 1.25]];

    #[test]
    fn wobble_is_the_largest_change_that_is_not_the_trend_and_at_least_the_median_beside_the_gradient() {
        let at = |point: f64| vec![Value::full([1], point)];
        let source = GradientSource::new("table", 0.0, |values, _| {
            let point = values[0].data()[0] as usize;
            vec![Some(Value::new([3], GRADIENTS.map(|element| element[point]).to_vec()))]
        });
        let first = (source.backward)(&at(0.0), &Value::full([1], 1.0));
        let found = wobble(&source, &[1.0, 2.0, 3.0, 4.0].map(at), &[&Value::full([1], 1.0)], &[first]);
        // From 3 round-offs above to 5 below, the first falls by 9 and the last by a quarter: 64 below it is a trend of
        // −64 · 9/8 and −64 · 1/32. The second stays, and gets the median of what the others have beside their
        // gradients: 3 of 0, 3, 11.2.
        assert_eq!(found[0][0].iter().map(|wobble| wobble.full).collect::<Vec<_>>(), [40.0 + 72.0, 3.0, 6.0]);
        // Of the small changes alone: 6, 0 and 3/4, of 10, 1 and 2.
        assert_eq!(found[0][0].iter().map(|wobble| wobble.near).collect::<Vec<_>>(), [6.0, 0.375, 0.75]);
    }

    #[test]
    fn everything_but_constants_is_changed_by_a_few_round_offs() {
        let seen = RefCell::new(Vec::new());
        let source = GradientSource::new("observer", 2f64.powi(-10), |values, _| {
            seen.borrow_mut().push([0, 1].map(|tensor| values[tensor].data()[0]));
            vec![None, None]
        });
        let variable =
            |name: &str, role| Variable { name: name.into(), role, value: Value::full([1], 4.0), expect_zero: false };
        let tensors = vec![variable("x", Role::Input), variable("t", Role::Constant)];
        let mut problem = Problem::new("observed", burn::tensor::DType::F64, tensors, |values| values[0].clone());
        problem.sources = vec![source, GradientSource::skipped("absent", "no device")];
        let values = problem.values();
        let runs = run_all(&problem, &values, &[&Value::full([1], 1.0)]);
        assert!(runs[0].run().is_some() && runs[1].run().is_none());
        drop((runs, problem));
        let moved: Vec<f64> = seen.borrow().iter().map(|[x, _]| (x / 4.0 - 1.0) * 1024.0).collect();
        // Twice at the point, at four others, under three multiples of the cotangent, and three times more.
        let [along, aside] = [0, 1].map(|stream| direction(4.0, stream));
        let expected = [0.0, 0.0, 3.0 * along, -5.0 * along, -64.0 * along, 4.0 * aside, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(moved.len(), expected.len());
        assert!(moved.iter().zip(expected).all(|(moved, expected)| (moved - expected).abs() < 1e-9), "{moved:?}");
        assert!(seen.borrow().iter().all(|[_, t]| *t == 4.0));
    }

    #[test]
    fn the_median_is_of_changes_beside_gradients_that_are_there() {
        assert_eq!(median_ratio(&[1.0, 6.0, 8.0, 5.0], &[4.0, -2.0, 1.0, 0.0]), 3.0);
        assert_eq!(median_ratio(&[1.0, f64::INFINITY], &[0.0, 1.0]), 0.0);
    }
}
