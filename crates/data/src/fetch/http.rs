//! One attempt at one address.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use backproof_spec::counted;
use ureq::Agent;
use ureq::http::Response;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};

use super::options::{FetchOptions, Progress};
use crate::error::{DataError, Result};
use crate::gunzip::GZIP;
use crate::published::Packing;

/// In the time that a server may be silent, so many bytes must come.
const TRICKLE: u64 = 1_024;

/// A file to download.
pub(super) struct Attempt<'a> {
    pub(super) file: &'a str,
    pub(super) url: &'a str,
    /// What is here of it, and where the rest goes.
    pub(super) part: &'a Path,
    /// The most bytes that it may have.
    pub(super) most: u64,
    /// How it is packed, which says how it begins.
    pub(super) packing: Packing,
}

/// How an attempt ended. What the disk does not take is an error instead.
pub(super) enum Outcome {
    /// All bytes that the server has are here, and on the disk.
    Complete,
    /// It may go better the next time.
    Interrupted { reason: String, advanced: bool },
    /// This address will not give the file.
    Refused { reason: String },
}

pub(super) struct Client {
    agent: Agent,
    direct: Agent,
    stall: Duration,
}

impl Client {
    pub(super) fn new(options: &FetchOptions) -> Self {
        let config = || {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(5)
                .timeout_resolve(Some(options.connect_timeout))
                .timeout_connect(Some(options.connect_timeout))
                .timeout_recv_response(Some(options.stall_timeout))
                .timeout_per_read(Some(options.stall_timeout))
                .user_agent(concat!("backproof/", env!("CARGO_PKG_VERSION")))
                // A server that packs on the way would make the ranges of what is resumed mean something else.
                .accept_encoding("identity")
        };
        Self {
            agent: config().build().into(),
            direct: config().proxy(None).build().into(),
            stall: options.stall_timeout,
        }
    }

    /// Asks for the bytes after those that are here, and appends them.
    pub(super) fn attempt(&self, attempt: &Attempt<'_>, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Outcome> {
        let Attempt { file, url, part, most, packing } = *attempt;
        let cannot_write = || DataError::io("write", part);
        let mut out = File::options().create(true).append(true).open(part).map_err(cannot_write())?;
        let mut done = out.metadata().map_err(cannot_write())?.len();
        if done >= most {
            out.set_len(0).map_err(cannot_write())?;
            done = 0;
        }
        // No proxy has a way to this machine's own servers.
        let agent = if is_loopback(url) { &self.direct } else { &self.agent };
        let mut request = agent.get(url);
        if done > 0 {
            request = request.header("range", format!("bytes={done}-"));
        }
        let response = match request.call() {
            Ok(response) => response,
            Err(error) => return Ok(Outcome::Interrupted { reason: error.to_string(), advanced: false }),
        };
        let total = match judge(&response, done, most) {
            Verdict::Append { total } => total,
            Verdict::StartOver { total } => {
                out.set_len(0).map_err(cannot_write())?;
                done = 0;
                total
            }
            Verdict::Again(reason) => {
                // What is here may be why the server did not like the range.
                out.set_len(0).map_err(cannot_write())?;
                return Ok(Outcome::Interrupted { reason, advanced: false });
            }
            Verdict::Later(reason) => return Ok(Outcome::Interrupted { reason, advanced: false }),
            Verdict::Never(reason) => return Ok(Outcome::Refused { reason }),
        };
        progress(Progress::Started { file, url, done, total });
        let before = done;
        let interrupted = |reason: String, done| Ok(Outcome::Interrupted { reason, advanced: done > before });
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        let mut window = (Instant::now(), done);
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => return interrupted(format!("after {}: {error}", counted(done, "byte")), done),
            };
            if done == 0
                && let Some(what) = not_as(packing, &buffer[..count])
            {
                return Ok(Outcome::Refused { reason: format!("the server sent something that is {what}") });
            }
            done += count as u64;
            if done > most {
                out.set_len(0).map_err(cannot_write())?;
                return Ok(Outcome::Refused {
                    reason: format!("more than the {} that it can have", counted(most, "byte")),
                });
            }
            out.write_all(&buffer[..count]).map_err(cannot_write())?;
            progress(Progress::Advanced { file, done });
            if window.0.elapsed() > self.stall {
                if done - window.1 < TRICKLE {
                    return interrupted(format!("almost nothing arrived for {:?}", self.stall), done);
                }
                window = (Instant::now(), done);
            }
        }
        match total {
            Some(total) if done < total => {
                interrupted(format!("cut off after {done} of {}", counted(total, "byte")), done)
            }
            _ => {
                out.sync_all().map_err(cannot_write())?;
                Ok(Outcome::Complete)
            }
        }
    }
}

