//! Functions with a right backward, careful with its digits, in f32 and in f64.

mod activations;
mod elementwise;
mod losses;
mod pairs;
mod products;
mod rows;
mod selection;

use backproof_gradcheck::{Problem, Role, Source, Value, Variable, unit_roundoff};
use burn::tensor::DType;

use crate::edges::Edges;
use crate::points::Setting;
use crate::real::{Array, Real};

/// A function of several tensors, written once for both precisions.
pub(crate) trait Definition {
    const NAME: &'static str;

    /// A point.
    fn tensors(setting: &mut Setting) -> Vec<Variable>;

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R>;

    /// The gradient of every tensor, `None` for a constant. At a kink it is the one on one of the sides, or between them; equal elements of which
    /// only one is chosen share what it gets.
    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>>;

    /// Where the function has kinks at a point.
    fn edges(tensors: &[Value]) -> Edges {
        Edges::none(tensors)
    }
}

type Forward = fn(&[Value]) -> Value;
type Backward = fn(&[Value], &Value) -> Vec<Option<Value>>;

/// A [`Definition`] as a value.
#[derive(Clone, Copy)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) tensors: fn(&mut Setting) -> Vec<Variable>,
    pub(crate) edges: fn(&[Value]) -> Edges,
    /// In f32 and in f64.
    forward: [Forward; 2],
    backward: [Backward; 2],
}

impl Function {
    fn of<D: Definition>() -> Self {
        Self {
            name: D::NAME,
            tensors: D::tensors,
            edges: D::edges,
            forward: [forward::<D, f32>, forward::<D, f64>],
            backward: [backward::<D, f32>, backward::<D, f64>],
        }
    }

    pub(crate) fn forward(&self, single: bool, values: &[Value]) -> Value {
        self.forward[usize::from(!single)](values)
    }

    pub(crate) fn backward(&self, single: bool, values: &[Value], cotangent: &Value) -> Vec<Option<Value>> {
        self.backward[usize::from(!single)](values, cotangent)
    }

    /// The problem at a point, without sources.
    pub(crate) fn problem(&self, single: bool, tensors: Vec<Variable>) -> Problem<'static> {
        Problem::new(self.name, dtype(single), tensors, self.forward[1])
    }

    /// The right backward as a source.
    pub(crate) fn source(&self, single: bool, with_forward: bool) -> Source<'static> {
        let function = *self;
        let mut source = Source::new("right", unit_roundoff(dtype(single)), move |values, cotangent| {
            function.backward(single, values, cotangent)
        });
        if with_forward {
            source.forward = Some(std::rc::Rc::new(move |values| function.forward(single, values)));
        }
        source
    }
}

pub(crate) fn dtype(single: bool) -> DType {
    if single { DType::F32 } else { DType::F64 }
}

fn arrays<R: Real>(values: &[Value]) -> Vec<Array<R>> {
    values.iter().map(Array::from).collect()
}

fn forward<D: Definition, R: Real>(values: &[Value]) -> Value {
    D::forward::<R>(&arrays(values)).into()
}

fn backward<D: Definition, R: Real>(values: &[Value], cotangent: &Value) -> Vec<Option<Value>> {
    let gradients = D::backward::<R>(&arrays(values), &cotangent.into());
    gradients.into_iter().map(|gradient| gradient.map(Value::from)).collect()
}

pub(crate) fn input(name: &str, value: Value) -> Variable {
    Variable { name: name.into(), role: Role::Input, value, expect_zero: false }
}

pub(crate) fn constant(name: &str, value: Value) -> Variable {
    Variable { role: Role::Constant, ..input(name, value) }
}

/// All functions.
pub(crate) fn all() -> Vec<Function> {
    let wave = vec![Function::of::<activations::Wave>()];
    [
        activations::all(),
        elementwise::all(),
        wave,
        rows::all(),
        selection::all(),
        pairs::all(),
        products::all(),
        losses::all(),
    ]
    .concat()
}
