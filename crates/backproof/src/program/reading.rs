//! A bar while the images of a folder are read or written.

use std::io::IsTerminal;

use backproof_train::Observer;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What shows how many images are read or written: a bar on a terminal, and one line at the begin otherwise. Nothing
/// before it is told of the first one.
pub(crate) struct ImagesBar {
    doing: &'static str,
    bar: Option<ProgressBar>,
}

impl ImagesBar {
    pub(crate) fn reading() -> Self {
        Self { doing: "reading", bar: None }
    }

    pub(crate) fn writing() -> Self {
        Self { doing: "writing", bar: None }
    }

    /// Shows that `done` of `total` images are done.
    #[allow(clippy::print_stderr)] // progress goes to stderr
    pub(crate) fn show(&mut self, done: usize, total: usize) {
        let shown = self.bar.get_or_insert_with(|| {
            if !std::io::stderr().is_terminal() {
                eprintln!("{} {}", self.doing, backproof_spec::counted(total, "image"));
                return ProgressBar::hidden();
            }
            let template = "{msg} images {bar:36} {human_pos} of {human_len}  {eta} left";
            let style = ProgressStyle::with_template(template).expect("the template is constant").progress_chars("━╸─");
            ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr_with_hz(10))
                .with_style(style)
                .with_message(self.doing)
        });
        shown.set_position(done as u64);
        if done == total {
            self.clear();
        }
    }

    /// Takes the bar off the terminal: what is written next begins a line.
    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Observer for ImagesBar {
    fn reading(&mut self, done: usize, total: usize) {
        self.show(done, total);
    }
}

impl Drop for ImagesBar {
    fn drop(&mut self) {
        self.clear();
    }
}
