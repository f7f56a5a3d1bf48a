//! SiLU.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::config::Record;

/// x · σ(x) with σ(x) = 1 / (1 + e⁻ˣ), which is also called swish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiluSpec;

impl Definition for SiluSpec {
    const DOC: &'static str = "x / (1 + e⁻ˣ).";

    fn read(_: &Record) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "SiLU".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use crate::layers::Inferred;

    #[test]
    fn the_shape_stays_and_there_are_no_parameters() {
        let input = Shape::image(3, 4, 5);
        assert_eq!(SiluSpec.infer(input).unwrap(), Inferred::without_parameters(input));
        assert_eq!(SiluSpec.describe(), "SiLU");
    }
}
