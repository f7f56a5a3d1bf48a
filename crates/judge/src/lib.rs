//! Exercises in backward passes and optimizer steps, and a judge of the answers.
//!
//! [`write()`] makes a folder: a task, cases with all numbers that it takes, and a skeleton for each language. A
//! student computes the output and the gradients of each case in any language, and saves them. [`judge()`] reads them
//! and says of each tensor whether it is right, or where it is wrong, by how much, and what that looks like.
//!
//! # What is true
//!
//! The folder holds no answers. The manifest says by which numbers the cases were drawn, and the judge draws them
//! again: so nobody makes an exercise easier by changing its cases. The truth about a gradient are finite differences
//! of our forward in double precision, as for `compare-gradients`; `backproof-gradcheck` judges the numbers as a source
//! that was recorded under one cotangent. At a kink, where more than one gradient is right, the answer must follow the
//! convention of the exercise, which is that of our backward (`conventions.rs`). Optimizer steps are held against the
//! rule in double precision (`optimizer/`).
//!
//! # What it looks like
//!
//! A wrong answer is compared with what other mistakes give in the same case: the ways to get the layer wrong that
//! `backproof-suite` knows, and mistakes of layout and of indices that any layer can have (`hypotheses.rs`). Cases are
//! chosen so that together they tell all of these from what is right (`choice.rs`).
//!
//! # Files from strangers
//!
//! A file in an exercise may be anything. What is wrong with a tensor is told of that tensor, and the others are judged
//! (`answers.rs`). No file is read that is larger than its numbers can be.
//!
//! Without the feature `judging` this is [`subjects`], what can be asked for, which needs no Burn.

mod subjects;

#[cfg(feature = "judging")]
mod answers;
#[cfg(feature = "judging")]
mod broken;
#[cfg(feature = "judging")]
mod case;
#[cfg(feature = "judging")]
mod choice;
#[cfg(feature = "judging")]
mod context;
#[cfg(feature = "judging")]
mod conventions;
#[cfg(feature = "judging")]
mod error;
#[cfg(feature = "judging")]
mod explanations;
#[cfg(feature = "judging")]
mod folder;
#[cfg(feature = "judging")]
mod gradients;
#[cfg(feature = "judging")]
mod hypotheses;
#[cfg(feature = "judging")]
mod judge;
#[cfg(feature = "judging")]
mod manifest;
#[cfg(feature = "judging")]
mod network;
#[cfg(feature = "judging")]
mod optimizer;
#[cfg(feature = "judging")]
mod outputs;
#[cfg(feature = "judging")]
mod precision;
#[cfg(feature = "judging")]
mod shapes;
#[cfg(feature = "judging")]
mod templates;
#[cfg(feature = "judging")]
mod verdict;

pub use subjects::{BROKEN, NETWORK, OPTIMIZERS, subjects};

#[cfg(feature = "judging")]
pub use broken::{Fault, fault_of, write_broken};
#[cfg(feature = "judging")]
pub use error::JudgeError;
#[cfg(feature = "judging")]
pub use folder::{Written, write, write_model_answers};
#[cfg(feature = "judging")]
pub use judge::judge;
#[cfg(feature = "judging")]
pub use manifest::{Level, Request};
#[cfg(feature = "judging")]
pub use verdict::{Judged, JudgedCase, JudgedTensor, Verdict};
