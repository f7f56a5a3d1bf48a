//! What the fuzzer calls: safetensors of any bytes, with what reading them promises. The functions panic where a
//! promise is broken.
//!
//! The targets in `fuzz/` call them for hours; the test here replays the corpus, and changes of it, in every build.

use backproof_spec::{Architecture, BatchNormSpec, FlattenSpec, LayerSpec, LinearSpec, Shape};
use burn::tensor::Device;

use crate::{Network, load_weights, save_weights, transfer_weights};

/// A weights file for a network of two layers: an error, or weights that come back when they are saved.
pub fn weights(bytes: &[u8]) {
    let network = || small_network();
    if let Ok((loaded, _)) = load_weights(network(), bytes) {
        let saved = save_weights(&loaded).expect("what was loaded is finite");
        let (again, _) = load_weights(network(), &saved).expect("what was saved can be loaded");
        assert_eq!(save_weights(&again).expect("what was loaded is finite"), saved);
    }
    for resize in [false, true] {
        if let Ok((network, _)) = transfer_weights(network(), bytes, resize) {
            save_weights(&network).expect("what was taken over is finite");
        }
    }
}

fn small_network() -> Network {
    let layers = vec![
        LayerSpec::BatchNorm(BatchNormSpec::default()),
        LayerSpec::Flatten(FlattenSpec),
        LayerSpec::Linear(LinearSpec::new(2)),
    ];
    let architecture = Architecture { name: "small".to_owned(), input: Shape::image(1, 1, 2), layers };
    Network::new(&architecture, 1, &Device::flex()).expect("the shapes fit")
}

#[cfg(test)]
mod tests {
    use super::*;

    include!("../../../fuzz/replay.rs");

    #[test]
    fn no_weights_of_the_corpus_and_no_change_of_them_panic() {
        replay("weights", weights);
    }
}
