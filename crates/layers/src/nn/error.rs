use thiserror::Error;

/// Why an input does not fit a layer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The input has another number of channels than the layer takes.
    #[error("the input {input:?} has {} channels, but the convolution takes {expected}", input[1])]
    Channels {
        /// The shape of the input, `[N, C, H, W]`.
        input: [usize; 4],
        /// Channels that the layer takes.
        expected: usize,
    },
    /// The input with its padding is smaller than the kernel.
    #[error(
        "the input {input:?} with padding is {padded:?} pixels, but the kernel spans {kernel:?}: use larger images, \
         more padding, or a smaller kernel or dilation"
    )]
    TooSmall {
        /// The shape of the input, `[N, C, H, W]`.
        input: [usize; 4],
        /// Rows and columns with padding.
        padded: [usize; 2],
        /// Rows and columns that the kernel spans, dilation included.
        kernel: [usize; 2],
    },
}
