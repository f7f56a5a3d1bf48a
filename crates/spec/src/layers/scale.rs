//! A fixed factor.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::{Inferred, Misfit, checks};
use crate::Shape;
use crate::config::{Entries, Key, Kind, Literal, Presence, Range, Record, key};

/// factor · x.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScaleSpec {
    /// What every number is multiplied by.
    pub factor: f64,
}

impl Definition for ScaleSpec {
    const DOC: &'static str = "factor · x, with a factor that is not trained.";

    const KEYS: &'static [Key] = &[key(
        "factor",
        Kind::Number(Range::FINITE),
        Presence::Required(Literal::Number(0.003_906_25)),
        "What every number is multiplied by.",
    )];

    fn read(record: &Record) -> Self {
        Self { factor: record.number("factor") }
    }

    fn write(&self, entries: &mut Entries) {
        entries.push("factor", self.factor);
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        checks::finite("factor", self.factor)?;
        Ok(Inferred::without_parameters(input))
    }

    fn describe(&self) -> String {
        format!("scale by {}", self.factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_is_told_and_has_to_be_finite() {
        let (input, scale) = (Shape::vector(3), ScaleSpec { factor: 0.25 });
        assert_eq!(scale.infer(input, &[]).unwrap(), Inferred::without_parameters(input));
        assert_eq!(scale.describe(), "scale by 0.25");
        let misfit = ScaleSpec { factor: f64::NAN }.infer(input, &[]).unwrap_err();
        assert_eq!(misfit.problem, "factor must be finite, got NaN");
    }
}
