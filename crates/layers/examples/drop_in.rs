//! Times a training step and an inference of networks with Burn's convolutions, and of the same networks with ours in
//! their place, by turns.
//!
//! ```sh
//! cargo run --release -p backproof-layers --features flex --example drop_in -- [BATCH] [ROUNDS]
//! ```

use std::env;
use std::error::Error;
use std::time::{Duration, Instant};

use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Distribution, Int, Tensor};

/// Networks as a user of Burn writes them. The module of the convolution is the argument: it is all that differs.
macro_rules! networks {
    ($name:ident, $conv:path) => {
        mod $name {
            use burn::module::Module;
            use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
            use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d, Relu};
            use burn::tensor::{Device, Tensor};
            use $conv::{Conv2d, Conv2dConfig};

            fn conv(channels: [usize; 2], size: usize, stride: usize, device: &Device) -> Conv2d {
                let padding = size / 2;
                Conv2dConfig::new(channels, [size, size])
                    .with_stride([stride, stride])
                    .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
                    .with_bias(false)
                    .init(device)
            }

            /// The block of two convolutions of He et al., *Deep residual learning for image recognition*, 2015.
            #[derive(Module, Debug)]
            pub(crate) struct Block {
                first: Conv2d,
                first_norm: BatchNorm,
                second: Conv2d,
                second_norm: BatchNorm,
                shortcut: Option<Conv2d>,
                relu: Relu,
            }

            impl Block {
                fn new(channels: [usize; 2], device: &Device) -> Self {
                    let [from, to] = channels;
                    let stride = if from == to { 1 } else { 2 };
                    Self {
                        first: conv([from, to], 3, stride, device),
                        first_norm: BatchNormConfig::new(to).init(device),
                        second: conv([to, to], 3, 1, device),
                        second_norm: BatchNormConfig::new(to).init(device),
                        shortcut: (from != to).then(|| conv([from, to], 1, stride, device)),
                        relu: Relu::new(),
                    }
                }

                fn forward(&self, x: Tensor<4>) -> Tensor<4> {
                    let y = self.relu.forward(self.first_norm.forward(self.first.forward(x.clone())));
                    let y = self.second_norm.forward(self.second.forward(y));
                    let x = match &self.shortcut {
                        Some(shortcut) => shortcut.forward(x),
                        None => x,
                    };
                    self.relu.forward(y + x)
                }
            }

            /// ResNet-18 for images of 32×32: a first convolution of 3×3, and no pooling after it.
            #[derive(Module, Debug)]
            pub(crate) struct ResNet18 {
                stem: Conv2d,
                norm: BatchNorm,
                blocks: Vec<Block>,
                pool: AdaptiveAvgPool2d,
                head: Linear,
                relu: Relu,
            }

            impl ResNet18 {
                pub(crate) fn new(device: &Device) -> Self {
                    let channels = [[64, 64], [64, 64], [64, 128], [128, 128]];
                    let deeper = [[128, 256], [256, 256], [256, 512], [512, 512]];
                    Self {
                        stem: conv([3, 64], 3, 1, device),
                        norm: BatchNormConfig::new(64).init(device),
                        blocks: channels.into_iter().chain(deeper).map(|of| Block::new(of, device)).collect(),
                        pool: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
                        head: LinearConfig::new(512, 10).init(device),
                        relu: Relu::new(),
                    }
                }

                pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<2> {
                    let x = self.relu.forward(self.norm.forward(self.stem.forward(x)));
                    let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
                    self.head.forward(self.pool.forward(x).flatten(1, 3))
                }
            }

            /// Three convolutions of 32 to 128 channels, each with a maximum of 2×2 after it.
            #[derive(Module, Debug)]
            pub(crate) struct Small {
                convolutions: Vec<Conv2d>,
                pool: MaxPool2d,
                head: Linear,
                relu: Relu,
            }

            impl Small {
                pub(crate) fn new(device: &Device) -> Self {
                    let channels = [[3, 32], [32, 64], [64, 128]];
                    Self {
                        convolutions: channels.into_iter().map(|of| conv(of, 3, 1, device)).collect(),
                        pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
                        head: LinearConfig::new(128 * 4 * 4, 10).init(device),
                        relu: Relu::new(),
                    }
                }

                pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<2> {
                    let layer = |x, conv: &Conv2d| self.pool.forward(self.relu.forward(conv.forward(x)));
                    self.head.forward(self.convolutions.iter().fold(x, layer).flatten(1, 3))
                }
            }
        }
    };
}

networks!(burns, burn::nn::conv);
networks!(ours, backproof_layers::nn::conv);

/// Seconds of one training step and of one inference.
macro_rules! work {
    ($network:ty, $images:expr, $labels:expr) => {{
        let device = Device::flex();
        let mut network = <$network>::new(&device.clone().autodiff());
        let mut optimizer = SgdConfig::new().init();
        let (images, labels): (Tensor<4>, Tensor<1, Int>) = ($images, $labels);
        let step = move || {
            let begin = Instant::now();
            let logits = network.forward(images.clone().autodiff());
            let loss = CrossEntropyLossConfig::new().init(&logits.device()).forward(logits, labels.clone().autodiff());
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimizer.step(0.01f64, network.clone(), gradients);
            begin.elapsed()
        };
        let network = <$network>::new(&device);
        let images: Tensor<4> = $images;
        let infer = move || {
            let begin = Instant::now();
            let logits = network.forward(images.clone());
            let _ = logits.into_data();
            begin.elapsed()
        };
        (Box::new(step) as Box<dyn FnMut() -> Duration>, Box::new(infer) as Box<dyn FnMut() -> Duration>)
    }};
}

#[allow(clippy::print_stdout)] // results go to stdout
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<usize> = env::args().skip(1).map(|it| it.parse()).collect::<Result<_, _>>()?;
    let batch = arguments.first().copied().unwrap_or(32);
    let rounds = arguments.get(1).copied().unwrap_or(7);
    let device = Device::flex();
    let images = Tensor::<4>::random([batch, 3, 32, 32], Distribution::Default, &device);
    let labels = Tensor::<1, Int>::from_data(
        burn::tensor::TensorData::from((0..batch as i64).map(|n| n % 10).collect::<Vec<_>>().as_slice()),
        &device,
    );
    println!("batch {batch}, medians of {rounds} rounds by turns");
    println!("network    pass        Burn's ms    ours ms    ratio");
    let [small, residual] = [
        [work!(burns::Small, images.clone(), labels.clone()), work!(ours::Small, images.clone(), labels.clone())],
        [work!(burns::ResNet18, images.clone(), labels.clone()), work!(ours::ResNet18, images.clone(), labels.clone())],
    ];
    for (name, [(burn_step, burn_infer), (our_step, our_infer)]) in [("small", small), ("resnet-18", residual)] {
        for (pass, [mut burns, mut ours]) in
            [("training", [burn_step, our_step]), ("inference", [burn_infer, our_infer])]
        {
            burns();
            ours();
            let mut times = [Vec::new(), Vec::new()];
            for _ in 0..rounds {
                times[0].push(burns());
                times[1].push(ours());
            }
            let [burns, ours] = times.map(|mut times| {
                times.sort_unstable();
                times[times.len() / 2].as_secs_f64() * 1e3
            });
            println!("{name:<10} {pass:<10} {burns:>10.1} {ours:>10.1} {:>8.2}", burns / ours);
        }
    }
    Ok(())
}
