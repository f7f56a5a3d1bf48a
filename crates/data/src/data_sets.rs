//! The data sets that a config may name. Each has a file, and one line in the list below.
//!
//! A file defines `pub(super) static SOURCE`, which is a [`Source`]. If a data set is published as files in a known
//! format, `SOURCE` is a [`Published`](crate::Published), which is plain data. Otherwise the file has an `impl Source`.

use std::path::Path;

use backproof_spec::{DataSet, DataSets, ImageSource, nearest};

use crate::error::{DataError, Result};
use crate::image_folder::{UserImages, look};
use crate::{LoadedData, Published, Source, Watch};

/// The modules and the list. `cargo fmt` does not see modules that a macro names: `rustfmt
/// crates/data/src/data_sets/*.rs` formats them, and CI checks that.
macro_rules! list {
    ($($file:ident,)*) => {
        $(mod $file;)*

        static SOURCES: &[&dyn Source] = &[$(&$file::SOURCE),*];
    };
}

list! {
    mnist_sample,
    mnist,
    fashion_mnist,
    cifar_10,
    cifar_100,
    cifar_100_coarse,
    kmnist,
    svhn,
    emnist_balanced,
    emnist_byclass,
    emnist_bymerge,
    emnist_digits,
    emnist_letters,
    emnist_mnist,
}

/// What the splits of EMNIST have in common.
mod emnist;

/// Every data set that a config may name.
pub fn sources() -> &'static [&'static dyn Source] {
    SOURCES
}

/// The data set of that name in a config.
///
/// # Errors
///
/// A name that none has.
pub fn source(name: &str) -> Result<&'static dyn Source> {
    SOURCES.iter().copied().find(|source| source.name() == name).ok_or_else(|| {
        let names: Vec<&str> = SOURCES.iter().map(|source| source.name()).collect();
        let help = match nearest(name, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the data sets are {}", names.join(", ")),
        };
        DataError::Unknown { name: name.to_owned(), help }
    })
}

/// Where the images of an experiment with this seed come from.
///
/// # Errors
///
/// A name that no data set has.
pub fn source_of(images: &ImageSource, seed: u64) -> Result<Box<dyn Source>> {
    Ok(match images {
        ImageSource::DataSet(name) => Box::new(Listed(source(name)?)),
        ImageSource::Folder(folder) => Box::new(UserImages::new(folder, seed)),
    })
}

