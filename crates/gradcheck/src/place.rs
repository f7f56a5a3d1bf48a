//! The function at the point where it is differentiated.

use std::rc::Rc;

use crate::caught::caught;
use crate::cotangent::Cotangent;
use crate::kinks::Crossing;
use crate::line::Line;
use crate::measure::Points;
use crate::noise::{base, output_noise, typical};
use crate::precision::{Precision, QUANTUM};
use crate::problem::Evaluation;
use crate::{Options, Value};

/// A kink is near up to a relative distance of so many round-offs of the code under test.
pub(crate) const NEAR: f64 = 2048.0;

/// The function, the point, and what is known of it there before any difference is taken.
pub(crate) struct Place<'a> {
    forward: Evaluation<'a>,
    pub(crate) precision: Precision,
    pub(crate) values: Vec<Value>,
    pub(crate) output: Value,
    /// Of the decisions at the point itself.
    fingerprint: Option<u64>,
    pub(crate) cotangents: Vec<Cotangent>,
    /// The deviation of every output by round-off.
    pub(crate) noise: Vec<f64>,
    /// The relative steps that are tried first, the longest first.
    pub(crate) steps: Vec<f64>,
    /// The relative step up to which a kink is near, from the round-off of the code under test.
    pub(crate) near: f64,
    /// The typical magnitude of each tensor's elements.
    pub(crate) typical: Vec<f64>,
    /// The same, and 0 of a tensor of zeros: what its elements add up is nothing.
    pub(crate) size: Vec<f64>,
}

impl<'a> Place<'a> {
    /// `moves` says which tensors are differentiated; `roundoff` is the largest of the sources.
    #[allow(clippy::too_many_arguments, reason = "all of them are what one problem has once")]
    pub(crate) fn new(
        forward: Evaluation<'a>,
        precision: Precision,
        values: Vec<Value>,
        moves: impl Fn(usize) -> bool,
        center: (Value, Option<u64>),
        cotangents: Vec<Cotangent>,
        options: &Options,
        roundoff: f64,
    ) -> Self {
        let dims = center.0.dims().to_vec();
        let forward = guarded(forward, dims);
        let noise = output_noise(|values| forward(values), precision, &values, moves, &center, options.seed);
        let (output, fingerprint) = center;
        Self {
            forward,
            precision,
            typical: values.iter().map(typical).collect(),
            size: values.iter().map(size).collect(),
            values,
            output,
            fingerprint,
            cotangents,
            noise,
            steps: precision.steps(options),
            near: NEAR * roundoff,
        }
    }

    /// The same function at another point; `None` where it is not finite.
    pub(crate) fn moved_to(&self, values: Vec<Value>) -> Option<Self> {
        let (output, fingerprint) = (self.forward)(&values);
        output.data().iter().all(|y| y.is_finite()).then(|| Self {
            forward: self.forward.clone(),
            precision: self.precision,
            typical: values.iter().map(typical).collect(),
            size: values.iter().map(size).collect(),
            values,
            output,
            fingerprint,
            cotangents: self.cotangents.clone(),
            noise: self.noise.clone(),
            steps: self.steps.clone(),
            near: 0.0,
        })
    }

    /// What tells apart the decisions at the point, if the function records them.
    pub(crate) fn decisions(&self) -> Option<u64> {
        self.fingerprint
    }

    /// What an element's steps are relative to: its magnitude, and something small beside its tensor and 1 where it is
    /// zero or nearly so.
    pub(crate) fn base(&self, tensor: usize, index: usize) -> f64 {
        base(self.values[tensor].data()[index], self.typical[tensor])
    }

    /// The most of an objective that round-off is believed to hide: so many roundings of the largest number in sight.
    pub(crate) fn quantum(&self, cotangent: &Cotangent) -> f64 {
        let numbers = self.values.iter().chain([&self.output]).map(Value::max_abs).fold(1.0, f64::max);
        QUANTUM * self.precision.epsilon() * numbers * cotangent.value.max_abs()
    }

    /// The central difference at the step `step · scale`, without extrapolation.
    pub(crate) fn central(&self, tensor: usize, index: usize, cotangent: usize, step: f64) -> (f64, f64) {
        let line = Line::element(tensor, index, self.base(tensor, index));
        let mut values = self.values.clone();
        let (plus, right, _) = self.at(&mut values, &line, step);
        let (minus, left, _) = self.at(&mut values, &line, -step);
        let moved =
            self.cotangents[cotangent].terms().map(|(o, w)| w * (right.data()[o] - left.data()[o])).sum::<f64>();
        ((plus - minus) / 2.0, moved / (plus - minus))
    }

    /// The abscissa that a relative step leads to, and the function there.
    pub(crate) fn at(&self, values: &mut [Value], line: &Line, step: f64) -> (f64, Value, Option<u64>) {
        let before: Vec<f64> = line.moves.iter().map(|one| values[one.tensor].data()[one.index]).collect();
        for (one, x) in line.moves.iter().zip(&before) {
            values[one.tensor].set(one.index, self.precision.round(x + step * one.by));
        }
        let (output, fingerprint) = (self.forward)(values);
        let abscissa = match line.alone() {
            Some(one) => values[one.tensor].data()[one.index],
            None => step,
        };
        for (one, x) in line.moves.iter().zip(before) {
            values[one.tensor].set(one.index, x);
        }
        (abscissa, output, fingerprint)
    }

    pub(crate) fn points(&self, values: &mut [Value], line: &Line, step: f64) -> Points {
        let center = match line.alone() {
            Some(one) => self.values[one.tensor].data()[one.index],
            None => 0.0,
        };
        let mut point = |step: f64| self.at(values, line, step);
        let (far_left, left) = (point(-step), point(-step / 2.0));
        let (right, far_right) = (point(step / 2.0), point(step));
        Points {
            s: [far_left.0, left.0, center, right.0, far_right.0],
            y: [far_left.1, left.1, self.output.clone(), right.1, far_right.1],
            crossing: Crossing::of([far_left.2, left.2, self.fingerprint, right.2, far_right.2]),
            epsilon: self.precision.epsilon(),
        }
    }
}

/// A function that panics away from the point has no value there.
fn guarded<'a>(forward: Evaluation<'a>, dims: Vec<usize>) -> Evaluation<'a> {
    Rc::new(move |values| match caught(|| forward(values)) {
        Ok((output, fingerprint)) if output.dims() == dims => (output, fingerprint),
        _ => (Value::full(dims.clone(), f64::NAN), None),
    })
}

/// The root of the mean square of a tensor's elements.
fn size(value: &Value) -> f64 {
    if value.max_abs() == 0.0 { 0.0 } else { typical(value) }
}
