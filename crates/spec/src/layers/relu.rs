//! ReLU.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::config::Record;

/// max(0, x).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReluSpec;

impl Definition for ReluSpec {
    const DOC: &'static str = "max(0, x).";

    fn read(_: &Record) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "ReLU".to_owned()
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
        assert_eq!(ReluSpec.infer(input).unwrap(), Inferred::without_parameters(input));
        assert_eq!(ReluSpec.describe(), "ReLU");
    }
}
