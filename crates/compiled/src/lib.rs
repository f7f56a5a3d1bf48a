//! Networks and parts of networks on the CPU kernels of `backproof-kernels`.
//!
//! # Plans
//!
//! A plan is made of [`Operation`]s: which kernels run on which memory, forward, backward and update. There are three,
//! and each has the calls that apply to it: [`InferencePlan`], [`TrainingPlan`] and [`SegmentPlan`]. [`Plan`] is what
//! all have.
//!
//! # Shards
//!
//! Images do not depend on each other, except in batch normalisation. So a batch is divided into shards of neighbouring
//! images. One thread takes a shard from the images to the gradients, while what it works on is in the cache. All
//! shards wait for each other at a batch normalisation, and nowhere else. At the end the gradients of the shards are
//! added up in the order of the shards.
//!
//! The number of shards depends on the size of the batch alone. So results depend on the instructions, and not on the
//! number of threads.
//!
//! # Nodes of autodiff's graph
//!
//! With the feature `flex`, kernels compute nodes of Burn's autodiff graph on tensors of its backend flex: `Segment`, a
//! convolution with what follows it, and `linear_on_kernels`.
//!
//! # Two ways into the kernels
//!
//! The compiled engine and evaluations run a whole network as one plan: only images go in, and tensors come out only
//! where a checkpoint or a report wants them. The autodiff engine uses the nodes. Where there is no kernel, Burn's
//! operations compute the layer, as they compute every layer with `kernels = "off"`.

mod active;
#[cfg(feature = "flex")]
mod autodiff;
mod fault;
mod graph;
mod inputs;
mod objective;
mod operation;
mod parameter;
mod plan;
mod shard;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use active::ActiveUnits;
#[cfg(feature = "flex")]
pub use autodiff::{
    Segment, SegmentNormalization, SegmentParameters, WriteMask, linear_on_kernels, linear_pays, runs_on_kernels,
};
pub use fault::Fault;
pub use inputs::Inputs;
pub use objective::{Objective, PassOutcome};
pub use operation::{Operation, Shortcut};
pub use parameter::Parameter;
pub use plan::{Differentiable, InferencePlan, Plan, SegmentPlan, TrainingPlan};
