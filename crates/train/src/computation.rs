//! What computes a run: engine, instruction set, and for each layer a kernel or an operation of Burn's.

use backproof_kernels::Isa;
use backproof_models::{ComputedBy, Network, NotCompiled, can_freeze, has_kernels};
use backproof_spec::{Engine, Experiment, Kernels};
use serde::{Deserialize, Serialize};

use crate::trainer::{Trainer, TrainerConfig};
use crate::{Setup, TrainError};

/// What computes a run from an iteration on. Equal computations of equal experiments give equal bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Computation {
    /// The first iteration, from 0.
    pub from: usize,
    /// `flex`, `ndarray`, `wgpu` or `cuda`.
    pub backend: String,
    /// How gradients are computed, and on what.
    pub engine: Engine,
    /// The instruction set of the CPU kernels, `avx512`; absent where none takes part.
    pub instructions: Option<String>,
    /// What computes each layer in a step.
    pub layers: Vec<LayerComputation>,
    /// What computes the network when it is evaluated.
    pub evaluation: ComputedBy,
}

/// What computes one layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerComputation {
    /// `conv1`.
    pub layer: String,
    /// A kernel, or an operation of Burn's with the reason.
    #[serde(flatten)]
    pub by: ComputedBy,
}

/// The instructions of the CPU kernels, or why none may take part.
///
/// # Errors
///
/// A variable that names instructions which this machine does not have.
pub(crate) fn instructions(experiment: &Experiment, setup: &Setup) -> Result<Result<Isa, String>, TrainError> {
    if setup.backend != "flex" {
        return Ok(Err(format!("the kernels are for the backend flex, and not for {}", setup.backend)));
    }
    if experiment.engine == Engine::Manual {
        return Ok(Err("engine = \"manual\" computes on Burn's tensors".to_owned()));
    }
    if experiment.kernels == Kernels::Off {
        return Ok(Err("kernels = \"off\"".to_owned()));
    }
    Isa::selected().map(Ok).map_err(TrainError::Kernels)
}

/// How the experiment's steps are made, but for what its loss takes from the training images
/// ([`TrainingLoss::new`](crate::TrainingLoss::new)).
///
/// # Errors
///
/// As [`instructions`].
pub(crate) fn trainer_config(experiment: &Experiment, setup: &Setup) -> Result<TrainerConfig, TrainError> {
    Ok(TrainerConfig {
        engine: experiment.engine,
        kernels: instructions(experiment, setup)?.ok(),
        loss: experiment.training.loss.into(),
        optimizer: experiment.optimizer.clone(),
        iterations: experiment.training.iterations,
        weight_average: experiment.training.weight_average,
        seed: experiment.seed,
        device: setup.device.clone(),
    })
}

impl Computation {
    /// Of a run from iteration `from` on.
    pub(crate) fn new(
        experiment: &Experiment,
        setup: &Setup,
        trainer: &Trainer,
        from: usize,
    ) -> Result<Self, TrainError> {
        let isa = instructions(experiment, setup)?;
        let network = trainer.network();
        let off = isa.as_ref().err().cloned().unwrap_or_default();
        let names = network.names().iter().cloned();
        let layers = names.zip(trainer.computed_by(&off)).map(|(layer, by)| LayerComputation { layer, by }).collect();
        let evaluation = match &isa {
            Err(reason) => ComputedBy::Burn { reason: reason.clone() },
            Ok(_) => compiles(&network)
                .map_or_else(|reason| ComputedBy::Burn { reason: reason.to_string() }, |()| ComputedBy::Kernel),
        };
        Ok(Self {
            from,
            backend: setup.backend.clone(),
            engine: experiment.engine,
            instructions: isa.ok().map(|isa| isa.name().to_owned()),
            layers,
            evaluation,
        })
    }

