//! What `bench` and the processes that it measures say to each other: JSON lines on the process's stdin and stdout.
//!
//! ```text
//! to    {"architecture": …, "batch": 16, "pass": "training", "variant": "compiled", "threads": 2, "seconds": 0.5}
//! from  {"ready": {"software": "Burn 0.22.1"}}      or {"unavailable": REASON}, or {"error": REASON, "help": WAY OUT}
//! to    go
//! from  {"steps": 170, "seconds": 0.501}
//! …     until the process's stdin ends
//! ```
//!
//! The process builds its network and warms up before it is ready, and does nothing between two turns.

use backproof_spec::Architecture;
use serde::{Deserialize, Serialize};

/// What a process is to measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Task {
    /// The network.
    pub(crate) architecture: Architecture,
    /// Images in a batch.
    pub(crate) batch: usize,
    /// `training` or `inference`.
    pub(crate) pass: String,
    /// An engine's name, or what the peer calls one of its ways.
    pub(crate) variant: String,
    /// Threads to use.
    pub(crate) threads: usize,
    /// The least time of a turn.
    pub(crate) seconds: f64,
}

/// A process that is ready.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// What it computes with, and the version.
    pub(crate) software: String,
    /// The instruction set that it found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instructions: Option<String>,
}

/// One turn: whole steps, and the time that they took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Round {
    pub(crate) steps: u64,
    pub(crate) seconds: f64,
}

impl Round {
    /// Seconds of a step.
    pub(crate) fn per_step(self) -> f64 {
        self.seconds / self.steps as f64
    }
}

/// A line from a process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Ready {
        ready: Ready,
    },
    /// This variant does not exist on this machine; others may.
    Unavailable {
        unavailable: String,
    },
    /// Nothing of this program can be measured.
    Error {
        error: String,
        #[serde(default)]
        help: Option<String>,
    },
    Round(Round),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(line: &str) -> Answer {
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn each_answer_is_told_by_its_keys() {
        let ready = Ready { software: "PyTorch 2".to_owned(), instructions: Some("AVX2".to_owned()) };
        assert_eq!(answer(r#"{"ready": {"software": "PyTorch 2", "instructions": "AVX2"}}"#), Answer::Ready { ready });
        assert_eq!(answer(r#"{"steps": 4, "seconds": 0.5}"#), Answer::Round(Round { steps: 4, seconds: 0.5 }));
        assert_eq!(answer(r#"{"unavailable": "no"}"#), Answer::Unavailable { unavailable: "no".to_owned() });
        assert_eq!(answer(r#"{"error": "no"}"#), Answer::Error { error: "no".to_owned(), help: None });
        assert!(serde_json::from_str::<Answer>(r#"{"steps": 4}"#).is_err());
    }

    #[test]
    fn a_step_takes_its_share_of_the_turn() {
        assert_eq!(Round { steps: 4, seconds: 0.5 }.per_step(), 0.125);
    }
}
