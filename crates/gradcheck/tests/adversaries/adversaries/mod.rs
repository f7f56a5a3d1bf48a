//! Wrong backward passes. Each takes a right one and falsifies what goes in or what comes out, as real faults do, so that it is tried on every function.

mod branches;
mod cotangent;
mod few;
mod in_place;
mod neighbours;
mod samples;
mod saturation;
mod shapes;
mod stale;
mod ties;
mod values;
mod zeros;

use std::cell::{Cell, RefCell};

use backproof_gradcheck::Value;

use crate::edges::Edges;
use crate::functions::Function;

/// The gradient of every tensor.
pub(crate) type Gradients = Vec<Option<Value>>;

/// A way to be wrong.
pub(crate) struct Adversary {
    pub(crate) family: &'static str,
    pub(crate) name: &'static str,
    pub(crate) wrong: fn(&Call<'_>) -> Gradients,
}

/// One call of a wrong backward.
pub(crate) struct Call<'c> {
    pub(crate) function: &'c Function,
    pub(crate) single: bool,
    pub(crate) values: &'c [Value],
    pub(crate) cotangent: &'c Value,
    pub(crate) memory: &'c Memory,
}

/// What the source knows from the calls before.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) calls: Cell<usize>,
    pub(crate) first: RefCell<Option<Vec<Value>>>,
    pub(crate) values: RefCell<Option<Vec<Value>>>,
    pub(crate) cotangent: RefCell<Option<Value>>,
    pub(crate) gradients: RefCell<Option<Gradients>>,
}

impl Adversary {
    /// What it says at a point, with what it remembers.
    pub(crate) fn call(
        &self,
        function: &Function,
        single: bool,
        values: &[Value],
        cotangent: &Value,
        memory: &Memory,
    ) -> Gradients {
        let gradients = (self.wrong)(&Call { function, single, values, cotangent, memory });
        let rounded = |value: Value| value.rounded(crate::functions::dtype(single));
        let gradients: Gradients = gradients.into_iter().map(|gradient| gradient.map(rounded)).collect();
        memory.calls.set(memory.calls.get() + 1);
        memory.first.borrow_mut().get_or_insert_with(|| values.to_vec());
        *memory.values.borrow_mut() = Some(values.to_vec());
        *memory.cotangent.borrow_mut() = Some(cotangent.clone());
        *memory.gradients.borrow_mut() = Some(gradients.clone());
        gradients
    }
}

impl Call<'_> {
    /// The right gradients of another point and cotangent.
    pub(crate) fn at(&self, values: &[Value], cotangent: &Value) -> Gradients {
        self.function.backward(self.single, values, cotangent)
    }

    pub(crate) fn right(&self) -> Gradients {
        self.at(self.values, self.cotangent)
    }

    /// The right gradients of the point that has `f(x)` for every element `x` of a tensor that is differentiated.
    pub(crate) fn with_values(&self, f: impl Fn(f64) -> f64) -> Gradients {
        let right = self.right();
        let moved =
            |(value, right): (&Value, &Option<Value>)| if right.is_some() { map(value, &f) } else { value.clone() };
        self.at(&self.values.iter().zip(&right).map(moved).collect::<Vec<_>>(), self.cotangent)
    }

    /// The right gradients under the cotangent that `f` makes of each element.
    pub(crate) fn with_cotangent(&self, f: impl Fn(f64) -> f64) -> Gradients {
        self.at(self.values, &map(self.cotangent, f))
    }

    /// `f(x, ∂x)` in place of every `∂x`.
    pub(crate) fn with_gradients(&self, f: impl Fn(f64, f64) -> f64) -> Gradients {
        self.with_tensors(|x, d| x.data().iter().zip(d.data()).map(|(&x, &d)| f(x, d)).collect())
    }

    /// `f` of the elements of a tensor and of its gradient in place of the gradient.
    pub(crate) fn with_tensors(&self, f: impl Fn(&Value, &Value) -> Vec<f64>) -> Gradients {
        let of_tensor = |(x, d): (&Value, Option<Value>)| d.map(|d| Value::new(d.dims(), f(x, &d)));
        self.values.iter().zip(self.right()).map(of_tensor).collect()
    }

    /// The kinks at the point.
    pub(crate) fn edges(&self) -> Edges {
        (self.function.edges)(self.values)
    }
}

/// `f` of every element.
pub(crate) fn map(value: &Value, f: impl Fn(f64) -> f64) -> Value {
    Value::new(value.dims(), value.data().iter().map(|&x| f(x)).collect())
}

/// The largest magnitude.
pub(crate) fn largest(value: &Value) -> f64 {
    value.data().iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// One element of a tensor of these dimensions.
pub(crate) fn chosen(value: &Value) -> usize {
    let mix = |hash: usize, size: &usize| (hash ^ size).wrapping_mul(0x0100_0193).rotate_left(9);
    (value.dims().iter().fold(7, mix) >> 3) % value.len().max(1)
}

/// In 0..1, another number for each x: the last digit counts as much as the first.
pub(crate) fn noise(x: f64) -> f64 {
    let bits = x.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (bits >> 11) as f64 * (-53f64).exp2()
}

/// Adversaries of one family by name.
type Members = Vec<(&'static str, fn(&Call<'_>) -> Gradients)>;

/// All families, each with its members.
fn families() -> Vec<(&'static str, Members)> {
    vec![
        ("partial zeros", zeros::all()),
        ("wrong branch", branches::all()),
        ("saturation", saturation::all()),
        ("sharing at ties", ties::all()),
        ("use of the cotangent", cotangent::all()),
        ("one element of many", few::all()),
        ("large or small values only", values::all()),
        ("exact zeros only", values::at_zero()),
        ("one sample of a batch", samples::all()),
        ("state of the call before", stale::all()),
        ("in-place changes", in_place::all()),
        ("another element's value", neighbours::all()),
        ("scale and axis", shapes::all()),
    ]
}

/// All of them.
pub(crate) fn all() -> Vec<Adversary> {
    let members = |(family, members): (&'static str, Members)| {
        members.into_iter().map(move |(name, wrong)| Adversary { family, name, wrong })
    };
    families().into_iter().flat_map(members).collect()
}
