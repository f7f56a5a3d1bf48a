//! Every combination of the axes as a checked experiment.

use std::collections::HashMap;

use crate::config::check::Fault;
use crate::config::document::{self, Node, Table, Value};
use crate::config::overrides::{Override, Segment};
use crate::config::sources::Sources;
use crate::sweep::begins_with;
use crate::{DataSets, Experiment, Sweep, SweepPoint, describe_layer};

use super::file::{Axis, Choice, Declared};
use super::texts::{BaseConfig, SWEEP};

/// The sweep, or what is wrong with any of its runs.
pub(super) fn sweep(
    declared: &Declared,
    bases: &[BaseConfig],
    last: &[Override],
    data_sets: &DataSets,
    sources: &Sources<'_>,
) -> Result<Sweep, Vec<Fault>> {
    let axes = &declared.axes;
    let count = axes.iter().try_fold(1_usize, |runs, axis| runs.checked_mul(axis.choices.len()));
    let Some(count) = count.filter(|&count| count <= Sweep::MOST_RUNS) else {
        let lengths: Vec<String> = axes.iter().map(|axis| axis.choices.len().to_string()).collect();
        let message =
            format!("{} runs are more than the {} that a sweep may have", lengths.join(" × "), Sweep::MOST_RUNS);
        return Err(vec![Fault::new(message, None).help("split it into several sweeps")]);
    };
    let seeds = if declared.has_seeds { axes.last().map_or(1, |axis| axis.choices.len()) } else { 1 };
    let paths = swept(axes);
    let mut sweep = Sweep {
        name: declared.name.clone(),
        keys: paths.iter().map(|(key, _)| key.clone()).collect(),
        points: Vec::with_capacity(count / seeds),
    };
    let mut faults = Faults::default();
    let mut known: HashMap<String, usize> = HashMap::new();
    for number in 0..count {
        let choices = combination(axes, number);
        let base = base_of(declared, &choices, bases);
        let mut root = base.root.clone();
        let made = apply(&mut root, &declared.set, &choices, last)
            .and_then(|()| crate::config::experiment(&root, &base.default_name, data_sets));
        let run = match made {
            Ok(run) => run,
            Err(found) => {
                found.into_iter().for_each(|fault| faults.add(fault, &choices, sources));
                continue;
            }
        };
        // A name does not make another run.
        let text = Experiment { name: String::new(), ..run.clone() }.to_toml();
        if let Some(&other) = known.get(&text) {
            let place = differing(axes, number, other).map(|choice| choice.span);
            let message = format!("two runs are the same: {}", words(&combination(axes, other), sources));
            faults.add_new(Fault::new(message, place).help("each run is made once; leave one of them out"));
            continue;
        }
        known.insert(text, number);
        if sweep.begins_with_no_earlier(&run) {
            faults.add(no_earlier(&run, &choices), &choices, sources);
        }
        if number % seeds == 0 {
            sweep.points.push(point(&choices, &run, &paths));
        }
        if let Some(point) = sweep.points.last_mut() {
            point.runs.push(run);
        }
    }
    if faults.0.is_empty() { Ok(sweep) } else { Err(faults.0) }
}

impl Sweep {
    /// Whether `run` asks for the weights of a run that is not among those so far.
    fn begins_with_no_earlier(&self, run: &Experiment) -> bool {
        begins_with(run).is_some() && self.first_weights(run).is_none()
    }
}

fn no_earlier(run: &Experiment, choices: &[&Choice]) -> Fault {
    let name = begins_with(run).unwrap_or_default();
    let given = choices.iter().flat_map(|choice| &choice.overrides).find(|given| given.key() == "model.init_from");
    let message = format!("no earlier run of the sweep is called `{name}` and has seed {}", run.seed);
    Fault::new(message, given.map(|given| given.node.span))
        .help("a run can only begin with a run that stands before it")
}

/// The keys that vary and their paths, but for the seed and the name.
fn swept(axes: &[Axis]) -> Vec<(String, Vec<Segment>)> {
    let mut swept: Vec<(String, Vec<Segment>)> = Vec::new();
    for given in axes.iter().flat_map(|axis| &axis.choices).flat_map(|choice| &choice.overrides) {
        let key = given.key();
        if key != "seed" && key != "name" && !swept.iter().any(|(other, _)| *other == key) {
            swept.push((key, given.path.clone()));
        }
    }
    swept
}

/// The choices of run `number`; the last axis varies fastest.
fn combination(axes: &[Axis], mut number: usize) -> Vec<&Choice> {
    let mut choices: Vec<&Choice> = Vec::with_capacity(axes.len());
    for axis in axes.iter().rev() {
        choices.push(&axis.choices[number % axis.choices.len()]);
        number /= axis.choices.len();
    }
    choices.reverse();
    choices
}

