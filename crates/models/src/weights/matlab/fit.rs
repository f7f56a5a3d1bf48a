//! Whether the network of a file is the one that the weights are for.

use backproof_spec::{LayerSpec, Shape, TracedLayer, describe_layer};

use super::network::MatlabNetwork;

impl MatlabNetwork {
    /// # Errors
    ///
    /// The first layer in which the two differ, and what both have there. `input` and `own` are the network's.
    pub(crate) fn check(&self, input: Shape, own: &[TracedLayer]) -> Result<(), String> {
        if let Some((place, found)) = self.input
            && found != input
        {
            return Err(format!("layer {place} of the file is an input of {found}; the network's is {input}"));
        }
        let mut theirs = self.layers.iter();
        // Dropout does nothing once a network is trained, and the course has none.
        let mut own = own.iter().filter(|layer| !matches!(layer.layer, LayerSpec::Dropout(_)));
        loop {
            match (theirs.next(), own.next()) {
                (None, None) => return Ok(()),
                (Some((_, theirs)), Some(own)) if is_same(theirs, own) => {}
                (Some((place, theirs)), own) => {
                    let theirs = describe(theirs);
                    let own = match own {
                        Some(own) => format!("there the network has `{}`, {}", own.name, describe(own)),
                        None => "there the network has no more layers".to_owned(),
                    };
                    return Err(format!("layer {place} of the file is {theirs}; {own}"));
                }
                (None, Some(own)) => {
                    let own = format!("the network goes on with `{}`, {}", own.name, describe(own));
                    return Err(format!("the file has no more layers where {own}"));
                }
            }
        }
    }
}

/// A layer with the shape that it gives: two layers of the same words may differ in that alone.
fn describe(layer: &TracedLayer) -> String {
    format!("{} ({} to {})", describe_layer(&layer.layer), layer.input, layer.output)
}

fn is_same(one: &TracedLayer, other: &TracedLayer) -> bool {
    let plain = |layer: &LayerSpec| match layer {
        // A stride that is left out is the size of the window.
        LayerSpec::MaxPool2d(pool) => {
            let mut pool = pool.clone();
            pool.stride = Some(pool.effective_stride());
            LayerSpec::MaxPool2d(pool)
        }
        other => other.clone(),
    };
    (one.input, one.output) == (other.input, other.output) && plain(&one.layer) == plain(&other.layer)
}
