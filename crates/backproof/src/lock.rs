//! One process a run, also where several share a folder over a network.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// How the name of a lock begins that has not got its own yet.
const UNFINISHED: &str = ".lock-";

/// A lock file that this process holds; dropping it gives it back.
///
/// The file says who holds it, and that is what other hosts go by. Its holder also has the system's lock on it, which
/// ends with the process, however it ends: so a process on the same host can tell a lock that was left behind, and
/// takes it over.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _held: File,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Its machine.
    pub host: String,
    /// Its process there.
    pub process: u32,
    /// Nanoseconds since 1970: no two locks are alike.
    taken: u128,
}

/// What came of trying.
#[derive(Debug)]
pub enum Attempt {
    /// It is ours.
    Taken(Lock),
    /// By whom, as far as that can be read.
    Held(Option<Owner>),
}

impl Lock {
    /// Takes the lock at `path`, whose folder is there, or says who has it; does not wait.
    ///
    /// # Errors
    ///
    /// A file that cannot be written or read there.
    pub fn take(path: &Path) -> io::Result<Attempt> {
        let host = hostname::get()?.to_string_lossy().into_owned();
        let folder = path.parent().unwrap_or(Path::new("."));
        let taken = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let owner = Owner { host, process: std::process::id(), taken };
        // Complete and locked before it has its name: nobody ever sees it half-made. A link fails where the name is
        // taken.
        let mut new = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        let _ = new.as_file().try_lock(); // without the system's locks, nobody takes over what was left behind
        new.write_all(serde_json::to_string(&owner)?.as_bytes())?;
        // Twice, in case that one was left behind; whoever is quicker then has it.
        for _ in 0..2 {
            match fs::hard_link(new.path(), path) {
                Ok(()) => return Ok(Attempt::Taken(Self { path: path.to_owned(), _held: new.into_file() })),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            if !remove_if_left_behind(path, &owner.host)? {
                break;
            }
        }
        Ok(Attempt::Held(read(path).and_then(|text| serde_json::from_str(&text).ok())))
    }

    /// Removes the unfinished locks in `folder` whose makers were killed.
    pub fn remove_left_behind(folder: &Path) {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let is_unfinished = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED));
            let Some(file) = is_unfinished.then(|| File::open(&path).ok()).flatten() else { continue };
            // A living maker locks it before anything is in it.
            if file.try_lock().is_ok() && read(&path).is_some_and(|text| !text.is_empty()) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Removes a lock of this host whose holder is gone. `false` if it is held, or cannot be judged.
fn remove_if_left_behind(path: &Path, host: &str) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    let text = io::read_to_string(&file)?;
    let Ok(owner) = serde_json::from_str::<Owner>(&text) else { return Ok(false) };
    if owner.host != host {
        return Ok(false);
    }
    match file.try_lock() {
        // Who has the system's lock on the file that was left behind is the only one to remove it; but that may have
        // been done.
        Ok(()) if read(path).as_deref() == Some(&text) => fs::remove_file(path).map(|()| true),
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_taken(attempt: &Attempt) -> bool {
        matches!(attempt, Attempt::Taken(_))
    }

    #[test]
    fn a_lock_is_held_by_one_and_free_again_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = Lock::take(&path).unwrap();
        assert!(is_taken(&first));
        let Attempt::Held(Some(owner)) = Lock::take(&path).unwrap() else { panic!("taken twice") };
        assert_eq!(owner.process, std::process::id());
        drop(first);
        assert!(is_taken(&Lock::take(&path).unwrap()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left lying about");
    }

    #[test]
    fn a_lock_of_a_dead_process_is_taken_over_on_its_host_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let leave = |host: &str| {
            let owner = Owner { host: host.to_owned(), process: 1, taken: 7 };
            fs::write(&path, serde_json::to_string(&owner).unwrap()).unwrap();
        };
        leave(&hostname::get().unwrap().to_string_lossy());
        assert!(is_taken(&Lock::take(&path).unwrap()));
        leave("another-host");
        assert!(!is_taken(&Lock::take(&path).unwrap()));
        fs::write(&path, "no lock of ours").unwrap();
        assert!(!is_taken(&Lock::take(&path).unwrap()));
    }

    #[test]
    fn an_unfinished_lock_goes_once_its_maker_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let (left, new, held) = (make(".lock-a", "{}"), make(".lock-b", ""), make(".lock-c", "{}"));
        let other = make("lock", "{}");
        let file = File::open(&held).unwrap();
        file.lock().unwrap();
        Lock::remove_left_behind(folder.path());
        assert!(!left.exists() && new.exists() && held.exists() && other.exists());
        drop(file);
        Lock::remove_left_behind(folder.path());
        assert!(!held.exists());
    }

    #[test]
    fn of_many_that_find_a_lock_left_behind_one_gets_it() {
        for _ in 0..50 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("lock");
            let host = hostname::get().unwrap().to_string_lossy().into_owned();
            let owner = Owner { host, process: 1, taken: 7 };
            fs::write(&path, serde_json::to_string(&owner).unwrap()).unwrap();
            let attempts: Vec<Attempt> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| Lock::take(&path).unwrap())).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(attempts.iter().filter(|attempt| is_taken(attempt)).count(), 1);
        }
    }
}
