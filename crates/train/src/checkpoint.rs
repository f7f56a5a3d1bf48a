//! Checkpoints: weights, optimizer and position, swapped in whole.

use std::fs;
use std::path::{Path, PathBuf};

use backproof_data::sha256;
use backproof_models::{Network, WeightsError, load_weights, save_weights};
use burn::optim::ModuleOptimizer;
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::files::{replace_folder, swapped_folder, write_json, write_whole};
use crate::report::Window;

/// The version of `state.json`.
const SCHEMA: u32 = 1;
const WEIGHTS: &str = "weights.safetensors";
const OPTIMIZER: &str = "optimizer.bpk";
const STATE: &str = "state.json";

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
    /// SHA-256 of the other two files.
    weights_sha256: String,
    optimizer_sha256: String,
    position: Position,
}

/// A checkpoint folder, `checkpoints/last` or `checkpoints/best`.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    folder: PathBuf,
}

impl Checkpoint {
    pub(crate) fn new(run: &Path, name: &str) -> Self {
        Self { folder: run.join("checkpoints").join(name) }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn exists(&self) -> bool {
        swapped_folder(&self.folder).join(STATE).is_file()
    }

    /// Takes the place of the checkpoint before; refuses weights that are not finite, so that the one before stays.
    pub(crate) fn save(
        &self,
        network: &Network,
        optimizer: &ModuleOptimizer,
        position: &Position,
    ) -> Result<(), TrainError> {
        let weights = save_weights(network)?;
        let optimizer = optimizer
            .into_bytes()
            .map_err(|error| TrainError::write(&self.folder, std::io::Error::other(error.to_string())))?;
        replace_folder(&self.folder, |folder| {
            write_whole(&folder.join(WEIGHTS), &weights)?;
            write_whole(&folder.join(OPTIMIZER), &optimizer)?;
            let state = State {
                schema_version: SCHEMA,
                weights_sha256: sha256(&weights),
                optimizer_sha256: sha256(&optimizer),
                position: position.clone(),
            };
            write_json(&folder.join(STATE), &state)
        })
    }

    /// The safetensors file, and the iteration that it is of.
    pub(crate) fn weights(&self) -> Result<(Vec<u8>, usize), TrainError> {
        let (folder, state) = self.state()?;
        let weights = read_checked(&folder.join(WEIGHTS), &state.weights_sha256)?;
        Ok((weights, state.position.iteration))
    }

    /// The network with this checkpoint's weights, and its position.
    pub(crate) fn load_network(&self, network: Network) -> Result<(Network, Position), TrainError> {
        let (folder, state) = self.state()?;
        let path = folder.join(WEIGHTS);
        let weights = read_checked(&path, &state.weights_sha256)?;
        let network = load_weights(network, &weights).map_err(|error| match error {
            WeightsError::Format(_) => TrainError::damaged(&path, "is no safetensors file", "weights"),
            error => error.into(),
        })?;
        Ok((network, state.position))
    }

    /// Where the run was when this checkpoint was saved.
    pub(crate) fn position(&self) -> Result<Position, TrainError> {
        Ok(self.state()?.1.position)
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

    fn state(&self) -> Result<(PathBuf, State), TrainError> {
        let folder = swapped_folder(&self.folder);
        let path = folder.join(STATE);
        let text = fs::read_to_string(&path).map_err(|error| TrainError::read(&path, error))?;
        let state: State = serde_json::from_str(&text)
            .map_err(|error| TrainError::damaged(&path, format!("cannot be read ({error})"), "a checkpoint's state"))?;
        if state.schema_version != SCHEMA {
            return Err(TrainError::damaged(
                &path,
                format!("has schema version {}", state.schema_version),
                format!("version {SCHEMA}, which this program reads"),
            ));
        }
        Ok((folder, state))
    }
}

fn read_checked(path: &Path, expected: &str) -> Result<Vec<u8>, TrainError> {
    let bytes = fs::read(path).map_err(|error| TrainError::read(path, error))?;
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
