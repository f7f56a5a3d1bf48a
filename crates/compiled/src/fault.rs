//! Faults on purpose: what a check of gradients must find out.

/// What has gone wrong between a forward pass and its backward pass. Each is a slip in the keeping of memory, which no
/// formula shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The weights that the input gradient of a convolution reads are those of another step.
    StaleFlippedWeights,
    /// The argmax indices of a maximum are those of the next pixel.
    ShiftedArgmax,
    /// The mask of dropout is that of the next pixel.
    ShiftedMask,
    /// The slopes of a function of one element are those of the next pixel.
    ShiftedSlopes,
    /// The border of a convolution's input is not zero.
    DirtyBorder,
    /// What is between the spread pixels of a strided convolution's output gradient is not zero.
    DirtySpread,
    /// The gradients' sums go on from those of the batch before.
    StaleSums,
    /// The transformed sums of a convolution by tiles go on likewise.
    StaleTransformedSums,
    /// A normalisation remembers the mean of another batch.
    StaleMean,
}

impl Fault {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::StaleFlippedWeights,
        Self::ShiftedArgmax,
        Self::ShiftedMask,
        Self::ShiftedSlopes,
        Self::DirtyBorder,
        Self::DirtySpread,
        Self::StaleSums,
        Self::StaleTransformedSums,
        Self::StaleMean,
    ];

    /// What is wrong, in a phrase.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StaleFlippedWeights => "kernel: the flipped weights of another step",
            Self::ShiftedArgmax => "kernel: the argmax of the next pixel",
            Self::ShiftedMask => "kernel: the mask of the next pixel",
            Self::ShiftedSlopes => "kernel: the slopes of the next pixel",
            Self::DirtyBorder => "kernel: the border of the input is not zero",
            Self::DirtySpread => "kernel: what is between the pixels of a strided gradient is not zero",
            Self::StaleSums => "kernel: the sums go on from the batch before",
            Self::StaleTransformedSums => "kernel: the sums of tiles go on from the batch before",
            Self::StaleMean => "kernel: the mean of another batch",
        }
    }
}
