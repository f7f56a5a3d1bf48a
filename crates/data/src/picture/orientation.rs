//! How a camera was held.

use exif::{In, Reader, Tag};

use super::Picture;

/// EXIF's orientation, 1 to 8: how the stored rows and columns are to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orientation(u32);

impl Orientation {
    pub(super) const UPRIGHT: Self = Self(1);

    /// The orientation that EXIF data says; upright where it says none or cannot be read, as viewers have it.
    pub(super) fn of_exif(bytes: &[u8]) -> Self {
        let fields = Reader::new().read_raw(bytes.to_vec()).ok();
        let value = fields.and_then(|fields| fields.get_field(Tag::Orientation, In::PRIMARY)?.value.get_uint(0));
        value.map_or(Self::UPRIGHT, Self::of_number)
    }

    /// The orientation of that number; upright where no orientation has it.
    pub(super) fn of_number(number: u32) -> Self {
        if (1..=8).contains(&number) { Self(number) } else { Self::UPRIGHT }
    }

    /// The picture as it is to be shown.
    pub(super) fn apply(self, picture: Picture) -> Picture {
        if self == Self::UPRIGHT {
            return picture;
        }
        let (w, h) = (picture.width, picture.height);
        let (width, height) = if self.0 >= 5 { (h, w) } else { (w, h) };
        // Where row i, column j of the result is in the file.
        let source = |i: usize, j: usize| match self.0 {
            2 => (i, w - 1 - j),
            3 => (h - 1 - i, w - 1 - j),
            4 => (h - 1 - i, j),
            5 => (j, i),
            6 => (h - 1 - j, i),
            7 => (h - 1 - j, w - 1 - i),
            _ => (j, w - 1 - i),
        };
        let turn = |plane: Vec<u8>| {
            let places = (0..height).flat_map(|i| (0..width).map(move |j| (i, j)));
            places.map(|(i, j)| source(i, j)).map(|(i, j)| plane[i * w + j]).collect()
        };
        Picture { width, height, planes: picture.planes.into_iter().map(turn).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_orientation_brings_the_stored_corner_to_where_exif_says() {
        // 1 is the first stored pixel: EXIF says at which corner it is shown, and along which side the stored row runs.
        let stored = Picture { width: 3, height: 2, planes: vec![vec![1, 2, 3, 4, 5, 6]] };
        let shown: [(u32, usize, [u8; 6]); 8] = [
            (1, 3, [1, 2, 3, 4, 5, 6]),
            (2, 3, [3, 2, 1, 6, 5, 4]),
            (3, 3, [6, 5, 4, 3, 2, 1]),
            (4, 3, [4, 5, 6, 1, 2, 3]),
            (5, 2, [1, 4, 2, 5, 3, 6]),
            (6, 2, [4, 1, 5, 2, 6, 3]),
            (7, 2, [6, 3, 5, 2, 4, 1]),
            (8, 2, [3, 6, 2, 5, 1, 4]),
        ];
        for (orientation, width, pixels) in shown {
            let picture = Orientation(orientation).apply(stored.clone());
            assert_eq!((picture.width, picture.planes), (width, vec![pixels.to_vec()]), "orientation {orientation}");
        }
    }

    #[test]
    fn bytes_that_are_no_exif_are_upright() {
        assert_eq!(Orientation::of_exif(b"nonsense"), Orientation::UPRIGHT);
        assert_eq!(Orientation::of_exif(&[]), Orientation::UPRIGHT);
    }
}