/// What the first bytes of a file show that it is not, whatever the server calls it.
fn not_as(packing: Packing, first: &[u8]) -> Option<&'static str> {
    let begins = |start: &[u8]| first.starts_with(&start[..first.len().min(start.len())]);
    match packing {
        // Some servers unpack on the way.
        Packing::Gzip | Packing::TarGz { .. } => {
            (!begins(&GZIP) && !begins(&[0])).then_some("neither gzipped nor an IDX file")
        }
        Packing::Plain => (!begins(b"MATLAB")).then_some("no MATLAB file"),
        Packing::Zip { .. } => (!begins(b"PK")).then_some("no zip archive"),
    }
}

/// What to do with a response.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Its body comes after what is here.
    Append { total: Option<u64> },
    /// Its body is the whole file.
    StartOver { total: Option<u64> },
    /// Ask again, for the whole file.
    Again(String),
    /// Ask again later.
    Later(String),
    /// Do not ask again.
    Never(String),
}

fn judge<T>(response: &Response<T>, done: u64, most: u64) -> Verdict {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let status = response.status();
    let said = format!("the server says {status}");
    let verdict = match status.as_u16() {
        200 => Verdict::StartOver { total: header(CONTENT_LENGTH).and_then(|text| text.parse().ok()) },
        206 => match header(CONTENT_RANGE).and_then(content_range) {
            Some((start, total)) if start == done => Verdict::Append { total },
            _ => return Verdict::Again("the server sent another range than it was asked for".to_owned()),
        },
        416 => return Verdict::Again(said),
        408 | 425 | 429 | 500..=599 => return Verdict::Later(said),
        _ => return Verdict::Never(said),
    };
    if header(CONTENT_TYPE).is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html")) {
        return Verdict::Never("the server sent a web page instead of the file".to_owned());
    }
    match verdict {
        Verdict::Append { total: Some(total) } | Verdict::StartOver { total: Some(total) } if total > most => {
            Verdict::Never(format!("{}, more than the {most} that it can have", counted(total, "byte")))
        }
        verdict => verdict,
    }
}

/// The first byte and the size of the whole, out of `bytes 200-1000/1001` or `bytes 200-1000/*`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host =
        if authority.starts_with('[') { authority.split_inclusive(']').next() } else { authority.split(':').next() };
    matches!(host, Some("127.0.0.1" | "localhost" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)]) -> Response<()> {
        let builder = Response::builder().status(status);
        headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(()).unwrap()
    }

    #[test]
    fn a_range_is_appended_only_where_the_file_ends() {
        let range = |value| judge(&response(206, &[("content-range", value)]), 200, 5_000);
        assert_eq!(range("bytes 200-1000/1001"), Verdict::Append { total: Some(1_001) });
        assert_eq!(range("bytes 200-1000/*"), Verdict::Append { total: None });
        assert!(matches!(range("bytes 0-1000/1001"), Verdict::Again(_)));
        assert!(matches!(range("nonsense"), Verdict::Again(_)));
        assert!(matches!(range("bytes 200-9999/10000"), Verdict::Never(_)));
    }

    #[test]
    fn only_this_machine_is_reached_without_a_proxy() {
        for url in ["http://127.0.0.1:80/a", "http://localhost/", "http://[::1]:5/x"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["https://example.org/127.0.0.1", "http://127.0.0.1.example.org/", "http://localhost@example.org/"] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
