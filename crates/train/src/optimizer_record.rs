//! What an optimizer remembers, out of Burn's record of it and into one.
//!
//! Burn's records are opaque, but their bytes are in a published format, burn-pack: of each parameter the tensors
//! `ID.FIELD` and the scalars `ID.FIELD` and `ID.__rank`, and in the metadata the module path of `ID`. So the compiled
//! engine writes what its steps remember as Burn would, and every engine reads the checkpoints of the others.

use std::collections::BTreeMap;

use backproof_models::Network;
use backproof_spec::{OptimizerKind, UpdateRule};
use burn::Tensor;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::tensor::TensorData;
use burn_pack::{Reader, Scalar, Writer};

use crate::momentum::FIELD;
use crate::rules::Rules;

const MEMORY: &str = "memory does not fail, and Burn reads what it writes";

/// What the kernels' steps remember after some of them.
#[derive(Debug)]
pub(crate) struct Remembered {
    /// Steps made so far by the rule of each group. Where the record does not count them, 1 stands for any number
    /// above 0.
    pub(crate) steps: Vec<usize>,
    /// Networks with what is remembered of each parameter in its place, in the order in which the steps of the kernels
    /// have it. A step that remembers less has zeros in the later ones.
    pub(crate) slots: Vec<Network>,
}

/// The names of the tensors in a record, in the order of the kernels' step, none where they have no step; and of the
/// number of steps.
fn fields(kind: &OptimizerKind) -> (Vec<&'static str>, Option<&'static str>) {
    let of_adam = |amsgrad: bool| {
        let mut tensors = vec!["momentum.moment_1", "momentum.moment_2"];
        tensors.extend(amsgrad.then_some("momentum.max_moment_2"));
        (tensors, Some("momentum.time"))
    };
    match *kind {
        OptimizerKind::Momentum { .. } => (vec![FIELD], None),
        OptimizerKind::Sgd { momentum, .. } => {
            ((momentum > 0.0).then_some("momentum.velocity").into_iter().collect(), None)
        }
        OptimizerKind::AdaGrad { .. } => (vec!["lr_decay.sum"], Some("lr_decay.time")),
        OptimizerKind::RmsProp { momentum, centered, .. } => {
            let mut tensors = vec!["square_avg.square_avg"];
            tensors.extend(centered.then_some("centered.grad_avg"));
            tensors.extend((momentum > 0.0).then_some("momentum.buf"));
            (tensors, None)
        }
        OptimizerKind::Adam(adam) | OptimizerKind::AdamW(adam) => of_adam(adam.amsgrad),
        OptimizerKind::Muon { .. } => (Vec::new(), None),
    }
}

/// The record of an optimizer whose steps on the kernels remember this, and whose other steps remember what `others`
/// does.
pub(crate) fn record(rules: &Rules, remembered: &Remembered, others: &ModuleOptimizer) -> OptimizerRecord {
    let mut parts: BTreeMap<u64, Part> = BTreeMap::new();
    for (number, slot) in remembered.slots.iter().enumerate() {
        let name = |id: u64| fields(&rule(rules, id)?.kind).0.get(number).copied();
        slot.visit(&mut Parts { path: Vec::new(), name: &name, parts: &mut parts });
    }
    let mut written = Written::default();
    for (id, mut part) in parts {
        let Some(group) = rules.group_of_id(id) else { continue };
        let kind = rules.groups()[group].rule.kind;
        if remembered.steps[group] == 0 {
            continue; // Before its first step an optimizer remembers nothing, and Burn's first step may differ.
        }
        if let OptimizerKind::RmsProp { centered, .. } = kind {
            part.add_centered(centered);
        }
        written.scalars.push((format!("{id}.__rank"), Scalar::from(part.rank)));
        let time = fields(&kind).1;
        written.scalars.extend(time.map(|time| (format!("{id}.{time}"), Scalar::from(remembered.steps[group]))));
        written.paths.push((id.to_string(), part.path));
        written.tensors.extend(part.tensors.into_iter().map(|(name, data)| {
            let (bytes, shape, dtype) = data.into_parts();
            burn_pack::Tensor::new(format!("{id}.{name}"), dtype, shape, Some(id), bytes)
        }));
    }
    if rules.groups().iter().any(|group| fields(&group.rule.kind).0.is_empty()) {
        written.add(rules, others);
    }
    written.record()
}

