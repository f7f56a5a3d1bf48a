use backproof_gradcheck::{Check, Gradients, Value, Verdict, check};
use burn::module::Module;
use burn::nn::attention::{MhaInput, MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{DType, Device, Tensor};

use super::{device, of_matrix, row};

/// The most common block there is.
#[derive(Module, Debug)]
struct Block {
    conv: Conv2d,
    norm: BatchNorm,
}

#[test]
fn a_bias_before_a_batch_normalisation_has_no_gradient_and_that_is_proven() {
    let device = device();
    let block =
        Block { conv: Conv2dConfig::new([2, 3], [3, 3]).init(&device), norm: BatchNormConfig::new(3).init(&device) };
    let input = Value::normal([4, 2, 5, 5], 1).tensor::<4>(&device, DType::F32);
    let report = check(&block, input, |block, input| block.norm.forward(block.conv.forward(input)));
    assert_eq!(report.verdict("autodiff", "conv.bias"), Some(Verdict::Pass), "{report}");
    report.assert();
}

#[test]
fn the_key_bias_of_an_attention_has_no_gradient_and_that_is_proven() {
    let device = device();
    let attention: MultiHeadAttention = MultiHeadAttentionConfig::new(4, 2).with_dropout(0.0).init(&device);
    let input = Value::normal([2, 3, 4], 1).tensor::<3>(&device, DType::F32);
    let report = check(&attention, input, |attention, input| attention.forward(MhaInput::self_attn(input)).context);
    assert_eq!(report.verdict("autodiff", "key.bias"), Some(Verdict::Pass), "{report}");
    report.assert();
}

fn shifted(name: &str, gradient: f64) -> Check<'static> {
    let check = Check::new(name).input("x", row(&[1.0, 2.0, 4.0])).parameter("b", Value::full([1, 1], 0.5));
    let check = check.forward(&device(), |t| {
        let y = t.get::<2>("x") + t.get::<2>("b");
        let mean = y.clone().mean_dim(1);
        y - mean
    });
    check.source("claimed", &device(), move |t| {
        let g = t.cotangent::<2>();
        Gradients::new().with("x", g.clone() - g.mean_dim(1)).with("b", Value::full([1, 1], gradient))
    })
}

#[test]
fn a_gradient_that_is_zero_is_proven_and_no_other_is() {
    shifted("less its mean", 0.0).run().assert();
    for gradient in [1.0, 0.01, -1e-4] {
        let report = shifted("less its mean", gradient).run();
        assert_eq!(report.verdict("claimed", "b"), Some(Verdict::Mismatch), "{report}");
    }
}

#[test]
fn a_function_that_never_moves_proves_nothing() {
    let report = of_matrix("constant", DType::F32, row(&[1.0, 2.0]), |x| x * 0.0 + 3.0).run();
    assert!(!report.proven, "{report}");
    assert_eq!(report.faults(), 0, "{report}");
    let detached = |t: Tensor<2>, _: &Device| t.clone().detach() + t;
    let check = Check::new("detached").input("x", row(&[1.0, 2.0]));
    let check = check.forward(&device(), move |t| detached(t.get("x"), t.device())).autodiff(&device());
    assert!(!check.run().proven);
}
