//! The logistic sigmoid.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::config::Record;

/// 1 / (1 + e⁻ˣ).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigmoidSpec;

impl Definition for SigmoidSpec {
    const DOC: &'static str = "1 / (1 + e⁻ˣ).";

    fn read(_: &Record) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "sigmoid".to_owned()
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
        assert_eq!(SigmoidSpec.infer(input).unwrap(), Inferred::without_parameters(input));
        assert_eq!(SigmoidSpec.describe(), "sigmoid");
    }
}
