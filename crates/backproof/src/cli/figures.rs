//! The arguments for figures in papers, which every command has that makes a report or a comparison.

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub struct FigureArguments {
    /// Also make the figures for a paper, 84 mm and 174 mm wide, and tables for LaTeX and CSV; several by commas
    ///
    /// They are in figures/, beside the figures of the page.
    #[arg(long, value_enum, value_name = "FORMAT", value_delimiter = ',', env = "BACKPROOF_FIGURES")]
    pub figures: Vec<FigureFormat>,
    /// Leave out the titles of these figures: a caption has them
    #[arg(long, env = "BACKPROOF_NO_TITLE")]
    pub no_title: bool,
    /// Pixels an inch of these figures as PNG
    #[arg(long, value_name = "N", env = "BACKPROOF_DPI", default_value_t = 300,
          value_parser = clap::value_parser!(u32).range(36..=1200))]
    pub dpi: u32,
}

/// A format of figures for papers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FigureFormat {
    /// Lines and text, with the font inside
    Pdf,
    /// Lines and text, drawn with a font of the viewer
    Svg,
    /// Pixels
    Png,
}
