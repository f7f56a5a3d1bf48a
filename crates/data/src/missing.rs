//! What is missing of a data set, and what lies there in its place.

use std::path::{Path, PathBuf};

use crate::error::{MissingFile, MissingFiles};
use crate::local::LocalFile;
use crate::published::{Content, Published};

/// The error that lists what is not there, if anything is not, with what lies there and has a similar name, and with
/// every layout that is read.
pub(crate) fn missing(published: &Published, files: &[LocalFile], directory: &Path) -> Option<MissingFiles> {
    let known: Vec<&Path> = files.iter().filter(|file| file.present).map(|file| file.path.as_path()).collect();
    let folders = published.folders.iter().map(|folder| directory.join(folder));
    let others: Vec<PathBuf> =
        folders.flat_map(|folder| files_in(&folder)).filter(|path| !known.contains(&path.as_path())).collect();
    let other_version = other_version(published, directory);
    // The files of another version have similar names, and hold something else.
    let alike = |content: &Content| others.iter().find(|path| other_version.is_none() && is_alike(content.name, path));
    let files: Vec<MissingFile> = files
        .iter()
        .filter(|file| !file.present)
        .map(|file| MissingFile {
            path: file.path.clone(),
            url: file.url(published),
            alike: alike(file.content).cloned(),
        })
        .collect();
    (!files.is_empty()).then(|| MissingFiles {
        data_set: published.name.to_owned(),
        files,
        other_version,
        layouts: layouts(published),
    })
}

/// Something of the data set that lies in one of its folders and is not read as it is: where, and what it is.
fn other_version(published: &Published, directory: &Path) -> Option<(PathBuf, String)> {
    let name = published.name;
    let archives = published.versions.iter().flat_map(|version| {
        let what = format!("is an archive with the {} of {name}; unpack it there, with `tar -xzf`", version.name);
        version.archives.iter().map(move |archive| (*archive, what.clone()))
    });
    let others = published.other_versions.iter().flat_map(|version| {
        let what = format!("is the {} of {name}, which Backproof does not read", version.name);
        version.marks.iter().map(move |mark| (*mark, what.clone()))
    });
    let places = archives.chain(others).flat_map(|(mark, what)| {
        published.folders.iter().map(move |folder| (directory.join(folder).join(mark), what.clone()))
    });
    places.into_iter().find(|(path, _)| path.exists())
}

/// Where else the published files may lie, and which files are read in their place.
fn layouts(published: &Published) -> Vec<String> {
    let mut layouts = Vec::new();
    if let [_, others @ ..] = published.folders
        && !others.is_empty()
    {
        layouts.push(format!("these files may also lie in {}", places(others)));
    }
    for version in published.versions {
        let mut names: Vec<String> = version.files.iter().map(|file| format!("`{file}`")).collect();
        names.dedup();
        let (files, folders) = (names.join(", "), places(version.folders));
        layouts.push(format!("or the {} from {}: {files} in {folders}", version.name, version.url));
    }
    layouts
}

