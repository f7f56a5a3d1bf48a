//! Convolution and pooling.

use backproof_layers::{
    AvgPool2d, AvgPool2dOptions, Conv2d, Conv2dOptions, GlobalAvgPool, MaxPool2d, MaxPool2dOptions,
};
use burn::tensor::Tensor;

use crate::Recompute;
use crate::page::{Block, full, tensor, values};

pub(crate) const RECOMPUTED: &[(&str, Recompute)] = &[
    ("convolution_1d", convolution_1d),
    ("convolution_2d", convolution_2d),
    ("convolution_2d_strided", convolution_2d_strided),
    ("one_by_one", one_by_one),
    ("alexnet", alexnet),
    ("connections", connections),
    ("sharing", sharing),
    ("max_pool", max_pool),
    ("global_avg_pool", global_avg_pool),
    ("average_pool", average_pool),
];

fn convolution(weight: Tensor<4>, bias: Option<Tensor<1>>, stride: usize, padding: usize) -> Conv2d {
    let options = Conv2dOptions { stride: [stride; 2], padding: [padding; 2], ..Conv2dOptions::default() };
    Conv2d::new(weight, bias, options)
}

fn compare(block: &Block, layer: &Conv2d, x: Tensor<4>, g: Tensor<4>) {
    let (y, saved) = layer.forward_saving(x);
    block.states_tensor("y", y);
    let gradients = layer.backward(saved, g);
    block.states_tensor("dx", gradients.input);
    block.states_tensor("dw", gradients.weight);
    block.states_tensor("db", gradients.bias.expect("a bias"));
}

/// An image of one row.
fn convolution_1d(block: &Block) {
    let (x, w, g) = (block.image("x"), block.image("w"), block.image("g"));
    let stride = block.count("S");
    let options =
        |stride, dilation| Conv2dOptions { stride: [1, stride], dilation: [1, dilation], ..Conv2dOptions::default() };
    let layer = Conv2d::new(w, Some(block.vector("b")), options(stride, 1));
    compare(block, &layer, x.clone(), g.clone());

    let [_, _, _, outputs] = g.dims();
    let row = |output: usize| {
        let mut unit = vec![0.0; outputs];
        unit[output] = 1.0;
        let (_, saved) = layer.forward_saving(x.clone());
        values(layer.backward(saved, tensor(unit, [1, 1, 1, outputs])).input)
    };
    block.states("J", &(0..outputs).flat_map(row).collect::<Vec<_>>());

    // The gradient of the weights as a convolution with g, right and with the stride where it was.
    let exchanged = values(Conv2d::new(g.clone(), None, options(1, stride)).forward(x.clone()));
    block.states("dw_next", &exchanged[3..]);
    block.states_tensor("dw_wrong", Conv2d::new(g, None, options(stride, 1)).forward(x));
}

fn convolution_2d(block: &Block) {
    let layer = convolution(block.image("w"), Some(block.vector("b")), 1, 0);
    compare(block, &layer, block.image("x"), block.image("g"));
}

fn convolution_2d_strided(block: &Block) {
    let layer = convolution(block.image("w"), Some(block.vector("b")), block.count("S"), block.count("P"));
    compare(block, &layer, block.image("x"), block.image("g"));
}

/// Two channels of two pixels.
fn one_by_one(block: &Block) {
    let layer = convolution(block.tensor("w", [1, 2, 1, 1]), Some(block.vector("b")), 1, 0);
    compare(block, &layer, block.tensor("x", [1, 2, 1, 2]), block.tensor("g", [1, 1, 1, 2]));
}

/// One column of 224 pixels through the first convolution and the three poolings. The other convolutions keep the size.
fn alexnet(block: &Block) {
    let first = |padding: usize| {
        let options = Conv2dOptions { stride: [4, 1], padding: [padding, 0], ..Conv2dOptions::default() };
        let [_, _, rows, _] =
            Conv2d::new(full(1.0, [1, 1, 11, 1]), None, options).forward(full(0.0, [1, 1, 224, 1])).dims();
        rows
    };
    let pool = MaxPool2d::new(MaxPool2dOptions { stride: [2, 2], ..MaxPool2dOptions::new([3, 3]) });
    block.states("first", &[f64::from(96 * (3 * 11 * 11 + 1))]);
    for (padding, rows_name, dense_name) in [(0, "rows_54", "dense_54"), (2, "rows_55", "dense_55")] {
        let mut rows = vec![first(padding)];
        for pooling in 0..3 {
            let [next, _] = pool.output_size([rows[pooling]; 2]);
            rows.push(next);
        }
        block.states(rows_name, &rows.iter().map(|&rows| rows as f64).collect::<Vec<_>>());
        block.states(dense_name, &[((rows[3] * rows[3] * 256 + 1) * 4_096) as f64]);
    }
}

