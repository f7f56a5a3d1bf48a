//! What an optimizer remembers, out of Burn's record of it and into one.
//!
//! Burn's records are opaque, but their bytes are in a published format, burn-pack: of each parameter the tensors
//! `ID.FIELD` and the scalars `ID.FIELD` and `ID.__rank`, and in the metadata the module path of `ID`. So the compiled
//! engine writes what its steps remember as Burn would, and every engine reads the checkpoints of the others.

use std::collections::BTreeMap;

use backproof_models::Network;
use backproof_spec::OptimizerKind;
use burn::Tensor;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::tensor::TensorData;
use burn_pack::{Reader, Scalar, Writer};

use crate::momentum::FIELD;

const MEMORY: &str = "memory does not fail, and Burn reads what it writes";

/// What an optimizer remembers after some steps.
#[derive(Debug)]
pub(crate) struct Remembered {
    /// Steps made so far. Where the record does not count them, 1 stands for any number above 0.
    pub(crate) steps: usize,
    /// Networks with what is remembered of each trainable tensor in its place, in the order in which the step of the
    /// kernels has it.
    pub(crate) slots: Vec<Network>,
}

/// The names of the tensors in a record, in the order of the kernels' step; and of the number of steps.
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
    }
}

/// The record of an optimizer that remembers this.
pub(crate) fn record(kind: &OptimizerKind, remembered: &Remembered) -> OptimizerRecord {
    let (names, time) = fields(kind);
    let mut parts: BTreeMap<u64, Part> = BTreeMap::new();
    for (name, slot) in names.into_iter().zip(&remembered.slots) {
        slot.visit(&mut Parts { path: Vec::new(), name, parts: &mut parts });
    }
    if let OptimizerKind::RmsProp { centered, .. } = *kind {
        parts.values_mut().for_each(|part| part.add_centered(centered));
    }
    let mut tensors = Vec::new();
    let mut scalars = Vec::new();
    let mut paths = Vec::new();
    for (id, part) in parts {
        scalars.push((format!("{id}.__rank"), Scalar::from(part.rank)));
        scalars.extend(time.map(|time| (format!("{id}.{time}"), Scalar::from(remembered.steps))));
        paths.push((id.to_string(), part.path));
        tensors.extend(part.tensors.into_iter().map(|(name, data)| {
            let (bytes, shape, dtype) = data.into_parts();
            burn_pack::Tensor::new(format!("{id}.{name}"), dtype, shape, Some(id), bytes)
        }));
    }
    let mut writer = Writer::new(tensors);
    for (name, value) in scalars {
        writer = writer.with_scalar(&name, value);
    }
    for (id, path) in paths {
        writer = writer.with_metadata(&id, &path);
    }
    OptimizerRecord::from_bytes(writer.into_bytes().expect(MEMORY)).expect(MEMORY)
}

/// What `optimizer`, of this kind, remembers of each parameter of `network`; zeros where it remembers nothing.
pub(crate) fn remembered(kind: &OptimizerKind, optimizer: &ModuleOptimizer, network: &Network) -> Remembered {
    let bytes = optimizer.to_record().into_bytes().expect(MEMORY);
    let reader = Reader::from_bytes(bytes).expect(MEMORY);
    let (names, time) = fields(kind);
    let counted = time.and_then(|time| {
        let mut counts =
            reader.scalars().iter().filter(|(name, _)| name.split_once('.').is_some_and(|(_, of)| of == time));
        counts.find_map(|(_, steps)| usize::try_from(*steps).ok())
    });
    let mut tensors: BTreeMap<String, BTreeMap<u64, TensorData>> = BTreeMap::new();
    for tensor in reader.into_tensors().expect(MEMORY) {
        let (name, dtype, shape, id, bytes) = tensor.into_parts().expect(MEMORY);
        let id = id.expect("a tensor of a record is of a parameter");
        let field = name.split_once('.').map_or("", |(_, field)| field).to_owned();
        tensors.entry(field).or_default().insert(id, TensorData::from_bytes(bytes, shape, dtype));
    }
    let steps = counted.unwrap_or(usize::from(!tensors.is_empty()));
    let slots =
        names.into_iter().map(|name| network.clone().map(&mut Recall(tensors.remove(name).unwrap_or_default())));
    Remembered { steps, slots: slots.collect() }
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

/// Adds the trainable tensors of a network, as the field `name`.
struct Parts<'a> {
    path: Vec<String>,
    name: &'static str,
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
        let new = || Part { rank: D, path: self.path.join("."), tensors: Vec::new() };
        let part = self.parts.entry(parameter.id.val()).or_insert_with(new);
        part.tensors.push((self.name, parameter.val().into_data()));
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
            for seed in 2..5 {
                network = by_burn.step(1e-3, network, self::network(seed).as_gradients());
            }
            let remembered = remembered(&settings.kind, &by_burn, &network.valid());
            let ours = new_optimizer(&settings).load_record(record(&settings.kind, &remembered));
            if remembered.slots.is_empty() {
                continue; // Burn writes that it remembers nothing of each parameter, and we write nothing.
            }
            assert_eq!(contents(&ours), contents(&by_burn), "{settings:?}");
        }
    }

    #[test]
    fn an_optimizer_before_its_first_step_remembers_zeros() {
        for settings in optimizers() {
            let fresh = remembered(&settings.kind, &new_optimizer(&settings), &network(1));
            assert_eq!(fresh.steps, 0, "{settings:?}");
            assert!(fresh.slots.iter().flat_map(bits).flatten().all(|bits| bits == 0), "{settings:?}");
        }
    }
}
