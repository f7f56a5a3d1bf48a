//! The hyperbolic tangent.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::config::Record;

/// tanh x.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tanh;

impl Definition for Tanh {
    const DOC: &'static str = "tanh x.";

    fn read(_: &Record) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "tanh".to_owned()
    }
}
