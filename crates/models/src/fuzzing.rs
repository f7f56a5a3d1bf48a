//! What the fuzzer calls: weights files of any bytes, with what reading them promises. The functions panic where a
//! promise is broken.
//!
//! The targets in `fuzz/` call them for hours; the test here replays the corpus, and changes of it, in every build.

use backproof_spec::{Architecture, BatchNormSpec, Conv2dSpec, FlattenSpec, LayerSpec, LinearSpec, ReluSpec, Shape};
use burn::tensor::Device;

use crate::{Network, load_weights, save_weights, transfer_weights};

/// A weights file for a network of two layers: an error, or weights that come back when they are saved.
pub fn weights(bytes: &[u8]) {
    check(&small_network(), bytes, &[]);
}

/// An archive of NumPy for the same network.
pub fn numpy(bytes: &[u8]) {
    check(&small_network(), bytes, &[]);
}

/// A MATLAB file for a network of the course's layers; its two classes are the digits 0 and 1.
pub fn matlab(bytes: &[u8]) {
    let classes = ["0", "1"].map(str::to_owned);
    check(&course_network(), bytes, &classes);
}

fn check(network: &Network, bytes: &[u8], classes: &[String]) {
    if let Ok((loaded, _)) = load_weights(network.clone(), bytes, classes) {
        let saved = save_weights(&loaded).expect("what was loaded is finite");
        let (again, _) = load_weights(network.clone(), &saved, classes).expect("what was saved can be loaded");
        assert_eq!(save_weights(&again).expect("what was loaded is finite"), saved);
    }
    for resize in [false, true] {
        if let Ok((network, _)) = transfer_weights(network.clone(), bytes, classes, resize) {
            save_weights(&network).expect("what was taken over is finite");
        }
    }
}

fn course_network() -> Network {
    let layers = vec![
        LayerSpec::Conv2d(Conv2dSpec::new(2, [1, 2])),
        LayerSpec::Relu(ReluSpec::default()),
        LayerSpec::Flatten(FlattenSpec),
        LayerSpec::Linear(LinearSpec::new(2)),
    ];
    let architecture = Architecture { name: "course".to_owned(), input: Shape::image(2, 2, 3), layers };
    Network::new(&architecture, 1, &Device::flex()).expect("the shapes fit")
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

    #[test]
    fn no_matlab_file_of_the_corpus_and_no_change_of_it_panics() {
        replay("matlab", matlab);
    }

    #[test]
    fn no_archive_of_the_corpus_and_no_change_of_it_panics() {
        replay("numpy", numpy);
    }

    #[test]
    fn the_corpus_has_files_that_can_be_loaded() {
        let corpus = |target: &str, name: &str| {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
            std::fs::read(folder.join(target).join(name)).unwrap()
        };
        for name in ["plain", "packed", "big-endian"] {
            load_weights(course_network(), &corpus("matlab", name), &[]).expect(name);
        }
        for name in ["stored", "deflated"] {
            load_weights(small_network(), &corpus("numpy", name), &[]).expect(name);
        }
    }
}
