use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::cotangent::Cotangent;
use crate::kinks::Crossing;
use crate::noise::{output_noise, scale};
use crate::problem::Evaluation;
use crate::{Options, Value};

/// What differences say of `∂⟨w, f⟩/∂x_i` for one element `x_i` and one cotangent `w`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimate {
    /// `D_R`, the extrapolated central difference.
    pub(crate) derivative: f64,
    /// `|D_R − D_h|`.
    pub(crate) truncation: f64,
    /// The round-off of the outputs over the step.
    pub(crate) noise: f64,
    /// `Σ_o |w_o ∂f_o/∂x_i|`: the terms that a backward adds up.
    pub(crate) magnitude: f64,
    /// The step that was used, half of the distance between the outer points.
    pub(crate) step: f64,
    /// The hull of the derivatives from the left and the right, if they differ at the element itself however small the step.
    pub(crate) kink: Option<[f64; 2]>,
    /// The hull of the slopes on both sides of a kink that is so near that the code under test may round to its other side.
    pub(crate) near: Option<[f64; 2]>,
}

/// Differentiates the forward in double precision by differences, and remembers what it has found.
///
/// The outputs are kept apart until they are subtracted: `Σ_o w_o (y₊_o − y₋_o)` and not `⟨w, y₊⟩ − ⟨w, y₋⟩`, so that an output that does not
/// move costs no digits. One set of evaluations serves all cotangents.
pub(crate) struct Oracle<'a> {
    forward: Evaluation<'a>,
    pub(crate) values: Vec<Value>,
    pub(crate) output: Value,
    /// Of the decisions at the point itself.
    fingerprint: Option<u64>,
    pub(crate) cotangents: Vec<Cotangent>,
    noise: Vec<f64>,
    /// Of every cotangent's objective: `(Σ_o w_o² σ_o²)^½`.
    objective_noise: Vec<f64>,
    steps: Vec<f64>,
    /// Relative steps up to which a kink is near, from the round-off of the code under test.
    near: f64,
    scales: Vec<f64>,
    found: RefCell<Found>,
    /// `Σ |∂f_o/∂x_i · x_i|` over the elements differentiated so far, for every output: the condition of the forward.
    condition: RefCell<Vec<f64>>,
}

/// The estimates of an element's derivatives, one per cotangent, by tensor and index.
type Found = HashMap<(usize, usize), Rc<Vec<Estimate>>>;

impl<'a> Oracle<'a> {
    /// `moves` says which tensors are differentiated; `roundoff` is the largest of the sources.
    pub(crate) fn new(
        forward: Evaluation<'a>,
        values: Vec<Value>,
        moves: impl Fn(usize) -> bool,
        center: (Value, Option<u64>),
        cotangents: Vec<Cotangent>,
        options: &Options,
        roundoff: f64,
    ) -> Self {
        let noise = output_noise(|values| forward(values), &values, moves, &center, options.seed);
        let (output, fingerprint) = center;
        let objective_noise = cotangents
            .iter()
            .map(|cotangent| cotangent.terms().map(|(output, w)| (w * noise[output]).powi(2)).sum::<f64>().sqrt())
            .collect();
        Self {
            forward,
            scales: values.iter().map(scale).collect(),
            condition: RefCell::new(vec![0.0; output.len()]),
            values,
            output,
            fingerprint,
            cotangents,
            noise,
            objective_noise,
            steps: options.steps.clone(),
            near: 32768.0 * roundoff,
            found: RefCell::default(),
        }
    }

    /// One estimate for every cotangent.
    pub(crate) fn element(&self, tensor: usize, index: usize) -> Rc<Vec<Estimate>> {
        if let Some(known) = self.found.borrow().get(&(tensor, index)) {
            return known.clone();
        }
        let estimates = Rc::new(self.differentiate(tensor, index));
        self.found.borrow_mut().insert((tensor, index), estimates.clone());
        estimates
    }

    /// Whether an element that has been differentiated lies on a kink, and this gradient between the derivatives on its sides: as good an answer as any
    /// other.
    pub(crate) fn allows(&self, tensor: usize, index: usize, cotangent: usize, gradient: f64, slack: f64) -> bool {
        let found = self.found.borrow();
        let Some(estimate) = found.get(&(tensor, index)).map(|estimates| estimates[cotangent]) else { return false };
        let within = |[low, high]: [f64; 2]| (low - slack..=high + slack).contains(&gradient);
        estimate.kink.or(estimate.near).is_some_and(within)
    }

    /// `Σ_i |∂f_o/∂x_i · x_i|` over `elements` in all, estimated from those differentiated so far, and the noise of the output.
    pub(crate) fn forward_condition(&self, output: usize, elements: usize) -> (f64, f64) {
        let share = elements as f64 / self.found.borrow().len().max(1) as f64;
        (self.condition.borrow()[output] * share, self.noise[output])
    }

