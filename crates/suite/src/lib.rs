//! What the prover is tried on: cases of layers, of networks and of Burn's operations, with the ways to get each wrong.
//!
//! A `Subject` makes cases of a layer or of one of Burn's operations (`layers/`, `burn/`), each at a general point or at
//! a hard one (`case_id.rs`). `networks.rs` makes a problem of a network on real images. `backproof-gradcheck` examines
//! each; an [`CheckOutcome`] says what came of it, and `known/` which faults of Burn explain what is wrong.
//!
//! Without the feature `cases` this is what can be asked for, [`Point`] and [`LAYERS`], which needs no Burn.

mod layers;
mod point;

#[cfg(feature = "cases")]
mod burn;
#[cfg(feature = "cases")]
mod case_id;
#[cfg(feature = "cases")]
mod domain;
#[cfg(feature = "cases")]
mod dump;
#[cfg(feature = "cases")]
mod exercise;
#[cfg(feature = "cases")]
mod images;
#[cfg(feature = "cases")]
mod kernels;
#[cfg(feature = "cases")]
mod known;
#[cfg(feature = "cases")]
mod layer_task;
#[cfg(feature = "cases")]
mod networks;
#[cfg(feature = "cases")]
mod outcome;
#[cfg(feature = "cases")]
mod subject;
#[cfg(feature = "cases")]
mod symptoms;
#[cfg(feature = "cases")]
mod task;

pub use layers::LAYERS;
pub use point::Point;

#[cfg(feature = "cases")]
pub use case_id::{CaseId, Signs};
#[cfg(feature = "cases")]
pub use dump::dump;
#[cfg(feature = "cases")]
pub use exercise::{Exercise, exercise, layer_task, network_exercise};
#[cfg(feature = "cases")]
pub use known::{Known, Setting};
#[cfg(feature = "cases")]
pub use layer_task::LayerTask;
#[cfg(feature = "cases")]
pub use outcome::{CheckOutcome, CheckStatus, Wanted, quietly};
#[cfg(feature = "cases")]
pub use subject::Context;
#[cfg(feature = "cases")]
pub use symptoms::{Kind, Symptom};
#[cfg(feature = "cases")]
pub use task::{Task, TaskError, burn_operations, perform};
