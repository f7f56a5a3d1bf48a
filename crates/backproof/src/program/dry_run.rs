//! `train --dry-run`: what would be trained, without training.

use std::sync::atomic::AtomicBool;

use backproof::error::{Failure, code};
use backproof_spec::{Experiment, counted, describe_layer, thousands};
use backproof_train::{DryRun, PlannedMemory, PlannedSteps, PlannedTime, Setup, dry_run, duration};
use comfy_table::Cell;

use crate::failures::failure;
use crate::progress::{warm_start_in_words, warn};
use crate::reading::ImagesBar;
use crate::table::{self, right};
use crate::terminal::{width, wrapped};

/// Classes that are all shown.
const MOST_CLASSES: usize = 20;

#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn run(experiment: &Experiment, setup: &Setup, json: bool, stop: &AtomicBool) -> anyhow::Result<()> {
    let Some(found) = dry_run(experiment, setup, &mut ImagesBar::reading(), stop).map_err(failure)? else {
        return Err(Failure::new(code::INTERRUPTED, "interrupted; nothing was trained").into());
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&found)?);
        return Ok(());
    }
    let columns = width();
    let line = |text: String| println!("{}", wrapped(&text, columns));
    data_in_words(experiment, &found).into_iter().for_each(line);
    println!("{}\n", classes(&found));
    let parameters = experiment.model.trainable_parameters()?;
    line(format!("network      {}: {}", experiment.model.name, counted(parameters, "trainable parameter")));
    println!("{}\n", layers(experiment)?);
    found.warm_start.iter().flat_map(warm_start_in_words).for_each(line);
    found.computation.lines().into_iter().for_each(line);
    found.warnings.iter().for_each(|warning| warn(warning));
    found.hints.iter().for_each(|hint| line(format!("hint         {hint}")));
    steps_in_words(experiment, &found.steps, &setup.device_name).into_iter().for_each(line);
    time_in_words(&found).into_iter().for_each(line);
    memory_in_words(&found.memory).into_iter().for_each(line);
    line(format!("run folder   {}, if the run began now", found.run_folder.display()));
    println!("dry run      nothing was trained, and no run folder was made");
    Ok(())
}

fn data_in_words(experiment: &Experiment, found: &DryRun) -> Vec<String> {
    let sum = |of: fn(&backproof_train::ClassImages) -> usize| thousands(found.classes.iter().map(of).sum());
    let [training, validation, test] = [sum(|it| it.training), sum(|it| it.validation), sum(|it| it.test)];
    let name = experiment.data.images.name();
    let counts = format!("data         {name}: {training} training, {validation} validation, {test} test images");
    std::iter::once(counts).chain(found.notes.iter().map(|note| format!("             {note}"))).collect()
}

/// The images of each class; of many classes, those with the fewest training images.
fn classes(found: &DryRun) -> String {
    let mut classes: Vec<_> = found.classes.iter().collect();
    if classes.len() > MOST_CLASSES {
        classes.sort_by_key(|it| it.training);
        classes.truncate(MOST_CLASSES);
    }
    let row = |it: &&backproof_train::ClassImages| {
        let counts = [it.training, it.validation, it.test].map(|count| right(thousands(count)));
        std::iter::once(Cell::new(&it.class)).chain(counts).collect::<Vec<_>>()
    };
    let heads = ["training", "validation", "test"].map(right);
    let heads = std::iter::once(Cell::new("class")).chain(heads).collect();
    let text = format!("\n{}", table::text(heads, classes.iter().map(row).collect(), &[]));
    match found.classes.len() - classes.len() {
        0 => text,
        others => format!("{text}\n… and {others} classes with more training images"),
    }
}

/// The layers that have parameters.
fn layers(experiment: &Experiment) -> anyhow::Result<String> {
    let layers = experiment.model.trace()?;
    let rows = layers.iter().filter(|layer| layer.weights + layer.biases > 0).map(|layer| {
        let (kind, output) = (describe_layer(&layer.layer), layer.output.to_string());
        vec![Cell::new(&layer.name), Cell::new(kind), Cell::new(output), right(thousands(layer.weights + layer.biases))]
    });
    let heads = vec![Cell::new("layer"), Cell::new("type"), Cell::new("output"), right("parameters")];
    Ok(format!("\n{}", table::text(heads, rows.collect(), &[])))
}

fn steps_in_words(experiment: &Experiment, steps: &PlannedSteps, device: &str) -> Vec<String> {
    let PlannedSteps { iterations, batch_size, per_epoch, epochs, validations } = *steps;
    let early = if experiment.training.early_stopping.is_some() { "; early stopping may end it before" } else { "" };
    vec![
        format!(
            "training     {} of {}, engine {}, on {device}",
            counted(iterations, "iteration"),
            counted(batch_size, "image"),
            experiment.engine.name()
        ),
        format!(
            "epochs       {epochs:.2} of {}, with {}{early}",
            counted(per_epoch, "iteration"),
            counted(validations, "validation")
        ),
    ]
}

fn time_in_words(found: &DryRun) -> Vec<String> {
    let PlannedTime { measured_steps, seconds_per_step, seconds_per_evaluated_image, seconds } = found.time;
    let of = counted(measured_steps, "step");
    let (step, image) = (milliseconds(seconds_per_step), milliseconds(seconds_per_evaluated_image));
    vec![
        format!("time         about {} on this machine, as it is now", duration(seconds)),
        format!("             {step} a step, the median of {of}, and {image} an image that is evaluated"),
    ]
}

fn milliseconds(seconds: f64) -> String {
    let milliseconds = 1e3 * seconds;
    let decimals = if milliseconds < 1.0 { 3 } else { 1 };
    format!("{milliseconds:.decimals$} ms")
}

fn memory_in_words(memory: &PlannedMemory) -> Vec<String> {
    let PlannedMemory { parameters, gradients, optimizer, activations, images } = *memory;
    let all = parameters + gradients + optimizer + activations + images;
    let [all, parameters, gradients, optimizer, activations, images] =
        [all, parameters, gradients, optimizer, activations, images].map(megabytes);
    vec![
        format!("memory       about {all}, and what the program takes"),
        format!("             parameters {parameters}, gradients {gradients}, optimizer {optimizer}, images {images}"),
        format!("             a batch between the layers {activations}: an estimate, engines use more or less"),
    ]
}

fn megabytes(bytes: usize) -> String {
    let megabytes = bytes as f64 / 1e6;
    let decimals = if megabytes < 10.0 { 2 } else { 0 };
    format!("{megabytes:.decimals$} MB")
}
