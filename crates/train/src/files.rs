//! Files written whole or not at all.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::TrainError;

/// How the name of a file or folder begins that is not finished.
pub(crate) const UNFINISHED: &str = ".writing-";

/// Writes `content` beside `path`, flushes it to the disk and renames it into place: a reader sees the old file or the
/// new one, never a part.
///
/// # Errors
///
/// A folder that is not there or cannot be written, or a full disk.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), TrainError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        make_readable(file.as_file())?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| TrainError::write(path, source))
}

/// The content of a file. A device or a pipe, which could be read for ever, is refused.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let kind = fs::metadata(path)?.file_type();
    // The system's word for a folder is as good.
    if !kind.is_file() && !kind.is_dir() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    fs::read(path)
}

/// As [`read`], of UTF-8.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// `tempfile` makes files that only their owner can read; a run folder is for whoever may read its parent.
#[cfg(unix)]
fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &File) -> io::Result<()> {
    Ok(())
}

/// As [`write_whole`], in a folder that is made if it is not there: a reader sees the old file, the new one or none.
///
/// # Errors
///
/// A folder or a file that cannot be written.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), TrainError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| TrainError::write(folder, error))?;
    write_whole(path, content)
}

/// As [`write_whole`], indented JSON with a final newline.
///
/// # Errors
///
/// As [`write_whole`].
///
/// # Panics
///
/// Panics if the value has keys that are not strings.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TrainError> {
    let mut text = serde_json::to_string_pretty(value).expect("our types have string keys only");
    text.push('\n');
    write_whole(path, text.as_bytes())
}

/// Makes `folder` hold what `fill` writes, as a whole: `fill` writes into a folder beside it, which then takes its
/// place. A kill between the two renames leaves the old content under `<folder>.previous`, which [`swapped_folder`]
/// finds.
pub(crate) fn replace_folder(
    folder: &Path,
    fill: impl FnOnce(&Path) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let parent = folder.parent().unwrap_or(Path::new("."));
    let wrap = |source| TrainError::write(folder, source);
    fs::create_dir_all(parent).map_err(wrap)?;
    let new = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(parent).map_err(wrap)?;
    fill(new.path())?;
    // The names of the new files first: after a loss of power the folder must not be there without them.
    sync_folder(new.path()).map_err(wrap)?;
    let previous = previous(folder);
    let swap = || -> io::Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(new.path(), fs::Permissions::from_mode(0o755))?;
        }
        if folder.exists() {
            if previous.exists() {
                fs::remove_dir_all(&previous)?;
            }
            fs::rename(folder, &previous)?;
        }
        fs::rename(new.keep(), folder)?;
        sync_folder(parent)?;
        if previous.exists() {
            fs::remove_dir_all(&previous)?;
        }
        Ok(())
    };
    swap().map_err(wrap)
}

/// Removes what killed processes were writing in `folder`; nobody else may be writing there.
pub fn remove_unfinished(folder: &Path) {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED)) {
            // It only takes up space: that it stays is no reason not to go on.
            let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
    }
}

/// Removes what a kill at the end of [`replace_folder`] left beside `folder`, which has its new content.
pub(crate) fn remove_previous(folder: &Path) {
    if folder.exists() {
        let _ = fs::remove_dir_all(previous(folder));
    }
}

/// Brings the names in a folder to the disk, where the system can.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// An error where the JSON file at `path` does not say that it has the schema version `newest`, or an older one from 1
/// on.
///
/// Looked at before anything else: of what another version has, nothing is known.
pub(crate) fn check_version(path: &Path, text: &str, newest: u32) -> Result<(), TrainError> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u32,
    }
    let expected = match newest {
        1 => "version 1, which this program reads".to_owned(),
        newest => format!("version 1 to {newest}, which this program reads"),
    };
    match serde_json::from_str(text) {
        Ok(Version { schema_version }) if (1..=newest).contains(&schema_version) => Ok(()),
        Ok(Version { schema_version }) if schema_version > newest => Err(TrainError::damaged(
            path,
            format!("has schema version {schema_version}: a newer backproof wrote it"),
            expected,
        )),
        Ok(Version { schema_version }) => {
            Err(TrainError::damaged(path, format!("has schema version {schema_version}"), expected))
        }
        Err(error) if error.is_data() => {
            Err(TrainError::damaged(path, format!("has no schema version ({error})"), expected))
        }
        Err(error) => Err(TrainError::damaged(path, format!("cannot be read ({error})"), "JSON")),
    }
}

