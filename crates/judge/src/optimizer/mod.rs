//! Steps of optimizers: rules in double precision, and the ways to get each wrong.
//!
//! An exercise gives weights, the gradients of several steps and the options, and asks for the weights after each step.
//! The gradients do not depend on the weights, so that a mistake shows by itself.

mod cases;
mod judge;
mod rule;
mod rules;
#[cfg(test)]
mod tests;

pub(crate) use cases::{COUNT, draw};
pub(crate) use judge::judge;
pub(crate) use rule::{Steps, WEIGHTS};
pub(crate) use rules::by_name;
