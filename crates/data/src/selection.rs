//! The images of one batch, before anything has been made of them.

use backproof_spec::{Augmentation, Shape, View};

use crate::augment::{Change, write};
use crate::images::planes;
use crate::mixing::{Mix, Mixture};
use crate::normalize::Tables;
use crate::{Images, Subset};

/// The number of the random change of an image, beside seed and index.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Draw {
    /// The same for the whole batch, in which no image comes twice.
    One(u64),
    /// For each place of the batch the next one, from this one on: an image may come twice.
    From(u64),
}

impl Draw {
    fn at(self, position: usize) -> u64 {
        match self {
            Self::One(number) => number,
            Self::From(first) => first + position as u64,
        }
    }
}

/// Images picked for a batch, to be written one by one in any order, or all at once as tensors.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    images: &'a Images,
    tables: &'a Tables,
    indices: Vec<usize>,
    augmentation: Augmentation,
    seed: u64,
    draw: Draw,
    /// In place of a random change.
    view: Option<View>,
    /// How the images are mixed with one another, after their changes.
    mix: Option<Mix>,
}

impl<'a> Selection<'a> {
    /// The images `indices` of the data set of `subset`, changed at random by the stream of (seed, draw, index).
    pub(crate) fn new(
        subset: &'a Subset,
        indices: Vec<usize>,
        augmentation: Augmentation,
        seed: u64,
        draw: Draw,
    ) -> Self {
        Self {
            images: subset.images(),
            tables: subset.tables(),
            indices,
            augmentation,
            seed,
            draw,
            view: None,
            mix: None,
        }
    }

    /// As [`new`](Self::new), of images as they are.
    pub(crate) fn unchanged(subset: &'a Subset, indices: Vec<usize>) -> Self {
        Self::new(subset, indices, Augmentation::default(), 0, Draw::One(0))
    }

    /// The same images, each as `view` shows it and with no other change.
    #[must_use]
    pub fn seen(&self, view: View) -> Self {
        Self { view: Some(view), ..self.clone() }
    }

    /// The same images, mixed as the augmentation says in step `step`.
    pub(crate) fn mixed(mut self, step: u64) -> Self {
        self.mix = Mix::draw(self.augmentation, self.shape(), self.len(), self.seed, step);
        self
    }

    /// The second label of each image, where the images are mixtures of two.
    pub fn mixture(&self) -> Option<Mixture> {
        let Mix { partners, share, .. } = self.mix.as_ref()?;
        let labels = partners.iter().map(|&partner| self.images.label(self.indices[partner])).collect();
        Some(Mixture { labels, share: *share })
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

    /// Writes the image at `position` of the batch, normalised, to `to`, `[C, H, W]` in row-major order.
    ///
    /// # Panics
    ///
    /// If `position` is past the last image.
    pub fn write(&self, position: usize, to: &mut [f32]) {
        self.write_alone(position, to);
        if let Some(mix) = &self.mix {
            let mut partner = vec![0.0; to.len()];
            self.write_alone(mix.partners[position], &mut partner);
            mix.apply(to, &partner, self.shape());
        }
    }

    /// The image before it is mixed with another.
    fn write_alone(&self, position: usize, to: &mut [f32]) {
        let index = self.indices[position];
        let (_, height, width) = planes(self.images.shape());
        let number = self.draw.at(position);
        let drawn = || Change::draw(self.augmentation, [height, width], self.seed, number, index);
        let change = self.view.map_or_else(drawn, Change::from);
        write(to, self.images.pixels(index), self.images.shape(), self.tables, change);
    }

    /// The shape of one image.
    pub fn shape(&self) -> Shape {
        self.images.shape()
    }

    /// Every image one after the other, as [`write`](Self::write) writes it: `[N, C, H, W]` in row-major order.
    pub fn numbers(&self) -> Vec<f32> {
        let size = self.shape().elements();
        let mut numbers = vec![0.0; self.len() * size];
        for (position, to) in numbers.chunks_exact_mut(size).enumerate() {
            self.write(position, to);
        }
        numbers
    }
}
