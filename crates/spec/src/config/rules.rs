//! The rules that need more than one key.

mod optimizer;

use super::check::Fault;
use super::document::Span;
use super::record::Record;
use crate::{
    Architecture, ClassWeights, CropBorder, Data, DataSet, DataSets, Engine, Experiment, Kernels, Loss, Order, Shape,
    Views, Watch, counted,
};

/// The most padding that an error proposes; more would be mostly margin.
const MOST_PADDING: usize = 4;

/// What is wrong with an experiment each of whose keys is right; `record` says where the keys stand. What needs the
/// data set is checked where it is `known`.
pub(super) fn check(
    experiment: &Experiment,
    known: Option<&DataSet>,
    record: &Record,
    data_sets: &DataSets,
) -> Vec<Fault> {
    let mut faults = match known {
        Some(data_set) => check_data_set(experiment, data_set, record, data_sets),
        None => Vec::new(),
    };
    if let Err(error) = experiment.model.classes() {
        faults.push(Fault::of_shape(error, network_span(record.table("model"))));
    }
    check_engine(experiment, record, &mut faults);
    optimizer::check(experiment, record.table("optimizer"), &mut faults);
    check_warm_start(experiment, record.table("model"), &mut faults);
    check_early_stopping(experiment, record, &mut faults);
    check_loss(experiment, record.table("training"), &mut faults);
    faults
}

/// What does not go with the data set; `data_sets` are those that errors may propose in its place.
pub(super) fn check_data_set(
    experiment: &Experiment,
    data_set: &DataSet,
    record: &Record,
    data_sets: &DataSets,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    check_data(experiment, data_set, record.table("data"), &mut faults);
    // Images of an impossible size fit no network, which needs no saying.
    if faults.is_empty() {
        check_model(experiment, data_set, data_sets, record.table("model"), &mut faults);
    }
    check_batch_size(experiment, data_set, record, &mut faults);
    check_views(experiment, data_set, record, &mut faults);
    faults
}

/// A vector has no mirror, and an image of one row or column nothing to mirror at its border.
fn check_views(experiment: &Experiment, data_set: &DataSet, record: &Record, faults: &mut Vec<Fault>) {
    let views = experiment.views;
    let expected = match (views, experiment.data.padded(data_set.shape)) {
        (Views::One, _) | (Views::Mirror, Shape::Image { .. }) => return,
        (Views::Six, Shape::Image { height: 2.., width: 2.., .. }) => return,
        (Views::Mirror, _) => "images",
        (Views::Six, _) => "images of at least 2×2 pixels",
    };
    let found = match data_set.shape {
        Shape::Vector { features } => format!("vectors of {}", counted(features, "feature")),
        image => format!("images of {image}"),
    };
    let message = format!("views = \"{}\" needs {expected}, and {} has {found}", views.name(), data_set.name);
    let span = record.table("evaluation").span_of("views");
    faults.push(Fault::new(message, span).help("leave out `views`, or use `views = \"one\"`"));
}

fn check_data(experiment: &Experiment, data_set: &DataSet, record: &Record, faults: &mut Vec<Fault>) {
    let data = &experiment.data;
    let (name, total) = (&data_set.name, data_set.training_images);
    if data.validation_images >= total {
        faults.push(
            Fault::new(
                format!(
                    "validation_images = {} leaves nothing to train on: {name} has {}",
                    data.validation_images,
                    counted(total, "training image")
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
                "training_images = {limit} is more than the {left} left of {name}'s {total} after {} for validation",
                data.validation_images
            ),
            record.span_of("training_images"),
        ));
    }
    let Shape::Image { height, width, .. } = data_set.shape else { return };
    let paddings = [
        ("padding", data.padding, record.span_of("padding")),
        ("crop_padding", data.augmentation.crop_padding, record.table("augmentation").span_of("crop_padding")),
    ];
    check_augmentation(data, [height, width], record.table("augmentation"), faults);
    for (key, padding, span) in paddings {
        if padding > height.min(width) {
            let message = format!("{key} = {padding} is more than the {height}×{width} pixels of {name}");
            faults.push(Fault::new(message, span));
        }
    }
}

