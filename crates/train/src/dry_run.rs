//! What a run would be, without one: its images, its engine, how long it takes and the memory that it needs.

use std::ops::ControlFlow::{Break, Continue};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backproof_data::{Prepared, Subset};
use backproof_spec::{Architecture, Experiment, Shape, TracedLayer};
use serde::Serialize;

use crate::begun::Begun;
use crate::computation::without_kernels;
use crate::evaluate::evaluate_subset;
use crate::imbalance::images_of_each;
use crate::{Computation, Observer, RunFolder, Setup, TrainError, Trainer, WarmStartRecord};

/// The version of what `train --dry-run --json` prints.
const DRY_RUN_SCHEMA: u32 = 1;
/// Steps are measured for at least so long, or so many of them. The first is left out where there are others.
const MEASURED: Duration = Duration::from_secs(2);
const MOST_STEPS: usize = 50;

/// What a run would be.
#[derive(Debug, Clone, Serialize)]
pub struct DryRun {
    /// 1.
    pub schema_version: u32,
    /// The name of the experiment.
    pub experiment: String,
    /// Where the run folder would be, if the run began now.
    pub run_folder: PathBuf,
    /// The images of each class.
    pub classes: Vec<ClassImages>,
    /// What is to be known of the data, a sentence or a list each.
    pub notes: Vec<String>,
    /// What is to be known of the sizes of the classes, a sentence each.
    pub warnings: Vec<String>,
    /// The first weights, where they are not random ones.
    pub warm_start: Option<WarmStartRecord>,
    /// What would compute it.
    pub computation: Computation,
    /// A way to train faster, and layers without a kernel.
    pub hints: Vec<String>,
    /// The steps of the run.
    pub steps: PlannedSteps,
    /// How long it would take.
    pub time: PlannedTime,
    /// The memory that it would need.
    pub memory: PlannedMemory,
}

/// Images of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassImages {
    /// Its name.
    pub class: String,
    /// Images to train on.
    pub training: usize,
    /// Images that are held out.
    pub validation: usize,
    /// Test images.
    pub test: usize,
}

/// The steps of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PlannedSteps {
    /// Steps in all, where early stopping does not end the run before.
    pub iterations: usize,
    /// Images in a step.
    pub batch_size: usize,
    /// Steps that see as many images as there are training images.
    pub per_epoch: usize,
    /// Passes over the training images.
    pub epochs: f64,
    /// Evaluations on the validation images.
    pub validations: usize,
}

/// The time of a run on this machine, from a few steps that were measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PlannedTime {
    /// Steps that were measured.
    pub measured_steps: usize,
    /// The median of them, in seconds.
    pub seconds_per_step: f64,
    /// Seconds of an evaluation, by image.
    pub seconds_per_evaluated_image: f64,
    /// Seconds of all steps, the validations and the test.
    pub seconds: f64,
}

/// The memory of a run, in bytes. What the program takes beside it is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PlannedMemory {
    /// Parameters and running statistics.
    pub parameters: usize,
    /// A gradient for each parameter that is trained.
    pub gradients: usize,
    /// What the optimizer remembers, with the averages and slow copies of the weights.
    pub optimizer: usize,
    /// An estimate: what each layer gives for a batch, and the gradient of it. Kernels use memory again, and Burn keeps
    /// copies.
    pub activations: usize,
    /// The pixels of all images. Those of a folder are a file that the system may take out of memory.
    pub images: usize,
}

