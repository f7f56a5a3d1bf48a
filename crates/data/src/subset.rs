//! A part of the images of a data set.

use std::sync::Arc;

use crate::normalize::Tables;
use crate::{Images, Normalizer};

/// A part of the images of a data set, with the normaliser to see them through. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Subset {
    images: Images,
    indices: Arc<[usize]>,
    tables: Arc<Tables>,
}

impl Subset {
    /// The images `indices` of `images`, in that order.
    ///
    /// # Panics
    ///
    /// Panics if an index is out of range, or the normaliser is for images of another shape.
    pub fn new(images: Images, indices: Vec<usize>, normalizer: &Normalizer) -> Self {
        let past = indices.iter().find(|&&index| index >= images.len());
        assert!(past.is_none(), "image {past:?} of {}", images.len());
        let tables = Arc::new(normalizer.tables(images.shape()));
        Self { images, indices: indices.into(), tables }
    }

    /// The same with the images `indices` of the data set alone.
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    #[must_use]
    pub fn with_indices(&self, indices: Vec<usize>) -> Self {
        assert!(indices.iter().all(|&index| index < self.images.len()), "an image of {}", self.images.len());
        Self { indices: indices.into(), ..self.clone() }
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The data set index of each image, in the order of the part.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// All images of the data set, which [`Subset::indices`] point into.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// The label of the image at `position` of the part.
    pub fn label(&self, position: usize) -> usize {
        self.images.label(self.indices[position])
    }

    pub(crate) fn tables(&self) -> &Arc<Tables> {
        &self.tables
    }
}
