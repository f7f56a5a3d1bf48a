//! Checkpoints: weights, optimizer, config and position, swapped in whole.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backproof_data::sha256;
use backproof_models::{Network, load_weights, save_weights};
use backproof_spec::{DataSets, Experiment, Training};
use burn::optim::ModuleOptimizer;
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};

use crate::early_stopping::{EndedEarly, Watched};
use crate::files::{check_version, replace_folder, swapped_folder, write_json, write_whole};
use crate::moving::Moving;
use crate::report::Window;
use crate::{TrainError, files};

/// The version of `state.json`. 2 added the config; since 3 the config's `engine = "manual"` means tensors, and
/// `"compiled"` the plan of CPU kernels. `tests/fixtures/runs` keeps a run of each.
const SCHEMA: u32 = 3;
const WEIGHTS: &str = "weights.safetensors";
const OPTIMIZER: &str = "optimizer.bpk";
const CONFIG: &str = "config.toml";
const STATE: &str = "state.json";
/// The weights of the best epoch, where the run is to end with them.
const BEST_EPOCH: &str = "best_epoch.safetensors";
/// The moving average of the weights, where there is one.
const AVERAGE: &str = "average.safetensors";
/// The slow weights of Lookahead, where it is asked for.
const SLOW: &str = "slow.safetensors";

/// What a checkpoint keeps of a [`Trainer`](crate::Trainer).
pub(crate) struct Kept {
    pub(crate) network: Network,
    pub(crate) optimizer: ModuleOptimizer,
    /// The moving average of the weights.
    pub(crate) average: Option<Network>,
    /// The slow weights of Lookahead.
    pub(crate) slow: Option<Network>,
}

/// One of the checkpoints that a run keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointName {
    /// The newest, saved every `training.checkpoint_every` iterations, when the run is stopped, and at its end.
    Last,
    /// Of the best validation.
    Best,
}

impl CheckpointName {
    /// `last` or `best`, which is also the name of its folder.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Best => "best",
        }
    }
}

/// Where a run is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Iterations done.
    pub(crate) iteration: usize,
    /// The best validation so far.
    pub(crate) best: Option<Best>,
    /// Sums since the last report.
    pub(crate) window: Window,
    /// Seconds of training so far.
    pub(crate) seconds: f64,
    /// What early stopping has seen, in a run that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) watched: Option<Watched>,
    /// The weights of its best epoch, a safetensors file, in a run that is to end with them. A checkpoint has them in a
    /// file of their own.
    #[serde(skip)]
    pub(crate) best_epoch: Option<Arc<Vec<u8>>>,
    /// The moving averages, in a run that reports them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moving: Option<Moving>,
}

impl Position {
    /// Why a run ends here, if early stopping ends it.
    pub(crate) fn ended_early(&self, training: &Training) -> Option<EndedEarly> {
        self.watched.as_ref()?.end(training.early_stopping.as_ref()?, self.iteration)
    }

    /// The iteration whose weights a run that is over here ends with, if those are not its last ones.
    pub(crate) fn restored(&self) -> Option<usize> {
        let best = self.watched.as_ref()?.best_iteration();
        (self.best_epoch.is_some() && best != self.iteration).then_some(best)
    }

    /// The last iteration whose report can have been made. Making one empties the window, so where there is something
    /// in it the report of this iteration was not made: none was due, or the run was stopped in its validation.
    pub(crate) fn reported(&self) -> usize {
        self.iteration.saturating_sub(usize::from(self.window.images > 0))
    }
}

/// The best validation of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Best {
    pub(crate) iteration: usize,
    pub(crate) validation_accuracy: f64,
}

/// `state.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    schema_version: u32,
    /// SHA-256 of the other files.
    weights_sha256: String,
    optimizer_sha256: String,
    /// From version 2 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    config_sha256: Option<String>,
    /// Of the weights of the best epoch, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    best_epoch_sha256: Option<String>,
    /// Of the moving average of the weights, and of the slow ones, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    average_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slow_sha256: Option<String>,
    /// The iteration of the best epoch, where the run is over and has ended with those weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restored: Option<usize>,
    position: Position,
}

/// A checkpoint folder, `checkpoints/last` or `checkpoints/best`.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    folder: PathBuf,
}

