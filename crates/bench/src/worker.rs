//! The process that does Backproof's steps when it is told to: `protocol.rs` says how.

use std::io::{self, BufRead, Write};
use std::time::Instant;

use anyhow::{Context, anyhow};
use backproof_kernels::{Isa, MomentumStep, Objective, Purpose};
use backproof_models::{Compiled, Mode, Network};
use backproof_spec::{Kernels, Loss, stream_seed};
use backproof_train::{BURN_VERSION, Momentum, engine};
use burn::Tensor;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Int, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::protocol::{Answer, Ready, Round, Task};
use crate::{BenchEngine, Pass};

const SEED: u64 = 1;

/// So small that no step changes what the next one computes: at a rate that learns, the one batch would be learnt by heart, and gradients
/// would end in numbers that processors are slow with.
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
    match (task.pass == Pass::Training.name(), engine) {
        (true, BenchEngine::Manual) => training_on_kernels(task, device),
        (true, _) => training(task, engine, device),
        (false, _) => inference(task, engine, device),
    }
}

/// The network on the CPU kernels.
fn compiled(task: &Task, purpose: Purpose, device: &Device) -> anyhow::Result<Compiled> {
    let isa = Isa::selected().map_err(anyhow::Error::msg)?;
    let network = Network::new(&task.architecture, SEED, device)?;
    Compiled::new(&network, &task.architecture, isa, purpose)
        .ok_or_else(|| anyhow!("{} has a layer without a kernel", task.architecture.name))
}

fn training_on_kernels(task: &Task, device: &Device) -> anyhow::Result<Box<dyn FnMut() + Send>> {
    let mut compiled = compiled(task, Purpose::Training, device)?;
    let (images, labels) = numbers(task)?;
    let elements = images.len() / labels.len();
    let momentum = MomentumStep::new(LEARNING_RATE, MOMENTUM, WEIGHT_DECAY);
    let mut done = 0;
    Ok(Box::new(move || {
        let write = |n: usize, to: &mut [f32]| to.copy_from_slice(&images[n * elements..][..elements]);
        compiled.pass(&write, &labels, Objective::CrossEntropy, Mode::Training { seed: SEED, step: done });
        compiled.plan_mut().momentum_step(momentum);
        done += 1;
    }))
}

fn training(task: &Task, of: BenchEngine, device: &Device) -> anyhow::Result<Box<dyn FnMut() + Send>> {
    let engine = of.gradients();
    let network = Network::new(&task.architecture, SEED, &device.clone().autodiff())?;
    let mut network = engine::ready(engine, network);
    let mut optimizer = Momentum::new(MOMENTUM, WEIGHT_DECAY);
    #[cfg(feature = "flex")]
    if of == BenchEngine::Autodiff {
        let isa = Isa::selected().map_err(anyhow::Error::msg)?;
        network = network.with_segments(&task.architecture, isa);
        optimizer = optimizer.on_kernels(isa);
    }
    let mut network = Some(network);
    let mut optimizer: ModuleOptimizer = optimizer.into();
    let (images, labels) = batch(task, &engine::batch_device(engine, device))?;
    let mut done = 0;
    Ok(Box::new(move || {
        let trained = network.take().expect("the last step put it back");
        let mode = Mode::Training { seed: SEED, step: done };
        let pass = engine::gradients(engine, Loss::CrossEntropy, &trained, images.clone(), labels.clone(), mode);
        network = Some(engine::update(engine, &mut optimizer, LEARNING_RATE, trained, pass.parameters));
        done += 1;
    }))
}

/// The forward pass that evaluates, and the logits on the host. It is the same for both ways to make gradients.
fn inference(task: &Task, of: BenchEngine, device: &Device) -> anyhow::Result<Box<dyn FnMut() + Send>> {
    if of.kernels() == Kernels::Auto {
        let mut compiled = compiled(task, Purpose::Inference, device)?;
        let (images, labels) = numbers(task)?;
        let (count, elements) = (labels.len(), images.len() / labels.len());
        return Ok(Box::new(move || {
            let write = |n: usize, to: &mut [f32]| to.copy_from_slice(&images[n * elements..][..elements]);
            let _ = compiled.logits(count, &write);
        }));
    }
    let network = Network::new(&task.architecture, SEED, &device.clone().autodiff())?.valid();
    let (images, _) = batch(task, device)?;
    Ok(Box::new(move || {
        let _ = network.forward(images.clone(), Mode::Inference).into_data();
    }))
}

/// Images `[N, C, H, W]` of noise, uniform with variance 1, and labels `[N]`.
fn numbers(task: &Task) -> anyhow::Result<(Vec<f32>, Vec<usize>)> {
    let mut random = ChaCha8Rng::from_seed(stream_seed(SEED, "bench", 0, 0));
    let widest = 3.0_f32.sqrt();
    let count = task.batch * task.architecture.input.elements();
    let images = (0..count).map(|_| random.random_range(-widest..widest)).collect();
    let classes = task.architecture.classes()?;
    let labels = (0..task.batch).map(|_| random.random_range(0..classes)).collect();
    Ok((images, labels))
}

/// The same as tensors.
fn batch(task: &Task, device: &Device) -> anyhow::Result<(Tensor<4>, Tensor<1, Int>)> {
    let dimensions = task.architecture.input.dimensions();
    let [channels, height, width] =
        dimensions[..].try_into().map_err(|_| anyhow!("{} takes no images", task.architecture.name))?;
    let (images, labels) = numbers(task)?;
    let labels: Vec<i64> = labels.into_iter().map(|label| label as i64).collect();
    let images = TensorData::new(images, [task.batch, channels, height, width]);
    let labels = TensorData::new(labels, [task.batch]);
    Ok((Tensor::from_data(images, device), Tensor::from_data(labels, device)))
}
