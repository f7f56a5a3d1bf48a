//! What is seen of the layers while a network trains: a line of `layers.jsonl`.

use std::collections::BTreeMap;

use backproof_models::ActiveUnits;
use serde::{Deserialize, Serialize};

/// The layers at one iteration, one JSON object a line in `layers.jsonl`: of the first iteration, of every
/// `training.layers_every`-th one, and of the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayersLook {
    /// Iterations done, the one that is looked at included.
    pub iteration: usize,
    /// Passes over the training images done.
    pub epoch: f64,
    /// The trained tensors, in the order of the layers.
    pub tensors: Vec<TensorLook>,
    /// Images of the probe, which are the same in every look that has one. Every fourth look has one, and the first and
    /// the last, unless the network has no ReLU; else it is 0.
    pub probe_images: usize,
    /// The ReLUs of the network, in order, after this iteration; empty without a probe.
    pub relus: Vec<ReluLook>,
}

/// A tensor in one iteration. All three are root mean squares (RMS) over its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TensorLook {
    /// `conv1.weight`.
    pub name: String,
    /// Of the gradient of the mean loss of the batch, before weight decay and clipping.
    pub gradient: f64,
    /// Of what the optimizer added to the tensor, weight decay included.
    pub update: f64,
    /// Of the tensor before that.
    pub weight: f64,
}

/// What a ReLU gives for the probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReluLook {
    /// `relu1`.
    pub layer: String,
    /// What its units are.
    pub unit: Unit,
    /// How many there are.
    pub units: usize,
    /// Units that are zero at every place of every image of the probe.
    pub dead: usize,
    /// The share of zeros among all outputs.
    pub zeros: f64,
}

/// What a ReLU has several of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Of images.
    Channel,
    /// Of vectors.
    Neuron,
}

impl Unit {
    /// In a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Neuron => "neuron",
        }
    }
}

impl TensorLook {
    /// Of a tensor with so many numbers, from the sums of their squares: of the gradient, the update and the weights.
    pub(crate) fn new(name: String, count: usize, [gradient, update, weight]: [f64; 3]) -> Self {
        let rms = |sum: f64| six_digits((sum / count as f64).sqrt());
        Self { name, gradient: rms(gradient), update: rms(update), weight: rms(weight) }
    }

    /// update / weight, which is about 10⁻³ in a network that learns well (A. Karpathy, *Neural networks: zero to hero*,
    /// lecture 4, 2022; and the notes of the course CS231n, *Neural networks 3*). `None` where the weights are zero.
    #[must_use]
    pub fn update_share(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.update / self.weight)
    }

    pub(crate) fn is_finite(&self) -> bool {
        [self.gradient, self.update, self.weight].iter().all(|figure| figure.is_finite())
    }
}

impl ReluLook {
    /// Of a ReLU called `layer`, for so many images.
    pub(crate) fn new(layer: String, found: &ActiveUnits, images: usize) -> Self {
        let units = found.active.len();
        Self {
            layer,
            unit: if found.outputs > units * images { Unit::Channel } else { Unit::Neuron },
            units,
            dead: found.dead(),
            zeros: six_digits(found.zeros as f64 / found.outputs.max(1) as f64),
        }
    }

    /// The share of units that are dead.
    #[must_use]
    pub fn dead_share(&self) -> f64 {
        self.dead as f64 / self.units.max(1) as f64
    }
}

/// What a file needs of a figure whose last bits depend on the engine.
fn six_digits(figure: f64) -> f64 {
    format!("{figure:.5e}").parse().unwrap_or(figure)
}

/// Looks from one with a probe to the next. A probe costs more than the rest of a look: 256 images every 400 iterations
/// of 16 images, of which each has three passes where one of the probe has one, are 256 / (3 · 400 · 16) = 1.3 % of the
/// passes.
const PROBED: usize = 4;

/// Whether a look at iteration `iteration` has a probe: the first one, every fourth, and the last.
pub(crate) fn is_probed(iteration: usize, every: usize, iterations: usize) -> bool {
    is_due(iteration, every.saturating_mul(PROBED), iterations)
}

/// Whether iteration `iteration`, from 1, is looked at in a run of so many.
pub(crate) fn is_due(iteration: usize, every: usize, iterations: usize) -> bool {
    every > 0 && (iteration == 1 || iteration == iterations || iteration.is_multiple_of(every))
}

