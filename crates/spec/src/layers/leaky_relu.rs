//! Leaky ReLU.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::{Inferred, Misfit, checks};
use crate::Shape;
use crate::config::{Entries, Key, Kind, Literal, Presence, Range, Record, key};

/// x for x > 0, slope · x elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeakyReluSpec {
    /// Slope for x ≤ 0.
    pub slope: f64,
}

impl Definition for LeakyReluSpec {
    const DOC: &'static str = "x above 0, slope · x elsewhere.";

    const KEYS: &'static [Key] =
        &[key("slope", Kind::Number(Range::FINITE), Presence::Default(Literal::Number(0.01)), "Slope below 0.")];

    fn read(record: &Record) -> Self {
        Self { slope: record.number("slope") }
    }

    fn write(&self, entries: &mut Entries) {
        entries.push("slope", self.slope);
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        checks::finite("slope", self.slope)?;
        Ok(Inferred::without_parameters(input))
    }

    fn describe(&self) -> String {
        format!("leaky ReLU, slope {}", self.slope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_told_and_has_to_be_finite() {
        assert_eq!(LeakyReluSpec { slope: 0.01 }.describe(), "leaky ReLU, slope 0.01");
        let misfit = LeakyReluSpec { slope: f64::NAN }.infer(Shape::vector(2), &[]).unwrap_err();
        assert_eq!(misfit.problem, "slope must be finite, got NaN");
    }
}
