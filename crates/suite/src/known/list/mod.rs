//! The list, by subject.

mod activations;
mod arithmetic;
mod assigning;
mod backends;
mod common;
mod double;
mod double_attention;
mod double_modules;
mod double_recurrent;
mod linear_algebra;
mod losses;
mod shapes;

use super::entry::Known;

const LISTS: [&[Known]; 11] = [
    activations::FAULTS,
    arithmetic::FAULTS,
    assigning::FAULTS,
    linear_algebra::FAULTS,
    losses::FAULTS,
    shapes::FAULTS,
    double::FAULTS,
    double_recurrent::FAULTS,
    double_modules::FAULTS,
    double_attention::FAULTS,
    backends::FAULTS,
];

/// Every fault.
pub(crate) fn faults() -> impl Iterator<Item = &'static Known> {
    LISTS.into_iter().flatten()
}
