//! What can be asked for, checked before anything is built or measured.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use backproof_data::source;
use backproof_spec::{
    Architecture, Augmentation, CropBorder, Engine, Experiment, Kernels, LayerSpec, Loss, Optimizer, OptimizerKind,
    Schedule, Update, Views,
};
use clap::ValueEnum;

use crate::BenchError;

/// What is measured.
#[derive(Debug, Clone)]
pub enum Work {
    /// Steps of every network, batch size and pass.
    Steps {
        /// The networks.
        networks: Vec<Architecture>,
        /// Images in a batch.
        batches: Vec<NonZeroUsize>,
        /// What a step is.
        passes: Vec<Pass>,
    },
    /// An experiment from start to end.
    WholeRun {
        /// Its file.
        config: PathBuf,
        /// What is in the file.
        experiment: Box<Experiment>,
    },
}

/// What is measured, by whom, and how long.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is measured.
    pub work: Work,
    /// The engines that were asked for; [`Request::engines`] has those to measure.
    pub asked_engines: Vec<BenchEngine>,
    /// Another program on the same work.
    pub peer: Option<Peer>,
    /// Python that has the peer.
    pub python: PathBuf,
    /// Threads of each program; all cores if not given.
    pub threads: Option<NonZeroUsize>,
    /// Turns that each takes.
    pub rounds: NonZeroUsize,
    /// Seconds of a turn.
    pub seconds: f64,
    /// Instruction set to keep to, of the kernels and of the peer.
    pub isa: Option<String>,
    /// File for every figure.
    pub json: Option<PathBuf>,
    /// Folder in which a dated folder with `results.json` and `results.md` is made.
    pub write: Option<PathBuf>,
    /// Folder with the data sets, instead of the cache.
    pub data_dir: Option<PathBuf>,
}

impl Request {
    /// The engines to measure: those asked for, or all.
    #[must_use]
    pub fn engines(&self) -> Vec<BenchEngine> {
        if self.asked_engines.is_empty() { BenchEngine::ALL.to_vec() } else { self.asked_engines.clone() }
    }

    /// Refuses what the peer cannot do.
    ///
    /// # Errors
    ///
    /// An instruction set that it cannot be held to, or an experiment that it could not do the same as.
    pub fn check(&self) -> Result<(), BenchError> {
        self.instruction_set()?;
        match &self.work {
            Work::WholeRun { experiment, .. } if self.peer.is_some() => comparable(experiment),
            _ => Ok(()),
        }
    }

    /// What PyTorch, oneDNN and MKL each call the instruction set to keep to; `None` where no peer has to keep to one.
    ///
    /// # Errors
    ///
    /// One that the peer cannot be held to.
    pub fn instruction_set(&self) -> Result<Option<[&'static str; 3]>, BenchError> {
        match (&self.isa, self.peer) {
            (None, _) | (_, None) => Ok(None),
            (Some(name), Some(_)) => match name.as_str() {
                "avx512" => Ok(Some(["avx512", "AVX512_CORE", "AVX512"])),
                "avx2" => Ok(Some(["avx2", "AVX2", "AVX2"])),
                _ => Err(BenchError::Refused {
                    message: format!("PyTorch cannot be held to the instruction set `{name}`"),
                    help: "it can be held to avx512 and avx2; without --peer, --isa takes what the kernels know",
                }),
            },
        }
    }
}

/// An engine, or stock Burn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BenchEngine {
    /// Burn's autodiff, with convolutions on our kernels
    Autodiff,
    /// The derived backward passes as one plan of our kernels
    Compiled,
    /// Burn without our kernels: its autodiff on its operations
    Burn,
    /// The derived backward passes on Burn's operations
    Manual,
}

impl BenchEngine {
    /// Every engine, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Autodiff, Self::Compiled, Self::Burn, Self::Manual];

    /// Its name on the command line and in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Burn => "burn",
            _ => self.engine().name(),
        }
    }

    /// The engine of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }

    /// As a config says it.
    #[must_use]
    pub fn engine(self) -> Engine {
        match self {
            Self::Autodiff | Self::Burn => Engine::Autodiff,
            Self::Compiled => Engine::Compiled,
            Self::Manual => Engine::Manual,
        }
    }

    /// Whether our kernels compute it.
    #[must_use]
    pub fn kernels(self) -> Kernels {
        match self {
            Self::Autodiff | Self::Compiled => Kernels::Auto,
            Self::Burn | Self::Manual => Kernels::Off,
        }
    }

    /// What makes `train` use it, as `--set` takes it.
    #[must_use]
    pub fn overrides(self) -> Vec<String> {
        vec![format!("engine={}", self.engine().name()), format!("kernels={}", self.kernels().name())]
    }
}