/// A data set of the list where one is expected that somebody owns.
#[derive(Debug)]
struct Listed(&'static dyn Source);

impl Source for Listed {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn known(&self) -> Option<DataSet> {
        self.0.known()
    }

    fn look(&self, data_dir: Option<&Path>) -> Result<DataSet> {
        self.0.look(data_dir)
    }

    fn load(&self, data_dir: Option<&Path>) -> Result<LoadedData> {
        self.0.load(data_dir)
    }

    fn load_watched(&self, data_dir: Option<&Path>, watch: Watch<'_>) -> Result<LoadedData> {
        self.0.load_watched(data_dir, watch)
    }

    fn published(&self) -> Option<&Published> {
        self.0.published()
    }
}

/// What is known of each data set before its files are read, and how to look into a folder of images. Configs are
/// checked against it.
pub fn data_sets() -> DataSets {
    DataSets::of(SOURCES.iter().map(|source| (source.name().to_owned(), source.known()))).looking(look)
}

/// The first data set that publishes a file with this checksum.
pub(crate) fn owner(sha256: &str) -> Option<&'static str> {
    let has = |source: &&&'static dyn Source| {
        source.published().is_some_and(|published| published.contents().any(|file| file.sha256() == Some(sha256)))
    };
    SOURCES.iter().find(has).map(|source| source.name())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::published::{Counts, Packing, Sum};

    #[test]
    fn every_data_set_is_found_by_the_name_that_it_has() {
        let names: Vec<&str> = SOURCES.iter().map(|source| source.name()).collect();
        for name in &names {
            assert_eq!(source(name).unwrap().name(), *name);
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name} comes twice");
        }
        assert_eq!(data_sets().names(), Some(names));
    }

    #[test]
    fn a_name_that_there_is_not_is_an_error_with_the_nearest_one_or_all() {
        let names: Vec<&str> = SOURCES.iter().map(|source| source.name()).collect();
        let all = format!("the data sets are {}", names.join(", "));
        for (name, help) in [("MNIST", "did you mean `mnist`?"), ("imagenet", &all)] {
            let error = source(name).unwrap_err();
            assert_eq!(error.to_string(), format!("there is no data set `{name}`"));
            assert!(error.help().unwrap().starts_with(help), "{error:?}");
        }
    }

    #[test]
    fn every_data_set_that_is_published_says_what_it_is_and_every_sum_is_a_sha256() {
        for source in SOURCES {
            let known = source.known().unwrap();
            assert_eq!(known.name, source.name());
            let Some(published) = source.published() else { continue };
            for (files, counts) in published.files.iter().zip(published.class_counts) {
                if let Counts::Each(counts) = counts {
                    assert_eq!(counts.len(), known.classes(), "{}", source.name());
                }
                assert!(!files.is_empty(), "{}", source.name());
            }
            assert!(published.mirrors.iter().all(|mirror| mirror.ends_with('/')));
            let files = published.contents().count();
            assert!(published.versions.iter().all(|version| version.files.len() == files), "{}", source.name());
            let names: BTreeSet<&str> = published.class_names.iter().copied().collect();
            assert_eq!(names.len(), known.classes(), "{} has a class twice", source.name());
            for file in published.contents() {
                if let Sum::Content(sum) | Sum::Packed(sum) = file.sum {
                    assert!(sum.len() == 64 && sum.chars().all(|c| c.is_ascii_hexdigit()));
                }
                // CIFAR-100 is two data sets of the same files.
                let is_of = |owner: &str| owner == source.name() || format!("{owner}-coarse") == source.name();
                assert!(file.sha256().is_none_or(|sum| owner(sum).is_some_and(is_of)), "{}", source.name());
            }
        }
    }

    #[test]
    fn a_file_without_a_checksum_comes_in_an_archive_that_has_one() {
        for published in SOURCES.iter().filter_map(|source| source.published()) {
            let in_archive = match published.packing {
                Packing::TarGz { sha256, .. } | Packing::Zip { sha256, .. } => sha256.len() == 64,
                Packing::Gzip | Packing::Plain => false,
            };
            assert!(in_archive || published.contents().all(|file| file.sum != Sum::OfArchive), "{}", published.name);
        }
    }

    /// Places in the lists of others, such as torchvision's and TensorFlow's.
    #[test]
    fn classes_are_in_the_order_of_their_labels() {
        for (name, at, class) in [
            ("cifar-100", 0, "apple"),
            ("cifar-100", 54, "orchid"),
            ("cifar-100", 92, "tulip"),
            ("cifar-100", 99, "worm"),
            ("cifar-100-coarse", 0, "aquatic_mammals"),
            ("cifar-100-coarse", 19, "vehicles_2"),
            ("kmnist", 9, "wo"),
            ("svhn", 0, "0"),
            ("emnist-byclass", 10, "A"),
            ("emnist-byclass", 36, "a"),
            ("emnist-balanced", 36, "a"),
            ("emnist-bymerge", 46, "t"),
            ("emnist-letters", 25, "z"),
        ] {
            assert_eq!(source(name).unwrap().known().unwrap().class_names[at], class, "{name}");
        }
        let of = |name: &str| {
            let known = source(name).unwrap().known().unwrap();
            (known.classes(), known.training_images, known.test_images)
        };
        assert_eq!(of("cifar-100"), (100, 50_000, 10_000));
        assert_eq!(of("cifar-100-coarse"), (20, 50_000, 10_000));
        assert_eq!(of("kmnist"), (10, 60_000, 10_000));
        assert_eq!(of("svhn"), (10, 73_257, 26_032));
        assert_eq!(of("emnist-balanced"), (47, 112_800, 18_800));
        assert_eq!(of("emnist-byclass"), (62, 697_932, 116_323));
        assert_eq!(of("emnist-bymerge"), (47, 697_932, 116_323));
        assert_eq!(of("emnist-digits"), (10, 240_000, 40_000));
        assert_eq!(of("emnist-letters"), (26, 124_800, 20_800));
        assert_eq!(of("emnist-mnist"), (10, 60_000, 10_000));
    }

    #[test]
    fn a_config_of_all_defaults_names_a_data_set_that_there_is() {
        let text = backproof_spec::defaults(&data_sets());
        let experiment = backproof_spec::Experiment::from_toml("a.toml", &text, &[], &data_sets());
        assert!(experiment.is_ok(), "{experiment:?}");
    }
}
