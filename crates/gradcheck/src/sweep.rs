//! The steps along one line, from the longest to the shortest that something is seen with.

use crate::Value;
use crate::cotangent::Cotangent;
use crate::kinks::Crossing;
use crate::levels::{Estimate, Level, Levels};
use crate::line::{Line, Move};
use crate::measure::{Bent, Points};
use crate::place::Place;
use crate::precision::largest;

/// The shortest relative step: a kink that is still seen with it lies at the point, as far as anybody can tell.
pub(crate) const SHORTEST: f64 = 1e-9;

/// A function is straight if a relative step of this length is clean.
const STRAIGHT: f64 = 1e-5;

/// Relative steps for a kink that a recorded forward sees beside the point, and for a place where no longer step is
/// clean.
const SHORTER: [f64; 3] = [1e-7, 1e-8, 1e-10];

/// What is known of one element, or of one line.
pub(crate) struct Element {
    /// One for each cotangent.
    pub(crate) estimates: Vec<Estimate>,
    /// The outputs that it moves, in bits.
    moved: Vec<u64>,
    /// The outputs that have a kink at the point, if there are any.
    pub(crate) bent: Vec<Bent>,
    /// All steps were tried, also those that a clean one made unnecessary.
    pub(crate) thorough: bool,
}

/// What is known along a line.
pub(crate) struct Along {
    pub(crate) line: Line,
    pub(crate) element: Element,
}

impl Element {
    /// Whether it moves this output.
    pub(crate) fn moves(&self, output: usize) -> bool {
        self.moved[output / 64] >> (output % 64) & 1 == 1
    }
}

/// Takes differences with shorter and shorter steps until each cotangent has one that is clean. With `thorough` every
/// step is taken. The points are those of the shortest step.
///
/// The steps are relative to the element. Where the same kink is seen twice, the shortest step of all says whether it
/// lies at the point. Where no step is clean, or the function does not move at this scale or is hidden by its noise,
/// [other steps](Sweep::further) are tried.
pub(crate) fn explore(place: &Place<'_>, line: &Line, thorough: bool) -> (Element, Points) {
    let mut sweep = Sweep {
        place,
        line,
        values: place.values.clone(),
        levels: place.cotangents.iter().map(|cotangent| Levels::new(place.quantum(cotangent))).collect(),
        decided: Vec::new(),
        moved: vec![0u64; place.output.len().div_ceil(64)],
        tried: Vec::new(),
        still: Vec::new(),
        last: None,
    };
    let shortest = sweep.shortest();
    let mut usual: Vec<f64> = sweep.usual().iter().copied().filter(|&step| step >= shortest).collect();
    if usual.is_empty() {
        usual.extend(place.steps.first());
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
        if !jumped && place.precision.is_double() && sweep.steady_kinks() {
            jumped = true;
            sweep.take(shortest);
            if sweep.steady_kinks() {
                break;
            }
        }
    }
    for step in sweep.further(shortest, thorough) {
        sweep.take(step);
    }
    let mut estimates: Vec<Estimate> = sweep.levels.iter().map(|levels| levels.decide(place.near)).collect();
    sweep.add_hidden(&mut estimates);
    let Sweep { moved, last, .. } = sweep;
    let last = last.expect("there is at least one step");
    let kinked = estimates.iter().any(|estimate| estimate.kink.is_some());
    let bent = if kinked { last.bent(&place.noise) } else { Vec::new() };
    (Element { estimates, moved, bent, thorough }, last)
}

