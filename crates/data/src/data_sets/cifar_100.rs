//! CIFAR-100: 60,000 colour photographs of 3×32×32 in 100 classes. A. Krizhevsky, "Learning Multiple Layers of Features
//! from Tiny Images", 2009. No licence is named.
//!
//! The checksum of the archive is that of TensorFlow Datasets and others. Those of the files in it are
//! torchvision-ruby's, whose checksums of CIFAR-10 are the ones of `cifar_10.rs`.

use backproof_spec::Shape;

use crate::formats::cifar::CifarRecords;
use crate::formats::cifar_python::CifarPython;
use crate::published::{Content, Counts, Packing, Published, Sum, Version};

pub(super) static SOURCE: Published = Published {
    name: "cifar-100",
    class_names: CLASSES,
    class_counts: [Counts::Each(&[500; 100]), Counts::Each(&[100; 100])],
    format: &CifarRecords::FINE,
    ..FILES
};

/// The files, with the superclasses as classes.
pub(super) const FILES: Published = Published {
    name: "cifar-100-coarse",
    shape: Shape::image(3, 32, 32),
    class_names: SUPERCLASSES,
    class_counts: [Counts::Each(&[2_500; 20]), Counts::Each(&[500; 20])],
    folders: &["cifar-100/cifar-100-binary", "cifar-100-binary", "cifar-100"],
    mirrors: &["https://www.cs.toronto.edu/~kriz/"],
    files: [
        &[records("train.bin", 50_000, "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29")],
        &[records("test.bin", 10_000, "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a")],
    ],
    format: &CifarRecords::COARSE,
    packing: Packing::TarGz {
        name: "cifar-100-binary.tar.gz",
        size: 168_513_733,
        sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        folder: "cifar-100-binary",
    },
    versions: &[Version {
        name: "Python version",
        // As torchvision and Keras unpack it; newer ones of Keras into a folder of the archive's name.
        folders: &[
            "cifar-100/cifar-100-python",
            "cifar-100-python",
            "cifar-100-python-target/cifar-100-python",
            "cifar-100",
            "",
        ],
        files: &["train", "test"],
        url: "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        archives: &["cifar-100-python.tar.gz", "cifar-100-python-target_archive"],
        remake: &CifarPython { labels: &[("coarse_labels", 20), ("fine_labels", 100)] },
    }],
    other_versions: &[],
};

/// A file of so many records: two labels and the pixels.
const fn records(name: &'static str, count: u64, sha256: &'static str) -> Content {
    Content { name, size: count * 3_074, sum: Sum::Content(sha256) }
}

const SUPERCLASSES: &[&str] = &[
    "aquatic_mammals",
    "fish",
    "flowers",
    "food_containers",
    "fruit_and_vegetables",
    "household_electrical_devices",
    "household_furniture",
    "insects",
    "large_carnivores",
    "large_man-made_outdoor_things",
    "large_natural_outdoor_scenes",
    "large_omnivores_and_herbivores",
    "medium_mammals",
    "non-insect_invertebrates",
    "people",
    "reptiles",
    "small_mammals",
    "trees",
    "vehicles_1",
    "vehicles_2",
];

#[rustfmt::skip]
const CLASSES: &[&str] = &[
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
    "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
    "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
    "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger",
    "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
];
