//! A checked table into an [`Experiment`].

use super::check::Fault;
use super::model;
use super::optimizer::optimizer;
use super::record::{Chosen, Record};
use super::rules;
use crate::{
    Augmentation, Averages, ClassWeights, CropBorder, Data, DataSets, EarlyStopping, Engine, Expect, Experiment,
    Kernels, Loss, MeanOf, Normalization, Order, Pixels, Training, Views, WarmStart, Watch, WeightAverage,
};

pub(super) fn experiment(record: &Record, default_name: &str, data_sets: &DataSets) -> Result<Experiment, Vec<Fault>> {
    let model = model::resolve(record.table("model")).map_err(|fault| vec![fault])?;
    let data = data(record.table("data"));
    let iterations = iterations(record, &data, data_sets).map_err(|fault| vec![fault])?;
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
        check_gradients: record.table("check").flag("gradients"),
        expect: record.optional_table("expect").map(|expect| Expect { test_accuracy: expect.number("test_accuracy") }),
    };
    let faults = rules::check(&experiment, record, data_sets);
    if faults.is_empty() { Ok(experiment) } else { Err(faults) }
}

fn data(record: &Record) -> Data {
    let augmentation = record.table("augmentation");
    Data {
        dataset: record.text("dataset").to_owned(),
        training_images: record.optional_count("training_images"),
        validation_images: record.count("validation_images"),
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
fn iterations(record: &Record, data: &Data, data_sets: &DataSets) -> Result<usize, Fault> {
    let training = record.table("training");
    let Some(epochs) = training.optional_count("epochs") else { return Ok(training.count("iterations")) };
    let Some(known) = data_sets.by_name(&data.dataset) else {
        let message = format!("the number of images of `{}` is not known before its files are read", data.dataset);
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
