//! Where elements are equal. What one of them is chosen for may go to any of them, or be shared; it may not be lost or given twice.

use backproof_gradcheck::Value;

use super::{Call, Gradients, Members};

pub(super) fn all() -> Members {
    vec![
        ("every tied element has what all share", |call| shared(call, |sum, _, _| sum)),
        ("no tied element has anything", |call| shared(call, |_, _, _| 0.0)),
        ("half of it is lost", |call| shared(call, |sum, _, count| 0.5 * sum / count as f64)),
        ("the first has it, and the last too", |call| {
            shared(call, |sum, place, count| if place == 0 || place + 1 == count { sum } else { 0.0 })
        }),
        ("a tenth more than there is", |call| shared(call, |sum, _, count| 1.1 * sum / count as f64)),
        ("lost where more than two are tied", |call| {
            shared(call, |sum, place, count| if count == 2 && place == 0 { sum } else { 0.0 })
        }),
        ("each has one share of so many as the tensor has elements", |call| {
            let total = call.values[0].len() as f64;
            shared(call, |sum, _, _| sum / total)
        }),
        ("twice for the first, and back from the last", |call| {
            shared(call, |sum, place, count| match place {
                0 => 2.0 * sum,
                last if last + 1 == count => -0.5 * sum,
                _ => 0.0,
            })
        }),
        ("every other element at a kink is on the other side of it", |call| {
            let sides = [1.0, -1.0].map(|side| call.with_values(|x| x + side * (1e-3 * x.abs()).max(1e-30)));
            let edges = call.edges();
            let of_tensor = |(tensor, d): (usize, Option<Value>)| {
                let d = d?;
                let of = |i: usize| sides[i % 2][tensor].as_ref().expect("it is differentiated").data()[i];
                let one = |i: usize| if edges.at[tensor][i] { of(i) } else { d.data()[i] };
                Some(Value::new(d.dims(), (0..d.len()).map(one).collect()))
            };
            call.right().into_iter().enumerate().map(of_tensor).collect()
        }),
    ]
}

/// `f(sum, place, count)` for each of `count` elements whose gradients have a right sum, along the direction in which they move together.
fn shared(call: &Call<'_>, f: impl Fn(f64, usize, usize) -> f64) -> Gradients {
    let right = call.right();
    let mut found: Vec<Option<Vec<f64>>> = right.iter().map(|d| d.as_ref().map(|d| d.data().to_vec())).collect();
    for together in call.edges().together {
        let of = |&(tensor, index, direction): &(usize, usize, f64)| {
            direction * right[tensor].as_ref().expect("it is differentiated").data()[index]
        };
        let sum: f64 = together.iter().map(of).sum();
        // Two tensors that meet at a kink may have opposite gradients, whose sum is zero: there the first one's counts.
        let sum = if sum == 0.0 { of(&together[0]) } else { sum };
        for (place, &(tensor, index, direction)) in together.iter().enumerate() {
            found[tensor].as_mut().expect("it is differentiated")[index] = direction * f(sum, place, together.len());
        }
    }
    right.iter().zip(found).map(|(right, found)| Some(Value::new(right.as_ref()?.dims(), found?))).collect()
}
