//! ELU.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::{Inferred, Misfit, checks};
use crate::Shape;
use crate::config::{Entries, Key, Kind, Literal, Presence, Range, Record, key};

/// x for x > 0, α · (eˣ − 1) elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EluSpec {
    /// α.
    pub alpha: f64,
}

impl Definition for EluSpec {
    const DOC: &'static str = "x above 0, α · (eˣ − 1) elsewhere.";

    const KEYS: &'static [Key] =
        &[key("alpha", Kind::Number(Range::FINITE), Presence::Default(Literal::Number(1.0)), "α.")];

    fn read(record: &Record) -> Self {
        Self { alpha: record.number("alpha") }
    }

    fn write(&self, entries: &mut Entries) {
        entries.push("alpha", self.alpha);
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        checks::finite("alpha", self.alpha)?;
        Ok(Inferred::without_parameters(input))
    }

    fn describe(&self) -> String {
        format!("ELU, α {}", self.alpha)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_is_told_and_has_to_be_finite() {
        assert_eq!(EluSpec { alpha: 1.5 }.describe(), "ELU, α 1.5");
        let misfit = EluSpec { alpha: f64::NEG_INFINITY }.infer(Shape::vector(2), &[]).unwrap_err();
        assert_eq!(misfit.problem, "alpha must be finite, got -inf");
    }
}
