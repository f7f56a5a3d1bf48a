//! `predict --save-input`: what the network gets of each picture, as files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use backproof::error::{Failure, code};
use backproof_data::Picture;
use backproof_report::{input_png, seen_png};
use backproof_spec::Shape;
use backproof_train::{TrainError, write_file};

/// Where the inputs go.
pub(crate) struct Saving<'a> {
    to: &'a Path,
    taken: BTreeMap<String, usize>,
}

impl<'a> Saving<'a> {
    /// Inputs that go to the folder `to`, which is made: that it cannot be written to is said before anything is
    /// computed.
    pub(crate) fn new(to: &'a Path) -> Result<Self, Failure> {
        let probe = fs::create_dir_all(to).and_then(|()| tempfile::tempfile_in(to));
        probe.map_err(|error| {
            let message = format!("cannot write into `{}`: {error}", to.display());
            Failure::new(code::FAILED, message)
                .help("`--save-input DIR` takes a folder, which is made if it is not there")
        })?;
        Ok(Self { to, taken: BTreeMap::new() })
    }

    /// Writes what the network gets of the picture of `file`, `pixels` of `shape`: by itself, and enlarged beside the
    /// picture. Gives the path of the first.
    ///
    /// A file that is there already is kept, and that is an error: it may be a picture of the user's.
    pub(crate) fn add(
        &mut self,
        file: &Path,
        picture: &Picture,
        pixels: &[u8],
        shape: Shape,
    ) -> Result<PathBuf, TrainError> {
        let stem = file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy();
        // Names that differ in their case alone are one on some systems.
        let times = self.taken.entry(stem.to_lowercase()).or_insert(0);
        *times += 1;
        let number = if *times == 1 { String::new() } else { format!("-{times}") };
        let [input, seen] = ["input", "seen"].map(|kind| self.to.join(format!("{stem}-{kind}{number}.png")));
        for path in [&input, &seen] {
            if path.symlink_metadata().is_ok() {
                let source = std::io::Error::new(
                    std::io::ErrorKind::AlreadyExists,
                    "the file is there already, and is kept; name another folder for --save-input, or remove the file",
                );
                return Err(TrainError::Write { path: path.clone(), source });
            }
        }
        write_file(&input, &input_png(pixels, shape))?;
        write_file(&seen, &seen_png(picture, pixels, shape))?;
        Ok(input)
    }
}

/// That what is written to `to` is no picture of the next call: of `folder`, `files` are predicted. A call looks no
/// deeper than these lie.
pub(crate) fn check_apart(option: &str, to: &Path, folder: &Path, files: &[PathBuf]) -> Result<(), Failure> {
    let root = whole(folder);
    let depth = |path: &Path| whole(path).strip_prefix(&root).ok().map(|inside| inside.components().count());
    let deepest = files.iter().filter_map(|file| depth(file.parent()?)).max();
    match (depth(to), deepest) {
        (Some(depth), Some(deepest)) if depth <= deepest => {
            let to = to.display();
            let message = format!("what {option} writes to `{to}` would be among the pictures of the next call");
            Err(Failure::usage(message).help(format!("name a folder outside of `{}`", folder.display())))
        }
        _ => Ok(()),
    }
}

/// The path without links and dots, as far as it is there.
fn whole(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for there in path.ancestors() {
        if let (Ok(found), Ok(rest)) = (there.canonicalize(), path.strip_prefix(there)) {
            return found.join(rest);
        }
    }
    path
}