    /// `(Σ_o (w_o y_o)²)^½`.
    pub(crate) fn objective_size(&self, cotangent: usize) -> f64 {
        self.cotangents[cotangent].terms().map(|(o, w)| (w * self.output.data()[o]).powi(2)).sum::<f64>().sqrt()
    }

    /// The central difference at the step `step · scale`, without extrapolation.
    pub(crate) fn central(&self, tensor: usize, index: usize, cotangent: usize, step: f64) -> (f64, f64) {
        let x = self.values[tensor].data()[index];
        let step = step * x.abs().max(self.scales[tensor]);
        let mut values = self.values.clone();
        let (plus, _) = self.at(&mut values, tensor, index, x + step);
        let (minus, _) = self.at(&mut values, tensor, index, x - step);
        let moved =
            self.cotangents[cotangent].terms().map(|(o, w)| w * (plus.data()[o] - minus.data()[o])).sum::<f64>();
        (step, moved / ((x + step) - (x - step)))
    }

    fn at(&self, values: &mut [Value], tensor: usize, index: usize, x: f64) -> (Value, Option<u64>) {
        let before = values[tensor].data()[index];
        values[tensor].set(index, x);
        let output = (self.forward)(values);
        values[tensor].set(index, before);
        output
    }

    fn differentiate(&self, tensor: usize, index: usize) -> Vec<Estimate> {
        let x = self.values[tensor].data()[index];
        let scale = x.abs().max(self.scales[tensor]);
        let mut values = self.values.clone();
        let mut states: Vec<State> = vec![State::default(); self.cotangents.len()];
        let smallest = self.steps.iter().copied().fold(f64::INFINITY, f64::min);
        let recorded = self.fingerprint.is_some();
        let nearer = NEARER.iter().copied().filter(|&step| recorded && step < smallest);
        let steps: Vec<f64> = self.steps.iter().copied().chain(nearer).collect();
        for (level, &relative) in steps.iter().enumerate() {
            let step = relative * scale;
            let mut point = |x| self.at(&mut values, tensor, index, x);
            let (far_left, left) = (point(x - step), point(x - step / 2.0));
            let (right, far_right) = (point(x + step / 2.0), point(x + step));
            let points = Points {
                x: [x - step, x - step / 2.0, x, x + step / 2.0, x + step],
                y: [far_left.0, left.0, self.output.clone(), right.0, far_right.0],
                crossing: Crossing::of([far_left.1, left.1, self.fingerprint, right.1, far_right.1]),
            };
            let last = match points.crossing {
                Crossing::Between => level + 1 == steps.len(),
                _ => level + 1 >= self.steps.len(),
            };
            for (number, cotangent) in self.cotangents.iter().enumerate() {
                if !states[number].clean {
                    let noise = 16.0 * self.objective_noise[number] / step;
                    let near = relative <= self.near;
                    let place = Place { crossing: points.crossing, step, noise, last, near };
                    states[number].add(points.measure(cotangent, &self.noise), place);
                }
            }
            if last || states.iter().all(|state| state.clean) {
                let mut condition = self.condition.borrow_mut();
                for (output, sum) in condition.iter_mut().enumerate() {
                    let slope = (points.y[4].data()[output] - points.y[0].data()[output]) / (points.x[4] - points.x[0]);
                    *sum += if slope.is_finite() { (slope * x).abs() } else { 0.0 };
                }
                break;
            }
        }
        states
            .into_iter()
            .map(|state| Estimate { near: state.near, ..state.best.expect("there is at least one step") })
            .collect()
    }
}

/// Smaller relative steps for a kink that is known to lie between the points of the smallest one.
const NEARER: [f64; 2] = [1e-7, 1e-8];

/// The step that a measurement was taken with.
#[derive(Clone, Copy)]
struct Place {
    crossing: Crossing,
    step: f64,
    /// The round-off of the outputs over the step.
    noise: f64,
    /// There is no smaller step.
    last: bool,
    /// The code under test may round to the other side of a kink within the step.
    near: bool,
}

/// What the steps tried so far say for one cotangent.
#[derive(Clone, Default)]
struct State {
    best: Option<Estimate>,
    near: Option<[f64; 2]>,
    /// The last step's distance between the derivatives from both sides.
    width: Option<f64>,
    /// No smaller step is needed.
    clean: bool,
}

