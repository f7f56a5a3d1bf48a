//! The files of a data set on this machine: which layout they are in, and their content.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::content::{read, read_up_to};
use crate::error::{DataError, Result};
use crate::published::{Content, Packing, Published, Version};

/// A file of a data set on this machine.
#[derive(Debug, Clone)]
pub(crate) struct LocalFile {
    /// The published file.
    pub(crate) content: &'static Content,
    /// Where the file that holds it is, or would be put.
    pub(crate) path: PathBuf,
    pub(crate) present: bool,
    pub(crate) holds: Holds,
}

/// What a file holds of the published one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holds {
    /// All of it, as it is, packed or not.
    Content,
    /// The same images and labels, packed by the format into up to so many bytes.
    Packed { most: u64 },
    /// What it is made again of: published file number `part` of a file of up to `most` bytes.
    Version { version: &'static Version, part: usize, most: u64 },
}

/// A file may be this many times as large as the content that is made of it. A pickle of Python 3 may take two bytes
/// for a pixel.
const TIMES: u64 = 4;

impl LocalFile {
    /// The published file, which is nowhere.
    #[cfg(any(fuzzing, test))]
    pub(crate) fn missing(content: &'static Content) -> Self {
        Self { content, path: PathBuf::new(), present: false, holds: Holds::Content }
    }

    /// The content of the published file: unpacked, and made again where the file is of another version.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, has another size, or does not hold what it should.
    pub(crate) fn read(&self) -> Result<Vec<u8>> {
        match self.holds {
            Holds::Content => read(&self.path, self.content.size),
            Holds::Packed { most } => read_up_to(&self.path, most),
            Holds::Version { version, part, most } => {
                let file = self.path.display().to_string();
                let size = self.content.size;
                let content = version.remake.remake(&file, &read_up_to(&self.path, most)?, part, size)?;
                match content.len() as u64 {
                    found if found == size => Ok(content),
                    found => Err(DataError::format(
                        &file,
                        "size of what it holds",
                        format!("the {size} bytes of {}", self.content.name),
                        found,
                    )),
                }
            }
        }
    }

    /// Where to get it, or the archive that holds it.
    pub(crate) fn url(&self, published: &Published) -> String {
        match self.holds {
            Holds::Version { version, .. } => version.url.to_owned(),
            _ => published.url(self.content),
        }
    }
}

/// Where each file of `published` is under `directory`, in its order. All are of one layout: the one with the most
/// files, and of several the first. If there are no files, it is the one where a download goes.
pub(crate) fn local_files(published: &Published, directory: &Path) -> Vec<LocalFile> {
    let versions = published.versions.iter().flat_map(|version| {
        version.folders.iter().map(|folder| of_version(published, version, &directory.join(folder)))
    });
    most_of(of_published(published, directory).chain(versions))
}

/// As [`local_files`], but of the published files alone.
#[cfg(feature = "fetch")]
pub(crate) fn published_files(published: &Published, directory: &Path) -> Vec<LocalFile> {
    most_of(of_published(published, directory))
}

fn of_published<'a>(published: &'a Published, directory: &'a Path) -> impl Iterator<Item = Vec<LocalFile>> + 'a {
    published.folders.iter().map(|folder| {
        published.contents().map(|content| published_file(published, content, &directory.join(folder))).collect()
    })
}

/// The first candidate with the most files.
fn most_of(candidates: impl Iterator<Item = Vec<LocalFile>>) -> Vec<LocalFile> {
    let mut best: (usize, Vec<LocalFile>) = (0, Vec::new());
    for files in candidates {
        let present = files.iter().filter(|file| file.present).count();
        if present > best.0 || best.1.is_empty() {
            best = (present, files);
        }
    }
    best.1
}

fn of_version(published: &Published, version: &'static Version, folder: &Path) -> Vec<LocalFile> {
    let contents: Vec<&'static Content> = published.contents().collect();
    let file = |(part, (&content, &name)): (usize, (&&'static Content, &&'static str))| {
        let held = contents.iter().zip(version.files).filter(|(_, file)| **file == name);
        let most = TIMES * held.map(|(content, _)| content.size).sum::<u64>();
        let path = folder.join(name);
        LocalFile { content, present: is_there(&path), path, holds: Holds::Version { version, part, most } }
    };
    contents.iter().zip(version.files).enumerate().map(file).collect()
}