/// The experiment that a run starts from: its point's, or else the sweep's.
fn base_of<'a>(declared: &Declared, choices: &[&Choice], bases: &'a [BaseConfig]) -> &'a BaseConfig {
    let base = choices.iter().find_map(|choice| choice.base.as_ref()).or(declared.base.as_ref());
    let base = base.and_then(|base| bases.iter().find(|it| it.path == base.path));
    base.expect("a sweep without a base is refused when its file is read, and every base was read")
}

/// The first choice of `number` that `other` does not share.
fn differing(axes: &[Axis], number: usize, other: usize) -> Option<&Choice> {
    let pairs = combination(axes, number).into_iter().zip(combination(axes, other));
    pairs.into_iter().find(|(one, other)| !std::ptr::eq(*one, *other)).map(|(one, _)| one)
}

fn apply(root: &mut Table, set: &[Override], choices: &[&Choice], last: &[Override]) -> Result<(), Vec<Fault>> {
    Override::apply_all(set, root)?;
    Override::apply_all(choices.iter().flat_map(|choice| &choice.overrides), root)?;
    Override::apply_all(last, root)?;
    Ok(())
}

fn point(choices: &[&Choice], run: &Experiment, paths: &[(String, Vec<Segment>)]) -> SweepPoint {
    let is_named = |choice: &&Choice| choice.base.is_some() || choice.overrides.iter().any(|it| it.key() == "name");
    let named = choices.iter().any(is_named);
    let text = run.to_toml();
    let values = match document::parse(&text, 0, 0) {
        Ok(root) => paths
            .iter()
            .map(|(key, path)| {
                called(choices, key).or_else(|| Some(in_words(run, path, written(value(&root, path)?, &text))))
            })
            .collect(),
        // What is written reads back.
        Err(_) => vec![None; paths.len()],
    };
    SweepPoint { name: named.then(|| run.name.clone()), values, runs: Vec::new() }
}

/// What the file calls the value that a key has by these choices, if it does.
fn called(choices: &[&Choice], key: &str) -> Option<String> {
    choices.iter().find(|choice| choice.overrides.iter().any(|it| it.key() == key))?.called.clone()
}

/// A value for a person: layers in words, `conv 16, 5×5 · ReLU`, and all else as it is written.
fn in_words(run: &Experiment, path: &[Segment], written: String) -> String {
    let names: Vec<&str> = path.iter().map(|segment| segment.name.as_str()).collect();
    let layers = &run.model.layers;
    match names[..] {
        ["model", "layers"] => layers.iter().map(describe_layer).collect::<Vec<_>>().join(" · "),
        ["model", "layers", number] => {
            number.parse::<usize>().ok().and_then(|at| layers.get(at)).map_or(written, describe_layer)
        }
        _ => written,
    }
}

fn value<'a>(table: &'a Table, path: &[Segment]) -> Option<&'a Node> {
    let [segment, rest @ ..] = path else { return None };
    let mut node = &table.iter().find(|entry| entry.key == segment.name)?.node;
    for segment in rest {
        node = match &node.value {
            Value::Table(table) => &table.iter().find(|entry| entry.key == segment.name)?.node,
            Value::Array(items) => items.get(segment.name.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(node)
}

/// Text bare, a table with nothing but a type as that type, all else as TOML, on one line.
fn written(node: &Node, text: &str) -> String {
    match &node.value {
        Value::Text(text) => text.clone(),
        Value::Table(table) => match &table[..] {
            [only] if only.key == "type" => written(&only.node, text),
            _ => one_line(&text[node.span.start..node.span.end]),
        },
        _ => one_line(&text[node.span.start..node.span.end]),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Each fault once, though many runs have it.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, mut fault: Fault, choices: &[&Choice], sources: &Sources<'_>) {
        // At the sweep's own line the caret says it; elsewhere the run that is meant has to be named.
        if fault.span.is_none_or(|span| span.source != SWEEP && sources.is_in_a_file(span)) {
            if self.0.iter().any(|known| known.span == fault.span && known.message.starts_with(&fault.message)) {
                return;
            }
            fault.message = format!("{}, in the run with {}", fault.message, words(choices, sources));
        }
        self.add_new(fault);
    }

    fn add_new(&mut self, fault: Fault) {
        if !self.0.iter().any(|known| known.span == fault.span && known.message == fault.message) {
            self.0.push(fault);
        }
    }
}

/// The values of a run as the sweep's file has them.
fn words(choices: &[&Choice], sources: &Sources<'_>) -> String {
    let mut words = Vec::new();
    for choice in choices {
        words.extend(choice.base.iter().map(|base| format!("base = {}", sources.text(base.span))));
        words.extend(choice.overrides.iter().map(|it| format!("{} = {}", it.key(), sources.text(it.node.span))));
    }
    words.join(", ")
}
