use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of others, whose panic must not bring the check down: its message, then.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_by_its_message() {
        assert_eq!(caught(|| 3), Ok(3));
        assert_eq!(caught(|| -> u8 { panic!("plain") }), Err("plain".into()));
        assert_eq!(caught(|| -> u8 { panic!("with {}", 2) }), Err("with 2".into()));
        assert_eq!(caught(|| -> u8 { std::panic::panic_any(7) }), Err("no message".into()));
    }
}
