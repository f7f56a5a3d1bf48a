//! Fully connected layers, normalisation, dropout.

use backproof_layers::{
    BatchNorm, BinaryCrossEntropy, Dropout, Flatten, GroupNorm, Linear, Mode, Relu, SoftmaxCrossEntropy,
};
use burn::tensor::{Device, Int, Tensor};

use crate::Recompute;
use crate::page::{Block, full, tensor, values};

pub(crate) const RECOMPUTED: &[(&str, Recompute)] = &[
    ("notation", notation),
    ("jacobian", jacobian),
    ("linear", linear),
    ("neurons", neurons),
    ("symmetry", symmetry),
    ("network", network),
    ("difference", difference),
    ("batch_norm", batch_norm),
    ("batch_norm_epsilon", batch_norm_epsilon),
    ("group_norm", group_norm),
    ("layer_norm", layer_norm),
    ("dropout", dropout),
    ("dropout_threshold", dropout_threshold),
    ("flatten", flatten),
];

fn notation(block: &Block) {
    let layer = Linear::new(block.matrix("w"), None);
    let (y, saved) = layer.forward_saving(block.matrix("x"));
    block.states_tensor("y", y);
    block.states_tensor("dx", layer.backward(saved, block.matrix("g")).input);
    block.states_tensor("p", BinaryCrossEntropy.probabilities(full(2.0, [1, 1])));
}

/// (x₁x₂, x₁ + x₂).
fn jacobian(block: &Block) {
    let (x, g) = (block.row("x"), block.row("g"));
    block.states("y", &[x[0] * x[1], x[0] + x[1]]);
    block.states("J", &[x[1], x[0], 1.0, 1.0]);
    block.states("dx", &[x[1] * g[0] + g[1], x[0] * g[0] + g[1]]);
}

fn linear(block: &Block) {
    let layer = Linear::new(block.matrix("w"), Some(block.vector("b")));
    let (x, g) = (block.matrix("x"), block.matrix("g"));
    let (y, saved) = layer.forward_saving(x.clone());
    block.states_tensor("y", y);
    let gradients = layer.backward(saved, g.clone());
    block.states_tensor("dx", gradients.input);
    block.states_tensor("dw", gradients.weight);
    block.states_tensor("db", gradients.bias.expect("a bias"));
    for (sample, name) in [(0, "dw_1"), (1, "dw_2")] {
        let (_, saved) = layer.forward_saving(x.clone().narrow(0, sample, 1));
        block.states_tensor(name, layer.parameter_gradients(saved, g.clone().narrow(0, sample, 1)).0);
    }
}

/// A step of a perceptron and of a logistic neuron, with α = 1.
fn neurons(block: &Block) {
    let (x, w, b, t) = (block.matrix("x"), block.matrix("w"), block.vector("b"), block.number("t"));
    let neuron = Linear::new(w.clone(), Some(b.clone()));
    let (z, saved) = neuron.forward_saving(x.clone());
    block.states_tensor("z", z.clone());

    let y = if values(z.clone())[0] >= 0.0 { 1.0 } else { 0.0 };
    block.states("y", &[y]);
    let stepped = (w.clone() + x.clone().transpose() * (t - y), b.clone() + (t - y));
    block.states_tensor("w_p", stepped.0.clone());
    block.states_tensor("b_p", stepped.1.clone());
    block.states_tensor("z_p", Linear::new(stepped.0, Some(stepped.1)).forward(x));

    block.states_tensor("p", BinaryCrossEntropy.probabilities(z.clone()));
    let (_, loss) = BinaryCrossEntropy.forward_saving(z, full(t, [1, 1]));
    let dz = BinaryCrossEntropy.mean_backward(loss);
    block.states_tensor("dz", dz.clone());
    let (dw, db) = neuron.parameter_gradients(saved, dz);
    block.states_tensor("dw", dw.clone());
    block.states_tensor("w_l", w - dw);
    block.states_tensor("b_l", b - db.expect("a bias"));
}

/// Linear, ReLU, linear, softmax cross-entropy.
struct TwoLayers {
    first: Linear,
    second: Linear,
}

impl TwoLayers {
    fn loss(&self, x: Tensor<2>, t: Tensor<1, Int>) -> f64 {
        let hidden = Relu::new(false).forward(self.first.forward(x));
        values(SoftmaxCrossEntropy.mean(self.second.forward(hidden), t))[0]
    }

