//! Reading a data set that is published as files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use backproof_spec::{DataSet, counted};

use crate::Images;
use crate::content::sha256;
use crate::data_sets::owner;
use crate::error::{DataError, Result};
use crate::folder::directory;
use crate::formats::Expected;
use crate::local::{LocalFile, local_files};
use crate::missing::missing;
use crate::published::{Content, Counts, Published};
use crate::source::{LoadedData, Origin, Source};

impl Published {
    /// The images of the training set, 0, or of the test set, 1.
    fn images(&self, set: usize, files: &[LocalFile], checksums: &mut BTreeMap<String, String>) -> Result<Images> {
        let (counts, classes) = (self.class_counts[set], self.class_names.len());
        let expected = Expected { shape: self.shape, classes, images: counts.images() };
        let mut contents =
            files.iter().map(|file| Ok((file.path.display().to_string(), self.content(file, checksums)?)));
        let images = self.format.read(&expected, &mut contents)?;
        let wrong = |what, expected: String, found: String| {
            Err(DataError::format(&format!("{}, {} set", self.name, ["training", "test"][set]), what, expected, found))
        };
        match counts {
            Counts::Each(counts) if images.class_counts(classes) != counts => {
                wrong("images of each class", format!("{counts:?}"), format!("{:?}", images.class_counts(classes)))
            }
            _ if images.len() != counts.images() => {
                wrong("number of images", counts.images().to_string(), images.len().to_string())
            }
            _ => Ok(images),
        }
    }

    /// Reads one file and notes its checksum.
    fn content(&self, file: &LocalFile, checksums: &mut BTreeMap<String, String>) -> Result<Vec<u8>> {
        let bytes = file.read()?;
        let sum = sha256(&bytes);
        if file.content.sha256() != Some(&*sum)
            && let Some(found) = owner(&sum).filter(|&owner| owner != self.name)
        {
            return Err(DataError::OtherDataSet { path: file.path.clone(), expected: self.name.to_owned(), found });
        }
        checksums.insert(file.content.name.to_owned(), sum);
        Ok(bytes)
    }

    /// Warns of files that are not the published ones; once for each folder, however often a process reads it.
    fn warn_of_others(&self, folder: &Path, checksums: &BTreeMap<String, String>) {
        static WARNED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
        let is_other = |file: &&Content| {
            file.sha256().zip(checksums.get(file.name)).is_some_and(|(published, found)| published != found)
        };
        let others: Vec<&str> = self.contents().filter(is_other).map(|file| file.name).collect();
        let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
        if others.is_empty() || !warned.insert(folder.to_owned()) {
            return;
        }
        let (name, are) = (self.name, if others.len() == 1 { "is" } else { "are" });
        tracing::warn!(
            "{} of {name} in `{}` {are} not as published ({}); `cargo xtask data verify {name}` shows the checksums",
            counted(others.len(), "file"),
            folder.display(),
            others.join(", ")
        );
    }
}

/// Its files may lie in a folder of its name, packed or not, in those of other programs, or in the data folder itself.
///
/// What is read is checked: sizes, magic numbers, labels, and how many images each class has. Content that passes but
/// does not have the published checksum, such as the same images in another order, is a warning in the log.
impl Source for Published {
    fn name(&self) -> &str {
        self.name
    }

    fn known(&self) -> Option<DataSet> {
        let [training_images, test_images] = self.class_counts.map(Counts::images);
        let class_names = self.class_names.iter().map(|&name| name.to_owned()).collect();
        Some(DataSet {
            name: self.name.to_owned(),
            shape: self.shape,
            class_names,
            training_images,
            test_images,
            validation_images: None,
        })
    }

    fn load(&self, data_dir: Option<&Path>) -> Result<LoadedData> {
        let directory = directory(data_dir)?;
        let files = local_files(self, &directory);
        if let Some(missing) = missing(self, &files, &directory) {
            return Err(missing.into());
        }
        let (of_training, of_test) = files.split_at(self.files[0].len());
        let mut checksums = BTreeMap::new();
        let training = self.images(0, of_training, &mut checksums)?;
        let test = self.images(1, of_test, &mut checksums)?;
        let folder = files.first().and_then(|file| file.path.parent()).unwrap_or(Path::new(""));
        self.warn_of_others(folder, &checksums);
        Ok(LoadedData {
            data_set: self.look(None)?,
            training,
            test,
            published_validation: None,
            origin: Origin::Folder(folder.to_path_buf()),
            checksums,
            notes: Vec::new(),
        })
    }

