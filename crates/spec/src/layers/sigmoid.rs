//! The logistic sigmoid.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::config::Record;

/// 1 / (1 + e⁻ˣ).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sigmoid;

impl Definition for Sigmoid {
    const DOC: &'static str = "1 / (1 + e⁻ˣ).";

    fn read(_: &Record) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "sigmoid".to_owned()
    }
}
