//! Convolutions over unequal strides, paddings, dilations and groups.

use backproof_gradcheck::{Arguments, Check, Gradients, Options, Value};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, module};

use super::maker::{Maker, subject};
use super::window::{RowMajor, Windows};
use crate::subject::{Case, Context, Layout, Subject, shape};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "conv1d", |m| conv1d(m, &[1])),
    subject!(smooth "conv1d_groups", |m| conv1d(m, &[2, 3])),
    subject!(smooth "conv2d", conv2d),
    subject!(smooth "conv2d_wide", wide),
    subject!(smooth "conv3d", conv3d),
];

/// Numbers of groups to choose from.
pub(super) const GROUPS: [usize; 4] = [1, 1, 2, 3];

/// What a case of a convolution has beside its windows.
pub(super) struct Parts {
    pub(super) about: String,
    pub(super) groups: usize,
    pub(super) bias: bool,
    pub(super) layout: Layout,
}

/// The tensors: `x`, `weight` and perhaps `bias`, over one of these numbers of groups.
pub(super) fn parts<const N: usize>(
    m: &mut Maker<'_>,
    windows: &Windows<N>,
    transposed: bool,
    groups: &[usize],
) -> (Check<'static>, Parts) {
    let groups = m.draw.pick(groups);
    let [batch, inputs, outputs] = [m.draw.size(1..=2), m.draw.size(1..=2), m.draw.size(1..=2)];
    let of_image = |first: usize, second: usize, sizes: [usize; N]| [vec![first, second], sizes.to_vec()].concat();
    let weight = match transposed {
        false => of_image(outputs * groups, inputs, windows.kernel),
        true => of_image(inputs * groups, outputs, windows.kernel),
    };
    let (bias, layout) = (m.draw.once_in(2), m.draw.layout());
    let x = m.draw.normal(of_image(batch, inputs * groups, windows.image), 1.0);
    let weight = m.draw.normal(weight, 1.0);
    let grouped = if groups > 1 { format!(", {groups} groups") } else { String::new() };
    let with = if bias { ", with bias" } else { "" };
    let about = format!("{}, {}{grouped}{with}{}", shape(x.dims()), windows.words(), layout.words());
    // Strides leave so few numbers with a gradient that a choice could miss them.
    let options = Options { full: x.len().max(weight.len()), ..m.options() };
    let mut check = m.check().options(options).input("x", x).parameter("weight", weight);
    if bias {
        check = check.parameter("bias", m.draw.normal([outputs * groups], 1.0));
    }
    (check, Parts { about, groups, bias, layout })
}

/// Panics where the groups do not divide the channels of image and weight. Burn does not check that, and a hard point may
/// leave one channel to two groups.
pub(super) fn assert_groups_divide(groups: usize, image: &[usize], weight: &[usize]) {
    let (inputs, outputs) = (image[1], weight[0]);
    let all = inputs.is_multiple_of(groups) && outputs.is_multiple_of(groups);
    assert!(all, "{groups} groups do not divide {inputs} and {outputs} channels");
}

/// The same for the tensors of [`parts`].
pub(super) fn assert_grouped(t: &Arguments<'_>, groups: usize) {
    assert_groups_divide(groups, t.value("x").dims(), t.value("weight").dims());
}

fn conv_options<const N: usize>(windows: &Windows<N>, groups: usize) -> ConvOptions<N> {
    ConvOptions::new(windows.stride, windows.padding, windows.dilation, groups)
}

fn conv1d(mut m: Maker<'_>, groups: &[usize]) -> Case {
    let windows = Windows::<1>::draw(&mut m, 5);
    let (check, Parts { about, groups, bias, layout }) = parts(&mut m, &windows, false, groups);
    let case = m.case(about, check, move |t| {
        assert_grouped(t, groups);
        let bias = bias.then(|| t.get("bias"));
        module::conv1d(layout.arrange(t.get("x")), t.get("weight"), bias, conv_options(&windows, groups))
    });
    if groups == 1 {
        return case;
    }
    Case { check: uncropped_by_groups(m.context, case.check, windows, groups), ..case }
}

