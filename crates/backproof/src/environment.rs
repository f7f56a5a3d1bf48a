//! Variables of our libraries that they themselves would ignore in silence where they are wrong, and the processor.

use std::ffi::OsString;

use crate::error::Failure;

/// What Rayon takes the number of its threads from: the first of them that is set. The second is its older name.
const THREADS: [&str; 2] = ["RAYON_NUM_THREADS", "RAYON_RS_NUM_CPUS"];

/// How many threads Rayon is told to use; `None` where it is not, and takes one for each core.
///
/// # Errors
///
/// A variable that is no positive number. An empty one is unset.
pub fn threads() -> Result<Option<usize>, Failure> {
    threads_from(|name| std::env::var_os(name))
}

fn threads_from(variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<usize>, Failure> {
    let mut threads = None;
    for name in THREADS {
        let Some(value) = variable(name).filter(|value| !value.is_empty()) else { continue };
        let number = value.to_str().and_then(|text| text.parse().ok()).filter(|&number: &usize| number > 0);
        let Some(number) = number else {
            let message = format!("{name} is `{}`, which is no positive number", value.to_string_lossy());
            return Err(Failure::usage(message).help("without it there is a thread for each core"));
        };
        threads = threads.or(Some(number));
    }
    Ok(threads)
}

/// What Linux calls the first processor in the text of `/proc/cpuinfo`, as far as it says.
#[must_use]
pub fn cpu_model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads_of(values: [Option<&str>; 2]) -> Result<Option<usize>, String> {
        let value = |name: &str| values[THREADS.iter().position(|it| *it == name).unwrap()].map(OsString::from);
        threads_from(value).map_err(|error| error.to_string())
    }

    #[test]
    fn the_number_of_threads_is_positive_or_unset() {
        assert_eq!(threads_of([None, None]), Ok(None));
        assert_eq!(threads_of([Some(""), None]), Ok(None));
        assert_eq!(threads_of([Some("3"), Some("5")]), Ok(Some(3)));
        assert_eq!(threads_of([Some(""), Some("5")]), Ok(Some(5)));
        for wrong in ["abc", "0", "-1", "1.5", " 2", "2 ", "99999999999999999999999"] {
            let said = |name: &str| Err(format!("{name} is `{wrong}`, which is no positive number"));
            assert_eq!(threads_of([Some(wrong), None]), said("RAYON_NUM_THREADS"));
            assert_eq!(threads_of([Some("3"), Some(wrong)]), said("RAYON_RS_NUM_CPUS"));
        }
    }

    #[test]
    fn the_model_of_a_processor_is_what_linux_says_of_the_first() {
        let text = "processor\t: 0\nmodel\t\t: 143\nmodel name\t: Some CPU @ 2.10GHz\n\nmodel name\t: Another\n";
        assert_eq!(cpu_model(text), Some("Some CPU @ 2.10GHz"));
        // As on ARM.
        assert_eq!(cpu_model("processor\t: 0\nBogoMIPS\t: 48.00\n"), None);
    }
}
