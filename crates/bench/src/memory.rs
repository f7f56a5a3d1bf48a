//! The most memory that a process had.

/// The largest resident set of the process `id` so far, in bytes; `None` where the system does not say.
///
/// Linux counts it for each program anew (`VmHWM` of `/proc/ID/status`), so that what started the process is not in it.
/// It is read from outside and while the process lives, the same for every program that is compared.
pub(crate) fn peak_of(id: u32) -> Option<u64> {
    parse(&std::fs::read_to_string(format!("/proc/{id}/status")).ok()?)
}

fn parse(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kibibytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read_in_kibibytes() {
        assert_eq!(parse("Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t   20480 kB\nVmRSS:\t 1 kB\n"), Some(20 << 20));
        assert_eq!(parse("Name:\tx\n"), None);
    }
}
