//! What differences with several steps say together: which of them is believed, whether the function has a kink, and
//! whether there is anything to believe at all.

use crate::kinks::Crossing;
use crate::measure::{Measured, hull};

/// What differences say of `∂⟨w, f⟩/∂s` along one line and for one cotangent `w`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimate {
    /// `D_R`, the extrapolated central difference.
    pub(crate) derivative: f64,
    /// `|D_R − D_h|`.
    pub(crate) truncation: f64,
    /// The round-off of the outputs over the step.
    pub(crate) noise: f64,
    /// What outputs that do not move may hide over the usual steps. Longer ones may show that they hide nothing, if the
    /// function is as straight there: that proves a zero, and calls nothing wrong.
    pub(crate) hidden: f64,
    /// `Σ_o |w_o ∂f_o/∂s|`: the terms that a backward adds up.
    pub(crate) magnitude: f64,
    /// The step that was used, half of the distance between the outer points.
    pub(crate) step: f64,
    /// That step beside the element's own scale.
    pub(crate) relative: f64,
    /// The differences agree with each other: they bound the derivative, and may call a gradient wrong.
    pub(crate) clean: bool,
    /// The derivatives from the left and the right, if they differ at the point itself however small the step.
    pub(crate) kink: Option<[f64; 2]>,
    /// A kink that is so near that code which rounds may be on its other side.
    pub(crate) near: Option<Near>,
}

/// A kink beside the point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Near {
    /// The shortest relative step that still crosses it.
    pub(crate) within: f64,
    /// The hull of the slopes on both sides.
    pub(crate) slopes: [f64; 2],
}

/// The differences with one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    pub(crate) measured: Measured,
    pub(crate) crossing: Crossing,
    /// In units of the abscissa.
    pub(crate) step: f64,
    /// Beside the element's own scale.
    pub(crate) relative: f64,
    /// The round-off of the objective over the step.
    pub(crate) noise: f64,
    /// What the round-off of shorter steps says of this one's, beyond that: see [`Levels::learn_noise`].
    pub(crate) learned: f64,
    /// The step is longer than the element's own scale asks for. Then an even bend counts as a kink: the difference
    /// over it says nothing of the point.
    pub(crate) long: bool,
}

impl Level {
    fn error(&self) -> f64 {
        self.truncation() + self.all_noise()
    }

    fn all_noise(&self) -> f64 {
        self.noise + self.learned
    }

    /// `|D_R − D_h|`, and at least half of what the two sides are apart beyond noise: a kink too small to show as one
    /// is an error of the difference.
    fn truncation(&self) -> f64 {
        let apart = (self.measured.width - self.measured.width_noise).max(0.0);
        self.measured.truncation.max(0.5 * apart)
    }

    /// The derivatives from both sides differ by more than noise.
    fn bent(&self) -> bool {
        self.measured.width > (1e-5 * self.measured.magnitude).max(self.measured.width_noise)
    }

    /// Truncation is a millionth of the terms, or less than the noise. What shorter steps say of the noise explains no
    /// more than a hundred-thousandth of the terms: a steep place may look like it.
    fn converged(&self) -> bool {
        let terms = self.measured.magnitude;
        self.truncation() <= (1e-6 * terms).max(self.noise).max(self.learned.min(1e-5 * terms))
    }

    /// Both sides are smooth, so that what lies between their derivatives is a kink and no steep place.
    fn smooth_sides(&self) -> bool {
        let noise = self.measured.width_noise.min(0.1 * self.measured.width);
        self.measured.one_sided_error <= 0.02 * self.measured.width + noise
    }

    /// The derivatives from both sides are those of another step.
    fn same_sides(&self, other: &Self) -> bool {
        let noise = (self.measured.width_noise + other.measured.width_noise).min(0.1 * self.measured.width);
        let allowed = 0.02 * self.measured.width + noise;
        let pairs = self.measured.one_sided.iter().zip(&other.measured.one_sided);
        pairs.into_iter().all(|(a, b)| (a - b).abs() <= allowed)
    }

    /// A shorter step that says something else, and is sure of it.
    fn contradicted(&self, shorter: &Self) -> bool {
        let apart = (self.measured.derivative - shorter.measured.derivative).abs();
        let rounding = 1e-9 * self.measured.magnitude.max(shorter.measured.magnitude);
        // What is not a number contradicts nothing: it says nothing.
        apart > shorter.error() + self.truncation().min(shorter.error()) + rounding
    }
}

/// The differences of one cotangent with several steps, the longest first.
#[derive(Debug, Clone)]
pub(crate) struct Levels {
    levels: Vec<Level>,
    /// The largest change of the objective that round-off may hide: see [`Levels::learn_noise`].
    quantum: f64,
}

/// Whether a kink lies within the points of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    Smooth,
    Kinked,
    /// A kink was recorded, and the slopes do not show it: it belongs to something that the objective does not depend
    /// on, or it is hidden.
    Hidden,
}

impl Levels {
    /// No step yet. Round-off of more than `quantum` is not believed, whatever the differences look like.
    pub(crate) fn new(quantum: f64) -> Self {
        Self { levels: Vec::new(), quantum }
    }

