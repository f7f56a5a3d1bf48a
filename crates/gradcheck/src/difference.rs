use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::caught::caught;
use crate::cotangent::Cotangent;
use crate::kinks::Crossing;
use crate::levels::{Estimate, Level, Levels};
use crate::line::Line;
use crate::measure::{Bent, Points};
use crate::noise::{base, output_noise, typical};
use crate::precision::Precision;
use crate::problem::Evaluation;
use crate::{Options, Value};

/// The shortest relative step: a kink that is still seen with it lies at the point, as far as anybody can tell.
const SHORTEST: f64 = 1e-9;

/// A kink is near up to a relative distance of so many round-offs of the code under test.
pub(crate) const NEAR: f64 = 2048.0;

/// Relative steps for a kink that a recorded forward sees beside the point, and for a place where no longer step is
/// clean.
const SHORTER: [f64; 3] = [1e-7, 1e-8, 1e-10];

/// Differentiates the function by differences, and remembers what it has found.
///
/// The outputs are kept apart until they are subtracted: `Σ_o w_o (y₊_o − y₋_o)` and not `⟨w, y₊⟩ − ⟨w, y₋⟩`, so that
/// an output that does not move costs no digits. One set of evaluations serves all cotangents.
pub(crate) struct Oracle<'a> {
    forward: Evaluation<'a>,
    precision: Precision,
    pub(crate) values: Vec<Value>,
    pub(crate) output: Value,
    /// Of the decisions at the point itself.
    fingerprint: Option<u64>,
    pub(crate) cotangents: Vec<Cotangent>,
    noise: Vec<f64>,
    steps: Vec<f64>,
    /// The relative step up to which a kink is near, from the round-off of the code under test.
    near: f64,
    /// The typical magnitude of each tensor's elements.
    pub(crate) typical: Vec<f64>,
    found: RefCell<HashMap<(usize, usize), Rc<Element>>>,
    /// For every tensor and output, the largest `|∂f_o/∂x_i|` of the elements differentiated so far.
    slopes: RefCell<Vec<Vec<f64>>>,
    /// `Σ |∂f_o/∂x_i · x_i|` over the elements differentiated so far, for every output: the condition of the forward.
    condition: RefCell<Vec<f64>>,
}

/// What is known of one element, or of one line.
pub(crate) struct Element {
    /// One for each cotangent.
    pub(crate) estimates: Vec<Estimate>,
    /// The outputs that it moves, in bits.
    moved: Vec<u64>,
    /// The outputs that have a kink at the point, if there are any.
    pub(crate) bent: Vec<Bent>,
    /// All steps were tried, also those that a clean one made unnecessary.
    thorough: bool,
}

impl Element {
    /// Whether it moves this output.
    pub(crate) fn moves(&self, output: usize) -> bool {
        self.moved[output / 64] >> (output % 64) & 1 == 1
    }
}

/// How the round-off of the code under test shows in an element: the outputs that it moves, and nothing else's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// `Σ_o |w_o| max_j |∂f_o/∂x_j|` over the outputs that the element moves.
    pub(crate) terms: f64,
    /// `(Σ_o (w_o y_o)²)^½` over these outputs.
    pub(crate) output: f64,
    /// `Σ_o |w_o| max_j |∂f_o/∂x_j| |x_j|` over these outputs, with the largest of all tensors: what may have cancelled
    /// in the gradient. `None` for an element that moves nothing.
    pub(crate) energy: Option<f64>,
}

