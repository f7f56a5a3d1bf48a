//! An entry of the list.

use backproof_gradcheck::Arguments;
use burn::tensor::{DType, Tensor};

use crate::point::Point;
use crate::symptoms::{Kind, Symptom};

/// Where an operation runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// The backend, by the name that the command line gives it.
    pub backend: &'static str,
    /// The precision.
    pub dtype: DType,
}

/// A fault of one operation of Burn.
pub struct Known {
    /// Its name in the suite.
    pub operation: &'static str,
    /// Where it is seen.
    pub backends: &'static [&'static str],
    /// In which precisions.
    pub precisions: &'static [DType],
    /// At which points of the suite; at all of them if there are none here.
    pub points: &'static [Point],
    /// Whose gradient is wrong; the forward is named by nothing, anything by a star. None at all: a fault of the
    /// forward alone, or a panic.
    pub tensors: &'static [&'static str],
    /// What the suite sees of it.
    pub(crate) kinds: &'static [Kind],
    /// What the diagnosis must say, so that another fault of the operation is not taken for this one; nothing if the
    /// rest is enough.
    pub says: &'static str,
    /// Why, in a sentence.
    pub cause: &'static str,
    /// File and function of Burn's sources.
    pub location: &'static str,
    /// The smallest input.
    pub(crate) smallest: Smallest,
}

/// An input that shows a fault, by the gradient of the sum of the function.
#[cfg_attr(not(test), expect(dead_code, reason = "tests read it"))]
pub(crate) struct Smallest {
    pub(crate) precision: DType,
    /// Names, dimensions and numbers of the tensors, all of which are differentiated.
    pub(crate) tensors: &'static [(&'static str, &'static [usize], &'static [f64])],
    /// What else the function depends on, in words.
    pub(crate) options: &'static str,
    pub(crate) function: fn(&Arguments<'_>) -> Tensor<1>,
    /// Whose gradient is looked at.
    pub(crate) of: &'static str,
    /// The right gradient; nothing where any finite number would do.
    pub(crate) right: &'static [f64],
    pub(crate) found: Found,
}

/// What Burn gives in its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found {
    /// These numbers, of which some may be NaN or infinite.
    Numbers(&'static [f64]),
    /// A gradient of these dimensions.
    Shape(&'static [usize]),
    /// A panic that says this.
    Panics(&'static str),
    /// The right numbers, whose roundings differ from run to run.
    Varies,
}

impl Known {
    pub(super) fn explains(&self, at: Setting, point: Point, symptom: &Symptom) -> bool {
        let tensor = match &symptom.tensor {
            _ if self.tensors.contains(&"*") => true,
            Some(tensor) => self.tensors.contains(&tensor.as_str()),
            None => self.tensors.is_empty() || self.tensors.contains(&""),
        };
        self.backends.contains(&at.backend)
            && self.precisions.contains(&at.dtype)
            && (self.points.is_empty() || self.points.contains(&point))
            && tensor
            && self.kinds.contains(&symptom.kind)
            && symptom.note.contains(self.says)
    }
}