    fn published(&self) -> Option<&Published> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use backproof_spec::Shape;

    use super::*;
    use crate::formats::Format;
    use crate::{load, source};

    fn published(name: &str) -> &'static Published {
        source(name).unwrap().published().unwrap()
    }

    #[test]
    fn missing_files_are_one_error_that_lists_them_all() {
        let folder = tempfile::tempdir().unwrap();
        let error = load("fashion-mnist", Some(folder.path())).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("4 files of fashion-mnist are missing:"), "{message}");
        for file in published("fashion-mnist").contents() {
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
        for file in published("cifar-10").contents() {
            std::fs::write(folder.path().join(file.name), [0; 3_073]).unwrap();
        }
        let error = load("cifar-10", Some(folder.path())).unwrap_err().to_string();
        assert!(error.ends_with("data_batch_1.bin`: size: expected 30730000 bytes, found 3073 bytes"), "{error}");
    }

    /// Records in another order have another checksum and load; one record of another class does not.
    #[test]
    fn content_in_another_order_loads_and_content_out_of_balance_does_not() {
        let folder = tempfile::tempdir().unwrap();
        for file in published("cifar-10").contents() {
            let mut bytes = vec![0; 30_730_000];
            bytes.chunks_exact_mut(3_073).enumerate().for_each(|(i, record)| record[0] = (i % 10) as u8);
            std::fs::write(folder.path().join(file.name), bytes).unwrap();
        }
        let data = load("cifar-10", Some(folder.path())).unwrap();
        assert_eq!(data.origin, Origin::Folder(folder.path().to_path_buf()));
        let path = folder.path().join("test_batch.bin");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[0] = 1;
        std::fs::write(&path, bytes).unwrap();
        let error = load("cifar-10", Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("cifar-10, test set") && error.contains("found [999, 1001,"), "{error}");
    }

    /// The four files of Fashion-MNIST with black images, `height` × `width` by their headers.
    fn black_clothes(folder: &Path, height: u32, width: u32) {
        for (file, images) in published("fashion-mnist").contents().zip([60_000_u32, 0, 10_000, 0]) {
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
        let data = load("fashion-mnist", Some(folder.path())).unwrap();
        assert_eq!((data.training.len(), data.test.len()), (60_000, 10_000));
        assert_eq!((data.training.label(59_999), data.test.label(3)), (9, 3));
        assert_eq!(data.training.shape(), Shape::image(1, 28, 28));
        black_clothes(folder.path(), 14, 56);
        let error = load("fashion-mnist", Some(folder.path())).unwrap_err().to_string();
        assert!(error.ends_with("ubyte`: height and width of an image: expected 28×28, found 14×56"), "{error}");
    }

    /// Labels for fewer images than there are would leave the last ones with the labels of nobody.
    #[test]
    fn a_set_with_fewer_labels_than_images_is_an_error_that_names_the_file_of_labels() {
        let idx = |magic: u8, axes: &[u32], values: usize| {
            let header: Vec<u8> = axes.iter().flat_map(|axis| axis.to_be_bytes()).collect();
            [vec![0, 0, 8, magic], header, vec![0; values]].concat()
        };
        let mut files = [("i", idx(3, &[2, 20, 24], 960)), ("l", idx(1, &[1], 1))]
            .map(|(name, bytes)| Ok((name.to_owned(), bytes)))
            .into_iter();
        let expected = Expected { shape: Shape::image(1, 20, 24), classes: 3, images: 2 };
        let error = crate::formats::idx::Idx::PLAIN.read(&expected, &mut files).unwrap_err().to_string();
        assert_eq!(error, "`l`: number of labels: expected one for each of 2 images, found 1");
    }

    #[test]
    fn the_address_of_a_file_is_that_of_its_packing() {
        let url = |name| published(name).url(published(name).contents().nth(1).unwrap());
        assert_eq!(url("mnist"), "https://storage.googleapis.com/cvdf-datasets/mnist/train-labels-idx1-ubyte.gz");
        assert_eq!(url("cifar-10"), "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz");
    }
}
