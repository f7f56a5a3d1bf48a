//! What a layer makes of its input, or why it cannot.

use crate::Shape;

/// The most numbers that one output of a layer, or all trainable parameters of a network, may have.
pub(crate) const MOST_ELEMENTS: usize = i32::MAX as usize;

/// What a layer makes of its input, before it has a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Inferred {
    pub(crate) output: Shape,
    pub(crate) weights: usize,
    pub(crate) biases: usize,
    pub(crate) running_statistics: usize,
}

impl Inferred {
    pub(super) fn without_parameters(output: Shape) -> Self {
        Self { output, weights: 0, biases: 0, running_statistics: 0 }
    }
}

/// What is wrong with a layer, before it has a name, and a way out.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub(crate) problem: String,
    pub(crate) help: Option<String>,
}

impl Misfit {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn too_large(what: &str) -> Self {
        Self::new(format!("{what} would have more than {MOST_ELEMENTS} numbers"))
    }
}