/// In a layer with this share of dead units, or with more, a person should know of it.
const DEAD: f64 = 0.25;
/// A gradient that is smaller than that of another layer by this factor, or by more, has vanished on its way.
const VANISHED: f64 = 1e3;
/// Layers that are named; how many more there are is said.
const NAMED: usize = 3;

/// What is wrong with the layers, in sentences; none of a network that is healthy. `weighted` are the layers with a
/// matrix of weights, convolutions and linear layers, in their order.
#[must_use]
pub fn layer_warnings(looks: &[LayersLook], weighted: &[String]) -> Vec<String> {
    gradients(looks, weighted).into_iter().chain(dead(looks)).collect()
}

/// Layers whose gradient, in half of the looks or more, is far smaller than the largest of that look.
fn gradients(looks: &[LayersLook], weighted: &[String]) -> Option<String> {
    // Of each layer, in each look: by which factor another one is larger, and which.
    let mut factors: BTreeMap<usize, Vec<(f64, usize)>> = BTreeMap::new();
    for look in looks {
        let of_layer = |layer: &String| {
            let weight = look.tensors.iter().find(|tensor| tensor.name.strip_suffix(".weight") == Some(layer));
            weight.map(|tensor| tensor.gradient)
        };
        let found: Vec<(usize, f64)> =
            weighted.iter().enumerate().filter_map(|(at, layer)| Some((at, of_layer(layer)?))).collect();
        let Some(&(largest, most)) = found.iter().max_by(|one, other| one.1.total_cmp(&other.1)) else { continue };
        if most > 0.0 {
            found.iter().for_each(|&(at, own)| factors.entry(at).or_default().push((most / own, largest)));
        }
    }
    let median = |mut all: Vec<(f64, usize)>| {
        all.sort_by(|one, other| one.0.total_cmp(&other.0));
        all[all.len() / 2]
    };
    let small = factors.into_iter().map(|(at, all)| (at, median(all))).filter(|(_, (factor, _))| *factor >= VANISHED);
    let small: Vec<(usize, (f64, usize))> = small.collect();
    let &(worst, (factor, largest)) = small.iter().max_by(|one, other| one.1.0.total_cmp(&other.1.0))?;
    let (name, other) = (&weighted[worst], &weighted[largest]);
    let also = match small.len() - 1 {
        0 => String::new(),
        1 => ", and that of one more layer is too small as well".to_owned(),
        more => format!(", and those of {more} more layers are too small as well"),
    };
    Some(if factor.is_infinite() {
        format!("{name}'s gradient is zero: nothing comes back to it{also}.")
    } else {
        let (times, what) = (power_of_ten(factor), if worst < largest { "vanishes" } else { "explodes" });
        format!("{name}'s gradient is {times} times smaller than {other}'s: it {what} on its way back{also}.")
    })
}

/// `10⁴` of 7,000: the nearest power.
fn power_of_ten(factor: f64) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let power = (factor.log10().round() as usize).to_string();
    let digits = power.bytes().map(|digit| DIGITS[usize::from(digit - b'0')]);
    format!("10{}", digits.collect::<String>())
}

