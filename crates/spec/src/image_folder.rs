//! Images of a user's own: a folder with a folder for each class, or a list of files and labels.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Shape, Size2};

/// Where the images of an experiment come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageSource {
    /// A data set that the program knows by this name.
    DataSet(String),
    /// Files of the user's own.
    Folder(ImageFolder),
}

impl ImageSource {
    /// The name of the data set; of a folder, the last part of its path.
    pub fn name(&self) -> &str {
        match self {
            Self::DataSet(name) => name,
            Self::Folder(folder) => folder.name(),
        }
    }

    /// The folder, if it is one.
    pub fn folder(&self) -> Option<&ImageFolder> {
        match self {
            Self::DataSet(_) => None,
            Self::Folder(folder) => Some(folder),
        }
    }
}

/// A folder of images, and what is made of each of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageFolder {
    /// The folder, or a CSV file of paths and labels; relative to the working folder. A run writes down the whole path.
    pub path: String,
    /// Height and width that every image gets, each at most [`MOST_PIXELS`](Self::MOST_PIXELS).
    pub size: Size2,
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// How an image of other proportions gets the size.
    pub resize: Resize,
    /// What is behind transparent pixels, and around an image that is padded.
    pub background: Color,
    /// The share of the images that become test images, where the folder has no test images of its own.
    pub test_fraction: f64,
    /// Whether files that cannot be read are left out; otherwise they are an error.
    pub skip_unreadable: bool,
}

impl ImageFolder {
    /// The most pixels of a side.
    pub const MOST_PIXELS: usize = 512;

    /// The last part of the path, without `.csv`.
    pub fn name(&self) -> &str {
        let whole = self.path.trim_end_matches(['/', '\\']);
        let last = whole.rsplit(['/', '\\']).next().unwrap_or(whole);
        match last.len().checked_sub(4).and_then(|at| last.split_at_checked(at)) {
            Some((stem, end)) if end.eq_ignore_ascii_case(".csv") && !stem.is_empty() => stem,
            _ => last,
        }
    }

    /// The shape of each image.
    pub fn shape(&self) -> Shape {
        Shape::image(self.channels, self.size.height, self.size.width)
    }
}

/// How an image gets a size of other proportions than its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// The largest part in the middle that has the proportions.
    #[default]
    Crop,
    /// All of it, with the background at two sides.
    Pad,
    /// All of it, stretched.
    Squash,
}

impl Resize {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Crop, Self::Pad, Self::Squash];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crop => "crop",
            Self::Pad => "pad",
            Self::Squash => "squash",
        }
    }
}

/// Red, green and blue, 0 to 255 each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Color(pub [u8; 3]);

impl Color {
    /// All light.
    pub const WHITE: Self = Self([255; 3]);
    /// No light.
    pub const BLACK: Self = Self([0; 3]);

    /// The colour that `text` is: `white`, `black`, or `#rrggbb` in hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "white" => Some(Self::WHITE),
            "black" => Some(Self::BLACK),
            _ => {
                let digits =
                    text.strip_prefix('#').filter(|it| it.len() == 6 && it.chars().all(|c| c.is_ascii_hexdigit()))?;
                let number = u32::from_str_radix(digits, 16).ok()?;
                let [_, rgb @ ..] = number.to_be_bytes();
                Some(Self(rgb))
            }
        }
    }
}

/// As [`Color::parse`] reads it.
impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::WHITE => f.write_str("white"),
            Self::BLACK => f.write_str("black"),
            Self([red, green, blue]) => write!(f, "#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_read_as_it_is_written() {
        for (text, rgb) in [("white", [255; 3]), ("black", [0; 3]), ("#0a80ff", [10, 128, 255])] {
            assert_eq!(Color::parse(text), Some(Color(rgb)));
            assert_eq!(Color(rgb).to_string(), text);
        }
        assert_eq!(Color::parse("#0A80FF"), Some(Color([10, 128, 255])));
        for wrong in ["", "#", "#fff", "#0a80fg", "0a80ff", "#+a80ff", "grün", "#é80ff"] {
            assert_eq!(Color::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_folder_is_called_by_the_last_part_of_its_path() {
        let folder = |path: &str| ImageFolder {
            path: path.to_owned(),
            size: Size2::square(8),
            channels: 3,
            resize: Resize::Crop,
            background: Color::WHITE,
            test_fraction: 0.2,
            skip_unreadable: false,
        };
        for (path, name) in [
            ("leaves", "leaves"),
            ("/data/leaves/", "leaves"),
            ("data\\leaves", "leaves"),
            ("leaves/labels.CSV", "labels"),
            ("a/.csv", ".csv"),
            ("a/blätter", "blätter"),
            ("ö", "ö"),
        ] {
            assert_eq!(folder(path).name(), name);
        }
    }
}
