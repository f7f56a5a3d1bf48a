//! GELU.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use crate::config::Record;

/// x · Φ(x), Φ the distribution function of the standard normal distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gelu;

impl Definition for Gelu {
    const DOC: &'static str = "x · Φ(x).";

    fn read(_: &Record) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "GELU".to_owned()
    }
}