/// Prepares `experiment` and makes a few steps, to say what a run of it would be. Writes no run folder; the images of a
/// folder go into their cache, as in training.
///
/// `None` where `stop` became true.
///
/// # Errors
///
/// Data or first weights that cannot be loaded, and an engine that cannot run the network.
pub fn dry_run(
    experiment: &Experiment,
    setup: &Setup,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Option<DryRun>, TrainError> {
    let Begun { experiment, warm_start, mut trainer, computation, data, warnings, hint, .. } =
        Begun::new(experiment, setup, observer, stop)?;
    let steps = steps(&experiment, &data);
    let memory = memory(&experiment, &trainer, &data)?;
    let mut time = None;
    rayon::scope(|_| time = measure(&experiment, &mut trainer, &data, steps, stop));
    let Some((measured_steps, seconds_per_step)) = time else { return Ok(None) };
    let evaluated = if data.test.is_empty() { &data.validation } else { &data.test };
    let Some(seconds_per_evaluated_image) = measure_evaluation(&experiment, setup, &trainer, evaluated, stop)? else {
        return Ok(None);
    };
    let evaluations = steps.validations * data.validation.len() + data.test.len();
    let seconds = steps.iterations as f64 * seconds_per_step + evaluations as f64 * seconds_per_evaluated_image;
    let hints = without_kernels(&experiment, &computation)?.into_iter().chain(hint.map(str::to_owned)).collect();
    Ok(Some(DryRun {
        schema_version: DRY_RUN_SCHEMA,
        run_folder: RunFolder::next(&setup.runs_dir, &experiment),
        classes: classes(&data),
        notes: data.notes,
        warnings,
        warm_start,
        computation,
        hints,
        steps,
        time: PlannedTime { measured_steps, seconds_per_step, seconds_per_evaluated_image, seconds },
        memory,
        experiment: experiment.name,
    }))
}

/// The images of each class in the three parts.
fn classes(data: &Prepared) -> Vec<ClassImages> {
    let count = |part: &Subset| images_of_each(part, data.data_set.class_names.len());
    let [training, validation, test] = [&data.training, &data.validation, &data.test].map(count);
    let names = data.data_set.class_names.iter().enumerate();
    let of = |(at, class): (usize, &String)| ClassImages {
        class: class.clone(),
        training: training[at],
        validation: validation[at],
        test: test[at],
    };
    names.map(of).collect()
}

fn steps(experiment: &Experiment, data: &Prepared) -> PlannedSteps {
    let training = &experiment.training;
    let batches = data.training_batches(training.batch_size);
    let images = batches.images_before(training.iterations);
    let validations = match data.validation.len() {
        0 => 0,
        // One is due at the end in any case.
        _ => training.iterations.div_ceil(training.validate_every),
    };
    PlannedSteps {
        iterations: training.iterations,
        batch_size: training.batch_size,
        per_epoch: batches.steps_per_epoch(),
        epochs: images as f64 / data.training.len() as f64,
        validations,
    }
}

/// How many steps were measured, and their median in seconds; `None` where `stop` became true.
fn measure(
    experiment: &Experiment,
    trainer: &mut Trainer,
    data: &Prepared,
    steps: PlannedSteps,
    stop: &AtomicBool,
) -> Option<(usize, f64)> {
    let batches = data.training_batches(experiment.training.batch_size);
    let (begun, mut times) = (Instant::now(), Vec::new());
    for step in 0..steps.iterations.min(MOST_STEPS + 1) {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let before = Instant::now();
        trainer.step(&batches.select(step), step);
        times.push(before.elapsed().as_secs_f64());
        if begun.elapsed() >= MEASURED && times.len() > 1 {
            break;
        }
    }
    // The first step makes memory, and on a GPU programs.
    let measured = if times.len() > 1 { &mut times[1..] } else { &mut times[..] };
    measured.sort_by(f64::total_cmp);
    Some((measured.len(), measured.get(measured.len() / 2).copied().unwrap_or(0.0)))
}

/// Seconds by image; `None` where `stop` became true.
fn measure_evaluation(
    experiment: &Experiment,
    setup: &Setup,
    trainer: &Trainer,
    images: &Subset,
    stop: &AtomicBool,
) -> Result<Option<f64>, TrainError> {
    let network = trainer.evaluated_network();
    let (begun, mut seen, mut stopped) = (Instant::now(), 0, false);
    evaluate_subset(experiment, setup, &network, images, |batch, _| {
        seen += batch.len();
        stopped = stop.load(Ordering::Relaxed);
        if stopped || begun.elapsed() >= MEASURED { Break(()) } else { Continue(()) }
    })?;
    let seconds = begun.elapsed().as_secs_f64() / seen.max(1) as f64;
    Ok((!stopped).then_some(if seen == 0 { 0.0 } else { seconds }))
}

fn memory(experiment: &Experiment, trainer: &Trainer, data: &Prepared) -> Result<PlannedMemory, TrainError> {
    const NUMBER: usize = size_of::<f32>();
    let (all, trained, remembered) = trainer.numbers();
    let copies = usize::from(experiment.optimizer.lookahead.is_some())
        + usize::from(experiment.training.weight_average.is_some());
    let images: usize = [&data.training, &data.validation, &data.test].iter().map(|part| part.len()).sum();
    Ok(PlannedMemory {
        parameters: NUMBER * all,
        gradients: NUMBER * trained,
        optimizer: NUMBER * (remembered + copies * all),
        activations: 2 * NUMBER * experiment.training.batch_size * numbers_of_image(&experiment.model)?,
        images: images * data.training.images().shape().elements(),
    })
}

/// The numbers that an image becomes: the image, and what each layer gives.
fn numbers_of_image(architecture: &Architecture) -> Result<usize, TrainError> {
    let layers = architecture.trace()?;
    let outputs = layers.iter().flat_map(TracedLayer::all).map(|layer| Shape::elements(layer.output));
    Ok(architecture.input.elements() + outputs.sum::<usize>())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Silent;
    use crate::testing::{experiment, setup};

    fn dry(overrides: &[&str], runs: &Path) -> DryRun {
        dry_run(&experiment(overrides), &setup(runs), &mut Silent, &AtomicBool::new(false)).unwrap().unwrap()
    }

    #[test]
    fn it_counts_images_steps_and_numbers_and_writes_nothing() {
        let runs = tempfile::tempdir().unwrap();
        let set = ["data.validation_images=500", "training.iterations=250", "training.validate_every=100"];
        let found = dry(&[&set[..], &["training.batch_size=16", "engine=compiled"]].concat(), runs.path());
        let sum = |of: fn(&ClassImages) -> usize| found.classes.iter().map(of).sum::<usize>();
        assert_eq!([sum(|it| it.training), sum(|it| it.validation), sum(|it| it.test)], [4_000, 500, 500]);
        let steps = PlannedSteps { iterations: 250, batch_size: 16, per_epoch: 250, epochs: 1.0, validations: 3 };
        assert_eq!(found.steps, steps);
        // 14,682 parameters, each with a gradient and a momentum.
        let numbers = 4 * 14_682;
        let PlannedMemory { parameters, gradients, optimizer, activations, images } = found.memory;
        assert_eq!([parameters, gradients, optimizer, images], [numbers, numbers, numbers, 5_000 * 784]);
        // 28·28 pixels; twice 16 maps of them, 16 of 14·14, twice 16 of 14·14, 16 of 7·7 twice, and 10 classes.
        let each = 784 + 2 * 16 * 784 + 16 * 196 + 2 * 16 * 196 + 16 * 49 + 16 * 49 + 10;
        assert_eq!(activations, 2 * 4 * 16 * each);
        assert!(found.time.measured_steps > 1 && found.time.seconds > 0.0, "{:?}", found.time);
        assert!(found.run_folder.starts_with(runs.path().join("test")), "{found:?}");
        assert_eq!(std::fs::read_dir(runs.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_optimizers_remember_and_copies_are_counted() {
        let runs = tempfile::tempdir().unwrap();
        let remembered = |set: &[&str]| dry(set, runs.path()).memory.optimizer / 4;
        assert_eq!(remembered(&["optimizer.kind=adam"]), 2 * 14_682);
        assert_eq!(remembered(&["optimizer.kind=sgd"]), 0);
        assert_eq!(remembered(&["training.weight_average.decay=0.9"]), 2 * 14_682);
        let frozen = "optimizer.groups=[{ parameters = \"conv1*\", frozen_from = 0 }]";
        assert!(remembered(&["optimizer.kind=adam", frozen]) <= 2 * 14_682);
    }
}