    /// Forward and backward; what `block` has of it is compared.
    fn compare(&self, block: &Block, names: &[&str]) {
        let states = |name: &str, computed: Vec<f64>| {
            if names.contains(&name) {
                block.states(name, &computed);
            }
        };
        let relu = Relu::new(false);
        let (z1, first) = self.first.forward_saving(block.matrix("x"));
        states("z1", values(z1.clone()));
        let (y1, hidden) = relu.forward_saving(z1);
        states("y1", values(y1.clone()));
        let (z2, second) = self.second.forward_saving(y1);
        states("z2", values(z2.clone()));
        states("p", values(SoftmaxCrossEntropy.probabilities(z2.clone())));
        let (loss, saved) = SoftmaxCrossEntropy.forward_saving(z2, block.classes("t"));
        states("L", values(loss));
        let dz2 = SoftmaxCrossEntropy.mean_backward(saved);
        states("dz2", values(dz2.clone()));
        let second = self.second.backward(second, dz2);
        states("dw2", values(second.weight));
        second.bias.into_iter().for_each(|bias| states("db2", values(bias)));
        states("dy1", values(second.input.clone()));
        let dz1 = relu.backward(hidden, second.input);
        states("dz1", values(dz1.clone()));
        let first = self.first.backward(first, dz1);
        states("dw1", values(first.weight));
        first.bias.into_iter().for_each(|bias| states("db1", values(bias)));
        states("dx", values(first.input));
    }
}

fn symmetry(block: &Block) {
    let [first, second] = ["w1", "w2"].map(|name| Linear::new(block.matrix(name), None));
    TwoLayers { first, second }.compare(block, &["y1", "z2", "dz2", "dw2", "dw1"]);
}

fn network(block: &Block) {
    let [first, second] =
        [("w1", "b1"), ("w2", "b2")].map(|(weight, bias)| Linear::new(block.matrix(weight), Some(block.vector(bias))));
    let names = ["z1", "y1", "z2", "p", "L", "dz2", "dw2", "db2", "dy1", "dz1", "dw1", "db1", "dx"];
    TwoLayers { first, second }.compare(block, &names);
}

/// The network of the block `network`, whose weight from the second input to the first hidden unit is moved.
fn difference(block: &Block) {
    let h = block.number("h");
    let loss = |by: f64| {
        let first = Linear::new(tensor(vec![1.0, 1.0, 1.0 + by, -1.0], [2, 2]), None);
        let second = Linear::new(tensor(vec![1.0, 2.0, 2.0, -5.0], [2, 2]), Some(tensor(vec![3.0, 0.0], [2])));
        TwoLayers { first, second }
            .loss(tensor(vec![1.0, 2.0], [1, 2]), Tensor::from_data([0].as_slice(), &Device::flex()))
    };
    let [plus, at, minus] = [h, 0.0, -h].map(loss);
    block.states("L_plus", &[plus]);
    block.states("L", &[at]);
    block.states("L_minus", &[minus]);
    block.states("one_sided", &[(plus - at) / h]);
    block.states("central", &[(plus - minus) / (2.0 * h)]);
}

const TRAINING: Mode = Mode::Training { dropout_seed: [0; 32] };

/// One channel. Its running statistics become those of the batch.
fn one_channel(gamma: f64, beta: f64, epsilon: f64) -> BatchNorm {
    // The layer wants an ε above 0, and this one changes no digit.
    BatchNorm::new(full(gamma, [1]), full(beta, [1]), epsilon.max(1e-300), 1.0)
}

fn batch_norm(block: &Block) {
    let [gamma, beta, epsilon] = ["gamma", "beta", "epsilon"].map(|name| block.number(name));
    let layer = one_channel(gamma, beta, epsilon);
    let elements = block.row("x").len();
    let (x, g) = (block.tensor("x", [elements, 1]), block.tensor("g", [elements, 1]));
    let (y, saved) = layer.forward_saving(x.clone(), TRAINING);
    block.states_tensor("y", y);
    block.states_tensor("xhat", saved.normalized.clone());
    let normalized = values(saved.normalized.clone());
    let gradients = layer.backward(saved, g.clone());
    let [dx, dgamma, dbeta] = [values(gradients.input), values(gradients.gamma), values(gradients.beta)];
    block.states("dx", &dx);
    block.states("dgamma", &dgamma);
    block.states("dbeta", &dbeta);
    let along = dx.iter().zip(&normalized).map(|(dx, xhat)| dx * xhat).sum();
    block.states("sum_dx", &[dx.iter().sum()]);
    block.states("along_xhat", &[along]);

    // The running variance is the unbiased one.
    let count = elements as f64;
    let mean = layer.running_mean.value_sync();
    let variance = layer.running_variance.value_sync() * ((count - 1.0) / count);
    block.states_tensor("mean", mean.clone());
    block.states_tensor("var", variance.clone());

    // With constant statistics only the first path is open.
    let constant = one_channel(gamma, beta, epsilon).with_running_statistics(mean, variance);
    let (_, saved) = constant.forward_saving(x, Mode::Inference);
    let own = values(constant.backward(saved, g).input);
    block.states("own", &own);
    let through_mean = -own.iter().sum::<f64>() / count;
    block.states("through_mean", &vec![through_mean; elements]);
    let r = own[0] / (gamma * block.row("g")[0]);
    let through_variance = |xhat: &f64| -gamma * r * xhat * dgamma[0] / count;
    block.states("through_var", &normalized.iter().map(through_variance).collect::<Vec<_>>());
}

