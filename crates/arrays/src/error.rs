//! Why bytes are no tensors.

/// Why a file, or a tensor of it, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found}; expected {expected}")]
pub struct FormatError {
    /// What the file is, or what is wrong with it, as a verb phrase.
    pub found: String,
    /// What should be there, and how it is made.
    pub expected: String,
}

impl FormatError {
    /// Of these two parts.
    pub fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { found: found.into(), expected: expected.into() }
    }
}

/// A name of a file as an error shows it: on one line, and not too long.
pub fn shown(name: &str) -> String {
    const LONGEST: usize = 60;
    let mut characters = name.chars();
    let mut text = String::new();
    for character in characters.by_ref().take(LONGEST) {
        match character.is_control() {
            true => text.extend(character.escape_default()),
            false => text.push(character),
        }
    }
    if characters.next().is_some() {
        text.push('…');
    }
    text
}
