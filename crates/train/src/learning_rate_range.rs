//! The learning-rate range test: the loss while the learning rate rises from mini-batch to mini-batch.
//!
//! Smith 2017, *Cyclical Learning Rates for Training Neural Networks* (arXiv:1506.01186), section 3.3, raises the rate
//! in equal steps. As in fastai's `lr_find`, the rate here rises by equal factors, the losses are smoothed, and the test
//! ends where the loss has grown to a multiple of its least value.

use std::sync::atomic::{AtomicBool, Ordering};

use backproof_spec::{Experiment, OptimizerKind, Schedule, UpdateRule};
use serde::Serialize;

use crate::begun::Begun;
use crate::{Observer, Setup, Step, TrainError};

/// β of the exponential average: about the last ten mini-batches count.
const SMOOTHING: f64 = 0.9;
/// The test ends where the smoothed loss is more than so many times its least value.
const TOO_HIGH: f64 = 4.0;
/// So many mini-batches, or a tenth of all if that is more, say what the loss is at first.
const FIRST: usize = 10;
/// A loss that stays above this share of that has not fallen.
const FALLEN: f64 = 0.9;
/// The suggestion comes from the lowest rate at which the smoothed loss has made this share of its fall. The least loss
/// itself may be far along a plateau, where the network no longer learns.
const SHARE: f64 = 0.95;
/// The suggestion is that rate, divided by this.
const MARGIN: f64 = 10.0;

/// The learning rates of a test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRange {
    /// The first rate, above 0.
    pub from: f64,
    /// The last rate, above the first.
    pub to: f64,
    /// Mini-batches, at least 2.
    pub steps: usize,
}

impl RateRange {
    /// The first and the last rate where nobody asks for others: 10⁻⁶ and 1 for the optimizers whose steps do not
    /// depend on the size of the gradients, 10⁻⁵ and 10 for the others.
    #[must_use]
    pub fn usual(kind: OptimizerKind) -> [f64; 2] {
        match kind {
            OptimizerKind::Adam(_) | OptimizerKind::AdamW(_) | OptimizerKind::RmsProp { .. } => [1e-6, 1.0],
            OptimizerKind::Momentum { .. }
            | OptimizerKind::Sgd { .. }
            | OptimizerKind::AdaGrad { .. }
            | OptimizerKind::Muon { .. } => [1e-5, 10.0],
        }
    }

    /// The rate of mini-batch `step`, from 0: from · (to / from)^(step / (steps − 1)).
    #[must_use]
    pub fn rate(&self, step: usize) -> f64 {
        self.from * (self.to / self.from).powf(step as f64 / (self.steps - 1) as f64)
    }
}

/// A mini-batch of a test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RangePoint {
    /// The learning rate of the step that this mini-batch made.
    pub learning_rate: f64,
    /// Its mean loss, before that step.
    pub loss: f64,
    /// The exponential average of the losses up to here, corrected for its start at 0.
    pub smoothed_loss: f64,
}

/// Why a test ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RangeEnd {
    /// All mini-batches were made.
    Complete,
    /// The smoothed loss rose to four times its least value.
    Rose,
    /// The loss of the next mini-batch is not finite.
    NotFinite,
    /// It was stopped from outside.
    Stopped,
}

/// A learning rate to train with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suggestion {
    /// A tenth of the rate of `fallen`, to two digits.
    pub learning_rate: f64,
    /// The loss at first: the mean of ten mini-batches, or of a tenth of all.
    pub first_loss: f64,
    /// Where the smoothed loss has made 95 % of its fall.
    pub fallen: RangePoint,
    /// Where the smoothed loss is least.
    pub least: RangePoint,
    /// Whether that is at the end of a test that went through: a higher last rate would suggest another one.
    pub is_open: bool,
}

/// What a test found.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeTest {
    /// The mini-batches with a finite loss, by rising rate.
    pub points: Vec<RangePoint>,
    /// Why there are no more.
    pub end: RangeEnd,
}

impl RangeTest {
    fn new() -> Self {
        Self { points: Vec::new(), end: RangeEnd::Complete }
    }

    /// Adds the loss of a mini-batch. `false` where the test ends with it.
    fn add(&mut self, learning_rate: f64, loss: f64) -> bool {
        if !loss.is_finite() {
            self.end = RangeEnd::NotFinite;
            return false;
        }
        // The average is kept corrected: mₜ = (β (1 − βᵗ⁻¹) mₜ₋₁ + (1 − β) lₜ) / (1 − βᵗ).
        let before = self.points.len() as i32;
        let [weight, total] = [before, before + 1].map(|count| 1.0 - SMOOTHING.powi(count));
        let last = self.points.last().map_or(0.0, |point| point.smoothed_loss);
        let smoothed_loss = (SMOOTHING * weight * last + (1.0 - SMOOTHING) * loss) / total;
        self.points.push(RangePoint { learning_rate, loss, smoothed_loss });
        let rose = self.least().is_some_and(|least| smoothed_loss > TOO_HIGH * least.smoothed_loss);
        if rose {
            self.end = RangeEnd::Rose;
        }
        !rose
    }