/// The differences along one line, step by step.
struct Sweep<'s, 'a> {
    place: &'s Place<'a>,
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
        let place = self.place;
        let points = place.points(&mut self.values, self.line, relative);
        let step = points.step();
        for (number, cotangent) in place.cotangents.iter().enumerate() {
            let measured = points.measure(cotangent, &place.noise);
            let (crossing, long) = (points.crossing, relative > 2.0 * place.steps[0]);
            self.levels[number].add(Level { measured, crossing, step, relative, noise: 0.0, learned: 0.0, long });
        }
        let (moved, still): (Vec<usize>, Vec<usize>) = (0..place.output.len()).partition(|&o| points.moves(o));
        moved.into_iter().for_each(|output| self.moved[output / 64] |= 1 << (output % 64));
        self.still.push((step, still));
        let hides = |(step, still): &(f64, Vec<usize>)| {
            let hidden = still.iter().copied().filter(|output| self.moved[output / 64] >> (output % 64) & 1 == 1);
            (*step, hidden.collect::<Vec<usize>>())
        };
        let hidden: Vec<(f64, Vec<usize>)> = self.still.iter().map(hides).filter(|(_, all)| !all.is_empty()).collect();
        for (levels, cotangent) in self.levels.iter_mut().zip(&place.cotangents) {
            levels.set_noise(|step| {
                let of_step = hidden.iter().filter(|(of, _)| *of == step).flat_map(|(_, outputs)| outputs);
                of_step.fold(0.0, |sum, &output| f64::hypot(sum, cotangent.value.data()[output] * place.noise[output]))
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

    /// Lines of many elements take short steps only: a long one crosses some kink for certain.
    fn usual(&self) -> &[f64] {
        match self.line.moves.len() {
            0..=16 => &self.place.steps,
            _ => &[1e-4, 1e-6, 1e-8],
        }
    }

    /// The shortest relative step: it moves every element by 256 times its spacing at least. Only of what is tiny
    /// beside its scale can a kink be seen that is nearer than [`SHORTEST`].
    fn shortest(&self) -> f64 {
        let spacing = self.place.precision.epsilon();
        let element = |one: &Move| {
            let x = self.place.values[one.tensor].data()[one.index];
            if one.by == 0.0 { 0.0 } else { 256.0 * spacing * x.abs() / one.by.abs() }
        };
        let least = self.line.moves.iter().map(element).fold(0.0, f64::max);
        let own = self.line.alone().map(|one| self.place.values[one.tensor].data()[one.index].abs() / one.by.abs());
        let tiny = own.filter(|&own| own > 0.0).map_or(SHORTEST, |own| (1e-3 * own).min(SHORTEST));
        least.max(tiny)
    }

    /// Steps beyond the usual ones, for what those have not decided: shorter ones where no step is clean, longer ones
    /// relative to 1 and to the typical element of the tensor where noise hides the function, and both where nothing
    /// moves at all.
    fn further(&self, shortest: f64, thorough: bool) -> Vec<f64> {
        let decided = &self.decided;
        let noisy = |e: &Estimate| e.magnitude > 0.0 && e.kink.is_none() && e.noise > 1e-4 * e.magnitude;
        let Some(one) = self.line.alone() else {
            // A tensor of tiny elements moves by tiny steps, which noise hides; the function may be as straight with
            // longer ones.
            let largest = self.line.moves.iter().map(|one| one.by.abs()).fold(0.0, f64::max);
            let long = decided.iter().any(noisy) && largest < 0.1;
            return if long { [1e-4, 1e-6].map(|step| step / largest).to_vec() } else { Vec::new() };
        };
        let mut further = Vec::new();
        let beside = self.last.as_ref().is_some_and(|points| points.crossing == Crossing::Between);
        if self.place.precision.is_double() && (beside || decided.iter().any(|estimate| !estimate.clean)) {
            further.extend(SHORTER.into_iter().filter(|&step| step >= shortest));
        }
        let still = self.moved.iter().all(|&bits| bits == 0);
        let x = self.place.values[one.tensor].data()[one.index].abs();
        let unclean = decided.iter().any(|estimate| !estimate.clean);
        if (thorough || unclean) && x > 0.0 && x < one.by.abs() {
            // The usual steps were relative to something larger, and may have left the function's domain.
            let own = [1.0, 0.1].map(|share| share * self.place.steps[0]);
            let shorter = SHORTER.into_iter().chain([1e-6]).filter(|_| unclean && self.place.precision.is_double());
            further.extend(own.into_iter().chain(shorter).map(|step| step * x / one.by.abs()));
        }
        if still || decided.iter().any(noisy) || self.matters(decided, &self.unmoved(), None) {
            let longest = self.place.steps[0];
            // A line is as straight with a step as long as the element.
            for scale in [1.0, self.place.typical[one.tensor], 100.0 * one.by.abs(), one.by.abs() / longest] {
                let step = longest * scale / one.by.abs();
                if step > 8.0 * longest || (still && step < longest / 8.0 && step >= shortest) {
                    further.extend([step, step / 10.0]);
                }
            }
        }
        further.sort_by(|a, b| b.total_cmp(a));
        further.dedup_by(|a, b| (*a / *b - 1.0).abs() < 0.5);
        further.retain(|step| step.is_finite() && self.tried.iter().all(|known| (known / step - 1.0).abs() > 0.5));
        further
    }

    /// The outputs that did not move with any step.
    fn unmoved(&self) -> Vec<usize> {
        let moved = |output: usize| self.moved[output / 64] >> (output % 64) & 1 == 1;
        (0..self.place.output.len()).filter(|&output| !moved(output)).collect()
    }

    /// How large a slope may be hidden in outputs that stay the same over this step.
    fn hidden(&self, cotangent: &Cotangent, outputs: &[usize], step: f64) -> f64 {
        let of = |sum: f64, &output: &usize| sum.hypot(cotangent.value.data()[output] * self.place.noise[output]);
        16.0 * outputs.iter().fold(0.0, of) / step
    }

    /// Whether that is much beside any of the estimates; `long` is the step over which the outputs stay the same, if it
    /// is not that of the estimate.
    fn matters(&self, estimates: &[Estimate], outputs: &[usize], long: Option<f64>) -> bool {
        let steepest = estimates.iter().map(|estimate| estimate.magnitude).fold(0.0, f64::max);
        let small = |w: &Cotangent, e: &Estimate| 1e-4 * e.magnitude.max(steepest.min(w.value.max_abs()));
        let pairs = self.place.cotangents.iter().zip(estimates);
        pairs.into_iter().any(|(w, e)| self.hidden(w, outputs, long.unwrap_or(e.step)) > small(w, e))
    }

    /// Whether outputs that move show a straight function over the usual steps.
    fn is_straight(&self, estimates: &[Estimate]) -> bool {
        let moves = estimates.iter().any(|estimate| estimate.magnitude > 0.0);
        moves && estimates.iter().all(|e| e.clean && e.kink.is_none() && e.relative >= STRAIGHT)
    }

    /// Whether the slope of the outputs that move goes on over a long step.
    fn goes_on(&self, estimates: &[Estimate], [left, right]: [&Value; 2], long: f64) -> bool {
        self.place.cotangents.iter().zip(estimates).all(|(cotangent, estimate)| {
            let moves = |&(output, _): &(usize, f64)| self.moved[output / 64] >> (output % 64) & 1 == 1;
            let rise = |(output, w): (usize, f64)| w * (right.data()[output] - left.data()[output]);
            let slope = cotangent.terms().filter(moves).map(rise).sum::<f64>() / (2.0 * long);
            (slope - estimate.derivative).abs() <= 0.5 * estimate.magnitude
        })
    }

    /// Adds to each estimate what may be hidden in outputs that did not move: `x` moves `10²⁰ + x`, and no step shows
    /// it. An output that stays the same with a step a thousand times as long as the tensor's typical element hides
    /// nothing.
    fn add_hidden(&self, estimates: &mut [Estimate]) {
        let place = self.place;
        let still = self.unmoved();
        if still.iter().all(|&output| place.noise[output] == 0.0) {
            return;
        }
        let largest_number = largest(place.precision.0);
        let (all_still, mut straight) = (still.clone(), self.is_straight(estimates));
        let (mut unseen, mut seen) = (still, Vec::new());
        if let Some(one) = self.line.alone() {
            let mut values = place.values.clone();
            let longest = estimates.iter().map(|estimate| estimate.step).fold(0.0, f64::max);
            if longest > 2.0 * place.steps[0] * one.by.abs() {
                let ends = [-1.0, 1.0].map(|side| place.at(&mut values, self.line, side * longest / one.by.abs()).1);
                straight &= self.goes_on(estimates, [&ends[0], &ends[1]], longest);
            }
            for factor in [1e-8, 1e-4, 1e3, 1e12, 1e40, 1e150, 1e300] {
                let long = (factor * place.typical[one.tensor].max(1.0)).min(0.1 * largest_number);
                if long <= longest {
                    continue;
                }
                let known: Vec<usize> =
                    seen.iter().flat_map(|(_, outputs): &(f64, Vec<usize>)| outputs).copied().collect();
                let enough = seen.iter().all(|(long, outputs)| !self.matters(estimates, outputs, Some(*long)));
                if !self.matters(estimates, &unseen, None) && enough {
                    break;
                }
                let relative = long / one.by.abs();
                let [left, right] = [-relative, relative].map(|step| place.at(&mut values, self.line, step).1);
                straight &= self.goes_on(estimates, [&left, &right], long);
                let same = |output: &usize| {
                    let [a, y, b] = [&left, &place.output, &right].map(|value| value.data()[*output]);
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
        if let Some(one) = self.line.alone().filter(|_| !straight) {
            let shortest = self.tried.iter().copied().fold(f64::INFINITY, f64::min) * one.by.abs();
            for (cotangent, estimate) in place.cotangents.iter().zip(&mut *estimates) {
                estimate.hidden = estimate.hidden.max(self.hidden(cotangent, &all_still, shortest));
            }
        }
        for (cotangent, estimate) in place.cotangents.iter().zip(estimates) {
            let of_seen: f64 = seen.iter().map(|(long, outputs)| self.hidden(cotangent, outputs, *long)).sum();
            estimate.noise += self.hidden(cotangent, &unseen, estimate.step) + of_seen;
        }
    }
}
