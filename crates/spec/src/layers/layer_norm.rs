//! Layer normalisation.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::keys::EPSILON;
use super::{Inferred, Misfit, checks};
use crate::Shape;
use crate::config::{Entries, Key, Record};

/// Normalisation over all numbers of one image or vector, with a learned scale and a learned shift for each of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerNormSpec {
    /// Added to the variance before the root.
    pub epsilon: f64,
}

impl Definition for LayerNormSpec {
    const DOC: &'static str = "Normalisation over all numbers of one image or vector.";

    const KEYS: &'static [Key] = &[EPSILON];

    const STEM: Option<&'static str> = Some("norm");

    const HAS_KERNEL: bool = false;

    fn read(record: &Record) -> Self {
        Self { epsilon: record.number("epsilon") }
    }

    fn write(&self, entries: &mut Entries) {
        entries.push("epsilon", self.epsilon);
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        checks::epsilon(self.epsilon)?;
        let elements = input.elements();
        checks::more_than_one(elements, "an input")?;
        Ok(Inferred { output: input, weights: elements, biases: elements, running_statistics: 0 })
    }

    fn describe(&self) -> String {
        "layer norm".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_a_scale_and_a_shift() {
        let norm = LayerNormSpec { epsilon: 1e-5 };
        for (input, count) in [(Shape::image(2, 3, 4), 24), (Shape::vector(5), 5)] {
            let expected = Inferred { output: input, weights: count, biases: count, running_statistics: 0 };
            assert_eq!(norm.infer(input, &[]).unwrap(), expected);
        }
        assert_eq!(norm.describe(), "layer norm");
        let misfit = norm.infer(Shape::vector(1), &[]).unwrap_err();
        assert_eq!(misfit.problem, "an input has one number, which normalises to 0");
        let misfit = LayerNormSpec { epsilon: -1.0 }.infer(Shape::vector(2), &[]).unwrap_err();
        assert_eq!(misfit.problem, "epsilon must be positive, got -1");
    }
}
