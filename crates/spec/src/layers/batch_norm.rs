//! Batch normalisation.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::keys::EPSILON;
use super::{Inferred, Misfit, checks};
use crate::Shape;
use crate::config::{Entries, Key, Kind, Literal, Presence, Range, Record, key};

const MOMENTUM: f64 = 0.1;

/// Normalisation over the batch, per channel of an image or per feature of a vector, with a learned scale and a learned
/// shift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchNormSpec {
    /// Added to the variance before the root.
    pub epsilon: f64,
    /// Weight of the batch in the running mean and variance: running ← (1 − momentum) · running + momentum · batch.
    /// PyTorch and Burn mean the same by it. The momentum of Keras is the weight of the old value, 1 minus this.
    pub momentum: f64,
    /// Whether it has a learned scale, γ.
    #[serde(default = "present")]
    pub scale: bool,
    /// Whether it has a learned shift, β.
    #[serde(default = "present")]
    pub shift: bool,
}

/// What holds in files from before there was a choice.
fn present() -> bool {
    true
}

impl Default for BatchNormSpec {
    fn default() -> Self {
        Self { epsilon: 1e-5, momentum: MOMENTUM, scale: true, shift: true }
    }
}

const MOMENTUM_KEY: Key = key(
    "momentum",
    Kind::Number(Range::ABOVE_ZERO_TO_ONE),
    Presence::Default(Literal::Number(MOMENTUM)),
    "Weight of a batch in the running statistics, as in PyTorch; 1 minus the momentum of Keras.",
);

/// The keys of the table that sets the numbers in a whole network.
pub(crate) const BATCH_NORM_KEYS: &[Key] = &[EPSILON, MOMENTUM_KEY];

impl Definition for BatchNormSpec {
    const DOC: &'static str = "Normalisation over the batch, per channel or feature.";

    const KEYS: &'static [Key] = &[
        EPSILON,
        MOMENTUM_KEY,
        key("scale", Kind::Flag, Presence::Default(Literal::Flag(true)), "Whether it has a learned scale, γ."),
        key("shift", Kind::Flag, Presence::Default(Literal::Flag(true)), "Whether it has a learned shift, β."),
    ];

    const STEM: Option<&'static str> = Some("norm");

    fn read(record: &Record) -> Self {
        Self {
            epsilon: record.number("epsilon"),
            momentum: record.number("momentum"),
            scale: record.flag("scale"),
            shift: record.flag("shift"),
        }
    }

    /// Nothing of scale and shift where there are both, as from before there was a choice.
    fn write(&self, entries: &mut Entries) {
        entries.push("epsilon", self.epsilon);
        entries.push("momentum", self.momentum);
        entries.push_some("scale", (!self.scale).then_some(false));
        entries.push_some("shift", (!self.shift).then_some(false));
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        checks::epsilon(self.epsilon)?;
        if !Range::ABOVE_ZERO_TO_ONE.contains(self.momentum) {
            return Err(Misfit::new(format!("momentum must be in (0, 1], got {}", self.momentum)));
        }
        let normalized = match input {
            Shape::Image { channels, .. } => channels,
            Shape::Vector { features } => features,
        };
        Ok(Inferred {
            output: input,
            weights: if self.scale { normalized } else { 0 },
            biases: if self.shift { normalized } else { 0 },
            running_statistics: 2 * normalized, // a mean and a variance each; inputs are at most 2³¹ − 1
        })
    }

    fn describe(&self) -> String {
        match (self.scale, self.shift) {
            (true, true) => "batch norm",
            (false, true) => "batch norm without scale",
            (true, false) => "batch norm without shift",
            (false, false) => "batch norm without scale and shift",
        }
        .to_owned()
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
            let bare = BatchNormSpec { scale: false, shift: false, ..BatchNormSpec::default() };
            let expected = Inferred { output: input, weights: 0, biases: 0, running_statistics: 6 };
            assert_eq!(bare.infer(input, &[]).unwrap(), expected);
            assert_eq!(bare.describe(), "batch norm without scale and shift");
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
            let misfit = BatchNormSpec { epsilon, momentum, ..BatchNormSpec::default() }
                .infer(Shape::vector(2), &[])
                .unwrap_err();
            assert_eq!(misfit.problem, expected);
        }
    }
}
