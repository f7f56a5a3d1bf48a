//! The process that does Backproof's steps when it is told to: `protocol.rs` says how.

use std::io::{self, BufRead, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, anyhow};
use backproof_compiled::InferencePlan;
use backproof_kernels::Isa;
use backproof_models::{Compiled, Network, PassMode};
use backproof_spec::{Kernels, Loss, OptimizerKind, Schedule, Update, UpdateRule, stream_seed};
use backproof_train::{BURN_VERSION, Minibatch, Trainer, TrainerConfig};
use burn::Tensor;
use burn::module::Module;
use burn::tensor::{Device, Int, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::protocol::{Answer, Ready, Round, Task};
use crate::{BenchEngine, Pass};

const SEED: u64 = 1;

/// So small that no step changes what the next one computes: at a rate that learns, the one batch would be learnt by
/// heart, and gradients would end in numbers that processors are slow with.
const LEARNING_RATE: f64 = 1e-6;
const MOMENTUM: f64 = 0.95;
const WEIGHT_DECAY: f64 = 0.001;

/// Reads the task, then a turn a line, until stdin ends. The steps are on `device`.
///
/// # Errors
///
/// A task that cannot be read, or that this machine cannot do.
pub fn work(device: &Device) -> anyhow::Result<()> {
    let mut lines = io::stdin().lock().lines();
    let Some(line) = lines.next() else { return Ok(()) };
    let task: Task = serde_json::from_str(&line?).context("stdin has no task; `bench` starts this command")?;
    let mut step = step(&task, device)?;
    turn(&mut *step, 5, task.seconds / 2.0);
    answer(&Answer::Ready { ready: Ready { software: format!("Burn {BURN_VERSION}"), instructions: None } })?;
    for line in lines {
        line?;
        answer(&Answer::Round(turn(&mut *step, 1, task.seconds)))?;
    }
    Ok(())
}

/// Steps until there are `least` of them and `seconds` have passed.
fn turn(step: &mut (dyn FnMut() + Send), least: u64, seconds: f64) -> Round {
    // On a thread of the pool, as `train` does it.
    rayon::scope(|_| {
        let started = Instant::now();
        let mut steps = 0;
        loop {
            step();
            steps += 1;
            let elapsed = started.elapsed().as_secs_f64();
            if steps >= least && elapsed >= seconds {
                return Round { steps, seconds: elapsed };
            }
        }
    })
}

fn answer(answer: &Answer) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(answer)?)?;
    Ok(stdout.flush()?)
}

/// The step that the task describes, of the same images each time.
fn step(task: &Task, device: &Device) -> anyhow::Result<Box<dyn FnMut() + Send>> {
    let engine = BenchEngine::by_name(&task.variant).ok_or_else(|| anyhow!("no engine `{}`", task.variant))?;
    if task.pass == Pass::Training.name() { training(task, engine, device) } else { inference(task, engine, device) }
}

/// The step of `train`.
fn training(task: &Task, of: BenchEngine, device: &Device) -> anyhow::Result<Box<dyn FnMut() + Send>> {
    let rule = UpdateRule {
        kind: OptimizerKind::Momentum { momentum: MOMENTUM, update: Update::AfterMomentum },
        learning_rate: LEARNING_RATE,
        weight_decay: WEIGHT_DECAY,
        warmup: 0,
        schedule: Schedule::Constant,
    };
    let network = Network::new(&task.architecture, SEED, &device.clone().autodiff())?;
    let config = TrainerConfig {
        engine: of.engine(),
        kernels: kernels(of)?,
        loss: Loss::CrossEntropy.into(),
        optimizer: rule.into(),
        iterations: usize::MAX,
        weight_average: None,
        seed: SEED,
        device: device.clone(),
    };
    let mut trainer = Trainer::new(config, network)?;
    let noise = Noise::new(task)?;
    let mut done = 0;
    Ok(Box::new(move || {
        trainer.step(&noise, done);
        done += 1;
    }))
}

/// The instructions of the kernels, for an engine that has them.
fn kernels(of: BenchEngine) -> anyhow::Result<Option<Isa>> {
    match of.kernels() {
        Kernels::Auto => Isa::selected().map(Some).map_err(anyhow::Error::msg),
        Kernels::Off => Ok(None),
    }
}

/// The forward pass that evaluates, and the logits on the host. It is the same for both ways to make gradients.
fn inference(task: &Task, of: BenchEngine, device: &Device) -> anyhow::Result<Box<dyn FnMut() + Send>> {
    let network = Network::new(&task.architecture, SEED, &device.clone().autodiff())?.valid();
    let noise = Noise::new(task)?;
    // As `evaluate` does, by tensors where a layer has no kernel.
    let on_kernels = task.architecture.without_kernels()?.is_empty();
    if let Some(isa) = kernels(of)?.filter(|_| on_kernels) {
        let mut compiled = Compiled::<InferencePlan>::new(&network, isa)?;
        return Ok(Box::new(move || {
            let _ = compiled.logits(noise.labels.len(), &|image, to| noise.write(image, to));
        }));
    }
    let (images, _) = noise.tensors(device);
    Ok(Box::new(move || {
        let _ = network.forward(images.clone(), PassMode::Inference).into_data();
    }))
}

/// Images of noise, uniform with variance 1, and labels: the same for every step.
struct Noise {
    shape: [usize; 4],
    images: Vec<f32>,
    labels: Vec<usize>,
    /// As tensors, once somebody has asked for them: a step is measured, and not how its images get there.
    tensors: Mutex<Option<(Tensor<4>, Tensor<1, Int>)>>,
}

impl Noise {
    fn new(task: &Task) -> anyhow::Result<Self> {
        let dimensions = task.architecture.input.dimensions();
        let [channels, height, width] =
            dimensions[..].try_into().map_err(|_| anyhow!("{} takes no images", task.architecture.name))?;
        let mut random = ChaCha8Rng::from_seed(stream_seed(SEED, "bench", 0, 0));
        let widest = 3.0_f32.sqrt();
        let count = task.batch * task.architecture.input.elements();
        let images = (0..count).map(|_| random.random_range(-widest..widest)).collect();
        let classes = task.architecture.classes()?;
        let labels = (0..task.batch).map(|_| random.random_range(0..classes)).collect();
        Ok(Self { shape: [task.batch, channels, height, width], images, labels, tensors: Mutex::default() })
    }
}

impl Minibatch for Noise {
    fn labels(&self) -> Vec<usize> {
        self.labels.clone()
    }

    fn write(&self, image: usize, to: &mut [f32]) {
        to.copy_from_slice(&self.images[image * to.len()..][..to.len()]);
    }

    fn tensors(&self, device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
        let mut tensors = self.tensors.lock().unwrap_or_else(PoisonError::into_inner);
        let made = tensors.get_or_insert_with(|| {
            let labels: Vec<i64> = self.labels.iter().map(|&label| label as i64).collect();
            let images = TensorData::new(self.images.clone(), self.shape);
            let labels = TensorData::new(labels, [self.shape[0]]);
            (Tensor::from_data(images, device), Tensor::from_data(labels, device))
        });
        made.clone()
    }
}
