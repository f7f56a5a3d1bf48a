//! What `compare-gradients` is asked to compare, checked before anything is built.

use std::path::Path;

use backproof_data::data_sets;
use backproof_spec::{Architecture, Experiment, published};
use backproof_suite::LAYERS;

use crate::backend::Backend;
use crate::cli::{CompareGradientsArguments, Precision, Suite};
use crate::error::Failure;
use crate::published_architecture;

/// Networks of up to so many parameters are compared, or measured, without being asked for: with more, a pass in double
/// precision takes a second.
pub(crate) const SMALL: usize = 1_000_000;
/// Networks of up to so many trained tensors are compared without being asked for: each is compared several times.
const FEW: usize = 40;

/// The network of a check that takes seconds: that of the quickstart.
const SHORT_NETWORK: &str = "mnist-baseline";

/// What is compared.
#[derive(Debug, Clone)]
pub enum GradientComparison {
    /// Layers over generated shapes, and published networks on real images.
    Ours {
        /// Some of [`LAYERS`].
        layers: Vec<&'static str>,
        /// The networks.
        networks: Vec<Architecture>,
        /// Published networks that would take minutes.
        left_out: Vec<Architecture>,
    },
    /// The network of an experiment, on its data.
    Experiment(Box<Experiment>),
    /// Burn's operations, or the one of this name.
    Burn(Option<String>),
}

/// What the arguments ask for.
///
/// # Errors
///
/// A layer, network or backend that does not exist; a config that is not valid; a precision that the backend does not
/// have.
pub fn selection(arguments: &CompareGradientsArguments) -> anyhow::Result<GradientComparison> {
    let backend = Backend::by_name(&arguments.device.backend)?;
    if arguments.dtype == Precision::F64 && !backend.has_double_precision() {
        let failure = Failure::usage(format!("the backend `{}` does not compute in f64", backend.name()));
        return Err(failure
            .help("`--dtype f32` checks what it does compute; the differences are in f64 anyway")
            .into());
    }
    if arguments.suite == Some(Suite::Burn) {
        return Ok(GradientComparison::Burn(arguments.layer.clone()));
    }
    if let Some(name) = &arguments.layer {
        let layer = LAYERS.iter().find(|layer| *layer == name).ok_or_else(|| {
            let otherwise = format!("the layers are {}", LAYERS.join(", "));
            Failure::usage(format!("there is no layer `{name}`")).nearest(name, LAYERS, otherwise)
        })?;
        return Ok(GradientComparison::Ours { layers: vec![layer], networks: Vec::new(), left_out: Vec::new() });
    }
    if let Some(name) = &arguments.model {
        let network = published_architecture(name, "; `-c FILE` takes the network of a config")?;
        return Ok(GradientComparison::Ours { layers: Vec::new(), networks: vec![network], left_out: Vec::new() });
    }
    if let Some(path) = &arguments.config {
        return Ok(GradientComparison::Experiment(Box::new(Experiment::load(Path::new(path), &[], &data_sets())?)));
    }
    if arguments.short() {
        let network = published_architecture(SHORT_NETWORK, "")?;
        return Ok(GradientComparison::Ours { layers: LAYERS.to_vec(), networks: vec![network], left_out: Vec::new() });
    }
    let all = published::names().iter().filter_map(|name| published::by_name(name));
    let is_quick = |network: &Architecture| {
        network.trainable_parameters().is_ok_and(|parameters| parameters <= SMALL)
            && network.parameter_names().is_ok_and(|names| names.len() <= FEW)
    };
    let (networks, left_out) = all.partition(is_quick);
    Ok(GradientComparison::Ours { layers: LAYERS.to_vec(), networks, left_out })
}
