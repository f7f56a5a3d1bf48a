//! Data sets of the published sizes in every layout, and what is wrong with those that are not.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::written::{idx, matlab, matlab_variable, npy, python_batch, zip};
use crate::{FileState, LoadedData, Origin, load, source, verify};

/// So many bytes that are not all alike, the same for the same seed.
fn pixels(seed: usize, count: usize) -> Vec<u8> {
    (0..count).map(|at| ((at / 7 + 31 * seed) % 251) as u8).collect()
}

/// Labels of `classes` classes in turn.
fn labels(classes: usize, count: usize) -> Vec<u8> {
    (0..count).map(|at| (at % classes) as u8).collect()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(name), bytes).unwrap();
}

fn refused(name: &str, data_dir: &Path) -> String {
    load(name, Some(data_dir)).unwrap_err().to_string()
}

/// The same images and labels, and checksums by the same names.
fn same(one: &LoadedData, other: &LoadedData) {
    assert_eq!(one.checksums, other.checksums);
    for (one, other) in [(&one.training, &other.training), (&one.test, &other.test)] {
        assert_eq!(one.len(), other.len());
        for at in (0..one.len()).step_by(501) {
            assert_eq!((one.label(at), one.pixels(at)), (other.label(at), other.pixels(at)));
        }
    }
}

