//! Shapes of what flows between layers. The batch axis is never part of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The shape of one sample between two layers, without the batch axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<usize>", try_from = "Vec<usize>")]
pub enum Shape {
    /// An image or a feature map, `[C, H, W]`.
    Image {
        /// Number of channels, C.
        channels: usize,
        /// Height in pixels, H.
        height: usize,
        /// Width in pixels, W.
        width: usize,
    },
    /// A vector of features, `[F]`.
    Vector {
        /// Number of features, F.
        features: usize,
    },
}

impl Shape {
    /// An image of `channels` × `height` × `width`.
    pub const fn image(channels: usize, height: usize, width: usize) -> Self {
        Self::Image { channels, height, width }
    }

    /// A vector of `features` numbers.
    pub const fn vector(features: usize) -> Self {
        Self::Vector { features }
    }

    /// How many numbers one sample has: C·H·W or F. Saturates at `usize::MAX`, which no traced shape reaches.
    pub const fn elements(self) -> usize {
        match self {
            Self::Image { channels, height, width } => channels.saturating_mul(height).saturating_mul(width),
            Self::Vector { features } => features,
        }
    }

    /// The axes: `[C, H, W]` or `[F]`.
    pub fn dimensions(self) -> Vec<usize> {
        match self {
            Self::Image { channels, height, width } => vec![channels, height, width],
            Self::Vector { features } => vec![features],
        }
    }

    /// The shape with these axes, where there are one or three of them.
    pub fn from_dimensions(dimensions: &[usize]) -> Option<Self> {
        match *dimensions {
            [features] => Some(Self::vector(features)),
            [channels, height, width] => Some(Self::image(channels, height, width)),
            _ => None,
        }
    }
}

/// `3×32×32` for an image, `4096` for a vector.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { channels, height, width } => f.pad(&format!("{channels}×{height}×{width}")),
            Self::Vector { features } => f.pad(&features.to_string()),
        }
    }
}

impl From<Shape> for Vec<usize> {
    fn from(shape: Shape) -> Self {
        shape.dimensions()
    }
}

impl TryFrom<Vec<usize>> for Shape {
    type Error = String;

    fn try_from(dimensions: Vec<usize>) -> Result<Self, String> {
        Self::from_dimensions(&dimensions).ok_or_else(|| {
            let numbers = crate::counted(dimensions.len(), "number");
            format!("a shape is [channels, height, width] or [features], not {numbers}")
        })
    }
}

/// Two numbers for the two axes of an image. In a config `5` stands for `[5, 5]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "[usize; 2]", from = "[usize; 2]")]
pub struct Size2 {
    /// Along the vertical axis, in pixels.
    pub height: usize,
    /// Along the horizontal axis, in pixels.
    pub width: usize,
}

impl Size2 {
    /// `height` × `width`.
    pub const fn new(height: usize, width: usize) -> Self {
        Self { height, width }
    }

    /// The same number along both axes.
    pub const fn square(side: usize) -> Self {
        Self::new(side, side)
    }
}

impl From<usize> for Size2 {
    fn from(side: usize) -> Self {
        Self::square(side)
    }
}

impl From<[usize; 2]> for Size2 {
    fn from([height, width]: [usize; 2]) -> Self {
        Self::new(height, width)
    }
}

impl From<Size2> for [usize; 2] {
    fn from(size: Size2) -> Self {
        [size.height, size.width]
    }
}

/// `5×3`, height first.
impl fmt::Display for Size2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}×{}", self.height, self.width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_json_a_shape_is_its_numbers_and_two_of_them_are_none() {
        for shape in [Shape::image(3, 32, 30), Shape::vector(4096)] {
            let text = serde_json::to_string(&shape).unwrap();
            assert_eq!(text, format!("{:?}", shape.dimensions()).replace(' ', ""));
            assert_eq!(serde_json::from_str::<Shape>(&text).unwrap(), shape);
        }
        let error = serde_json::from_str::<Shape>("[28,28]").unwrap_err().to_string();
        assert!(error.starts_with("a shape is [channels, height, width] or [features], not 2 numbers"), "{error}");
    }

    #[test]
    fn in_json_a_size_is_height_and_then_width() {
        assert_eq!(serde_json::to_string(&Size2::new(5, 3)).unwrap(), "[5,3]");
        assert_eq!(serde_json::from_str::<Size2>("[5,3]").unwrap(), Size2::new(5, 3));
    }
}
