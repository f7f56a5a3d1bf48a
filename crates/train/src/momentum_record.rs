//! What a momentum optimizer remembers, out of Burn's record of it and into one.
//!
//! Burn's records are opaque, but their bytes are in a published format, burn-pack: of each parameter the tensors
//! `ID.FIELD` and the scalar `ID.__rank`, and in the metadata the module path of `ID`. So the compiled
//! engine writes what its momentum remembers as Burn would, and every engine reads the checkpoints of the others.

use std::collections::BTreeMap;

use backproof_models::Network;
use burn::Tensor;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::tensor::TensorData;
use burn_pack::{Reader, Scalar, Writer};

use crate::momentum::FIELD;

const MEMORY: &str = "memory does not fail, and Burn reads what it writes";

/// The record of an optimizer [`Momentum`](crate::Momentum) that remembers the trainable tensors of `velocity`.
pub(crate) fn record(velocity: &Network) -> OptimizerRecord {
    let mut parts = Parts::default();
    velocity.visit(&mut parts);
    let mut writer = Writer::new(parts.tensors);
    for (id, rank, path) in parts.parameters {
        writer = writer.with_scalar(&format!("{id}.__rank"), Scalar::from(rank)).with_metadata(&id.to_string(), &path);
    }
    OptimizerRecord::from_bytes(writer.into_bytes().expect(MEMORY)).expect(MEMORY)
}

/// `network` with what `optimizer` remembers of each parameter in its place; zeros where it remembers nothing.
pub(crate) fn velocity(optimizer: &ModuleOptimizer, network: &Network) -> Network {
    let bytes = optimizer.to_record().into_bytes().expect(MEMORY);
    let tensors = Reader::from_bytes(bytes).and_then(Reader::into_tensors).expect(MEMORY);
    let remembered = tensors.into_iter().map(|tensor| {
        let (_, dtype, shape, id, bytes) = tensor.into_parts().expect(MEMORY);
        (id.expect("a tensor of a record is of a parameter"), TensorData::from_bytes(bytes, shape, dtype))
    });
    network.clone().map(&mut Recall(remembered.collect()))
}

/// The tensors of a record, and of each parameter its id, rank and module path.
#[derive(Default)]
struct Parts {
    path: Vec<String>,
    tensors: Vec<burn_pack::Tensor>,
    parameters: Vec<(u64, usize, String)>,
}

impl ModuleVisitor for Parts {
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
        let id = parameter.id.val();
        let (bytes, shape, dtype) = parameter.val().into_data().into_parts();
        self.tensors.push(burn_pack::Tensor::new(format!("{id}.{FIELD}"), dtype, shape, Some(id), bytes));
        self.parameters.push((id, D, self.path.join(".")));
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
    use crate::Momentum;

    fn network(seed: u64) -> Network {
        Network::new(&published::lenet_5(), seed, &Device::flex()).unwrap()
    }

    fn bits(network: &Network) -> Vec<Vec<u32>> {
        let tensors = network.tensors().into_iter();
        tensors.map(|tensor| tensor.data.iter::<f32>().map(f32::to_bits).collect()).collect()
    }

    /// With μ = 0 the momentum after a step is the gradient, so that Burn itself makes the record to compare with.
    #[test]
    fn a_record_is_the_one_that_burn_makes_and_gives_back_what_it_was_made_of() {
        let remembered = network(2);
        let mut by_burn: ModuleOptimizer = Momentum::new(0.0, 0.0).into();
        let _ = by_burn.step(0.0, network(1).train(), remembered.as_gradients());
        let ours: ModuleOptimizer = Momentum::new(0.9, 0.0).into();
        let ours = ours.load_record(record(&remembered));
        let sorted = |optimizer: &ModuleOptimizer| {
            let reader = Reader::from_bytes(optimizer.to_record().into_bytes().unwrap()).unwrap();
            let (scalars, metadata) = (reader.scalars().clone(), reader.metadata().clone());
            let tensors = reader.into_tensors().unwrap().into_iter().map(|tensor| {
                let (name, _, shape, id, bytes) = tensor.into_parts().unwrap();
                (name, shape.to_vec(), id, bytes.to_vec())
            });
            let mut tensors: Vec<_> = tensors.collect();
            tensors.sort();
            (format!("{scalars:?}"), metadata, tensors)
        };
        assert_eq!(sorted(&ours), sorted(&by_burn));
        assert_eq!(bits(&velocity(&ours, &network(3))), bits(&remembered));
    }

    #[test]
    fn an_optimizer_before_its_first_step_remembers_zeros() {
        let fresh: ModuleOptimizer = Momentum::new(0.9, 0.0).into();
        assert!(bits(&velocity(&fresh, &network(1))).iter().flatten().all(|bits| *bits == 0));
    }
}
