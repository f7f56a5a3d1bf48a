//! Images and labels, from where they are published to the tensor that a network sees.
//!
//! ```text
//! sources ── fetch ──▶ data folder ── load ──▶ Images (u8, in memory) ── Split ──▶ Subset ──▶ Batch (f32, on a device)
//!                          │                                              │
//!                        verify                            Normalizer, fitted on the training part
//! ```
//!
//! # Where data comes from
//!
//! `mnist-sample` is part of the program. The others are files in a data folder, the user's own or a cache
//! ([`default_directory`]); [`fetch()`] downloads them and [`verify()`] says what is there. [`load()`] reads them into
//! [`Images`], strictly: a file is exactly as long as it must be, labels are in range, classes are as many as
//! published. After that nothing about the data can fail: every later index and label has been checked here.
//!
//! What counts is the SHA-256 of the *unpacked* content. It is checked on every download; of files that a user supplies
//! a wrong sum is a warning, since the same images in another order are good data. Either way the sums of what was
//! read are handed on, for a run to note.
//!
//! # What is random, and what is not
//!
//! Everything drawn here is a pure function of the experiment's seed, by named streams
//! ([`backproof_spec::stream_seed`]): `split` by class, `order` by epoch, `augmentation` by epoch and data set index.
//! So [`TrainingBatches::batch`] gives step s without the steps before it, and a run goes on from any step as the run
//! that it would have been. No thread, no device and no global state takes part.
//!
//! # What a pixel becomes
//!
//! Images stay bytes until a batch is made; then each is changed at random (training only), and normalised *after* that,
//! in one pass over a table of 256 numbers for each channel. An image is `[C, H, W]` everywhere: channel, row from the
//! top, column from the left.
//!
//! # Two ways to a batch
//!
//! [`TrainingBatches`] and [`evaluation_batches`] are what training uses. [`Subset`] and [`Batcher`] are the same data by
//! Burn's own traits, for its data loaders; they give the same batches.
//!
//! # Pictures from elsewhere
//!
//! [`Picture`] reads a PNG or JPEG file of any size and makes it an image of a data set's shape, to predict its class.
//!
//! # What is not here
//!
//! No models, no metrics, no backend: a device comes in from outside. A new data set is an entry in `sources.rs`, and a
//! parser if its format is new.

mod augment;
mod batch;
mod batches;
mod cifar;
mod content;
mod error;
mod fetch;
mod folder;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod idx;
mod images;
mod load;
mod normalize;
mod picture;
mod prepare;
mod random;
mod sample;
mod selection;
mod sources;
mod split;
mod subset;
mod verify;

pub use batch::{Batch, Batcher};
pub use batches::{TrainingBatches, evaluation_batches, evaluation_selections};
pub use content::sha256;
pub use error::{DataError, FetchFailure, MissingFile, MissingFiles, Result};
pub use fetch::{FetchOptions, FetchReport, Progress, fetch};
pub use folder::{dataset_directory, default_directory};
pub use images::Images;
pub use load::{LoadedData, Origin, load};
pub use normalize::Normalizer;
pub use picture::{Fit, Picture};
pub use prepare::{Prepared, prepare};
pub use random::epoch_order;
pub use selection::Selection;
pub use split::Split;
pub use subset::{Item, Subset};
pub use verify::{FileState, FileStatus, is_published, verify};
