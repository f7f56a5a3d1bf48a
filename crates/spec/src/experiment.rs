//! The whole of an experiment: everything that a run is a function of.

use serde::{Deserialize, Serialize};

use crate::unset::is_default;
use crate::{Architecture, Data, Loss, Optimizer, Views};

/// One experiment, every default filled in and every value checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// What it is called; its runs lie in `runs/<name>/`.
    pub name: String,
    /// The one seed from which everything random comes.
    pub seed: u64,
    /// How gradients are computed, and on what.
    pub engine: Engine,
    /// Whether our own CPU kernels take part under [`Engine::Autodiff`].
    pub kernels: Kernels,
    /// What it trains on.
    pub data: Data,
    /// The network.
    pub model: Architecture,
    /// Where its first weights come from, in place of random ones.
    pub warm_start: Option<WarmStart>,
    /// How weights are updated.
    pub optimizer: Optimizer,
    /// How long, and what is reported when.
    pub training: Training,
    /// The views of an image whose logits validation, test and prediction average.
    #[serde(default, skip_serializing_if = "is_default")]
    pub views: Views,
    /// Test images of which a run keeps where its network looks; 0 for none.
    #[serde(default = "Experiment::explained_images", skip_serializing_if = "Experiment::is_explained_images")]
    pub explained_images: usize,
    /// Whether the network's gradients are held against finite differences before the first iteration.
    #[serde(default, skip_serializing_if = "is_default")]
    pub check_gradients: bool,
    /// What the outcome should be, if that is said.
    pub expect: Option<Expect>,
}

impl Experiment {
    /// [`explained_images`](Self::explained_images) where a config does not say.
    pub const EXPLAINED_IMAGES: usize = 6;

    fn explained_images() -> usize {
        Self::EXPLAINED_IMAGES
    }

    fn is_explained_images(images: &usize) -> bool {
        *images == Self::EXPLAINED_IMAGES
    }
}

/// How gradients are computed, and on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// By Burn's automatic differentiation, on every backend.
    #[default]
    Autodiff,
    /// By the derived backward passes, layer by layer, on tensors of every backend.
    Manual,
    /// By the derived backward passes, as one plan of CPU kernels in single precision.
    Compiled,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Self; 3] = [Self::Autodiff, Self::Manual, Self::Compiled];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Autodiff => "autodiff",
            Self::Manual => "manual",
            Self::Compiled => "compiled",
        }
    }
}

/// Whether our own CPU kernels take part under [`Engine::Autodiff`]. The other engines leave no choice:
/// [`Engine::Manual`] runs on tensors alone, and [`Engine::Compiled`] on kernels alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernels {
    /// Where there are kernels: on the CPU backend `flex`, in single precision.
    #[default]
    Auto,
    /// Everything by Burn.
    Off,
}

impl Kernels {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Auto, Self::Off];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Off => "off",
        }
    }
}

/// Weights of an earlier run, or of another program, to begin with: every tensor whose name and shape fit is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmStart {
    /// A run folder, whose final weights are taken, or a weights file; relative to the working folder. A run writes
    /// down the whole path, with links followed.
    pub init_from: String,
    /// Whether what was taken as it is stays so: it is not updated, weight decay included.
    pub freeze: bool,
    /// Whether tensors of another shape give the part that both shapes have.
    pub resize: bool,
}

/// What is made small, for how long, and how often it is reported; lengths in iterations, that is, mini-batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// What is made small.
    pub loss: Loss,
    /// The share of a label that all classes have in equal parts, in [0, 1); with the cross-entropy alone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub label_smoothing: f64,
    /// How much the images of each class count; equally when absent. With the cross-entropy alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
    /// How many updates are made.
    pub iterations: usize,
    /// Images in a mini-batch.
    pub batch_size: usize,
    /// Iterations between two reports of the losses.
    pub report_every: usize,
    /// Iterations between two evaluations on the validation images.
    pub validate_every: usize,
    /// Iterations between two checkpoints.
    pub checkpoint_every: usize,
    /// Iterations between two looks at the layers: gradients, updates, and units that are dead; 0 for none. It changes
    /// no number of the training.
    #[serde(default = "Training::layers_every", skip_serializing_if = "Training::is_layers_every")]
    pub layers_every: usize,
    /// Iterations after which the weights are kept, in increasing order; 0 is before the first one. Those that the run
    /// does not reach are not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<usize>,
    /// Over what the figures of a report are averaged.
    #[serde(default, skip_serializing_if = "is_default")]
    pub averages: Averages,
    /// When the run ends before its last iteration, if it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// The moving average of the weights that is evaluated in their place, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_average: Option<WeightAverage>,
}

impl Training {
    /// [`layers_every`](Self::layers_every) where a config does not say.
    pub const LAYERS_EVERY: usize = 100;

    fn layers_every() -> usize {
        Self::LAYERS_EVERY
    }

    fn is_layers_every(every: &usize) -> bool {
        *every == Self::LAYERS_EVERY
    }
}

/// A moving average of the weights after each iteration, a ← d a + (1 − d) w, which begins at the weights after the
/// first one (Polyak and Juditsky 1992; Izmailov et al. 2018, arXiv:1803.05407). It is evaluated, predicts and is kept
/// as the best; training goes on with the weights themselves. Running statistics are those of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WeightAverage {
    /// d, in [0, 1).
    pub decay: f64,
}

/// How much the images of each class count in the loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// Each class as much as any other: N / (K · n) of a class with n of the N training images, where K classes have
    /// some.
    Balanced,
    /// A weight above 0 for each class, in label order.
    Each(Vec<f64>),
}

/// Over what the figures of a report are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Averages {
    /// Loss and training accuracy over the images since the report before; validation as it is.
    #[default]
    Plain,
    /// The moving averages of the course. Loss, training accuracy and total loss: the mean of the first 20 iterations,
    /// from then on a ← 0.995 a + 0.005 · this iteration's. Validation accuracy: v ← (v + this one) / 2, where v = 0 at
    /// first.
    ///
    /// The course validates every 100 iterations on 10 batches of 16 images. A run here validates as often as
    /// [`validate_every`](Training::validate_every) says, on all validation images.
    Moving,
}

impl Averages {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Moving];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Moving => "moving",
        }
    }

    /// Whether it is the default.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A run ends when what it watches has not improved for some epochs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    /// What is watched. It has one value an epoch.
    pub watch: Watch,
    /// Epochs without an improvement after which the run ends.
    pub patience: usize,
    /// An improvement is a change for the better by more than this.
    pub least_change: f64,
    /// Whether the run ends with the weights of the best epoch, and not with those of its last iteration.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restore_best: bool,
}

/// What early stopping watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watch {
    /// The mean loss over the images of an epoch, each when it was trained on, without the weight decay.
    #[default]
    TrainingLoss,
    /// The mean loss over the validation images at the end of an epoch.
    ValidationLoss,
    /// The share of the validation images that are classified right then.
    ValidationAccuracy,
}

impl Watch {
    /// All that can be watched.
    pub const ALL: [Self; 3] = [Self::TrainingLoss, Self::ValidationLoss, Self::ValidationAccuracy];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TrainingLoss => "training-loss",
            Self::ValidationLoss => "validation-loss",
            Self::ValidationAccuracy => "validation-accuracy",
        }
    }
}

/// What the outcome of a run should be. A run that misses it exits with code 3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expect {
    /// The least final accuracy on the test images, in [0, 1].
    pub test_accuracy: f64,
}
