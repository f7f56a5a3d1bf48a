//! What is packed in a file is unpacked within bounds, so that a small file cannot take all memory.

use std::io::Read;

/// How many bytes may yet be unpacked of one file.
#[derive(Debug)]
pub struct Budget {
    left: u64,
}

/// More is packed in a file than its weights can be.
#[derive(Debug)]
pub(crate) struct Exceeded;

impl Budget {
    /// The budget of a file of `length` bytes, for a network of so many numbers.
    ///
    /// Zeros pack 1,032 to 1, and numbers that were drawn or trained hardly at all. So what unpacks to more than eight
    /// times the file must be zeros, or one number many times; such tensors may be four times as large as the network's
    /// in double precision, since another network's weights may be cut to the network's shapes. A megabyte is for
    /// heads, and for what else a small file holds.
    pub fn new(length: usize, numbers: usize) -> Self {
        let (length, numbers) = (length as u64, numbers as u64);
        Self { left: length.saturating_mul(8).saturating_add(numbers.saturating_mul(4 * 8)).saturating_add(1 << 20) }
    }

    /// A budget of so many bytes.
    pub fn of(bytes: u64) -> Self {
        Self { left: bytes }
    }

    fn spend(&mut self, bytes: u64) -> Result<(), Exceeded> {
        self.left = self.left.checked_sub(bytes).ok_or(Exceeded)?;
        Ok(())
    }
}

/// Why something cannot be unpacked.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It is larger than the budget.
    Exceeded,
    /// It has another size than it should have, or is damaged.
    Damaged,
}

impl From<Exceeded> for Fault {
    fn from(_: Exceeded) -> Self {
        Self::Exceeded
    }
}

/// The next `size` bytes of `stream`. Memory is taken as they come, and never for what is only claimed.
pub(crate) fn unpack(stream: &mut impl Read, size: u64, budget: &mut Budget) -> Result<Vec<u8>, Fault> {
    budget.spend(size)?;
    let mut content = Vec::new();
    match stream.by_ref().take(size).read_to_end(&mut content) {
        Ok(read) if read as u64 == size => Ok(content),
        _ => Err(Fault::Damaged),
    }
}

/// Whether `stream` ends here, and is sound to its end.
pub(crate) fn is_at_end(stream: &mut impl Read) -> bool {
    matches!(stream.read(&mut [0]), Ok(0))
}
