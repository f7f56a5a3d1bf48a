//! A number for each place of an image.

/// A number for each place of an image, or of a grid that lies over it.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `[height, width]` in row-major order.
    pub values: Vec<f64>,
}

impl Map {
    /// The largest absolute value over the channels of `numbers`, `[C, H, W]`.
    pub(super) fn largest(numbers: &[f32], [channels, height, width]: [usize; 3]) -> Self {
        let area = height * width;
        let at = |place: usize| {
            let of_channels = (0..channels).map(|channel| f64::from(numbers[channel * area + place]).abs());
            of_channels.fold(0.0, f64::max)
        };
        Self { height, width, values: (0..area).map(at).collect() }
    }

    /// The largest absolute value.
    #[must_use]
    pub fn most(&self) -> f64 {
        self.values.iter().fold(0.0, |most, value| value.abs().max(most))
    }
}
