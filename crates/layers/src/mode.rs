/// Whether a pass trains or predicts.
///
/// Batch normalisation and dropout behave differently in the two, and this value is the only thing that decides which.
/// Burn's own modules look at the device instead and train if it records an autodiff graph; a backward pass computed by
/// hand on a plain device would then silently get inference behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Normalise with the statistics of this batch, update the running ones, and drop elements.
    Training {
        /// The seed of this layer's dropout mask at this step. Two passes with one seed drop the same elements; two
        /// dropout layers of one network, or two steps, want different seeds. Layers other than dropout ignore it.
        dropout_seed: [u8; 32],
    },
    /// Normalise with the running statistics and drop nothing. The pass leaves the layer as it was.
    Inference,
}

impl Mode {
    /// Whether this is [`Mode::Training`].
    pub fn is_training(self) -> bool {
        matches!(self, Self::Training { .. })
    }
}
