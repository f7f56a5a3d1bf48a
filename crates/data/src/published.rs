//! Data sets that are published as files: what they are, and where their files are. `read_published.rs` reads them.

use backproof_spec::Shape;

use crate::formats::Format;

/// A data set that is published as files.
///
/// What counts is the checksum of the content: the same images packed again by somebody else are the same images.
#[derive(Debug, Clone, Copy)]
pub struct Published {
    /// Its name in a config.
    pub(crate) name: &'static str,
    /// The shape of one image.
    pub(crate) shape: Shape,
    /// The names of the classes, in the order of their labels.
    pub(crate) class_names: &'static [&'static str],
    /// How many images of each class the training and the test set have.
    pub(crate) class_counts: [&'static [usize]; 2],
    /// The folders under a data folder where its files may lie; the first is where a download goes. `""` is the data
    /// folder itself.
    pub(crate) folders: &'static [&'static str],
    /// Addresses that end in `/`; a file's name comes after. The first is the one that errors name.
    pub(crate) mirrors: &'static [&'static str],
    /// The files of the training and of the test set, in the order in which the format reads them.
    pub(crate) files: [&'static [Content]; 2],
    /// How images and labels are written in the files.
    pub(crate) format: &'static dyn Format,
    /// How the files are published.
    pub(crate) packing: Packing,
    /// The same images in other formats, which are not read.
    pub(crate) other_versions: &'static [OtherVersion],
}

/// A version of a data set in another format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OtherVersion {
    /// What it is called: "Python version".
    pub(crate) name: &'static str,
    /// Files and folders that only this version has, by their last names.
    pub(crate) marks: &'static [&'static str],
}

/// A file with images or labels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    /// Its name, without `.gz`.
    pub(crate) name: &'static str,
    /// Its size in bytes, unpacked.
    pub(crate) size: u64,
    /// The SHA-256 of its published content, unpacked.
    pub(crate) sha256: &'static str,
}

/// How files are published, whatever their format.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Packing {
    /// Each for itself, as `NAME.gz`.
    Gzip,
    /// All in one archive.
    #[cfg_attr(not(feature = "fetch"), expect(dead_code, reason = "what is not downloaded is not unpacked"))]
    TarGz {
        /// The archive's name.
        name: &'static str,
        /// Its size in bytes.
        size: u64,
        /// Its SHA-256.
        sha256: &'static str,
        /// The folder in the archive that holds the files.
        folder: &'static str,
    },
}

impl Published {
    /// Every file, those of the training set first.
    pub(crate) fn contents(&self) -> impl Iterator<Item = &'static Content> + use<> {
        self.files.into_iter().flatten()
    }

    /// The published address of `file`, or of the archive that holds it.
    pub(crate) fn url(&self, file: &Content) -> String {
        let mirror = self.mirrors.first().unwrap_or(&"");
        match self.packing {
            Packing::Gzip => format!("{mirror}{}.gz", file.name),
            Packing::TarGz { name, .. } => format!("{mirror}{name}"),
        }
    }
}