impl<'a> Oracle<'a> {
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
            condition: RefCell::new(vec![0.0; output.len()]),
            slopes: RefCell::new(vec![vec![0.0; output.len()]; values.len()]),
            values,
            output,
            fingerprint,
            cotangents,
            noise,
            steps: precision.steps(options),
            near: NEAR * roundoff,
            found: RefCell::default(),
        }
    }

    /// What differences say of one element.
    pub(crate) fn element(&self, tensor: usize, index: usize) -> Rc<Element> {
        if let Some(known) = self.found.borrow().get(&(tensor, index)) {
            return known.clone();
        }
        self.find(tensor, index, false)
    }

    /// As [`element`](Self::element), with every step and every scale. Whoever calls a gradient wrong asks this first.
    pub(crate) fn thoroughly(&self, tensor: usize, index: usize) -> Rc<Element> {
        match self.found.borrow().get(&(tensor, index)) {
            Some(known) if known.thorough => return known.clone(),
            _ => {}
        }
        self.find(tensor, index, true)
    }

    fn find(&self, tensor: usize, index: usize, thorough: bool) -> Rc<Element> {
        let scale = self.base(tensor, index);
        let element = Rc::new(self.explore(&Line::element(tensor, index, scale), thorough, Some(tensor)));
        self.found.borrow_mut().insert((tensor, index), element.clone());
        element
    }

    /// What differences say along a direction: the derivative by the relative step.
    pub(crate) fn along(&self, line: &Line) -> Element {
        self.explore(line, false, None)
    }

    /// What an element's steps are relative to: its magnitude, and something small beside its tensor and 1 where it is
    /// zero or nearly so.
    pub(crate) fn base(&self, tensor: usize, index: usize) -> f64 {
        base(self.values[tensor].data()[index], self.typical[tensor])
    }

    /// Elements that have been differentiated and lie on a kink under at least one cotangent.
    pub(crate) fn kinked(&self) -> Vec<((usize, usize), Rc<Element>)> {
        let found = self.found.borrow();
        let kinked = found.iter().filter(|(_, element)| element.estimates.iter().any(|e| e.kink.is_some()));
        let mut all: Vec<_> = kinked.map(|(&place, element)| (place, element.clone())).collect();
        all.sort_by_key(|(place, _)| *place);
        all
    }

    /// Whether an element that has been differentiated lies on a kink, and this gradient between the derivatives on its
    /// sides: as good an answer as any other.
    pub(crate) fn allows(&self, tensor: usize, index: usize, cotangent: usize, gradient: f64, slack: f64) -> bool {
        let found = self.found.borrow();
        let Some(estimate) = found.get(&(tensor, index)).map(|element| element.estimates[cotangent]) else {
            return false;
        };
        let within = |[low, high]: [f64; 2]| (low - slack..=high + slack).contains(&gradient);
        estimate.kink.or(estimate.near.map(|near| near.slopes)).is_some_and(within)
    }

    /// Of the outputs that an element moves: their size, and what the steepest element of the tensor adds to each.
    pub(crate) fn reach(&self, tensor: usize, index: usize, cotangent: usize) -> Reach {
        let element = self.element(tensor, index);
        let slopes = self.slopes.borrow();
        let (mut terms, mut size, mut energy) = (0.0, 0.0f64, None);
        for (output, w) in self.cotangents[cotangent].terms().filter(|&(output, _)| element.moves(output)) {
            let largest = slopes.iter().zip(&self.typical).map(|(slopes, typical)| slopes[output] * typical);
            *energy.get_or_insert(0.0) += w.abs() * largest.fold(0.0, f64::max);
            terms += w.abs() * slopes[tensor][output];
            size = size.hypot(w * self.output.data()[output]);
        }
        Reach { terms, output: size, energy }
    }

    /// `Σ_i |∂f_o/∂x_i · x_i|` over `elements` in all, estimated from those differentiated so far, and the noise of the
    /// output.
    pub(crate) fn forward_condition(&self, output: usize, elements: usize) -> (f64, f64) {
        let share = elements as f64 / self.found.borrow().len().max(1) as f64;
        (self.condition.borrow()[output] * share, self.noise[output])
    }

    /// An oracle of the same function at another point.
    pub(crate) fn moved_to(&self, values: Vec<Value>) -> Option<Self> {
        let (output, fingerprint) = (self.forward)(&values);
        output.data().iter().all(|y| y.is_finite()).then(|| Self {
            forward: self.forward.clone(),
            precision: self.precision,
            typical: values.iter().map(typical).collect(),
            condition: RefCell::new(vec![0.0; output.len()]),
            slopes: RefCell::new(vec![vec![0.0; output.len()]; values.len()]),
            values,
            output,
            fingerprint,
            cotangents: self.cotangents.clone(),
            noise: self.noise.clone(),
            steps: self.steps.clone(),
            near: 0.0,
            found: RefCell::default(),
        })
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
    fn at(&self, values: &mut [Value], line: &Line, step: f64) -> (f64, Value, Option<u64>) {
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

    fn points(&self, values: &mut [Value], line: &Line, step: f64) -> Points {
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

    /// Takes differences with shorter and shorter steps until each cotangent has one that is clean.
    ///
    /// The steps are relative to the element. Where the same kink is seen twice, the shortest step of all says whether
    /// it lies at the point. Where no step is clean, or the function does not move at this scale or is hidden by its
    /// noise, [other steps](Self::further) are tried.
    fn explore(&self, line: &Line, thorough: bool, tensor: Option<usize>) -> Element {
        let mut sweep = Sweep {
            oracle: self,
            line,
            values: self.values.clone(),
            levels: vec![Levels::default(); self.cotangents.len()],
            decided: Vec::new(),
            moved: vec![0u64; self.output.len().div_ceil(64)],
            tried: Vec::new(),
            still: Vec::new(),
            last: None,
        };
        let shortest = self.shortest(line);
        let mut usual: Vec<f64> = self.steps_of(line).iter().copied().filter(|&step| step >= shortest).collect();
        if usual.is_empty() {
            usual.extend(self.steps.first());
        }
        let mut jumped = false;
        for &step in &usual {
            sweep.take(step);
            if thorough {
                continue;
            }
            if sweep.all_clean(if jumped { shortest } else { 0.0 }) {
                break;
            }
            if !jumped && self.precision.is_double() && sweep.steady_kinks() {
                jumped = true;
                sweep.take(shortest);
                if sweep.steady_kinks() {
                    break;
                }
            }
        }
        for step in self.further(&sweep, shortest, thorough) {
            sweep.take(step);
        }
        let mut estimates: Vec<Estimate> = sweep.levels.iter().map(|levels| levels.decide(self.near)).collect();
        self.add_hidden(&mut sweep, &mut estimates);
        let Sweep { moved, last, .. } = sweep;
        let last = last.expect("there is at least one step");
        if let Some(tensor) = tensor {
            self.note(&last, tensor, line);
        }
        let kinked = estimates.iter().any(|estimate| estimate.kink.is_some());
        let bent = if kinked { last.bent(&self.noise) } else { Vec::new() };
        Element { estimates, moved, bent, thorough }
    }

    /// Lines of many elements take short steps only: a long one crosses some kink for certain.
    fn steps_of(&self, line: &Line) -> &[f64] {
        match line.moves.len() {
            0..=16 => &self.steps,
            _ => &[1e-4, 1e-6, 1e-8],
        }
    }

    /// The shortest relative step: it moves every element by 256 times its spacing at least. Only of what is tiny
    /// beside its scale can a kink be seen that is nearer than [`SHORTEST`].
    fn shortest(&self, line: &Line) -> f64 {
        let spacing = self.precision.epsilon();
        let element = |one: &crate::line::Move| {
            let x = self.values[one.tensor].data()[one.index];
            if one.by == 0.0 { 0.0 } else { 256.0 * spacing * x.abs() / one.by.abs() }
        };
        let least = line.moves.iter().map(element).fold(0.0, f64::max);
        let own = line.alone().map(|one| self.values[one.tensor].data()[one.index].abs() / one.by.abs());
        let tiny = own.filter(|&own| own > 0.0).map_or(SHORTEST, |own| (1e-3 * own).min(SHORTEST));
        least.max(tiny)
    }

    /// Steps beyond the usual ones, for what those have not decided: shorter ones where no step is clean, longer ones
    /// relative to 1 and to the typical element of the tensor where noise hides the function, and both where nothing
    /// moves at all.
    fn further(&self, sweep: &Sweep<'_, '_>, shortest: f64, thorough: bool) -> Vec<f64> {
        let decided = &sweep.decided;
        let noisy = |e: &Estimate| e.magnitude > 0.0 && e.kink.is_none() && e.noise > 1e-4 * e.magnitude;
        let Some(one) = sweep.line.alone() else {
            // A tensor of tiny elements moves by tiny steps, which noise hides; the function may be as straight with
            // longer ones.
            let largest = sweep.line.moves.iter().map(|one| one.by.abs()).fold(0.0, f64::max);
            let long = decided.iter().any(noisy) && largest < 0.1;
            return if long { [1e-4, 1e-6].map(|step| step / largest).to_vec() } else { Vec::new() };
        };
        let mut further = Vec::new();
        let beside = sweep.last.as_ref().is_some_and(|points| points.crossing == Crossing::Between);
        if self.precision.is_double() && (beside || decided.iter().any(|estimate| !estimate.clean)) {
            further.extend(SHORTER.into_iter().filter(|&step| step >= shortest));
        }
        let still = sweep.moved.iter().all(|&bits| bits == 0);
        let x = self.values[one.tensor].data()[one.index].abs();
        let unclean = decided.iter().any(|estimate| !estimate.clean);
        if (thorough || unclean) && x > 0.0 && x < one.by.abs() {
            // The usual steps were relative to something larger, and may have left the function's domain.
            further.extend([1.0, 0.1].map(|share| share * self.steps[0] * x / one.by.abs()));
        }
        if still || decided.iter().any(noisy) {
            let longest = self.steps[0];
            // A line is as straight with a step as long as the element.
            for scale in [1.0, self.typical[one.tensor], 100.0 * one.by.abs(), one.by.abs() / longest] {
                let step = longest * scale / one.by.abs();
                if step > 8.0 * longest || (still && step < longest / 8.0 && step >= shortest) {
                    further.extend([step, step / 10.0]);
                }
            }
        }
        further.sort_by(|a, b| b.total_cmp(a));
        further.dedup_by(|a, b| (*a / *b - 1.0).abs() < 0.5);
        further.retain(|step| step.is_finite() && sweep.tried.iter().all(|known| (known / step - 1.0).abs() > 0.5));
        further
    }

    /// Adds to each estimate what may be hidden in outputs that did not move: `x` moves `10²⁰ + x`, and no step shows
    /// it. An output that stays the same with a step a thousand times as long as the tensor's typical element hides
    /// nothing.
    fn add_hidden(&self, sweep: &mut Sweep<'_, '_>, estimates: &mut [Estimate]) {
        let moved = |output: usize| sweep.moved[output / 64] >> (output % 64) & 1 == 1;
        let still: Vec<usize> = (0..self.output.len()).filter(|&output| !moved(output)).collect();
        if still.iter().all(|&output| self.noise[output] == 0.0) {
            return;
        }
        let hidden = |cotangent: &Cotangent, outputs: &[usize], step: f64| -> f64 {
            let of = |sum: f64, &output: &usize| sum.hypot(cotangent.value.data()[output] * self.noise[output]);
            16.0 * outputs.iter().fold(0.0, of) / step
        };
        let largest = estimates.iter().map(|estimate| estimate.magnitude).fold(0.0, f64::max);
        let matters = |outputs: &[usize], long: Option<f64>| {
            let small = |w: &Cotangent, e: &Estimate| 1e-4 * e.magnitude.max(largest.min(w.value.max_abs()));
            let pairs = self.cotangents.iter().zip(estimates.iter());
            pairs.into_iter().any(|(w, e)| hidden(w, outputs, long.unwrap_or(e.step)) > small(w, e))
        };
        let largest_number = crate::precision::largest(self.precision.0);
        let (mut unseen, mut seen) = (still, Vec::new());
        if let Some(one) = sweep.line.alone() {
            for factor in [1e3, 1e12, 1e40, 1e150, 1e300] {
                let long = (factor * self.typical[one.tensor].max(1.0)).min(0.1 * largest_number);
                let known: Vec<usize> =
                    seen.iter().flat_map(|(_, outputs): &(f64, Vec<usize>)| outputs).copied().collect();
                let enough = seen.iter().all(|(long, outputs)| !matters(outputs, Some(*long)));
                if !matters(&unseen, None) && enough {
                    break;
                }
                let relative = long / one.by.abs();
                let [left, right] = [-relative, relative].map(|step| self.at(&mut sweep.values, sweep.line, step).1);
                let same = |output: &usize| {
                    let [a, y, b] = [&left, &self.output, &right].map(|value| value.data()[*output]);
                    a == y && y == b
                };
                // One that moves now was hidden before, or hides what nobody can see at that scale.
                let (still, moved): (Vec<usize>, Vec<usize>) = unseen.iter().chain(&known).copied().partition(same);
                let lost: Vec<usize> = moved.iter().copied().filter(|output| !known.contains(output)).collect();
                seen.iter_mut().for_each(|(_, outputs)| outputs.retain(|output| !still.contains(output)));
                unseen = lost;
                seen.push((long, still));
            }
        }
        for (cotangent, estimate) in self.cotangents.iter().zip(estimates) {
            let of_seen: f64 = seen.iter().map(|(long, outputs)| hidden(cotangent, outputs, *long)).sum();
            estimate.noise += hidden(cotangent, &unseen, estimate.step) + of_seen;
        }
    }

    /// Takes down what the element adds to each output.
    fn note(&self, points: &Points, tensor: usize, line: &Line) {
        let Some(one) = line.alone() else { return };
        let x = self.values[one.tensor].data()[one.index];
        let (mut condition, mut slopes) = (self.condition.borrow_mut(), self.slopes.borrow_mut());
        for output in 0..self.output.len() {
            let slope = points.outer_slope(output);
            if slope.is_finite() {
                condition[output] += (slope * x).abs();
                slopes[tensor][output] = slopes[tensor][output].max(slope.abs());
            }
        }
    }
}

/// The differences along one line, step by step.
struct Sweep<'s, 'a> {
    oracle: &'s Oracle<'a>,
    line: &'s Line,
    values: Vec<Value>,
    /// One list for each cotangent.
    levels: Vec<Levels>,
    /// What they say so far.
    decided: Vec<Estimate>,
    /// The outputs that moved, in bits.
    moved: Vec<u64>,
    tried: Vec<f64>,
    /// The outputs that stayed with each step.
    still: Vec<(f64, Vec<usize>)>,
    /// Those of the shortest step.
    last: Option<Points>,
}

impl Sweep<'_, '_> {
    fn take(&mut self, relative: f64) {
        let oracle = self.oracle;
        let points = oracle.points(&mut self.values, self.line, relative);
        let step = points.step();
        for (number, cotangent) in oracle.cotangents.iter().enumerate() {
            let measured = points.measure(cotangent, &oracle.noise);
            let (crossing, long) = (points.crossing, relative > 2.0 * oracle.steps[0]);
            self.levels[number].add(Level { measured, crossing, step, relative, noise: 0.0, long });
        }
        let (moved, still): (Vec<usize>, Vec<usize>) = (0..oracle.output.len()).partition(|&o| points.moves(o));
        moved.into_iter().for_each(|output| self.moved[output / 64] |= 1 << (output % 64));
        self.still.push((step, still));
        let hides = |(step, still): &(f64, Vec<usize>)| {
            let hidden = still.iter().copied().filter(|output| self.moved[output / 64] >> (output % 64) & 1 == 1);
            (*step, hidden.collect::<Vec<usize>>())
        };
        let hidden: Vec<(f64, Vec<usize>)> = self.still.iter().map(hides).filter(|(_, all)| !all.is_empty()).collect();
        for (levels, cotangent) in self.levels.iter_mut().zip(&oracle.cotangents) {
            levels.set_noise(|step| {
                let of_step = hidden.iter().filter(|(of, _)| *of == step).flat_map(|(_, outputs)| outputs);
                of_step.fold(0.0, |sum, &output| f64::hypot(sum, cotangent.value.data()[output] * oracle.noise[output]))
            });
        }
        self.decided = self.levels.iter().map(|levels| levels.decide(0.0)).collect();
        self.tried.push(relative);
        if self.last.as_ref().is_none_or(|known| points.step() < known.step()) {
            self.last = Some(points);
        }
    }

    /// Every cotangent has a clean difference of a smooth place, with a longer step than this relative one; no kink was
    /// recorded within the last step.
    fn all_clean(&self, longer_than: f64) -> bool {
        let crossed =
            matches!(self.last.as_ref().map(|points| points.crossing), Some(Crossing::At | Crossing::Between));
        !crossed && self.decided.iter().all(|e| e.clean && e.kink.is_none() && e.relative > longer_than)
    }

    /// Every cotangent is clean or sees the same kink with the two shortest steps.
    fn steady_kinks(&self) -> bool {
        let mut any = false;
        let all = self.levels.iter().zip(&self.decided).all(|(levels, decided)| {
            let steady = levels.steady_kink();
            any |= steady;
            steady || (decided.clean && decided.kink.is_none())
        });
        all && any
    }
}

/// A function that panics away from the point has no value there.
fn guarded<'a>(forward: Evaluation<'a>, dims: Vec<usize>) -> Evaluation<'a> {
    Rc::new(move |values| match caught(|| forward(values)) {
        Ok((output, fingerprint)) if output.dims() == dims => (output, fingerprint),
        _ => (Value::full(dims.clone(), f64::NAN), None),
    })
}

#[cfg(test)]
mod tests;