/// What a step is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pass {
    /// Forward, loss, backward, optimizer
    Training,
    /// Forward only
    Inference,
}

impl Pass {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Training, Self::Inference];

    /// Its name on the command line and in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Inference => "inference",
        }
    }
}

/// Another program that does the same work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// PyTorch, eager and compiled, in both memory formats
    #[value(name = "pytorch")]
    PyTorch,
}

/// Whether the weights of a layer are drawn as no peer draws them.
fn is_drawn_otherwise(layer: &LayerSpec) -> bool {
    let initialization = match layer {
        LayerSpec::Conv2d(conv) => conv.initialization,
        LayerSpec::Linear(linear) => linear.initialization,
        _ => None,
    };
    initialization.is_some_and(|it| it.kind.draws_biases() || it.unit_deviation)
}

/// Whether `bench/peers/whole_run.py` does all that the experiment asks for.
fn comparable(experiment: &Experiment) -> Result<(), BenchError> {
    let problem = if experiment.data.images.folder().is_some() {
        "its images are a folder"
    } else if source(experiment.data.images.name()).is_ok_and(|source| source.published().is_none()) {
        "its data is part of this program"
    } else if !matches!(experiment.optimizer.rule.kind, OptimizerKind::Momentum { update: Update::AfterMomentum, .. }) {
        "its optimizer is not `momentum` in the order `after-momentum`"
    } else if experiment
        .model
        .all_layers()
        .into_iter()
        .any(|layer| matches!(layer, LayerSpec::Relu(it) if it.gradient_at_zero != 0))
    {
        "the gradient of its ReLUs at 0 is 1"
    } else if experiment.optimizer != Optimizer::from(experiment.optimizer.rule) {
        "its optimizer has groups, clipping or lookahead"
    } else if experiment.training.weight_average.is_some() {
        "it evaluates an average of its weights"
    } else if matches!(experiment.optimizer.rule.schedule, Schedule::OneCycle { .. }) {
        "its learning rate goes by one cycle"
    } else if !matches!(
        experiment.data.augmentation,
        Augmentation {
            brightness: 0.0,
            contrast: 0.0,
            alternating_flip: false,
            crop_border: CropBorder::Black,
            cutout: 0,
            mixup: 0.0,
            cutmix: 0.0,
            ..
        }
    ) {
        "its augmentation is more than a flip and a crop with a black border"
    } else if experiment.model.all_layers().into_iter().any(is_drawn_otherwise) {
        "an initialization is not one of He's or Glorot's"
    } else if experiment.views != Views::One {
        "it evaluates several views of an image"
    } else if experiment.training.loss != Loss::CrossEntropy {
        "its loss is not `cross-entropy`"
    } else if experiment.warm_start.is_some() {
        "it begins with the weights of another run"
    } else {
        return Ok(());
    };
    Err(BenchError::Refused {
        message: format!("{} cannot be trained by the peer too: {problem}", experiment.name),
        help: "`--whole-run cifar-baseline` can; without --peer, any config can be measured",
    })
}

#[cfg(test)]
mod tests {
    use backproof_data::data_sets;

    use super::*;

    fn request(isa: &str, peer: Option<Peer>) -> Request {
        Request {
            work: Work::Steps { networks: Vec::new(), batches: Vec::new(), passes: Vec::new() },
            asked_engines: Vec::new(),
            peer,
            python: "python3".into(),
            threads: None,
            rounds: NonZeroUsize::MIN,
            seconds: 0.1,
            isa: Some(isa.to_owned()),
            json: None,
            write: None,
            data_dir: None,
        }
    }

    #[test]
    fn the_peer_is_held_to_an_instruction_set_by_its_three_names() {
        let of = |isa, peer| request(isa, peer).instruction_set();
        assert_eq!(of("avx2", Some(Peer::PyTorch)).unwrap(), Some(["avx2", "AVX2", "AVX2"]));
        assert_eq!(of("anything", None).unwrap(), None);
        assert!(request("sse9", Some(Peer::PyTorch)).check().is_err());
    }

    #[test]
    fn an_experiment_that_the_peer_cannot_do_is_refused_with_the_reason() {
        let text = include_str!("../../../configs/quickstart.toml");
        let quickstart = Experiment::from_toml("quickstart.toml", text, &[], &data_sets()).unwrap();
        let reason = comparable(&quickstart).unwrap_err().to_string();
        assert_eq!(reason, "quickstart cannot be trained by the peer too: its data is part of this program");
        let overrides = ["data.dataset=mnist".to_owned()];
        assert!(comparable(&Experiment::from_toml("a.toml", text, &overrides, &data_sets()).unwrap()).is_ok());
    }
}
