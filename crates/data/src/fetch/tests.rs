//! The downloader against a server that does everything wrong: each time it recovers or says clearly why not, and never
//! is there a wrong file under the final name.

mod archive;
mod other_packings;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::server::{Behaviour, Server};
use super::*;
use backproof_spec::Shape;

use crate::content::{read, sha256};
use crate::formats::idx::Idx;
use crate::published::{Content, Counts, Sum};
use crate::source;

/// What the only file of the data set holds: 6,000 bytes that do not pack, so that a place in the packed file is about
/// the same place in the content.
fn content() -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as u8
    };
    (0..6_000).map(|_| next()).collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A data set of one file with that content. Leaked: what is published is static.
fn published(content: &[u8], packing: Packing) -> Published {
    let sha256 = String::leak(sha256(content));
    let sum = Sum::Content(sha256);
    published_as(packing, Content { name: "digits", size: content.len() as u64, sum })
}

/// A data set of this file.
fn published_as(packing: Packing, file: Content) -> Published {
    let files = Box::leak(Box::new([file]));
    Published {
        name: "mnist",
        shape: Shape::image(1, 1, 1),
        class_names: &[],
        class_counts: [Counts::Each(&[]), Counts::Each(&[])],
        folders: &["mnist", ""],
        mirrors: &["http://127.0.0.1:9/unused/"],
        files: [files, &[]],
        format: &Idx::PLAIN,
        packing,
        versions: &[],
        other_versions: &[],
    }
}

struct Outside {
    folder: tempfile::TempDir,
    options: FetchOptions,
}

impl Outside {
    fn new(servers: &[&Server]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = FetchOptions {
            mirrors: Some(servers.iter().map(|server| server.base.clone()).collect()),
            // Longer than a busy machine lets a server wait.
            stall_timeout: Duration::from_secs(30),
            attempts: 3,
            backoff: Duration::from_millis(1),
            ..FetchOptions::new(folder.path().to_path_buf())
        };
        Self { folder, options }
    }

    /// Waits for a server that says nothing only for a moment.
    fn impatient(mut self) -> Self {
        self.options.stall_timeout = Duration::from_millis(300);
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("mnist").join(name)
    }

    fn fetch(&self, published: Published) -> Result<FetchReport> {
        fetch_published(&published, &self.options, &mut |_| {})
    }

    /// Fetches the plain data set; the file must be there, right and alone.
    fn succeeds(&self) {
        let report = self.fetch(published(&content(), Packing::Gzip)).unwrap();
        assert_eq!(report.fetched, [self.path("digits.gz")]);
        assert_eq!(read(&self.path("digits.gz"), 6_000).unwrap(), content());
        assert_eq!(names(self.path("").as_path()), ["digits.gz"]);
    }

