//! The figures: what was measured, and what follows from it.

use std::collections::BTreeSet;

use backproof_report::median;
use backproof_spec::Architecture;
use backproof_train::BURN_VERSION;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::contender::Contender;
use crate::machine::Machine;
use crate::peak::Peak;
use crate::protocol::{Ready, Round};
use crate::{Pass, Program, Request};

/// The version of the file's keys.
const SCHEMA: u32 = 1;

/// `results.json` of single steps.
#[derive(Debug, Clone, Serialize)]
pub struct Results {
    pub(crate) schema_version: u32,
    pub(crate) setting: Setting,
    /// The least time of a round.
    pub(crate) seconds: f64,
    pub(crate) peak: Peak,
    /// One for each network, batch size, pass and contender; what belongs together stands together.
    pub(crate) cells: Vec<Cell>,
    /// What could not be measured here.
    pub(crate) unavailable: Vec<Unavailable>,
}

/// On what and by what it was measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Setting {
    /// UTC, RFC 3339.
    pub(crate) date: String,
    pub(crate) command_line: Vec<String>,
    pub(crate) git_revision: Option<String>,
    pub(crate) machine: Machine,
    /// The system's load over the minute before, if it says so.
    pub(crate) load_before: Option<f64>,
    pub(crate) threads: usize,
    /// The instruction set that all were held to.
    pub(crate) isa: Option<String>,
    pub(crate) rounds: usize,
    /// Name and version of everything that computes, and of the compiler.
    pub(crate) software: Vec<String>,
}

/// One contender on one piece of work.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Cell {
    pub(crate) model: String,
    pub(crate) batch: usize,
    pub(crate) pass: String,
    /// `backproof` or `pytorch`.
    pub(crate) program: String,
    pub(crate) variant: String,
    pub(crate) software: String,
    pub(crate) instructions: Option<String>,
    /// Products of convolutions and linear layers, as `backproof_spec::Flops` counts them.
    pub(crate) flops_per_image: u64,
    pub(crate) rounds: Vec<Round>,
    /// The median over the rounds.
    pub(crate) seconds_per_step: f64,
    pub(crate) images_per_second: f64,
    pub(crate) gflops_per_second: f64,
    pub(crate) share_of_peak: f64,
    /// The process's largest resident set; of a compiled variant the compiler is in it.
    pub(crate) peak_memory_bytes: Option<u64>,
    /// Its speed over that of the fastest peer on the same work; above 1 is faster.
    pub(crate) speed_over_peer: Option<f64>,
}

/// A variant that does not exist on this machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Unavailable {
    pub(crate) model: String,
    pub(crate) batch: usize,
    pub(crate) pass: String,
    pub(crate) contender: String,
    pub(crate) reason: String,
}

impl Setting {
    /// What holds for every figure of this command; `software` is what the measured processes said they are.
    pub(crate) fn here(
        request: &Request,
        program: &Program,
        threads: usize,
        load_before: Option<f64>,
        software: BTreeSet<String>,
    ) -> Self {
        let mut all: Vec<String> = vec![format!("backproof {}", env!("CARGO_PKG_VERSION"))];
        let burn = format!("Burn {BURN_VERSION}");
        all.push(burn.clone());
        all.extend(software.into_iter().filter(|name| *name != burn));
        all.push(env!("BACKPROOF_RUSTC").to_owned());
        Self {
            date: OffsetDateTime::now_utc().truncate_to_second().format(&Rfc3339).expect("UTC has an RFC 3339 form"),
            command_line: program.command_line.clone(),
            git_revision: program.git_revision.clone(),
            machine: Machine::here(),
            load_before,
            threads,
            isa: request.isa.clone(),
            rounds: request.rounds.get(),
            software: all,
        }
    }

    /// What to say where other programs ran too: with as much as half a core taken, threads wait for each other.
    pub(crate) fn disturbance(&self) -> Option<String> {
        let load = self.load_before.filter(|load| *load >= 0.5)?;
        Some(format!(
            "other programs ran before this began, a load of {load:.1}: figures may be far too low, and those with more threads most"
        ))
    }
}

impl Results {
    pub(crate) fn new(
        setting: Setting,
        seconds: f64,
        peak: Peak,
        cells: Vec<Cell>,
        unavailable: Vec<Unavailable>,
    ) -> Self {
        Self { schema_version: SCHEMA, setting, seconds, peak, cells, unavailable }
    }
}

impl Cell {
    #[allow(clippy::too_many_arguments)] // each is a fact of the measurement
    pub(crate) fn new(
        network: &Architecture,
        batch: usize,
        pass: Pass,
        contender: Contender,
        ready: Ready,
        flops_per_image: u64,
        rounds: Vec<Round>,
        peak: f64,
        peak_memory_bytes: Option<u64>,
    ) -> Self {
        let times: Vec<f64> = rounds.iter().map(|round| round.per_step()).collect();
        let seconds_per_step = median(&times).expect("there is at least one round");
        let images_per_second = batch as f64 / seconds_per_step;
        let gflops_per_second = flops_per_image as f64 * images_per_second / 1e9;
        Self {
            model: network.name.clone(),
            batch,
            pass: pass.name().to_owned(),
            program: contender.program().to_owned(),
            variant: contender.variant().to_owned(),
            software: ready.software,
            instructions: ready.instructions,
            flops_per_image,
            rounds,
            seconds_per_step,
            images_per_second,
            gflops_per_second,
            share_of_peak: gflops_per_second / peak,
            peak_memory_bytes,
            speed_over_peer: None,
        }
    }

    pub(crate) fn is_peer(&self) -> bool {
        self.program != "backproof"
    }
}

/// Gives each cell of one piece of work its speed over the fastest peer's, where there is a peer.
pub(crate) fn compare(cells: &mut [Cell]) {
    let fastest = cells.iter().filter(|cell| cell.is_peer()).map(|cell| cell.seconds_per_step).min_by(f64::total_cmp);
    for cell in cells {
        cell.speed_over_peer = fastest.map(|fastest| fastest / cell.seconds_per_step);
    }
}
