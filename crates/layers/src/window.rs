//! Where the windows of a pooling layer lie, along one axis of the image.

/// The windows along one axis.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    pub(crate) size: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    pub(crate) dilation: usize,
    pub(crate) ceil_mode: bool,
}

/// Height and width.
pub(crate) fn axes(
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    ceil_mode: bool,
) -> [Axis; 2] {
    [0, 1].map(|axis| Axis {
        size: size[axis],
        kernel: kernel[axis],
        stride: stride[axis],
        padding: padding[axis],
        dilation: dilation[axis],
        ceil_mode,
    })
}

impl Axis {
    /// From the first pixel under a window to one past the last.
    fn extent(&self) -> usize {
        self.dilation * (self.kernel - 1) + 1
    }

    /// The number of windows, as PyTorch counts them: in ceil mode a last window that reaches over the end counts,
    /// unless it starts after the last pixel.
    pub(crate) fn windows(&self) -> usize {
        let room = (self.size + 2 * self.padding).checked_sub(self.extent());
        let Some(room) = room else { return 0 };
        if !self.ceil_mode {
            return room / self.stride + 1;
        }
        let windows = room.div_ceil(self.stride) + 1;
        if (windows - 1) * self.stride >= self.size + self.padding { windows - 1 } else { windows }
    }

    /// The number of pixels of the image in a window.
    pub(crate) fn pixels(&self, window: usize) -> usize {
        let start = window * self.stride;
        (0..self.kernel)
            .map(|k| start + k * self.dilation)
            .filter(|position| (self.padding..self.padding + self.size).contains(position))
            .count()
    }

    /// The number of positions in a window that belong to the image or its padding.
    pub(crate) fn padded_pixels(&self, window: usize) -> usize {
        let start = window * self.stride;
        (0..self.kernel).filter(|k| start + k * self.dilation < self.size + 2 * self.padding).count()
    }

    /// Asks for at least one window, and at least one pixel in each.
    pub(crate) fn check(&self) {
        if let Some(problem) = self.problem() {
            panic!("{problem}");
        }
    }

    pub(crate) fn problem(&self) -> Option<String> {
        let windows = self.windows();
        if windows == 0 {
            let Self { size, padding, .. } = self;
            let pixels = if *size == 1 { "pixel" } else { "pixels" };
            return Some(format!(
                "an image of {size} {pixels} with {padding} of padding is smaller than the window of {}",
                self.extent()
            ));
        }
        let empty = (0..windows).find(|&window| self.pixels(window) == 0)?;
        Some(format!("window {empty} has only padding in it: {self:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 5 pixels and windows of 3 that reach over 5 positions.
    const AXIS: Axis = Axis { size: 5, kernel: 3, stride: 1, padding: 0, dilation: 2, ceil_mode: false };

    #[test]
    fn a_window_has_the_pixels_and_the_padding_at_its_own_positions() {
        let counts = |axis: Axis, window: usize| (axis.pixels(window), axis.padded_pixels(window));
        assert_eq!(counts(AXIS, 0), (3, 3));
        assert_eq!(counts(AXIS, 1), (2, 2), "it ends after the last pixel");
        assert_eq!(counts(Axis { padding: 1, ..AXIS }, 0), (2, 3));
        assert_eq!(counts(Axis { padding: 1, ..AXIS }, 2), (2, 3));
        assert_eq!(counts(Axis { padding: 1, ..AXIS }, 3), (2, 2));
    }
}