/// `folder`, or what [`replace_folder`] left of it if it was killed between its renames.
pub(crate) fn swapped_folder(folder: &Path) -> PathBuf {
    let previous = previous(folder);
    // A folder that cannot be looked at is there: reading it then says why.
    let is_there = folder.try_exists().unwrap_or(true);
    if !is_there && previous.exists() { previous } else { folder.to_owned() }
}

fn previous(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".previous");
    folder.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> impl FnOnce(&Path) -> Result<(), TrainError> + '_ {
        move |folder| write_whole(&folder.join("a"), text.as_bytes())
    }

    #[test]
    fn a_folder_that_could_not_be_filled_leaves_the_old_one() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("last");
        replace_folder(&folder, fill("one")).unwrap();
        let failed = replace_folder(&folder, |new| {
            write_whole(&new.join("a"), b"two")?;
            Err(TrainError::write(new, io::Error::other("disk full")))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(folder.join("a")).unwrap(), "one");
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "nothing is left lying about");
    }

    #[test]
    fn a_kill_between_the_two_renames_loses_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("last");
        replace_folder(&folder, fill("one")).unwrap();
        fs::rename(&folder, previous(&folder)).unwrap();
        assert_eq!(fs::read_to_string(swapped_folder(&folder).join("a")).unwrap(), "one");
        replace_folder(&folder, fill("two")).unwrap();
        assert_eq!(fs::read_to_string(swapped_folder(&folder).join("a")).unwrap(), "two");
        assert!(!previous(&folder).exists());
    }

    /// Killed after the new folder was in place and before the previous one was removed.
    #[test]
    fn a_previous_folder_that_a_kill_left_beside_the_new_one_goes() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("last");
        replace_folder(&folder, fill("two")).unwrap();
        replace_folder(&previous(&folder), fill("one")).unwrap();
        assert_eq!(swapped_folder(&folder), folder);
        replace_folder(&folder, fill("three")).unwrap();
        assert_eq!(fs::read_to_string(folder.join("a")).unwrap(), "three");
        assert!(!previous(&folder).exists());
    }

    #[test]
    fn a_file_is_written_into_a_folder_that_was_not_there() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("one/two/file");
        assert!(write_whole(&path, b"1").is_err());
        write_file(&path, b"1").unwrap();
        write_file(&path, b"2").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"2");
    }

    #[test]
    fn versions_from_1_to_the_newest_are_read_and_others_are_told_apart() {
        let check = |text: &str, newest| {
            check_version(Path::new("a.json"), text, newest).map_or_else(|error| error.to_string(), |()| String::new())
        };
        assert_eq!(check(r#"{ "schema_version": 1, "more": 0 }"#, 2) + &check(r#"{ "schema_version": 2 }"#, 2), "");
        assert_eq!(
            check(r#"{ "schema_version": 3 }"#, 2),
            "a.json has schema version 3: a newer backproof wrote it; expected version 1 to 2, which this program reads"
        );
        assert_eq!(
            check(r#"{ "schema_version": 0 }"#, 1),
            "a.json has schema version 0; expected version 1, which this program reads"
        );
        assert!(check("{}", 1).starts_with("a.json has no schema version (missing field"));
        assert!(check("{", 1).starts_with("a.json cannot be read (EOF"));
        assert!(check("{", 1).ends_with("; expected JSON"));
    }
}