/// The parts of a record.
#[derive(Default)]
struct Written {
    tensors: Vec<burn_pack::Tensor>,
    scalars: Vec<(String, Scalar)>,
    paths: Vec<(String, String)>,
}

impl Written {
    /// Adds what `optimizer` remembers of the parameters whose steps the kernels do not have.
    fn add(&mut self, rules: &Rules, optimizer: &ModuleOptimizer) {
        let bytes = optimizer.to_record().into_bytes().expect(MEMORY);
        let reader = Reader::from_bytes(bytes).expect(MEMORY);
        let is_other = |id: u64| rule(rules, id).is_some_and(|rule| fields(&rule.kind).0.is_empty());
        let of = |name: &str| name.split('.').next().and_then(|id| id.parse().ok()).is_some_and(is_other);
        let scalars = reader.scalars().iter().filter(|(name, _)| of(name));
        self.scalars.extend(scalars.map(|(name, scalar)| (name.clone(), *scalar)));
        let paths = reader.metadata().iter().filter(|(id, _)| of(id));
        self.paths.extend(paths.map(|(id, path)| (id.clone(), path.clone())));
        for tensor in reader.into_tensors().expect(MEMORY) {
            let (name, dtype, shape, id, bytes) = tensor.into_parts().expect(MEMORY);
            if of(&name) {
                self.tensors.push(burn_pack::Tensor::new(name, dtype, shape, id, bytes));
            }
        }
    }

    fn record(self) -> OptimizerRecord {
        let mut writer = Writer::new(self.tensors);
        for (name, value) in self.scalars {
            writer = writer.with_scalar(&name, value);
        }
        for (id, path) in self.paths {
            writer = writer.with_metadata(&id, &path);
        }
        OptimizerRecord::from_bytes(writer.into_bytes().expect(MEMORY)).expect(MEMORY)
    }
}

/// The update rule of the parameter with this id.
fn rule(rules: &Rules, id: u64) -> Option<&UpdateRule> {
    rules.group_of_id(id).map(|group| &rules.groups()[group].rule)
}

/// What of `optimizer` the kernels' steps remember of each parameter of `network`; zeros where it remembers nothing.
pub(crate) fn remembered(rules: &Rules, optimizer: &ModuleOptimizer, network: &Network) -> Remembered {
    let bytes = optimizer.to_record().into_bytes().expect(MEMORY);
    let reader = Reader::from_bytes(bytes).expect(MEMORY);
    let mut steps = vec![0; rules.groups().len()];
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for (name, steps) in reader.scalars() {
        counted.extend(usize::try_from(*steps).ok().map(|steps| (name.clone(), steps)));
    }
    let most = rules.groups().iter().map(|group| fields(&group.rule.kind).0.len()).max().unwrap_or(0);
    let mut slots: Vec<BTreeMap<u64, TensorData>> = vec![BTreeMap::new(); most];
    for tensor in reader.into_tensors().expect(MEMORY) {
        let (name, dtype, shape, id, bytes) = tensor.into_parts().expect(MEMORY);
        let id = id.expect("a tensor of a record is of a parameter");
        let Some(group) = rules.group_of_id(id) else { continue };
        let (names, time) = fields(&rules.groups()[group].rule.kind);
        steps[group] = time.and_then(|time| counted.get(&format!("{id}.{time}")).copied()).unwrap_or(1);
        let field = name.split_once('.').map_or("", |(_, field)| field);
        if let Some(slot) = names.iter().position(|name| *name == field) {
            slots[slot].insert(id, TensorData::from_bytes(bytes, shape, dtype));
        }
    }
    let slots = slots.into_iter().map(|found| network.clone().map(&mut Recall(found))).collect();
    Remembered { steps, slots }
}

