//! Unpacking gzip as gzip(1) does: members one after the other, zeros after the last as a tape has them, and a warning
//! for any other bytes.

use std::io::{BufRead, Read};

use flate2::bufread::GzDecoder;

/// The first bytes of a gzipped file.
pub(crate) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The unpacked content of a gzipped file.
pub(crate) struct Gunzip<R> {
    /// The file's name in a warning.
    name: String,
    /// The member that is read; none after the last.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Gunzip<R> {
    pub(crate) fn new(name: impl Into<String>, packed: R) -> Self {
        Self { name: name.into(), member: Some(GzDecoder::new(packed)) }
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(mut packed) = self.member.take().map(GzDecoder::into_inner) else { break };
            match what_follows(&mut packed)? {
                After::Nothing => {}
                After::Member => self.member = Some(GzDecoder::new(packed)),
                After::Garbage => {
                    tracing::warn!("`{}` has bytes after the end of its gzipped content; they are ignored", self.name);
                }
            }
        }
        Ok(0)
    }
}

/// What comes after a member and any zeros.
enum After {
    Nothing,
    Member,
    Garbage,
}

fn what_follows(packed: &mut impl BufRead) -> std::io::Result<After> {
    loop {
        let bytes = packed.fill_buf()?;
        if bytes.is_empty() {
            return Ok(After::Nothing);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        if zeros < bytes.len() {
            // A buffer may end after the first byte of a member; then that byte has to do.
            let start = &bytes[zeros..bytes.len().min(zeros + 2)];
            let after = if GZIP.starts_with(start) { After::Member } else { After::Garbage };
            packed.consume(zeros);
            return Ok(after);
        }
        packed.consume(zeros);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::{BufReader, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// With buffers of each size, so that every boundary is met.
    fn unpacked(packed: &[u8]) -> Result<Vec<u8>, String> {
        let mut all = [1, 2, 7, 4096].map(|capacity| {
            let mut content = Vec::new();
            let mut reader = Gunzip::new("digits.gz", BufReader::with_capacity(capacity, packed));
            reader.read_to_end(&mut content).map(|_| content).map_err(|error| error.to_string())
        });
        assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
        std::mem::replace(&mut all[0], Ok(Vec::new()))
    }

    #[test]
    fn members_zeros_and_garbage_after_the_content_change_nothing() {
        let one = gzip(b"digits");
        let with = |more: &[u8]| [&one, more].concat();
        assert_eq!(unpacked(&one).unwrap(), b"digits");
        assert_eq!(unpacked(&with(&[0; 512])).unwrap(), b"digits");
        assert_eq!(unpacked(&with(b"garbage")).unwrap(), b"digits");
        assert_eq!(unpacked(&with(&[&[0; 512][..], b"garbage"].concat())).unwrap(), b"digits");
        assert_eq!(unpacked(&with(&gzip(b" and more"))).unwrap(), b"digits and more");
        assert_eq!(unpacked(&with(&[&[0; 9][..], &gzip(b"!")].concat())).unwrap(), b"digits!");
    }

    #[test]
    fn what_is_cut_or_damaged_is_an_error() {
        let one = gzip(b"digits");
        for length in 0..one.len() {
            assert!(unpacked(&one[..length]).is_err(), "{length} bytes");
        }
        let mut damaged = one.clone();
        let checksum = one.len() - 6;
        damaged[checksum] ^= 1;
        assert!(unpacked(&damaged).is_err());
        assert!(unpacked(&[&one[..], &gzip(b"more")[..12]].concat()).is_err(), "a member that is cut");
    }
}
