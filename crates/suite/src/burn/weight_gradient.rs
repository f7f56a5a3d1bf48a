//! The gradient of a convolution's weight as a function of its own: Burn shows it, and one may differentiate through
//! it.

use burn::tensor::module;
use burn::tensor::ops::ConvOptions;

use super::convolution::GROUPS;
use super::maker::{Maker, describe, subject};
use super::window::Windows;
use crate::subject::{Case, Layout, Subject};

pub(super) const SUBJECTS: &[Subject] = &[subject!(smooth "conv2d_weight_backward", weight_backward)];

/// A function of the image and of the output's gradient; the weight gives its shape alone.
fn weight_backward(mut m: Maker<'_>) -> Case {
    let (windows, groups) = (Windows::<2>::draw(&mut m, 3), m.draw.pick(&GROUPS));
    let [batch, inputs, outputs] = [m.draw.size(1..=2), m.draw.size(1..=2), m.draw.size(1..=2)];
    let [height, width] = windows.image;
    let x = m.draw.normal([batch, inputs * groups, height, width], 1.0);
    let output = m.draw.normal([batch, outputs * groups, windows.count(0), windows.count(1)], 1.0);
    let weight = m.draw.normal([outputs * groups, inputs, windows.kernel[0], windows.kernel[1]], 1.0);
    let options = ConvOptions::new(windows.stride, windows.padding, windows.dilation, groups);
    let options_in_words = format!("{}, {}", windows.words(), backproof_spec::counted(groups, "group"));
    let about = describe(&[&x, &output], &options_in_words, Layout::Contiguous);
    let check = m.check().input("x", x).input("output_grad", output).constant("weight", weight);
    m.case(about, check, move |t| {
        module::conv2d_weight_backward(t.get("x"), t.get("weight"), t.get("output_grad"), options.clone())
    })
}
