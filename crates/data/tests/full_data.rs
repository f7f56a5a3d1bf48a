//! The full data sets, where `BACKPROOF_DATA_DIR` names a folder with them. Else these tests show as ignored.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use backproof_data::{DataError, Images, LoadedData, load, source, verify};
use libtest_mimic::{Arguments, Completion, Trial};

#[path = "../src/tests/written.rs"]
#[expect(dead_code, reason = "the unit tests write more formats")]
mod written;

fn main() -> ExitCode {
    let sample = "the_sample_is_the_first_500_of_each_class_of_the_training_set_of_mnist";
    let trials = vec![
        trial("mnist_loads", "mnist", loads),
        trial("fashion_mnist_loads", "fashion-mnist", loads),
        trial("cifar_10_loads", "cifar-10", loads),
        trial(sample, "mnist", the_sample_is_of),
        trial("the_python_version_of_cifar_10_has_the_checksums_of_the_binary_version", "cifar-10", as_pickles),
        trial("the_numpy_archive_of_mnist_has_the_checksums_of_its_files", "mnist", as_numpy_archive),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn folder() -> Option<PathBuf> {
    std::env::var_os("BACKPROOF_DATA_DIR").map(PathBuf::from)
}

/// `test` of the data set; ignored where its files are missing.
fn trial(name: &str, data_set: &'static str, test: fn(&str)) -> Trial {
    Trial::ignorable_test(name, move || {
        let missing = match folder() {
            None => true,
            Some(folder) => matches!(load(data_set, Some(&folder)), Err(DataError::Missing(_))),
        };
        if missing {
            return Ok(Completion::ignored_with(format!("BACKPROOF_DATA_DIR names no folder with {data_set}")));
        }
        test(data_set);
        Ok(Completion::Completed)
    })
}

fn loads(data_set: &str) {
    let data = load(data_set, folder().as_deref()).unwrap();
    assert_eq!(data.training.len(), data.data_set.training_images);
    assert_eq!(data.test.len(), data.data_set.test_images);
    assert_eq!(data.checksums.len(), if data_set == "cifar-10" { 6 } else { 4 });
}

/// The pixels and the labels of all images of a part.
fn all_of(images: &Images, part: Range<usize>) -> (Vec<u8>, Vec<u8>) {
    (part.clone().flat_map(|at| images.pixels(at).to_vec()).collect(), part.map(|at| images.label(at) as u8).collect())
}

fn the_same(data_set: &str, of_files: &LoadedData, folder: &Path) {
    let again = load(data_set, Some(folder)).unwrap();
    assert_eq!(again.checksums, of_files.checksums);
    for (one, other) in [(&again.training, &of_files.training), (&again.test, &of_files.test)] {
        assert!(all_of(one, 0..one.len()) == all_of(other, 0..other.len()));
    }
    let states = |data_dir| verify(source(data_set).unwrap(), data_dir).unwrap().into_iter().map(|file| file.state);
    assert!(states(Some(folder)).eq(states(crate::folder().as_deref())));
}

fn as_pickles(cifar: &str) {
    let data = load(cifar, folder().as_deref()).unwrap();
    let outside = tempfile::tempdir().unwrap();
    let batches = outside.path().join("cifar-10-batches-py");
    std::fs::create_dir(&batches).unwrap();
    let write = |name: &str, images: &Images, part| {
        let (pixels, labels) = all_of(images, part);
        std::fs::write(batches.join(name), written::python_batch(&[("labels", &labels)], &pixels)).unwrap();
    };
    for batch in 0..5 {
        write(&format!("data_batch_{}", batch + 1), &data.training, batch * 10_000..(batch + 1) * 10_000);
    }
    write("test_batch", &data.test, 0..10_000);
    the_same(cifar, &data, outside.path());
}

fn as_numpy_archive(mnist: &str) {
    let data = load(mnist, folder().as_deref()).unwrap();
    let outside = tempfile::tempdir().unwrap();
    let mut arrays = Vec::new();
    for (part, images) in [("train", &data.training), ("test", &data.test)] {
        let (pixels, labels) = all_of(images, 0..images.len());
        arrays.push((format!("x_{part}.npy"), written::npy("|u1", &[images.len(), 28, 28], &pixels)));
        arrays.push((format!("y_{part}.npy"), written::npy("|u1", &[images.len()], &labels)));
    }
    let arrays: Vec<(&str, &[u8])> = arrays.iter().map(|(name, array)| (name.as_str(), &array[..])).collect();
    std::fs::write(outside.path().join("mnist.npz"), written::zip(&arrays)).unwrap();
    the_same(mnist, &data, outside.path());
}

fn the_sample_is_of(mnist: &str) {
    let all = load(mnist, folder().as_deref()).unwrap();
    let sample = load("mnist-sample", None).unwrap();
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
