//! A bar while the images of a folder are read or written.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar of what is in progress. A process does it with one folder at a time.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Shows that `done` of `total` images are read or written, which is called `doing`: a bar on a terminal, and one line at the begin otherwise.
#[allow(clippy::print_stderr)] // progress goes to stderr
pub(crate) fn show(doing: &'static str, done: usize, total: usize) {
    let mut bar = BAR.lock().unwrap_or_else(PoisonError::into_inner);
    let shown = bar.get_or_insert_with(|| {
        if !std::io::stderr().is_terminal() {
            eprintln!("{doing} {}", backproof_spec::counted(total, "image"));
            return ProgressBar::hidden();
        }
        let template = "{msg} images {bar:36} {human_pos} of {human_len}  {eta} left";
        let style = ProgressStyle::with_template(template).expect("the template is constant").progress_chars("━╸─");
        ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr_with_hz(10))
            .with_style(style)
            .with_message(doing)
    });
    shown.set_position(done as u64);
    if done == total
        && let Some(bar) = bar.take()
    {
        bar.finish_and_clear();
    }
}
