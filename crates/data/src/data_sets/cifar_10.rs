//! CIFAR-10: 60,000 colour photographs of 3×32×32. A. Krizhevsky, "Learning Multiple Layers of Features from Tiny
//! Images", 2009. No licence is named.

use backproof_spec::Shape;

use crate::formats::cifar::CifarRecords;
use crate::formats::cifar_python::CifarPython;
use crate::published::{Content, Counts, OtherVersion, Packing, Published, Sum, Version};

pub(super) static SOURCE: Published = Published {
    name: "cifar-10",
    shape: Shape::image(3, 32, 32),
    class_names: &["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
    class_counts: [Counts::Each(&[5_000; 10]), Counts::Each(&[1_000; 10])],
    folders: &["cifar-10/cifar-10-batches-bin", "cifar-10-batches-bin", "cifar-10", ""],
    mirrors: &["https://www.cs.toronto.edu/~kriz/"],
    files: [
        &[
            records("data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
            records("data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
            records("data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
            records("data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
            records("data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
        ],
        &[records("test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b")],
    ],
    format: &CifarRecords::TEN,
    packing: Packing::TarGz {
        name: "cifar-10-binary.tar.gz",
        size: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        folder: "cifar-10-batches-bin",
    },
    versions: &[Version {
        name: "Python version",
        // As torchvision and Keras unpack it; newer ones of Keras into a folder of the archive's name.
        folders: &[
            "cifar-10/cifar-10-batches-py",
            "cifar-10-batches-py",
            "cifar-10-batches-py-target/cifar-10-batches-py",
            "cifar-10",
            "",
        ],
        files: &["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"],
        url: "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        archives: &["cifar-10-python.tar.gz", "cifar-10-batches-py.tar.gz", "cifar-10-batches-py-target_archive"],
        remake: &CifarPython { labels: &[("labels", 10)] },
    }],
    other_versions: &[OtherVersion {
        name: "MATLAB version",
        marks: &["cifar-10-batches-mat", "cifar-10-matlab.tar.gz", "batches.meta.mat"],
    }],
};

/// A file of 10,000 records.
const fn records(name: &'static str, sha256: &'static str) -> Content {
    Content { name, size: 10_000 * 3_073, sum: Sum::Content(sha256) }
}
