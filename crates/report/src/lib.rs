//! A run folder in, pictures and pages out.
//!
//! [`report`] makes `report.html` and `figures/` of one run, [`compare`] a page that lays several runs over each other,
//! and [`reproduction()`] a page that holds published results against many runs. The first two read only what is in the
//! run folders, and the test images, if the data set is at hand. What is missing or damaged is left out, and the page
//! says so at its head; only a folder without a readable `run.json` is an error.
//!
//! ```text
//! run folder ── contents ──▶ curves, confusion, classes, mistakes, kernels ──▶ Figure ──▶ figures/*.svg, *.png
//!                                                                                │
//!                                                                              page ──▶ report.html
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
//! # A page
//!
//! A page is one file with everything inside and nothing fetched. It is well-formed XML as well as HTML, so that a test
//! can tell an unclosed tag. It works without scripts; one adds the filters.

mod blocks;
mod chart;
mod classes;
mod comparison;
mod confusion;
mod contents;
mod curves;
mod derivations;
mod error;
mod explanation;
mod facts;
mod figure;
mod gradients;
mod image;
mod judged;
mod kernels;
mod labels;
mod markdown;
mod mistakes;
mod page;
mod paired;
mod raster;
mod reproduction;
mod samples;
mod scale;
mod scatter;
mod settings;
mod statistics;
mod templates;
mod theme;

use std::path::{Path, PathBuf};

use backproof_spec::Experiment;
use backproof_train::RunFolder;

pub use blocks::{Contrast, against_first};
pub use comparison::{ComparedPoint, ComparedSweep, Comparison, compare, compare_sweep};
pub use error::ReportError;
pub use explanation::explanation;
pub use judged::{class_page, judged_page};
pub use markdown::{markdown_block, markdown_code, markdown_text};
pub use paired::{LEVEL, holm};
pub use reproduction::{OmittedRun, Reproduction, Sources, reproduction};
pub use statistics::{mean_and_deviation, median};

use confusion::Confusion;
use contents::Contents;
use gradients::Gradients;
use mistakes::Mistakes;
use page::Figures;

/// A report that was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// `report.html`.
    pub page: PathBuf,
    /// What the report lacks and why, a sentence each; the page says the same.
    pub missing: Vec<String>,
}

/// Writes `report.html` and `figures/*.svg` and `*.png` into the run folder.
///
/// The test images come from `data_dir`, or from where [`backproof_data::load`] looks.
///
/// # Errors
///
/// A `run.json` that cannot be read; files that cannot be written.
pub fn report(folder: &RunFolder, data_dir: Option<&Path>) -> Result<Written, ReportError> {
    let mut contents = Contents::read(folder)?;
    let images = contents.test_images(data_dir);
    let names: Vec<String> =
        contents.result.iter().flat_map(|result| &result.classes).map(|class| class.class.clone()).collect();
    let predicted = !contents.predictions.is_empty();
    if predicted && names.len() > Confusion::MOST_CLASSES {
        let classes = backproof_spec::thousands(names.len());
        contents.missing.push(format!(
            "The confusion matrix of {classes} classes is not drawn; it is in evaluation/confusion.csv."
        ));
    }
    let confusion = (predicted && names.len() <= Confusion::MOST_CLASSES)
        .then(|| Confusion::new(names.clone(), &contents.predictions));
    let mistakes = predicted.then(|| Mistakes::new(names.clone(), &contents.predictions, images.as_ref()));
    let samples =
        images.as_ref().map(|images| samples::rows(&names, &contents.predictions, images)).unwrap_or_default();
    let of_experiment = |experiment: &Experiment| (experiment.training.batch_size, experiment.data.validation_images);
    let (batch_size, validation_images) = contents.experiment.as_ref().map_or((0, 0), of_experiment);
    let figures = Figures {
        curves: curves::figures(&contents.reports, batch_size, validation_images)?,
        confusion: confusion.as_ref().map(Confusion::figures).transpose()?.into_iter().flatten().collect(),
        mistakes: mistakes.as_ref().map(Mistakes::figure).transpose()?.flatten(),
        kernels: contents.kernels.as_ref().map(|(kernels, ..)| kernels.figure()).transpose()?,
        gradients: contents.gradients.as_ref().map(Gradients::figure).transpose()?.flatten(),
    };
    let mut files = Vec::new();
    for figure in figures.all() {
        files.push((format!("{}.svg", figure.name), figure.document()?.into_bytes()));
        files.push((format!("{}.png", figure.name), figure.png()?));
    }
    folder.write_folder("figures", &files)?;
    let name = folder.path().file_name().unwrap_or_default().to_string_lossy();
    let page = page::page(&contents, &name, confusion.as_ref(), mistakes.as_ref(), &samples, &figures)?;
    folder.write("report.html", page.as_bytes())?;
    Ok(Written { page: folder.path().join("report.html"), missing: contents.missing })
}
