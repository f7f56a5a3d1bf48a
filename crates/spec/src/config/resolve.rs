//! A checked table into an [`Experiment`].

use super::check::Fault;
use super::folder;
use super::model;
use super::optimizer::optimizer;
use super::record::{Chosen, Record};
use super::rules;
use crate::{
    Augmentation, Averages, ClassWeights, CropBorder, Data, DataSet, DataSets, EarlyStopping, Engine, Expect,
    Experiment, ImageSource, Kernels, Loss, MeanOf, Normalization, Order, Pixels, Training, Views, WarmStart, Watch,
    WeightAverage,
};

pub(super) fn experiment(record: &Record, default_name: &str, data_sets: &DataSets) -> Result<Experiment, Vec<Fault>> {
    let named = model::resolve(record.table("model")).map_err(|fault| vec![fault])?;
    let images = folder::images(record.table("data"), named.as_ref())?;
    let known = folder::known(&images, record.table("data"), data_sets).map_err(|fault| vec![fault])?;
    let known = known.as_deref();
    let data = data(record.table("data"), images, known);
    let model = match named {
        Some(model) => folder::fitted(model, &data, known, record),
        None => model::chosen(record.table("model"), &data, known),
    };
    let model = model.map_err(|fault| vec![fault])?;
    let iterations = iterations(record, &data, known).map_err(|fault| vec![fault])?;
    let experiment = Experiment {
        name: record.optional_text("name").unwrap_or(default_name).to_owned(),
        seed: record.integer("seed"),
        engine: record.choice("engine", &Engine::ALL, |engine| engine.name()),
        kernels: record.choice("kernels", &Kernels::ALL, |kernels| kernels.name()),
        data,
        model,
        warm_start: warm_start(record.table("model")),
        optimizer: optimizer(record.table("optimizer")),
        training: training(record.table("training"), iterations),
        views: record.table("evaluation").choice("views", &Views::ALL, |views| views.name()),
        explained_images: record.table("evaluation").count("explained_images"),
        check_gradients: record.table("check").flag("gradients"),
        expect: record.optional_table("expect").map(|expect| Expect { test_accuracy: expect.number("test_accuracy") }),
    };
    let faults = rules::check(&experiment, known, record, data_sets);
    if faults.is_empty() { Ok(experiment) } else { Err(faults) }
}

fn data(record: &Record, images: ImageSource, known: Option<&DataSet>) -> Data {
    let augmentation = record.table("augmentation");
    Data {
        validation_images: folder::validation_images(&images, record, known),
        images,
        training_images: record.optional_count("training_images"),
        padding: record.count("padding"),
        normalization: normalization(record.chosen("normalization")),
        order: record.choice("order", &Order::ALL, |order| order.name()),
        augmentation: Augmentation {
            horizontal_flip: augmentation.flag("horizontal_flip"),
            alternating_flip: augmentation.flag("alternating_flip"),
            crop_padding: augmentation.count("crop_padding"),
            crop_border: augmentation.choice("crop_border", &CropBorder::ALL, |border| border.name()),
            cutout: augmentation.count("cutout"),
            brightness: augmentation.number("brightness"),
            contrast: augmentation.number("contrast"),
            mixup: augmentation.number("mixup"),
            cutmix: augmentation.number("cutmix"),
        },
    }
}

fn normalization(chosen: &Chosen) -> Normalization {
    match chosen.variant {
        "subtract-mean" => Normalization::SubtractMean {
            of: chosen.record.choice("of", &MeanOf::ALL, |of| of.name()),
            pixels: chosen.record.choice("pixels", &Pixels::ALL, |pixels| pixels.name()),
        },
        "unit" => Normalization::Unit,
        "bytes" => Normalization::Bytes,
        _ => Normalization::Standardize,
    }
}

fn warm_start(record: &Record) -> Option<WarmStart> {
    let init_from = record.optional_text("init_from")?.to_owned();
    Some(WarmStart { init_from, freeze: record.flag("freeze"), resize: record.flag("resize") })
}

/// The length of the run: as it is given, or from its epochs.
fn iterations(record: &Record, data: &Data, known: Option<&DataSet>) -> Result<usize, Fault> {
    let training = record.table("training");
    let Some(epochs) = training.optional_count("epochs") else { return Ok(training.count("iterations")) };
    let Some(known) = known else {
        let name = data.images.name();
        let message = format!("the number of images of `{name}` is not known before its files are read");
        let help = "give `iterations` in place of `epochs`";
        return Err(Fault::new(message, training.span_of("epochs")).help(help));
    };
    let batches = data.epoch_images(known.training_images).div_ceil(training.count("batch_size"));
    Ok(epochs.saturating_mul(batches.max(1)))
}

fn training(record: &Record, iterations: usize) -> Training {
    Training {
        loss: record.choice("loss", &Loss::ALL, |loss| loss.name()),
        label_smoothing: record.number("label_smoothing"),
        class_weights: class_weights(record),
        iterations,
        batch_size: record.count("batch_size"),
        report_every: record.count("report_every"),
        validate_every: record.count("validate_every"),
        checkpoint_every: record.count("checkpoint_every"),
        layers_every: record.count("layers_every"),
        keep: record.counts("keep"),
        averages: record.choice("averages", &Averages::ALL, |averages| averages.name()),
        early_stopping: record.optional_table("early_stopping").map(|rule| EarlyStopping {
            watch: rule.choice("watch", &Watch::ALL, |watch| watch.name()),
            patience: rule.count("patience"),
            least_change: rule.number("least_change"),
            restore_best: rule.flag("restore_best"),
        }),
        weight_average: record
            .optional_table("weight_average")
            .map(|average| WeightAverage { decay: average.number("decay") }),
    }
}

fn class_weights(record: &Record) -> Option<ClassWeights> {
    let each = record.numbers("class_weights").map(|weights| ClassWeights::Each(weights.to_vec()));
    each.or_else(|| record.is_there("class_weights").then_some(ClassWeights::Balanced))
}
