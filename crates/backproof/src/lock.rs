//! One process a run, also where several share a folder over a network.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// How the name of a lock begins that has not got its own yet.
const UNFINISHED: &str = ".lock-";

/// How often a holder renews its lock.
const BEAT: Duration = Duration::from_secs(2);

/// A holder that has not renewed its lock for so many beats is gone. A delay of the network or of a busy machine is
/// shorter.
const MISSED_BEATS: u32 = 10;

/// A lock file that this process holds; dropping it gives it back.
///
/// The file says who holds it. Its holder also has the system's lock on the file, which ends with the process: so
/// another process on the same host finds out at once that a lock was left behind. Other hosts cannot rely on the
/// system's locks, because a file server may keep those of a machine that died. They watch the time of the file, which
/// the holder renews every two seconds, and take the lock over when it has stood still for twenty. They compare that
/// time only with itself, because the clocks of two machines differ.
///
/// A holder that was suspended may lose its lock so. It learns that from [`Lock::is_lost`].
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    text: String,
    lost: Arc<AtomicBool>,
    /// Dropping the sender ends the thread, which has the file.
    renewal: Option<(Sender<()>, JoinHandle<()>)>,
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
    /// Takes the lock at `path`, whose folder is there, or says who has it. Where somebody seems to have it, this waits
    /// until they renew it, or for twenty seconds if they do not, or until `stop` is raised.
    ///
    /// # Errors
    ///
    /// A file that cannot be written or read there.
    pub fn take(path: &Path, stop: &AtomicBool) -> io::Result<Attempt> {
        Self::take_with_beat(path, stop, BEAT)
    }

    fn take_with_beat(path: &Path, stop: &AtomicBool, beat: Duration) -> io::Result<Attempt> {
        let host = hostname::get()?.to_string_lossy().into_owned();
        let folder = path.parent().unwrap_or(Path::new("."));
        let taken = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let owner = Owner { host, process: std::process::id(), taken };
        let text = serde_json::to_string(&owner)?;
        // Complete and locked before it has its name: nobody ever sees it half-made. A link fails where the name is
        // taken.
        let mut new = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        let _ = new.as_file().try_lock(); // without the system's locks, what was left behind is found by its time
        new.write_all(text.as_bytes())?;
        // Twice, in case that one was left behind; whoever is quicker then has it.
        for _ in 0..2 {
            match fs::hard_link(new.path(), path) {
                Ok(()) => return Ok(Attempt::Taken(Self::renewed(path, text, new.into_file(), beat))),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            if !remove_if_left_behind(path, &owner.host)? && !remove_if_not_renewed(path, stop, beat * MISSED_BEATS)? {
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

    /// A lock that is taken, and a thread that renews it.
    fn renewed(path: &Path, text: String, file: File, beat: Duration) -> Self {
        let (end, ended) = mpsc::channel();
        let lost = Arc::new(AtomicBool::new(false));
        let renew = {
            let (path, text, lost) = (path.to_owned(), text.clone(), Arc::clone(&lost));
            move || {
                while ended.recv_timeout(beat) == Err(RecvTimeoutError::Timeout) {
                    // A file that cannot be read for a moment is not lost.
                    if fs::read_to_string(&path).is_ok_and(|now| now != text) {
                        lost.store(true, Ordering::Relaxed);
                    }
                    let _ = file.set_modified(SystemTime::now()); // the next one may succeed
                }
            }
        };
        Self { path: path.to_owned(), text, lost, renewal: Some((end, std::thread::spawn(renew))) }
    }

    /// Whether another process has taken this lock over, because it was not renewed. The work that it protects must
    /// then stop.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.renewal.take() {
            drop(end);
            let _ = thread.join();
        }
        // Windows does not let this process read the file that it locked itself.
        if read(&self.path).is_none_or(|text| text == self.text) {
            let _ = fs::remove_file(&self.path);
        }
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

/// What the file says, and when it was renewed; `None` if there is none. A network file system asks its server for the
/// time when a file is opened, and not always otherwise.
fn look(path: &Path) -> io::Result<Option<(String, SystemTime)>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let renewed = file.metadata()?.modified()?;
    Ok(Some((io::read_to_string(file)?, renewed)))
}

/// Removes a lock that nobody renews for `patience`. `false` if it is held, or cannot be judged.
fn remove_if_not_renewed(path: &Path, stop: &AtomicBool, patience: Duration) -> io::Result<bool> {
    let Some(first) = look(path)? else { return Ok(true) };
    let Ok(owner) = serde_json::from_str::<Owner>(&first.0) else { return Ok(false) };
    let begun = Instant::now();
    while begun.elapsed() < patience {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        std::thread::sleep(patience / 100);
        match look(path)? {
            Some(now) if now == first => {}
            Some(_) => return Ok(false),
            None => return Ok(true),
        }
    }
    // Of several that waited, the one that makes this file removes the lock. Nobody else does so between its two steps.
    let mut claim = path.as_os_str().to_owned();
    claim.push(format!(".{}", owner.taken));
    match File::create_new(&claim) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error),
    }
    let removed = match look(path) {
        Ok(Some(now)) if now == first => fs::remove_file(path).map(|()| true),
        Ok(now) => Ok(now.is_none()),
        Err(error) => Err(error),
    };
    fs::remove_file(&claim)?;
    removed
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(100);

    fn take(path: &Path) -> Attempt {
        Lock::take_with_beat(path, &AtomicBool::new(false), QUICK).unwrap()
    }

    fn is_taken(attempt: &Attempt) -> bool {
        matches!(attempt, Attempt::Taken(_))
    }

    /// A lock of a process that is gone.
    fn leave(path: &Path, host: &str) {
        let owner = Owner { host: host.to_owned(), process: 1, taken: 7 };
        fs::write(path, serde_json::to_string(&owner).unwrap()).unwrap();
    }

    fn this_host() -> String {
        hostname::get().unwrap().to_string_lossy().into_owned()
    }

    #[test]
    fn a_lock_is_held_by_one_and_free_again_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = take(&path);
        assert!(is_taken(&first));
        let Attempt::Held(Some(owner)) = take(&path) else { panic!("taken twice") };
        assert_eq!(owner.process, std::process::id());
        drop(first);
        assert!(is_taken(&take(&path)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left lying about");
    }

    #[test]
    fn a_lock_of_a_dead_process_is_taken_over_at_once_on_its_host_and_later_on_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        leave(&path, &this_host());
        assert!(is_taken(&Lock::take_with_beat(&path, &AtomicBool::new(true), QUICK).unwrap()), "without waiting");
        leave(&path, "another-host");
        assert!(!is_taken(&Lock::take_with_beat(&path, &AtomicBool::new(true), QUICK).unwrap()), "only after waiting");
        let begun = Instant::now();
        assert!(is_taken(&take(&path)));
        assert!(begun.elapsed() >= QUICK * MISSED_BEATS);
        fs::write(&path, "no lock of ours").unwrap();
        assert!(!is_taken(&take(&path)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left lying about");
    }

    #[test]
    fn a_lock_of_another_host_that_is_renewed_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        leave(&path, "another-host");
        let file = File::options().write(true).open(&path).unwrap();
        let end = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !end.load(Ordering::Relaxed) {
                    file.set_modified(SystemTime::now()).unwrap();
                    std::thread::sleep(QUICK);
                }
            });
            let attempt = take(&path);
            end.store(true, Ordering::Relaxed);
            assert!(matches!(attempt, Attempt::Held(Some(owner)) if owner.host == "another-host"));
        });
    }

    #[test]
    fn a_holder_renews_its_lock_and_learns_that_it_was_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let Attempt::Taken(lock) = take(&path) else { panic!("nobody has it") };
        let renewed = || fs::metadata(&path).unwrap().modified().unwrap();
        let first = renewed();
        let begun = Instant::now();
        while renewed() == first {
            assert!(begun.elapsed() < Duration::from_secs(60), "it is not renewed");
            std::thread::sleep(QUICK / 10);
        }
        assert!(!lock.is_lost());
        fs::remove_file(&path).unwrap();
        leave(&path, "another-host");
        while !lock.is_lost() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not learn that it was taken over");
            std::thread::sleep(QUICK / 10);
        }
        drop(lock);
        assert!(read(&path).unwrap().contains("another-host"), "it is the other one's to remove");
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
        for host in std::iter::repeat_n(this_host(), 50).chain(["another-host".to_owned(), "a-third".to_owned()]) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("lock");
            leave(&path, &host);
            let attempts: Vec<Attempt> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| take(&path))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(attempts.iter().filter(|attempt| is_taken(attempt)).count(), 1, "{host}");
        }
    }
}
