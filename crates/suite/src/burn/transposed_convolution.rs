//! Transposed convolutions, with padding of the output wherever a stride leaves room for it.

use burn::tensor::module;
use burn::tensor::ops::ConvTransposeOptions;

use super::convolution::{GROUPS, assert_grouped, parts};
use super::maker::{Maker, subject};
use super::window::Windows;
use crate::subject::Subject;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "conv_transpose1d", |mut m| {
        let windows = transposed::<1>(&mut m);
        let (check, parts) = parts(&mut m, &windows, true, &GROUPS);
        let about = parts.about.clone();
        m.case(about, check, move |t| {
            assert_grouped(t, parts.groups);
            let bias = parts.bias.then(|| t.get("bias"));
            let options = transposed_options(&windows, parts.groups);
            module::conv_transpose1d(parts.layout.arrange(t.get("x")), t.get("weight"), bias, options)
        })
    }),
    subject!(smooth "conv_transpose2d", |mut m| {
        let windows = transposed::<2>(&mut m);
        let (check, parts) = parts(&mut m, &windows, true, &GROUPS);
        let about = parts.about.clone();
        m.case(about, check, move |t| {
            assert_grouped(t, parts.groups);
            let bias = parts.bias.then(|| t.get("bias"));
            let options = transposed_options(&windows, parts.groups);
            module::conv_transpose2d(parts.layout.arrange(t.get("x")), t.get("weight"), bias, options)
        })
    }),
    subject!(smooth "conv_transpose3d", |mut m| {
        let mut windows = transposed::<3>(&mut m);
        windows.image = windows.image.map(|size| size.min(2));
        let (check, parts) = parts(&mut m, &windows, true, &GROUPS);
        let about = parts.about.clone();
        m.case(about, check, move |t| {
            assert_grouped(t, parts.groups);
            let bias = parts.bias.then(|| t.get("bias"));
            let options = transposed_options(&windows, parts.groups);
            module::conv_transpose3d(parts.layout.arrange(t.get("x")), t.get("weight"), bias, options)
        })
    }),
];

/// No more padding than the output has to give.
fn transposed<const N: usize>(m: &mut Maker<'_>) -> Windows<N> {
    let mut windows = Windows::<N>::draw(m, 2);
    for axis in 0..N {
        windows.image[axis] = windows.image[axis].min(3);
        // The middle of a window stays, if it has one.
        let middle = if windows.kernel[axis] == 3 { windows.dilation[axis] } else { 0 };
        windows.padding[axis] = windows.padding[axis].min(middle);
    }
    windows
}

/// With output padding of one wherever a stride leaves room for it.
fn transposed_options<const N: usize>(windows: &Windows<N>, groups: usize) -> ConvTransposeOptions<N> {
    let padding_out = std::array::from_fn(|axis| usize::from(windows.stride[axis] > 1));
    ConvTransposeOptions::new(windows.stride, windows.padding, padding_out, windows.dilation, groups)
}