fn published_file(published: &Published, content: &'static Content, folder: &Path) -> LocalFile {
    let holds = match published.format.fixes_the_size() {
        true => Holds::Content,
        false => Holds::Packed { most: TIMES * content.size },
    };
    let endings: &[&str] = if matches!(holds, Holds::Content) { &["", ".gz"] } else { &[""] };
    let names =
        spellings(content.name).into_iter().flat_map(|name| endings.iter().map(move |end| format!("{name}{end}")));
    let present = names.map(|name| folder.join(name)).find(|path| is_there(path));
    if let Some(path) = present {
        return LocalFile { content, path, present: true, holds };
    }
    let name = match published.packing {
        Packing::Gzip | Packing::Zip { .. } => format!("{}.gz", content.name),
        Packing::Plain | Packing::TarGz { .. } => content.name.to_owned(),
    };
    LocalFile { content, path: folder.join(name), present: false, holds }
}

/// Whether a file is there. One that this user may not look at counts: reading it then says so, and nobody calls it
/// missing.
fn is_there(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(metadata) => metadata.is_file(),
        Err(error) => error.kind() == ErrorKind::PermissionDenied,
    }
}

/// The names that a file may have: the published one, and `train-images.idx3-ubyte`, which some unpackers make of
/// `train-images-idx3-ubyte`.
fn spellings(name: &str) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    if let Some((start, end)) = name.rsplit_once("-idx") {
        names.push(format!("{start}.idx{end}"));
    }
    names
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::missing::missing;
    use crate::source;

    #[test]
    fn files_are_found_in_every_layout_packed_or_not() {
        let published = source("mnist").unwrap().published().unwrap();
        for (folder, ending) in [("mnist", ".gz"), ("mnist", ""), ("MNIST/raw", ""), ("", ".gz")] {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            for file in published.contents() {
                std::fs::write(folder.join(format!("{}{ending}", file.name)), "").unwrap();
            }
            let files = local_files(published, root.path());
            assert!(files.iter().all(|file| file.present && file.path.starts_with(&folder)));
            assert_eq!(missing(published, &files, root.path()), None);
        }
    }

    #[test]
    fn files_as_unpackers_name_them_are_found() {
        let published = source("mnist").unwrap().published().unwrap();
        let root = tempfile::tempdir().unwrap();
        for (file, ending) in published.contents().zip(["", ".gz", "", ".gz"]) {
            std::fs::write(root.path().join(format!("{}{ending}", file.name.replace("-idx", ".idx"))), "").unwrap();
        }
        let files = local_files(published, root.path());
        assert!(files.iter().all(|file| file.present), "{files:?}");
    }

    #[test]
    fn of_several_layouts_the_first_that_is_whole_is_taken() {
        let published = source("cifar-10").unwrap().published().unwrap();
        let root = tempfile::tempdir().unwrap();
        let write = |folder: &str, names: &[&str]| {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
            names.iter().for_each(|name| std::fs::write(root.path().join(folder).join(name), "").unwrap());
        };
        let folder = || local_files(published, root.path())[0].path.parent().unwrap().to_path_buf();
        write("cifar-10-batches-py", &["data_batch_2", "batches.meta"]);
        assert_eq!(folder(), root.path().join("cifar-10-batches-py"));
        write("cifar-10-batches-bin", &["data_batch_1.bin", "data_batch_2.bin"]);
        assert_eq!(folder(), root.path().join("cifar-10-batches-bin"));
        let nested = "cifar-10-batches-py-target/cifar-10-batches-py";
        let python = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"];
        write(nested, &python);
        assert_eq!(folder(), root.path().join(nested));
        let files = local_files(published, root.path());
        assert_eq!(files.iter().map(|file| &file.path).collect::<BTreeSet<_>>().len(), 6);
        assert!(files.iter().all(|file| file.url(published).ends_with("cifar-10-python.tar.gz")));
        let npz = source("mnist").unwrap().published().unwrap();
        std::fs::write(root.path().join("mnist.npz"), "").unwrap();
        let files = local_files(npz, root.path());
        assert!(files.iter().all(|file| file.present && file.path == root.path().join("mnist.npz")));
    }
}
