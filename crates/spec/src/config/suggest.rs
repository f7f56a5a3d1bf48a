//! The nearest valid name for a misspelt one.

use std::path::Path;

use super::format::{Kind, Section};
use super::keys::EXPERIMENT;

/// `did you mean …?`, when one of `names` is near enough to `name`.
pub(super) fn nearest(name: &str, names: &[&str]) -> Option<String> {
    closest(name, names).map(|near| format!("did you mean `{near}`?"))
}

/// The one of `names` with the fewest edits, if a third of the letters or fewer are wrong, not counting case, `-` and
/// `_`; or else the only one of which `name` is an abbreviation, as `lr` is of `learning_rate`.
pub fn closest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    const LONGEST: usize = 64; // of any name; the distance takes time and space proportional to the product of lengths
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    let plain = |name: &str| name.to_lowercase().replace(['-', '_', ' '], "");
    let typed = plain(name);
    let (distance, near) = names
        .iter()
        .map(|&valid| (strsim::damerau_levenshtein(&typed, &plain(valid)), valid))
        .min_by_key(|&(distance, _)| distance)?;
    let length = typed.chars().count().max(plain(near).chars().count());
    if 3 * distance <= length {
        return Some(near);
    }
    let mut abbreviated = names.iter().filter(|valid| abbreviates(&typed, &plain(valid)));
    match (abbreviated.next(), abbreviated.next()) {
        (Some(only), None) if typed.len() >= 2 => Some(only),
        _ => None,
    }
}

/// Whether the letters of `short` occur in `long` in that order, from the first on.
fn abbreviates(short: &str, long: &str) -> bool {
    let mut rest = long.chars();
    short.chars().next() == long.chars().next() && short.chars().all(|c| rest.any(|it| it == c))
}

/// The path of the table that has a key of this name, and the key.
pub(super) fn elsewhere(name: &str) -> Option<(&'static str, &'static str)> {
    fn find(section: &'static Section, name: &str) -> Option<(&'static str, &'static str)> {
        if let Some(key) = section.keys.iter().find(|key| key.name == name) {
            return Some((section.path, key.name));
        }
        let kinds = section.kinds.map_or(&[][..], |kinds| kinds.variants);
        if let Some(key) = kinds.iter().flat_map(|kind| kind.keys).find(|key| key.name == name) {
            return Some((section.path, key.name));
        }
        section.keys.iter().find_map(|key| match key.kind {
            Kind::Section(below) | Kind::Sections(below) => find(below, name),
            _ => None,
        })
    }
    find(&EXPERIMENT, name)
}

/// `valid keys: `a`, `b``.
pub(super) fn list(what: &str, names: &[&str]) -> String {
    format!("{what}: {}", quoted(names))
}

pub(super) fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// The config beside `path` that may have been meant.
pub(super) fn sibling(path: &Path) -> Option<String> {
    if path.exists() {
        return None;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let stems: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    let mut stems: Vec<&str> = stems.iter().map(String::as_str).collect();
    stems.sort_unstable();
    let stem = closest(path.file_stem()?.to_str()?, &stems)?;
    let meant = path.with_file_name(format!("{stem}.toml"));
    Some(format!("did you mean `{}`?", meant.display()))
}