/// What does not go together, or with images of this size.
fn check_augmentation(data: &Data, [height, width]: [usize; 2], record: &Record, faults: &mut Vec<Fault>) {
    let it = &data.augmentation;
    let mut fault = |message: String, key: &str, help: &str| {
        faults.push(Fault::new(message, record.span_of(key)).help(help));
    };
    if it.horizontal_flip && it.alternating_flip {
        let message = "`horizontal_flip` and `alternating_flip` both mirror images".to_owned();
        fault(message, "alternating_flip", "leave out one of them");
    }
    if it.mixup > 0.0 && it.cutmix > 0.0 {
        let message = "`mixup` and `cutmix` both mix the images of a batch".to_owned();
        fault(message, "cutmix", "leave out one of them");
    }
    if it.alternating_flip && data.order != Order::Epochs {
        let message = format!("`alternating_flip` goes by epochs, and `order = \"{}\"` has none", data.order.name());
        fault(message, "alternating_flip", "use `horizontal_flip`, or leave out `order`");
    }
    if it.crop_border == CropBorder::Reflect && it.crop_padding == 0 {
        let message = "`crop_border` has no effect: `crop_padding` is 0".to_owned();
        fault(message, "crop_border", "set `crop_padding`, or leave `crop_border` out");
    }
    // Mirrored at the first row, an image has one row less than it has.
    if it.crop_border == CropBorder::Reflect && it.crop_padding >= height.min(width) {
        let message = format!(
            "crop_padding = {} is too much for {height}×{width} pixels that are mirrored once",
            it.crop_padding
        );
        fault(
            message,
            "crop_padding",
            &format!("with `crop_border = \"reflect\"`, use {} or less", height.min(width) - 1),
        );
    }
    if it.cutout > 2 * height.max(width) {
        let message = format!("cutout = {} covers {height}×{width} pixels wherever it is", it.cutout);
        fault(message, "cutout", "use a smaller square");
    }
}

/// `kernels = "off"` with the manual engine says what holds anyway.
fn check_engine(experiment: &Experiment, record: &Record, faults: &mut Vec<Fault>) {
    if (experiment.engine, experiment.kernels) == (Engine::Compiled, Kernels::Off) {
        let message = "engine = \"compiled\" runs only on the kernels, and kernels = \"off\" turns them off";
        let help = "leave out `kernels`; or use `engine = \"manual\"`, the same backward passes on Burn's tensors";
        faults.push(Fault::new(message, record.span_of("kernels")).help(help));
    }
}

fn check_batch_size(experiment: &Experiment, data_set: &DataSet, record: &Record, faults: &mut Vec<Fault>) {
    let images = experiment.data.epoch_images(data_set.training_images);
    let batch_size = experiment.training.batch_size;
    if images > 0 && batch_size > images {
        // A default batch may be too large only for the images that the file asks for.
        let asked = record.table("training").field("batch_size").span;
        let span = asked.or_else(|| record.table("data").span_of("training_images"));
        let images = counted(images, "training image");
        faults.push(Fault::new(format!("batch_size = {batch_size} is more than the {images}"), span));
    }
}

fn check_early_stopping(experiment: &Experiment, record: &Record, faults: &mut Vec<Fault>) {
    let Some(rule) = experiment.training.early_stopping else { return };
    if rule.watch != Watch::TrainingLoss && experiment.data.validation_images == 0 {
        let message = format!("watch = \"{}\" needs validation images, and there are none", rule.watch.name());
        let table = record.table("training").optional_table("early_stopping");
        let help = "set `validation_images` under [data], or watch \"training-loss\"";
        faults.push(Fault::new(message, table.and_then(|table| table.span_of("watch"))).help(help));
    }
}

