//! What flows between layers: a batch of images or a batch of vectors.

use burn::Tensor;

/// One thing for a batch of images, another for a batch of vectors.
#[derive(Debug, Clone)]
pub enum Ranked<I, V> {
    /// Of tensors `[N, C, H, W]`.
    Images(I),
    /// Of tensors `[N, F]`.
    Vectors(V),
}

/// A batch between two layers: images `[N, C, H, W]` or vectors `[N, F]`.
pub type Features = Ranked<Tensor<4>, Tensor<2>>;

impl<I, V> Ranked<I, V> {
    /// What a layer on images takes.
    ///
    /// # Panics
    ///
    /// On vectors, which [`Architecture::trace`](backproof_spec::Architecture::trace) refuses before a network is
    /// built.
    pub fn images(self) -> I {
        match self {
            Self::Images(images) => images,
            Self::Vectors(_) => unreachable!("shapes are checked when the network is built"),
        }
    }

    /// What a layer on vectors takes. Panics on images, as [`Ranked::images`] does on vectors.
    pub fn vectors(self) -> V {
        match self {
            Self::Vectors(vectors) => vectors,
            Self::Images(_) => unreachable!("shapes are checked when the network is built"),
        }
    }
}
