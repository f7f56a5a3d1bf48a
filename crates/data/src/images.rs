//! Images and labels as they were published: bytes.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use backproof_spec::Shape;

/// N images of one shape and their labels. Cheap to clone: clones share the pixels.
#[derive(Clone)]
pub struct Images {
    pixels: Arc<Pixels>,
    /// Which of `pixels` each image is; the images in their order where it says nothing.
    places: Option<Arc<[u32]>>,
    labels: Arc<Vec<u16>>,
    shape: Shape,
}

/// The pixels of images one after the other.
pub(crate) enum Pixels {
    // Not `Arc<[u8]>`, which would copy all pixels once on the way in.
    Memory(Vec<u8>),
    /// A file of which the system loads what is read, and drops what is not when memory is short.
    #[cfg(feature = "pictures")]
    Mapped(memmap2::Mmap),
}

impl Deref for Pixels {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Memory(pixels) => pixels,
            #[cfg(feature = "pictures")]
            Self::Mapped(map) => map,
        }
    }
}

impl Images {
    /// Images out of `pixels`, `[N, C, H, W]` in row-major order, and `labels`, `[N]`.
    ///
    /// # Panics
    ///
    /// Panics if there are not C·H·W pixels for every label.
    pub fn new(pixels: Vec<u8>, labels: Vec<u16>, shape: Shape) -> Self {
        assert_eq!(
            pixels.len(),
            labels.len() * shape.elements(),
            "{} images of {shape} need {} pixels",
            labels.len(),
            labels.len() * shape.elements(),
        );
        Self { pixels: Pixels::Memory(pixels).into(), places: None, labels: labels.into(), shape }
    }

    /// The images at `places` of `pixels`, in that order.
    #[cfg(feature = "pictures")]
    pub(crate) fn at(pixels: Arc<Pixels>, places: Vec<u32>, labels: Vec<u16>, shape: Shape) -> Self {
        assert_eq!(places.len(), labels.len(), "every image has a label");
        let past = places.iter().find(|&&place| (place as usize + 1) * shape.elements() > pixels.len());
        assert!(past.is_none(), "image {past:?} is past the last pixel");
        Self { pixels, places: Some(places.into()), labels: labels.into(), shape }
    }

    /// The number of images, N.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The shape of one image.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The pixels of image `index`: `[C, H, W]` in row-major order, 0 to 255.
    pub fn pixels(&self, index: usize) -> &[u8] {
        let size = self.shape.elements();
        let place = self.places.as_ref().map_or(index, |places| places[index] as usize);
        &self.pixels[place * size..][..size]
    }

    /// The label of image `index`: 0 up to, not including, the number of classes.
    pub fn label(&self, index: usize) -> usize {
        usize::from(self.labels[index])
    }

    /// The same images with `padding` black pixels around each, on every side, in memory; vectors stay as they are.
    #[must_use]
    pub fn padded(&self, padding: usize) -> Self {
        let Shape::Image { channels, height, width } = self.shape else { return self.clone() };
        if padding == 0 {
            return self.clone();
        }
        let shape = Shape::image(channels, height + 2 * padding, width + 2 * padding);
        let mut pixels = Vec::with_capacity(self.len() * shape.elements());
        let black = |pixels: &mut Vec<u8>, count: usize| pixels.resize(pixels.len() + count, 0);
        for plane in (0..self.len()).flat_map(|index| self.pixels(index).chunks_exact(height * width)) {
            black(&mut pixels, padding * (width + 2 * padding));
            for row in plane.chunks_exact(width) {
                black(&mut pixels, padding);
                pixels.extend_from_slice(row);
                black(&mut pixels, padding);
            }
            black(&mut pixels, padding * (width + 2 * padding));
        }
        Self { pixels: Pixels::Memory(pixels).into(), places: None, labels: self.labels.clone(), shape }
    }

    /// How many images each class has. `classes` must be above every label.
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &label in self.labels.iter() {
            counts[usize::from(label)] += 1;
        }
        counts
    }
}

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Images({} × {})", self.len(), self.shape)
    }
}

/// `shape` as channels, height, width; a vector is one channel of one row.
pub(crate) fn planes(shape: Shape) -> (usize, usize, usize) {
    match shape {
        Shape::Image { channels, height, width } => (channels, height, width),
        Shape::Vector { features } => (1, 1, features),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_puts_black_pixels_around_every_channel_of_every_image() {
        // Two images of 2×1×2, no two pixels alike.
        let images = Images::new((1..=8).collect(), vec![3, 4], Shape::image(2, 1, 2));
        let padded = images.padded(1);
        assert_eq!(padded.shape(), Shape::image(2, 3, 4));
        #[rustfmt::skip]
        let second = [
            0, 0, 0, 0,
            0, 5, 6, 0,
            0, 0, 0, 0,

            0, 0, 0, 0,
            0, 7, 8, 0,
            0, 0, 0, 0,
        ];
        assert_eq!(padded.pixels(1), second);
        assert_eq!((padded.len(), padded.label(1)), (2, 4));
    }

    #[test]
    fn no_padding_copies_no_pixels() {
        let images = Images::new(vec![1, 2], vec![0], Shape::image(1, 1, 2));
        assert!(Arc::ptr_eq(&images.pixels, &images.padded(0).pixels));
    }
}
