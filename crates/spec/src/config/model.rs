//! `[model]` into an [`Architecture`], and its shapes checked.

use super::check::Fault;
use super::record::{Chosen, Record};
use super::suggest;
use crate::{Architecture, AvgPool2d, BatchNorm, Conv2d, Dropout, Layer, Linear, MaxPool2d, ShapeError, published};

/// What a network is called that is spelled out and has no name.
const UNNAMED: &str = "custom";

pub(super) fn resolve(record: &Record) -> Result<Architecture, Fault> {
    let name = record.optional_text("name");
    let architecture = match (name, record.optional_shape("input"), record.optional_list("layers")) {
        (Some(name), None, None) => published_network(name, record)?,
        (name, Some(input), Some(layers)) => {
            Architecture { name: name.unwrap_or(UNNAMED).to_owned(), input, layers: layers.iter().map(layer).collect() }
        }
        (None, None, None) => {
            return Err(Fault::new("the network is missing in [model]", record.span)
                .help("add `name = \"mnist-baseline\"` under [model], or an `input` and `layers`"));
        }
        (_, Some(_), None) => return Err(half(record, "input", "layers")),
        (_, None, Some(_)) => return Err(half(record, "layers", "input")),
    };
    check_name(&architecture, record)?;
    architecture.trace().map_err(|error| shape_fault(error, record))?;
    Ok(architecture)
}

fn published_network(name: &str, record: &Record) -> Result<Architecture, Fault> {
    published::by_name(name).ok_or_else(|| {
        let help =
            suggest::nearest(name, published::names()).unwrap_or_else(|| suggest::list("networks", published::names()));
        Fault::new(format!("unknown network `{name}`"), record.span_of("name")).help(help)
    })
}

fn half(record: &Record, there: &str, absent: &str) -> Fault {
    Fault::new(format!("[model] has `{there}` without `{absent}`"), record.span_of(there))
        .help("a network is the `name` of a published one, or both `input` and `layers`")
}

/// A published name stands for the published layers.
fn check_name(architecture: &Architecture, record: &Record) -> Result<(), Fault> {
    match published::by_name(&architecture.name) {
        Some(published) if published != *architecture => Err(Fault::new(
            format!("the layers are not those of the published network `{}`", architecture.name),
            record.span_of("name"),
        )
        .help("give the network another name, or leave out `input` and `layers`")),
        _ => Ok(()),
    }
}

/// A misfit at the layer where it is, or at the network as a whole.
fn shape_fault(error: ShapeError, record: &Record) -> Fault {
    let layer = error
        .position
        .checked_sub(1)
        .and_then(|index| record.optional_list("layers").and_then(|layers| layers.get(index)));
    let span = layer.and_then(|layer| layer.record.span).or(record.span_of("layers"));
    Fault::of_shape(error, span)
}

fn layer(chosen: &Chosen) -> Layer {
    let record = &chosen.record;
    match chosen.variant {
        "conv2d" => Layer::Conv2d(Conv2d {
            out_channels: record.count("out_channels"),
            kernel: record.size("kernel"),
            stride: record.size("stride"),
            padding: record.size("padding"),
            dilation: record.size("dilation"),
            groups: record.count("groups"),
            bias: record.flag("bias"),
        }),
        "max_pool2d" => Layer::MaxPool2d(MaxPool2d {
            kernel: record.size("kernel"),
            stride: record.optional_size("stride"),
            padding: record.size("padding"),
            dilation: record.size("dilation"),
            ceil_mode: record.flag("ceil_mode"),
        }),
        "avg_pool2d" => Layer::AvgPool2d(AvgPool2d {
            kernel: record.size("kernel"),
            stride: record.optional_size("stride"),
            padding: record.size("padding"),
            ceil_mode: record.flag("ceil_mode"),
            count_include_pad: record.flag("count_include_pad"),
        }),
        "linear" => Layer::Linear(Linear { out_features: record.count("out_features"), bias: record.flag("bias") }),
        "flatten" => Layer::Flatten,
        "relu" => Layer::Relu,
        "leaky_relu" => Layer::LeakyRelu { slope: record.number("slope") },
        "prelu" => Layer::Prelu { initial_slope: record.number("initial_slope") },
        "elu" => Layer::Elu { alpha: record.number("alpha") },
        "gelu" => Layer::Gelu,
        "sigmoid" => Layer::Sigmoid,
        "tanh" => Layer::Tanh,
        "batch_norm" => {
            Layer::BatchNorm(BatchNorm { epsilon: record.number("epsilon"), momentum: record.number("momentum") })
        }
        "dropout" => Layer::Dropout(Dropout { probability: record.number("probability") }),
        other => panic!("the description of a config has a layer too many: `{other}`"),
    }
}
