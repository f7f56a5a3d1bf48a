//! Normalisation. RMS normalisation works in single precision whatever its input has.

use backproof_gradcheck::Gradients;
use burn::module::Module;
use burn::nn::{
    BatchNormConfig, GroupNormConfig, InstanceNormConfig, LayerNormConfig, LocalResponseNormConfig, RmsNormConfig,
    norm::{Normalization, NormalizationConfig},
};
use burn::tensor::{DType, Tensor};

use super::placed::Placed;
use crate::burn::maker::{Maker, describe, subject};
use crate::subject::{Case, Subject};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "BatchNorm", |mut m| {
        let channels = m.draw.size(1..=3);
        let dims = [m.draw.size(3..=4), channels, m.draw.size(1..=3)];
        let (x, training) = (m.draw.normal(dims, 1.5), !m.draw.once_in(3));
        let module = BatchNormConfig::new(channels).init(&m.context.reference);
        match training {
            true => m.in_training(|m| m.module("training", x, module, |norm, x: Tensor<3>| norm.forward(x))),
            // On a device of autodiff, only a layer that is frozen takes the running statistics.
            false => m.module("frozen", x, module.freeze(), |norm, x: Tensor<3>| norm.forward(x)),
        }
    }),
    subject!(smooth "LayerNorm", |mut m| {
        let (width, bias) = (m.draw.size(3..=6), m.draw.once_in(2));
        let dims = [m.draw.size(1..=2), m.draw.size(1..=3), width];
        let x = m.draw.normal(dims, 1.5);
        let module = LayerNormConfig::new(width).with_bias(bias).init(&m.context.reference);
        m.module(if bias { "with beta" } else { "without beta" }, x, module, |norm, x: Tensor<3>| norm.forward(x))
    }),
    subject!(smooth "RmsNorm", rms_norm),
    subject!(smooth "GroupNorm", |mut m| {
        let (groups, affine) = (m.draw.size(1..=3), !m.draw.once_in(3));
        let channels = groups * m.draw.size(1..=2);
        let dims = [m.draw.size(1..=2), channels, m.draw.size(2..=3), m.draw.size(2..=3)];
        let x = m.draw.normal(dims, 1.5);
        let module = GroupNormConfig::new(groups, channels).with_affine(affine).init(&m.context.reference);
        let options = format!("{}{}", backproof_spec::counted(groups, "group"), without(affine));
        m.module(&options, x, module, |norm, x: Tensor<4>| norm.forward(x))
    }),
    subject!(smooth "InstanceNorm", |mut m| {
        let (channels, affine) = (m.draw.size(1..=3), !m.draw.once_in(3));
        let dims = [m.draw.size(1..=2), channels, m.draw.size(2..=3), m.draw.size(2..=3)];
        let x = m.draw.normal(dims, 1.5);
        let module = InstanceNormConfig::new(channels).with_affine(affine).init(&m.context.reference);
        m.module(without(affine), x, module, |norm, x: Tensor<4>| norm.forward(x))
    }),
    subject!(smooth "LocalResponseNorm", |mut m| {
        let (size, alpha, beta) = (m.draw.size(1..=4), m.draw.pick(&[0.1, 1.0]), m.draw.pick(&[0.5, 0.75]));
        let dims = [m.draw.size(1..=2), m.draw.size(1..=5), m.draw.size(1..=2), m.draw.size(1..=3)];
        let x = m.draw.normal(dims, 1.5);
        let module = LocalResponseNormConfig::new(size).with_alpha(alpha).with_beta(beta).init();
        let channels = backproof_spec::counted(size, "channel");
        let options = format!("over {channels}, alpha {alpha}, beta {beta}");
        m.module(&options, x, module, |norm, x: Tensor<4>| norm.forward(x))
    }),
    subject!(smooth "Normalization", |mut m| {
        let channels = m.draw.size(3..=4);
        let dims = [m.draw.size(2..=3), channels, channels];
        let x = m.draw.normal(dims, 1.5);
        let (name, config): (&str, NormalizationConfig) = match m.draw.size(0..=4) {
            0 => ("identity", NormalizationConfig::Identity),
            1 => ("batch", BatchNormConfig::new(0).into()),
            2 => ("group", GroupNormConfig::new(1, 0).into()),
            3 => ("instance", InstanceNormConfig::new(0).into()),
            _ => ("layer", LayerNormConfig::new(0).into()),
        };
        let module: Normalization = config.with_num_features(channels).init(&m.context.reference);
        m.in_training(|m| m.module(name, x, module, |norm, x: Tensor<3>| norm.forward(x)))
    }),
];

fn without(affine: bool) -> &'static str {
    if affine { "" } else { ", without parameters" }
}

fn rms_norm(m: Maker<'_>) -> Case {
    let (width, layout) = (m.draw.size(2..=6), m.draw.layout());
    let dims = [m.draw.size(1..=2), m.draw.size(1..=3), width];
    let x = m.draw.normal(dims, 1.5);
    let about = describe(&[&x], "", layout);
    let check = m.check().input("x", x);
    let (check, placed) = Placed::new(m.draw, check, RmsNormConfig::new(width).init(&m.context.reference));
    let case = m.case(about, check, move |t| {
        let x = layout.arrange(t.get::<3>("x"));
        // A root in single precision moves in steps, of which differences see nothing: they are those of the formula.
        match t.device().is_autodiff() {
            true => placed.at(t).forward(x),
            false => of_formula(x, t.get("gamma"), t.dtype()),
        }
    });
    let name = "the root of the mean square is taken in single precision (burn-nn, modules/norm/rms.rs, forward)";
    let check = m.context.mutant(case.check, name, |t| {
        let leaf = |tensor: Tensor<3>| tensor.autodiff().require_grad();
        let (x, gamma) = (leaf(t.get("x")), t.get::<1>("gamma").autodiff().require_grad());
        let y = of_formula(x.clone(), gamma.clone(), DType::F32);
        let found = (y * t.cotangent::<3>().autodiff()).sum().backward();
        let gradient = x.grad(&found).expect("it was asked for");
        Gradients::new().with("x", gradient).with("gamma", gamma.grad(&found).expect("it was asked for"))
    });
    Case { check, ..case }
}

/// RMS normalisation with the root in this precision.
fn of_formula(x: Tensor<3>, gamma: Tensor<1>, dtype: DType) -> Tensor<3> {
    let precision = x.dtype();
    let rms = (x.clone().cast(dtype).square().mean_dim(2) + 1e-5).sqrt().cast(precision);
    x / rms * gamma.unsqueeze()
}
