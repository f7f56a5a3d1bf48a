//! Softplus.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::config::Record;

/// ln(1 + eˣ), a smooth ReLU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftplusSpec;

impl Definition for SoftplusSpec {
    const DOC: &'static str = "ln(1 + eˣ).";

    fn read(_: &Record) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "softplus".to_owned()
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
        assert_eq!(SoftplusSpec.infer(input).unwrap(), Inferred::without_parameters(input));
        assert_eq!(SoftplusSpec.describe(), "softplus");
    }
}
