//! What `export` is asked for, checked before anything is built.

use std::ffi::OsStr;
use std::path::Path;

use crate::cli::ExportArguments;
use crate::error::Failure;

/// What can be written.
const WAYS: &str = "`export RUN model.onnx` writes ONNX, and `export RUN --pytorch DIR` a PyTorch module";

/// Refuses names that are of other files than those which are written.
///
/// # Errors
///
/// Wrong arguments.
pub fn check(arguments: &ExportArguments) -> Result<(), Failure> {
    if arguments.file.is_none() && arguments.pytorch.is_none() {
        let help = format!("give a file or a folder: {WAYS}");
        return Err(Failure::usage("export into what?").help(help));
    }
    if let Some(file) = &arguments.file {
        onnx(file)?;
    }
    match &arguments.pytorch {
        Some(folder) if folder.is_file() => {
            Err(Failure::usage(format!("{} is a file, and --pytorch writes a folder", folder.display()))
                .help("give the name of a folder; it need not be there yet"))
        }
        _ => Ok(()),
    }
}

/// That a file has the name of an ONNX file.
fn onnx(file: &Path) -> Result<(), Failure> {
    let is_named = file.extension().and_then(OsStr::to_str).is_some_and(|it| it.eq_ignore_ascii_case("onnx"));
    if !is_named {
        return Err(Failure::usage(format!("{} does not end in .onnx", file.display())).help(WAYS));
    }
    if file.is_dir() {
        return Err(Failure::usage(format!("{} is a folder; expected the name of a file", file.display())));
    }
    Ok(())
}
