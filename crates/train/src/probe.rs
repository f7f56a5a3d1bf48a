//! The images for which it is seen which units of ReLUs are dead.

use backproof_compiled::InferencePlan;
use backproof_data::{Prepared, Subset, evaluation_selections};
use backproof_kernels::Isa;
use backproof_models::{ActiveUnits, Compiled, Network};
use backproof_spec::{Architecture, LayerSpec, ShapeError, TracedLayer};

use crate::look::ReluLook;

/// Images of a probe. Each look at the layers takes them through the network once.
const IMAGES: usize = 256;
/// Images of a pass: what a cache holds of one on the kernels, and what memory holds of one on tensors.
const BATCH: usize = 64;

/// The images, and what computes them.
pub(crate) struct Probe {
    images: Subset,
    isa: Option<Isa>,
}

impl Probe {
    /// Validation images, or training images where there are none, at equal distances: a data set may be sorted by
    /// class. They are not augmented.
    pub(crate) fn new(data: &Prepared, isa: Option<Isa>) -> Self {
        let from = if data.validation.is_empty() { &data.training } else { &data.validation };
        let count = from.len().min(IMAGES);
        let chosen = (0..count).map(|at| from.indices()[at * from.len() / count]).collect();
        Self { images: from.with_indices(chosen), isa }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.images.len()
    }

    /// What the ReLUs of `network`, on a plain device, give for them by the running statistics and without dropout.
    pub(crate) fn relus(&self, network: &Network) -> Vec<ReluLook> {
        if !network.architecture().layers.iter().any(has_relu) {
            return Vec::new();
        }
        let mut compiled = self.isa.and_then(|isa| Compiled::<InferencePlan>::new(network, isa).ok());
        let mut all: Vec<ActiveUnits> = Vec::new();
        let device = burn::module::Module::devices(network).swap_remove(0);
        for images in evaluation_selections(&self.images, BATCH) {
            let found = match &mut compiled {
                Some(compiled) => compiled.active_units(images.len(), &|place, to| images.write(place, to)),
                None => network.active_units(images.batch(&device).images),
            };
            match all.is_empty() {
                true => all = found,
                false => all.iter_mut().zip(&found).for_each(|(all, found)| all.merge(found)),
            }
        }
        let names = network.names();
        all.iter().map(|found| ReluLook::new(names[found.operation].clone(), found, self.len())).collect()
    }
}

fn has_relu(layer: &LayerSpec) -> bool {
    let branches = layer.branches();
    matches!(layer, LayerSpec::Relu(_)) || branches.iter().any(|(_, layers)| layers.iter().any(has_relu))
}

/// The names of the convolutions and linear layers of a network, in order, those inside of other layers included.
///
/// # Errors
///
/// Layers that do not fit one another.
pub fn weighted_layers(architecture: &Architecture) -> Result<Vec<String>, ShapeError> {
    let traced = architecture.trace()?;
    let layers = traced.iter().flat_map(TracedLayer::all);
    let weighted = layers.filter(|layer| matches!(layer.layer, LayerSpec::Conv2d(_) | LayerSpec::Linear(_)));
    Ok(weighted.map(|layer| layer.name.clone()).collect())
}
