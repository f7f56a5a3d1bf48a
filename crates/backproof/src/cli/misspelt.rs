//! Variables that begin as Backproof's do and that nothing reads. Most of them are misspelt.

use std::ffi::OsString;

use backproof_spec::nearest;
use clap::Command;

use super::variables::names;

/// How the names of all our variables begin.
const PREFIX: &str = "BACKPROOF_";

/// The variables that the program reads and that belong to no flag.
const WITHOUT_FLAG: [&str; 2] = ["BACKPROOF_KERNELS", "BACKPROOF_LOG"];

/// How the names of variables begin that only tests read. Tests leave them in the environment of the program.
const OF_TESTS: &str = "BACKPROOF_TEST_";

/// What the tests of `backproof-gradcheck` and the program in `mutants/` read, which have shorter names.
const OF_GRADCHECK: [&str; 7] = [
    "BACKPROOF_CHECKS",
    "BACKPROOF_FROM",
    "BACKPROOF_MUTANT",
    "BACKPROOF_MUTANTS_SEEN",
    "BACKPROOF_REPLAY",
    "BACKPROOF_REPLAY_ADVERSARY",
    "BACKPROOF_VERDICTS",
];

/// The variables of this process whose names `command` does not know. An empty one is unset, as everywhere.
pub(super) fn misspelt(command: &Command) -> Vec<OsString> {
    let known = names(command);
    let set = std::env::vars_os().filter(|(_, value)| !value.is_empty());
    let mut misspelt: Vec<_> =
        set.map(|(name, _)| name).filter(|name| !is_known(&name.to_string_lossy(), &known)).collect();
    misspelt.sort();
    misspelt
}

/// Also of every variable that is none of ours.
fn is_known(name: &str, flags: &[String]) -> bool {
    !name.starts_with(PREFIX)
        || name.starts_with(OF_TESTS)
        || WITHOUT_FLAG.contains(&name)
        || OF_GRADCHECK.contains(&name)
        || flags.iter().any(|flag| flag == name)
}

/// Says on stderr which variables are not known, each with the nearest name.
#[allow(clippy::print_stderr)] // warnings go to stderr
pub(super) fn warn(command: &Command) {
    let flags = names(command);
    for name in misspelt(command) {
        eprintln!("warning: {}", sentence(&name.to_string_lossy(), &flags));
    }
}

fn sentence(name: &str, flags: &[String]) -> String {
    // Every name has the prefix, so it says nothing about how near two names are.
    let without_prefix = |name: &'_ str| name.strip_prefix(PREFIX).unwrap_or(name).to_owned();
    let known: Vec<String> = flags.iter().map(String::as_str).chain(WITHOUT_FLAG).map(without_prefix).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    match nearest(&without_prefix(name), &known) {
        Some(near) => format!("Backproof has no variable {name}; did you mean `{PREFIX}{near}`?"),
        None => format!("Backproof has no variable {name}, and ignores it"),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn a_variable_that_is_not_known_gets_the_nearest_name_without_the_prefix() {
        let flags = names(&Cli::command());
        for (name, near) in [
            ("BACKPROOF_CONFG", Some("BACKPROOF_CONFIG")),
            ("BACKPROOF_DATADIR", Some("BACKPROOF_DATA_DIR")),
            ("BACKPROOF_KERNEL", Some("BACKPROOF_KERNELS")),
            ("BACKPROOF_lOG", Some("BACKPROOF_LOG")),
            ("BACKPROOF_XYZ", None),
            ("BACKPROOF_", None),
        ] {
            assert!(!is_known(name, &flags), "{name}");
            let expected = match near {
                Some(near) => format!("Backproof has no variable {name}; did you mean `{near}`?"),
                None => format!("Backproof has no variable {name}, and ignores it"),
            };
            assert_eq!(sentence(name, &flags), expected);
        }
        for name in
            ["BACKPROOF_CONFIG", "BACKPROOF_JOBS", "BACKPROOF_LOG", "BACKPROOF_CHECKS", "BACKPROOF_TEST_X", "PATH"]
        {
            assert!(is_known(name, &flags), "{name}");
        }
    }
}
