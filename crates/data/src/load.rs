//! From a data set's name to its images in memory.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use backproof_spec::Dataset;

use crate::content::{read, sha256};
use crate::error::{DataError, Result};
use crate::folder::{Place, directory, missing, places};
use crate::images::planes;
use crate::sources::{Packing, Source};
use crate::{Images, cifar, idx, sample};

/// A data set in memory.
#[derive(Debug, Clone)]
pub struct LoadedData {
    /// The training set, in the order of the files.
    pub training: Images,
    /// The test set, in the order of the file.
    pub test: Images,
    /// Which of the training set are the validation part that the data set comes with, if it comes with one.
    pub published_validation: Option<Range<usize>>,
    /// Where it came from.
    pub source: Origin,
    /// The SHA-256 of what was really read, unpacked, by the name of the file without `.gz`.
    pub checksums: BTreeMap<String, String>,
}

/// Where a data set came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Part of the program.
    Bundled,
    /// The folder that holds its files.
    Folder(PathBuf),
}

/// Loads a data set from the folder `data_dir`, or from [`default_directory`](crate::default_directory). Its files may
/// lie in a folder of its name, packed or not, or in `data_dir` itself; the bundled sample needs no folder.
///
/// What is read is checked: sizes, magic numbers, labels, and how many images each class has. Content that passes but
/// does not have the published checksum, such as the same images in another order, is a warning in the log.
///
/// # Errors
///
/// If files are missing (the error lists all of them), cannot be read, or are not files of this data set.
pub fn load(dataset: Dataset, data_dir: Option<&Path>) -> Result<LoadedData> {
    let Some(source) = Source::of(dataset) else {
        return sample::load();
    };
    let places = places(source, &directory(data_dir)?);
    if let Some(missing) = missing(source, &places) {
        return Err(missing.into());
    }
    let mut checksums = BTreeMap::new();
    let [training, test] = images(source, &places, &mut checksums)?;
    for (set, images, counts) in
        [("training", &training, source.class_counts[0]), ("test", &test, source.class_counts[1])]
    {
        let found = images.class_counts(counts.len());
        if found != counts {
            return Err(DataError::format(
                &format!("{dataset}, {set} set"),
                "images of each class",
                format!("{counts:?}"),
                format!("{found:?}"),
            ));
        }
    }
    let folder = places.first().and_then(|place| place.path.parent()).unwrap_or(Path::new(""));
    Ok(LoadedData {
        training,
        test,
        published_validation: None,
        source: Origin::Folder(folder.to_path_buf()),
        checksums,
    })
}

/// The training and the test set.
fn images(source: &Source, places: &[Place], checksums: &mut BTreeMap<String, String>) -> Result<[Images; 2]> {
    let shape = source.dataset.shape();
    let classes = source.dataset.classes();
    let (_, height, width) = planes(shape);
    let mut content = |place: &Place| content(source.dataset, place, checksums);
    match (source.packing, places) {
        (Packing::Gzip, [training_images, training_labels, test_images, test_labels]) => {
            let mut set = |images: &Place, labels: &Place| -> Result<Images> {
                let name = images.path.display().to_string();
                let read = idx::images(&name, content(images)?)?;
                if (read.height, read.width) != (height, width) {
                    return Err(DataError::format(
                        &name,
                        "height and width of an image",
                        format!("{height}×{width}"),
                        format!("{}×{}", read.height, read.width),
                    ));
                }
                let labels = idx::labels(&labels.path.display().to_string(), content(labels)?, classes)?;
                Ok(Images::new(read.pixels, labels, shape))
            };
            Ok([set(training_images, training_labels)?, set(test_images, test_labels)?])
        }
        (Packing::TarGz { .. }, [training @ .., test]) => {
            let mut set = |places: &[Place]| -> Result<Images> {
                let size: u64 = places.iter().map(|place| place.content.size).sum();
                let (mut pixels, mut labels) = (Vec::with_capacity(size as usize), Vec::new());
                for place in places {
                    let name = place.path.display().to_string();
                    cifar::records(&name, &content(place)?, height, classes, &mut pixels, &mut labels)?;
                }
                Ok(Images::new(pixels, labels, shape))
            };
            Ok([set(training)?, set(std::slice::from_ref(test))?])
        }
        _ => unreachable!("a source lists four IDX files, or training records and then test records"),
    }
}

