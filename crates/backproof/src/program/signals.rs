//! What stops a run from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use backproof::cli;
use backproof::error::code;

/// A flag that a signal raises and, where that is asked for, the end of stdin.
pub(crate) fn stop_when_told(supervision: &cli::Supervision) -> anyhow::Result<Arc<AtomicBool>> {
    let stop = stop_on_signal()?;
    if supervision.stop_with_stdin {
        let raised = stop.clone();
        std::thread::spawn(move || {
            // Whatever is said there says nothing; only the end does.
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            raised.store(true, Ordering::Relaxed);
        });
    }
    Ok(stop)
}

/// A flag that the first SIGINT or SIGTERM raises; the second one ends the process at once.
pub(crate) fn stop_on_signal() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = stop.clone();
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(code::INTERRUPTED));
        }
    })
    .context("cannot listen for interrupts")?;
    Ok(stop)
}