/// Folders under the data folder as a sentence names them.
fn places(folders: &[&str]) -> String {
    let name = |folder: &&str| match *folder {
        "" => "the data folder itself".to_owned(),
        folder => format!("`{folder}`"),
    };
    let mut names: Vec<String> = folders.iter().map(name).collect();
    match names.pop() {
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} or {last}", names.join(", ")),
        None => String::new(),
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// Whether a file's name says the same as a published one but for case, separators and endings.
fn is_alike(published: &str, path: &Path) -> bool {
    let letters = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let stem = |name: &str| letters(name.split('.').next().unwrap_or(name));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    letters(&name).starts_with(&letters(published)) || stem(&name) == stem(published)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::local_files;
    use crate::{data_set_directory, source};

    #[test]
    fn what_is_missing_is_looked_for_where_the_rest_is() {
        let cifar = source("cifar-10").unwrap();
        let published = cifar.published().unwrap();
        let root = tempfile::tempdir().unwrap();
        let nothing = missing(published, &local_files(published, root.path()), root.path()).unwrap();
        assert_eq!(nothing.files.len(), 6);
        let empty = data_set_directory(cifar, Some(root.path())).unwrap();
        assert_eq!(empty, Some(root.path().join("cifar-10/cifar-10-batches-bin")));
        assert_eq!(nothing.files[0].path, root.path().join("cifar-10/cifar-10-batches-bin/data_batch_1.bin"));
        let folder = root.path().join("cifar-10-batches-bin");
        std::fs::create_dir(&folder).unwrap();
        for file in published.contents().take(5) {
            std::fs::write(folder.join(file.name), "").unwrap();
        }
        assert_eq!(data_set_directory(cifar, Some(root.path())).unwrap(), Some(folder.clone()));
        assert_eq!(data_set_directory(source("mnist-sample").unwrap(), None).unwrap(), None);
        let one = missing(published, &local_files(published, root.path()), root.path()).unwrap();
        assert_eq!(
            one.files,
            [MissingFile {
                path: folder.join("test_batch.bin"),
                url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz".to_owned(),
                alike: None,
            }]
        );
    }

    #[test]
    fn a_version_that_is_not_read_as_it_is_is_named_and_its_files_are_not_called_similar() {
        let published = source("cifar-10").unwrap().published().unwrap();
        let look = |root: &Path| missing(published, &local_files(published, root), root).unwrap();
        let matlab = "is the MATLAB version of cifar-10, which Backproof does not read";
        let python = "is an archive with the Python version of cifar-10; unpack it there, with `tar -xzf`";
        for (folder, name, shown, what) in [
            ("", "cifar-10-matlab.tar.gz", "cifar-10-matlab.tar.gz", matlab),
            ("cifar-10", "cifar-10-python.tar.gz", "cifar-10/cifar-10-python.tar.gz", python),
            ("", "cifar-10-batches-py-target_archive", "cifar-10-batches-py-target_archive", python),
        ] {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(name), "").unwrap();
            std::fs::write(folder.join("data_batch_2.mat"), "").unwrap();
            let missing = look(root.path());
            assert_eq!(missing.other_version, Some((root.path().join(shown), what.to_owned())));
            assert!(missing.files.iter().all(|file| file.alike.is_none()), "{missing:?}");
            assert!(missing.to_string().contains(&format!("{shown}` {what}\n")), "{missing}");
        }
        let root = tempfile::tempdir().unwrap();
        assert_eq!(look(root.path()).other_version, None);
    }

    #[test]
    fn every_layout_that_is_read_is_named_with_where_to_get_it() {
        let root = tempfile::tempdir().unwrap();
        let layouts = |name: &str| {
            let published = source(name).unwrap().published().unwrap();
            missing(published, &local_files(published, root.path()), root.path()).unwrap().layouts
        };
        assert_eq!(
            layouts("cifar-10"),
            [
                "these files may also lie in `cifar-10-batches-bin`, `cifar-10` or the data folder itself".to_owned(),
                "or the Python version from https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz: `data_batch_1`, \
                 `data_batch_2`, `data_batch_3`, `data_batch_4`, `data_batch_5`, `test_batch` in \
                 `cifar-10/cifar-10-batches-py`, `cifar-10-batches-py`, \
                 `cifar-10-batches-py-target/cifar-10-batches-py`, `cifar-10` or the data folder itself"
                    .to_owned(),
            ]
        );
        assert_eq!(
            layouts("mnist"),
            [
                "these files may also lie in `MNIST/raw` or the data folder itself".to_owned(),
                "or the NumPy archive of Keras from \
                 https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz: \
                 `mnist.npz` in `mnist` or the data folder itself"
                    .to_owned(),
            ]
        );
    }

    #[test]
    fn what_lies_there_under_a_similar_name_is_shown() {
        let published = source("mnist").unwrap().published().unwrap();
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("mnist");
        std::fs::create_dir(&folder).unwrap();
        for name in ["Train_Images_IDX3_ubyte", "train-labels-idx1-ubyte.zip", "t10k-images-idx3-ubyte", "notes.txt"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let missing = missing(published, &local_files(published, root.path()), root.path()).unwrap();
        let alike: Vec<_> = missing.files.iter().map(|file| file.alike.clone()).collect();
        let there = |name: &str| Some(folder.join(name));
        assert_eq!(alike, [there("Train_Images_IDX3_ubyte"), there("train-labels-idx1-ubyte.zip"), None]);
    }
}