/// The ReLUs with many dead units, in the last look that has a probe.
fn dead(looks: &[LayersLook]) -> Option<String> {
    let last = looks.iter().rfind(|look| !look.relus.is_empty())?;
    let mut worst: Vec<&ReluLook> = last.relus.iter().filter(|relu| relu.dead_share() >= DEAD).collect();
    worst.sort_by(|one, other| other.dead_share().total_cmp(&one.dead_share()));
    let in_words = |relu: &&ReluLook| {
        let percent = (100.0 * relu.dead_share()).round();
        format!("{percent} % of {}'s {}s", relu.layer, relu.unit.name())
    };
    let mut named: Vec<String> = worst.iter().take(NAMED).map(in_words).collect();
    match worst.len().saturating_sub(NAMED) {
        0 => {}
        1 => named.push("units of one more layer".to_owned()),
        more => named.push(format!("units of {more} more layers")),
    }
    let (end, rest) = named.split_last()?;
    let named = if rest.is_empty() { end.clone() } else { format!("{} and {end}", rest.join(", ")) };
    Some(format!("{named} are dead: zero for all {} images of the probe.", last.probe_images))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(gradients: &[f64], relus: &[[usize; 2]]) -> LayersLook {
        let tensors = gradients.iter().enumerate().map(|(at, &gradient)| TensorLook {
            name: format!("conv{}.weight", at + 1),
            gradient,
            update: 1e-3,
            weight: 1.0,
        });
        let relus = relus.iter().enumerate().map(|(at, &[units, dead])| ReluLook {
            layer: format!("relu{}", at + 1),
            unit: Unit::Channel,
            units,
            dead,
            zeros: 0.5,
        });
        LayersLook { iteration: 1, epoch: 0.1, tensors: tensors.collect(), probe_images: 256, relus: relus.collect() }
    }

    fn warnings(looks: &[LayersLook]) -> Vec<String> {
        let layers: Vec<String> = (1..6).map(|at| format!("conv{at}")).collect();
        layer_warnings(looks, &layers)
    }

    #[test]
    fn of_healthy_layers_nothing_is_said() {
        assert_eq!(warnings(&[look(&[1e-3, 1e-1], &[[16, 3]])]), Vec::<String>::new());
        assert_eq!(warnings(&[]), Vec::<String>::new());
        // A tensor that is no matrix, such as the scale of a normalisation, has a gradient of its own size.
        assert_eq!(layer_warnings(&[look(&[1e-9, 1.0], &[])], &["conv2".to_owned()]), Vec::<String>::new());
    }

    #[test]
    fn a_gradient_that_vanishes_is_told_from_one_that_explodes_and_from_none() {
        let said = |gradients: &[f64]| warnings(&vec![look(gradients, &[]); 3]).swap_remove(0);
        assert_eq!(
            said(&[1e-2, 1e-5, 1e-1]),
            "conv2's gradient is 10⁴ times smaller than conv3's: it vanishes on its way back."
        );
        assert_eq!(
            said(&[1e-6, 1e-5, 1e-1]),
            "conv1's gradient is 10⁵ times smaller than conv3's: it vanishes on its way back, and that of one more \
             layer is too small as well."
        );
        assert_eq!(
            said(&[1e12, 3e-1]),
            "conv2's gradient is 10¹³ times smaller than conv1's: it explodes on its way back."
        );
        assert_eq!(
            said(&[0.0, 0.0, 0.0, 1e-1]),
            "conv3's gradient is zero: nothing comes back to it, and those of 2 more layers are too small as well."
        );
    }

    #[test]
    fn one_look_in_which_a_gradient_is_small_is_no_warning() {
        let looks = [look(&[1e-9, 1.0], &[]), look(&[0.5, 1.0], &[]), look(&[0.5, 1.0], &[])];
        assert_eq!(warnings(&looks), Vec::<String>::new());
    }

    #[test]
    fn the_layers_with_most_dead_units_are_named_and_the_others_counted() {
        let first = look(&[], &[[8, 8]]);
        let said = |relus: &[[usize; 2]]| warnings(&[first.clone(), look(&[], relus)]).swap_remove(0);
        assert_eq!(said(&[[8, 3]]), "38 % of relu1's channels are dead: zero for all 256 images of the probe.");
        assert_eq!(
            said(&[[8, 4], [8, 0], [8, 8]]),
            "100 % of relu3's channels and 50 % of relu1's channels are dead: zero for all 256 images of the probe."
        );
        let many = said(&[[8, 4], [8, 4], [8, 4], [8, 4], [8, 8]]);
        assert!(
            many.starts_with(
                "100 % of relu5's channels, 50 % of relu1's channels, 50 % of relu2's channels and units of 2 more layers"
            ),
            "{many}"
        );
    }

    #[test]
    fn the_first_iteration_every_so_many_and_the_last_are_looked_at() {
        let due = |every| (1..=25).filter(|&iteration| is_due(iteration, every, 25)).collect::<Vec<_>>();
        assert_eq!(due(10), [1, 10, 20, 25]);
        let probed = |every| (1..=25).filter(|&iteration| is_probed(iteration, every, 25)).collect::<Vec<_>>();
        assert_eq!(probed(2), [1, 8, 16, 24, 25]);
        assert!(probed(2).into_iter().all(|iteration| is_due(iteration, 2, 25)));
        assert!(due(0).is_empty());
    }
}