    pub(crate) fn add(&mut self, level: Level) {
        let at = self.levels.partition_point(|other| other.step > level.step);
        self.levels.insert(at, level);
    }

    /// The distance between the two sides falls with the square of the step where the function is smooth, and stays at
    /// a kink.
    fn sight(&self, at: usize) -> Sight {
        let level = &self.levels[at];
        let falls = at > 0 && level.measured.width < 0.1 * self.levels[at - 1].measured.width;
        match level.crossing {
            Crossing::Unknown if level.bent() && !falls => Sight::Kinked,
            Crossing::None if level.long && level.bent() => Sight::Kinked,
            Crossing::Unknown | Crossing::None => Sight::Smooth,
            Crossing::At | Crossing::Between if level.bent() => Sight::Kinked,
            Crossing::At | Crossing::Between => Sight::Hidden,
        }
    }

    /// Sets the noise of every step. Outputs that stay between its points count if they move with another step: then it
    /// is round-off that hides them. `hidden` is their deviation for a level of this step.
    pub(crate) fn set_noise(&mut self, hidden: impl Fn(f64) -> f64) {
        for level in &mut self.levels {
            let deviation = level.measured.noise.hypot(hidden(level.step));
            level.noise = 16.0 * deviation / level.step + level.measured.asymmetry;
        }
        self.learn_noise();
    }

    /// Truncation falls with the step, and the share of round-off rises. Where a shorter step is less in agreement with
    /// its half than this one, or does not move the objective at all, that is round-off, whatever was measured at other
    /// points: an intermediate result may be rounded more coarsely than the output. It is as much of this difference as
    /// the steps are to each other.
    ///
    /// A function that is flat up to a distance looks the same as one that rounds to numbers that far apart. So no more
    /// than the rounding of the largest number in sight is taken for round-off.
    fn learn_noise(&mut self) {
        for at in 0..self.levels.len() {
            let level = self.levels[at];
            let seen = |shorter: &Level| {
                let off = match shorter.measured.magnitude == 0.0 {
                    true => level.measured.derivative.abs(),
                    false => shorter.measured.truncation,
                };
                let rises = off > 2.0 * level.measured.truncation && off.is_finite();
                if rises { 4.0 * off * shorter.step / level.step } else { 0.0 }
            };
            self.levels[at].learned = self.levels[at + 1..].iter().map(seen).fold(0.0, f64::max);
        }
        // What rises from step to step as round-off does goes on rising, and may at last hide all that moves.
        for at in 2..self.levels.len() {
            let [a, b, c] = [at - 2, at - 1, at].map(|at| self.levels[at].measured);
            let rises = |long: f64, short: f64| short > 2.0 * long && short.is_finite();
            let both = |long: &Measured, short: &Measured| {
                rises(long.truncation, short.truncation) && rises(long.width, short.width)
            };
            // A wave that the long steps skip rises too, and falls with the short ones.
            let to_the_end = self.levels[at..].windows(2).all(|pair| {
                let [long, short] = [pair[0].measured, pair[1].measured];
                short.magnitude == 0.0 || 2.0 * short.truncation >= long.truncation
            });
            // Beside a kink the sides are further apart than that.
            let straight = b.width <= 0.01 * b.magnitude;
            if straight && both(&a, &b) && both(&b, &c) && to_the_end {
                let deviation = b.truncation * self.levels[at - 1].step;
                let shorter = self.levels[at - 1..].iter_mut().filter(|_| deviation <= self.quantum);
                shorter.for_each(|level| level.learned = level.learned.max(4.0 * deviation / level.step));
            }
        }
        // Where longer steps show a straight line, a step over which it rises by less than a rounding hides it.
        for at in 1..self.levels.len() {
            let level = self.levels[at];
            let hides = |longer: &&Level| {
                let Measured { derivative, magnitude, truncation, width, .. } = longer.measured;
                let straight = magnitude > 0.0 && truncation <= 1e-4 * magnitude && width <= 1e-3 * magnitude;
                straight && derivative.abs() * level.step <= self.quantum
            };
            if level.measured.magnitude == 0.0 {
                let longer = self.levels[..at].iter().filter(hides).map(|longer| longer.measured.derivative.abs());
                self.levels[at].learned = longer.fold(level.learned, f64::max);
            }
        }
    }

    /// The shortest of three steps over which the objective rises by the same, and by more than round-off hides: it
    /// jumps within that step, or is steep there and nowhere else. No step as long as that says what the slope is.
    fn jump(&self) -> Option<usize> {
        let rise = |level: &Level| level.measured.derivative * level.step;
        let same = |long: &Level, short: &Level| {
            let (a, b) = (rise(long), rise(short));
            long.step > 4.0 * short.step && a.abs() > self.quantum && (a - b).abs() <= 0.1 * a.abs()
        };
        let all_same = |three: &[Level]| three.windows(2).all(|pair| same(&pair[0], &pair[1]));
        self.levels.windows(3).rposition(all_same).map(|first| first + 2)
    }

