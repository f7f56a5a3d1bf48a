//! Convolutions whose taps are moved about by a tensor of offsets.

use backproof_gradcheck::{Arguments, Gradients};
use burn::tensor::ops::DeformConvOptions;
use burn::tensor::{DType, Tensor, module, s};

use super::maker::{Maker, subject};
use super::window::Windows;
use crate::subject::{Case, Subject, shape};

pub(super) const SUBJECTS: &[Subject] = &[subject!(smooth "deform_conv2d", deform_conv2d)];

fn deform_conv2d(mut m: Maker<'_>) -> Case {
    let mut windows = Windows::<2>::draw(&mut m, 2);
    windows.kernel = windows.kernel.map(|size| size.min(2));
    let outputs = [windows.count(0), windows.count(1)];
    let (groups, offset_groups) = (m.draw.pick(&[1, 2]), m.draw.pick(&[1, 2]));
    let taps = windows.kernel[0] * windows.kernel[1];
    let x = m.draw.normal([1, 2, windows.image[0], windows.image[1]], 1.0);
    // A fifth of a pixel from the next one at least: there the slope of the interpolation changes.
    let offset = m.signed([1, 2 * offset_groups * taps, outputs[0], outputs[1]], 0.2..0.8);
    let weight = m.draw.normal([2, 2 / groups, windows.kernel[0], windows.kernel[1]], 1.0);
    let about = format!(
        "{}, {}, {}, {offset_groups} of offsets",
        shape(x.dims()),
        windows.words(),
        backproof_spec::counted(groups, "group")
    );
    let mut check = m.check().input("x", x).input("offset", offset).parameter("weight", weight);
    let masked = m.draw.once_in(2);
    if masked {
        check = check.input("mask", m.uniform([1, offset_groups * taps, outputs[0], outputs[1]], 0.2..1.0));
    }
    let check = check.parameter("bias", m.draw.normal([2], 1.0));
    let options = DeformConvOptions::new(windows.stride, windows.padding, windows.dilation, groups, offset_groups);
    let (same, single) = (options.clone(), options.clone());
    let case = m.case(about, check, move |t| {
        let mask = masked.then(|| t.get("mask"));
        let (x, offset, weight, bias) = (t.get("x"), t.get("offset"), t.get("weight"), Some(t.get("bias")));
        module::deform_conv2d(x, offset, weight, mask, bias, options.clone())
    });
    let name = "the backward is computed in single precision (burn-flex, ops/module.rs, deform_conv2d_backward)";
    let check = m.context.mutant(case.check, name, move |t| {
        let leaf = |name: &str| t.get::<4>(name).cast(DType::F32).autodiff().require_grad();
        let (x, offset, weight) = (leaf("x"), leaf("offset"), leaf("weight"));
        let mask = masked.then(|| leaf("mask"));
        let output =
            module::deform_conv2d(x.clone(), offset.clone(), weight.clone(), mask.clone(), None, single.clone());
        let found = (output * t.cotangent::<4>().cast(DType::F32).autodiff()).sum().backward();
        let gradient = |leaf: &Tensor<4>| leaf.grad(&found).expect("it was asked for").cast(t.dtype());
        let gradients = Gradients::new().with("x", gradient(&x)).with("offset", gradient(&offset));
        let gradients = gradients.with("weight", gradient(&weight));
        match &mask {
            Some(mask) => gradients.with("mask", gradient(mask)),
            None => gradients,
        }
    });
    let taps = windows.kernel;
    let name = "every tap of the kernel takes the first one's columns \
                (burn-cubecl, kernel/conv/deform_conv_transpose2d.rs, deform_col2img_coord_kernel)";
    let other = same.clone();
    let check = m.context.mutant(check, name, move |t| {
        let weight = t.get::<4>("weight").slice(s![.., .., 0..1, 0..1]).repeat(&[1, 1, taps[0], taps[1]]);
        of_offset_and_mask(t, masked, weight, t.cotangent(), &other)
    });
    if offset_groups == 1 {
        return Case { check, ..case };
    }
    let name = "the second group of offsets takes the first one's columns \
                (burn-ndarray, ops/deform_conv.rs, compute_offset_and_mask_gradient)";
    let check = m.context.mutant(check, name, move |t| {
        let first = |tensor: Tensor<4>, axis: usize| tensor.narrow(axis, 0, 1).repeat_dim(axis, 2);
        let (weight, cotangent) = (t.get("weight"), t.cotangent());
        match groups {
            1 => of_offset_and_mask(t, masked, first(weight, 1), cotangent, &same),
            _ => of_offset_and_mask(t, masked, first(weight, 0), first(cotangent, 1), &same),
        }
    });
    Case { check, ..case }
}

/// The gradients of the offset and the mask with these in place of the weight and the cotangent: their product is what
/// a fault takes wrong.
fn of_offset_and_mask(
    t: &Arguments<'_>,
    masked: bool,
    weight: Tensor<4>,
    cotangent: Tensor<4>,
    options: &DeformConvOptions<2>,
) -> Gradients {
    let leaf = |name: &str| t.get::<4>(name).autodiff().require_grad();
    let (offset, mask) = (leaf("offset"), masked.then(|| leaf("mask")));
    let x = t.get::<4>("x").autodiff();
    let output = module::deform_conv2d(x, offset.clone(), weight.autodiff(), mask.clone(), None, options.clone());
    let found = (output * cotangent.autodiff()).sum().backward();
    let gradient = |leaf: &Tensor<4>| leaf.grad(&found).expect("it was asked for");
    let gradients = Gradients::new().with("offset", gradient(&offset));
    match &mask {
        Some(mask) => gradients.with("mask", gradient(mask)),
        None => gradients,
    }
}
