//! Mistakes that any layer can have: of layout, of indices, of sums that are overwritten. Each is a whole backward
//! pass, beside those that the suite knows of the layer.

use std::rc::Rc;

use backproof_gradcheck::{GradientSource, Value};

use crate::case::{LayerTruth, changed};
use crate::shapes::{COLUMN_MAJOR, backwards, last_two, permuted, reshaped, turned};

/// A change of a tensor; none where it has not the axes for it.
type Change = Box<dyn Fn(&Value) -> Option<Value>>;

/// A change with what it is called.
type Named = (String, Change);

/// A change of the tensor of this number.
type OfTensor = (usize, String, Change);

/// Backward passes with such a mistake.
pub(crate) fn backward(truth: &LayerTruth) -> Vec<GradientSource<'static>> {
    let model = &truth.model;
    let mut all = Vec::new();
    for (name, change) in orders() {
        all.push(changed(name, model, move |_, gradient| change(gradient)));
    }
    for (name, change) in cotangents(truth.output.dims()) {
        let backward = Rc::clone(&model.backward);
        all.push(GradientSource::new(name, model.unit_roundoff, move |values, g| match change(g) {
            Some(g) => backward(values, &g),
            None => vec![None; values.len()],
        }));
    }
    for (tensor, name, change) in inputs(truth) {
        let backward = Rc::clone(&model.backward);
        all.push(GradientSource::new(name, model.unit_roundoff, move |values, g| {
            let mut values = values.to_vec();
            match change(&values[tensor]) {
                Some(other) => values[tensor] = other,
                None => return vec![None; values.len()],
            }
            let mut found = backward(&values, g);
            // The gradient of the tensor itself is that of another tensor.
            found[tensor] = None;
            found
        }));
    }
    all
}

/// Outputs with such a mistake, of the output that is right.
pub(crate) fn forward(truth: &LayerTruth) -> Vec<(String, Value)> {
    let output = &truth.output;
    let permutations = orders().into_iter().filter_map(|(name, change)| Some((name, change(output)?)));
    let changed_inputs = inputs(truth).into_iter().filter_map(|(tensor, name, change)| {
        let mut values = truth.values();
        values[tensor] = change(&values[tensor])?;
        let forward = Rc::clone(&truth.problem.forward);
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| forward(&values))).ok()?;
        (found.dims() == output.dims()).then_some((name, found))
    });
    permutations.chain(changed_inputs).collect()
}

/// The right numbers in a wrong order.
fn orders() -> Vec<Named> {
    let of_matrices = |value: &Value| {
        let rank = value.dims().len();
        (rank >= 2).then(|| reshaped(&permuted(value, &last_two(rank)), value.dims()))
    };
    let of_all_axes = |value: &Value| {
        let rank = value.dims().len();
        (rank >= 2).then(|| reshaped(&permuted(value, &backwards(rank)), value.dims()))
    };
    // What a program reads that takes a row-major array for a column-major one.
    let other_way = |value: &Value| {
        let rank = value.dims().len();
        let reversed: Vec<usize> = value.dims().iter().rev().copied().collect();
        (rank >= 2).then(|| permuted(&reshaped(value, &reversed), &backwards(rank)))
    };
    let of_matrices_other_way = |value: &Value| {
        let rank = value.dims().len();
        let mut dims = value.dims().to_vec();
        (rank >= 2).then(|| {
            dims.swap(rank - 2, rank - 1);
            permuted(&reshaped(value, &dims), &last_two(rank))
        })
    };
    vec![
        (COLUMN_MAJOR.to_owned(), Box::new(of_matrices) as Change),
        (format!("all axes in the opposite order: {COLUMN_MAJOR}"), Box::new(of_all_axes)),
        (format!("{COLUMN_MAJOR} (read so)"), Box::new(of_matrices_other_way)),
        (format!("all axes in the opposite order: {COLUMN_MAJOR} (read so)"), Box::new(other_way)),
    ]
}

/// Incoming gradients of which a part is lost.
fn cotangents(output: &[usize]) -> Vec<Named> {
    let mut all: Vec<Named> = vec![(
        "the incoming gradient is lost: 1 in the place of g".to_owned(),
        Box::new(|g: &Value| Some(Value::full(g.dims(), 1.0))),
    )];
    let samples = output.first().copied().unwrap_or(1);
    if output.len() >= 2 && samples > 1 {
        let per_sample = output[1..].iter().product::<usize>();
        for (which, words) in [(0, "only the first sample counts"), (samples - 1, OVERWRITTEN)] {
            all.push((words.to_owned(), Box::new(move |g: &Value| Some(masked(g, |at| at / per_sample == which)))));
        }
        let share = 1.0 / samples as f64;
        all.push((
            "averaged over the batch in the place of summed: divided by N twice, where g has the 1/N".to_owned(),
            Box::new(move |g: &Value| Some(scaled(g, share))),
        ));
    } else if output.len() == 1 && samples > 1 {
        let share = 1.0 / samples as f64;
        all.push((
            "divided by N twice: g has the 1/N of the mean already".to_owned(),
            Box::new(move |g: &Value| Some(scaled(g, share))),
        ));
        all.push((
            "the factor 1/N is lost: g, which has it, times N".to_owned(),
            Box::new(move |g: &Value| Some(scaled(g, 1.0 / share))),
        ));
    }
    if output.len() >= 3 {
        let plane = output[2..].iter().product::<usize>();
        if plane > 1 {
            for (which, words) in [(0, "only the first position counts"), (plane - 1, LAST_POSITION)] {
                all.push((words.to_owned(), Box::new(move |g: &Value| Some(masked(g, |at| at % plane == which)))));
            }
        }
    }
    all
}

const OVERWRITTEN: &str = "only the last sample counts: `=` in the place of `+=`";
const LAST_POSITION: &str = "only the last position counts: `=` in the place of `+=`";

fn masked(g: &Value, kept: impl Fn(usize) -> bool) -> Value {
    let of = |(at, &g): (usize, &f64)| if kept(at) { g } else { 0.0 };
    Value::new(g.dims(), g.data().iter().enumerate().map(of).collect())
}

fn scaled(g: &Value, factor: f64) -> Value {
    Value::new(g.dims(), g.data().iter().map(|g| factor * g).collect())
}

/// Tensors that are taken in a wrong way: the tensor, the mistake, and what is computed with in its place.
fn inputs(truth: &LayerTruth) -> Vec<OfTensor> {
    let mut all: Vec<OfTensor> = Vec::new();
    for (index, tensor) in truth.problem.tensors.iter().enumerate() {
        let (name, dims) = (&tensor.name, tensor.value.dims().to_vec());
        let rank = dims.len();
        if name == "weight" && rank == 4 {
            all.push((index, "the kernel is flipped".to_owned(), Box::new(|value| Some(turned(value)))));
        }
        if rank >= 2 && dims[rank - 2] == dims[rank - 1] && dims[rank - 1] > 1 {
            let words = format!("`{name}` with its rows and columns exchanged");
            all.push((index, words, Box::new(move |value| Some(permuted(value, &last_two(rank))))));
        }
        if name == "bias" || name == "beta" {
            let words = format!("`{name}` is not added");
            all.push((index, words, Box::new(|value| Some(Value::full(value.dims(), 0.0)))));
        }
    }
    all
}
