//! Many runs of one experiment, or of several: what varies between them, and each of them in full.

use crate::Experiment;

/// A sweep, every run of it checked.
///
/// ```toml
/// base = "../cifar-baseline.toml"     # relative to this file
/// seeds = [1, 2, 3]
///
/// [set]                               # of every run
/// training.iterations = 2_000
///
/// [grid]                              # every combination of these
/// optimizer.learning_rate = [0.01, 0.02]
/// optimizer.momentum = [0.9, 0.95]
/// model.layers = { small = ["flatten", …], deep = […] }    # values may have names
///
/// [[points]]                          # with each of these
/// name = "narrow"
/// model.name = "cifar-baseline"
/// ```
///
/// A point may start from another experiment, `base = "../mnist-baseline.toml"`, and is then called by that one's name.
/// Where every point does, the sweep needs no base.
///
/// A run may begin with the weights of an earlier run of the sweep: `model.init_from = "sweep:NAME"` is the run of that
/// name with the same seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// What it is called; the file's name unless it says another.
    pub name: String,
    /// The keys that vary, `optimizer.learning_rate`, in the order of the file.
    pub keys: Vec<String>,
    /// The points, in the order of the file: the last axis varies fastest.
    pub points: Vec<SweepPoint>,
}

/// One choice of the values that vary.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepPoint {
    /// What the file calls it, if it does; of a point with a base of its own, that experiment's name.
    pub name: Option<String>,
    /// The value of each of [`Sweep::keys`] for a person: its name, if the file gives it one; text bare, layers in words,
    /// all else as TOML. `None` where the experiment does not have the key.
    pub values: Vec<Option<String>>,
    /// The experiment with each seed. Never empty.
    pub runs: Vec<Experiment>,
}

impl Sweep {
    /// The most runs that one sweep may have: every one of them is checked before the first is started.
    pub const MOST_RUNS: usize = 10_000;

    /// Every run with the index of its point: the seeds of the first point, then those of the second.
    pub fn runs(&self) -> impl Iterator<Item = (usize, &Experiment)> {
        self.points.iter().enumerate().flat_map(|(index, point)| point.runs.iter().map(move |run| (index, run)))
    }

    /// The index, in the order of [`runs`](Self::runs), of the run whose last weights `run` begins with: an earlier
    /// one.
    pub fn first_weights(&self, run: &Experiment) -> Option<usize> {
        let name = begins_with(run)?;
        self.runs().position(|(_, other)| other.name == name && other.seed == run.seed)
    }

    /// 8 hexadecimal digits: equal for sweeps with equal runs in the same order, on the same `backend`.
    pub fn hash(&self, backend: &str) -> String {
        let texts = self.runs().map(|(_, run)| run.to_toml());
        let all: Vec<String> = std::iter::once(backend.to_owned()).chain(texts).collect();
        crate::random::short_hash(all.join("\n\n").as_bytes())
    }

    /// A point in words: its name, or what varies, `learning_rate 0.05, momentum 0.9`.
    pub fn label(&self, point: &SweepPoint) -> String {
        if let Some(name) = &point.name
            && self.points.iter().filter(|other| other.name.as_ref() == Some(name)).count() == 1
        {
            return name.clone();
        }
        let values = self.short_keys().into_iter().zip(&point.values);
        let mut words: Vec<String> = point.name.iter().cloned().collect();
        words.extend(values.map(|(key, value)| format!("{key} {}", value.as_deref().unwrap_or("–"))));
        words.join(", ")
    }

    /// The last part of each key, or the whole of it where two end alike.
    pub fn short_keys(&self) -> Vec<&str> {
        let last = |key: &'_ str| key.rfind('.').map_or(0, |dot| dot + 1);
        let short: Vec<&str> = self.keys.iter().map(|key| &key[last(key)..]).collect();
        let alike = |key: &str| short.iter().filter(|&&other| other == key).count() > 1;
        short.iter().zip(&self.keys).map(|(&short, key)| if alike(short) { key } else { short }).collect()
    }
}

/// The name of the run of the same sweep that `run` begins with.
pub(crate) fn begins_with(run: &Experiment) -> Option<&str> {
    run.warm_start.as_ref()?.init_from.strip_prefix("sweep:")
}
