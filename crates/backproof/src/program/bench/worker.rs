//! The process that does Backproof's steps when it is told to: `protocol.rs` says how.

use std::io::{self, BufRead, Write};
use std::time::Instant;

use anyhow::{Context, anyhow};
use backproof::backend::Backend;
use backproof::cli::{BenchEngine, Pass};
use backproof_models::{Mode, Network};
use backproof_spec::{Loss, Optimizer, OptimizerKind, Schedule, stream_seed};
use backproof_train::{BURN_VERSION, engine, new_optimizer};
use burn::Tensor;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Int, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::protocol::{Answer, Ready, Round, Task};
use crate::device;

const SEED: u64 = 1;

/// So small that no step changes what the next one computes: at a rate that learns, the one batch would be learnt by heart, and gradients
/// would end in numbers that processors are slow with.
const LEARNING_RATE: f64 = 1e-6;

/// Reads the task, then a turn a line, until stdin ends.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut lines = io::stdin().lock().lines();
    let Some(line) = lines.next() else { return Ok(()) };
    let task: Task = serde_json::from_str(&line?).context("stdin has no task; `bench` starts this command")?;
    let mut step = step(&task, &device::open(Backend::Flex)?)?;
    turn(&mut step, 5, task.seconds / 2.0);
    answer(&Answer::Ready { ready: Ready { software: format!("Burn {BURN_VERSION}"), instructions: None } })?;
    for line in lines {
        line?;
        answer(&Answer::Round(turn(&mut step, 1, task.seconds)))?;
    }
    Ok(())
}

/// Steps until there are `least` of them and `seconds` have passed.
fn turn(step: &mut dyn FnMut(), least: u64, seconds: f64) -> Round {
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
}

fn answer(answer: &Answer) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(answer)?)?;
    Ok(stdout.flush()?)
}

/// The step that the task describes, of the same images each time.
fn step(task: &Task, device: &Device) -> anyhow::Result<Box<dyn FnMut()>> {
    let engine = BenchEngine::by_name(&task.variant).ok_or_else(|| anyhow!("no engine `{}`", task.variant))?;
    if task.pass == Pass::Training.name() { training(task, engine, device) } else { inference(task, device) }
}

fn training(task: &Task, engine: BenchEngine, device: &Device) -> anyhow::Result<Box<dyn FnMut()>> {
    let engine = engine.gradients();
    let network = Network::new(&task.architecture, SEED, &device.clone().autodiff())?;
    let mut network = Some(engine::ready(engine, network));
    let mut optimizer: ModuleOptimizer = new_optimizer(&Optimizer {
        kind: OptimizerKind::Momentum { momentum: 0.95 },
        learning_rate: LEARNING_RATE,
        weight_decay: 0.001,
        warmup: 0,
        schedule: Schedule::Constant,
    });
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

/// The forward pass that evaluates, and the logits on the host. Engines differ in gradients, which it has none of.
fn inference(task: &Task, device: &Device) -> anyhow::Result<Box<dyn FnMut()>> {
    let network = Network::new(&task.architecture, SEED, &device.clone().autodiff())?.valid();
    let (images, _) = batch(task, device)?;
    Ok(Box::new(move || {
        let _ = network.forward(images.clone(), Mode::Inference).into_data();
    }))
}

/// Images `[N, C, H, W]` of noise, uniform with variance 1, and labels `[N]`.
fn batch(task: &Task, device: &Device) -> anyhow::Result<(Tensor<4>, Tensor<1, Int>)> {
    let dimensions = task.architecture.input.dimensions();
    let [channels, height, width] =
        dimensions[..].try_into().map_err(|_| anyhow!("{} takes no images", task.architecture.name))?;
    let mut random = ChaCha8Rng::from_seed(stream_seed(SEED, "bench", 0, 0));
    let widest = 3.0_f32.sqrt();
    let numbers: Vec<f32> =
        (0..task.batch * channels * height * width).map(|_| random.random_range(-widest..widest)).collect();
    let classes = task.architecture.classes()?;
    let labels: Vec<i64> = (0..task.batch).map(|_| random.random_range(0..classes) as i64).collect();
    let images = TensorData::new(numbers, [task.batch, channels, height, width]);
    let labels = TensorData::new(labels, [task.batch]);
    Ok((Tensor::from_data(images, device), Tensor::from_data(labels, device)))
}
