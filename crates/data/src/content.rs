//! Reading a file whole, unpacked or not, within bounds, and its SHA-256.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use backproof_spec::counted;
use sha2::{Digest, Sha256};

use crate::error::{DataError, Result};
use crate::gunzip::{GZIP, Gunzip};

/// Reads the file at `path`, which must hold exactly `size` bytes; unpacks it where its first bytes say that it is
/// gzipped, whatever its name. Never reads or unpacks more than `size` + 1 bytes, however large it is or claims to be.
pub(crate) fn read(path: &Path, size: u64) -> Result<Vec<u8>> {
    let mut file = File::open(path).map_err(DataError::io("read", path))?;
    let present = file.metadata().map_err(DataError::io("read", path))?.len();
    let name = path.display().to_string();
    let mut start = Vec::with_capacity(2);
    (&mut file).take(2).read_to_end(&mut start).map_err(DataError::io("read", path))?;
    let packed = start == GZIP;
    if !packed && present != size {
        return Err(DataError::format(&name, "size", counted(size, "byte"), counted(present, "byte")));
    }
    unpack(&name, start.chain(file), packed, size).map_err(|problem| match problem {
        Unpack::Io(source) if !packed => DataError::io("read", path)(source),
        Unpack::Io(source) => DataError::format(&name, "gzipped content", counted(size, "byte"), source),
        Unpack::Size(error) => error,
    })
}

/// Reads the file at `path` as it is, of up to `most` bytes.
pub(crate) fn read_up_to(path: &Path, most: u64) -> Result<Vec<u8>> {
    let failed = || DataError::io("read", path);
    let mut file = File::open(path).map_err(failed())?;
    let mut content =
        Vec::with_capacity(usize::try_from(file.metadata().map_err(failed())?.len().min(most)).unwrap_or(0));
    (&mut file).take(most + 1).read_to_end(&mut content).map_err(failed())?;
    if content.len() as u64 > most {
        let (name, expected) = (path.display().to_string(), format!("at most {}", counted(most, "byte")));
        return Err(DataError::format(&name, "size", expected, "more"));
    }
    Ok(content)
}

/// Unpacks `bytes`, gzipped content of exactly `size` bytes.
pub(crate) fn gunzip(name: &str, bytes: &[u8], size: u64) -> Result<Vec<u8>> {
    unpack(name, bytes, true, size).map_err(|problem| match problem {
        Unpack::Io(source) => DataError::format(name, "gzipped content", counted(size, "byte"), source),
        Unpack::Size(error) => error,
    })
}

enum Unpack {
    Io(std::io::Error),
    Size(DataError),
}

fn unpack(name: &str, reader: impl Read, packed: bool, size: u64) -> Result<Vec<u8>, Unpack> {
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    let read = if packed {
        Gunzip::new(name, std::io::BufReader::new(reader)).take(size + 1).read_to_end(&mut content)
    } else {
        reader.take(size + 1).read_to_end(&mut content)
    };
    read.map_err(Unpack::Io)?;
    if content.len() as u64 == size {
        return Ok(content);
    }
    let found = if content.len() as u64 > size { "more".to_owned() } else { counted(content.len(), "byte") };
    Err(Unpack::Size(DataError::format(name, "size of the content", counted(size, "byte"), found)))
}

/// The SHA-256 of `bytes`, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The SHA-256 of the file at `path`, in hexadecimal.
#[cfg(any(test, feature = "fetch"))]
pub(crate) fn sha256_of_file(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(DataError::io("read", path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(DataError::io("read", path))? {
            0 => return Ok(hex(&hasher.finalize())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::gunzip::tests::gzip;

    fn read_bytes(bytes: &[u8], size: u64) -> Result<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, bytes).unwrap();
        read(&path, size)
    }

    #[test]
    fn a_file_is_unpacked_if_its_first_bytes_say_so() {
        assert_eq!(read_bytes(b"seven.", 6).unwrap(), b"seven.");
        assert_eq!(read_bytes(&gzip(b"seven."), 6).unwrap(), b"seven.");
        // Two gzip members one after the other are one file.
        assert_eq!(read_bytes(&[gzip(b"sev"), gzip(b"en.")].concat(), 6).unwrap(), b"seven.");
    }

    #[test]
    fn a_size_that_is_not_the_expected_one_is_an_error_that_names_both() {
        for (bytes, end) in [
            (b"seven".to_vec(), "size: expected 6 bytes, found 5 bytes"),
            (b"seven..".to_vec(), "size: expected 6 bytes, found 7 bytes"),
            (gzip(b"seven"), "size of the content: expected 6 bytes, found 5 bytes"),
            (gzip(&vec![0; 50_000_000]), "size of the content: expected 6 bytes, found more"), // 50 MB out of 50 kB
        ] {
            let error = read_bytes(&bytes, 6).unwrap_err().to_string();
            assert!(error.ends_with(end), "{error}");
        }
    }

    #[test]
    fn a_damaged_gzip_is_an_error() {
        let whole = gzip(b"some content that is long enough to be cut");
        assert!(read_bytes(&whole[..whole.len() - 9], 42).is_err());
        let mut wrong = whole.clone();
        let checksum = wrong.len() - 6;
        wrong[checksum] ^= 1;
        assert!(read_bytes(&wrong, 42).is_err());
        assert!(read_bytes(&whole, 42).is_ok());
    }

    #[test]
    fn the_sum_of_a_file_is_the_sum_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "abc").unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((sha256(b"abc"), sha256_of_file(&path).unwrap()), (abc.to_owned(), abc.to_owned()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_unpacking_panic(bytes in prop::collection::vec(any::<u8>(), 0..100), size in 0u64..50) {
            let _ = gunzip("f", &bytes, size);
            let _ = gunzip("f", &[&GZIP[..], &[8], &bytes].concat(), size);
        }
    }
}
