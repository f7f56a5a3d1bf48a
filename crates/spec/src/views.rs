//! How often an image is looked at before its class is told.

use serde::{Deserialize, Serialize};

/// The views of an image whose logits an evaluation averages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Views {
    /// The image as it is.
    #[default]
    One,
    /// The image and its mirror, half each.
    Mirror,
    /// The image and its mirror, a quarter each; and both shifted by a pixel along the diagonal, up and to the left
    /// and down and to the right, an eighth each (Jordan 2024, arXiv:2404.00498).
    Six,
}

/// One view of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Whether the image is mirrored left to right.
    pub mirrored: bool,
    /// Row i and column j are row i + `shift` and column j + `shift` of the (mirrored) image, which is mirrored at its
    /// first and last row and column.
    pub shift: i8,
    /// The share of its logits.
    pub weight: f32,
}

const fn view(mirrored: bool, shift: i8, weight: f32) -> View {
    View { mirrored, shift, weight }
}

const ONE: &[View] = &[view(false, 0, 1.0)];
const MIRROR: &[View] = &[view(false, 0, 0.5), view(true, 0, 0.5)];
const SIX: &[View] = &[
    view(false, 0, 0.25),
    view(true, 0, 0.25),
    view(false, -1, 0.125),
    view(true, -1, 0.125),
    view(false, 1, 0.125),
    view(true, 1, 0.125),
];

impl Views {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::One, Self::Mirror, Self::Six];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Mirror => "mirror",
            Self::Six => "six",
        }
    }

    /// The views; their weights add up to 1.
    pub const fn list(self) -> &'static [View] {
        match self {
            Self::One => ONE,
            Self::Mirror => MIRROR,
            Self::Six => SIX,
        }
    }

    /// `six views`, as a result says it; nothing of one view.
    pub const fn in_words(self) -> Option<&'static str> {
        match self {
            Self::One => None,
            Self::Mirror => Some("two views"),
            Self::Six => Some("six views"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_of_all_views_add_up_to_one() {
        for views in Views::ALL {
            assert_eq!(views.list().iter().map(|view| view.weight).sum::<f32>(), 1.0, "{views:?}");
        }
    }
}
