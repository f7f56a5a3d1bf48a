//! The texts that a config is made of, and where in them a fault is.

use super::check::Fault;
use super::document::Span;
use super::error::{ConfigError, Diagnostic, Excerpt, Location};

/// The texts that spans point into: the files, then the overrides.
pub(super) struct Sources<'a> {
    /// Name and text.
    files: Vec<(&'a str, &'a str)>,
    overrides: &'a [String],
}

impl<'a> Sources<'a> {
    pub(super) fn new(files: Vec<(&'a str, &'a str)>, overrides: &'a [String]) -> Self {
        Self { files, overrides }
    }

    /// The faults as a person reads them, in the order of the texts.
    pub(super) fn error(&self, mut faults: Vec<Fault>) -> ConfigError {
        faults.sort_by_key(|fault| fault.span);
        ConfigError::new(faults.into_iter().map(|fault| self.diagnostic(fault)).collect())
    }

    fn diagnostic(&self, fault: Fault) -> Diagnostic {
        Diagnostic { location: self.location(fault.span), message: fault.message, help: fault.help }
    }

    fn location(&self, span: Option<Span>) -> Location {
        let Some(Span { source, start, end }) = span else {
            return Location::File { source_name: self.files[0].0.to_owned() };
        };
        match self.files.get(source) {
            Some(&(source_name, text)) => {
                let (line, excerpt) = Excerpt::of(text, start, end);
                Location::Line { source_name: source_name.to_owned(), line, excerpt }
            }
            // One line, whatever the shell let through.
            None => {
                let text = self.overrides[source - self.files.len()].replace(['\n', '\r'], " ");
                Location::Override { excerpt: Excerpt::of(&text, start, end).1 }
            }
        }
    }

    /// Whether a span is in a file, and not in an override.
    pub(super) fn is_in_a_file(&self, span: Span) -> bool {
        span.source < self.files.len()
    }

    /// What stands at a span, on one line.
    pub(super) fn text(&self, span: Span) -> String {
        let text = match self.files.get(span.source) {
            Some((_, text)) => text,
            None => self.overrides[span.source - self.files.len()].as_str(),
        };
        text.get(span.start..span.end).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