/// Reads one file and notes its checksum.
fn content(dataset: Dataset, place: &Place, checksums: &mut BTreeMap<String, String>) -> Result<Vec<u8>> {
    let bytes = read(&place.path, place.content.size)?;
    let sum = sha256(&bytes);
    if sum != place.content.sha256 {
        if let Some(found) = Source::owner(&sum).filter(|&owner| owner != dataset) {
            return Err(DataError::OtherDataset { path: place.path.clone(), expected: dataset, found });
        }
        tracing::warn!(
            "`{}` is not the file that was published: SHA-256 {sum}, published {}",
            place.path.display(),
            place.content.sha256,
        );
    }
    checksums.insert(place.content.name.to_owned(), sum);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The folder with the full data sets, or nothing, and then the test says that it is skipped.
    fn full(test: &str, dataset: Dataset) -> Option<PathBuf> {
        let folder = std::env::var_os("BACKPROOF_DATA_DIR").map(PathBuf::from);
        let found = folder.filter(|folder| {
            let source = Source::of(dataset).unwrap();
            missing(source, &places(source, folder)).is_none()
        });
        if found.is_none() {
            eprintln!("skipped {test}: BACKPROOF_DATA_DIR does not name a folder with {dataset}");
        }
        found
    }

    #[test]
    fn the_full_data_sets_load() {
        for dataset in [Dataset::Mnist, Dataset::FashionMnist, Dataset::Cifar10] {
            let Some(folder) = full("the_full_data_sets_load", dataset) else { continue };
            let data = load(dataset, Some(&folder)).unwrap();
            assert_eq!(data.training.len(), dataset.training_images());
            assert_eq!(data.test.len(), dataset.test_images());
            assert_eq!(data.checksums.len(), Source::of(dataset).unwrap().files.len());
        }
    }

    #[test]
    fn the_sample_is_the_first_500_of_each_class_of_the_training_set_of_mnist() {
        let name = "the_sample_is_the_first_500_of_each_class_of_the_training_set_of_mnist";
        let Some(folder) = full(name, Dataset::Mnist) else { return };
        let (all, sample) = (load(Dataset::Mnist, Some(&folder)).unwrap(), load(Dataset::MnistSample, None).unwrap());
        for class in 0..10 {
            let of = |images: &Images| -> Vec<Vec<u8>> {
                let members = (0..images.len()).filter(|&index| images.label(index) == class);
                members.map(|index| images.pixels(index).to_vec()).collect()
            };
            // Validation follows training in `sample.training`, so the order is that of MNIST.
            let ours = [of(&sample.training), of(&sample.test)].concat();
            assert!(ours == of(&all.training)[..500], "class {class}");
        }
    }

    #[test]
    fn missing_files_are_one_error_that_lists_them_all() {
        let folder = tempfile::tempdir().unwrap();
        let error = load(Dataset::FashionMnist, Some(folder.path())).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("4 files of fashion-mnist are missing:"), "{message}");
        for file in Source::of(Dataset::FashionMnist).unwrap().files {
            assert!(
                message.contains(&format!("fashion-mnist/{}.gz\n    from https://raw.git", file.name)),
                "{message}"
            );
        }
        assert!(error.help().unwrap().contains("cargo xtask data fetch fashion-mnist"));
    }

    #[test]
    fn a_file_of_the_wrong_size_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for file in Source::of(Dataset::Cifar10).unwrap().files {
            std::fs::write(folder.path().join(file.name), [0; 3_073]).unwrap();
        }
        let error = load(Dataset::Cifar10, Some(folder.path())).unwrap_err().to_string();
        assert!(error.ends_with("data_batch_1.bin`: size: expected 30730000 bytes, found 3073 bytes"), "{error}");
    }

    /// Records in another order have another checksum and load; one record of another class does not.
    #[test]
    fn content_in_another_order_loads_and_content_out_of_balance_does_not() {
        let folder = tempfile::tempdir().unwrap();
        for file in Source::of(Dataset::Cifar10).unwrap().files {
            let mut bytes = vec![0; 30_730_000];
            bytes.chunks_exact_mut(3_073).enumerate().for_each(|(i, record)| record[0] = (i % 10) as u8);
            std::fs::write(folder.path().join(file.name), bytes).unwrap();
        }
        let data = load(Dataset::Cifar10, Some(folder.path())).unwrap();
        assert_eq!(data.source, Origin::Folder(folder.path().to_path_buf()));
        let path = folder.path().join("test_batch.bin");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[0] = 1;
        std::fs::write(&path, bytes).unwrap();
        let error = load(Dataset::Cifar10, Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("cifar-10, test set") && error.contains("found [999, 1001,"), "{error}");
    }

    /// The four files of Fashion-MNIST with black images, `height` × `width` by their headers.
    fn black_clothes(folder: &Path, height: u32, width: u32) {
        for (file, images) in Source::of(Dataset::FashionMnist).unwrap().files.iter().zip([60_000_u32, 0, 10_000, 0]) {
            let mut bytes = vec![0; file.size as usize];
            if images > 0 {
                let header = [0x803, images, height, width].map(u32::to_be_bytes).concat();
                bytes[..16].copy_from_slice(&header);
            } else {
                let header = [0x801, file.size as u32 - 8].map(u32::to_be_bytes).concat();
                bytes[..8].copy_from_slice(&header);
                bytes[8..].iter_mut().enumerate().for_each(|(image, label)| *label = (image % 10) as u8);
            }
            std::fs::write(folder.join(file.name), bytes).unwrap();
        }
    }

    #[test]
    fn idx_files_in_another_order_load_and_images_of_another_size_do_not() {
        let folder = tempfile::tempdir().unwrap();
        black_clothes(folder.path(), 28, 28);
        let data = load(Dataset::FashionMnist, Some(folder.path())).unwrap();
        assert_eq!((data.training.len(), data.test.len()), (60_000, 10_000));
        assert_eq!((data.training.label(59_999), data.test.label(3)), (9, 3));
        assert_eq!(data.training.shape(), Dataset::FashionMnist.shape());
        black_clothes(folder.path(), 14, 56);
        let error = load(Dataset::FashionMnist, Some(folder.path())).unwrap_err().to_string();
        assert!(error.ends_with("ubyte`: height and width of an image: expected 28×28, found 14×56"), "{error}");
    }
}
