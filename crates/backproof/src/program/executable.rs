//! Where this program is, to start it again.

use std::path::PathBuf;

use anyhow::Context;

/// This program. Its file may have been replaced by a newer build since it was started; Linux still has the old one.
pub(crate) fn own_program() -> anyhow::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe().context("cannot tell where this program is")
}
