//! Commands that errors suggest, so that they work when they are typed.

use std::path::Path;

/// A path as an argument: in quotes where a shell would take it apart.
#[must_use]
pub fn argument(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c) || (cfg!(windows) && c == '\\');
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_take_apart_is_quoted() {
        for (path, expected) in [
            ("runs/a-1/latest", "runs/a-1/latest"),
            ("Übung/größe.toml", "Übung/größe.toml"),
            ("my runs/a", "'my runs/a'"),
            ("it's", r"'it'\''s'"),
            ("a;b", "'a;b'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
        ] {
            assert_eq!(argument(Path::new(path)), expected);
        }
    }
}