    /// Fetches the plain data set, which must fail with all of `reasons` and leave nothing under a final name.
    fn fails(&self, reasons: &[&str]) {
        let error = self.fetch(published(&content(), Packing::Gzip)).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("cannot download `digits.gz`:"), "{message}");
        for reason in reasons {
            assert!(message.contains(reason), "{message}");
        }
        assert!(error.help().unwrap().contains(&*self.path("digits.gz").to_string_lossy()));
        let left = names(self.path("").as_path());
        assert!(left.iter().all(|name| name.ends_with(".part")), "{left:?}");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn serve(behaviours: &[Behaviour]) -> Server {
    Server::start(gzip(&content()), behaviours)
}

#[test]
fn a_file_is_fetched_once() {
    let server = serve(&[Behaviour::Serve]);
    let outside = Outside::new(&[&server]);
    outside.succeeds();
    let again = outside.fetch(published(&content(), Packing::Gzip)).unwrap();
    assert_eq!((again.fetched.len(), again.present), (0, vec![outside.path("digits.gz")]));
    assert_eq!(server.requests(), [("/digits.gz".to_owned(), None)]);
}

#[test]
fn a_file_that_the_server_unpacks_on_the_way_is_taken_without_gz() {
    let idx = [vec![0, 0, 8, 1], content()].concat();
    let server = Server::start(idx.clone(), &[Behaviour::Serve]);
    let outside = Outside::new(&[&server]);
    outside.fetch(published(&idx, Packing::Gzip)).unwrap();
    assert_eq!(std::fs::read(outside.path("digits")).unwrap(), idx);
    assert_eq!(names(&outside.path("")), ["digits"]);
}

#[test]
fn a_cut_connection_is_gone_on_with_where_it_broke() {
    let server = serve(&[Behaviour::Truncate(1_000), Behaviour::Truncate(500), Behaviour::Serve]);
    Outside::new(&[&server]).succeeds();
    let ranges: Vec<_> = server.requests().into_iter().map(|(_, start)| start).collect();
    assert_eq!(ranges, [None, Some(1_000), Some(1_500)]);
}

#[test]
fn a_cut_that_the_server_did_not_announce_is_found_by_the_sum() {
    let server = serve(&[Behaviour::TruncateUnannounced(1_000), Behaviour::Serve]);
    Outside::new(&[&server]).succeeds();
}

#[test]
fn a_server_that_ignores_the_range_sends_the_file_from_its_start() {
    let server = serve(&[Behaviour::Truncate(1_000), Behaviour::IgnoreRange]);
    Outside::new(&[&server]).succeeds();
}

#[test]
fn another_range_than_asked_for_is_not_appended() {
    let server = serve(&[Behaviour::Truncate(1_000), Behaviour::WrongRange, Behaviour::Serve]);
    Outside::new(&[&server]).succeeds();
    assert_eq!(server.requests()[2].1, None);
}

#[test]
fn a_part_file_from_before_is_gone_on_with() {
    let server = serve(&[Behaviour::Serve]);
    let outside = Outside::new(&[&server]);
    std::fs::create_dir_all(outside.path("")).unwrap();
    std::fs::write(outside.path("digits.gz.part"), &gzip(&content())[..2_000]).unwrap();
    outside.succeeds();
    assert_eq!(server.requests()[0].1, Some(2_000));
}

#[test]
fn a_part_file_with_wrong_content_is_thrown_away() {
    for length in [2_000, gzip(&content()).len(), 100_000] {
        let server = serve(&[Behaviour::Serve]);
        let outside = Outside::new(&[&server]);
        std::fs::create_dir_all(outside.path("")).unwrap();
        std::fs::write(outside.path("digits.gz.part"), vec![7; length]).unwrap();
        outside.succeeds();
    }
}

#[test]
fn a_stall_is_given_up_and_gone_on_with() {
    let server = serve(&[Behaviour::Stall(1_000), Behaviour::Serve]);
    Outside::new(&[&server]).impatient().succeeds();
    assert_eq!(server.requests()[1].1, Some(1_000));
}

#[test]
fn a_server_that_always_stalls_is_an_error() {
    let server = serve(&[Behaviour::Stall(0)]);
    Outside::new(&[&server]).impatient().fails(&["after 0 bytes: "]);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_wrong_byte_is_found_and_the_file_fetched_again() {
    let server = serve(&[Behaviour::WrongByte(3_000), Behaviour::Serve]);
    Outside::new(&[&server]).succeeds();
    assert_eq!(server.requests()[1].1, None);
}

#[test]
fn a_server_that_always_sends_a_wrong_byte_is_asked_twice_and_no_more() {
    let server = serve(&[Behaviour::WrongByte(3_000)]);
    let outside = Outside::new(&[&server]);
    outside.fails(&["expected"]);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(names(&outside.path("")), Vec::<String>::new());
}

#[test]
fn a_wrong_file_that_is_well_packed_is_told_by_its_sum() {
    let mut other = content();
    other[5] ^= 1;
    let server = Server::start(gzip(&other), &[Behaviour::Serve]);
    Outside::new(&[&server]).fails(&["SHA-256: expected ", &sha256(&content()), &sha256(&other)]);
}

#[test]
fn a_file_that_is_not_there_is_asked_for_once_at_each_mirror() {
    let (first, second) = (serve(&[Behaviour::Status(404)]), serve(&[Behaviour::Status(403)]));
    Outside::new(&[&first, &second]).fails(&[
        &format!("{}digits.gz: the server says 404", first.base),
        &format!("{}digits.gz: the server says 403", second.base),
    ]);
    assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
}

#[test]
fn a_busy_server_is_asked_again() {
    let server = serve(&[Behaviour::Status(503), Behaviour::Status(429), Behaviour::Serve]);
    Outside::new(&[&server]).succeeds();
}

#[test]
fn a_web_page_is_not_a_file() {
    let server = serve(&[Behaviour::Html]);
    Outside::new(&[&server]).fails(&["the server sent a web page instead of the file"]);
    let server = serve(&[Behaviour::DisguisedHtml]);
    Outside::new(&[&server]).fails(&["neither gzipped nor an IDX file"]);
}

#[test]
fn a_mirror_without_the_file_is_passed_over_for_the_next() {
    for bad in [
        Behaviour::Status(404),
        Behaviour::Html,
        Behaviour::WrongByte(3_000),
        Behaviour::Truncate(0),
        Behaviour::Endless,
    ] {
        let (first, second) = (serve(&[bad]), serve(&[Behaviour::Serve]));
        Outside::new(&[&first, &second]).succeeds();
        assert_eq!(second.requests().len(), 1, "{bad:?}");
    }
}

#[test]
fn a_file_without_end_is_cut_off() {
    let server = serve(&[Behaviour::Endless]);
    let outside = Outside::new(&[&server]);
    outside.fails(&["more than the 7030 bytes that it can have"]); // 6,000 + 6 + 1,024
    assert_eq!(std::fs::metadata(outside.path("digits.gz.part")).unwrap().len(), 0);
}

#[test]
fn nobody_at_the_address_is_an_error() {
    let server = serve(&[Behaviour::Serve]);
    let mut outside = Outside::new(&[&server]);
    // Port 9 of this machine (discard) is closed on every usual system.
    outside.options.mirrors = Some(vec!["http://127.0.0.1:9/".to_owned()]);
    outside.fails(&["http://127.0.0.1:9/digits.gz: "]);
}

#[test]
fn a_damaged_file_is_fetched_again_and_the_old_one_kept_aside() {
    let server = serve(&[Behaviour::Serve]);
    let outside = Outside::new(&[&server]);
    std::fs::create_dir_all(outside.path("")).unwrap();
    std::fs::write(outside.path("digits"), "cut off").unwrap();
    outside.fetch(published(&content(), Packing::Gzip)).unwrap();
    assert_eq!(names(&outside.path("")), ["digits.gz", "digits.replaced"]);
}

#[test]
fn progress_is_told_from_the_first_byte_to_the_last() {
    let server = serve(&[Behaviour::Truncate(1_000), Behaviour::Serve]);
    let size = gzip(&content()).len() as u64;
    let mut told = Vec::new();
    let outside = Outside::new(&[&server]);
    fetch_published(&published(&content(), Packing::Gzip), &outside.options, &mut |progress| {
        told.push(match progress {
            Progress::Started { done, total, .. } => format!("started {done} {total:?}"),
            Progress::Advanced { done, .. } if done == size => "all".to_owned(),
            Progress::Advanced { .. } => return,
            Progress::Failed { reason, .. } => reason.split(' ').take(3).collect::<Vec<_>>().join(" "),
            Progress::Checking { .. } => "checking".to_owned(),
            Progress::Finished { file } => format!("finished {file}"),
            other => format!("{other:?}"),
        });
    })
    .unwrap();
    let resumed = format!("started 1000 Some({size})");
    assert_eq!(told[0], format!("started 0 Some({size})"));
    assert!(told[1].starts_with("after 1000") || told[1].starts_with("cut off"), "{told:?}");
    assert_eq!(told[2..], [resumed.as_str(), "all", "checking", "finished digits.gz"]);
}

#[test]
fn a_second_process_waits_for_the_first_and_then_has_nothing_to_do() {
    let server = serve(&[Behaviour::Serve]);
    let outside = Outside::new(&[&server]);
    let held = lock(outside.folder.path(), &mut |_| {}).unwrap();
    let (waiting, is_waiting) = mpsc::channel();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| {
            fetch_published(&published(&content(), Packing::Gzip), &outside.options, &mut |progress| {
                if matches!(progress, Progress::Waiting { .. }) {
                    waiting.send(()).unwrap();
                }
            })
        });
        is_waiting.recv().unwrap();
        std::fs::create_dir_all(outside.path("")).unwrap();
        std::fs::write(outside.path("digits"), content()).unwrap();
        drop(held);
        let report = second.join().unwrap().unwrap();
        assert_eq!(report.present, [outside.path("digits")]);
    });
    assert_eq!(server.requests(), []);
}

#[test]
fn of_the_data_set_that_comes_with_the_program_there_is_nothing_to_fetch() {
    let folder = tempfile::tempdir().unwrap();
    let options = FetchOptions::new(folder.path().to_path_buf());
    let report = fetch(source("mnist-sample").unwrap(), &options, &mut |_| panic!("nothing is fetched")).unwrap();
    assert_eq!((report.fetched, report.present), (Vec::new(), Vec::new()));
    assert_eq!(names(folder.path()), Vec::<String>::new());
}
