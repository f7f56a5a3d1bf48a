//! GELU.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::config::{Entries, Key, Kind, Literal, Presence, Record, key};

/// x · Φ(x), Φ the distribution function of the standard normal distribution.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeluSpec {
    /// What stands in the place of Φ.
    #[serde(default)]
    pub approximate: GeluApproximation,
}

/// What stands in the place of Φ in GELU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GeluApproximation {
    /// Φ itself.
    #[default]
    None,
    /// ½ (1 + tanh(√(2/π) (x + 0.044715 x³))).
    Tanh,
}

impl GeluApproximation {
    /// Its name in a config.
    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Tanh => "tanh",
        }
    }
}

impl Definition for GeluSpec {
    const DOC: &'static str = "x · Φ(x).";

    const KEYS: &'static [Key] = &[key(
        "approximate",
        Kind::Choice(&[GeluApproximation::None.name(), GeluApproximation::Tanh.name()]),
        Presence::Default(Literal::Word(GeluApproximation::None.name())),
        "none: Φ itself; tanh: its approximation by tanh, with the constant 0.044715, as PyTorch has it.",
    )];

    fn read(record: &Record) -> Self {
        let tanh = record.text("approximate") == GeluApproximation::Tanh.name();
        Self { approximate: if tanh { GeluApproximation::Tanh } else { GeluApproximation::None } }
    }

    /// Nothing where it is exact, as from before there was a choice.
    fn write(&self, entries: &mut Entries) {
        let exact = self.approximate == GeluApproximation::None;
        entries.push_some("approximate", (!exact).then_some(self.approximate.name()));
    }

    fn describe(&self) -> String {
        match self.approximate {
            GeluApproximation::None => "GELU",
            GeluApproximation::Tanh => "GELU by tanh",
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use crate::layers::Inferred;

    #[test]
    fn the_shape_stays_and_the_approximation_is_told() {
        let input = Shape::image(3, 4, 5);
        for (approximate, words) in [(GeluApproximation::None, "GELU"), (GeluApproximation::Tanh, "GELU by tanh")] {
            let gelu = GeluSpec { approximate };
            assert_eq!(gelu.infer(input, &[]).unwrap(), Inferred::without_parameters(input));
            assert_eq!(gelu.describe(), words);
        }
    }
}
