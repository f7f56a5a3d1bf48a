//! A checked table into an [`Experiment`], and the rules that need more than one key.

use super::check::Fault;
use super::document::Span;
use super::model;
use super::record::Record;
use crate::{
    Architecture, Augmentation, Data, Dataset, Engine, Expect, Experiment, Normalization, Optimizer, OptimizerKind,
    Schedule, Shape, Training,
};

pub(super) fn experiment(record: &Record, default_name: &str) -> Result<Experiment, Vec<Fault>> {
    let model = model::resolve(record.table("model")).map_err(|fault| vec![fault])?;
    let experiment = Experiment {
        name: record.optional_text("name").unwrap_or(default_name).to_owned(),
        seed: record.integer("seed"),
        engine: choice(record, "engine", &Engine::ALL, |engine| engine.name()),
        data: data(record.table("data")),
        model,
        optimizer: optimizer(record.table("optimizer")),
        training: training(record.table("training")),
        expect: record.optional_table("expect").map(|expect| Expect { test_accuracy: expect.number("test_accuracy") }),
    };
    let mut faults = Vec::new();
    check_data(&experiment, record.table("data"), &mut faults);
    check_lengths(&experiment, record, &mut faults);
    check_model(&experiment, record, &mut faults);
    if faults.is_empty() { Ok(experiment) } else { Err(faults) }
}

fn data(record: &Record) -> Data {
    let augmentation = record.table("augmentation");
    Data {
        dataset: choice(record, "dataset", &Dataset::ALL, |dataset| dataset.name()),
        training_images: record.optional_count("training_images"),
        validation_images: record.count("validation_images"),
        normalization: choice(record, "normalization", &Normalization::ALL, |it| it.name()),
        augmentation: Augmentation {
            horizontal_flip: augmentation.flag("horizontal_flip"),
            crop_padding: augmentation.count("crop_padding"),
        },
    }
}

fn optimizer(record: &Record) -> Optimizer {
    let schedule = record.chosen("schedule");
    Optimizer {
        kind: choice(record, "kind", &OptimizerKind::ALL, |kind| kind.name()),
        learning_rate: record.number("learning_rate"),
        momentum: record.number("momentum"),
        weight_decay: record.number("weight_decay"),
        warmup: record.count("warmup"),
        schedule: match schedule.variant {
            "step" => {
                Schedule::Step { every: schedule.record.count("every"), factor: schedule.record.number("factor") }
            }
            "cosine" => Schedule::Cosine { final_fraction: schedule.record.number("final_fraction") },
            _ => Schedule::Constant,
        },
    }
}

fn training(record: &Record) -> Training {
    Training {
        iterations: record.count("iterations"),
        batch_size: record.count("batch_size"),
        report_every: record.count("report_every"),
        validate_every: record.count("validate_every"),
        checkpoint_every: record.count("checkpoint_every"),
    }
}

/// The one of `all` that is named; the description of the config admits no other names.
fn choice<T: Copy>(record: &Record, key: &str, all: &[T], name: impl Fn(T) -> &'static str) -> T {
    let text = record.text(key);
    all.iter()
        .copied()
        .find(|&it| name(it) == text)
        .unwrap_or_else(|| panic!("the description of a config has a `{key}` too many: `{text}`"))
}

fn check_data(experiment: &Experiment, record: &Record, faults: &mut Vec<Fault>) {
    let data = &experiment.data;
    let (name, total) = (data.dataset.name(), data.dataset.training_images());
    if data.validation_images >= total {
        faults.push(
            Fault::new(
                format!(
                    "validation_images = {} leaves nothing to train on: {name} has {total} training images",
                    data.validation_images
                ),
                record.span_of("validation_images"),
            )
            .help(format!("use {} or fewer", total - 1)),
        );
        return;
    }
    let left = total - data.validation_images;
    if let Some(limit) = data.training_images.filter(|&limit| limit > left) {
        faults.push(Fault::new(
            format!(
                "training_images = {limit} is more than the {left} that are left of {name}'s {total} after {} for validation",
                data.validation_images
            ),
            record.span_of("training_images"),
        ));
    }
    let padding = data.augmentation.crop_padding;
    if let Shape::Image { height, width, .. } = data.dataset.shape()
        && padding > height.min(width)
    {
        faults.push(Fault::new(
            format!("crop_padding = {padding} is more than the {height}×{width} pixels of {name}"),
            record.table("augmentation").span_of("crop_padding"),
        ));
    }
}

fn check_lengths(experiment: &Experiment, record: &Record, faults: &mut Vec<Fault>) {
    let (training, optimizer) = (&experiment.training, &experiment.optimizer);
    if optimizer.warmup > training.iterations {
        faults.push(Fault::new(
            format!("warmup = {} is more than the {} iterations of the run", optimizer.warmup, training.iterations),
            record.table("optimizer").span_of("warmup"),
        ));
    }
    let images = experiment.data.epoch_images();
    if images > 0 && training.batch_size > images {
        // A default batch may be too large only for the images that the file asks for.
        let asked = record.table("training").field("batch_size").span;
        let span = asked.or_else(|| record.table("data").span_of("training_images"));
        faults.push(Fault::new(
            format!("batch_size = {} is more than the {images} training images", training.batch_size),
            span,
        ));
    }
}

fn check_model(experiment: &Experiment, record: &Record, faults: &mut Vec<Fault>) {
    let (model, dataset) = (&experiment.model, experiment.data.dataset);
    let table = record.table("model");
    let span = network_span(table);
    if model.input != dataset.shape() {
        let span = table.field("input").span.or(span);
        faults.push(
            Fault::new(
                format!("`{}` takes images of {}, and {dataset} has {}", model.name, model.input, dataset.shape()),
                span,
            )
            .help(fitting(model, dataset)),
        );
    }
    match model.classes() {
        Ok(classes) if classes == dataset.classes() => {}
        Ok(classes) => faults.push(
            Fault::new(
                format!("`{}` ends in {classes} scores, and {dataset} has {} classes", model.name, dataset.classes()),
                span,
            )
            .help(format!("end it with a `linear` layer of {} features", dataset.classes())),
        ),
        Err(error) => faults.push(Fault::of_shape(error, span)),
    }
}

/// Where the network as a whole is spelled out, or named.
fn network_span(model: &Record) -> Option<Span> {
    let layers = model.optional_list("layers").and_then(|layers| layers.last()).and_then(|layer| layer.record.span);
    layers.or_else(|| model.span_of("name"))
}

/// What to do about a network and a data set that do not fit: the data sets or the networks that do.
fn fitting(model: &Architecture, dataset: Dataset) -> String {
    let networks: Vec<&str> = crate::published::names()
        .iter()
        .copied()
        .filter(|name| crate::published::by_name(name).is_some_and(|it| it.input == dataset.shape()))
        .collect();
    let datasets: Vec<&str> =
        Dataset::ALL.into_iter().filter(|dataset| dataset.shape() == model.input).map(Dataset::name).collect();
    let networks = super::suggest::list(&format!("networks for {dataset}"), &networks);
    if datasets.is_empty() {
        networks
    } else {
        let for_model = super::suggest::list(&format!("data sets for {}", model.input), &datasets);
        format!("{networks}; {for_model}")
    }
}
