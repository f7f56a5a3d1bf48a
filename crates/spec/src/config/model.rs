//! `[model]` into an [`Architecture`], and its shapes checked.

use super::check::Fault;
use super::record::{Chosen, Record};
use super::suggest;
use crate::{Architecture, Data, DataSet, Initialization, LayerSpec, ReluSpec, ShapeError, published};

/// What a network is called that is spelled out and has no name.
const UNNAMED: &str = "custom";

/// The network that a config says by itself; `None` where the images choose it.
pub(super) fn resolve(record: &Record) -> Result<Option<Architecture>, Fault> {
    let name = record.optional_text("name");
    let architecture = match (name, record.optional_shape("input"), record.optional_list("layers")) {
        (Some(published::AUTO), None, None) => return Ok(None),
        (Some(name), None, None) => published_network(name, record)?,
        (name, Some(input), Some(layers)) => {
            let layers = layers.iter().map(Chosen::layer).collect();
            Architecture { name: name.unwrap_or(UNNAMED).to_owned(), input, layers }
        }
        (None, None, None) => {
            return Err(Fault::new("the network is missing in [model]", record.span)
                .help("add `name = \"mnist-baseline\"` under [model], or an `input` and `layers`"));
        }
        (_, Some(_), None) => return Err(half(record, "input", "layers")),
        (_, None, Some(_)) => return Err(half(record, "layers", "input")),
    };
    settled(architecture, record).map(Some)
}

/// The network for the images of `data`, of which `known` is known.
pub(super) fn chosen(record: &Record, data: &Data, known: Option<&DataSet>) -> Result<Architecture, Fault> {
    let fault = |message: String, help: &str| Err(Fault::new(message, record.span_of("name")).help(help));
    let Some(known) = known else {
        let images = data.images.name();
        let message =
            format!("`auto` chooses by the images, and those of `{images}` are not known before they are read");
        return fault(message, "give the `name` of a network");
    };
    let shape = data.padded(known.shape);
    let Some(network) = published::for_images(shape) else {
        let least = published::LEAST_SIDE;
        let message = format!("`auto` has networks for images of at least {least}×{least} pixels, and not for {shape}");
        return fault(message, "give the `name` of a network, or `input` and `layers`");
    };
    let fitted = network.fitted(shape, known.classes());
    settled(fitted.map_err(|error| Fault::of_shape(error, record.span_of("name")))?, record)
}

/// A network with what the other keys say of its layers, and its shapes checked.
fn settled(mut architecture: Architecture, record: &Record) -> Result<Architecture, Fault> {
    let initialization = |key: &str| {
        let chosen = record.optional_chosen(key).or_else(|| record.optional_chosen("initialization"));
        chosen.map(Initialization::read)
    };
    set_layers(&mut architecture, record)?;
    check_initializations(&architecture, record)?;
    architecture.initialize(initialization("conv2d_initialization"), initialization("linear_initialization"));
    check_name(&architecture, record)?;
    architecture.trace().map_err(|error| shape_fault(error, record))?;
    Ok(architecture)
}

fn published_network(name: &str, record: &Record) -> Result<Architecture, Fault> {
    published::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = published::names().iter().copied().chain([published::AUTO]).collect();
        let help = suggest::nearest(name, &names).unwrap_or_else(|| suggest::list("networks", &names));
        Fault::new(format!("unknown network `{name}`"), record.span_of("name")).help(help)
    })
}

fn half(record: &Record, there: &str, absent: &str) -> Fault {
    Fault::new(format!("[model] has `{there}` without `{absent}`"), record.span_of(there))
        .help("a network is the `name` of a published one, or both `input` and `layers`")
}

/// The keys that set all layers of one type in a published network.
fn set_layers(architecture: &mut Architecture, record: &Record) -> Result<(), Fault> {
    if let Some(gradient) = record.optional_count("relu_gradient_at_zero") {
        let relu = ReluSpec { gradient_at_zero: u8::from(gradient == 1) };
        let in_layer = "write `{ type = \"relu\", gradient_at_zero = 1 }` in `layers`";
        check_set(architecture.set_relu(&relu), "relu_gradient_at_zero", "ReLU", in_layer, &architecture.name, record)?;
    }
    if let Some(norm) = record.optional_table("batch_norm") {
        let in_layer = "write `{ type = \"batch_norm\", epsilon = 1e-3, momentum = 0.01 }` in `layers`";
        let found = architecture.set_batch_norm(norm.number("epsilon"), norm.number("momentum"));
        check_set(found, "batch_norm", "batch normalisation", in_layer, &architecture.name, record)?;
    }
    Ok(())
}

/// A key that says how the weights of one type of layer are drawn has to have an effect.
fn check_initializations(architecture: &Architecture, record: &Record) -> Result<(), Fault> {
    let conv2d = architecture.all_layers().into_iter().any(|layer| matches!(layer, LayerSpec::Conv2d(_)));
    let linear = architecture.all_layers().into_iter().any(|layer| matches!(layer, LayerSpec::Linear(_)));
    let keys = [("conv2d_initialization", conv2d, "convolution"), ("linear_initialization", linear, "linear layer")];
    for (key, is_there, layer) in keys {
        if !is_there && record.optional_chosen(key).is_some() {
            return Err(without_effect(key, layer, &architecture.name, record));
        }
    }
    Ok(())
}

/// A key that sets layers of one type, of which `found` were found, has to have an effect; a network that is spelled
/// out says it in its layers.
fn check_set(
    found: usize,
    key: &str,
    layer: &str,
    in_layer: &str,
    network: &str,
    record: &Record,
) -> Result<(), Fault> {
    if record.optional_list("layers").is_some() {
        let message = format!("`{key}` goes with the `name` of a published network alone, and there are `layers`");
        return Err(Fault::new(message, record.span_of(key)).help(in_layer));
    }
    if found == 0 { Err(without_effect(key, layer, network, record)) } else { Ok(()) }
}

fn without_effect(key: &str, layer: &str, network: &str, record: &Record) -> Fault {
    let message = format!("`{key}` has no effect: `{network}` has no {layer}");
    Fault::new(message, record.span_of(key)).help("leave it out")
}

/// A published name stands for the published layers.
fn check_name(architecture: &Architecture, record: &Record) -> Result<(), Fault> {
    if architecture.name == published::AUTO {
        let message = "`auto` is a network that the images choose, and here are `input` and `layers`";
        return Err(Fault::new(message, record.span_of("name"))
            .help("give the network another name, or leave out `input` and `layers`"));
    }
    match published::by_name(&architecture.name) {
        Some(published) if published.without_settings() != architecture.without_settings() => Err(Fault::new(
            format!("the layers are not those of the published network `{}`", architecture.name),
            record.span_of("name"),
        )
        .help("give the network another name, or leave out `input` and `layers`")),
        _ => Ok(()),
    }
}

/// A misfit at the layer where it is, or at the network as a whole.
fn shape_fault(error: ShapeError, record: &Record) -> Fault {
    let span = layer_at(&error, record).and_then(|layer| layer.record.span).or(record.span_of("layers"));
    Fault::of_shape(error, span)
}

/// The layer that is at fault, inside of others or not; none of a published network.
fn layer_at<'a>(error: &ShapeError, record: &'a Record) -> Option<&'a Chosen> {
    let mut layers = record.optional_list("layers")?;
    for (position, branch) in &error.place.within {
        layers = layers.get(position - 1)?.record.optional_list(branch)?;
    }
    layers.get(error.place.position.checked_sub(1)?)
}
