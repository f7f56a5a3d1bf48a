//! Numbers for a person to read.

/// `96.20 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// `3.2 s`, `14 s`, `1 min 05 s`.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 9.95 { format!("{seconds:.1} s") } else { backproof_train::duration(seconds) }
}
