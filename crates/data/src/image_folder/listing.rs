//! Which images there are, by their names alone: nothing is decoded, so that `cargo xtask` can do it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use backproof_spec::counted;
use walkdir::WalkDir;

use super::class_table::ClassTable;
use super::labels;
use super::names::{Others, Part, is_hidden, is_picture, shown, some_of};
use crate::error::{DataError, Result};

/// The most classes: a label has 16 bits.
pub(crate) const MOST_CLASSES: usize = 65_535;

/// The images of a folder or of a list.
#[derive(Debug)]
pub(crate) struct Listing {
    /// What the paths of the files begin at.
    pub(crate) root: PathBuf,
    /// In label order.
    pub(crate) class_names: Vec<String>,
    /// By part, and within a part in the order of the images: by the names of the files, or as the list has them.
    pub(crate) files: Vec<Listed>,
    /// Sentences about what is odd, and no reason to stop.
    pub(crate) warnings: Vec<String>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Below the root.
    pub(crate) path: PathBuf,
    pub(crate) label: u16,
    pub(crate) part: Part,
}

impl Listing {
    /// The images at `path`, a folder or a CSV file.
    ///
    /// # Errors
    ///
    /// What is not there, cannot be read or cannot be trained on.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => DataError::folder(path, "is not there").with_help(nearest_there(path)),
            _ => DataError::io("read", path)(error),
        })?;
        let listing = if metadata.is_dir() {
            of_folder(path)?
        } else if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
            labels::listing(path)?
        } else {
            let help = "give a folder that has a folder for each class, or a CSV file of paths and labels";
            return Err(DataError::folder(path, "is a file").with_help(Some(help.to_owned())));
        };
        listing.check(path)
    }

    pub(crate) fn count(&self, part: Part) -> usize {
        self.files.iter().filter(|file| file.part == part).count()
    }

    /// How many images each class has in a part.
    pub(crate) fn class_counts(&self, part: Part) -> Vec<usize> {
        let mut counts = vec![0; self.class_names.len()];
        self.files.iter().filter(|file| file.part == part).for_each(|file| counts[usize::from(file.label)] += 1);
        counts
    }

    /// That there is something to tell apart, and something of each class to train on.
    fn check(mut self, path: &Path) -> Result<Self> {
        if self.class_names.len() > MOST_CLASSES {
            let problem = format!("has {} classes; at most {MOST_CLASSES} are told apart", self.class_names.len());
            return Err(DataError::folder(path, problem));
        }
        let training = self.class_counts(Part::Training);
        let of = |wanted: usize| -> Vec<&str> {
            let counted = self.class_names.iter().zip(&training);
            counted.filter(|(_, count)| **count == wanted).map(|(name, _)| name.as_str()).collect()
        };
        let empty = of(0);
        if !empty.is_empty() {
            let (classes, names) = (counted(empty.len(), "class"), some_of(empty.iter().copied()));
            let problem = format!("has no images to train on of {classes}: {names}");
            let help = "put images there, or remove these classes";
            return Err(DataError::folder(path, problem).with_help(Some(help.to_owned())));
        }
        let single = of(1);
        if !single.is_empty() && self.count(Part::Test) == 0 {
            let (classes, names) = (counted(single.len(), "class"), some_of(single.iter().copied()));
            let has = if single.len() == 1 { "has" } else { "have" };
            let it = if single.len() == 1 { "it" } else { "them" };
            let warning = format!("{classes} {has} one image, so nothing is left to test {it} with: {names}");
            self.warnings.push(warning);
        }
        Ok(self)
    }
}

/// The nearest name beside one that is not there.
fn nearest_there(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names: Vec<String> = fs::read_dir(parent).ok()?.flatten().filter_map(|it| it.file_name().into_string().ok()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let near = backproof_spec::nearest(wanted, &names)?;
    Some(format!("did you mean `{}`?", path.with_file_name(near).display()))
}

/// What is directly in a folder, in the order of the names.
struct Inside {
    folders: Vec<PathBuf>,
    pictures: Vec<PathBuf>,
    others: Vec<PathBuf>,
}

impl Inside {
    /// Links are followed, one step: what is looked at lies at most three folders deep, so no circle is endless.
    fn of(folder: &Path) -> Result<Self> {
        let mut inside = Self { folders: Vec::new(), pictures: Vec::new(), others: Vec::new() };
        for entry in fs::read_dir(folder).map_err(DataError::io("read", folder))? {
            let entry = entry.map_err(DataError::io("read", folder))?;
            let (path, name) = (entry.path(), entry.file_name());
            let kind = entry.file_type().map_err(DataError::io("read", &path))?;
            // A link that leads nowhere is taken for a file, and reading it says so.
            let is_folder = kind.is_dir() || (kind.is_symlink() && path.is_dir());
            match (is_folder, is_hidden(&name)) {
                (true, true) => {}
                (true, false) => inside.folders.push(path),
                (false, _) if is_picture(&name) => inside.pictures.push(path),
                (false, _) => inside.others.push(path),
            }
        }
        inside.folders.sort();
        inside.pictures.sort();
        Ok(inside)
    }
}

/// How many pictures there are in a folder, however deep. Links are not followed.
fn pictures_below(folder: &Path) -> usize {
    WalkDir::new(folder).into_iter().flatten().filter(|it| it.file_type().is_file() && is_picture(it.file_name())).count()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn of_folder(root: &Path) -> Result<Listing> {
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
            let are = if inside.pictures.len() == 1 { "is in no folder of a class" } else { "are in no folder of a class" };
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
                let warning = format!("`{}` has {folders} inside, with {pictures}, which are left out", class.display());
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

/// In the order of the letters; in that of the numbers if all names are numbers.
pub(crate) fn sort_names(names: &mut [&str]) {
    let number = |name: &str| name.parse::<u64>().ok();
    if names.iter().all(|name| number(name).is_some()) {
        names.sort_by_key(|name| (number(name), name.len()));
    } else {
        names.sort_unstable();
    }
}
