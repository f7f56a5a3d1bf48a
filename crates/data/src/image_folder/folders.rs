//! Folders of classes.

use std::path::{Path, PathBuf};

use backproof_spec::counted;
use walkdir::WalkDir;

use super::class_table::ClassTable;
use super::inside::Inside;
use super::listed::{Listed, Listing, sort_names};
use super::names::{Others, Part, is_picture, shown, some_of};
use crate::error::{DataError, Result};

/// How many pictures there are in a folder, however deep. Links are not followed.
fn pictures_below(folder: &Path) -> usize {
    WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|it| it.file_type().is_file() && is_picture(it.file_name()))
        .count()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The images of a folder with a folder for each class, or with such folders for training, validation and test.
pub(super) fn listing(root: &Path) -> Result<Listing> {
    let top = Inside::of(root)?;
    let mut parts: Vec<(Part, PathBuf)> = Vec::new();
    for folder in &top.folders {
        // A class may be called `train` too; then it has pictures.
        if let Some(part) = Part::of(&file_name(folder)) {
            let inside = Inside::of(folder)?;
            if inside.pictures.is_empty() && !inside.folders.is_empty() {
                parts.push((part, folder.clone()));
            }
        }
    }
    let is_divided = parts.iter().any(|(part, _)| *part == Part::Training);
    let mut found = Found::default();
    if is_divided {
        check_parts(root, &parts, &top.folders)?;
        for (part, folder) in &parts {
            found.look_for_classes(*part, folder, Inside::of(folder)?)?;
        }
    } else {
        found.look_for_classes(Part::Training, root, Inside { others: Vec::new(), ..Inside::of(root)? })?;
    }
    let of_root = top.others.iter().filter(|path| !ClassTable::is_at(path));
    of_root.for_each(|path| found.others.add(path.file_name().unwrap_or_default()));
    let table = ClassTable::read(root)?;
    found.listing(root, table)
}

/// That each part has one folder, and that there are no others.
fn check_parts(root: &Path, parts: &[(Part, PathBuf)], folders: &[PathBuf]) -> Result<()> {
    for part in Part::ALL {
        let of_part: Vec<String> = parts.iter().filter(|it| it.0 == part).map(|it| file_name(&it.1)).collect();
        if let [one, other, ..] = &of_part[..] {
            let problem = format!("has two folders of {} images, `{one}` and `{other}`", part.name());
            return Err(DataError::folder(root, problem).with_help(Some("keep one of them".to_owned())));
        }
    }
    let others: Vec<String> =
        folders.iter().filter(|folder| parts.iter().all(|it| it.1 != **folder)).map(|it| file_name(it)).collect();
    if others.is_empty() {
        return Ok(());
    }
    let names = some_of(others.iter().map(String::as_str));
    let problem = format!("has a folder of training images and others beside it: {names}");
    let help = "expected `train`, `validation` and `test` alone, each with a folder for each class";
    Err(DataError::folder(root, problem).with_help(Some(help.to_owned())))
}

/// What was found in the folders of classes.
#[derive(Default)]
struct Found {
    /// Part, the class's folder, and the file.
    files: Vec<(Part, String, PathBuf)>,
    /// The names of the folders of classes, with the part.
    classes: Vec<(Part, String)>,
    others: Others,
    warnings: Vec<String>,
}

impl Found {
    /// The classes of a part, each a folder in `folder`.
    fn look_for_classes(&mut self, part: Part, folder: &Path, inside: Inside) -> Result<()> {
        inside.others.iter().for_each(|path| self.others.add(path.file_name().unwrap_or_default()));
        if !inside.pictures.is_empty() {
            let pictures = counted(inside.pictures.len(), "image");
            if inside.folders.is_empty() {
                let problem = format!("has {pictures} and no folders of classes");
                let help = "make a folder for each class, called as the class, and put its images there";
                return Err(DataError::folder(folder, problem).with_help(Some(help.to_owned())));
            }
            let are =
                if inside.pictures.len() == 1 { "is in no folder of a class" } else { "are in no folder of a class" };
            self.warnings.push(format!("{pictures} directly in `{}` {are} and left out", folder.display()));
        }
        let classes = inside.folders.len();
        let mut deeper: Option<PathBuf> = None;
        for class in &inside.folders {
            let of_class = Inside::of(class)?;
            let name = file_name(class);
            if !of_class.folders.is_empty() {
                if of_class.pictures.is_empty() {
                    deeper.get_or_insert_with(|| class.clone());
                }
                let pictures = counted(of_class.folders.iter().map(|it| pictures_below(it)).sum::<usize>(), "image");
                let folders = counted(of_class.folders.len(), "folder");
                let warning =
                    format!("`{}` has {folders} inside, with {pictures}, which are left out", class.display());
                self.warnings.push(warning);
            }
            self.classes.push((part, name.clone()));
            of_class.others.iter().for_each(|path| self.others.add(path.file_name().unwrap_or_default()));
            self.files.extend(of_class.pictures.into_iter().map(|path| (part, name.clone(), path)));
        }
        if part == Part::Training && classes < 2 {
            let found = match &inside.folders[..] {
                [] => "no folders of classes".to_owned(),
                [one, ..] => format!("one class, `{}`", shown(&file_name(one))),
            };
            let help = match deeper {
                Some(deeper) => format!("`{}` has folders: perhaps that is the one", deeper.display()),
                None => "make a folder for each class, called as the class, and put its images there".to_owned(),
            };
            let problem = format!("has {found}; expected at least two");
            return Err(DataError::folder(folder, problem).with_help(Some(help)));
        }
        Ok(())
    }

    fn listing(mut self, root: &Path, table: Option<ClassTable>) -> Result<Listing> {
        let of_training = self.classes.iter().filter(|(part, _)| *part == Part::Training);
        let mut names: Vec<&str> = of_training.map(|(_, name)| name.as_str()).collect();
        sort_names(&mut names);
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let problem = format!("has two folders whose names are both read as `{}`", shown(pair[0]));
            let help = "rename one: both names have bytes that are no UTF-8";
            return Err(DataError::folder(root, problem).with_help(Some(help.to_owned())));
        }
        let table = match table {
            Some(table) => table.checked(root, &names)?,
            None => ClassTable::of(&names),
        };
        let unknown = self.classes.iter().find(|(_, name)| table.label(name).is_none());
        if let Some((part, name)) = unknown {
            let problem = format!("has a class `{}` of {} images and none to train on", shown(name), part.name());
            let help = "give the class a folder with the training images, or remove it";
            return Err(DataError::folder(root, problem).with_help(Some(help.to_owned())));
        }
        self.warnings.extend(self.others.sentence());
        let mut files: Vec<Listed> = Vec::with_capacity(self.files.len());
        for (part, class, path) in self.files {
            let label = table.label(&class).expect("every class was looked for");
            let path = path.strip_prefix(root).map(Path::to_path_buf).unwrap_or(path);
            files.push(Listed { path, label, part });
        }
        // By the names of the files, and not by class: so a data set that is written as a folder keeps its order.
        let key = |file: &Listed| (file.part, file.path.file_name().unwrap_or_default().to_owned(), file.label);
        files.sort_by_cached_key(key);
        let class_names = table.into_names();
        Ok(Listing { root: root.to_path_buf(), class_names, files, warnings: self.warnings })
    }
}
