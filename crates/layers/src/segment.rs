//! What a segment of `backproof-compiled` takes of the layers that are computed in it.

use std::sync::Arc;

use backproof_compiled::{Normalization, WriteMask};

use crate::{BatchNorm, Dropout};

impl BatchNorm {
    /// The parameters and running statistics, for a segment. A pass of the segment moves the statistics of the layer.
    #[must_use]
    pub fn in_segment(&self) -> Normalization {
        Normalization {
            gamma: self.gamma.val(),
            beta: self.beta.val(),
            running_mean: self.running_mean.clone(),
            running_variance: self.running_variance.clone(),
        }
    }
}

impl Dropout {
    /// The mask of this seed, for a segment.
    #[must_use]
    pub fn in_segment(&self, seed: [u8; 32]) -> WriteMask {
        let dropout = self.clone();
        Arc::new(move |first, mask| dropout.write_mask(seed, first, mask))
    }
}
