//! Parametric ReLU.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::{Inferred, Misfit, checks};
use crate::Shape;
use crate::config::{Entries, Key, Kind, Literal, Presence, Range, Record, key};

/// [`LeakyReluSpec`](crate::LeakyReluSpec) with one slope that is learned, shared by all channels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreluSpec {
    /// The slope before training.
    pub initial_slope: f64,
}

impl Definition for PreluSpec {
    const DOC: &'static str = "leaky_relu with one learned slope.";

    const KEYS: &'static [Key] = &[key(
        "initial_slope",
        Kind::Number(Range::FINITE),
        Presence::Default(Literal::Number(0.25)),
        "The slope before training.",
    )];

    fn read(record: &Record) -> Self {
        Self { initial_slope: record.number("initial_slope") }
    }

    fn write(&self, entries: &mut Entries) {
        entries.push("initial_slope", self.initial_slope);
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        checks::finite("initial_slope", self.initial_slope)?;
        Ok(Inferred { weights: 1, ..Inferred::without_parameters(input) })
    }

    fn describe(&self) -> String {
        "PReLU".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_one_weight_and_has_to_be_finite() {
        let (input, layer) = (Shape::image(3, 4, 5), PreluSpec { initial_slope: 0.25 });
        let expected = Inferred { output: input, weights: 1, biases: 0, running_statistics: 0 };
        assert_eq!(layer.infer(input, &[]).unwrap(), expected);
        assert_eq!(layer.describe(), "PReLU");
        let misfit = PreluSpec { initial_slope: f64::INFINITY }.infer(input, &[]).unwrap_err();
        assert_eq!(misfit.problem, "initial_slope must be finite, got inf");
    }
}
