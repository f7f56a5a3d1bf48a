//! Modules and losses of burn-nn. A subject has the name of the type; what follows a `_` is a part of its options.
//!
//! Inputs and parameters are tensors of the check, so that all of them are differentiated.

mod activation;
mod attention;
mod convolution;
mod encoding;
mod linear;
mod losses;
mod losses_of_classes;
mod normalization;
mod placed;
mod pooling;
mod recurrent;
mod transformer;

use crate::subject::Subject;

/// The families, each in its file.
pub(super) const FAMILIES: &[&[Subject]] = &[
    linear::SUBJECTS,
    convolution::SUBJECTS,
    pooling::SUBJECTS,
    normalization::SUBJECTS,
    activation::SUBJECTS,
    recurrent::SUBJECTS,
    encoding::SUBJECTS,
    attention::SUBJECTS,
    transformer::SUBJECTS,
    losses::SUBJECTS,
    losses_of_classes::SUBJECTS,
];

#[cfg(test)]
mod completeness;
