//! How fast Backproof trains and predicts, on this machine, and against PyTorch on the same work.
//!
//! Every figure is of a process of its own (`worker.rs`, or the peer's script), because peak memory is a process's, and
//! Burn's state and a thread pool are process-wide. All processes of one piece of work are alive at once and take turns
//! (`measure.rs`, `process.rs`), so that what disturbs the machine disturbs all of them; a figure is the median of its
//! rounds. The scripts of the peer are part of the program.
//!
//! A whole run ([`Work::WholeRun`]) is what a person waits for: `train` from its start to its end (`whole_run.rs`).
//!
//! Without the feature `measure` this is what can be asked for, [`Request`], which needs no Burn.

mod error;
mod request;

#[cfg(feature = "measure")]
mod contender;
#[cfg(feature = "measure")]
mod machine;
#[cfg(feature = "measure")]
mod measure;
#[cfg(feature = "measure")]
mod memory;
#[cfg(feature = "measure")]
mod output;
#[cfg(feature = "measure")]
mod peak;
#[cfg(feature = "measure")]
mod process;
#[cfg(feature = "measure")]
mod program;
#[cfg(feature = "measure")]
mod protocol;
#[cfg(feature = "measure")]
mod results;
#[cfg(feature = "measure")]
mod run;
#[cfg(feature = "measure")]
mod steps;
#[cfg(feature = "measure")]
mod table;
#[cfg(feature = "measure")]
mod whole_run;
#[cfg(feature = "measure")]
mod worker;

#[cfg(feature = "measure")]
pub use contender::own_command;
pub use error::BenchError;
#[cfg(feature = "measure")]
pub use machine::cpu_features;
#[cfg(feature = "measure")]
pub use program::{Program, Watch};
pub use request::{BenchEngine, Pass, Peer, Request, Work};
#[cfg(feature = "measure")]
pub use run::{Measurements, run};
#[cfg(feature = "measure")]
pub use worker::work;
