//! Both engines train every network alike.

use backproof_spec::{Architecture, Loss, published};
use burn::module::{ModuleMapper, Param};
use burn::tensor::{DType, Int, TensorData};

use super::*;
use crate::{Momentum, loss};

mod alexnet;
mod thousand_classes;

/// Every parameter in double precision.
struct Double;

impl ModuleMapper for Double {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = parameter.val().into_data().convert::<f64>();
        let value = Tensor::from_data(value, (&parameter.device(), DType::F64));
        let id = parameter.id;
        parameter.transform_for_load(value, id)
    }
}

/// Four images of step `step` and their labels: any numbers will do, as long as both engines see the same.
fn batch(step: usize, shape: [usize; 3], device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
    let [channels, height, width] = shape;
    let count = 4 * channels * height * width;
    let pixel = |i: usize| ((i * 7919 + step * 104_729) % 1009) as f64 / 504.5 - 1.0;
    let pixels: Vec<f64> = (0..count).map(pixel).collect();
    let images = TensorData::new(pixels, [4, channels, height, width]);
    let labels: Vec<i64> = (0..4).map(|i| ((i * 3 + step) % 10) as i64).collect();
    (Tensor::from_data(images, (device, DType::F64)), Tensor::from_data(TensorData::new(labels, [4]), device))
}

/// All parameters after `steps` steps.
fn train(engine: OnTensors, loss: Loss, architecture: &Architecture, steps: usize) -> Vec<(String, Vec<f64>)> {
    let plain = Device::flex();
    let mut network = Network::new(architecture, 1, &engine.batch_device(&plain)).unwrap().map(&mut Double);
    let mut optimizer: ModuleOptimizer = Momentum::new(0.9, 0.001).into();
    let shape = architecture.input.dimensions().try_into().unwrap();
    for step in 0..steps {
        let (images, labels) = batch(step, shape, &engine.batch_device(&plain));
        let mode = PassMode::Training { seed: 1, step: step as u64 };
        let pass = engine.gradients(&loss.into(), &network, images, labels, mode);
        assert!(pass.loss.is_finite());
        network = engine.update(&mut optimizer, 0.01, network, pass.parameters);
    }
    let tensors = network.tensors();
    tensors.into_iter().map(|tensor| (tensor.name, tensor.data.iter::<f64>().collect())).collect()
}

/// How many steps a network is trained for here: fewer, the longer one takes.
fn steps(architecture: &Architecture) -> Option<usize> {
    match architecture.name.as_str() {
        "alexnet" => None,                 // see `alexnet.rs`
        "resnet-9" | "airbench94" => None, // of the layers of the others, and much larger
        "resnet-20" => Some(25),
        name if name.starts_with("small-cnn-") => Some(10),
        "petre-cnn" | "petre-cnn-fashion" | "timurtas-64-32-16" => Some(10),
        "petre-mlp" | "petre-mlp-fashion" | "timurtas-32-16-8" | "lenet-5" => Some(50),
        _ => Some(200),
    }
}

/// Asserts that both engines reach the same parameters, and others than at the start.
fn assert_agreement(loss: Loss, architecture: &Architecture, steps: usize) {
    let name = &architecture.name;
    let start = Network::new(architecture, 1, &Device::flex()).unwrap().tensors();
    let autodiff = train(OnTensors::Autodiff, loss, architecture, steps);
    let manual = train(OnTensors::Manual, loss, architecture, steps);
    for (((tensor, a), (_, m)), start) in autodiff.iter().zip(&manual).zip(start) {
        let largest = a.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        let difference = a.iter().zip(m).map(|(a, m)| (a - m).abs()).fold(0.0, f64::max);
        assert!(difference <= 1e-10 * largest, "{name}, {loss:?}, {tensor}: {difference:e} of {largest:e}");
        let moved = a.iter().zip(start.data.iter::<f64>()).any(|(a, start)| (a - start).abs() > 1e-4);
        assert!(moved, "{name}, {loss:?}, {tensor} was not trained");
    }
}

#[test]
fn both_engines_reach_the_same_parameters_in_double_precision() {
    for name in published::names() {
        let architecture = published::by_name(name).unwrap();
        if let Some(steps) = steps(&architecture) {
            assert_agreement(Loss::CrossEntropy, &architecture, steps);
        }
    }
}

#[test]
fn both_engines_reach_the_same_parameters_by_every_loss() {
    for loss in Loss::ALL {
        assert_agreement(loss, &published::mnist_baseline(), 50);
    }
}