/// The check of a convolution in groups with the fault that its operation has.
pub(super) fn uncropped_by_groups(
    context: &Context,
    check: Check<'static>,
    windows: Windows<1>,
    groups: usize,
) -> Check<'static> {
    let name = "the weight's gradient of a group is not cropped to the kernel where the stride leaves something over \
                (burn-backend, ops/modules/conv.rs, conv1d_weight_grad_groups)";
    context.mutant(check, name, move |t| {
        // As a convolution over images of one row.
        let row =
            |value: &Value| Value::new([value.dims()[0], value.dims()[1], 1, value.dims()[2]], value.data().to_vec());
        let [x, weight, cotangent] = [t.value("x"), t.value("weight"), t.cotangent_value()].map(row);
        let gradient = uncropped(&x, &weight, &cotangent, &windows.on_a_row(), groups);
        Gradients::new().with("weight", Value::new(t.value("weight").dims(), gradient))
    })
}

fn conv2d(mut m: Maker<'_>) -> Case {
    let windows = Windows::<2>::draw(&mut m, 3);
    let (check, parts) = parts(&mut m, &windows, false, &GROUPS);
    let Parts { groups, bias, layout, mut about } = parts;
    let last = layout == Layout::Contiguous && m.draw.once_in(3);
    if last {
        about += ", channels last in memory";
    }
    let case = m.case(about, check, move |t| {
        assert_grouped(t, groups);
        let x = layout.arrange(t.get::<4>("x"));
        let x = if last { channels_last(x) } else { x };
        module::conv2d(x, t.get("weight"), bias.then(|| t.get("bias")), conv_options(&windows, groups))
    });
    let mut check = case.check;
    if last {
        check = m.context.mutant(
            check,
            "the weight's gradient reads channels as if each lay in one piece (burn#4591)",
            move |t| {
                let x = t.get::<4>("x");
                let in_memory = Value::from(x.clone().permute([0, 2, 3, 1]).reshape(x.dims()));
                Gradients::new()
                    .with("weight", backward(&in_memory, t.value("weight"), t.cotangent_value(), &windows, groups).1)
            },
        );
    }
    if groups > 1 {
        check =
            m.context.mutant(check, "every group reads the channels of the first (burn#3521, burn#3533)", move |t| {
                let x = t.get::<4>("x");
                let first = x.clone().narrow(1, 0, x.dims()[1] / groups);
                let first = Value::from(first.repeat_dim(1, groups));
                Gradients::new()
                    .with("weight", backward(&first, t.value("weight"), t.cotangent_value(), &windows, groups).1)
            });
    }
    if groups > 1 {
        let name = "the weight's gradient of a group is not cropped to the kernel where the stride leaves something over (burn#1891)";
        check = m.context.mutant(check, name, move |t| {
            let (weight, cotangent) = (t.value("weight"), t.cotangent_value());
            let gradient = uncropped(t.value("x"), weight, cotangent, &windows, groups);
            Gradients::new().with("weight", Value::new(weight.dims(), gradient))
        });
    }
    let [down, _] = windows.stride;
    let wrong = Windows { stride: [down, down], ..windows };
    check = m.context.mutant(check, "the stride of the rows is used for the columns too", move |t| {
        let (x, weight) = backward(t.value("x"), t.value("weight"), t.cotangent_value(), &wrong, groups);
        Gradients::new().with("x", x).with("weight", weight)
    });
    let wrong = Windows { dilation: windows.stride, stride: windows.dilation, ..windows };
    check = m.context.mutant(check, "stride and dilation are exchanged", move |t| {
        let (x, weight) = backward(t.value("x"), t.value("weight"), t.cotangent_value(), &wrong, groups);
        Gradients::new().with("x", x).with("weight", weight)
    });
    Case { check, ..case }
}

