//! Data sets whose checksum is that of the packed file, files that are not packed, and a zip archive.

use super::*;
use crate::tests::written::zip;

/// A data set in this zip archive, and a place to put it.
fn zipped(archive: &[u8], behaviours: &[Behaviour]) -> (Outside, Published, Server) {
    let packing = Packing::Zip {
        name: "all.zip",
        size: archive.len() as u64,
        sha256: String::leak(sha256(archive)),
        folder: "gzip",
    };
    let server = Server::start(archive.to_vec(), behaviours);
    let outside = Outside::new(&[&server]);
    (outside, published_as(packing, Content { name: "digits", size: 6_000, sum: Sum::OfArchive }), server)
}

#[test]
fn the_files_of_a_zip_archive_are_taken_out_and_the_archive_stays_for_other_data_sets() {
    let packed = gzip(&content());
    let archive = zip(&[("gzip/", &b""[..]), ("gzip/other.gz", b"other"), ("gzip/digits.gz", &packed)]);
    let (outside, published, server) = zipped(&archive, &[Behaviour::Truncate(400), Behaviour::Serve]);
    assert_eq!(outside.fetch(published).unwrap().fetched, [outside.path("digits.gz")]);
    assert_eq!(std::fs::read(outside.path("digits.gz")).unwrap(), packed);
    assert_eq!(names(&outside.path("")), ["all.zip", "digits.gz"]);
    assert_eq!(std::fs::read(outside.path("all.zip")).unwrap(), archive);
    // Nothing is fetched again: neither the file that is there, nor the archive that has it.
    let again = outside.fetch(published).unwrap();
    assert_eq!((again.fetched.len(), again.present), (0, vec![outside.path("digits.gz")]));
    std::fs::remove_file(outside.path("digits.gz")).unwrap();
    assert_eq!(outside.fetch(published).unwrap().fetched, [outside.path("digits.gz")]);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_zip_archive_without_the_file_or_with_another_one_is_refused() {
    let packed = gzip(&content());
    for (archive, reason) in [
        (zip(&[("digits.gz", &packed)]), "entry `gzip/digits.gz`: is not in the archive"),
        (zip(&[("gzip/digits.gz", &gzip(&content()[1..]))]), "expected 6000 bytes, found 5999 bytes"),
        (zip(&[("gzip/digits.gz", &gzip(&vec![0; 1_000_000]))]), "expected 6000 bytes, found more"),
        (zip(&[("gzip/digits.gz", &vec![0; 100_000])]), "gzipped content"),
        (zip(&[("gzip/digits.gz", &packed[..packed.len() - 9])]), "gzipped content"),
        (b"PK\x03\x04 no archive".to_vec(), "entry `(whole)`: is a damaged archive"),
        (b"<html>".to_vec(), "the server sent something that is no zip archive"),
    ] {
        let (outside, published, _server) = zipped(&archive, &[Behaviour::Serve]);
        let message = outside.fetch(published).unwrap_err().to_string();
        assert!(message.contains(reason), "{reason}: {message}");
        assert_eq!(names(&outside.path("")).iter().filter(|name| !name.ends_with(".part")).count(), 0);
    }
}

#[test]
fn where_only_the_sum_of_the_packed_file_is_published_that_one_counts() {
    let packed = gzip(&content());
    let sum = Sum::Packed(String::leak(sha256(&packed)));
    let published = published_as(Packing::Gzip, Content { name: "digits", size: 6_000, sum });
    let server = serve(&[Behaviour::Serve]);
    let outside = Outside::new(&[&server]);
    outside.fetch(published).unwrap();
    let of_file = || crate::verify::state(&published, &local_files(&published, outside.folder.path())[0]);
    assert_eq!(of_file(), FileState::Published);
    // Unpacked, or packed again, it may be the same.
    std::fs::remove_file(outside.path("digits.gz")).unwrap();
    std::fs::write(outside.path("digits"), content()).unwrap();
    assert_eq!(of_file(), FileState::Unknown { sha256: sha256(&content()) });
    assert_eq!(outside.fetch(published).unwrap().present, [outside.path("digits")]);
    // Another content is as well packed, and not what was published.
    let mut other = content();
    other[5] ^= 1;
    for bytes in [gzip(&other), [vec![0], content()[1..].to_vec()].concat()] {
        let server = Server::start(bytes, &[Behaviour::Serve]);
        let outside = Outside::new(&[&server]);
        let message = outside.fetch(published).unwrap_err().to_string();
        assert!(message.contains("`digits`: SHA-256: expected "), "{message}");
    }
}

#[test]
fn a_file_that_is_not_packed_is_put_under_its_own_name() {
    let matlab = [b"MATLAB 5.0".to_vec(), content()].concat();
    let published = published(&matlab, Packing::Plain);
    let server = Server::start(matlab.clone(), &[Behaviour::Truncate(1_000), Behaviour::Serve]);
    let outside = Outside::new(&[&server]);
    assert_eq!(outside.fetch(published).unwrap().fetched, [outside.path("digits")]);
    assert_eq!(std::fs::read(outside.path("digits")).unwrap(), matlab);
    assert_eq!(server.requests()[0].0, "/digits");
    let server = Server::start(b"<html>".to_vec(), &[Behaviour::Serve]);
    let message = Outside::new(&[&server]).fetch(published).unwrap_err().to_string();
    assert!(message.contains("the server sent something that is no MATLAB file"), "{message}");
}
