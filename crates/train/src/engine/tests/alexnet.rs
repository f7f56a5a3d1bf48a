//! A training step of AlexNet as it is: 3×224×224, 1,000 classes, 61 million parameters.

use super::*;

/// One photograph of noise, of class 421.
fn photograph(device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
    let pixels = (0..3 * 224 * 224).map(|i| ((i * 7919) % 1009) as f32 / 504.5 - 1.0).collect::<Vec<_>>();
    let image = Tensor::from_data(TensorData::new(pixels, [1, 3, 224, 224]), device);
    (image, Tensor::from_data([421], device))
}

/// The losses before and after a step, and the network after it.
fn step(engine: OnTensors) -> ([f64; 2], Network) {
    let plain = Device::flex();
    let mut network = Network::new(&published::alexnet(), 1, &engine.batch_device(&plain)).unwrap();
    let mut optimizer: ModuleOptimizer = Momentum::new(0.9, 0.0005).into();
    let mode = PassMode::Training { seed: 1, step: 0 };
    let (image, label) = photograph(&engine.batch_device(&plain));
    let before = engine.gradients(&Loss::CrossEntropy.into(), &network, image.clone(), label.clone(), mode);
    assert_eq!(before.logits.dims(), [1, 1_000]);
    network = engine.update(&mut optimizer, 1e-4, network, before.parameters);
    // With the dropout masks of the step, so that the loss has to fall.
    let logits = network.forward(image, mode);
    let after = scalar(loss::mean(&Loss::CrossEntropy.into(), logits, label));
    ([before.loss, after], network)
}

#[test]
fn both_engines_take_the_same_step_and_it_lowers_the_loss() {
    let ([before, after], network) = step(OnTensors::Autodiff);
    assert!(after < before - 0.1, "the loss was {before} and is {after}");
    let autodiff = network.tensors();
    drop(network);
    let (losses, network) = step(OnTensors::Manual);
    let start = Network::new(&published::alexnet(), 1, &Device::flex()).unwrap().tensors();
    assert!((losses[0] - before).abs() < 1e-5 * before, "{} and {before}", losses[0]);
    assert!((losses[1] - after).abs() < 1e-3 * after, "{} and {after}", losses[1]);
    for ((a, m), start) in autodiff.iter().zip(network.tensors()).zip(start) {
        let step = |tensor: &TensorData| -> Vec<f64> {
            tensor.iter::<f64>().zip(start.data.iter::<f64>()).map(|(now, start)| now - start).collect()
        };
        let (a, m) = (step(&a.data), step(&m.data));
        let largest = a.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        let difference = a.iter().zip(&m).map(|(a, m)| (a - m).abs()).fold(0.0, f64::max);
        assert!(largest > 0.0, "{} did not move", start.name);
        assert!(difference <= 1e-3 * largest, "{}: {difference:e} of {largest:e}", start.name);
    }
}
