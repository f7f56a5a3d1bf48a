//! Published results held against run folders: a table in Markdown.
//!
//! What the sources report is data and no code: `docs/reproduction.toml`, read by [`published`]. A figure there is the
//! sentence of the source with a number in it. Networks, parameters and iterations come from the configs. [`collect`]
//! finds the run folders of the configs and says of every other one why it is left out. [`rows`] compares, [`markdown`]
//! writes.

mod collect;
mod markdown;
mod measure;
mod published;
mod rows;
mod run;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::ReportError;
use collect::Collection;
use published::Published;

pub use collect::OmittedRun;

/// The comparison of published results with run folders.
#[derive(Debug)]
pub struct Reproduction {
    /// The table as a page in Markdown, the same for the same run folders. It has links relative to the folder of the
    /// results file.
    pub markdown: String,
    /// In a sentence how many reported figures are reached, are not, and have no runs.
    pub verdict: String,
    /// Finished runs that the table is of.
    pub runs: usize,
    /// Run folders that bear the name of one of the configs, or cannot be read, and are not in the table.
    pub left_out: Vec<OmittedRun>,
}

/// Holds the results in the file `results` against all run folders that are somewhere under the folders `runs`.
///
/// A run counts if it is finished and its config is the one named, but for the seed, how gradients are computed, what
/// is expected, and where a warm start's weights lay. So a smoke run or an override cannot get into the table. Of
/// several with one seed, the newest counts. A run that diverged is named, because a mean over the seeds that went well
/// would be too good.
///
/// # Errors
///
/// A results file, or a config that it names, that cannot be read; a folder of `runs` that cannot be read. A damaged
/// run folder is left out, and no error.
pub fn reproduction(results: &Path, runs: &[PathBuf]) -> Result<Reproduction, ReportError> {
    let published = Published::load(results)?;
    let collection = Collection::of(&published, runs)?;
    let sections = rows::sections(&published, &collection);
    let (markdown, verdict) = markdown::page(&published, &collection, &sections);
    Ok(Reproduction { markdown, verdict, runs: collection.runs.len(), left_out: collection.left_out })
}
