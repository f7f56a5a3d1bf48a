//! Activation functions as modules.

use burn::module::Module;
use burn::nn::activation::*;
use burn::tensor::Tensor;

use crate::burn::maker::{Maker, subject};
use crate::subject::{Case, Subject};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!("PRelu", |mut m| {
        let x = m.real(2.0);
        let count = if m.draw.once_in(2) { 1 } else { x.dims()[1] };
        let module = PReluConfig::new().with_num_parameters(count).init(&m.context.reference);
        m.module(&backproof_spec::counted(count, "slope"), x, module, |prelu, x: Tensor<3>| prelu.forward(x))
    }),
    subject!(smooth "SwiGlu", |mut m| {
        let ([inputs, outputs], bias) = (m.draw.pair(1..=3), m.draw.once_in(2));
        let dims = [m.draw.size(1..=2), m.draw.size(1..=3), inputs];
        let x = m.draw.normal(dims, 1.0);
        let module = SwiGluConfig::new(inputs, outputs).with_bias(bias).init(&m.context.reference);
        let options = format!("to {outputs}{}", if bias { ", with bias" } else { "" });
        m.module(&options, x, module, |swiglu, x: Tensor<3>| swiglu.forward(x))
    }),
    subject!(smooth "GLU", |mut m| {
        let axis = m.draw.pick(&[-1, 1]);
        let dims = [m.draw.size(1..=3), 2 * m.draw.size(1..=2), 2 * m.draw.size(1..=2)];
        let x = m.draw.values(dims, 1.5);
        m.module(&format!("axis {axis}"), x, GLU::new(axis), |glu, x: Tensor<3>| glu.forward(x))
    }),
    // The slopes are drawn anew in each pass, and there is no range of one number. So the layer is frozen, or there is
    // nothing to scale.
    subject!("RRelu", |mut m| {
        let module = RReluConfig::new().init();
        if m.draw.once_in(2) {
            return of(m, "frozen", module.freeze(), |rrelu, x| rrelu.forward(x));
        }
        let x = m.within(0.25..2.5);
        m.module("training, nothing below zero", x, module, |rrelu, x: Tensor<3>| rrelu.forward(x))
    }),
    subject!("Relu", |m| of(m, "", Relu::new(), |f, x| f.forward(x))),
    subject!("Relu6", |m| of(m, "", Relu6::new(), |f, x| f.forward(x))),
    subject!("LeakyRelu", |m| of(m, "", LeakyReluConfig::new().init(), |f, x| f.forward(x))),
    subject!("ThresholdedRelu", |m| of(m, "", ThresholdedReluConfig::new().init(), |f, x| f.forward(x))),
    subject!("Threshold", |m| of(m, "", ThresholdConfig::new(0.5, -1.0).init(), |f, x| f.forward(x))),
    subject!("Elu", |m| of(m, "", EluConfig::new().init(), |f, x| f.forward(x))),
    subject!("Celu", |m| of(m, "", CeluConfig::new().init(), |f, x| f.forward(x))),
    subject!("Selu", |m| of(m, "", Selu::new(), |f, x| f.forward(x))),
    subject!(smooth "Gelu", |m| match m.draw.once_in(2) {
        true => of(m, "", Gelu::new(), |f, x| f.forward(x)),
        false => of(m, "approximate", Gelu::new_approximate(), |f, x| f.forward(x)),
    }),
    subject!(smooth "Sigmoid", |m| of(m, "", Sigmoid::new(), |f, x| f.forward(x))),
    subject!(smooth "LogSigmoid", |m| of(m, "", LogSigmoid::new(), |f, x| f.forward(x))),
    subject!("HardSigmoid", |m| of(m, "", HardSigmoidConfig::new().init(), |f, x| f.forward(x))),
    subject!("HardSwish", |m| of(m, "", HardSwish::new(), |f, x| f.forward(x))),
    subject!(smooth "SiLU", |m| of(m, "", SiLU::new(), |f, x| f.forward(x))),
    subject!(smooth "Mish", |m| of(m, "", Mish::new(), |f, x| f.forward(x))),
    subject!(smooth "Tanh", |m| of(m, "", Tanh::new(), |f, x| f.forward(x))),
    subject!(smooth "Tanhshrink", |m| of(m, "", Tanhshrink::new(), |f, x| f.forward(x))),
    subject!("Hardtanh", |m| of(m, "", HardtanhConfig::new().init(), |f, x| f.forward(x))),
    subject!("Softplus", |m| of(m, "", SoftplusConfig::new().with_beta(2.0).init(), |f, x| f.forward(x))),
    subject!(smooth "Softsign", |m| of(m, "", Softsign::new(), |f, x| f.forward(x))),
    subject!("HardShrink", |m| of(m, "", HardShrinkConfig::new().init(), |f, x| f.forward(x))),
    subject!("SoftShrink", |m| of(m, "", SoftShrinkConfig::new().init(), |f, x| f.forward(x))),
    subject!("Shrink", |m| of(m, "", ShrinkConfig::new().init(), |f, x| f.forward(x))),
    subject!("Activation", |mut m| {
        let config = match m.draw.size(0..=5) {
            0 => ActivationConfig::Identity,
            1 => ActivationConfig::Gelu,
            2 => ActivationConfig::Tanh,
            3 => ActivationConfig::Softsign,
            4 => PReluConfig::new().into(),
            _ => SwiGluConfig::new(4, 2).into(),
        };
        let dims = [m.draw.size(1..=3), m.draw.size(1..=3), 4];
        let (x, module) = (m.apart_in(dims), config.init(&m.context.reference));
        let name = format!("{config:?}");
        let name = name.split('(').next().unwrap_or_default();
        m.module(name, x, module, |activation, x: Tensor<3>| activation.forward(x))
    }),
];

impl Maker<'_> {
    /// Away from zero, where a kink may be and where `exp(x) − 1` is rounding alone.
    fn apart_in(&mut self, dims: [usize; 3]) -> backproof_gradcheck::Value {
        self.signed(dims, 0.25..2.5)
    }
}

/// A function of each element.
fn of<M: Module + 'static>(
    mut m: Maker<'_>,
    options: &str,
    module: M,
    forward: fn(&M, Tensor<3>) -> Tensor<3>,
) -> Case {
    let dims = m.dims();
    let x = m.apart_in(dims);
    // One of either side of every kink, so that a function that is flat somewhere moves.
    let mut data = x.data().to_vec();
    (data[0], data[1], data[2]) = (-1.5, 1.75, 0.75);
    let x = backproof_gradcheck::Value::new(dims, data);
    m.module(options, x, module, forward)
}
