//! What a download is told, and what it tells.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where to put a data set, and how patient to be.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// The data folder; the data set goes into a folder of its own in it.
    pub directory: PathBuf,
    /// Addresses to download from, in place of the published ones; each ends in `/`, a file's name comes after.
    pub mirrors: Option<Vec<String>>,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a server may send nothing, or next to nothing (less than 1 KiB), before it is given up.
    pub stall_timeout: Duration,
    /// How often every mirror is tried without any getting further.
    pub attempts: u32,
    /// The pause before the second round over the mirrors; it doubles from round to round, up to 30 s.
    pub backoff: Duration,
}

impl FetchOptions {
    /// Downloads into `directory`: 10 s to connect, 30 s of silence, 4 rounds, 1 s of pause.
    pub fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            mirrors: None,
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            attempts: 4,
            backoff: Duration::from_secs(1),
        }
    }
}

/// What a download is doing, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// Another process is downloading into the same data folder; it is waited for.
    Waiting {
        /// The lock file.
        lock: &'a Path,
    },
    /// The file is there already, with the published content.
    Present {
        /// Its name.
        file: &'a str,
    },
    /// Bytes are about to come.
    Started {
        /// The name of the file as published.
        file: &'a str,
        /// Its address.
        url: &'a str,
        /// How many bytes of it are here from before.
        done: u64,
        /// How many bytes it has, if the server says so.
        total: Option<u64>,
    },
    /// Bytes came.
    Advanced {
        /// The name of the file as published.
        file: &'a str,
        /// How many bytes of it are here.
        done: u64,
    },
    /// A mirror did not give the file.
    Failed {
        /// The name of the file as published.
        file: &'a str,
        /// Its address.
        url: &'a str,
        /// What was wrong.
        reason: &'a str,
    },
    /// All bytes are here; the checksum is computed and an archive unpacked.
    Checking {
        /// The name of the file as published.
        file: &'a str,
    },
    /// The file is in its place.
    Finished {
        /// The name of the file as published.
        file: &'a str,
    },
}

/// The outcome of [`fetch()`](super::fetch()).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchReport {
    /// The files that were put in their place.
    pub fetched: Vec<PathBuf>,
    /// The files that were there already, with the published content.
    pub present: Vec<PathBuf>,
}
