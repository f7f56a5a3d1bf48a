use backproof_gradcheck::Value;

use super::{Gradients, Members};

pub(super) fn all() -> Members {
    vec![
        ("the tensors of the last call", |call| {
            let last = call.memory.values.borrow();
            call.at(last.as_deref().unwrap_or(call.values), call.cotangent)
        }),
        ("the cotangent of the last call", |call| {
            let last = call.memory.cotangent.borrow();
            call.at(call.values, last.as_ref().unwrap_or(call.cotangent))
        }),
        ("the gradients of the last call", |call| {
            call.memory.gradients.borrow().clone().unwrap_or_else(|| call.right())
        }),
        ("the gradients of the last call are added", |call| match &*call.memory.gradients.borrow() {
            None => call.right(),
            Some(last) => mixed(call.right(), last, 1.0),
        }),
        ("a tenth of the gradients of the last call is added", |call| match &*call.memory.gradients.borrow() {
            None => call.right(),
            Some(last) => mixed(call.right(), last, 0.1),
        }),
        ("the tensors of the first call", |call| {
            let first = call.memory.first.borrow();
            call.at(first.as_deref().unwrap_or(call.values), call.cotangent)
        }),
        ("the last tensor of the last call", |call| {
            let mut values = call.values.to_vec();
            let (last, place) = (call.memory.values.borrow(), values.len() - 1);
            if let Some(last) = last.as_ref() {
                values[place] = last[place].clone();
            }
            call.at(&values, call.cotangent)
        }),
        ("the tensors of the last call, unless they are far away", |call| {
            // A cache whose key is the sum of the elements to three digits.
            let last = call.memory.values.borrow();
            let key = |values: &[Value]| values.iter().flat_map(|v| v.data()).map(|x| x.round()).sum::<f64>();
            match &*last {
                Some(last) if key(last) == key(call.values) => call.at(last, call.cotangent),
                _ => call.right(),
            }
        }),
    ]
}

fn mixed(right: Gradients, last: &Gradients, part: f64) -> Gradients {
    let sum = |(right, last): (Option<Value>, &Option<Value>)| {
        let (right, last) = (right?, last.as_ref()?);
        Some(Value::new(right.dims(), right.data().iter().zip(last.data()).map(|(a, b)| a + part * b).collect()))
    };
    right.into_iter().zip(last).map(sum).collect()
}
