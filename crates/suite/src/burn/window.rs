//! The windows of convolutions and pooling: sizes by chance, and plain loops over them, for mutants.

use backproof_gradcheck::Value;

use super::maker::Maker;

/// Windows over an image with `N` axes. All may differ along the axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows<const N: usize> {
    /// Sizes of the image.
    pub(super) image: [usize; N],
    pub(super) kernel: [usize; N],
    pub(super) stride: [usize; N],
    /// On both sides of an axis.
    pub(super) padding: [usize; N],
    pub(super) dilation: [usize; N],
}

impl<const N: usize> Windows<N> {
    /// Windows of which one fits at least, on an image that is up to `larger` larger than that.
    pub(super) fn draw(m: &mut Maker<'_>, larger: usize) -> Self {
        let mut all = |from: usize, to: usize| -> [usize; N] { std::array::from_fn(|_| m.draw.size(from..=to)) };
        let (kernel, stride, padding, dilation) = (all(1, 3), all(1, 3), all(0, 2), all(1, 2));
        let image = all(0, larger);
        let mut windows = Self { image, kernel, stride, padding, dilation };
        for axis in 0..N {
            windows.image[axis] = (windows.reach(axis).saturating_sub(2 * padding[axis]) + image[axis]).max(1);
            // Windows that see nothing but padding have no gradient to check.
            if (0..windows.count(axis)).all(|window| windows.covered(axis, window, false) == 0) {
                windows.padding[axis] = 0;
                windows.image[axis] = windows.reach(axis) + image[axis];
            }
        }
        windows
    }

    /// From the first to the last position of a window, with both.
    pub(super) fn reach(&self, axis: usize) -> usize {
        self.dilation[axis] * (self.kernel[axis] - 1) + 1
    }

    /// How many windows fit.
    pub(super) fn count(&self, axis: usize) -> usize {
        (self.image[axis] + 2 * self.padding[axis] - self.reach(axis)) / self.stride[axis] + 1
    }

    /// As many positions of window `index` as lie in the padded image, or in the image itself.
    pub(super) fn covered(&self, axis: usize, index: usize, with_padding: bool) -> usize {
        let margin = if with_padding { self.padding[axis] } else { 0 };
        let inside = |tap: usize| {
            // Counted from the padding's first position.
            let place = index * self.stride[axis] + tap * self.dilation[axis];
            place + margin >= self.padding[axis] && place < self.padding[axis] + self.image[axis] + margin
        };
        (0..self.kernel[axis]).filter(|&tap| inside(tap)).count()
    }

    /// As they stand in the description of a case.
    pub(super) fn words(&self) -> String {
        let mut words = format!("kernel {}, stride {}", times(self.kernel), times(self.stride));
        if self.padding.iter().any(|&size| size > 0) {
            words += &format!(", padding {}", times(self.padding));
        }
        if self.dilation.iter().any(|&size| size > 1) {
            words += &format!(", dilation {}", times(self.dilation));
        }
        words
    }
}

impl Windows<1> {
    /// The same on an image of one row.
    pub(super) fn on_a_row(&self) -> Windows<2> {
        let on = |row: usize, [size]: [usize; 1]| [row, size];
        Windows {
            image: on(1, self.image),
            kernel: on(1, self.kernel),
            stride: on(1, self.stride),
            padding: on(0, self.padding),
            dilation: on(1, self.dilation),
        }
    }
}

/// `3×2`, or `3` if all are.
fn times<const N: usize>(sizes: [usize; N]) -> String {
    match sizes.iter().all(|&size| size == sizes[0]) {
        true => sizes[0].to_string(),
        false => crate::subject::shape(&sizes),
    }
}

/// Row-major indices into `[n, c, h, w]`.
pub(super) struct RowMajor([usize; 4]);

impl RowMajor {
    pub(super) fn of(value: &Value) -> Self {
        Self(value.dims().try_into().expect("four axes"))
    }

    pub(super) fn at(&self, n: usize, c: usize, h: usize, w: usize) -> usize {
        ((n * self.0[1] + c) * self.0[2] + h) * self.0[3] + w
    }
}

impl Windows<2> {
    /// Calls back with the output's row and column, the kernel's, and the image's, wherever these are inside.
    pub(super) fn each(&self, outputs: [usize; 2], mut then: impl FnMut([usize; 2], [usize; 2], [usize; 2])) {
        let place = |axis: usize, output: usize, tap: usize| {
            (output * self.stride[axis] + tap * self.dilation[axis])
                .checked_sub(self.padding[axis])
                .filter(|&place| place < self.image[axis])
        };
        for i in 0..outputs[0] {
            for j in 0..outputs[1] {
                for k in 0..self.kernel[0] {
                    for l in 0..self.kernel[1] {
                        if let (Some(h), Some(w)) = (place(0, i, k), place(1, j, l)) {
                            then([i, j], [k, l], [h, w]);
                        }
                    }
                }
            }
        }
    }
}