#[test]
fn the_python_version_of_cifar_10_is_the_binary_version() {
    let root = tempfile::tempdir().unwrap();
    let nested = root.path().join("cifar-10-batches-py-target/cifar-10-batches-py");
    let binary = root.path().join("binary");
    let names = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"];
    for (seed, name) in names.into_iter().enumerate() {
        let (labels, pixels) = (labels(10, 10_000), pixels(seed, 30_720_000));
        let records =
            labels.iter().zip(pixels.chunks(3_072)).flat_map(|(label, image)| [&[*label][..], image].concat());
        write(&binary, &format!("{name}.bin"), &records.collect::<Vec<u8>>());
        write(&nested, name, &python_batch(&[("labels", &labels)], &pixels));
    }
    let (python, records) = (load("cifar-10", Some(root.path())).unwrap(), load("cifar-10", Some(&binary)).unwrap());
    assert_eq!(python.origin, Origin::Folder(nested.clone()));
    same(&python, &records);
    let cifar = source("cifar-10").unwrap();
    let states = verify(cifar, Some(root.path())).unwrap();
    assert!(states.iter().zip(verify(cifar, Some(&binary)).unwrap()).all(|(one, other)| one.state == other.state));
    assert!(states.iter().all(|file| matches!(file.state, FileState::Other { .. })));

    // One image less, a label too high, no labels, a cut, another class too many, and no pickle at all.
    let path = nested.join("data_batch_3");
    let whole = std::fs::read(&path).unwrap();
    let three = |labels: &[u8], count: usize| python_batch(&[("labels", labels)], &pixels(2, count * 3_072));
    let mut eleven = labels(10, 10_000);
    eleven[77] = 10;
    let mut unbalanced = labels(10, 10_000);
    unbalanced[0] = 1;
    for (bytes, problem) in [
        (three(&labels(10, 9_999), 9_999), "number of images: expected 10000, found 9999"),
        (three(&labels(10, 9_999), 10_000), "number of labels: expected one for each of 10000 images, found 9999"),
        (three(&eleven, 10_000), "label: expected 0 to 9, found 10 at image 77"),
        (whole[..whole.len() / 2].to_vec(), "is a damaged pickle: 30720000 bytes should follow"),
        (python_batch(&[], &pixels(2, 30_720_000)), "expected an entry `labels`"),
        (b"<html>".to_vec(), "is no pickle; expected a pickle of the protocols 2 to 5"),
        (three(&unbalanced, 10_000), "cifar-10, training set`: images of each class: expected [5000, 5000"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = refused("cifar-10", root.path());
        assert!(error.contains(problem), "{problem}: {error}");
        assert!(error.contains("data_batch_3") || problem.starts_with("cifar-10"), "{error}");
    }
    std::fs::write(&path, vec![0; 4 * 30_730_000 + 1]).unwrap();
    let error = refused("cifar-10", root.path());
    assert!(error.ends_with("data_batch_3`: size: expected at most 122920000 bytes, found more"), "{error}");
    let state = &verify(cifar, Some(root.path())).unwrap()[2].state;
    assert!(matches!(state, FileState::Damaged { reason } if reason.starts_with("size: ")), "{state:?}");
}

#[test]
fn cifar_100_has_classes_and_superclasses_in_both_versions() {
    let root = tempfile::tempdir().unwrap();
    let (python, binary) = (root.path().join("cifar-100-python"), root.path().join("binary/cifar-100-binary"));
    for (seed, name, count) in [(0, "train", 50_000), (1, "test", 10_000)] {
        let (fine, pixels) = (labels(100, count), pixels(seed, count * 3_072));
        let coarse: Vec<u8> = fine.iter().map(|class| class / 5).collect();
        let mut records = Vec::with_capacity(count * 3_074);
        for (at, image) in pixels.chunks(3_072).enumerate() {
            records.extend([coarse[at], fine[at]]);
            records.extend_from_slice(image);
        }
        write(&binary, &format!("{name}.bin"), &records);
        write(&python, name, &python_batch(&[("fine_labels", &fine), ("coarse_labels", &coarse)], &pixels));
    }
    for (name, expected) in [("cifar-100", 57), ("cifar-100-coarse", 11)] {
        let data = load(name, Some(root.path())).unwrap();
        same(&data, &load(name, Some(&root.path().join("binary"))).unwrap());
        assert_eq!((data.training.label(57), data.test.label(9_957)), (expected, expected));
        // They are compared by the content of the binary version.
        for state in verify(source(name).unwrap(), Some(root.path())).unwrap() {
            assert!(matches!(&state.state, FileState::Other { sha256, .. } if *sha256 == data.checksums[&state.name]));
        }
    }
    let path = binary.join("test.bin");
    let mut records = std::fs::read(&path).unwrap();
    records[3_074 * 3] = 20;
    std::fs::write(&path, &records).unwrap();
    let error = refused("cifar-100-coarse", &root.path().join("binary"));
    assert!(error.ends_with("test.bin`: label: expected 0 to 19, found 20 in record 3"), "{error}");
    // The classes are not read of that byte, and are right still.
    assert!(load("cifar-100", Some(&root.path().join("binary"))).is_ok());
    std::fs::write(&path, &records[3_074..]).unwrap();
    let error = refused("cifar-100", &root.path().join("binary"));
    assert!(error.ends_with("test.bin`: size: expected 30740000 bytes, found 30736926 bytes"), "{error}");
}

/// The four files of a data set like MNIST, with these labels: [N, H, W] and [N].
fn four(classes: usize, first: u8, counts: [usize; 2]) -> [(Vec<usize>, Vec<u8>); 4] {
    let [training, test] = counts;
    let labels = |count| labels(classes, count).iter().map(|label| label + first).collect();
    [
        (vec![training, 28, 28], pixels(3, training * 784)),
        (vec![training], labels(training)),
        (vec![test, 28, 28], pixels(4, test * 784)),
        (vec![test], labels(test)),
    ]
}

fn idx_of((axes, values): &(Vec<usize>, Vec<u8>)) -> Vec<u8> {
    idx(&axes.iter().map(|&axis| axis as u32).collect::<Vec<_>>(), values)
}

#[test]
fn kmnist_is_read_from_the_files_of_torchvision_and_from_numpy_archives() {
    let root = tempfile::tempdir().unwrap();
    let files = four(10, 0, [60_000, 10_000]);
    let raw = root.path().join("KMNIST/raw");
    let idx_names = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"];
    for (file, name) in files.iter().zip(idx_names) {
        write(&raw, &format!("{name}-ubyte"), &idx_of(file));
    }
    let idx = load("kmnist", Some(root.path())).unwrap();
    let folder = root.path().join("archives");
    let archives = ["kmnist-train-imgs", "kmnist-train-labels", "kmnist-test-imgs", "kmnist-test-labels"];
    for ((axes, values), name) in files.iter().zip(archives) {
        write(&folder, &format!("{name}.npz"), &zip(&[("arr_0.npy", &npy("|u1", axes, values))]));
    }
    let archives = load("kmnist", Some(&folder)).unwrap();
    same(&idx, &archives);
    // Only the checksums of the gzipped files are published.
    for state in verify(source("kmnist").unwrap(), Some(root.path())).unwrap() {
        assert!(matches!(&state.state, FileState::Unknown { sha256 } if *sha256 == idx.checksums[&state.name]));
    }
    let path = folder.join("kmnist-test-labels.npz");
    let (axes, values) = &files[3];
    for (bytes, problem) in [
        (
            zip(&[("labels.npy", &npy("|u1", axes, values))]),
            "is an archive with `labels.npy`; expected an array `arr_0.npy`",
        ),
        (zip(&[("arr_0.npy", &npy("|i1", axes, values))]), "of other numbers than bytes; expected bytes, [N, H, W]"),
        (zip(&[("arr_0.npy", &npy("|u1", &[9_999], &values[1..]))]), "size of what it holds: expected the 10008 bytes"),
        (zip(&[("arr_0.npy", &npy("|u1", &[100, 100], values))]), "of the shape [100, 100]"),
        (zip(&[("arr_0.npy", &npy("|u1", axes, values))])[..5_000].to_vec(), "is a damaged archive"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = refused("kmnist", &folder);
        assert!(error.contains(problem) && error.contains("kmnist-test-labels.npz"), "{problem}: {error}");
    }
}

/// Images of EMNIST lie transposed, and its letters begin at 1.
#[test]
fn the_splits_of_emnist_are_turned_and_counted_from_zero() {
    for (name, classes, first, counts, folder) in [
        ("letters", 26, 1, [124_800, 20_800], "EMNIST/raw"),
        ("balanced", 47, 0, [112_800, 18_800], "gzip"),
        ("mnist", 10, 0, [60_000, 10_000], "emnist"),
    ] {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(folder);
        let files = four(classes, first, counts);
        let names = ["train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1"];
        for (file, part) in files.iter().zip(names) {
            write(&folder, &format!("emnist-{name}-{part}-ubyte"), &idx_of(file));
        }
        let name = format!("emnist-{name}");
        let data = load(&name, Some(root.path())).unwrap();
        assert_eq!((data.training.label(classes + 3), data.test.label(0)), (3, 0));
        let image = &files[2].1[5 * 784..6 * 784];
        for (row, column) in [(0, 0), (0, 27), (5, 20), (20, 5)] {
            assert_eq!(data.test.pixels(5)[row * 28 + column], image[column * 28 + row], "{name}");
        }
        let path = folder.join(format!("{name}-test-labels-idx1-ubyte"));
        let mut labels = std::fs::read(&path).unwrap();
        labels[8 + 4] = first + classes as u8;
        std::fs::write(&path, &labels).unwrap();
        let last = usize::from(first) + classes;
        let problem = format!("label: expected {first} to {}, found {last} at image 4", last - 1);
        let error = refused(&name, root.path());
        assert!(error.ends_with(&problem), "{error}");
    }
}

#[test]
fn svhn_is_read_from_its_matlab_files_packed_or_not() {
    let root = tempfile::tempdir().unwrap();
    let counts = |name: &str| source("svhn").unwrap().published().unwrap().class_counts[usize::from(name == "test")];
    for (seed, name) in ["train", "test"].into_iter().enumerate() {
        let crate::published::Counts::Each(counts) = counts(name) else { panic!("they are known") };
        // The digit 0 is written as 10.
        let digits = counts.iter().zip([10, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let labels: Vec<u8> = digits.flat_map(|(&count, label)| std::iter::repeat_n(label, count)).collect();
        let count = labels.len() as i32;
        let images = matlab_variable("X", &[32, 32, 3, count], &pixels(seed, labels.len() * 3_072), 9, 2);
        let variables = [images, matlab_variable("y", &[count, 1], &labels, 9, 2)];
        let packed = variables.map(|variable| {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&variable).unwrap();
            let packed = encoder.finish().unwrap();
            [&15_u32.to_le_bytes()[..], &(packed.len() as u32).to_le_bytes(), &packed].concat()
        });
        write(root.path(), &format!("{name}_32x32.mat"), &matlab(&packed));
    }
    let data = load("svhn", Some(root.path())).unwrap();
    assert_eq!((data.training.label(0), data.training.label(4_948), data.test.label(26_031)), (0, 1, 9));
    let image = &pixels(1, 3_072 * 8)[3_072 * 7..];
    for (row, column) in [(0, 0), (0, 31), (5, 20), (20, 5)] {
        assert_eq!(data.test.pixels(7)[1_024 + row * 32 + column], image[1_024 + column * 32 + row]);
    }
    let state = &verify(source("svhn").unwrap(), Some(root.path())).unwrap()[1].state;
    assert!(matches!(state, FileState::Other { published, .. } if published.starts_with("cdce80df")), "{state:?}");
    let path = root.path().join("test_32x32.mat");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    let error = refused("svhn", root.path());
    assert!(error.contains("test_32x32.mat` is a damaged MATLAB file"), "{error}");
}
