//! Burn's own operations.

use super::subject::Subject;

pub(crate) const SUBJECTS: &[Subject] = &[];