fn batch_norm_epsilon(block: &Block) {
    let epsilon = block.number("epsilon");
    let layer = one_channel(block.number("gamma"), block.number("beta"), epsilon);
    let elements = block.row("x").len();
    let (_, saved) = layer.forward_saving(block.tensor("x", [elements, 1]), TRAINING);
    block.states_tensor("xhat", saved.normalized.clone());
    let normalized = values(saved.normalized.clone());
    let gradients = layer.backward(saved, block.tensor("g", [elements, 1]));
    block.states_tensor("dgamma", gradients.gamma);
    let dx = values(gradients.input);
    block.states("dx", &dx);
    block.states("sum_dx", &[dx.iter().sum()]);
    block.states("along_xhat", &[dx.iter().zip(&normalized).map(|(dx, xhat)| dx * xhat).sum()]);
    let squares: f64 = normalized.iter().map(|xhat| xhat * xhat).sum();
    block.states("share", &[squares / elements as f64]);
}

fn group_norm(block: &Block) {
    let shape = [1, 2, 2];
    let layer = GroupNorm::new(block.vector("gamma"), full(0.0, [2]), 1, 1e-300);
    let (y, saved) = layer.forward_saving(block.tensor("x", shape));
    block.states_tensor("y", y);
    let gradients = layer.backward(saved, block.tensor("g", shape));
    block.states_tensor("dgamma", gradients.gamma);
    block.states_tensor("dbeta", gradients.beta);
    block.states_tensor("dx", gradients.input);
}

/// Within a sample, the features are the elements of one channel of a batch normalisation that is given ĝ = γ ⊙ g.
fn layer_norm(block: &Block) {
    let layer = one_channel(1.0, 0.0, 0.0);
    let elements = block.row("x").len();
    let g = block.tensor("g", [elements, 1]);
    let (normalized, saved) = layer.forward_saving(block.tensor("x", [elements, 1]), TRAINING);
    block.states_tensor("dgamma", g.clone() * normalized);
    block.states_tensor("dx", layer.backward(saved, g * block.tensor("gamma", [elements, 1])).input);
}

/// With the first seed that keeps what the page keeps.
fn dropout(block: &Block) {
    let layer = Dropout::new(block.number("p_drop"));
    let kept = block.row("kept");
    let passes = |seed: u8| {
        let mode = Mode::Training { dropout_seed: [seed; 32] };
        let (ones, saved) = layer.forward_saving(full(1.0, [1, kept.len()]), mode);
        let same = values(ones.clone()).iter().zip(&kept).all(|(one, &kept)| (*one > 0.0) == (kept > 0.0));
        same.then_some((mode, ones, saved))
    };
    let (mode, mask, _) = (0..=u8::MAX).find_map(passes).expect("a seed with this mask");
    block.states_tensor("mask", mask);
    let (y, saved) = layer.forward_saving(block.matrix("x"), mode);
    block.states_tensor("y", y);
    block.states_tensor("dx", layer.backward(saved, block.matrix("g")));
}

fn dropout_threshold(block: &Block) {
    let product = block.number("p_drop") * 2f64.powi(32);
    block.states("product", &[product]);
    block.states("dropped", &[product.floor()]);
    block.states("below", &[product.ceil()]);
}

fn flatten(block: &Block) {
    let [channels, height, width] = ["C", "H", "W"].map(|name| block.count(name));
    let pixel: Vec<usize> = block.row("pixel").iter().map(|&index| index as usize).collect();
    let mut image = vec![0.0; channels * height * width];
    image[(pixel[0] * height + pixel[1]) * width + pixel[2]] = 1.0;
    let at = |flat: Tensor<2>| values(flat).iter().position(|&value| value == 1.0).expect("the pixel") as f64;
    let image: Tensor<4> = tensor(image, [1, channels, height, width]);
    block.states("q", &[at(Flatten.forward(image.clone()))]);
    // Column by column, the row runs fastest.
    block.states("matlab", &[at(Flatten.forward(image.swap_dims(2, 3)))]);
}