/// What only the cross-entropy has, and a weight for each class.
fn check_loss(experiment: &Experiment, record: &Record, faults: &mut Vec<Fault>) {
    let training = &experiment.training;
    let asked =
        [("label_smoothing", training.label_smoothing != 0.0), ("class_weights", training.class_weights.is_some())];
    for (key, _) in asked.iter().filter(|(_, asked)| *asked && training.loss != Loss::CrossEntropy) {
        let message = format!("{key} has no effect with loss = \"{}\"", training.loss.name());
        faults.push(Fault::new(message, record.span_of(key)).help("use loss = \"cross-entropy\", or leave it out"));
    }
    if let (Some(ClassWeights::Each(weights)), Ok(classes)) = (&training.class_weights, experiment.model.classes())
        && weights.len() != classes
    {
        let (weights, classes) = (counted(weights.len(), "weight"), counted(classes, "class"));
        let message = format!("class_weights has {weights}, and the network has {classes}");
        faults.push(Fault::new(message, record.span_of("class_weights")));
    }
}

fn check_warm_start(experiment: &Experiment, record: &Record, faults: &mut Vec<Fault>) {
    if experiment.warm_start.is_none() {
        for key in ["freeze", "resize"].into_iter().filter(|key| record.flag(key)) {
            let message = format!("{key} = true has no effect without `init_from`");
            faults.push(Fault::new(message, record.span_of(key)).help("add `init_from = \"runs/EXPERIMENT/latest\"`"));
        }
    }
}

fn check_model(
    experiment: &Experiment,
    data_set: &DataSet,
    data_sets: &DataSets,
    record: &Record,
    faults: &mut Vec<Fault>,
) {
    let (model, data, name) = (&experiment.model, &experiment.data, &data_set.name);
    let span = network_span(record);
    let shape = data.padded(data_set.shape);
    if model.input != shape {
        let span = record.field("input").span.or(span);
        let padded = if data.padding > 0 { ", padded," } else { "" };
        let message = format!("`{}` takes images of {}, and {name}{padded} has {shape}", model.name, model.input);
        faults.push(Fault::new(message, span).help(fitting(model, data, data_set, data_sets)));
    }
    let expected = data_set.classes();
    if let Ok(found) = model.classes()
        && found != expected
    {
        let (scores, classes) = (counted(found, "score"), counted(expected, "class"));
        let message = format!("`{}` ends in {scores}, and {name} has {classes}", model.name);
        let help = format!("end it with a `linear` layer of {}", counted(expected, "feature"));
        faults.push(Fault::new(message, span).help(help));
    }
}

/// Where the network as a whole is spelled out, or named.
fn network_span(model: &Record) -> Option<Span> {
    let layers = model.optional_list("layers").and_then(|layers| layers.last()).and_then(|layer| layer.record.span);
    layers.or_else(|| model.span_of("name"))
}

/// What to do about a network and data that do not fit: the networks or the data sets that do, or a padding.
fn fitting(model: &Architecture, data: &Data, data_set: &DataSet, data_sets: &DataSets) -> String {
    let with = |padding| Data { padding, ..data.clone() }.padded(data_set.shape);
    if let Some(padding) = (0..=MOST_PADDING).find(|&padding| with(padding) == model.input) {
        return format!("`padding = {padding}` under [data] makes the images of {} {}", data_set.name, model.input);
    }
    let shape = data.padded(data_set.shape);
    let networks: Vec<&str> = crate::published::names()
        .iter()
        .copied()
        .filter(|name| crate::published::by_name(name).is_some_and(|it| it.input == shape))
        .collect();
    let fitting: Vec<&str> = data_sets
        .known()
        .filter(|other| data.padded(other.shape) == model.input)
        .map(|other| other.name.as_str())
        .collect();
    let networks = match networks[..] {
        [] if crate::published::for_images(shape).is_some() => {
            format!("no published network takes {shape}: `name = \"auto\"` fits one to it")
        }
        [] => format!("no published network takes {shape}: spell one out with `input = {:?}`", shape.dimensions()),
        _ => super::suggest::list(&format!("networks for {}", data_set.name), &networks),
    };
    if fitting.is_empty() {
        networks
    } else {
        let for_model = super::suggest::list(&format!("data sets for {}", model.input), &fitting);
        format!("{networks}; {for_model}")
    }
}
