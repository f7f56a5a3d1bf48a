//! From images to vectors.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::{Inferred, Misfit};
use crate::Shape;
use crate::config::Record;

/// `[C, H, W]` to `[C·H·W]`, the last axis fastest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlattenSpec;

impl Definition for FlattenSpec {
    const DOC: &'static str = "An image to a vector.";

    fn read(_: &Record) -> Self {
        Self
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        Ok(Inferred::without_parameters(Shape::vector(input.elements())))
    }

    fn describe(&self) -> String {
        "flatten".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_an_image_or_a_vector_is_kept() {
        for (input, features) in [(Shape::image(2, 3, 4), 24), (Shape::vector(5), 5)] {
            let expected = Inferred::without_parameters(Shape::vector(features));
            assert_eq!(FlattenSpec.infer(input, &[]).unwrap(), expected);
        }
    }
}
