//! Where each data set is published, and the checksums of what is published there.
//!
//! A new data set is one more [`Source`] here. What counts is the checksum of the content: the same images packed
//! again by somebody else are the same images.

use backproof_spec::Dataset;

/// A published data set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    pub(crate) dataset: Dataset,
    /// The folders under a data folder where its files may lie; the first is where a download goes. `""` is the data
    /// folder itself.
    pub(crate) folders: &'static [&'static str],
    /// Addresses that end in `/`; a file's name comes after.
    pub(crate) mirrors: &'static [&'static str],
    /// The files that hold the images and labels, unpacked: images then labels of the training set, then of the test
    /// set, or all training records then the test records.
    pub(crate) files: &'static [Content],
    /// How the files are published.
    pub(crate) packing: Packing,
    /// How many training and test images each class has.
    pub(crate) class_counts: [[usize; 10]; 2],
}

/// A file with images or labels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    /// Its name, without `.gz`.
    pub(crate) name: &'static str,
    /// Its size in bytes, unpacked.
    pub(crate) size: u64,
    /// The SHA-256 of its published content, unpacked.
    pub(crate) sha256: &'static str,
}

/// How files are published.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Packing {
    /// Each for itself, as `NAME.gz`.
    Gzip,
    /// All in one archive.
    TarGz {
        /// The archive's name.
        name: &'static str,
        /// Its size in bytes.
        size: u64,
        /// Its SHA-256.
        sha256: &'static str,
        /// The folder in the archive that holds the files.
        folder: &'static str,
    },
}

impl Source {
    /// The source of a data set, or none for one that is part of the program.
    pub(crate) fn of(dataset: Dataset) -> Option<&'static Self> {
        SOURCES.iter().find(|source| source.dataset == dataset)
    }

    /// The published address of `file`, or of the archive that holds it.
    pub(crate) fn url(&self, file: &Content) -> String {
        match self.packing {
            Packing::Gzip => format!("{}{}.gz", self.mirrors[0], file.name),
            Packing::TarGz { name, .. } => format!("{}{name}", self.mirrors[0]),
        }
    }

    /// The data set that publishes a file with this checksum.
    pub(crate) fn owner(sha256: &str) -> Option<Dataset> {
        let has = |source: &&Self| source.files.iter().any(|file| file.sha256 == sha256);
        SOURCES.iter().find(has).map(|source| source.dataset)
    }
}

const SOURCES: [Source; 3] = [
    // Y. LeCun, C. Cortes and C. J. C. Burges. CC BY-SA 3.0.
    Source {
        dataset: Dataset::Mnist,
        folders: &["mnist", "MNIST/raw", ""],
        mirrors: &[
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ],
        files: &[
            Content {
                name: "train-images-idx3-ubyte",
                size: 16 + 60_000 * 784,
                sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            },
            Content {
                name: "train-labels-idx1-ubyte",
                size: 8 + 60_000,
                sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            },
            Content {
                name: "t10k-images-idx3-ubyte",
                size: 16 + 10_000 * 784,
                sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            },
            Content {
                name: "t10k-labels-idx1-ubyte",
                size: 8 + 10_000,
                sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            },
        ],
        packing: Packing::Gzip,
        class_counts: [
            [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
            [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
        ],
    },
    // H. Xiao, K. Rasul and R. Vollgraf, 2017, arXiv:1708.07747. MIT. The second mirror has no HTTPS; the checksums
    // make up for it.
    Source {
        dataset: Dataset::FashionMnist,
        folders: &["fashion-mnist", "FashionMNIST/raw", ""],
        mirrors: &[
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ],
        files: &[
            Content {
                name: "train-images-idx3-ubyte",
                size: 16 + 60_000 * 784,
                sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            },
            Content {
                name: "train-labels-idx1-ubyte",
                size: 8 + 60_000,
                sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            },
            Content {
                name: "t10k-images-idx3-ubyte",
                size: 16 + 10_000 * 784,
                sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            },
            Content {
                name: "t10k-labels-idx1-ubyte",
                size: 8 + 10_000,
                sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            },
        ],
        packing: Packing::Gzip,
        class_counts: [[6_000; 10], [1_000; 10]],
    },
    // A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. No licence is named.
    Source {
        dataset: Dataset::Cifar10,
        folders: &["cifar-10/cifar-10-batches-bin", "cifar-10-batches-bin", "cifar-10", ""],
        mirrors: &["https://www.cs.toronto.edu/~kriz/"],
        files: &[
            records("data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
            records("data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
            records("data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
            records("data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
            records("data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
            records("test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
        ],
        packing: Packing::TarGz {
            name: "cifar-10-binary.tar.gz",
            size: 170_052_171,
            sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            folder: "cifar-10-batches-bin",
        },
        class_counts: [[5_000; 10], [1_000; 10]],
    },
];

/// A file of 10,000 records of CIFAR-10.
const fn records(name: &'static str, sha256: &'static str) -> Content {
    Content { name, size: 10_000 * 3_073, sha256 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_set_is_published_or_bundled_and_every_sum_is_a_sha256() {
        for dataset in Dataset::ALL {
            let Some(source) = Source::of(dataset) else {
                assert_eq!(dataset, Dataset::MnistSample);
                continue;
            };
            assert_eq!(source.class_counts[0].iter().sum::<usize>(), dataset.training_images());
            assert_eq!(source.class_counts[1].iter().sum::<usize>(), dataset.test_images());
            assert!(source.mirrors.iter().all(|mirror| mirror.ends_with('/')));
            for file in source.files {
                assert!(file.sha256.len() == 64 && file.sha256.chars().all(|c| c.is_ascii_hexdigit()));
                assert_eq!(Source::owner(file.sha256), Some(dataset));
            }
        }
    }

    #[test]
    fn the_address_of_a_file_is_that_of_its_packing() {
        let url = |dataset| Source::of(dataset).map(|source| source.url(&source.files[1])).unwrap();
        assert_eq!(
            url(Dataset::Mnist),
            "https://storage.googleapis.com/cvdf-datasets/mnist/train-labels-idx1-ubyte.gz"
        );
        assert_eq!(url(Dataset::Cifar10), "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz");
    }
}
