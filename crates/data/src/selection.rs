//! The images of one batch, before anything has been made of them.

use backproof_spec::Augmentation;
use burn::tensor::Device;

use crate::augment::{Change, write};
use crate::normalize::Tables;
use crate::{Batch, Images, Subset};

/// Images picked for a batch, to be written one by one in any order, or all at once as tensors.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    images: &'a Images,
    tables: &'a Tables,
    indices: Vec<usize>,
    augmentation: Augmentation,
    seed: u64,
    epoch: u64,
}

impl<'a> Selection<'a> {
    /// The images `indices` of the data set of `subset`, changed at random by the stream of (seed, epoch, index).
    pub(crate) fn new(
        subset: &'a Subset,
        indices: Vec<usize>,
        augmentation: Augmentation,
        seed: u64,
        epoch: u64,
    ) -> Self {
        Self { images: subset.images(), tables: subset.tables(), indices, augmentation, seed, epoch }
    }

    /// As [`new`](Self::new), of images as they are.
    pub(crate) fn unchanged(subset: &'a Subset, indices: Vec<usize>) -> Self {
        Self::new(subset, indices, Augmentation::default(), 0, 0)
    }

    /// The number of images, N.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The data set index of each image.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The label of each image.
    pub fn labels(&self) -> Vec<usize> {
        self.indices.iter().map(|&index| self.images.label(index)).collect()
    }

    /// Writes image `place`, normalised, to `to`, `[C, H, W]` in row-major order.
    ///
    /// # Panics
    ///
    /// If `place` is past the last image.
    pub fn write(&self, place: usize, to: &mut [f32]) {
        let index = self.indices[place];
        let change = Change::draw(self.augmentation, self.seed, self.epoch, index);
        write(to, self.images.pixels(index), self.images.shape(), self.tables, change);
    }

    /// All of them as tensors.
    pub fn batch(&self, device: &Device) -> Batch {
        let shape = self.images.shape();
        let mut numbers = vec![0.0; self.len() * shape.elements()];
        for (place, to) in numbers.chunks_exact_mut(shape.elements()).enumerate() {
            self.write(place, to);
        }
        Batch::new(numbers, shape, self.indices.clone(), self.labels(), device)
    }
}