/// One row that is longer than what many a kernel takes at once (burn#4445), of which every number is checked.
fn wide(mut m: Maker<'_>) -> Case {
    let mut windows = Windows::<1>::draw(&mut m, 0).on_a_row();
    windows.image[1] = m.draw.pick(&[257, 513, 1030]);
    let outputs = m.draw.size(1..=2);
    let x = m.draw.normal([1, 1, 1, windows.image[1]], 1.0);
    let weight = m.draw.normal([outputs, 1, 1, windows.kernel[1]], 1.0);
    let channels = backproof_spec::counted(outputs, "channel");
    let about = format!("{}, {}, {channels} out", shape(x.dims()), windows.words());
    let options = Options { full: x.len(), ..m.options() };
    let check = m.check().options(options).input("x", x).parameter("weight", weight);
    m.case(about, check, move |t| module::conv2d(t.get("x"), t.get("weight"), None, conv_options(&windows, 1)))
}

fn conv3d(mut m: Maker<'_>) -> Case {
    let windows = Windows::<3>::draw(&mut m, 1);
    let (check, Parts { about, groups, bias, layout }) = parts(&mut m, &windows, false, &GROUPS);
    let case = m.case(about, check, move |t| {
        assert_grouped(t, groups);
        let bias = bias.then(|| t.get("bias"));
        module::conv3d(layout.arrange(t.get("x")), t.get("weight"), bias, conv_options(&windows, groups))
    });
    if (0..3).all(|axis| windows.stride[axis] <= windows.kernel[axis] * windows.dilation[axis]) {
        return case;
    }
    let name = "the sum is empty where the stride is larger than kernel times dilation \
                (burn-cubecl, kernel/conv/conv_transpose3d.rs)";
    let check =
        m.context.mutant(case.check, name, |t| Gradients::new().with("x", Value::full(t.value("x").dims(), 0.0)));
    Case { check, ..case }
}

/// The gradients of `x` and the weight by plain loops.
fn backward(x: &Value, weight: &Value, cotangent: &Value, windows: &Windows<2>, groups: usize) -> (Value, Value) {
    let (of_x, of_weight, of_output) = (RowMajor::of(x), RowMajor::of(weight), RowMajor::of(cotangent));
    let [batch, outputs, rows, columns] = [0, 1, 2, 3].map(|axis| cotangent.dims()[axis]);
    let inputs = weight.dims()[1];
    let (mut x_gradient, mut weight_gradient) = (vec![0.0; x.len()], vec![0.0; weight.len()]);
    for n in 0..batch {
        for output in 0..outputs {
            for input in 0..inputs {
                let channel = output / (outputs / groups) * inputs + input;
                windows.each([rows, columns], |[i, j], [k, l], [h, w]| {
                    let (at, tap) = (of_x.at(n, channel, h, w), of_weight.at(output, input, k, l));
                    let g = cotangent.data()[of_output.at(n, output, i, j)];
                    x_gradient[at] += g * weight.data()[tap];
                    weight_gradient[tap] += g * x.data()[at];
                });
            }
        }
    }
    (Value::new(x.dims(), x_gradient), Value::new(weight.dims(), weight_gradient))
}

/// The weight's gradient over as many taps as the image has room for, of which each group's first numbers are taken as
/// they lie in memory.
fn uncropped(x: &Value, weight: &Value, cotangent: &Value, windows: &Windows<2>, groups: usize) -> Vec<f64> {
    let [outputs, inputs] = [weight.dims()[0], weight.dims()[1]];
    let room = |axis: usize| {
        let steps = windows.stride[axis] * (cotangent.dims()[2 + axis] - 1);
        (windows.image[axis] + 2 * windows.padding[axis] - steps - 1) / windows.dilation[axis] + 1
    };
    let larger = Windows { kernel: [room(0), room(1)], ..*windows };
    let taps = Value::full([outputs, inputs, larger.kernel[0], larger.kernel[1]], 0.0);
    let (_, gradient) = backward(x, &taps, cotangent, &larger, groups);
    let of_groups = gradient.data().chunks(gradient.len() / groups);
    of_groups.flat_map(|group| &group[..weight.len() / groups]).copied().collect()
}

/// The same numbers with the channels of a pixel side by side in memory.
pub(super) fn channels_last(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let empty = Tensor::zeros([batch, height, width, channels], (&x.device(), x.dtype()));
    let all = [0..batch, 0..height, 0..width, 0..channels];
    empty.slice_assign(all, x.permute([0, 2, 3, 1])).permute([0, 3, 1, 2])
}
