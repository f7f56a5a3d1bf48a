//! Data sets that are published in an archive.

use tar::EntryType::{Directory, Regular, Symlink};

use super::*;

/// A tar archive of entries (path, type, content); paths are written as they are, however bad.
fn tar(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Fetches a data set of one file that is published in this archive.
fn fetch_archive(archive: Vec<u8>) -> (Outside, Result<FetchReport>) {
    let packing = Packing::TarGz {
        name: "all.tar.gz",
        size: archive.len() as u64,
        sha256: String::leak(sha256(&archive)),
        folder: "inner",
    };
    let server = Server::start(archive, &[Behaviour::Truncate(400), Behaviour::Serve]);
    let outside = Outside::new(&[&server]);
    let result = outside.fetch(published(&content(), packing));
    (outside, result)
}

#[test]
fn the_files_of_an_archive_are_put_in_their_places_and_no_others() {
    let archive = gzip(&tar(&[
        ("inner/", Directory, b""),
        ("inner/readme.html", Regular, b"hello"),
        ("inner/digits", Regular, &content()),
    ]));
    let (outside, result) = fetch_archive(archive);
    assert_eq!(result.unwrap().fetched, [outside.path("digits")]);
    assert_eq!(std::fs::read(outside.path("digits")).unwrap(), content());
    assert_eq!(names(&outside.path("")), ["digits"]);
}

#[test]
fn an_archive_that_is_there_is_unpacked_without_a_download_and_kept() {
    let archive = gzip(&tar(&[("inner/digits", Regular, &content())]));
    let packing = Packing::TarGz {
        name: "all.tar.gz",
        size: archive.len() as u64,
        sha256: String::leak(sha256(&archive)),
        folder: "inner",
    };
    let server = serve(&[Behaviour::Status(404)]);
    let outside = Outside::new(&[&server]);
    std::fs::create_dir_all(outside.path("")).unwrap();
    std::fs::write(outside.path("all.tar.gz"), archive).unwrap();
    outside.fetch(published(&content(), packing)).unwrap();
    assert_eq!(names(&outside.path("")), ["all.tar.gz", "digits"]);
    assert_eq!(server.requests(), []);
}

#[test]
fn an_archive_that_would_leave_its_folder_is_refused_as_a_whole() {
    let digits = content();
    let good = ("inner/digits", Regular, &digits[..]);
    let many: Vec<_> = std::iter::repeat_n(("inner/x", Regular, &b""[..]), 100).chain([good]).collect();
    let bomb = vec![0; 20_000_000];
    let mut other = content();
    other[0] ^= 1;
    for (entries, reason) in [
        (vec![good, ("../evil", Regular, b"x")], "entry `../evil`: leaves the folder"),
        (vec![good, ("inner/../../evil", Regular, b"x")], "leaves the folder"),
        (vec![good, ("/tmp/evil", Regular, b"x")], "entry `/tmp/evil`: leaves the folder"),
        (vec![good, ("inner/link", Symlink, b"")], "neither a file nor a folder: Symlink"),
        (vec![good, ("inner/link", tar::EntryType::Link, b"")], "neither a file nor a folder: Link"),
        (vec![("inner/digits", Symlink, b"")], "neither a file nor a folder: Symlink"),
        (vec![good, good], "comes twice"),
        (vec![("other/digits", Regular, &digits)], "entry `digits`: is not in the archive"),
        (vec![("inner/digits", Regular, &digits[1..])], "5999 bytes, expected 6000"),
        (vec![("inner/digits", Regular, &other)], "SHA-256: expected"),
        (vec![good, ("inner/bomb", Regular, &bomb)], "cannot be read"),
        (many, "more than 100 entries"),
    ] {
        let (outside, result) = fetch_archive(gzip(&tar(&entries)));
        let message = result.unwrap_err().to_string();
        assert!(message.contains(reason), "{reason}: {message}");
        assert_eq!(names(&outside.path("")), Vec::<String>::new());
        assert_eq!(names(outside.folder.path()), [".lock", "mnist"]);
    }
}
