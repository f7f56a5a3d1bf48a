//! Batch normalisation.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::{Inferred, Misfit};
use crate::Shape;
use crate::config::{Entries, Key, Kind, Literal, Presence, Range, Record, key};

const EPSILON: f64 = 1e-5;
const MOMENTUM: f64 = 0.1;

/// Normalisation over the batch, per channel of an image or per feature of a vector, with a learned scale and offset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchNormSpec {
    /// Added to the variance before the root.
    pub epsilon: f64,
    /// Weight of the batch in the running mean and variance: running ← (1 − momentum) · running + momentum · batch.
    /// PyTorch and Burn mean the same by it. The momentum of Keras is the weight of the old value, 1 minus this.
    pub momentum: f64,
}

impl Default for BatchNormSpec {
    fn default() -> Self {
        Self { epsilon: EPSILON, momentum: MOMENTUM }
    }
}

/// The keys of the layer, and of the table that sets them in a whole network.
pub(crate) const BATCH_NORM_KEYS: &[Key] = &[
    key(
        "epsilon",
        Kind::Number(Range::POSITIVE),
        Presence::Default(Literal::Number(EPSILON)),
        "Added to the variance before the root.",
    ),
    key(
        "momentum",
        Kind::Number(Range::ABOVE_ZERO_TO_ONE),
        Presence::Default(Literal::Number(MOMENTUM)),
        "Weight of a batch in the running statistics, as in PyTorch; 1 minus the momentum of Keras.",
    ),
];

impl Definition for BatchNormSpec {
    const DOC: &'static str = "Normalisation over the batch, per channel or feature.";

    const KEYS: &'static [Key] = BATCH_NORM_KEYS;

    const STEM: Option<&'static str> = Some("norm");

    fn read(record: &Record) -> Self {
        Self { epsilon: record.number("epsilon"), momentum: record.number("momentum") }
    }

    fn write(&self, entries: &mut Entries) {
        entries.push("epsilon", self.epsilon);
        entries.push("momentum", self.momentum);
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        if !Range::POSITIVE.contains(self.epsilon) {
            return Err(Misfit::new(format!("epsilon must be positive, got {}", self.epsilon)));
        }
        if !Range::ABOVE_ZERO_TO_ONE.contains(self.momentum) {
            return Err(Misfit::new(format!("momentum must be in (0, 1], got {}", self.momentum)));
        }
        let normalized = match input {
            Shape::Image { channels, .. } => channels,
            Shape::Vector { features } => features,
        };
        Ok(Inferred {
            output: input,
            weights: normalized,
            biases: normalized,
            running_statistics: 2 * normalized, // a mean and a variance each; inputs are at most 2³¹ − 1
        })
    }

    fn describe(&self) -> String {
        "batch norm".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_and_features_have_a_scale_an_offset_and_two_statistics() {
        for input in [Shape::image(3, 4, 5), Shape::vector(3)] {
            let expected = Inferred { output: input, weights: 3, biases: 3, running_statistics: 6 };
            assert_eq!(BatchNormSpec::default().infer(input, &[]).unwrap(), expected);
        }
    }

    #[test]
    fn impossible_numbers_are_misfits() {
        for (epsilon, momentum, expected) in [
            (0.0, 0.1, "epsilon must be positive, got 0"),
            (f64::INFINITY, 0.1, "epsilon must be positive, got inf"),
            (1e-5, 0.0, "momentum must be in (0, 1], got 0"),
            (1e-5, f64::NAN, "momentum must be in (0, 1], got NaN"),
        ] {
            let misfit = BatchNormSpec { epsilon, momentum }.infer(Shape::vector(2), &[]).unwrap_err();
            assert_eq!(misfit.problem, expected);
        }
    }
}
