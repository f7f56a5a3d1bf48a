//! Residual connections.

use backproof_layers::{Layer, Linear, Mode, Ranked, Residual, ZeroPadding};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::Recompute;
use crate::page::Block;

pub(crate) const RECOMPUTED: &[(&str, Recompute)] = &[("residual", residual), ("zero_padding", zero_padding)];

fn residual(block: &Block) {
    let linear = Linear::new(block.matrix("w"), None);
    let (x, g) = (block.matrix("x"), block.matrix("g"));
    let (f, saved) = linear.forward_saving(x.clone());
    block.states_tensor("f", f);
    block.states_tensor("body", linear.backward(saved, g.clone()).input);
    let weight = linear.weight.id;
    let layer = Layer::Residual(Residual::new(vec![Layer::Linear(linear)], vec![], None));
    let (y, saved) = layer.forward_saving(Ranked::Vectors(x), Mode::Inference);
    block.states_tensor("y", y.vectors());
    let mut gradients = GradientsParams::new();
    block.states_tensor("dx", layer.backward(saved, Ranked::Vectors(g), &mut gradients).vectors());
    block.states_tensor("dw", gradients.get::<2>(weight).expect("the gradient of the weight"));
}

fn zero_padding(block: &Block) {
    let stride = block.count("S");
    let padding = ZeroPadding { channels: 2, stride: [stride; 2] };
    let image = |name: &str| block.matrix(name).unsqueeze::<4>();
    let channel = |images: &Tensor<4>, channel: usize| images.clone().narrow(1, channel, 1);
    let x = image("x");
    let h = padding.forward(x.clone());
    block.states_tensor("h_1", channel(&h, 0));
    block.states_tensor("h_2", channel(&h, 1));
    let g = Tensor::cat(vec![image("g_1"), image("g_2")], 1);
    block.states_tensor("dx", padding.backward(x.dims(), g));
}