impl State {
    fn add(&mut self, measured: Measured, place: Place) {
        let Place { crossing, step, noise, last, near } = place;
        // The distance between the two sides falls with the third power of the step where the function is smooth, and stays at a kink.
        let falls = self.width.is_some_and(|before| measured.width < 0.1 * before);
        let bent = measured.width > (1e-5 * measured.magnitude).max(measured.width_noise);
        let kinked = match crossing {
            Crossing::Unknown => bent && !falls,
            Crossing::None => false,
            // With the smallest step, a kink that does not show in the slopes is one of something else.
            Crossing::At | Crossing::Between => bent || !last,
        };
        self.width = Some(measured.width);
        self.clean = !kinked && measured.truncation <= (1e-6 * measured.magnitude).max(noise);
        if near && !self.clean && crossing != Crossing::None {
            self.near = Some(hull(self.near.unwrap_or(measured.slopes), measured.slopes));
        }
        // A difference over a kink looks exact where both sides are straight, so its error is unknown.
        let mut truncation = if kinked { f64::INFINITY } else { measured.truncation };
        // Two steps that contradict each other by more than the longer one's error say that the shorter one sees noise.
        if let Some(known) = self.best.filter(|known| known.truncation.is_finite() && !kinked) {
            let apart = (measured.derivative - known.derivative).abs() - known.truncation - known.noise;
            truncation += apart.max(0.0);
        }
        let estimate = Estimate {
            derivative: measured.derivative,
            truncation: if kinked && last { measured.truncation } else { truncation },
            noise,
            magnitude: measured.magnitude,
            step,
            kink: (last && kinked).then(|| hull(measured.one_sided, measured.slopes)),
            near: None,
        };
        let better = self.best.is_none_or(|known| truncation + noise < known.truncation + known.noise);
        if better || (last && kinked && self.best.is_none_or(|known| known.truncation.is_infinite())) {
            self.best = Some(estimate);
        }
    }
}

/// The function at `x − h`, `x − h/2`, `x`, `x + h/2`, `x + h`, with the abscissae that were really taken.
struct Points {
    x: [f64; 5],
    y: [Value; 5],
    crossing: Crossing,
}

#[derive(Clone, Copy)]
struct Measured {
    derivative: f64,
    truncation: f64,
    magnitude: f64,
    /// `Σ_o |w_o (D₊ − D₋)_o|`, and how much of it may be noise.
    width: f64,
    width_noise: f64,
    /// Hull over the outputs of the extrapolated derivatives from the left and from the right.
    one_sided: [f64; 2],
    /// Hull over the outputs of the slopes between neighbouring points, of outputs that see a kink between them.
    slopes: [f64; 2],
}

impl Points {
    fn measure(&self, cotangent: &Cotangent, noise: &[f64]) -> Measured {
        let step = (self.x[4] - self.x[0]) / 2.0;
        let (mut coarse, mut fine, mut magnitude) = (0.0, 0.0, 0.0);
        let (mut one_sided, mut slopes) = ([0.0; 2], [0.0; 2]);
        let (mut width, mut width_noise) = (0.0, 0.0);
        for (output, w) in cotangent.terms() {
            let y: [f64; 5] = std::array::from_fn(|point| self.y[point].data()[output]);
            if y.iter().all(|&other| other == y[2]) {
                continue;
            }
            let slope = |from: usize, to: usize| (y[to] - y[from]) / (self.x[to] - self.x[from]);
            let (outer, inner) = (slope(0, 4), slope(1, 3));
            coarse += w * outer;
            fine += w * inner;
            magnitude += (w * (4.0 * inner - outer) / 3.0).abs();
            let right = 2.0 * slope(2, 3) - slope(2, 4);
            let left = 2.0 * slope(1, 2) - slope(0, 2);
            add_interval(&mut one_sided, w, [left.min(right), left.max(right)]);
            width += (w * (right - left)).abs();
            // The two sides differ by 11 deviations of noise over the step, typically.
            width_noise += 64.0 * w.abs() * noise[output] / step;
            let pieces = [slope(0, 1), slope(1, 2), slope(2, 3), slope(3, 4)];
            let range = pieces.iter().fold([pieces[0]; 2], |range, &slope| hull(range, [slope; 2]));
            // Slopes also differ where the function merely bends, by h f″; its two sides then differ by h² f‴ only. A kink must not excuse a bend.
            let crossed = (right - left).abs() > 0.25 * (range[1] - range[0]);
            add_interval(&mut slopes, w, if crossed { range } else { [(4.0 * inner - outer) / 3.0; 2] });
        }
        let derivative = (4.0 * fine - coarse) / 3.0;
        let truncation = (derivative - coarse).abs();
        Measured {
            derivative,
            truncation: if truncation.is_nan() { f64::INFINITY } else { truncation },
            magnitude,
            width,
            width_noise,
            one_sided,
            slopes,
        }
    }
}

fn add_interval(sum: &mut [f64; 2], w: f64, [low, high]: [f64; 2]) {
    sum[0] += (w * low).min(w * high);
    sum[1] += (w * low).max(w * high);
}

fn hull(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0].min(b[0]), a[1].max(b[1])]
}

#[cfg(test)]
mod tests;
