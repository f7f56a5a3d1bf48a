use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Runs code of others, whose panic must not bring the check down: its message and where it comes from, then.
///
/// A panic that is told in the report is not printed as well.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    keep_quiet();
    let outer = QUIET.replace(Some(None));
    let result = catch_unwind(AssertUnwindSafe(run));
    let told = QUIET.replace(outer).flatten();
    result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message");
        told.unwrap_or_else(|| text.to_owned())
    })
}

thread_local! {
    /// `Some` while code of others runs in this thread; the last panic's message and place, then.
    static QUIET: RefCell<Option<Option<String>>> = const { RefCell::new(None) };
}

/// Puts a hook before the one that is there. Whoever puts another one before it later hears of these panics too.
fn keep_quiet() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(|place| format!(" ({place})")).unwrap_or_default();
            let message = format!("{}{place}", panic.payload_as_str().unwrap_or("no message"));
            let quiet = QUIET.try_with(|quiet| match &mut *quiet.borrow_mut() {
                Some(told) => {
                    *told = Some(message);
                    true
                }
                None => false,
            });
            if !quiet.unwrap_or(false) {
                before(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_by_its_message_and_its_place() {
        assert_eq!(caught(|| 3), Ok(3));
        let starts = |found: Result<u8, String>, expected: &str| {
            let told = found.unwrap_err();
            assert!(told.starts_with(expected) && told.contains("caught.rs:"), "{told}");
        };
        starts(caught(|| panic!("plain")), "plain (");
        starts(caught(|| panic!("with {}", 2)), "with 2 (");
        starts(caught(|| std::panic::panic_any(7)), "no message (");
        starts(caught(|| caught(|| panic!("inner")).unwrap_or_else(|_| panic!("outer"))), "outer (");
    }
}