/// What is remembered of one parameter.
struct Part {
    rank: usize,
    path: String,
    tensors: Vec<(&'static str, TensorData)>,
}

impl Part {
    /// What Burn's RMSProp keeps under the root, which it makes anew at every step: s, or s − a².
    fn add_centered(&mut self, centered: bool) {
        const SINGLE: &str = "a plan has numbers in single precision";
        let mut under = self.tensors[0].1.clone();
        if centered {
            let means = self.tensors[1].1.clone();
            let numbers = under.as_mut_slice::<f32>().expect(SINGLE);
            numbers.iter_mut().zip(means.as_slice::<f32>().expect(SINGLE)).for_each(|(s, a)| *s -= a * a);
        }
        self.tensors.push(("centered.avg", under));
    }
}

/// Adds the trainable tensors of a network, as the field that `name` gives the parameter with an id.
struct Parts<'a> {
    path: Vec<String>,
    name: &'a dyn Fn(u64) -> Option<&'static str>,
    parts: &'a mut BTreeMap<u64, Part>,
}

impl ModuleVisitor for Parts<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        // An optimizer does not move running statistics.
        if self.path.last().is_some_and(|field| field.starts_with("running_")) {
            return;
        }
        let Some(name) = (self.name)(parameter.id.val()) else { return };
        let new = || Part { rank: D, path: self.path.join("."), tensors: Vec::new() };
        let part = self.parts.entry(parameter.id.val()).or_insert_with(new);
        part.tensors.push((name, parameter.val().into_data()));
    }
}

/// Puts the tensors, by parameter id, in place of the parameters.
struct Recall(BTreeMap<u64, TensorData>);

impl ModuleMapper for Recall {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, value, mapper) = parameter.consume();
        let remembered = match self.0.remove(&id.val()) {
            Some(data) => {
                let dtype = data.dtype();
                Tensor::from_data(data, (&value.device(), dtype))
            }
            None => value.zeros_like(),
        };
        Param::from_mapped_value(id, remembered, mapper)
    }
}

#[cfg(test)]
mod tests {
    use backproof_spec::published;
    use burn::tensor::Device;

    use super::*;
    use crate::new_optimizer;
    use crate::testing::optimizers;

    fn network(seed: u64) -> Network {
        Network::new(&published::lenet_5(), seed, &Device::flex()).unwrap()
    }

    fn bits(network: &Network) -> Vec<Vec<u32>> {
        let tensors = network.tensors().into_iter();
        tensors.map(|tensor| tensor.data.iter::<f32>().map(f32::to_bits).collect()).collect()
    }

    fn contents(optimizer: &ModuleOptimizer) -> impl PartialEq + std::fmt::Debug {
        let reader = Reader::from_bytes(optimizer.to_record().into_bytes().unwrap()).unwrap();
        let (scalars, metadata) = (reader.scalars().clone(), reader.metadata().clone());
        let tensors = reader.into_tensors().unwrap().into_iter().map(|tensor| {
            let (name, _, shape, id, bytes) = tensor.into_parts().unwrap();
            (name, shape.to_vec(), id, bytes.to_vec())
        });
        let mut tensors: Vec<_> = tensors.collect();
        tensors.sort();
        (format!("{scalars:?}"), metadata, tensors)
    }

    /// Burn's record, taken apart and put together again, is Burn's record.
    #[test]
    fn a_record_is_the_one_that_burn_makes() {
        for settings in optimizers() {
            let mut by_burn = new_optimizer(&settings);
            let mut network = network(1).train();
            let rules = Rules::new(&settings.into(), 1, &network);
            for seed in 2..5 {
                network = by_burn.step(1e-3, network, self::network(seed).as_gradients());
            }
            let remembered = remembered(&rules, &by_burn, &network.valid());
            let ours = new_optimizer(&settings).load_record(record(&rules, &remembered, &by_burn));
            if remembered.slots.is_empty() {
                continue; // Burn writes that it remembers nothing of each parameter, and we write nothing.
            }
            assert_eq!(contents(&ours), contents(&by_burn), "{settings:?}");
        }
    }

    #[test]
    fn an_optimizer_before_its_first_step_remembers_zeros() {
        for settings in optimizers() {
            let rules = Rules::new(&settings.into(), 1, &network(1));
            let fresh = remembered(&rules, &new_optimizer(&settings), &network(1));
            assert_eq!(fresh.steps, [0], "{settings:?}");
            assert!(fresh.slots.iter().flat_map(bits).flatten().all(|bits| bits == 0), "{settings:?}");
        }
    }
}
