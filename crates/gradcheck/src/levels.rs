//! What differences with several steps say together: which of them is believed, whether the function has a kink, and whether there is anything to
//! believe at all.

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
}

impl Level {
    fn error(&self) -> f64 {
        self.measured.truncation + self.noise
    }

    /// The derivatives from both sides differ by more than noise.
    fn bent(&self) -> bool {
        self.measured.width > (1e-5 * self.measured.magnitude).max(self.measured.width_noise)
    }

    /// Truncation is a millionth of the terms, or less than the noise.
    fn converged(&self) -> bool {
        self.measured.truncation <= (1e-6 * self.measured.magnitude).max(self.noise)
    }

    /// Both sides are smooth, so that what lies between their derivatives is a kink and no steep place.
    fn smooth_sides(&self) -> bool {
        self.measured.one_sided_error <= 0.02 * self.measured.width + self.measured.width_noise
    }

    /// The derivatives from both sides are those of another step.
    fn same_sides(&self, other: &Self) -> bool {
        let allowed = 0.02 * self.measured.width + self.measured.width_noise + other.measured.width_noise;
        let pairs = self.measured.one_sided.iter().zip(&other.measured.one_sided);
        pairs.into_iter().all(|(a, b)| (a - b).abs() <= allowed)
    }

    /// The two differences contradict each other.
    fn contradicts(&self, other: &Self) -> bool {
        let apart = (self.measured.derivative - other.measured.derivative).abs();
        let rounding = 1e-9 * self.measured.magnitude.max(other.measured.magnitude);
        // What is not a number contradicts nothing: it says nothing.
        apart > self.error() + other.error() + rounding
    }
}

/// The differences of one cotangent with several steps, the longest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Levels {
    levels: Vec<Level>,
}

/// Whether a kink lies within the points of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    Smooth,
    Kinked,
    /// A kink was recorded, and the slopes do not show it: it belongs to something that the objective does not depend on, or it is hidden.
    Hidden,
}

impl Levels {
    pub(crate) fn add(&mut self, level: Level) {
        let at = self.levels.partition_point(|other| other.step > level.step);
        self.levels.insert(at, level);
    }

    /// The distance between the two sides falls with the square of the step where the function is smooth, and stays at a kink.
    fn sight(&self, at: usize) -> Sight {
        let level = &self.levels[at];
        let falls = at > 0 && level.measured.width < 0.1 * self.levels[at - 1].measured.width;
        match level.crossing {
            Crossing::Unknown if level.bent() && !falls => Sight::Kinked,
            Crossing::Unknown | Crossing::None => Sight::Smooth,
            Crossing::At | Crossing::Between if level.bent() => Sight::Kinked,
            Crossing::At | Crossing::Between => Sight::Hidden,
        }
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

    /// The step that is believed. `near` is the relative step up to which a kink is told as near.
    ///
    /// # Panics
    ///
    /// Panics if no step was tried.
    pub(crate) fn decide(&self, near: f64) -> Estimate {
        let last = self.levels.last().expect("there is at least one step");
        let estimate = |level: &Level, clean: bool, kink: Option<[f64; 2]>, near: Option<Near>| Estimate {
            derivative: level.measured.derivative,
            truncation: level.measured.truncation,
            noise: level.noise,
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
            .reduce(|a, b| Near { within: a.within.min(b.within), slopes: hull(a.slopes, b.slopes) });
        let seen = sights.contains(&Sight::Smooth);
        let usable: Vec<&Level> = pairs()
            .filter(|(_, sight)| **sight == Sight::Smooth || (**sight == Sight::Hidden && !seen))
            .map(|(level, _)| level)
            .filter(|level| level.measured.derivative.is_finite())
            .collect();
        if let Some(best) = best(&usable) {
            return estimate(best, true, None, near);
        }
        // With the two shortest steps: a kink seen with longer ones alone may be a place of strong curvature.
        let only = sights == [Sight::Kinked] && last.smooth_sides();
        if only || self.steady_kink() {
            return estimate(last, true, Some(last.measured.one_sided), near);
        }
        let least = usable.iter().copied().min_by(|a, b| a.error().total_cmp(&b.error()));
        estimate(least.unwrap_or(last), false, None, near)
    }
}

/// Of the steps that are clean and that no shorter step contradicts, the one with the least error; else the shortest, if the differences come
/// together as the step falls.
fn best<'l>(usable: &[&'l Level]) -> Option<&'l Level> {
    let consistent = |at: usize| usable[at + 1..].iter().all(|shorter| !usable[at].contradicts(shorter));
    let clean = (0..usable.len()).filter(|&at| usable[at].converged() && consistent(at)).map(|at| usable[at]);
    let clean = clean.min_by(|a, b| a.error().total_cmp(&b.error()));
    clean.or_else(|| match usable {
        // A curvature that jumps at the point, as of x|x| at 0: the error falls with the step and never is a millionth of the derivative.
        [.., first, second, third] => {
            let falls =
                |a: &Level, b: &Level| b.measured.truncation <= 0.5 * a.measured.truncation && !a.contradicts(b);
            (falls(first, second) && falls(second, third)).then_some(*third)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests;
