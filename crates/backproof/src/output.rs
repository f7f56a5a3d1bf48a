//! Lines on stdout and stderr that do not end the program where they cannot be written.
//!
//! The standard `println!` panics when nobody reads (`train | head`) or the disk is full, which would end a run in the
//! middle of a step. The macros here have the same names, take their place in this package, and go on: a reader who has
//! gone is no failure, and anything else is one that [`failed`] remembers for the exit code.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static FAILED: AtomicBool = AtomicBool::new(false);

/// Whether something could not be written to stdout, for another reason than that nobody reads it.
pub fn failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}

/// Writes to stdout and brings it there. What `println!` here calls.
pub fn out(text: Arguments<'_>) {
    let mut stdout = io::stdout().lock();
    let Err(error) = stdout.write_fmt(text).and_then(|()| stdout.flush()) else { return };
    if error.kind() != ErrorKind::BrokenPipe && !FAILED.swap(true, Ordering::Relaxed) {
        err(format_args!("error: cannot write to stdout\n  caused by: {error}\n"));
    }
}

/// Writes to stderr. What `eprintln!` here calls.
pub fn err(text: Arguments<'_>) {
    // There is no other place to say that it failed.
    let _ = io::stderr().lock().write_fmt(text);
}

/// As the standard one, without its panics.
#[macro_export]
macro_rules! print {
    ($($text:tt)*) => { $crate::output::out(::std::format_args!($($text)*)) };
}

/// As the standard one, without its panics.
#[macro_export]
macro_rules! println {
    ($($text:tt)*) => { $crate::output::out(::std::format_args!("{}\n", ::std::format_args!($($text)*))) };
}

/// As the standard one, without its panics.
#[macro_export]
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::output::err(::std::format_args!("{}\n", ::std::format_args!($($text)*))) };
}
