//! A CSV file of paths and labels.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use backproof_spec::counted;

use super::listed::{Listed, Listing, sort_names};
use super::names::{Part, shown};
use crate::error::{DataError, Result};

const PATHS: [&str; 6] = ["path", "file", "filename", "file_name", "image", "image_path"];
const LABELS: [&str; 3] = ["label", "class", "category"];
const PARTS: [&str; 4] = ["split", "set", "part", "subset"];

/// The images that the file at `path` lists. Their paths are relative to its folder.
pub(super) fn listing(path: &Path) -> Result<Listing> {
    let bytes = fs::read(path).map_err(DataError::io("read", path))?;
    let file = path.display().to_string();
    let wrong = |what, expected: &str, found: String| DataError::format(&file, what, expected, found);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(bytes)).from_reader(bytes);
    let head = reader.byte_headers().map_err(|error| wrong("CSV", "a table", error.to_string()))?.clone();
    let column = |names: &[&str]| {
        head.iter().position(|cell| names.iter().any(|name| cell.trim_ascii().eq_ignore_ascii_case(name.as_bytes())))
    };
    let (Some(paths), Some(labels)) = (column(&PATHS), column(&LABELS)) else {
        let found = shown(&String::from_utf8_lossy(bytes.split(|&byte| byte == b'\n').next().unwrap_or_default()));
        return Err(wrong("first line", "the columns `path` and `label`, perhaps also `split`", format!("`{found}`")));
    };
    let parts = column(&PARTS);
    let mut rows: Vec<(PathBuf, String, Part)> = Vec::new();
    let mut lines: HashMap<PathBuf, u64> = HashMap::new();
    for row in reader.byte_records() {
        let row = row.map_err(|error| wrong("CSV", "as many columns as in the first line", error.to_string()))?;
        let line = row.position().map_or(0, csv::Position::line);
        let of_image = os_path(&row[paths]).into_owned();
        let label = std::str::from_utf8(&row[labels])
            .map_err(|_| wrong("label", "UTF-8", format!("other bytes in line {line}")))?;
        for (what, is_empty) in [("path", of_image.as_os_str().is_empty()), ("label", label.is_empty())] {
            if is_empty {
                return Err(wrong(what, "one in each line", format!("none in line {line}")));
            }
        }
        let part = match parts.map(|column| String::from_utf8_lossy(&row[column]).trim().to_owned()) {
            None => Part::Training,
            Some(name) => Part::of(&name).ok_or_else(|| {
                let found = format!("`{}` in line {line}", shown(&name));
                wrong("split", "train, validation or test", found)
            })?,
        };
        if let Some(before) = lines.insert(of_image.clone(), line) {
            let found = format!("`{}` in the lines {before} and {line}", of_image.display());
            return Err(wrong("path", "each image once", found));
        }
        rows.push((of_image, label.to_owned(), part));
    }
    let mut names: Vec<&str> = rows.iter().map(|(_, label, _)| label.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    sort_names(&mut names);
    if names.len() < 2 {
        let found = format!("{} in {}", counted(names.len(), "label"), counted(rows.len(), "line"));
        return Err(wrong("labels", "at least two different ones", found));
    }
    // What 16 bits do not hold is refused by who counts the classes.
    let label: HashMap<&str, u16> = names.iter().enumerate().map(|(at, &name)| (name, at as u16)).collect();
    let mut files: Vec<Listed> = rows
        .iter()
        .map(|(path, name, part)| Listed { path: path.clone(), label: label[name.as_str()], part: *part })
        .collect();
    // As the list has them within a part.
    files.sort_by_key(|file| file.part);
    Ok(Listing {
        root: path.parent().unwrap_or(Path::new("")).to_path_buf(),
        class_names: names.iter().map(|&name| name.to_owned()).collect(),
        files,
        warnings: Vec::new(),
    })
}

/// What separates the columns: the one of `,`, `;` and tab that the first line has most of.
fn delimiter(bytes: &[u8]) -> u8 {
    let head = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| head.iter().filter(|&&byte| byte == wanted).count();
    // The last one wins a tie: a comma.
    [b'\t', b';', b','].into_iter().max_by_key(|&byte| count(byte)).unwrap_or(b',')
}

/// A path of these bytes: any bytes where the system takes them, else UTF-8.
fn os_path(bytes: &[u8]) -> Cow<'_, Path> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Cow::Borrowed(Path::new(std::ffi::OsStr::from_bytes(bytes)))
    }
    #[cfg(not(unix))]
    Cow::Owned(PathBuf::from(String::from_utf8_lossy(bytes).into_owned()))
}
