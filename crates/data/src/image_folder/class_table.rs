//! `classes.csv` in a folder of images: the order of the labels, and names that are not those of the folders.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use super::names::shown;
use crate::error::{DataError, Result};

/// The classes in label order, each with the name of its folder.
#[derive(Debug)]
pub(crate) struct ClassTable {
    names: Vec<String>,
    folders: Vec<String>,
    labels: HashMap<String, u16>,
}

impl ClassTable {
    /// The name of the file.
    pub(crate) const FILE: &str = "classes.csv";

    /// Whether `path` is such a file.
    pub(crate) fn is_at(path: &Path) -> bool {
        path.file_name().is_some_and(|name| name == Self::FILE)
    }

    /// Classes that are called as their folders, in that order.
    pub(crate) fn of(folders: &[&str]) -> Self {
        let folders: Vec<String> = folders.iter().map(|&folder| folder.to_owned()).collect();
        Self::new(folders.clone(), folders)
    }

    fn new(folders: Vec<String>, names: Vec<String>) -> Self {
        // More than 16 bits hold is refused later.
        let labels = folders.iter().cloned().zip(0..=u16::MAX).collect();
        Self { names, folders, labels }
    }

    /// The table in `root`; `None` if there is none.
    pub(crate) fn read(root: &Path) -> Result<Option<Self>> {
        let path = root.join(Self::FILE);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(DataError::io("read", &path))?;
        let file = path.display().to_string();
        let wrong = |what, expected: &str, found: String| DataError::format(&file, what, expected, found);
        let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let head = reader.headers().map_err(|error| wrong("CSV", "a table", error.to_string()))?;
        if head.iter().map(str::trim).ne(["folder", "class"]) {
            let found = head.iter().collect::<Vec<_>>().join(",");
            return Err(wrong("first line", "`folder,class`", format!("`{}`", shown(&found))));
        }
        let (mut folders, mut names) = (Vec::new(), Vec::new());
        let mut seen = [HashSet::new(), HashSet::new()];
        for row in reader.records() {
            let row = row.map_err(|error| wrong("CSV", "two columns", error.to_string()))?;
            for (column, into) in [(0, &mut folders), (1, &mut names)] {
                let cell = row[column].to_owned();
                let line = row.position().map_or(0, csv::Position::line);
                if cell.is_empty() || !seen[column].insert(cell.clone()) {
                    let found = format!("`{}` in line {line}", shown(&cell));
                    return Err(wrong("class", "names that are not empty and come once", found));
                }
                into.push(cell);
            }
        }
        Ok(Some(Self::new(folders, names)))
    }

    /// The table, if it has exactly these folders.
    pub(crate) fn checked(self, root: &Path, folders: &[&str]) -> Result<Self> {
        let file = root.join(Self::FILE).display().to_string();
        if let Some(unknown) = folders.iter().find(|folder| !self.labels.contains_key(**folder)) {
            return Err(DataError::format(&file, "classes", "each folder", format!("no line of `{}`", shown(unknown))));
        }
        let there: HashSet<&str> = folders.iter().copied().collect();
        if let Some(missing) = self.folders.iter().find(|folder| !there.contains(folder.as_str())) {
            let found = format!("`{}`, which has none", shown(missing));
            return Err(DataError::format(&file, "classes", "classes that have a folder", found));
        }
        Ok(self)
    }

    /// The label of the class in that folder.
    pub(crate) fn label(&self, folder: &str) -> Option<u16> {
        self.labels.get(folder).copied()
    }

    /// The names of the classes, in label order.
    pub(crate) fn into_names(self) -> Vec<String> {
        self.names
    }
}
