//! GELU.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::config::{Entries, Key, Kind, Literal, Presence, Record, key};

const TANH: &str = "tanh";

/// x · Φ(x), Φ the distribution function of the standard normal distribution.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeluSpec {
    /// Whether Φ(x) is ½ (1 + tanh(√(2/π) (x + 0.044715 x³))) in its place.
    #[serde(default)]
    pub tanh: bool,
}

impl Definition for GeluSpec {
    const DOC: &'static str = "x · Φ(x).";

    const KEYS: &'static [Key] = &[key(
        "approximate",
        Kind::Choice(&["none", TANH]),
        Presence::Default(Literal::Word("none")),
        "none: Φ itself; tanh: its approximation by tanh, with the constant 0.044715, as PyTorch has it.",
    )];

    fn read(record: &Record) -> Self {
        Self { tanh: record.text("approximate") == TANH }
    }

    /// Nothing where it is exact, as from before there was a choice.
    fn write(&self, entries: &mut Entries) {
        entries.push_some("approximate", self.tanh.then_some(TANH));
    }

    fn describe(&self) -> String {
        if self.tanh { "GELU by tanh" } else { "GELU" }.to_owned()
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
        for (tanh, words) in [(false, "GELU"), (true, "GELU by tanh")] {
            let gelu = GeluSpec { tanh };
            assert_eq!(gelu.infer(input).unwrap(), Inferred::without_parameters(input));
            assert_eq!(gelu.describe(), words);
        }
    }
}
