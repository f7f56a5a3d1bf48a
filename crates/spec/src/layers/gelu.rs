//! GELU.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::config::Record;

/// x · Φ(x), Φ the distribution function of the standard normal distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeluSpec;

impl Definition for GeluSpec {
    const DOC: &'static str = "x · Φ(x).";

    fn read(_: &Record) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "GELU".to_owned()
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
        assert_eq!(GeluSpec.infer(input).unwrap(), Inferred::without_parameters(input));
        assert_eq!(GeluSpec.describe(), "GELU");
    }
}