    /// A line for engine and instruction set, and lines for what computes the layers.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let instructions = match &self.instructions {
            Some(name) => format!("instruction set {name}"),
            None => "no CPU kernels".to_owned(),
        };
        let mut lines = vec![format!("engine       {}, {instructions}", self.engine.name())];
        let mut groups: Vec<(&ComputedBy, Vec<&str>)> = Vec::new();
        for LayerComputation { layer, by } in &self.layers {
            match groups.iter_mut().find(|(of, _)| *of == by) {
                Some((_, layers)) => layers.push(layer),
                None => groups.push((by, vec![layer])),
            }
        }
        groups.sort_by_key(|(by, _)| **by != ComputedBy::Kernel);
        for (by, layers) in groups {
            let layers = if layers.len() == self.layers.len() { "every layer".to_owned() } else { layers.join(", ") };
            lines.push(match by {
                ComputedBy::Kernel => format!("kernels      {layers}"),
                ComputedBy::Burn { reason } => format!("Burn         {layers}: {reason}"),
            });
        }
        match &self.evaluation {
            _ if self.layers.iter().all(|layer| layer.by == self.evaluation) => {}
            ComputedBy::Kernel => lines.push("evaluation   every layer by kernels".to_owned()),
            ComputedBy::Burn { reason } => lines.push(format!("evaluation   every layer by Burn: {reason}")),
        }
        lines
    }

    /// What the bits depend on, in words.
    fn words(&self) -> String {
        let kernels = self.instructions.as_ref().map_or_else(String::new, |name| format!(" with {name}"));
        format!("engine {}{kernels} on {}", self.engine.name(), self.backend)
    }

    /// Why a run that was computed so until iteration `at` does not end with the bits of one that is computed like
    /// `now` from its start, where it does not.
    pub(crate) fn change(&self, now: &Self, at: usize) -> Option<String> {
        let differs = (&self.backend, self.engine, &self.instructions) != (&now.backend, now.engine, &now.instructions);
        differs.then(|| {
            let (before, now) = (self.words(), now.words());
            format!(
                "iterations up to {at} were computed by {before}, and the next ones by {now}: \
                 the last bits may differ from those of a run that was never stopped"
            )
        })
    }
}

/// Whether the compiled engine would run the network.
pub(crate) fn compiles(network: &Network) -> Result<(), NotCompiled> {
    can_freeze(network)?;
    has_kernels(network.architecture())
}

/// What a person is told of the layers that no kernel computes, where kernels take part.
pub(crate) fn without_kernels(
    experiment: &Experiment,
    computation: &Computation,
) -> Result<Option<String>, TrainError> {
    let words = experiment.without_kernels_in_words()?;
    Ok(words.filter(|_| computation.instructions.is_some()))
}

/// A line for a run that the compiled engine would make faster.
pub(crate) fn hint(experiment: &Experiment, setup: &Setup, network: &Network) -> Option<&'static str> {
    let faster = experiment.engine != Engine::Compiled
        && experiment.kernels != Kernels::Off
        && setup.backend == "flex"
        && compiles(network).is_ok();
    faster.then_some("engine = \"compiled\" trains this network faster: every layer has a kernel")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn computation(engine: Engine, by: &[(&str, Option<&str>)]) -> Computation {
        let by_of = |reason: &Option<&str>| match reason {
            None => ComputedBy::Kernel,
            Some(reason) => ComputedBy::Burn { reason: (*reason).to_owned() },
        };
        Computation {
            from: 0,
            backend: "flex".to_owned(),
            engine,
            instructions: by.iter().any(|(_, reason)| reason.is_none()).then(|| "avx2".to_owned()),
            layers: by
                .iter()
                .map(|(layer, reason)| LayerComputation { layer: (*layer).to_owned(), by: by_of(reason) })
                .collect(),
            evaluation: by.first().map_or(ComputedBy::Kernel, |(_, reason)| by_of(reason)),
        }
    }

    #[test]
    fn layers_that_are_computed_alike_are_in_one_line() {
        let mixed = computation(
            Engine::Autodiff,
            &[
                ("conv1", None),
                ("relu1", None),
                ("flatten1", Some("it moves no numbers")),
                ("gelu1", Some("no kernel")),
            ],
        );
        let expected = [
            "engine       autodiff, instruction set avx2",
            "kernels      conv1, relu1",
            "Burn         flatten1: it moves no numbers",
            "Burn         gelu1: no kernel",
            "evaluation   every layer by kernels",
        ];
        assert_eq!(mixed.lines(), expected);
        let plain = computation(Engine::Manual, &[("conv1", Some("no")), ("linear1", Some("no"))]);
        assert_eq!(plain.lines(), ["engine       manual, no CPU kernels", "Burn         every layer: no"]);
    }

    #[test]
    fn a_change_is_told_with_what_was_before_and_what_is_now() {
        let before = computation(Engine::Compiled, &[("conv1", None)]);
        assert_eq!(before.change(&Computation { from: 7, ..before.clone() }, 7), None);
        let now = computation(Engine::Manual, &[("conv1", Some("no"))]);
        let told = before.change(&now, 7).unwrap();
        assert!(told.contains("up to 7 were computed by engine compiled with avx2 on flex"), "{told}");
        assert!(told.contains("the next ones by engine manual on flex"), "{told}");
    }
}