    /// Whether the two shortest steps see the same kink, with smooth sides.
    pub(crate) fn steady_kink(&self) -> bool {
        let [.., before, last] = &self.levels[..] else { return false };
        let at = self.levels.len() - 1;
        last.smooth_sides()
            && last.same_sides(before)
            && self.sight(at) == Sight::Kinked
            && self.sight(at - 1) == Sight::Kinked
    }

    /// Whether what looks like a kink with several steps is as wide with the longest as with the shortest: a smooth
    /// steep place is not.
    fn is_sharp(&self, sights: &[Sight]) -> bool {
        let kinked = self.levels.iter().zip(sights).filter(|(_, sight)| **sight == Sight::Kinked);
        let widths: Vec<f64> = kinked.map(|(level, _)| level.measured.slopes[1] - level.measured.slopes[0]).collect();
        let [least, most] = widths.iter().fold([f64::INFINITY, 0.0], |[a, b], &w| [w.min(a), w.max(b)]);
        widths.len() > 1 && most <= 3.0 * least
    }

    /// The step that is believed. `near` is the relative step up to which a kink is told as near.
    ///
    /// # Panics
    ///
    /// Panics if no step was tried.
    pub(crate) fn decide(&self, near: f64) -> Estimate {
        let last = self.levels.last().expect("there is at least one step");
        // A function may be another one within a step that is longer than the element asks for: as far as the noise of
        // the others lets it.
        let others = self.levels.iter().filter(|level| !level.long).map(Level::error);
        let unseen = others.filter(|error| error.is_finite()).fold(f64::INFINITY, f64::min);
        let estimate = |level: &Level, clean: bool, kink: Option<[f64; 2]>, near: Option<Near>| Estimate {
            derivative: level.measured.derivative,
            truncation: if kink.is_some() { level.measured.truncation } else { level.truncation() },
            noise: level.all_noise(),
            hidden: if level.long && unseen.is_finite() { unseen } else { 0.0 },
            magnitude: level.measured.magnitude,
            step: level.step,
            relative: level.relative,
            clean,
            kink,
            near,
        };
        let sights: Vec<Sight> = (0..self.levels.len()).map(|at| self.sight(at)).collect();
        if sights == [Sight::Smooth] && last.converged() && last.measured.derivative.is_finite() {
            return estimate(last, true, None, None);
        }
        let pairs = || self.levels.iter().zip(&sights);
        let near = pairs()
            .filter(|(level, sight)| **sight == Sight::Kinked && level.relative <= near)
            .map(|(level, _)| Near { within: level.relative, slopes: level.measured.slopes })
            .reduce(|a, b| Near { within: a.within.min(b.within), slopes: hull(a.slopes, b.slopes) })
            .filter(|_| self.is_sharp(&sights));
        let seen = sights.contains(&Sight::Smooth);
        let usable: Vec<&Level> = pairs()
            .skip(self.jump().map_or(0, |at| at + 1))
            .filter(|(_, sight)| **sight == Sight::Smooth || (**sight == Sight::Hidden && !seen))
            .map(|(level, _)| level)
            .filter(|level| level.measured.derivative.is_finite())
            .collect();
        let kinkless = !sights.contains(&Sight::Kinked);
        if let Some(best) = best(&usable).or_else(|| converging(&usable).filter(|_| kinkless)) {
            return estimate(best, true, None, near);
        }
        // With the two shortest steps: a kink seen with longer ones alone may be a place of strong curvature.
        let only = sights == [Sight::Kinked] && last.smooth_sides();
        if only || self.steady_kink() {
            // The shortest step says that the kink lies at the point. Of two steps that see the same sides, the one
            // with the lesser error says best what they are.
            let before = self.levels.iter().rev().nth(1).filter(|before| !only && before.smooth_sides());
            let best = before.filter(|before| before.error() < last.error()).unwrap_or(last);
            return estimate(best, true, Some(best.measured.one_sided), near);
        }
        let least = usable.iter().copied().min_by(|a, b| a.error().total_cmp(&b.error()));
        estimate(least.unwrap_or(last), false, None, near)
    }
}

/// Of the steps that are clean and that no shorter step contradicts, the one with the least error.
fn best<'l>(usable: &[&'l Level]) -> Option<&'l Level> {
    let consistent = |at: usize| usable[at + 1..].iter().all(|shorter| !usable[at].contradicted(shorter));
    let clean = (0..usable.len()).filter(|&at| usable[at].converged() && consistent(at)).map(|at| usable[at]);
    clean.min_by(|a, b| a.error().total_cmp(&b.error()))
}

/// The shortest step, if the differences come together as the step falls. Of a curvature that jumps at the point, as
/// that of x|x| at 0, the error falls with the step and never is a millionth of the derivative.
fn converging<'l>(usable: &[&'l Level]) -> Option<&'l Level> {
    let [.., first, second, third] = usable else { return None };
    let falls = |a: &Level, b: &Level| {
        let apart = (a.measured.derivative - b.measured.derivative).abs();
        b.truncation() <= 0.3 * a.truncation() && apart <= a.error() + b.error()
    };
    (falls(first, second) && falls(second, third)).then_some(*third)
}

#[cfg(test)]
mod tests;
