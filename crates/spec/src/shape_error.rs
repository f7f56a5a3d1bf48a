//! Why a network cannot be built.

use std::fmt;

use crate::{Architecture, Shape};

/// A layer that does not fit what it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeError {
    /// The layer's name, `conv2`.
    pub layer: String,
    /// Its place, counted from 1; 0 when the network as a whole is at fault.
    pub position: usize,
    /// How many layers the network has, or the branch that the layer is in.
    pub layers: usize,
    /// The layers that it is inside of, from the outermost on: the place of each, counted from 1, and the branch.
    pub within: Vec<(usize, &'static str)>,
    /// The shape that came.
    pub input: Shape,
    /// What is wrong: what came, and what was expected.
    pub problem: String,
    /// A way out, where there is one.
    pub help: Option<String>,
}

impl ShapeError {
    /// An error of the network as a whole.
    pub(crate) fn of_network(architecture: &Architecture, input: Shape, problem: String, help: Option<String>) -> Self {
        let (layer, layers) = (architecture.name.clone(), architecture.layers.len());
        Self { layer, position: 0, layers, within: Vec::new(), input, problem, help }
    }
}

/// `conv2 (layer 4 of 6): …`, or `residual1.body.conv2 (layer 3 of 5 in the body of residual1): …`, without the help.
impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.position > 0 {
            write!(f, "{} (layer {} of {}", self.layer, self.position, self.layers)?;
            if let Some((_, branch)) = self.within.last() {
                let mut names = self.layer.rsplitn(3, '.').skip(2);
                write!(f, " in the {branch} of {}", names.next().unwrap_or_default())?;
            }
            f.write_str("): ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ShapeError {}
