//! `[model]` into an [`Architecture`], and its shapes checked.

use super::check::Fault;
use super::record::Record;
use super::suggest;
use crate::{Architecture, Initialization, LayerSpec, ShapeError, published};

/// What a network is called that is spelled out and has no name.
const UNNAMED: &str = "custom";

pub(super) fn resolve(record: &Record) -> Result<Architecture, Fault> {
    let name = record.optional_text("name");
    let mut architecture = match (name, record.optional_shape("input"), record.optional_list("layers")) {
        (Some(name), None, None) => published_network(name, record)?,
        (name, Some(input), Some(layers)) => {
            let layers = layers.iter().map(|layer| LayerSpec::read(layer.variant, &layer.record)).collect();
            Architecture { name: name.unwrap_or(UNNAMED).to_owned(), input, layers }
        }
        (None, None, None) => {
            return Err(Fault::new("the network is missing in [model]", record.span)
                .help("add `name = \"mnist-baseline\"` under [model], or an `input` and `layers`"));
        }
        (_, Some(_), None) => return Err(half(record, "input", "layers")),
        (_, None, Some(_)) => return Err(half(record, "layers", "input")),
    };
    let initialization = |key: &str| {
        let chosen = record.optional_chosen(key).or_else(|| record.optional_chosen("initialization"));
        chosen.map(Initialization::read)
    };
    architecture.initialize(initialization("conv2d_initialization"), initialization("linear_initialization"));
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
        Some(published) if published != architecture.without_initialization() => Err(Fault::new(
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
