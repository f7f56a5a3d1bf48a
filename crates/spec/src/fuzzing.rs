//! What the fuzzer calls: configs and sweeps of any text, with what they promise. The functions panic where a promise
//! is broken.
//!
//! The targets in `fuzz/` call them for hours; the test here replays the corpus, and changes of it, in every build.

use crate::Experiment;
use crate::config::sweep::read as read_sweep;
use crate::data_set::four;

const QUICKSTART: &str = include_str!("../../../configs/quickstart.toml");

/// A config: an error that can be shown, or an experiment that is the same after it was written and read.
///
/// Each line after a line `--set` is an override.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (text, overrides) = text.split_once("--set\n").unwrap_or((&text, ""));
    let overrides: Vec<String> = overrides.lines().map(str::to_owned).collect();
    match Experiment::from_toml("fuzz.toml", text, &overrides, &four()) {
        Ok(experiment) => {
            let written = experiment.to_toml();
            let again = Experiment::from_toml("again.toml", &written, &[], &four());
            assert_eq!(again.unwrap_or_else(|error| panic!("{error}\nin\n{written}")), experiment);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A sweep over the quickstart.
pub fn sweep(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match read_sweep("fuzz.toml", &text, &[], &four(), |_| Ok(QUICKSTART.to_owned())) {
        Ok(sweep) => assert!(sweep.runs().count() > 0),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    include!("../../../fuzz/replay.rs");

    #[test]
    fn no_config_and_no_sweep_of_the_corpus_and_no_change_of_one_panics() {
        replay("config", config);
        replay("sweep", sweep);
    }
}
