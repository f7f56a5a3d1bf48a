//! Faults put into runs from outside, and what survives them. `docs/RELIABILITY.md` has the table. Faults that a
//! machine may not allow are in `tests/machine`.
//!
//! `BACKPROOF_TEST_KILLS=1000 cargo test --release --workspace --test reliability kill` kills 1,000 times over all
//! kinds of runs and sweeps; without it 25 times.

mod checkpoints;
mod environments;
mod interruption;
mod kills;
mod numbers;
mod random;
mod reading;
#[cfg(target_os = "linux")]
mod sweep_kills;