/// Where all weights and all g are 1, the gradient of a pixel is the number of its connections.
fn connections(block: &Block) {
    let along = |pixels: usize, kernel: usize, stride: usize, padding: usize| {
        let options = Conv2dOptions { stride: [stride, 1], padding: [padding, 0], ..Conv2dOptions::default() };
        let layer = Conv2d::new(full(1.0, [1, 1, kernel, 1]), None, options);
        let (y, saved) = layer.forward_saving(full(0.0, [1, 1, pixels, 1]));
        values(layer.backward(saved, full(1.0, y.dims())).input)
    };
    block.states("unpadded", &along(28, 5, 1, 0));
    block.states("padded", &along(28, 5, 1, 2));

    let layer = convolution(full(1.0, [16, 1, 5, 5]), Some(full(0.0, [16])), 1, 2);
    let (y, saved) = layer.forward_saving(full(0.0, [1, 1, 28, 28]));
    let gradients = layer.backward(saved, full(1.0, y.dims()));
    let pixels = values(gradients.input);
    block.states("corner", &[pixels[0]]);
    block.states("middle", &[pixels[14 * 28 + 14]]);
    block.states("connections", &[pixels.iter().sum()]);
    let parameters = values(gradients.weight).len() + values(gradients.bias.expect("a bias")).len();
    block.states("parameters", &[parameters as f64]);

    let inside = &along(224, 11, 4, 2)[11..213];
    let least = inside.iter().copied().fold(f64::INFINITY, f64::min);
    block.states("alexnet", &[least, inside.iter().copied().fold(0.0, f64::max)]);
}

fn sharing(block: &Block) {
    let [inputs, outputs] = [3 * 32 * 32, 16 * 32 * 32];
    let dense = f64::from(inputs * outputs + outputs);
    let convolution = f64::from(16 * 3 * 5 * 5 + 16);
    block.states("dense", &[dense]);
    block.states("convolution", &[convolution]);
    block.states("times", &[(dense / convolution).round()]);
}

fn max_pool(block: &Block) {
    let layer = MaxPool2d::new(MaxPool2dOptions { stride: [1, 1], ..MaxPool2dOptions::new([2, 2]) });
    let (y, saved) = layer.forward_saving(block.image("x"));
    block.states_tensor("y", y);
    block.states_tensor("dx", layer.backward(saved, block.image("g")));
}

/// Four pixels in a row.
fn average_pool(block: &Block) {
    for (name, divisors, ceil_mode, count_include_pad) in [
        ("dx_padded", "A_padded", true, true),
        ("dx_pixels", "A_pixels", true, false),
        ("dx_floor", "A_floor", false, true),
    ] {
        let layer = AvgPool2d::new(AvgPool2dOptions {
            kernel: [1, 3],
            stride: [1, 2],
            padding: [0, 1],
            ceil_mode,
            count_include_pad,
        });
        let gradient = |g: Vec<f64>| {
            let (_, saved) = layer.forward_saving(full(0.0, [1, 1, 1, 4]));
            let windows = g.len();
            values(layer.backward(saved, tensor(g, [1, 1, 1, windows])))
        };
        let [_, windows] = layer.output_size([1, 4]);
        block.states(name, &gradient(block.row("g")[..windows].to_vec()));
        // A gradient of 1 comes back as 1/A.
        let divisor = |window: usize| {
            let mut unit = vec![0.0; windows];
            unit[window] = 1.0;
            1.0 / gradient(unit).into_iter().fold(0.0, f64::max)
        };
        block.states(divisors, &(0..windows).map(divisor).collect::<Vec<_>>());
    }
}

fn global_avg_pool(block: &Block) {
    let (y, saved) = GlobalAvgPool.forward_saving(block.tensor("x", [1, 1, 2, 2]));
    block.states_tensor("y", y);
    block.states_tensor("dx", GlobalAvgPool.backward(saved, block.tensor("g", [1, 1, 1, 1])));
}
