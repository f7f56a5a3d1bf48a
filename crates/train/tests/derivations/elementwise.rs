//! Functions of one element.

use backproof_layers::{Elu, Gelu, LeakyRelu, Prelu, Relu, Sigmoid, Silu, Softplus, Tanh};

use crate::Recompute;
use crate::page::{Block, full, values};

pub(crate) const RECOMPUTED: &[(&str, Recompute)] =
    &[("relu", relu), ("elementwise", elementwise), ("prelu", prelu), ("vanishing", vanishing)];

fn relu(block: &Block) {
    for (passes_zero, name) in [(false, "dx"), (true, "dx_one")] {
        let layer = Relu::new(passes_zero);
        let (y, saved) = layer.forward_saving(block.matrix("x"));
        block.states_tensor("y", y);
        block.states_tensor(name, layer.backward(saved, block.matrix("g")));
    }
}

fn elementwise(block: &Block) {
    macro_rules! compare {
        ($name:literal, $layer:expr) => {
            let layer = $layer;
            let (y, saved) = layer.forward_saving(block.matrix("x"));
            let ones = full(1.0, y.dims());
            block.states_tensor($name, y);
            block.states_tensor(concat!("d_", $name), layer.backward(saved, ones));
        };
    }
    compare!("sigmoid", Sigmoid);
    compare!("tanh", Tanh);
    compare!("softplus", Softplus);
    compare!("leaky", LeakyRelu::new(0.1));
    compare!("elu", Elu::new(1.0));
    compare!("gelu", Gelu::default());
    compare!("gelu_tanh", Gelu::new(true));
    compare!("silu", Silu);
}

fn prelu(block: &Block) {
    let layer = Prelu::new(block.vector("a"));
    let (y, saved) = layer.forward_saving(block.matrix("x"));
    block.states_tensor("y", y);
    let gradients = layer.backward(saved, block.matrix("g"));
    block.states_tensor("dx", gradients.input);
    block.states_tensor("da", gradients.slope);
}

/// The steepest slope of a sigmoid, for each of the layers.
fn vanishing(block: &Block) {
    let (_, saved) = Sigmoid.forward_saving(full(0.0, [1]));
    let slope = values(Sigmoid.backward(saved, full(1.0, [1])))[0];
    block.states("bound", &[slope.powi(block.count("depth") as i32)]);
}
