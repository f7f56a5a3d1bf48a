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
//! A [`Source`]: it says what it is (name, shape of an image, names of the classes, numbers of images) and gives
//! images and labels. [`sources`] lists those that a config may name. Each is a file in `data_sets/` and a line in
//! `data_sets.rs`, and nothing outside of this crate knows one by name. [`prepare_from`] takes any other.
//!
//! Most are [`Published`] as files. How images are written in a file (`formats/`: IDX, CIFAR records) is one thing,
//! how files are packed (gzip, tar) another.
//!
//! # Where data comes from
//!
//! `mnist-sample` is part of the program. The others are files in a data folder, the user's own or a cache
//! ([`default_directory`]); [`fetch()`] downloads them and [`verify()`] says what is there. [`load()`] reads them
//! into [`Images`], strictly: a file is exactly as long as it must be, labels are in range, classes are as many as
//! published. After that nothing about the data can fail: every later index and label has been checked here, of any
//! source.
//!
//! What counts is the SHA-256 of the *unpacked* content. It is checked on every download; of files that a user supplies
//! a wrong sum is a warning, since the same images in another order are good data. Either way the sums of what was
//! read are handed on, for a run to note.
//!
//! # What is random, and what is not
//!
//! Everything drawn here is a pure function of the experiment's seed, by named streams
//! ([`backproof_spec::stream_seed`]): `split` by class, `order` by epoch, `augmentation` by epoch and data set index.
//! So [`TrainingBatches::select`] gives step s without the steps before it, and a run goes on from any step as the
//! run that it would have been. Burn's `DataLoader` cannot do that, which is why training does not use it. No thread,
//! no device and no global state takes part.
//!
//! # What a pixel becomes
//!
//! Images stay bytes until a batch is made; then each is changed at random (training only), and normalised *after*
//! that, in one pass over a table of 256 numbers for each channel. An image is `[C, H, W]` everywhere: channel, row
//! from the top, column from the left.
//!
//! # Pictures from elsewhere
//!
//! [`Picture`] reads a PNG or JPEG file of any size and makes it an image of a data set's shape, to predict its class.
//!
//! # Features
//!
//! `tensors` makes batches Burn's tensors, `fetch` downloads, `pictures` reads PNG and JPEG. Without them the crate
//! has no Burn and few dependencies: so `cargo xtask` is built in seconds and holds a config against the data sets.
//!
//! # What is not here
//!
//! No models, no metrics, no backend: a device comes in from outside.

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
mod images;
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
mod verify;

#[cfg(feature = "tensors")]
pub use batch::Batch;
pub use batches::{TrainingBatches, evaluation_selections};
pub use content::sha256;
pub use data_sets::{data_sets, source, sources};
pub use error::{DataError, FetchFailure, MissingFile, MissingFiles, Result};
#[cfg(feature = "fetch")]
pub use fetch::{FetchOptions, FetchReport, Progress, fetch};
pub use folder::{data_set_directory, default_directory};
pub use images::Images;
pub use normalize::Normalizer;
#[cfg(feature = "pictures")]
pub use picture::{Fit, Picture};
pub use prepare::{Prepared, load, prepare, prepare_from};
pub use published::Published;
pub use random::epoch_order;
pub use selection::Selection;
pub use source::{LoadedData, Origin, Source};
pub use split::TrainingSplit;
pub use subset::Subset;
pub use verify::{FileState, FileStatus, is_published, verify};
