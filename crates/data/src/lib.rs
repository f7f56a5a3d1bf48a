//! Images and labels, from where they are published to the numbers that a network sees.
//!
//! ```text
//! Source ── fetch ──▶ data folder ── load ──▶ Images (u8, in memory) ── TrainingSplit ──▶ Subset ──▶ Selection ──▶ Batch
//!                         │                                               │         (one batch)   (tensors)
//!                       verify                             Normalizer, fitted on the training part
//! ```
//!
//! # What a data set is
//!
//! A data set is a [`Source`]. It says what it is (name, shape of an image, names of the classes, numbers of images),
//! and gives images and labels. [`sources`] lists the data sets that a config may name. Each is a file in `data_sets/`
//! and a line in `data_sets.rs`, and nothing outside of this crate knows one by name. [`prepare_from`] takes any other
//! source.
//!
//! Most data sets are [`Published`] as files. The format of the images in a file (`formats/`: IDX, CIFAR records,
//! SVHN's MATLAB arrays) does not depend on how the files are packed (gzip, tar, zip).
//!
//! Some come in other files too, such as the pickles of CIFAR that torchvision and Keras unpack. The content of the
//! published files is made again of them, and everything after that is the same, checksums included.
//!
//! # Where data comes from
//!
//! `mnist-sample` is part of the program. The others are files in a data folder, the user's own or a cache
//! ([`default_directory`]); [`fetch()`] downloads them and [`verify()`] says what is there. [`load()`] reads them into
//! [`Images`], and checks all of it: the length of each file, the range of the labels, and how many images each class
//! has. It checks the images of every source. After that, no index and no label can be wrong.
//!
//! The checksum of a file is the SHA-256 of its *unpacked* content. A download with a wrong checksum is refused. A
//! user's own file with a wrong checksum causes a warning, because the same images in another order are good data. In
//! both cases a run gets the checksums of the files that were read, and keeps them. Where only the checksum of the
//! packed file or of the archive is published, that one is checked, after the download.
//!
//! # Randomness
//!
//! All random choices are functions of the experiment's seed, by named streams ([`backproof_spec::stream_seed`]):
//! `split` by class, `order` by epoch, `balanced batch` by step, `augmentation` by epoch and data set index, `mixing` by
//! step. So [`TrainingBatches::select`] gives step s without the steps before it, and a run can continue from any step.
//! Burn's `DataLoader` cannot do that, so training does not use it. The choices depend on no thread, no device and no
//! global state.
//!
//! # From pixels to numbers
//!
//! Images stay bytes until a batch is made. Then each image is changed at random (in training only), and normalised
//! *after* that. The normalisation looks each byte up in a table of 256 numbers for each channel. An image is `[C, H,
//! W]` everywhere: channel, row from the top, column from the left.
//!
//! # Pictures of a user
//!
//! [`Picture`] reads an image file of any size, and gives it the shape of a network's images. A folder of such files is
//! a data set too (`image_folder/`): its images are decoded once, into a cache that is mapped into memory, so that a
//! folder may be larger than the memory. [`export()`] writes a data set as such a folder.
//!
//! # Features
//!
//! The feature `tensors` makes Burn tensors of batches, `fetch` downloads files, and `pictures` reads image files.
//! Without these features the crate needs no Burn and few dependencies. So `cargo xtask` is built in seconds, and can
//! check a config against the data sets.
//!
//! # What is not here
//!
//! This crate has no models, no metrics and no backend. A device is an argument.

mod augment;
#[cfg(feature = "tensors")]
mod batch;
mod batches;
mod content;
mod data_sets;
mod error;
#[cfg(feature = "fetch")]
mod fetch;
mod folder;
mod formats;
#[cfg(all(any(fuzzing, test), feature = "fetch", feature = "pictures"))]
pub mod fuzzing;
mod gunzip;
mod image_folder;
mod image_statistics;
mod images;
mod local;
mod missing;
mod mixing;
mod normalize;
#[cfg(feature = "pictures")]
mod picture;
mod prepare;
mod published;
mod random;
mod read_published;
mod selection;
mod source;
mod split;
mod subset;
#[cfg(test)]
mod tests;
mod verify;

#[cfg(feature = "tensors")]
pub use batch::Batch;
pub use batches::{TrainingBatches, evaluation_selections};
pub use content::sha256;
pub use data_sets::{data_sets, source, source_of, sources};
pub use error::{DataError, FetchFailure, MissingFile, MissingFiles, Result, UnreadableFiles};
#[cfg(feature = "fetch")]
pub use fetch::{FetchOptions, FetchReport, Progress, fetch};
pub use folder::{complete_in, data_set_directory, default_directory};
pub use image_folder::look;
#[cfg(feature = "pictures")]
pub use image_folder::{Exported, Pictures, Survey, export, pictures, survey};
pub use image_statistics::{ImageStatistics, Measure, Spread, Unlike};
pub use images::Images;
pub use mixing::Mixture;
pub use normalize::Normalizer;
#[cfg(feature = "pictures")]
pub use picture::{Fit, Ink, Picture};
pub use prepare::{Prepared, load, load_images, prepare, prepare_from, prepare_watched};
pub use published::Published;
pub use random::epoch_order;
pub use selection::Selection;
pub use source::{LoadedData, Origin, Source, Watch};
pub use split::TrainingSplit;
pub use subset::Subset;
pub use verify::{FileState, FileStatus, is_published, verify};
