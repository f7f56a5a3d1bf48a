//! `predict --explain`: where a network looks in each picture.

use std::fs;
use std::path::{Path, PathBuf};

use backproof::error::{Failure, code};
use backproof_report::{Explained, attributions};
use backproof_spec::{Views, counted};
use backproof_train::{GradientCheck, Predictor, RunFolder, TrainError, write_file};

use crate::explain::class;
use crate::failures::failure;
use crate::report::plain;

/// The pictures so far.
pub(crate) struct Explaining<'a> {
    to: &'a Path,
    predictor: &'a Predictor,
    class: Option<usize>,
    /// The network in a few words.
    of: String,
    explained: Vec<Explained>,
}

impl<'a> Explaining<'a> {
    /// Explanations that go to the folder `to`, which is made: that it cannot be written to is said before anything is
    /// computed. They explain the class called `name`, or else the predicted one.
    pub(crate) fn new(
        to: &'a Path,
        folder: &RunFolder,
        predictor: &'a Predictor,
        name: Option<&str>,
    ) -> Result<Self, Failure> {
        let class = name.map(|name| class(name, predictor.class_names())).transpose()?;
        let probe = fs::create_dir_all(to).and_then(|()| tempfile::tempfile_in(to));
        probe.map_err(|error| {
            let message = format!("cannot write into `{}`: {error}", to.display());
            Failure::new(code::FAILED, message).help("`--explain DIR` takes a folder, which is made if it is not there")
        })?;
        let run = folder.path().display();
        let iteration = predictor.iteration().map(|iteration| format!(", weights of iteration {iteration}"));
        let network = &predictor.network().architecture().name;
        let of = format!("{network}, {run}{}", iteration.unwrap_or_default());
        Ok(Self { to, predictor, class, of, explained: Vec::new() })
    }

    /// Adds the picture of `file`, of which the network gets `pixels`.
    pub(crate) fn add(&mut self, file: &Path, pixels: Vec<u8>) -> Result<Option<GradientCheck>, TrainError> {
        let attribution = self.predictor.attribute(pixels, self.class)?;
        let check = attribution.check.clone();
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        let stem = file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        self.explained.push(Explained { name, stem, attribution });
        Ok(check)
    }

    /// Writes page and panels, and says which of them are not to be trusted. The page names the pictures that could not
    /// be `unread`. Without pictures there is no page.
    #[allow(clippy::print_stderr)] // warnings go to stderr
    pub(crate) fn write(self, unread: &[&str]) -> anyhow::Result<Option<PathBuf>> {
        if self.explained.is_empty() {
            return Ok(None);
        }
        let mut notes = Vec::new();
        if self.predictor.views() != Views::One {
            notes.push(
                "A prediction is the mean over several views of the image. This page shows one view, the image as it is, \
                 and the probabilities of that view."
                    .to_owned(),
            );
        }
        notes.extend(unread.iter().map(|error| format!("Not on this page: {error}")));
        let made = attributions(&self.explained, &self.of, &notes).map_err(plain)?;
        for (name, bytes) in &made.files {
            write_file(&self.to.join(name), bytes).map_err(failure)?;
        }
        made.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        Ok(Some(self.to.join("explained.html")))
    }
}

/// What the checks of all pictures say together.
pub(crate) fn check_in_words<'a>(checks: impl Iterator<Item = &'a GradientCheck>) -> String {
    let checks: Vec<&GradientCheck> = checks.collect();
    if checks.is_empty() {
        return "the saliency is not checked: this device has no double precision".to_owned();
    }
    let pixels = counted(checks.iter().map(|check| check.pixels).sum::<usize>(), "pixel");
    let kinks = match checks.iter().map(|check| check.kinks).sum::<usize>() {
        0 => String::new(),
        kinks => format!("; {kinks} more at kinks"),
    };
    let wrong = checks.iter().filter(|check| !check.agrees).count();
    if wrong > 0 {
        return format!("saliency checked at {pixels}{kinks}: not confirmed for {}", counted(wrong, "picture"));
    }
    let largest = checks.iter().filter_map(|check| check.largest_error).fold(0.0, f64::max);
    format!("saliency checked by finite differences at {pixels}: off by at most {largest:.1e} of the largest{kinks}")
}
