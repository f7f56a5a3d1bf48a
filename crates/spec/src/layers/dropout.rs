//! Dropout.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::{Inferred, Misfit};
use crate::Shape;
use crate::config::{Entries, Key, Kind, Literal, Presence, Range, Record, key};

/// Inverted dropout: what is kept is divided by 1 − probability while training; inference changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DropoutSpec {
    /// Probability that a value is zeroed, in [0, 1).
    pub probability: f64,
}

impl Definition for DropoutSpec {
    const DOC: &'static str = "Zeroes values at random while training.";

    const KEYS: &'static [Key] = &[key(
        "probability",
        Kind::Number(Range::BELOW_ONE),
        Presence::Required(Literal::Number(0.25)),
        "Probability that a value is zeroed.",
    )];

    fn read(record: &Record) -> Self {
        Self { probability: record.number("probability") }
    }

    fn write(&self, entries: &mut Entries) {
        entries.push("probability", self.probability);
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        if !Range::BELOW_ONE.contains(self.probability) {
            return Err(Misfit::new(format!("probability must be in [0, 1), got {}", self.probability)));
        }
        Ok(Inferred::without_parameters(input))
    }

    fn describe(&self) -> String {
        format!("dropout {}", self.probability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_probability_below_one_leaves_something() {
        let input = Shape::vector(3);
        let layer = DropoutSpec { probability: 0.25 };
        assert_eq!(layer.infer(input, &[]).unwrap(), Inferred::without_parameters(input));
        assert_eq!(layer.describe(), "dropout 0.25");
        let misfit = DropoutSpec { probability: 1.0 }.infer(input, &[]).unwrap_err();
        assert_eq!(misfit.problem, "probability must be in [0, 1), got 1");
    }
}
