//! ReLU.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::config::Record;

/// max(0, x).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relu;

impl Definition for Relu {
    const DOC: &'static str = "max(0, x).";

    fn read(_: &Record) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "ReLU".to_owned()
    }
}
