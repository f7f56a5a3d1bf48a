//! The hyperbolic tangent.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::config::Record;

/// tanh x.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TanhSpec;

impl Definition for TanhSpec {
    const DOC: &'static str = "tanh x.";

    fn read(_: &Record) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "tanh".to_owned()
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
        assert_eq!(TanhSpec.infer(input).unwrap(), Inferred::without_parameters(input));
        assert_eq!(TanhSpec.describe(), "tanh");
    }
}
