//! What is done to a weights file before its tensors are taken.

use serde::{Deserialize, Serialize};

/// What is done to a weights file before its tensors are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The prefix that was removed from the name of every tensor, such as `module.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_prefix: Option<String>,
    /// The number of outputs of a MATLAB file whose last one is of the digit 0, and became the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reordered_digits: Option<usize>,
}

impl Changes {
    /// A sentence without its full stop for each of them.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let prefix = self.removed_prefix.as_ref();
        let prefix = prefix.map(|prefix| format!("removed the prefix `{prefix}` from the name of every tensor"));
        let digits = self.reordered_digits.map(|outputs| {
            let last = outputs - 1;
            format!(
                "took the outputs 1 to {outputs} of the MATLAB file as the digits 1 to {last} and 0: MATLAB counts from 1"
            )
        });
        prefix.into_iter().chain(digits).collect()
    }
}
