//! Global average pooling.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::{Inferred, Misfit, checks};
use crate::Shape;
use crate::config::Record;

/// The mean of each channel: an image `[C, H, W]` to an image `[C, 1, 1]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalAvgPoolSpec;

impl Definition for GlobalAvgPoolSpec {
    const DOC: &'static str = "The mean value of each channel, as an image of one pixel.";

    const STEM: Option<&'static str> = Some("pool");

    fn read(_: &Record) -> Self {
        Self
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        let (channels, _, _) = checks::image(input)?;
        Ok(Inferred::without_parameters(Shape::image(channels, 1, 1)))
    }

    fn describe(&self) -> String {
        "global average pool".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_of_each_channel_is_left_and_a_vector_is_refused() {
        let expected = Inferred::without_parameters(Shape::image(3, 1, 1));
        assert_eq!(GlobalAvgPoolSpec.infer(Shape::image(3, 4, 5), &[]).unwrap(), expected);
        let misfit = GlobalAvgPoolSpec.infer(Shape::vector(4), &[]).unwrap_err();
        assert_eq!(misfit.problem, "expected an image, got a vector of 4 features");
    }
}
