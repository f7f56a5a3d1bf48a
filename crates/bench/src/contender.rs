//! What is measured: engines of ours, and the ways in which a peer does the same.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use backproof_spec::{Architecture, LayerSpec};
use tempfile::TempDir;

use crate::{BenchEngine, Request};

/// The scripts of the peer. They are part of the program, so that it needs no checkout.
const SCRIPTS: [(&str, &str); 4] = [
    ("network.py", include_str!("../../../tests/pytorch/network.py")),
    ("protocol.py", include_str!("../../../bench/peers/protocol.py")),
    ("pytorch.py", include_str!("../../../bench/peers/pytorch.py")),
    ("whole_run.py", include_str!("../../../bench/peers/whole_run.py")),
];

/// The ways of PyTorch that compute what they are asked for at once, and those that compile it before.
pub(crate) const EAGER: [&str; 2] = ["eager", "eager-channels-last"];
const COMPILED: [&str; 2] = ["compile", "compile-channels-last"];

/// One that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    Ours(BenchEngine),
    /// PyTorch, by what its script calls a variant.
    PyTorch(&'static str),
}

impl Contender {
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Ours(_) => "backproof",
            Self::PyTorch(_) => "pytorch",
        }
    }

    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::Ours(engine) => engine.name(),
            Self::PyTorch(variant) => variant,
        }
    }

    /// Whether a compiler of the peer's makes its code, which works on some machines and networks, and on others not.
    pub(crate) fn is_compiled(self) -> bool {
        matches!(self, Self::PyTorch(variant) if COMPILED.contains(&variant))
    }

    /// `backproof compiled`.
    pub(crate) fn name(self) -> String {
        format!("{} {}", self.program(), self.variant())
    }
}

/// All that a network is measured by, ours first.
pub(crate) fn contenders(request: &Request, network: &Architecture) -> Vec<Contender> {
    let mut all: Vec<Contender> = request.engines().into_iter().map(Contender::Ours).collect();
    if request.peer.is_some() {
        // Without a convolution there is no memory format to choose.
        let formats =
            if network.all_layers().into_iter().any(|layer| matches!(layer, LayerSpec::Conv2d(_))) { 2 } else { 1 };
        all.extend([EAGER, COMPILED].iter().flat_map(|variants| &variants[..formats]).map(|v| Contender::PyTorch(v)));
    }
    all
}

/// Starts this program, which lies at `program`, with plain output and without the variables of our own flags, which it
/// would take for flags of its command. The variables for the log and the instruction set are no flags, and stay.
pub fn own_command(program: &Path) -> Command {
    const KEPT: [&str; 2] = ["BACKPROOF_LOG", "BACKPROOF_KERNELS"];
    let mut command = Command::new(program);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(&mut command, "backproof");
    for (variable, _) in std::env::vars_os() {
        let text = variable.to_string_lossy();
        if text.starts_with("BACKPROOF_") && !KEPT.contains(&&*text) {
            command.env_remove(variable);
        }
    }
    command.env("NO_COLOR", "1");
    command
}

/// How each program is started: all on the same threads and the same instruction set.
pub(crate) struct Launcher {
    program: PathBuf,
    python: PathBuf,
    /// The peer's scripts, for as long as this lives.
    scripts: TempDir,
    pub(crate) threads: usize,
    isa: Option<String>,
    peer_isa: Option<[&'static str; 3]>,
}

impl Launcher {
    pub(crate) fn new(request: &Request, program: PathBuf) -> anyhow::Result<Self> {
        let scripts = tempfile::tempdir().context("cannot make a temporary folder")?;
        for (name, text) in SCRIPTS {
            std::fs::write(scripts.path().join(name), text).context("cannot write the peer's script")?;
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            program,
            python: request.python.clone(),
            scripts,
            threads: request.threads.map_or(cores, usize::from),
            isa: request.isa.clone(),
            peer_isa: request.instruction_set()?,
        })
    }

    /// The process that does `contender`'s steps.
    pub(crate) fn steps(&self, contender: Contender) -> Command {
        match contender {
            Contender::Ours(_) => self.ours("bench-worker"),
            Contender::PyTorch(_) => self.script("pytorch.py"),
        }
    }

    /// This program with the command `name`.
    pub(crate) fn ours(&self, name: &str) -> Command {
        let mut command = own_command(&self.program);
        command.arg(name).env("RAYON_NUM_THREADS", self.threads.to_string());
        if let Some(isa) = &self.isa {
            command.env("BACKPROOF_KERNELS", isa);
        }
        command
    }

    /// A script of the peer.
    pub(crate) fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(self.scripts.path().join(name));
        for variable in ["OMP_NUM_THREADS", "MKL_NUM_THREADS"] {
            command.env(variable, self.threads.to_string());
        }
        if let Some([torch, one_dnn, mkl]) = self.peer_isa {
            command.env("ATEN_CPU_CAPABILITY", torch);
            command.env("ONEDNN_MAX_CPU_ISA", one_dnn);
            command.env("MKL_ENABLE_INSTRUCTIONS", mkl);
        }
        command
    }
}
