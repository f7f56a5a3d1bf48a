//! A data set as a folder of images.

use std::fs;
use std::path::{Path, PathBuf};

use backproof_spec::Shape;

use super::class_table::ClassTable;
use crate::Images;
use crate::error::{DataError, Result};
use crate::picture;
use crate::source::{LoadedData, Watch};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The folder.
    pub folder: PathBuf,
    /// How many images each of `train`, `validation` and `test` has.
    pub images: [usize; 3],
}

/// Writes every image of a data set to the new or empty folder `folder` as PNG: `train/CLASS/000042.png`, where the
/// number is the index of the image in its set. The published validation part goes to `validation`, and `classes.csv` has
/// the names of the classes in label order. The images of the folder have the order and the labels of the data set, so
/// training on it gives the same numbers.
///
/// # Errors
///
/// A folder that is not empty or cannot be written to, images that are vectors or have other than 1 or 3 channels, and
/// [`DataError::Stopped`] where `watch` breaks off.
pub fn export(data: &LoadedData, folder: &Path, watch: Watch<'_>) -> Result<Exported> {
    let shape = data.data_set.shape;
    if !matches!(shape, Shape::Image { channels: 1 | 3, .. }) {
        let problem = format!("cannot hold {}: images of {shape} are no pictures", data.data_set.name);
        return Err(DataError::folder(folder, problem));
    }
    fs::create_dir_all(folder).map_err(DataError::io("create", folder))?;
    let mut inside = fs::read_dir(folder).map_err(DataError::io("read", folder))?;
    if inside.next().is_some() {
        let help = "name a folder that is not there yet";
        return Err(DataError::folder(folder, "is not empty").with_help(Some(help.to_owned())));
    }
    let names: Vec<String> = data.data_set.class_names.iter().enumerate().map(folder_name).collect();
    let mut table = csv::Writer::from_writer(Vec::new());
    let rows = names.iter().map(String::as_str).zip(data.data_set.class_names.iter().map(String::as_str));
    for (name, class) in std::iter::once(("folder", "class")).chain(rows) {
        table.write_record([name, class]).expect("a vector takes all bytes");
    }
    let path = folder.join(ClassTable::FILE);
    fs::write(&path, table.into_inner().expect("a vector takes all bytes")).map_err(DataError::io("write", &path))?;

    let validation = data.published_validation.clone().unwrap_or(0..0);
    let is_held_out = |index: &usize| validation.contains(index);
    let all = 0..data.training.len();
    let parts: [(&str, &Images, Vec<usize>); 3] = [
        ("train", &data.training, all.clone().filter(|index| !is_held_out(index)).collect()),
        ("validation", &data.training, all.filter(is_held_out).collect()),
        ("test", &data.test, (0..data.test.len()).collect()),
    ];
    let total = parts.iter().map(|(_, _, indices)| indices.len()).sum();
    let mut done = 0;
    for (part, images, indices) in &parts {
        if !indices.is_empty() {
            for name in &names {
                let path = folder.join(part).join(name);
                fs::create_dir_all(&path).map_err(DataError::io("create", &path))?;
            }
        }
        for &index in indices {
            let path = folder.join(part).join(&names[images.label(index)]).join(format!("{index:06}.png"));
            let file = picture::png(images.pixels(index), shape);
            fs::write(&path, file).map_err(DataError::io("write", &path))?;
            done += 1;
            if watch(done, total).is_break() {
                return Err(DataError::Stopped);
            }
        }
    }
    Ok(Exported { folder: folder.to_path_buf(), images: parts.map(|(_, _, indices)| indices.len()) })
}

/// A name that every system takes for a folder: that of the class as far as it is plain, and otherwise with its number.
fn folder_name((label, class): (usize, &String)) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let name: String = class.chars().take(40).map(plain).collect();
    if name == *class && !name.is_empty() { name } else { format!("{label}_{name}") }
}
