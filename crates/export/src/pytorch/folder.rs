//! The folder of a PyTorch module.

use std::fs;
use std::io;
use std::path::Path;

use backproof_data::Normalizer;

use super::check_vector::check_vector;
use super::state::{Entry, State, to_bytes};
use super::write::{module, readme};
use crate::layers::change_states;
use crate::{ExportError, Model, Tensors};

/// What may be in the folder: our files, and what Python puts beside them.
pub const FILES: [&str; 7] = [
    "model.py",
    "weights.safetensors",
    "mean.safetensors",
    "test_vector.safetensors",
    "check.py",
    "README.md",
    "__pycache__",
];

/// Writes the model as a PyTorch module into `folder`: `model.py`, `weights.safetensors` with PyTorch's names,
/// `test_vector.safetensors` with the logits of some images, `check.py`, which compares PyTorch with them, and
/// `README.md`. If each pixel has a mean of its own, `mean.safetensors` has them.
///
/// A folder that was not there is there as a whole or not at all. In a folder of an earlier export, all new files are
/// written before the first of them takes the place of an old one.
///
/// # Errors
///
/// A folder with other files, and one that cannot be written.
pub fn write_folder(model: &Model, folder: &Path) -> Result<(), ExportError> {
    check_folder(folder)?;
    let files = files(model)?;
    let wrap = |source| ExportError::Write { path: folder.to_owned(), source };
    replace(folder, &files).map_err(wrap)
}

/// That a folder is free, or that of an earlier export.
///
/// # Errors
///
/// A folder with other files, and one that cannot be read.
pub fn check_folder(folder: &Path) -> Result<(), ExportError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(ExportError::Write { path: folder.to_owned(), source }),
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut others: Vec<String> = names.filter(|name| !FILES.contains(&name.as_str())).collect();
    if others.is_empty() {
        return Ok(());
    }
    others.sort();
    if others.len() > 3 {
        others.truncate(3);
        others.push("…".to_owned());
    }
    Err(ExportError::OtherFiles { folder: folder.to_owned(), files: others })
}

/// The files by name.
fn files(model: &Model) -> Result<Vec<(&'static str, Vec<u8>)>, ExportError> {
    let layers = model.network.architecture().trace().map_err(ExportError::Shape)?;
    let mut state = State::of(&Tensors::of(&model.network), model.iteration.unwrap_or(0));
    change_states(&layers, &mut state);
    // One number, or one a channel, is text in `model.py`.
    let channels = model.input().dimensions()[0];
    let mean = match &model.normalizer {
        Normalizer::SubtractMean { mean, .. } if ![1, channels].contains(&mean.len()) => Some(mean),
        _ => None,
    };
    let mut files = vec![
        ("model.py", module(model, &layers, mean.is_some()).into_bytes()),
        ("weights.safetensors", state.to_bytes()),
        ("test_vector.safetensors", check_vector(model)),
        ("check.py", include_bytes!("../../templates/check.py").to_vec()),
        ("README.md", readme(model).into_bytes()),
    ];
    if let Some(mean) = mean {
        let entry = Entry::floats(&model.input().dimensions(), mean);
        files.push(("mean.safetensors", to_bytes(&[("mean".to_owned(), entry)].into())));
    }
    Ok(files)
}

/// Writes files into a folder beside or in `folder`, and then renames that, or each of them.
fn replace(folder: &Path, files: &[(&str, Vec<u8>)]) -> io::Result<()> {
    let is_new = !folder.try_exists()?;
    let place = if is_new { folder.parent().filter(|it| !it.as_os_str().is_empty()) } else { Some(folder) };
    let place = place.unwrap_or(Path::new("."));
    fs::create_dir_all(place)?;
    let unfinished = tempfile::Builder::new().prefix(".writing-").tempdir_in(place)?;
    for (name, content) in files {
        let path = unfinished.path().join(name);
        fs::write(&path, content)?;
        fs::File::open(path)?.sync_all()?;
    }
    if is_new {
        readable(unfinished.path())?;
        return fs::rename(unfinished.path(), folder);
    }
    for (name, _) in files {
        fs::rename(unfinished.path().join(name), folder.join(name))?;
    }
    // What the earlier model had and this one does not have.
    for name in FILES.iter().filter(|&name| !files.iter().any(|(written, _)| written == name)) {
        let _ = fs::remove_file(folder.join(name));
    }
    Ok(())
}

/// `tempfile` makes folders that only their owner can read.
#[cfg(unix)]
fn readable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn readable(_: &Path) -> io::Result<()> {
    Ok(())
}
