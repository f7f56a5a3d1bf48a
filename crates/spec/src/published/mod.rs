//! The published networks, each one function that reads like its description.
//!
//! `course.rs` has those of the course, `petre.rs` those of the thesis, `classics.rs` the two from the literature that
//! the thesis describes, `residual.rs` those with residual connections, `airbench.rs` that of
//! the speed records. `small.rs` has those that [`AUTO`] chooses, which are our own. All end in one score a class.

mod airbench;
mod classics;
mod course;
mod parts;
mod petre;
mod residual;
mod small;

#[cfg(test)]
mod tests;

pub use airbench::airbench94;
pub use classics::{alexnet, lenet_5};
pub use course::{
    bai_improved, cifar_baseline, mnist_baseline, timurtas_32_16_8, timurtas_64_32_16, timurtas_improved,
    willis_improved,
};
pub use petre::{petre_cnn, petre_cnn_fashion, petre_mlp, petre_mlp_fashion};
pub use residual::{resnet_9, resnet_20};
pub use small::{LEAST_SIDE, for_images, small_cnn_2, small_cnn_3, small_cnn_4, small_cnn_5, small_cnn_6};

use crate::Architecture;

/// In place of the name of a network: the one of [`for_images`] is taken, for the images and classes of the data.
pub const AUTO: &str = "auto";

/// A name, and the function that builds the network.
type Named = (&'static str, fn() -> Architecture);

const NETWORKS: [Named; 21] = [
    ("mnist-baseline", mnist_baseline),
    ("cifar-baseline", cifar_baseline),
    ("willis-improved", willis_improved),
    ("bai-improved", bai_improved),
    ("timurtas-improved", timurtas_improved),
    ("timurtas-64-32-16", timurtas_64_32_16),
    ("timurtas-32-16-8", timurtas_32_16_8),
    ("petre-mlp", petre_mlp),
    ("petre-mlp-fashion", petre_mlp_fashion),
    ("petre-cnn", petre_cnn),
    ("petre-cnn-fashion", petre_cnn_fashion),
    ("lenet-5", lenet_5),
    ("alexnet", alexnet),
    ("resnet-20", resnet_20),
    ("resnet-9", resnet_9),
    ("airbench94", airbench94),
    ("small-cnn-2", small_cnn_2),
    ("small-cnn-3", small_cnn_3),
    ("small-cnn-4", small_cnn_4),
    ("small-cnn-5", small_cnn_5),
    ("small-cnn-6", small_cnn_6),
];

static NAMES: [&str; NETWORKS.len()] = {
    let mut names = [""; NETWORKS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = NETWORKS[index].0;
        index += 1;
    }
    names
};

/// The names of all published networks.
pub fn names() -> &'static [&'static str] {
    &NAMES
}

/// The published network of that name.
pub fn by_name(name: &str) -> Option<Architecture> {
    let (_, build) = NETWORKS.iter().find(|(it, _)| *it == name)?;
    Some(build())
}
