//! The variables of a file: what is in its head, and its compressed elements.

use std::borrow::Cow;

use flate2::read::ZlibDecoder;

use super::elements::{Element, Elements, damaged, kind, number};
use crate::FormatError;
use crate::unpack::{Budget, Fault, is_at_end, unpack};

/// Text, an offset, the version and the byte order.
const HEAD: usize = 128;

/// The content of every variable of a file, unpacked, and whether its byte order is big-endian.
pub struct Variables<'a> {
    /// The content of each variable's data element.
    pub contents: Vec<Cow<'a, [u8]>>,
    /// The byte order.
    pub big_endian: bool,
    /// What is wrong with the file after these variables.
    pub damage: Option<FormatError>,
}

impl<'a> Variables<'a> {
    /// # Errors
    ///
    /// A file that is cut or damaged, or unpacks to more than `budget`.
    pub fn of(bytes: &'a [u8], budget: &mut Budget) -> Result<Self, FormatError> {
        let mut variables = Self::up_to_damage(bytes, budget)?;
        variables.damage.take().map_or(Ok(variables), Err)
    }

    /// The variables in front of the first damage.
    ///
    /// # Errors
    ///
    /// A file that is cut or damaged in its head.
    pub fn up_to_damage(bytes: &'a [u8], budget: &mut Budget) -> Result<Self, FormatError> {
        let big_endian = match bytes.get(126..HEAD) {
            Some(b"IM") => false,
            Some(b"MI") => true,
            Some(_) => return Err(damaged("its head says no byte order")),
            None => return Err(damaged("it ends in its head")),
        };
        let mut elements = Elements::new(&bytes[HEAD..], big_endian);
        let mut contents = Vec::new();
        let mut damage = None;
        while !elements.is_empty() && damage.is_none() {
            match elements.next().and_then(|element| content(element, big_endian, budget)) {
                Ok(content) => contents.push(content),
                Err(error) => damage = Some(error),
            }
        }
        Ok(Self { contents, big_endian, damage })
    }
}

/// The content of a variable.
fn content<'a>(element: Element<'a>, big_endian: bool, budget: &mut Budget) -> Result<Cow<'a, [u8]>, FormatError> {
    match element.kind {
        kind::MATRIX => Ok(Cow::Borrowed(element.data)),
        kind::COMPRESSED => Ok(Cow::Owned(inflate(element.data, big_endian, budget)?)),
        other => Err(damaged(format_args!("a variable has the type {other}"))),
    }
}

/// The content of the one variable in a compressed element.
fn inflate(packed: &[u8], big_endian: bool, budget: &mut Budget) -> Result<Vec<u8>, FormatError> {
    let mut stream = ZlibDecoder::new(packed);
    let fault = |fault: Fault| match fault {
        Fault::Damaged => damaged("a compressed element cannot be unpacked"),
        Fault::Exceeded => FormatError::new(
            "is a MATLAB file of which a compressed element unpacks to more than its tensors take",
            "a file with the tensors alone: `save('FILE.mat', 'NAME', '-v7')`",
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
