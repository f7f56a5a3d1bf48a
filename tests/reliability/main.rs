//! Faults put into runs from outside, and what survives them. `docs/RELIABILITY.md` has the table. Faults that a
//! machine may not allow are in `tests/machine`.
//!
//! `BACKPROOF_TEST_KILLS=200 cargo test --release --workspace --test reliability kills` kills 200 times; without it a
//! few times.

mod checkpoints;
mod environments;
mod interruption;
mod kills;
mod numbers;
