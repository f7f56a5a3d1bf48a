//! `train --images FOLDER`: the experiment that is made for a folder of images.

use std::path::Path;

use backproof_spec::Experiment;

use crate::error::Failure;

/// The experiment for the images in `path`, a folder or a CSV file, with `overrides` as `--set` takes them.
///
/// # Errors
///
/// Images that are not there or cannot be trained on, and overrides that are not valid.
#[cfg(feature = "program")]
pub fn experiment(path: &Path, overrides: &[String]) -> anyhow::Result<Experiment> {
    chosen::experiment(path, written(path)?, overrides)
}

/// What can be said without a look at the images: whether they are there, and in folders of classes. The experiment is
/// that of other images of the same classes.
///
/// # Errors
///
/// As above.
#[cfg(not(feature = "program"))]
pub fn experiment(path: &Path, overrides: &[String]) -> anyhow::Result<Experiment> {
    const ANY: &str = "size = 32\nchannels = 3\n[model]\nname = \"petre-mlp\"\n[optimizer]\nlearning_rate = 0.1\n\
                       [training]\nepochs = 1\nbatch_size = 1\n";
    let text = format!("[data]\nfolder = {}\n{ANY}", quoted(written(path)?));
    // Which overrides fit is seen with the images.
    let _ = overrides;
    Ok(Experiment::from_toml(&format!("--images {}", path.display()), &text, &[], &backproof_data::data_sets())?)
}

/// The path as a config has it.
fn written(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| {
        Failure::usage(format!("the path {} is no UTF-8, and a config cannot have it", path.display()))
            .help("give a link to it with a plain name; the files inside may be called as they like")
    })
}

/// A string in TOML.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04X}", c as u32),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(feature = "program")]
mod chosen {
    use std::path::Path;

    use backproof_data::{Survey, data_sets, look, survey};
    use backproof_spec::{ConfigError, Experiment, published};

    use super::quoted;
    use crate::error::{Failure, code};

    /// What images are made where they are larger, or have several sizes.
    const USUAL_SIDE: usize = 64;
    /// Images of one size up to this one stay as they are.
    const LARGEST_KEPT: usize = 96;
    const BATCH: usize = 32;
    /// Iterations that nobody asks for: more than any warm-up or interval of an override.
    const UNASKED: usize = 1 << 40;
    /// Updates that a small data set gets.
    const USUAL_ITERATIONS: usize = 2_500;

    pub(super) fn experiment(path: &Path, written: &str, overrides: &[String]) -> Result<Experiment, anyhow::Error> {
        let survey = survey(path).map_err(|error| {
            let help = error.help();
            Failure::from_error(code::USAGE, error).maybe_help(help)
        })?;
        let name = name(path);
        let read = |training: &str| -> Result<Experiment, ConfigError> {
            let data = data(written, &survey);
            let text = format!("name = \"{name}\"\n{data}[model]\nname = \"{}\"\n{training}", published::AUTO);
            Experiment::from_toml(&format!("--images {}", path.display()), &text, overrides, &data_sets())
        };
        // How long it trains depends on how many images there are, and on the overrides.
        let of_batch = |batch: usize| {
            let training = format!("[training]\niterations = {UNASKED}\nbatch_size = {batch}\n");
            read(&format!("{training}[optimizer]\nlearning_rate = 0.1\n"))
        };
        let any = of_batch(1)?;
        let folder = any.data.images.folder().expect("the config has a folder");
        let images = any.data.epoch_images(look(folder)?.training_images).max(1);
        let batch = BATCH.min(images);
        let asked = Some(of_batch(batch)?.training.iterations).filter(|&iterations| iterations != UNASKED);
        Ok(read(&training(images, batch, asked))?)
    }

    /// The name of the experiment, which is that of the folder as far as a name may have its letters.
    fn name(path: &Path) -> String {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
        let name: String = stem.chars().take(64).map(plain).collect();
        let name = name.trim_matches(['.', '-']);
        if name.is_empty() { "images".to_owned() } else { name.to_owned() }
    }

    /// `[data]`.
    fn data(written: &str, survey: &Survey) -> String {
        let [height, width] = survey.size;
        let is_kept = survey.is_one_size && height.max(width) <= LARGEST_KEPT && height.min(width) >= 8;
        let [height, width] = match height.min(width) {
            _ if is_kept => [height, width],
            // Small pictures gain nothing from being large.
            least => [least.next_multiple_of(16).min(USUAL_SIDE); 2],
        };
        let channels = if survey.is_grey { 1 } else { 3 };
        // A grey picture is often of letters or digits, which have no mirror images.
        let flip = !survey.is_grey;
        let crop = height.min(width) / 14;
        format!(
            "[data]\nfolder = {}\nsize = [{height}, {width}]\nchannels = {channels}\n\
             augmentation = {{ horizontal_flip = {flip}, crop_padding = {crop} }}\n",
            quoted(written)
        )
    }

    /// `[optimizer]` and `[training]` for so many images an epoch, and the iterations that are asked for, if any are.
    fn training(images: usize, batch: usize, asked: Option<usize>) -> String {
        let steps = images.div_ceil(batch);
        let epochs = (USUAL_ITERATIONS / steps).clamp(5, 60);
        let iterations = asked.unwrap_or(epochs * steps);
        let (report, validate) = ((iterations / 20).max(1), (iterations / 10).max(1));
        format!(
            "[optimizer]\nkind = \"adamw\"\nlearning_rate = 0.003\nweight_decay = 0.01\nwarmup = {}\n\
             schedule = \"cosine\"\n[training]\niterations = {iterations}\nbatch_size = {batch}\n\
             report_every = {report}\nvalidate_every = {validate}\ncheckpoint_every = {validate}\n",
            iterations / 20
        )
    }
}
