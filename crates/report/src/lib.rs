//! A run folder in, pictures and pages out.
//!
//! [`report`] makes `report.html` and `figures/` of one run, [`compare`] a page that lays several runs over each other,
//! and [`reproduction()`] a page that holds published results against many runs. The first two read only what is in the
//! run folders, and the test images, if the data set is at hand. What is missing or damaged is left out, and the page
//! says so at its head; only a folder without a readable `run.json` is an error.
//!
//! ```text
//! run folder ── contents ──▶ curves, confusion, classes, mistakes, ranking, … ──▶ Figure ──▶ figures/*.svg, *.png
//!                                                                                   │
//!                                                                                 page ──▶ report.html
//! ```
//!
//! # Drawing
//!
//! Figures are SVG out of templates, like the pages, and not out of a plotting library: one drawing then serves the
//! page, where the page's style sheet colours it for light and dark and a screen reader finds its title and
//! description, and a file of its own. PNG files are those SVG files, drawn with a font that is part of the program.
//!
//! Every string goes through the templates, which escape it; what a template marks `safe` was made by another template
//! or is base64. [`markdown_text`], [`markdown_code`] and [`markdown_block`] do the same for pages in Markdown.
//!
//! # Papers
//!
//! A figure is drawn for a [`Medium`]: a screen, or paper of a width. On paper all text has one size and one font, whose
//! letters are measured, so that everything fits ([`ForPaper`]). The same SVG becomes PDF, and PNG with its resolution.
//! Tables are LaTeX; no template makes them, as they need other escapes.
//!
//! # A page
//!
//! A page is one file with everything inside and nothing fetched. It is well-formed XML as well as HTML, so that a test
//! can tell an unclosed tag. It works without scripts; one adds the filters.

mod attribution;
mod blocks;
mod calibration;
mod chart;
mod class_bars;
mod classes;
mod comparison;
mod confusion;
mod contents;
mod curves;
mod derivations;
mod error;
mod explanation;
mod explore;
mod facts;
mod figure;
mod figures;
mod gradients;
mod heat;
mod image;
mod input;
mod judged;
mod kernels;
mod labels;
mod latex;
mod layers;
mod letters;
mod looks_at;
mod markdown;
mod medium;
mod misclassified;
mod mistakes;
mod network;
mod page;
mod paired;
mod paper;
mod pdf;
mod ranking;
mod raster;
mod rate_range;
mod reproduction;
mod samples;
mod scale;
mod scatter;
mod series;
mod settings;
mod share_chart;
mod statistics;
mod tables;
mod temperature;
mod templates;
mod theme;

use std::path::{Path, PathBuf};

use backproof_train::RunFolder;

pub use attribution::{Explained, ExplainedPage, attributions};
pub use blocks::{Contrast, against_first};
pub use comparison::{ComparedPoint, ComparedSweep, Comparison, compare, compare_sweep};
pub use error::ReportError;
pub use explanation::explanation;
pub use input::{input_png, input_uri, seen_png};
pub use judged::{class_page, judged_page};
pub use markdown::{markdown_block, markdown_code, markdown_text};
pub use paired::{LEVEL, holm};
pub use paper::{FigureFormat, ForPaper};
pub use rate_range::{RateRangeFigure, rate_range};
pub use reproduction::{OmittedRun, Reproduction, Sources, reproduction};
pub use statistics::{mean_and_deviation, median};

use confusion::Confusion;
use contents::Contents;
use figures::{Drawn, Figures};
use medium::Medium;
use mistakes::Mistakes;
use page::Parts;
use ranking::Ranking;

/// A report that was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// `report.html`.
    pub page: PathBuf,
    /// The files for a paper.
    pub for_paper: Vec<PathBuf>,
    /// What the report lacks and why, a sentence each; the page says the same.
    pub missing: Vec<String>,
}

/// Writes `report.html` and `figures/` into the run folder. There each figure is as SVG and PNG, and whatever
/// `for_paper` asks for is beside them; files of an earlier report are removed.
///
/// The test images come from `data_dir`, or from where [`backproof_data::load`] looks.
///
/// # Errors
///
/// A `run.json` that cannot be read; files that cannot be written.
pub fn report(folder: &RunFolder, data_dir: Option<&Path>, for_paper: &ForPaper) -> Result<Written, ReportError> {
    let mut contents = Contents::read(folder)?;
    let images = contents.test_images(data_dir);
    let names = contents.class_names();
    let predicted = !contents.predictions.is_empty();
    if predicted && names.len() > Confusion::MOST_CLASSES {
        let classes = backproof_spec::thousands(names.len());
        contents.missing.push(format!(
            "The confusion matrix of {classes} classes is not drawn on the page; it is in evaluation/confusion.csv."
        ));
    }
    let confusion = (predicted && names.len() <= Confusion::MOST_ON_PAPER)
        .then(|| Confusion::new(names.clone(), &contents.predictions));
    let mistakes = predicted.then(|| Mistakes::new(names.clone(), &contents.predictions, images.as_ref()));
    let samples =
        images.as_ref().map(|images| samples::rows(&names, &contents.predictions, images)).unwrap_or_default();
    let ranking = contents.result.as_ref().filter(|_| predicted);
    let ranking = ranking.map(|result| Ranking::new(result, &contents.predictions));
    let (confusion, mistakes, ranking) = (confusion.as_ref(), mistakes.as_ref(), ranking.as_ref());
    let drawn = Drawn { contents: &contents, confusion, mistakes, ranking };
    let figures = Figures::draw(drawn, Medium::Screen)?;
    let mut files = Vec::new();
    for figure in figures.all() {
        files.push((format!("{}.svg", figure.name), figure.document()?.into_bytes()));
        files.push((format!("{}.png", figure.name), figure.png()?));
    }
    let name = folder.path().file_name().unwrap_or_default().to_string_lossy();
    let of_page = files.len();
    let on_paper = for_paper.files(|medium| Ok(Figures::draw(drawn, medium)?.into_all()))?;
    let lack = on_paper.lack();
    files.extend(on_paper.files);
    if for_paper.is_asked_for() {
        files.extend(tables::files(&contents, confusion, ranking, &format!("{}/{name}", contents.record.experiment)));
    }
    folder.write_folder("figures", &files)?;
    let for_paper = files[of_page..].iter().map(|(name, _)| folder.path().join("figures").join(name)).collect();
    let confusion = confusion.filter(|confusion| confusion.names.len() <= Confusion::MOST_CLASSES);
    let page = page::page(&contents, &name, Parts { confusion, mistakes, ranking, samples: &samples }, &figures)?;
    folder.write("report.html", page.as_bytes())?;
    let missing = contents.missing.into_iter().chain(lack).collect();
    Ok(Written { page: folder.path().join("report.html"), for_paper, missing })
}
