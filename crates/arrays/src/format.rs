//! Which kind of file bytes are, by their content: a name may be anything.

use crate::FormatError;

/// A kind of file that holds tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As many frameworks write it.
    Safetensors,
    /// MATLAB's, from version 5 to 7: `save -v6` and `save -v7`.
    Matlab,
    /// NumPy's archive of arrays.
    Npz,
}

/// What every file of HDF5 begins with, except for those of MATLAB.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

impl Format {
    /// The format of a file with this content.
    ///
    /// # Errors
    ///
    /// Bytes that are none of these. The error says which they are, if it knows, and what to do.
    pub fn of(bytes: &[u8]) -> Result<Self, FormatError> {
        // MATLAB's head: 116 bytes of text, 8 of an offset, the version, and the byte order as `MI` or `IM`.
        let version = match bytes.get(124..128) {
            Some([low, high, b'I', b'M']) => Some([*high, *low]),
            Some([high, low, b'M', b'I']) => Some([*high, *low]),
            _ => None,
        };
        if bytes.starts_with(b"MATLAB 7.3 MAT-file") || bytes.starts_with(HDF5) || version == Some([2, 0]) {
            let matlab = if bytes.starts_with(HDF5) { "" } else { "a MATLAB file of version 7.3, which is " };
            return Err(FormatError::new(
                format!("is {matlab}HDF5"),
                "an earlier version of MATLAB's files: `save('FILE.mat', 'NAME', '-v7')`, or another format",
            ));
        }
        match bytes {
            _ if version == Some([1, 0]) || bytes.starts_with(b"MATLAB 5.0 MAT-file") => Ok(Self::Matlab),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Ok(Self::Npz),
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Err(FormatError::new(
                "is a single NumPy array",
                "an archive with an array for each tensor: `np.savez('FILE.npz', **tensors)`",
            )),
            _ if bytes.starts_with(b"# Created by Octave") => Err(FormatError::new(
                "is Octave's own text",
                "a MATLAB file: `save('-v6', 'FILE.mat', 'NAME')`, or another format",
            )),
            [_, _, _, _, _, _, _, _, b'{', ..] => Ok(Self::Safetensors),
            _ => Err(FormatError::new(
                "is no file of tensors",
                "safetensors, a MATLAB file of version 5 to 7 (.mat), or an archive of NumPy (.npz)",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str, end: &[u8]) -> Vec<u8> {
        let mut head = [b' '; 124];
        head[..text.len()].copy_from_slice(text.as_bytes());
        [&head[..], end, &[0; 8]].concat()
    }

    #[test]
    fn the_content_says_which_format_it_is() {
        assert_eq!(Format::of(b"\x02\0\0\0\0\0\0\0{}"), Ok(Format::Safetensors));
        assert_eq!(
            Format::of(&head("MATLAB 5.0 MAT-file, Platform: GLNXA64", &[0, 1, b'I', b'M'])),
            Ok(Format::Matlab)
        );
        assert_eq!(Format::of(&head("written by hand", &[1, 0, b'M', b'I'])), Ok(Format::Matlab));
        assert_eq!(Format::of(b"MATLAB 5.0 MAT-file, cut"), Ok(Format::Matlab));
        assert_eq!(Format::of(b"PK\x03\x04 and so on"), Ok(Format::Npz));
        assert_eq!(Format::of(b"PK\x05\x06 and so on"), Ok(Format::Npz));
    }

    #[test]
    fn what_is_none_is_an_error_that_says_what_to_do() {
        let refused = |bytes: &[u8]| Format::of(bytes).unwrap_err().to_string();
        for end in [[0, 2, b'I', b'M'], [2, 0, b'M', b'I']] {
            let error = refused(&head("MATLAB 7.3 MAT-file, Platform: GLNXA64", &end));
            assert_eq!(
                error,
                "is a MATLAB file of version 7.3, which is HDF5; expected an earlier version of MATLAB's files: \
                 `save('FILE.mat', 'NAME', '-v7')`, or another format"
            );
            assert_eq!(refused(&head("written by hand", &end)), error);
        }
        assert!(refused(b"\x89HDF\r\n\x1a\n and so on").starts_with("is HDF5; expected "));
        assert_eq!(
            refused(b"\x93NUMPY\x01\0"),
            "is a single NumPy array; expected an archive with an array for each tensor: \
             `np.savez('FILE.npz', **tensors)`"
        );
        assert!(
            refused(b"# Created by Octave 7.3.0, Mon Nov 30").starts_with("is Octave's own text; expected a MATLAB ")
        );
        for other in [&b""[..], b"not weights", b"\x89PNG\r\n\x1a\n", &[0; 200]] {
            assert_eq!(
                refused(other),
                "is no file of tensors; expected safetensors, a MATLAB file of version 5 to 7 (.mat), or an archive of \
                 NumPy (.npz)"
            );
        }
    }
}
