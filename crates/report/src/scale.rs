//! From a value to a place on paper, and where the ticks are.

use serde::Serialize;

/// A tick where it is drawn.
#[derive(Debug, Serialize)]
pub(crate) struct Tick {
    place: f64,
    text: String,
}

/// Which axis a chart has for its values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Axis {
    /// From zero, unless all values lie far from it.
    FromZero,
    /// From the smallest value.
    OfValues,
    /// Of decades. What lies between these two is marked, and two decades below them the axis ends at the latest: what is
    /// smaller lies at its bottom.
    Logarithmic { marked: Option<[f64; 2]> },
}

/// An axis: values `low` to `high` on a line from `from` to `to`, in drawing units.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    logarithmic: bool,
    step: f64,
}

impl Scale {
    /// A linear axis over at least `low` to `high`, widened to whole steps of about `ticks` ticks.
    pub(crate) fn linear([low, high]: [f64; 2], ticks: usize, [from, to]: [f64; 2]) -> Self {
        let span = if high > low { high - low } else { low.abs().max(1.0) };
        let step = nice_step(span / ticks.max(1) as f64);
        let low = (low / step + 1e-9).floor() * step;
        let high = ((high / step - 1e-9).ceil() * step).max(low + step);
        Self { low, high, from, to, logarithmic: false, step }
    }

    /// A linear axis that begins and ends where the values do: for iterations, which a round number of would leave blank
    /// paper.
    pub(crate) fn exact([low, high]: [f64; 2], ticks: usize, [from, to]: [f64; 2]) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { low, high, from, to, logarithmic: false, step: nice_step((high - low) / ticks.max(1) as f64) }
    }

    /// A logarithmic axis over the decades of `low` to `high`, which are positive.
    pub(crate) fn logarithmic([low, high]: [f64; 2], [from, to]: [f64; 2]) -> Self {
        // Below, the ticks would leave the normal numbers.
        let low = 10_f64.powf(low.max(1e-300).log10().floor());
        let high = 10_f64.powf(high.log10().ceil()).max(10.0 * low);
        Self { low, high, from, to, logarithmic: true, step: 10.0 }
    }

    /// The same axis, ended at `high`: shares end at 100 %.
    pub(crate) fn ending(self, high: f64) -> Self {
        Self { high: if high > self.low { high } else { self.high }, ..self }
    }

    pub(crate) fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// The place of `value`, held within the axis.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let share = if self.logarithmic {
            (value.log10() - self.low.log10()) / (self.high.log10() - self.low.log10())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        round(self.from + share * (self.to - self.from))
    }

    /// The values with a tick.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            let decades = (self.high.log10() - self.low.log10()).round() as i32;
            let every = (decades / 6).max(1) as usize;
            return (0..=decades)
                .step_by(every)
                .map(|decade| 10_f64.powf(self.low.log10() + f64::from(decade)))
                .collect();
        }
        // The first multiple of the step on the axis.
        let first = (self.low / self.step - 1e-9).ceil() * self.step;
        let count = ((self.high - first) / self.step + 1e-9).floor() as usize;
        (0..=count).map(|tick| first + tick as f64 * self.step).collect()
    }

    /// The ticks as they are drawn.
    pub(crate) fn drawn_ticks(&self) -> Vec<Tick> {
        self.ticks().into_iter().map(|tick| Tick { place: self.place(tick), text: self.label(tick) }).collect()
    }

    /// The text of a tick: as many decimals as the step has.
    pub(crate) fn label(&self, value: f64) -> String {
        if self.logarithmic {
            return if (0.001..10_000.0).contains(&value) {
                format!("{}", round_to(value, 6))
            } else {
                format!("{value:.0e}")
            };
        }
        if self.step < 1e-6 || self.low.abs().max(self.high.abs()) >= 1e9 {
            return format!("{value:.1e}");
        }
        let decimals = (-self.step.log10()).ceil().clamp(0.0, 12.0) as usize;
        if decimals == 0 && (1_000.0..1e15).contains(&value) {
            return backproof_spec::thousands(value.round() as usize);
        }
        format!("{value:.decimals$}")
    }
}

/// 1, 2 or 5 times a power of ten: the smallest that is at least `step`.
fn nice_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= step * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * power
}

/// To hundredths: half of what a screen of twice the resolution shows, and short in a file.
pub(crate) fn round(value: f64) -> f64 {
    round_to(value, 2)
}

fn round_to(value: f64, decimals: i32) -> f64 {
    let factor = 10_f64.powi(decimals);
    (value * factor).round() / factor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<String> {
        scale.ticks().into_iter().map(|tick| scale.label(tick)).collect()
    }

    #[test]
    fn ticks_are_round_numbers_around_the_values() {
        let scale = Scale::linear([0.0, 2.31], 5, [0.0, 100.0]);
        assert_eq!(labels(&scale), ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5"]);
        assert_eq!(scale.place(1.25), 50.0);
        assert_eq!(labels(&Scale::linear([86.4, 96.6], 5, [0.0, 1.0])), ["85", "90", "95", "100"]);
        assert_eq!(labels(&Scale::exact([0.0, 2_000.0], 4, [0.0, 1.0])), ["0", "500", "1,000", "1,500", "2,000"]);
        assert_eq!(labels(&Scale::exact([0.0, 1_234.0], 4, [0.0, 1.0])), ["0", "500", "1,000"]);
        let late = Scale::exact([390.0, 600.0], 4, [0.0, 210.0]);
        assert_eq!((labels(&late), late.place(400.0)), (["400", "500", "600"].map(String::from).to_vec(), 10.0));
    }

    #[test]
    fn values_without_a_span_have_an_axis() {
        for value in [0.0, 1.0, -3.5, 1e-12, 1e300] {
            let scale = Scale::linear([value, value], 5, [0.0, 100.0]);
            assert!(scale.ticks().len() >= 2, "{value}");
            assert!((0.0..=100.0).contains(&scale.place(value)), "{value}");
        }
    }

    #[test]
    fn decades_are_the_ticks_of_a_logarithmic_axis() {
        let scale = Scale::logarithmic([0.03, 40.0], [100.0, 0.0]);
        assert_eq!(labels(&scale), ["0.01", "0.1", "1", "10", "100"]);
        assert_eq!([0.01, 1.0, 100.0].map(|value| scale.place(value)), [100.0, 50.0, 0.0]);
        assert!(Scale::logarithmic([1e-300, 1e300], [0.0, 1.0]).ticks().len() < 12);
    }
}
