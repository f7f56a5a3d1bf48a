//! From an error to what a person reads, and to an exit code.

use std::fmt;
use std::io::IsTerminal;
use std::process::ExitCode;

use backproof_spec::{ConfigError, ShapeError, nearest};

/// Exit codes that other people's scripts rely on. 0 is done and 1 any other failure.
pub mod code {
    /// Failed for a reason that is none of the others.
    pub const FAILED: u8 = 1;
    /// Wrong arguments or a wrong config.
    pub const USAGE: u8 = 2;
    /// A check failed: an expected accuracy was missed.
    pub const CHECK_FAILED: u8 = 3;
    /// Training diverged.
    pub const DIVERGED: u8 = 4;
    /// Stopped by a signal, with a checkpoint.
    pub const INTERRUPTED: u8 = 130;
}

/// An error with the exit code that it wants and, where there is one, a way out.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
    help: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Failure {
    /// A failure that ends the program with `code`.
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, source: None }
    }

    /// Wrong arguments.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(code::USAGE, message)
    }

    /// An error of a library with an exit code of its own.
    pub fn from_error(code: u8, error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { code, message: error.to_string(), help: None, source: Some(Box::new(error)) }
    }

    /// The same with a way out.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        self.maybe_help(Some(help.into()))
    }

    /// The same with a way out, where there is one.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// The same with the one of `names` that is nearest to the misspelt `name` as the way out, or with `otherwise`.
    #[must_use]
    pub fn nearest(self, name: &str, names: &[&str], otherwise: impl Into<String>) -> Self {
        self.help(nearest(name, names).map_or_else(|| otherwise.into(), |near| format!("did you mean `{near}`?")))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // What the message was made of is said already; its cause is not.
        self.source.as_ref()?.source()
    }
}

/// Whether to colour what goes to a stream: only on a terminal, and not where `NO_COLOR` is set
/// (<https://no-color.org>).
pub fn colour(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes `error: …`, the causes and the way out to stderr, and gives the exit code.
#[allow(clippy::print_stderr)] // this is where errors are shown
pub fn show(error: &anyhow::Error) -> ExitCode {
    let (red, bold, reset) =
        if colour(std::io::stderr().is_terminal()) { ("\x1b[31;1m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
    eprintln!("{red}error:{reset} {error}");
    let mut said = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        // Some libraries repeat their cause in their own text, and a failure repeats what it was made of.
        if !said.contains(&text) {
            eprintln!("  caused by: {text}");
        }
        said = text;
    }
    let failure = error.downcast_ref::<Failure>();
    let help = failure.and_then(|failure| failure.help.as_ref());
    if let Some(help) = help.or_else(|| error.downcast_ref::<ShapeError>()?.help.as_ref()) {
        eprintln!("{bold}help:{reset} {help}");
    }
    let code = match failure {
        Some(failure) => failure.code,
        None if error.is::<ConfigError>() || error.is::<ShapeError>() => code::USAGE,
        None => code::FAILED,
    };
    if matches!(code, code::USAGE | code::FAILED) {
        // The cause may be an argument that nobody typed.
        crate::cli::variables::in_effect().iter().for_each(|sentence| eprintln!("{bold}note:{reset} {sentence}"));
    }
    ExitCode::from(code)
}
