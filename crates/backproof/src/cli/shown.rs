//! The arguments that say how a picture is shown to a network.

use clap::{Args, ValueEnum};

/// When ink is told from paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InkChoice {
    /// Where the network was trained on bright strokes on black, and the picture does not look like that
    Auto,
    /// In every picture
    Always,
    /// In no picture
    Never,
}

#[derive(Debug, Clone, Copy, Args)]
pub struct Shown {
    /// Invert each picture: for black on white, if the network was trained on white on black
    #[arg(long, env = "BACKPROOF_INVERT")]
    pub invert: bool,
    /// Scale and move the bright part of the picture as MNIST does with its digits; for networks of grey images
    #[arg(long, alias = "centre", env = "BACKPROOF_CENTER")]
    pub center: bool,
    /// When to tell ink from paper, and to show the ink as bright strokes on black, in the middle
    ///
    /// For networks that were trained on bright strokes on black, such as MNIST's digits. With --invert or --center, a
    /// picture is shown as these say. docs/photos.md says how ink is found, and how well that works.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = InkChoice::Auto, env = "BACKPROOF_INK")]
    pub ink: InkChoice,
}
