//! Data sets that are published as files: what they are, and where their files are. `read_published.rs` reads them.

use backproof_spec::Shape;

use crate::formats::{Format, Remake};

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
    pub(crate) class_counts: [Counts; 2],
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
    /// The same images in other files, of which those above are made again.
    pub(crate) versions: &'static [Version],
    /// The same images in other formats, which are not read.
    pub(crate) other_versions: &'static [OtherVersion],
}

/// How many images a set has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counts {
    /// Of each class.
    Each(&'static [usize]),
    /// In all; how many of each class is not published.
    All(usize),
}

impl Counts {
    pub(crate) fn images(self) -> usize {
        match self {
            Self::Each(counts) => counts.iter().sum(),
            Self::All(count) => count,
        }
    }
}

/// A version of a data set whose files hold what the published files hold, in another format.
///
/// The content of the published files is made again of them. So images, labels, order and checksums are the same
/// whichever version is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version {
    /// What it is called: "Python version".
    pub(crate) name: &'static str,
    /// The folders under a data folder where its files may lie; `""` is the data folder itself.
    pub(crate) folders: &'static [&'static str],
    /// For each published file, in their order, the file of this version that holds it. One may hold several.
    pub(crate) files: &'static [&'static str],
    /// Where to get it.
    pub(crate) url: &'static str,
    /// The names of archives of it, which have to be unpacked first.
    pub(crate) archives: &'static [&'static str],
    /// How the published content is made again.
    pub(crate) remake: &'static dyn Remake,
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
    /// What is published to know it by.
    pub(crate) sum: Sum,
}

/// The checksum that is published of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sum {
    /// The SHA-256 of its content, unpacked.
    Content(&'static str),
    /// The SHA-256 of the gzipped file alone.
    Packed(&'static str),
    /// None; the checksum of the archive that holds it is checked when that is unpacked.
    OfArchive,
}

impl Content {
    /// The SHA-256 of its published content, where it is known.
    pub(crate) fn sha256(&self) -> Option<&'static str> {
        match self.sum {
            Sum::Content(sha256) => Some(sha256),
            Sum::Packed(_) | Sum::OfArchive => None,
        }
    }
}

/// How files are published, whatever their format.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Packing {
    /// Each for itself, as `NAME.gz`.
    Gzip,
    /// Each for itself, as it is.
    Plain,
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
    /// All in one zip archive, which several data sets share, as `NAME.gz`.
    #[cfg_attr(not(feature = "fetch"), expect(dead_code, reason = "what is not downloaded is not unpacked"))]
    Zip {
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
            Packing::Plain => format!("{mirror}{}", file.name),
            Packing::TarGz { name, .. } | Packing::Zip { name, .. } => format!("{mirror}{name}"),
        }
    }

    /// How many bytes a download of all of it has. Of files that are gzipped one by one, this is not known before.
    pub fn download_size(&self) -> Option<u64> {
        match self.packing {
            Packing::TarGz { size, .. } | Packing::Zip { size, .. } => Some(size),
            Packing::Plain => Some(self.contents().map(|file| file.size).sum()),
            Packing::Gzip => None,
        }
    }
}
