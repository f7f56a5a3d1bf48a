//! Published results held against runs: a page in Markdown.
//!
//! What the sources report is data and no code: `docs/reproduction.toml`, of which [`schema`] is the form and
//! [`published`] the reader. A figure there is the sentence of the source with a number in it. Networks, parameters and
//! iterations come from the configs.
//!
//! ```text
//! run folders ── collect ──┐
//! kept results ── kept ────┼──▶ rows, steps ──▶ parts, steps_page, … ──▶ markdown
//! weights files ─ authors ─┘          └──────▶ steps_figure
//! ```
//!
//! [`collect`] finds the run folders of the configs and says of every other one why it is left out. [`rows`] compares
//! each figure with the runs of its configs, and [`steps`] two configs seed by seed, by the statistics of [`paired`](crate::paired).

mod authors;
mod authors_page;
mod collect;
mod identity;
mod kept;
mod markdown;
mod measure;
mod mistakes_page;
mod parts;
mod published;
mod rows;
mod run;
mod schema;
mod steps;
mod steps_figure;
mod steps_page;
mod words;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use backproof_train::Setup;

use crate::ReportError;
use collect::Collection;
use kept::Kept;
use markdown::Content;
use published::{Part, Published};

pub use collect::OmittedRun;

/// The name of the figure's file, beside the page.
const FIGURE: &str = "reproduction-steps.svg";

/// What a comparison is made of.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The file with the published results.
    pub results: &'a Path,
    /// Folders that hold run folders at any depth; `None` of the folder `runs`, which may be missing if results are
    /// kept.
    pub runs: Option<&'a [PathBuf]>,
    /// The folder with the weights files of the sources, and how to evaluate them; without it, the kept evaluations
    /// count.
    pub authors: Option<(&'a Path, &'a Setup)>,
}

/// The comparison of published results with runs.
#[derive(Debug)]
pub struct Reproduction {
    /// The page in Markdown, the same for the same runs. It has links relative to the folder of the results file.
    pub markdown: String,
    /// The page's figure, as the name of its file and its SVG; `None` without runs to draw.
    pub figure: Option<(&'static str, String)>,
    /// In a sentence how many reported figures are within two deviations of ours, and how many are reached.
    pub verdict: String,
    /// Finished runs that the page is of.
    pub runs: usize,
    /// Run folders that bear the name of one of the configs, or cannot be read, and kept results of configs that have
    /// changed: what is not on the page.
    pub left_out: Vec<OmittedRun>,
    /// The file of kept results and its new text, with all runs of the page; `None` if the results name no such file.
    pub kept: Option<(PathBuf, String)>,
}

/// Holds the published results against runs.
///
/// A run counts if it is finished and its config is the one named, but for the seed, how gradients are computed, what
/// is expected, and where a warm start's weights lay. So a smoke run or an override cannot get into the page. Of
/// several with one seed, kept or in a folder, the newest counts. A run that diverged is named, because a mean over the
/// seeds that went well would be too good.
///
/// # Errors
///
/// A results file, or a config that it names, that cannot be read; a folder of runs that cannot be read; a file of kept
/// results that is damaged or of another version; weights files that are missing or other ones. A damaged run folder is
/// left out, and no error.
pub fn reproduction(sources: Sources<'_>) -> Result<Reproduction, ReportError> {
    let published = Published::load(sources.results)?;
    let kept_path = published.kept();
    let kept = match &kept_path {
        Some(path) => Kept::read(path, &published)?,
        None => Kept::default(),
    };
    let authors = match sources.authors {
        Some((folder, setup)) => authors::evaluate(&published, folder, setup)?,
        None => kept.authors.clone(),
    };
    let default = [PathBuf::from("runs")];
    let roots = match sources.runs {
        Some(roots) => roots,
        None if default[0].exists() || kept.runs.is_empty() => &default,
        None => &[],
    };
    let collection = Collection::of(&published, kept.runs, roots)?;
    let steps = steps::steps(&published, &collection);
    let drawn = steps_figure::figure(&published, &steps)?;
    let figure = drawn.map(|figure| figure.document()).transpose()?.map(|svg| (FIGURE, svg));
    let content = Content {
        published: &published,
        collection: &collection,
        theirs: rows::sections(&published, &collection, Part::Theirs),
        ours: rows::sections(&published, &collection, Part::Ours),
        steps,
        figure: figure.as_ref().map(|(name, _)| *name),
        authors: &authors,
    };
    let (markdown, verdict) = markdown::page(&content);
    drop(content);
    let text = kept::text(&published, &collection, &authors, &kept.others);
    let mut left_out = kept.left_out;
    left_out.extend(collection.left_out);
    Ok(Reproduction {
        markdown,
        figure,
        verdict,
        runs: collection.runs.len(),
        left_out,
        kept: kept_path.map(|path| (path, text)),
    })
}