    /// Where the smoothed loss is least.
    fn least(&self) -> Option<RangePoint> {
        self.points.iter().copied().min_by(|one, other| one.smoothed_loss.total_cmp(&other.smoothed_loss))
    }

    /// A rate to train with; `None` where the smoothed loss never falls below 90 % of the first one.
    #[must_use]
    pub fn suggestion(&self) -> Option<Suggestion> {
        let count = FIRST.max(self.points.len() / 10);
        let (first, rest) = self.points.split_at_checked(count)?;
        let first_loss = first.iter().map(|point| point.loss).sum::<f64>() / count as f64;
        let (least, last) = (self.least()?, rest.last()?);
        let loss = |point: &RangePoint| point.smoothed_loss;
        if rest.iter().all(|point| loss(point) > FALLEN * first_loss) {
            return None;
        }
        let enough = first_loss - SHARE * (first_loss - loss(&least));
        let fallen = *rest.iter().find(|point| loss(point) <= enough)?;
        let near_end = least.learning_rate > 0.8 * last.learning_rate;
        Some(Suggestion {
            learning_rate: two_digits(fallen.learning_rate / MARGIN),
            first_loss,
            fallen,
            least,
            is_open: near_end && self.end == RangeEnd::Complete,
        })
    }
}

/// `value`, above 0, to two digits.
#[must_use]
pub fn two_digits(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

/// A learning rate as a person reads it, and as a config takes it: `0.05`, `2e-5`.
#[must_use]
pub fn rate_in_words(rate: f64) -> String {
    if (1e-3..1e6).contains(&rate) { rate.to_string() } else { format!("{rate:e}") }
}

/// Trains `experiment` from its first weights while the learning rate rises through `range`, one mini-batch a rate.
/// Writes nothing.
///
/// The rate is that of [`Optimizer::rule`](backproof_spec::Optimizer::rule). Those of the groups keep their ratio to it.
/// Warm-ups and schedules are off, everything else is as in a run: batches, augmentation, loss, weight decay, clipping,
/// frozen parameters. `stop` is looked at before every mini-batch, and `observer` is told how many are made.
///
/// # Errors
///
/// Data or first weights that cannot be loaded, and an engine that cannot run the network.
pub fn learning_rate_range(
    experiment: &Experiment,
    setup: &Setup,
    range: RateRange,
    observer: &mut (dyn Observer + Send),
    stop: &AtomicBool,
) -> Result<RangeTest, TrainError> {
    let mut experiment = experiment.clone();
    let groups = experiment.optimizer.groups.iter_mut().map(|group| &mut group.rule);
    for rule in groups.chain([&mut experiment.optimizer.rule]) {
        *rule = UpdateRule { warmup: 0, schedule: Schedule::Constant, ..*rule };
    }
    experiment.training.weight_average = None;
    let Begun { experiment, mut trainer, data, .. } = Begun::new(&experiment, setup, observer, stop)?;
    let batches = data.training_batches(experiment.training.batch_size);
    let mut test = RangeTest::new();
    rayon::scope(|_| {
        for step in 0..range.steps {
            if stop.load(Ordering::Relaxed) {
                test.end = RangeEnd::Stopped;
                break;
            }
            let rate = range.rate(step);
            trainer.multiply_learning_rates(rate / experiment.optimizer.rule.learning_rate);
            let Step { loss, .. } = trainer.step(&batches.select(step), step);
            if !test.add(rate, loss) {
                break;
            }
            observer.iteration(step + 1);
        }
    });
    Ok(test)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Silent;
    use crate::testing::{experiment, optimizers, setup};

    const RANGE: RateRange = RateRange { from: 1e-5, to: 10.0, steps: 60 };

    fn test_of(overrides: &[&str]) -> RangeTest {
        let on = AtomicBool::new(false);
        learning_rate_range(&experiment(overrides), &setup(Path::new("")), RANGE, &mut Silent, &on).unwrap()
    }

    #[test]
    fn rates_rise_by_equal_factors_from_the_first_to_the_last() {
        let range = RateRange { from: 1e-3, to: 10.0, steps: 5 };
        for (step, expected) in [1e-3, 1e-2, 0.1, 1.0, 10.0].into_iter().enumerate() {
            assert!((range.rate(step) / expected - 1.0).abs() < 1e-12, "step {step}: {}", range.rate(step));
        }
    }

    #[test]
    fn the_average_is_that_of_the_losses_by_falling_powers() {
        let losses = [3.0, 2.0, 2.5, 1.0];
        let mut test = RangeTest::new();
        losses.iter().for_each(|&loss| assert!(test.add(0.1, loss)));
        for (at, point) in test.points.iter().enumerate() {
            let powers: Vec<f64> = (0..=at).map(|back| SMOOTHING.powi((at - back) as i32)).collect();
            let sum: f64 = powers.iter().zip(losses).map(|(power, loss)| power * loss).sum();
            let expected = sum / powers.iter().sum::<f64>();
            assert!((point.smoothed_loss - expected).abs() < 1e-12, "{at}: {} {expected}", point.smoothed_loss);
        }
    }

    #[test]
    fn a_test_ends_where_the_loss_is_four_times_its_least_or_not_finite() {
        let mut test = RangeTest::new();
        assert!(test.add(0.1, 1.0) && test.add(0.2, 0.5) && !test.add(0.3, 100.0));
        assert_eq!((test.end, test.points.len()), (RangeEnd::Rose, 3));
        let mut test = RangeTest::new();
        assert!(test.add(0.1, 1.0) && !test.add(0.2, f64::NAN));
        assert_eq!((test.end, test.points.len()), (RangeEnd::NotFinite, 1));
    }

    #[test]
    fn the_suggestion_is_a_tenth_of_the_rate_at_which_the_loss_has_fallen() {
        let of = |losses: &[f64]| {
            let first = [(0.001, 2.0); FIRST];
            let rest = losses.iter().enumerate().map(|(at, &loss)| (0.0123 * (at + 1) as f64, loss));
            let points = first.into_iter().chain(rest);
            let points = points.map(|(learning_rate, loss)| RangePoint { learning_rate, loss, smoothed_loss: loss });
            RangeTest { points: points.collect(), end: RangeEnd::Complete }.suggestion()
        };
        // The fall is 1.5, and 95 % of it end at 0.575.
        let found = of(&[2.0, 1.0, 0.57, 0.56, 0.5, 3.0, 3.0]).unwrap();
        assert_eq!((found.learning_rate, found.first_loss, found.is_open), (0.0037, 2.0, false));
        assert_eq!([found.fallen.smoothed_loss, found.least.smoothed_loss], [0.57, 0.5]);
        assert!(of(&[2.0, 1.9, 1.0, 0.5]).unwrap().is_open);
        assert_eq!(of(&[2.0, 2.1, 1.81]), None);
        assert_eq!(of(&[]), None);
        assert_eq!(RangeTest::new().suggestion(), None);
    }

    #[test]
    fn rates_are_short_and_what_a_config_takes() {
        assert_eq!([0.05, 2e-5, 1e-12, 106.0].map(rate_in_words), ["0.05", "2e-5", "1e-12", "106"]);
        assert_eq!(two_digits(0.08123), 0.081);
    }

    #[test]
    fn every_optimizer_and_engine_makes_the_test() {
        for rule in optimizers() {
            let mut with_rule = experiment(&[]);
            with_rule.optimizer = rule.into();
            let [from, to] = RateRange::usual(rule.kind);
            let range = RateRange { from, to, steps: 60 };
            let on = AtomicBool::new(false);
            let test = learning_rate_range(&with_rule, &setup(Path::new("")), range, &mut Silent, &on).unwrap();
            assert!(test.points.len() > 20 && test.suggestion().is_some(), "{rule:?}: {test:?}");
        }
        let [autodiff, manual, compiled] =
            ["autodiff", "manual", "compiled"].map(|name| test_of(&[&format!("engine={name}")]));
        for (one, other) in autodiff.points.iter().zip(manual.points.iter().zip(&compiled.points)).take(30) {
            let apart = |point: &RangePoint| (point.loss - one.loss).abs();
            assert!(apart(other.0) < 1e-3 && apart(other.1) < 1e-3, "{one:?} {other:?}");
        }
    }

    #[test]
    fn warm_up_and_schedule_are_off_and_groups_keep_their_ratio() {
        let plain = test_of(&[]);
        let scheduled = ["optimizer.warmup=10", "optimizer.schedule=cosine", "optimizer.learning_rate=0.3"];
        let scheduled = test_of(&scheduled);
        // The rate of the config is divided out, up to rounding.
        for (one, other) in plain.points.iter().zip(&scheduled.points).take(30) {
            assert!((one.loss - other.loss).abs() < 1e-3, "{one:?} {other:?}");
        }
        let group = "optimizer.groups=[{ parameters = \"conv*\", learning_rate = 5e-11 }]"; // a billionth
        let held = test_of(&["optimizer.learning_rate=0.05", group]);
        assert!(held.points.iter().zip(&plain.points).any(|(one, other)| (one.loss - other.loss).abs() > 0.01));
        let muon = "optimizer.groups=[{ parameters = \"*.weight\", kind = \"muon\", learning_rate = 0.02 }]";
        for engine in ["engine=autodiff", "engine=compiled"] {
            assert!(test_of(&[muon, engine]).suggestion().is_some());
        }
    }

    #[test]
    fn a_test_can_be_stopped() {
        struct AtThree<'a>(&'a AtomicBool, usize);
        impl Observer for AtThree<'_> {
            fn iteration(&mut self, iteration: usize) {
                self.1 = iteration;
                self.0.store(iteration == 3, Ordering::Relaxed);
            }
        }
        let off = AtomicBool::new(false);
        let mut observer = AtThree(&off, 0);
        let setup = setup(Path::new(""));
        let test = learning_rate_range(&experiment(&[]), &setup, RANGE, &mut observer, &off).unwrap();
        assert_eq!((test.end, test.points.len(), observer.1), (RangeEnd::Stopped, 3, 3));
    }
}
