//! When a backward is wrong at a point.

use backproof_gradcheck::Value;

use crate::adversaries::{Adversary, Gradients, Memory};
use crate::draw::Draw;
use crate::edges::Edges;
use crate::functions::Function;

/// A change of a gradient counts if it is more than a thousandth of it,
const OF_ITSELF: f64 = 1e-3;
/// and more than a hundred-thousandth of the largest of the tensor, in single precision a thousandth,
const OF_LARGEST: [f64; 2] = [1e-3, 1e-5];
/// and more than a billionth of the cotangent times what the output is beside the tensor (at least 1), which is about
/// what differences in f64 can show; in single precision, where that is more than a thousandth of the gradient, more
/// than what the rounding of the output makes of a backward that is written in terms of it;
const OF_OUTPUT: [f64; 2] = [4e-6, 1e-9];
/// and more than a millionth of what the function's other tensors do, below which a gradient counts as zero.
const OF_OTHERS: f64 = 1e-6;
/// In a tensor of which only a quota is differentiated one by one, the rest is only seen in sums: there it counts if it
/// is more than half of the root mean square.
const OF_MANY: f64 = 0.5;
/// and if the function's change over a line's step is more than the rounding of its outputs.
const LINE_STEP: f64 = 1e-4;

/// Whether the adversary really changes a gradient at this point, under one of five cotangents, whose sizes are between
/// a millionth and a hundred thousand. It was called before, at another point and with another cotangent, as whatever
/// has a memory was.
///
/// The right gradient is that in f64. On a kink any gradient may be right, but the sum along a direction without one is
/// not free.
pub(crate) fn is_wrong(
    adversary: &Adversary,
    function: &Function,
    single: bool,
    values: &[Value],
    draw: &mut Draw,
) -> bool {
    let output = function.forward(false, values);
    let mut cotangent =
        |size: f64| Value::new(output.dims(), output.data().iter().map(|_| size * draw.normal()).collect());
    let cotangents = [1.0, 1e-3, 1e3, 1e-6, 1e5].map(&mut cotangent);
    let before = cotangent(1.0);
    let edges = (function.edges)(values);
    let of_output = OF_OUTPUT[usize::from(!single)];
    let memory = Memory::default();
    adversary.call(function, single, &elsewhere(values), &before, &memory);
    cotangents.iter().any(|cotangent| {
        let found = adversary.call(function, single, values, cotangent, &memory);
        let right = function.backward(false, values, cotangent);
        let tiny = if single { 1e-36 } else { 1e-290 } * largest(cotangent).max(1.0);
        let of_tensor =
            |value: &Value| of_output * largest(cotangent) * largest(&output) / largest(value).max(1.0) + tiny;
        // A tensor of zeros counts as its steps do.
        let size = |value: &Value| if largest(value) == 0.0 { 0.01 } else { largest(value) };
        let energy = |tensor: usize| largest(right[tensor].as_ref().unwrap_or(&values[tensor])) * size(&values[tensor]);
        let of_others = |tensor: usize| {
            let others = (0..values.len()).filter(|&other| other != tensor && right[other].is_some()).map(energy);
            OF_OTHERS * others.fold(0.0, f64::max) / largest(&values[tensor]).max(f64::MIN_POSITIVE)
        };
        let rounding = 16.0 * f64::EPSILON * (output.len() as f64).sqrt() * largest(cotangent) * largest(&output);
        let of_line = |value: &Value| if value.len() > 256 { rounding / (LINE_STEP * typical(value)) } else { 0.0 };
        let floor = |(tensor, value): (usize, &Value)| of_tensor(value).max(of_others(tensor)).max(of_line(value));
        let floors: Vec<f64> = values.iter().enumerate().map(floor).collect();
        // Where the right backward is no better in this precision, the fault is not the adversary's: an overflow, or a
        // cancellation.
        let possible = function.backward(single, values, cotangent);
        let of_largest = OF_LARGEST[usize::from(!single)];
        differ(&found, &right, &edges, &floors, of_largest) && !differ(&possible, &right, &edges, &floors, of_largest)
    })
}

/// Another point.
pub(crate) fn elsewhere(values: &[Value]) -> Vec<Value> {
    let near = |value: &Value| Value::new(value.dims(), value.data().iter().map(|x| 0.75 * x).collect());
    values.iter().map(near).collect()
}

fn largest(value: &Value) -> f64 {
    value.data().iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// The median of the magnitudes: what most elements move by.
fn typical(value: &Value) -> f64 {
    let mut sizes: Vec<f64> = value.data().iter().map(|x| x.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    sizes[sizes.len() / 2].max(f64::MIN_POSITIVE)
}

fn differ(found: &Gradients, right: &Gradients, edges: &Edges, floors: &[f64], of_largest: f64) -> bool {
    let element = |tensor: usize| {
        let (Some(found), Some(right)) = (&found[tensor], &right[tensor]) else { return false };
        if right.len() > 256 && edges.at[tensor].contains(&true) {
            // A line through all elements that crosses a kink says nothing of those that the quota leaves out.
            return false;
        }
        let most = largest(right);
        let typical = (right.data().iter().map(|g| g * g).sum::<f64>() / right.len() as f64).sqrt();
        let least = if right.len() > 256 { OF_MANY * typical } else { of_largest * most }.max(floors[tensor]);
        let pairs = found.data().iter().zip(right.data()).zip(&edges.at[tensor]);
        pairs.into_iter().any(|((found, right), kink)| {
            let change = (found - right).abs();
            !kink && (change.is_nan() || change > (OF_ITSELF * right.abs()).max(least))
        })
    };
    let sum = |gradients: &Gradients, together: &[(usize, usize, f64)], size: bool| -> f64 {
        let of = |&(tensor, index, direction): &(usize, usize, f64)| {
            let g = direction * gradients[tensor].as_ref().map_or(0.0, |gradient| gradient.data()[index]);
            if size { g.abs() } else { g }
        };
        together.iter().map(of).sum()
    };
    let most = right.iter().flatten().map(largest).fold(0.0, f64::max);
    let together = |elements: &Vec<(usize, usize, f64)>| {
        let change = (sum(found, elements, false) - sum(right, elements, false)).abs();
        let size = sum(right, elements, true).max(sum(found, elements, true));
        let least = (1e-3 * size).max(1e-3 * most);
        let least = elements.iter().fold(least, |least, &(tensor, ..)| least.max(floors[tensor]));
        change.is_nan() || change > least
    };
    (0..right.len()).any(element) || edges.together.iter().any(together)
}
