//! MNIST: 70,000 handwritten digits of 1×28×28. Y. LeCun, C. Cortes and C. J. C. Burges. CC BY-SA 3.0.

use backproof_spec::Shape;

use crate::formats::idx::Idx;
use crate::formats::npz::Npz;
use crate::published::{Content, Counts, Packing, Published, Sum, Version};

/// The names of the classes of digits.
pub(super) const DIGITS: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

pub(super) static SOURCE: Published = Published {
    name: "mnist",
    shape: Shape::image(1, 28, 28),
    class_names: DIGITS,
    class_counts: [
        Counts::Each(&[5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        Counts::Each(&[980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    ],
    folders: &["mnist", "MNIST/raw", ""],
    mirrors: &["https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"],
    files: [
        &[
            Content {
                name: "train-images-idx3-ubyte",
                size: 16 + 60_000 * 784,
                sum: Sum::Content("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
            },
            Content {
                name: "train-labels-idx1-ubyte",
                size: 8 + 60_000,
                sum: Sum::Content("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
            },
        ],
        &[
            Content {
                name: "t10k-images-idx3-ubyte",
                size: 16 + 10_000 * 784,
                sum: Sum::Content("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
            },
            Content {
                name: "t10k-labels-idx1-ubyte",
                size: 8 + 10_000,
                sum: Sum::Content("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
            },
        ],
    ],
    format: &Idx::PLAIN,
    packing: Packing::Gzip,
    versions: &[Version {
        name: "NumPy archive of Keras",
        folders: &["mnist", ""],
        files: &["mnist.npz"; 4],
        url: "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
        archives: &[],
        remake: &Npz { arrays: &["x_train", "y_train", "x_test", "y_test"] },
    }],
    other_versions: &[],
};
