//! Folders as people have them.

mod cached;
mod layouts;
mod odd;
mod to_predict;

use std::fs;
use std::path::{Path, PathBuf};

use backproof_spec::{Color, ImageFolder, ImageSource, Resize, Shape, Size2};
use tempfile::TempDir;

use crate::picture::png;
use crate::{LoadedData, Result, load_images};

/// A folder that goes away, with a data folder beside it.
pub(super) struct Place {
    outer: TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        fs::create_dir(outer.path().join("leaves")).unwrap();
        Self { outer }
    }

    /// The folder of images.
    pub(super) fn path(&self) -> PathBuf {
        self.outer.path().join("leaves")
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.outer.path().join("data")
    }

    /// Writes a grey picture of 4×4 pixels of one value.
    pub(super) fn picture(&self, path: &str, value: u8) {
        self.write(path, &png(&[value; 16], Shape::image(1, 4, 4)));
    }

    /// Writes pictures `0.png` and so on into a folder, each another.
    pub(super) fn pictures(&self, folder: &str, values: std::ops::Range<u8>) {
        values.for_each(|value| self.picture(&format!("{folder}/{value:03}.png"), value));
    }

    pub(super) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(super) fn folder(&self) -> ImageFolder {
        folder(&self.path())
    }

    pub(super) fn load(&self, folder: &ImageFolder) -> Result<LoadedData> {
        load_images(&ImageSource::Folder(folder.clone()), Some(&self.data_dir()), 1)
    }

    /// What is said of the folder.
    pub(super) fn refused(&self) -> String {
        let error = self.load(&self.folder()).unwrap_err();
        let help = error.help().map_or(String::new(), |help| format!(" [{help}]"));
        format!("{error}{help}").replace(&self.path().display().to_string(), "leaves")
    }
}

pub(super) fn folder(path: &Path) -> ImageFolder {
    ImageFolder {
        path: path.to_str().unwrap().to_owned(),
        size: Size2::square(4),
        channels: 1,
        resize: Resize::Crop,
        background: Color::WHITE,
        test_fraction: 0.25,
        skip_unreadable: false,
    }
}

/// The first pixel of each image, which says which one it is.
pub(super) fn values(images: &crate::Images) -> Vec<u8> {
    (0..images.len()).map(|index| images.pixels(index)[0]).collect()
}

pub(super) fn labels(images: &crate::Images) -> Vec<usize> {
    (0..images.len()).map(|index| images.label(index)).collect()
}
