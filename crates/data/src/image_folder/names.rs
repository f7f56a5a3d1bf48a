//! What names of files and folders mean.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use backproof_spec::counted;

/// Which part of a data set an image is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    Training,
    Validation,
    Test,
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::Training, Self::Validation, Self::Test];

    /// The part that a folder or a cell of a table names, in upper or lower case.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "train" | "training" => Some(Self::Training),
            "val" | "valid" | "validation" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }

    /// `training`, `validation` or `test`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// The endings of the formats that are read, in lower case.
const ENDINGS: [&str; 11] = ["png", "jpg", "jpeg", "jpe", "jfif", "gif", "bmp", "dib", "webp", "tif", "tiff"];

/// Whether a file is a picture by its name.
pub(crate) fn is_picture(name: &OsStr) -> bool {
    let is_one = |ending: &str| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending));
    // Finder writes `._a.png` beside `a.png` on disks of other systems. It holds no picture.
    !is_hidden(name) && Path::new(name).extension().and_then(OsStr::to_str).is_some_and(is_one)
}

/// Whether a name begins with a point, or is a folder that archives of macOS hold beside the files.
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".") || name == "__MACOSX"
}

/// Files that are left out because of their names, by their endings.
#[derive(Debug, Default)]
pub(crate) struct Others(BTreeMap<String, usize>);

impl Others {
    pub(crate) fn add(&mut self, name: &OsStr) {
        let ending = Path::new(name).extension().filter(|_| !is_hidden(name));
        let word = match ending {
            // `Thumbs.db` and `desktop.ini` are known by their whole names.
            Some(ending) if !ending.eq_ignore_ascii_case("db") && !ending.eq_ignore_ascii_case("ini") => {
                format!("*.{}", ending.to_string_lossy().to_lowercase())
            }
            _ if name.as_encoded_bytes().starts_with(b"._") => "._*".to_owned(),
            _ => name.to_string_lossy().into_owned(),
        };
        *self.0.entry(word).or_default() += 1;
    }

    /// `3 files are no pictures by their names: *.txt (2), Thumbs.db`; none without files.
    pub(crate) fn sentence(&self) -> Option<String> {
        const SHOWN: usize = 8;
        let count: usize = self.0.values().sum();
        let word =
            |(word, &times): (&String, &usize)| if times == 1 { word.clone() } else { format!("{word} ({times})") };
        let mut words: Vec<String> = self.0.iter().take(SHOWN).map(word).collect();
        if self.0.len() > SHOWN {
            words.push("…".to_owned());
        }
        let are = if count == 1 { "is no picture by its name" } else { "are no pictures by their names" };
        let left = if count == 1 { "it is left out" } else { "they are left out" };
        (count > 0).then(|| format!("{} {are}, and {left}: {}", counted(count, "file"), words.join(", ")))
    }
}

/// A class's or a file's name as an error or a warning shows it: on one line, and not endless.
pub(crate) fn shown(name: &str) -> String {
    const MOST: usize = 60;
    let mut text: String = name.chars().take(MOST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if name.chars().nth(MOST).is_some() {
        text.push('…');
    }
    text
}

/// The first names of many, in backticks.
pub(crate) fn some_of<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    let names: Vec<String> = names.take(SHOWN).map(|name| format!("`{}`", shown(name))).collect();
    format!("{}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_ending_in_any_case() {
        for name in ["a.png", "A.JPG", "x.y.Jpeg", "ü.webp", "b.TIF"] {
            assert!(is_picture(OsStr::new(name)), "{name}");
        }
        for name in ["a", "a.txt", ".png", "._a.png", ".a.jpg", "a.png.part", "Thumbs.db", "a.heic"] {
            assert!(!is_picture(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn what_is_left_out_is_counted_by_ending() {
        let mut others = Others::default();
        assert_eq!(others.sentence(), None);
        others.add(OsStr::new("Thumbs.db"));
        assert_eq!(others.sentence().unwrap(), "1 file is no picture by its name, and it is left out: Thumbs.db");
        for name in [".DS_Store", ".DS_Store", "a.txt", "b.TXT", "._a.png"] {
            others.add(OsStr::new(name));
        }
        assert_eq!(
            others.sentence().unwrap(),
            "6 files are no pictures by their names, and they are left out: *.txt (2), .DS_Store (2), ._*, Thumbs.db"
        );
    }

    #[test]
    fn long_names_and_line_breaks_do_not_fill_the_screen() {
        assert_eq!(shown("a\nb\u{1b}[31m"), "a\u{fffd}b\u{fffd}[31m");
        assert_eq!(shown(&"x".repeat(200)).chars().count(), 61);
        assert_eq!(some_of(["a", "b", "c", "d", "e", "f", "g"].into_iter()), "`a`, `b`, `c`, `d`, `e` and 2 more");
    }
}
