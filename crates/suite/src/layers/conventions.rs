//! Conventions that several layers share, as an exercise states them.

pub(super) const WINDOWS: &str = "Pairs are [height, width]. Padding adds so many rows above and below, and so many \
                                  columns on the left and on the right. The output has ⌊(H + 2 padding − dilation (K − \
                                  1) − 1) / stride⌋ + 1 rows, and columns in the same way; without an option \
                                  `dilation` it is 1.";
pub(super) const CEIL: &str = "With `ceil_mode` 1 the division is rounded up, but a window that would begin beyond the \
                               image and its padding on the left or above is left out.";
pub(super) const PER_SAMPLE: &str = "The output is one number a sample, not their mean: where a mean over the batch is \
                                     meant, the incoming gradient g has the 1/N already. Do not divide by N again.";
pub(super) const KINK: &str = "At x = 0 the exercise asks for the gradient of the negative side.";
pub(super) const BIASED: &str =
    "The variance is the mean of squared deviations, divided by the number of elements and not by one less.";
