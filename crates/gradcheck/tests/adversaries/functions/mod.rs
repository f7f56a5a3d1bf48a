//! Functions with a right backward, careful with its digits, in f32 and in f64.

mod activations;
mod elementwise;
mod losses;
mod pairs;
mod products;
mod rows;
mod selection;

use backproof_gradcheck::{GradientSource, Problem, Role, Value, Variable, unit_roundoff};
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

    /// The gradient of every tensor, `None` for a constant. At a kink it is the one on one of the sides, or between
    /// them; equal elements of which only one is chosen share what it gets.
    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>>;

    /// Where the function has kinks at a point.
    fn edges(tensors: &[Value]) -> Edges {
        Edges::none(tensors)
    }

    /// On which side of its kinks the function is, for a forward that takes down what it decides; nothing if it has
    /// none.
    fn decisions(_: &[Value]) -> Vec<i64> {
        Vec::new()
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
    decisions: fn(&[Value]) -> Vec<i64>,
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
            decisions: D::decisions,
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

    /// The problem at a point, without sources; `recorded` if its forward takes down what it decides.
    pub(crate) fn problem(&self, single: bool, tensors: Vec<Variable>, recorded: bool) -> Problem<'static> {
        let mut problem = Problem::new(self.name, dtype(single), tensors, self.forward[1]);
        let (forward, decide) = (self.forward[1], self.decisions);
        if recorded && !decide(&problem.values()).is_empty() {
            problem.recording = Some(std::rc::Rc::new(move |values, kinks| {
                kinks.decisions(decide(values));
                forward(values)
            }));
        }
        problem
    }

    /// The right backward as a source.
    pub(crate) fn source(&self, single: bool, with_forward: bool) -> GradientSource<'static> {
        let function = *self;
        let mut source = GradientSource::new("right", unit_roundoff(dtype(single)), move |values, cotangent| {
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

/// −1, 0 or 1, as `a` is below, equal to or above `b`.
fn order(a: f64, b: f64) -> i64 {
    a.partial_cmp(&b).map_or(2, |order| order as i64)
}

/// The order of every row's `f(x)`, with what is equal.
fn orders(x: &Value, f: fn(f64) -> f64) -> Vec<i64> {
    let columns = *x.dims().last().expect("no scalar");
    let row = |row: &[f64]| {
        let mut places: Vec<usize> = (0..columns).collect();
        places.sort_by(|&a, &b| f(row[a]).total_cmp(&f(row[b])));
        let ties = places.windows(2).map(|pair| order(f(row[pair[0]]), f(row[pair[1]]))).collect::<Vec<_>>();
        places.into_iter().map(|place| place as i64).chain(ties).collect::<Vec<_>>()
    };
    x.data().chunks(columns).flat_map(row).collect()
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
