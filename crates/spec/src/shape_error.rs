//! Why a network cannot be built.

use std::fmt;

use crate::{Architecture, Shape};

/// A layer that does not fit what it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeError {
    /// The layer's name, `conv2`.
    pub layer: String,
    /// Where it is.
    pub place: Box<LayerPlace>,
    /// The shape that came.
    pub input: Shape,
    /// What is wrong: what came, and what was expected.
    pub problem: String,
    /// A way out, where there is one.
    pub help: Option<String>,
}

/// Where a layer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerPlace {
    /// Counted from 1; 0 when the network as a whole is at fault.
    pub position: usize,
    /// How many layers the network has, or the branch that the layer is in.
    pub layers: usize,
    /// The layers that it is inside of, from the outermost on: the place of each, counted from 1, and the branch.
    pub within: Vec<(usize, &'static str)>,
}

impl ShapeError {
    /// An error of the network as a whole.
    pub(crate) fn of_network(architecture: &Architecture, input: Shape, problem: String, help: Option<String>) -> Self {
        let (layer, layers) = (architecture.name.clone(), architecture.layers.len());
        let place = Box::new(LayerPlace { position: 0, layers, within: Vec::new() });
        Self { layer, place, input, problem, help }
    }
}

/// `conv2 (layer 4 of 6): …`, or `residual1.body.conv2 (layer 3 of 5 in the body of residual1): …`, without the help.
impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LayerPlace { position, layers, within } = &*self.place;
        if *position > 0 {
            write!(f, "{} (layer {position} of {layers}", self.layer)?;
            if let Some((_, branch)) = within.last() {
                let mut names = self.layer.rsplitn(3, '.').skip(2);
                write!(f, " in the {branch} of {}", names.next().unwrap_or_default())?;
            }
            f.write_str("): ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ShapeError {}
