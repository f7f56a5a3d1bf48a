//! The variables of a file: what is in its head, and its compressed elements.

use std::borrow::Cow;

use flate2::read::ZlibDecoder;

use super::elements::{Element, Elements, damaged, kind, number};
use crate::weights::FormatError;
use crate::weights::unpack::{Budget, Fault, is_at_end, unpack};

/// Text, an offset, the version and the byte order.
const HEAD: usize = 128;

/// The content of every variable of a file, unpacked, and whether its byte order is big-endian.
pub(crate) struct Variables<'a> {
    pub(crate) contents: Vec<Cow<'a, [u8]>>,
    pub(crate) big_endian: bool,
}

impl<'a> Variables<'a> {
    /// # Errors
    ///
    /// A file that is cut or damaged, or unpacks to more than `budget`.
    pub(crate) fn of(bytes: &'a [u8], budget: &mut Budget) -> Result<Self, FormatError> {
        let big_endian = match bytes.get(126..HEAD) {
            Some(b"IM") => false,
            Some(b"MI") => true,
            Some(_) => return Err(damaged("its head says no byte order")),
            None => return Err(damaged("it ends in its head")),
        };
        let mut elements = Elements::new(&bytes[HEAD..], big_endian);
        let mut contents = Vec::new();
        while !elements.is_empty() {
            let Element { kind, data } = elements.next()?;
            contents.push(match kind {
                kind::MATRIX => Cow::Borrowed(data),
                kind::COMPRESSED => Cow::Owned(inflate(data, big_endian, budget)?),
                other => return Err(damaged(format_args!("a variable has the type {other}"))),
            });
        }
        Ok(Self { contents, big_endian })
    }
}

/// The content of the one variable in a compressed element.
fn inflate(packed: &[u8], big_endian: bool, budget: &mut Budget) -> Result<Vec<u8>, FormatError> {
    let mut stream = ZlibDecoder::new(packed);
    let fault = |fault: Fault| match fault {
        Fault::Damaged => damaged("a compressed element cannot be unpacked"),
        Fault::Exceeded => FormatError::new(
            "is a MATLAB file of which a compressed element unpacks to more than a network takes",
            "a file with the network alone: `save('FILE.mat', 'net', '-v7')`",
        ),
    };
    let tag = unpack(&mut stream, 8, budget).map_err(fault)?;
    let [kind, size] = [number(&tag[..4], big_endian), number(&tag[4..], big_endian)];
    if kind != kind::MATRIX {
        return Err(damaged(format_args!("a compressed variable has the type {kind}")));
    }
    let content = unpack(&mut stream, size.into(), budget).map_err(fault)?;
    if !is_at_end(&mut stream) || stream.total_in() != packed.len() as u64 {
        return Err(damaged("a compressed element has bytes after its variable"));
    }
    Ok(content)
}
