//! Linear layers, embeddings and modules that move elements or measure distances.

use backproof_gradcheck::Value;
use burn::module::Param;
use burn::nn::{
    CosineSimilarityConfig, DropoutConfig, EmbeddingConfig, Fold4dConfig, GaussianNoiseConfig, Identity, LinearConfig,
    PairwiseDistanceConfig, PixelShuffleConfig, PixelUnshuffleConfig, Unfold4dConfig,
};
use burn::tensor::Tensor;

use super::placed::Placed;
use crate::burn::maker::{Maker, describe, int, subject};
use crate::burn::window::Windows;
use crate::subject::{Case, Subject, extent, shape};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "Linear", linear),
    subject!(smooth "Embedding", |mut m| {
        let [count, width] = m.draw.pair(2..=5);
        let dims @ [samples, length] = m.draw.pair(1..=3);
        let indices = m.indices(samples * length, count);
        let (check, placed) = Placed::new(m.draw, m.check(), EmbeddingConfig::new(count, width).init(&m.context.reference));
        let about = format!("{} of {count} vectors of {width}", shape(&dims));
        m.case(about, check, move |t| placed.at(t).forward(int(t, dims, &indices)))
    }),
    subject!(smooth "Identity", |mut m| {
        let x = m.real(1.0);
        m.module("", x, Identity::new(), |identity, x: Tensor<3>| identity.forward(x))
    }),
    // Which elements are dropped is drawn from a generator that all threads share, anew in each pass: two passes are of
    // two functions. So no element is dropped; the share is too small for any generator of single precision.
    subject!(smooth "Dropout", |mut m| {
        let (x, probability) = (m.real(1.0), m.draw.pick(&[0.0, 1e-12]));
        let module = DropoutConfig::new(probability).init();
        m.in_training(|m| {
            m.module(&format!("p {probability}"), x, module, |dropout, x: Tensor<3>| dropout.forward(x))
        })
    }),
    // For the same reason, noise that is lost in rounding.
    subject!(smooth "GaussianNoise", |mut m| {
        let (x, deviation) = (m.apart(0.5..2.0), m.draw.pick(&[0.0, 1e-30]));
        let module = GaussianNoiseConfig::new(deviation).init();
        m.module(&format!("deviation {deviation}"), x, module, |noise, x: Tensor<3>| noise.forward(x))
    }),
    subject!(smooth "Unfold4d", |mut m| {
        let windows = Windows::<2>::draw(&mut m, 2);
        let dims = [m.draw.size(1..=2), m.draw.size(1..=2), windows.image[0], windows.image[1]];
        let x = m.draw.normal(dims, 1.0);
        let config = Unfold4dConfig::new(windows.kernel).with_stride(windows.stride).with_padding(windows.padding);
        let module = config.with_dilation(windows.dilation).init();
        m.module(&windows.words(), x, module, |unfold, x: Tensor<4>| unfold.forward(x))
    }),
    subject!(smooth "Fold4d", |mut m| {
        let windows = Windows::<2>::draw(&mut m, 2);
        let (channels, blocks) = (m.draw.size(1..=2), windows.count(0) * windows.count(1));
        let dims = [m.draw.size(1..=2), channels * windows.kernel.iter().product::<usize>(), blocks];
        let x = m.draw.normal(dims, 1.0);
        let config = Fold4dConfig::new(windows.image, windows.kernel).with_stride(windows.stride);
        let module = config.with_padding(windows.padding).with_dilation(windows.dilation).init();
        let options = format!("to {}, {}", extent(windows.image), windows.words());
        m.module(&options, x, module, |fold, x: Tensor<3>| fold.forward(x))
    }),
    subject!(smooth "PixelShuffle", |mut m| {
        let (factor, channels) = (m.draw.size(1..=3), m.draw.size(1..=2));
        let dims = [m.draw.size(1..=2), channels * factor * factor, m.draw.size(1..=2), m.draw.size(1..=3)];
        let x = m.draw.normal(dims, 1.0);
        let module = PixelShuffleConfig::new(factor).init();
        m.module(&format!("factor {factor}"), x, module, |shuffle, x: Tensor<4>| shuffle.forward(x))
    }),
    subject!(smooth "PixelUnshuffle", |mut m| {
        let (factor, channels) = (m.draw.size(1..=3), m.draw.size(1..=2));
        let dims = [m.draw.size(1..=2), channels, factor * m.draw.size(1..=2), factor * m.draw.size(1..=2)];
        let x = m.draw.normal(dims, 1.0);
        let module = PixelUnshuffleConfig::new(factor).init();
        m.module(&format!("factor {factor}"), x, module, |shuffle, x: Tensor<4>| shuffle.forward(x))
    }),
    subject!(smooth "CosineSimilarity", |mut m| {
        let (both, dim) = (rows(&mut m), m.draw.pick(&[-1, 0, 1]));
        m.binary(&format!("axis {dim}"), both, move |x: Tensor<2>, y: Tensor<2>| {
            CosineSimilarityConfig::new().with_dim(dim).init().forward(x, y)
        })
    }),
    subject!("PairwiseDistance", |mut m| {
        let (both, p) = (rows(&mut m), m.draw.pick(&[1.0, 1.5, 2.0, 3.0]));
        m.binary(&format!("p {p}"), both, move |x: Tensor<2>, y: Tensor<2>| {
            PairwiseDistanceConfig::new().with_p(p).init().forward(x, y)
        })
    }),
];

fn rows(m: &mut Maker<'_>) -> [Value; 2] {
    let dims = [m.draw.size(2..=4), m.draw.size(2..=4)];
    [m.draw.normal(dims, 1.0), m.draw.normal(dims, 1.0)]
}

/// With vectors, matrices and batches of them, and weights that lie in columns, as a layer of `LinearLayout::Col` keeps
/// them.
fn linear(m: Maker<'_>) -> Case {
    let [inputs, outputs] = m.draw.pair(1..=4);
    let (rank, bias) = (m.draw.size(1..=3), m.draw.once_in(2));
    let mut dims: Vec<usize> = (1..rank).map(|_| m.draw.size(1..=3)).collect();
    dims.push(inputs);
    let (x, layout) = (m.draw.normal(dims, 1.0), m.draw.layout());
    let options = format!("to {outputs}{}, weight{}", if bias { ", with bias" } else { "" }, layout.words());
    let about = describe(&[&x], &options, crate::subject::Layout::Contiguous);
    let check = m.check().input("x", x);
    let module = LinearConfig::new(inputs, outputs).with_bias(bias).init(&m.context.reference);
    let (check, placed) = Placed::new(m.draw, check, module);
    m.case(about, check, move |t| {
        let mut linear = placed.at(t);
        linear.weight = Param::initialized(linear.weight.id, layout.arrange(linear.weight.val()));
        match rank {
            1 => linear.forward(t.get::<1>("x")),
            2 => linear.forward(t.get::<2>("x")).flatten(0, 1),
            _ => linear.forward(t.get::<3>("x")).flatten(0, 2),
        }
    })
}