impl Checkpoint {
    pub(crate) fn new(run: &Path, name: CheckpointName) -> Self {
        Self { folder: run.join("checkpoints").join(name.name()) }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether there is a `state.json`, be it one that cannot be read: reading it then says why.
    pub(crate) fn exists(&self) -> bool {
        let state = fs::symlink_metadata(swapped_folder(&self.folder).join(STATE));
        state.map_or_else(|error| error.kind() != ErrorKind::NotFound, |_| true)
    }

    /// Whether there is anything, be it a folder that lost its `state.json`, or one that this user may not look at: the
    /// run must not begin again over a checkpoint.
    pub(crate) fn is_there(&self) -> bool {
        swapped_folder(&self.folder).try_exists().unwrap_or(true)
    }

    /// Takes the place of the checkpoint before; refuses weights that are not finite, so that the one before stays.
    /// `restored` is the iteration of the best epoch in the last checkpoint of a run that ends with its weights.
    pub(crate) fn save(
        &self,
        kept: &Kept,
        experiment: &Experiment,
        position: &Position,
        restored: Option<usize>,
    ) -> Result<(), TrainError> {
        let weights = save_weights(&kept.network)?;
        let average = kept.average.as_ref().map(save_weights).transpose()?;
        let slow = kept.slow.as_ref().map(save_weights).transpose()?;
        let optimizer = kept
            .optimizer
            .into_bytes()
            .map_err(|error| TrainError::write(&self.folder, std::io::Error::other(error.to_string())))?;
        let config = experiment.to_toml();
        replace_folder(&self.folder, |folder| {
            write_whole(&folder.join(WEIGHTS), &weights)?;
            write_whole(&folder.join(OPTIMIZER), &optimizer)?;
            write_whole(&folder.join(CONFIG), config.as_bytes())?;
            for (name, copy) in
                [(BEST_EPOCH, position.best_epoch.as_deref()), (AVERAGE, average.as_ref()), (SLOW, slow.as_ref())]
            {
                copy.map_or(Ok(()), |copy| write_whole(&folder.join(name), copy))?;
            }
            let state = State {
                schema_version: SCHEMA,
                weights_sha256: sha256(&weights),
                optimizer_sha256: sha256(&optimizer),
                config_sha256: Some(sha256(config.as_bytes())),
                best_epoch_sha256: position.best_epoch.as_deref().map(|weights| sha256(weights)),
                average_sha256: average.as_deref().map(sha256),
                slow_sha256: slow.as_deref().map(sha256),
                restored,
                position: position.clone(),
            };
            write_json(&folder.join(STATE), &state)
        })
    }

    /// The safetensors file with the weights to evaluate, and the iteration that it is of: of a run that ended with the
    /// weights of its best epoch, that; the moving average of the weights, where there is one.
    pub(crate) fn weights(&self) -> Result<(Vec<u8>, usize), TrainError> {
        let (_, weights, iteration) = self.weights_at()?;
        Ok((weights, iteration))
    }

    /// The network with [`weights`](Self::weights), and their iteration.
    pub(crate) fn load_weights(&self, network: Network) -> Result<(Network, usize), TrainError> {
        let (path, weights, iteration) = self.weights_at()?;
        let (network, _) = load_weights(network, &weights, &[]).map_err(|error| TrainError::weights(&path, error))?;
        Ok((network, iteration))
    }

    fn weights_at(&self) -> Result<(PathBuf, Vec<u8>, usize), TrainError> {
        let (folder, state) = self.state()?;
        let (name, sum, iteration) = match (&state.best_epoch_sha256, state.restored) {
            (Some(sum), Some(restored)) => (BEST_EPOCH, sum, restored),
            _ => match &state.average_sha256 {
                Some(sum) => (AVERAGE, sum, state.position.iteration),
                None => (WEIGHTS, &state.weights_sha256, state.position.iteration),
            },
        };
        let path = folder.join(name);
        let weights = read_checked(&path, sum)?;
        Ok((path, weights, iteration))
    }

    /// The network with the weights that this checkpoint was saved with, and its position, to go on from.
    pub(crate) fn load_network(&self, network: Network) -> Result<(Network, Position), TrainError> {
        let (folder, mut state) = self.state()?;
        let path = folder.join(WEIGHTS);
        let weights = read_checked(&path, &state.weights_sha256)?;
        let (network, _) = load_weights(network, &weights, &[]).map_err(|error| TrainError::weights(&path, error))?;
        if let Some(sum) = &state.best_epoch_sha256 {
            state.position.best_epoch = Some(Arc::new(read_checked(&folder.join(BEST_EPOCH), sum)?));
        }
        Ok((network, state.position))
    }

    /// The copies of the weights of `network` that this checkpoint was saved with: the moving average and the slow ones.
    pub(crate) fn load_copies(&self, network: &Network) -> Result<[Option<Network>; 2], TrainError> {
        let (folder, state) = self.state()?;
        let load = |name: &str, sum: &Option<String>| {
            let Some(sum) = sum else { return Ok(None) };
            let path = folder.join(name);
            let weights = read_checked(&path, sum)?;
            let loaded = load_weights(network.clone(), &weights, &[]);
            loaded.map(|(network, _)| Some(network)).map_err(|error| TrainError::weights(&path, error))
        };
        Ok([load(AVERAGE, &state.average_sha256)?, load(SLOW, &state.slow_sha256)?])
    }

    /// Where the run was when this checkpoint was saved.
    pub(crate) fn position(&self) -> Result<Position, TrainError> {
        Ok(self.state()?.1.position)
    }

    /// The iteration of this checkpoint, where all its files are what was saved.
    pub(crate) fn sound(&self) -> Option<usize> {
        let (folder, state) = self.state().ok()?;
        let files = [(WEIGHTS, &state.weights_sha256), (OPTIMIZER, &state.optimizer_sha256)];
        let those_that_may_be = [
            (CONFIG, &state.config_sha256),
            (BEST_EPOCH, &state.best_epoch_sha256),
            (AVERAGE, &state.average_sha256),
            (SLOW, &state.slow_sha256),
        ];
        let there = those_that_may_be.into_iter().filter_map(|(name, sum)| Some((name, sum.as_ref()?)));
        let sound = files.into_iter().chain(there).all(|(name, sum)| read_checked(&folder.join(name), sum).is_ok());
        sound.then_some(state.position.iteration)
    }

    /// The optimizer with this checkpoint's state.
    pub(crate) fn load_optimizer(&self, optimizer: ModuleOptimizer) -> Result<ModuleOptimizer, TrainError> {
        let (folder, state) = self.state()?;
        let path = folder.join(OPTIMIZER);
        let bytes = read_checked(&path, &state.optimizer_sha256)?;
        optimizer
            .from_bytes(Bytes::from_bytes_vec(bytes))
            .map_err(|error| TrainError::damaged(&path, format!("cannot be read ({error})"), "an optimizer record"))
    }

    /// The config that the run had when this checkpoint was saved, as it was written; `None` in one of version 1.
    pub(crate) fn experiment(&self) -> Result<Option<Experiment>, TrainError> {
        let (folder, state) = self.state()?;
        let Some(expected) = &state.config_sha256 else { return Ok(None) };
        let path = folder.join(CONFIG);
        let bytes = read_checked(&path, expected)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(Some(Experiment::from_toml(&path.display().to_string(), &text, &[], &DataSets::any())?))
    }

    fn state(&self) -> Result<(PathBuf, State), TrainError> {
        let folder = swapped_folder(&self.folder);
        let path = folder.join(STATE);
        let text = files::read_text(&path).map_err(|error| TrainError::read(&path, error))?;
        check_version(&path, &text, SCHEMA)?;
        let state: State = serde_json::from_str(&text)
            .map_err(|error| TrainError::damaged(&path, format!("cannot be read ({error})"), "a checkpoint's state"))?;
        Ok((folder, state))
    }
}

fn read_checked(path: &Path, expected: &str) -> Result<Vec<u8>, TrainError> {
    let bytes = files::read(path).map_err(|error| TrainError::read(path, error))?;
    let found = sha256(&bytes);
    if found != expected {
        return Err(TrainError::damaged(
            path,
            format!("has the SHA-256 {found}"),
            format!("{expected}, as its state.json says: the file was changed or cut"),
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
