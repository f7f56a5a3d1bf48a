//! Why the process of a run ended, if the run is not done.

use std::fs;
use std::path::Path;
use std::process::ExitStatus;

/// At most so many lines are kept.
const MOST: usize = 8;

const HELP: &str = "help: fewer `--jobs`, a smaller batch or a smaller network need less memory";

/// What a person should know of it, the most important line first. `output` is what the process printed.
pub(super) fn of(status: ExitStatus, output: &Path) -> Vec<String> {
    let text = match fs::read(output) {
        Ok(text) => text,
        Err(error) => return vec![format!("error: cannot read {}: {error}", output.display())],
    };
    lines(&status.to_string(), status.code().is_none(), &String::from_utf8_lossy(&text))
}

/// The same of a status in the words of the standard library, `signal: 9 (SIGKILL)`, and what was printed.
fn lines(status: &str, by_signal: bool, text: &str) -> Vec<String> {
    let mut printed: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let signal = status.replacen("signal: ", "signal ", 1);
    let mut lines = Vec::new();
    // Rust's allocator says so and aborts.
    if let Some(line) = printed.iter().rposition(|line| line.starts_with("memory allocation of ")) {
        lines.extend([format!("error: memory ran out: {}", printed[line]), HELP.to_owned()]);
        // After it comes a backtrace.
        printed.truncate(line);
    } else if by_signal && signal.contains("SIGKILL") {
        let when = "which the system sends when memory runs out";
        lines.extend([format!("error: the process was ended by {signal}, {when}"), HELP.to_owned()]);
    } else if by_signal {
        lines.push(format!("error: the process was ended by {signal}"));
    }
    let error = printed.iter().rposition(|line| line.starts_with("error:") || line.contains(" panicked at "));
    let room = MOST - lines.len();
    let start = error.unwrap_or(printed.len().saturating_sub(room));
    lines.extend(printed[start..].iter().take(room).map(|line| (*line).to_owned()));
    lines
}
