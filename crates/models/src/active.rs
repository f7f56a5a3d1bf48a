//! Which units of the ReLUs of a network are active, on tensors and on the CPU kernels.

use backproof_compiled::{ActiveUnits, InferencePlan, Inputs};
use backproof_layers::{Features, Layer, Ranked};
use burn::Tensor;

use crate::{Compiled, Network, PassMode};

impl Network {
    /// What each ReLU gives for `images`, `[N, C, H, W]`, by the running statistics and without dropout; in the order
    /// of the layers.
    #[must_use]
    pub fn active_units(&self, images: Tensor<4>) -> Vec<ActiveUnits> {
        let is_relu: Vec<bool> = self.all_layers().map(|layer| matches!(layer, Layer::Relu(_))).collect();
        let mut found = Vec::new();
        self.see_outputs(images, PassMode::Inference, &mut |number, output| {
            if is_relu[number] {
                found.push(counted(number, output));
            }
        });
        found.sort_by_key(|units| units.operation);
        found
    }
}

fn counted(number: usize, output: &Features) -> ActiveUnits {
    let (units, data) = match output {
        Ranked::Images(images) => (images.dims()[1], images.to_data()),
        Ranked::Vectors(vectors) => (vectors.dims()[1], vectors.to_data()),
    };
    let images = data.shape()[0];
    let values: Vec<f32> = data.iter().collect();
    let mut active = ActiveUnits::new(number, units);
    values.chunks_exact(values.len() / images).for_each(|image| active.add(image));
    active
}

impl Compiled<InferencePlan> {
    /// What each ReLU gives for the `count` images that `write` writes, in the order of the layers.
    pub fn active_units(&mut self, count: usize, write: &(dyn Fn(usize, &mut [f32]) + Sync)) -> Vec<ActiveUnits> {
        let mask = |_: usize, _: usize, _: &mut [f32]| unreachable!("inference drops nothing");
        let mut found = self.plan_mut().active_units(&Inputs { count, image: write, mask: &mask });
        found.sort_by_key(|units| units.operation);
        found
    }
}

#[cfg(test)]
mod tests {
    use backproof_kernels::Isa;
    use backproof_spec::published;
    use burn::tensor::{Device, Distribution, TensorData};

    use super::*;

    #[test]
    fn kernels_and_tensors_find_the_same_units_dead() {
        let device = Device::flex();
        for (name, side, channels) in [("mnist-baseline", 28, 1), ("cifar-baseline", 32, 3), ("resnet-20", 32, 3)] {
            let mut network = Network::new(&published::by_name(name).unwrap(), 3, &device).unwrap();
            // A bias far below zero kills a unit.
            let biased = network.tensors().into_iter().find(|tensor| tensor.name.ends_with("1.bias")).unwrap();
            let mut values: Vec<f64> = biased.data.iter().collect();
            values[2] = -1e3;
            network = network.with_values(&biased.name, &values);
            let images = Tensor::<4>::random([40, channels, side, side], Distribution::Default, &device);
            let numbers: Vec<f32> = images.to_data().iter().collect();
            let on_tensors = network.active_units(images.clone());
            let size = channels * side * side;
            for isa in Isa::available() {
                let mut plan = Compiled::<InferencePlan>::new(&network, isa).unwrap();
                let write = |image: usize, to: &mut [f32]| to.copy_from_slice(&numbers[image * size..][..size]);
                let on_kernels = plan.active_units(40, &write);
                assert_eq!(on_kernels.len(), on_tensors.len());
                for (ours, theirs) in on_kernels.iter().zip(&on_tensors) {
                    assert_eq!((ours.operation, ours.outputs), (theirs.operation, theirs.outputs), "{name}");
                    assert_eq!(ours.active, theirs.active, "{name} {}", network.names()[ours.operation]);
                    // A sum that is zero but for rounding may be on either side of zero.
                    let apart = ours.zeros.abs_diff(theirs.zeros);
                    assert!(apart * 10_000 <= ours.outputs, "{name}: {} {}", ours.zeros, theirs.zeros);
                }
                assert!(on_kernels.iter().any(|units| units.dead() > 0), "{name}");
                // Counting changes no output.
                let logits = plan.logits(40, &write);
                let expected: Vec<f32> =
                    network.forward(images.clone(), PassMode::Inference).to_data().iter().collect();
                let [ours, theirs] = [logits, expected].map(|values| TensorData::new(values, [40, 10]));
                ours.assert_approx_eq::<f32>(&theirs, burn::tensor::Tolerance::rel_abs(1e-3, 1e-5));
            }
        }
    }
}
