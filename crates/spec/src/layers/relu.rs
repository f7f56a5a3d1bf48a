//! ReLU.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::{Inferred, Misfit};
use crate::Shape;
use crate::config::{Entries, Key, Kind, Literal, Presence, Record, key};

/// max(0, x).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReluSpec {
    /// The gradient at exactly 0: 0 or 1.
    #[serde(default)]
    pub gradient_at_zero: u8,
}

impl Definition for ReluSpec {
    const DOC: &'static str = "max(0, x).";

    const KEYS: &'static [Key] = &[key(
        "gradient_at_zero",
        Kind::OneOf(&[0, 1]),
        Presence::Default(Literal::Integer(0)),
        "The gradient at exactly 0: 0 or 1.",
    )];

    fn read(record: &Record) -> Self {
        Self { gradient_at_zero: u8::from(record.count("gradient_at_zero") == 1) }
    }

    /// Nothing where it is 0, as from before there was a choice.
    fn write(&self, entries: &mut Entries) {
        entries.push_some("gradient_at_zero", (self.gradient_at_zero != 0).then_some(u64::from(self.gradient_at_zero)));
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        if self.gradient_at_zero > 1 {
            return Err(Misfit::new(format!("gradient_at_zero must be 0 or 1, got {}", self.gradient_at_zero)));
        }
        Ok(Inferred::without_parameters(input))
    }

    fn describe(&self) -> String {
        match self.gradient_at_zero {
            0 => "ReLU".to_owned(),
            gradient => format!("ReLU, gradient {gradient} at 0"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_stays_and_there_are_no_parameters() {
        let input = Shape::image(3, 4, 5);
        for (gradient_at_zero, words) in [(0, "ReLU"), (1, "ReLU, gradient 1 at 0")] {
            let relu = ReluSpec { gradient_at_zero };
            assert_eq!(relu.infer(input, &[]).unwrap(), Inferred::without_parameters(input));
            assert_eq!(relu.describe(), words);
        }
    }

    #[test]
    fn another_gradient_is_a_misfit() {
        let misfit = ReluSpec { gradient_at_zero: 2 }.infer(Shape::vector(2), &[]).unwrap_err();
        assert_eq!(misfit.problem, "gradient_at_zero must be 0 or 1, got 2");
    }
}
