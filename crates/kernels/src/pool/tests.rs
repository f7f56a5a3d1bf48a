use proptest::prelude::*;

use super::*;
use crate::isa::Isa;
use crate::layout::Border;
use crate::testing::{close, numbers};

fn cases() -> impl Strategy<Value = (Window, [usize; 3], [usize; 2])> {
    let pair = |range: std::ops::RangeInclusive<usize>| [range.clone(), range];
    (pair(1..=4), pair(1..=3), pair(0..=2), pair(1..=2), 1usize..=20, pair(0..=6)).prop_map(
        |(kernel, stride, padding, dilation, channels, extra)| {
            let padding: [usize; 2] = std::array::from_fn(|axis| padding[axis].min(kernel[axis] / 2));
            let reach: [usize; 2] = std::array::from_fn(|axis| dilation[axis] * (kernel[axis] - 1) + 1);
            // At least as wide as the dilation, so that no window has all its taps beside the image.
            let size: [usize; 2] = std::array::from_fn(|axis| {
                (reach[axis]).saturating_sub(2 * padding[axis]).max(dilation[axis]) + extra[axis]
            });
            let out = std::array::from_fn(|axis| {
                (size[axis] + 2 * padding[axis]).saturating_sub(reach[axis]) / stride[axis] + 1
            });
            (Window { kernel, stride, padding, dilation }, [channels, size[0], size[1]], out)
        },
    )
}

fn laid(layout: &Layout, values: &[f32]) -> Vec<f32> {
    let mut memory = vec![0.0; layout.size()];
    layout.write(values, &mut memory);
    memory
}

fn read(layout: &Layout, memory: &[f32]) -> Vec<f32> {
    let mut values = vec![0.0; layout.channels * layout.height * layout.width];
    layout.read(memory, &mut values);
    values
}

fn max_agrees(window: Window, [channels, height, width]: [usize; 3], [rows, columns]: [usize; 2]) {
    let border = Border { top: 1, left: 0, bottom: 0, right: 2 };
    let from = Layout::blocked([channels, height, width], border);
    let to = Layout::blocked([channels, rows, columns], Border { top: 0, left: 1, bottom: 2, right: 0 });
    let x = numbers(channels * height * width, 1);
    let g = numbers(channels * rows * columns, 2);
    let (mut y, mut dx) = (Vec::new(), vec![0f64; x.len()]);
    let mut behind_relu = dx.clone();
    for (channel, i, j) in (0..channels).flat_map(|c| (0..rows).flat_map(move |i| (0..columns).map(move |j| (c, i, j))))
    {
        let mut best = (f32::NEG_INFINITY, 0);
        for (_, row, column) in window.taps([i, j], [height, width]) {
            let at = (channel * height + row) * width + column;
            if x[at] > best.0 {
                best = (x[at], at);
            }
        }
        dx[best.1] += f64::from(g[y.len()]);
        if best.0 > 0.0 {
            behind_relu[best.1] += f64::from(g[y.len()]);
        }
        y.push(f64::from(best.0));
    }
    for isa in Isa::available() {
        let (mut output, mut argmax) = (vec![0.0; to.size()], vec![0.0; to.size()]);
        max_pool_forward(isa, &window, &from, &laid(&from, &x), &to, &mut output, &mut argmax);
        close("output", 1, &read(&to, &output), &y);
        for (positive, expected) in [(None, &dx), (Some(&output[..]), &behind_relu)] {
            let mut found = vec![0.0; from.size()];
            let gradient = laid(&to, &g);
            max_pool_backward(isa, &window, &to, &gradient, (&to, &argmax), positive, &from, &mut found);
            close("input gradient", 4, &read(&from, &found), expected);
            assert_eq!(laid(&from, &read(&from, &found)), found, "border and padded channels stay zero");
        }
    }
}

#[test]
fn quarters_agree_with_the_definition() {
    let window = Window { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };
    max_agrees(window, [20, 6, 8], [3, 4]);
    max_agrees(window, [3, 7, 8], [3, 4]);
}

#[test]
fn the_first_of_equals_wins() {
    let window = Window { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };
    let (from, to) = (Layout::blocked([1, 2, 2], Border::default()), Layout::vector(1));
    for isa in Isa::available() {
        let (mut output, mut argmax) = ([0.0; 16], [0.0; 16]);
        let input = laid(&from, &[1.0, 3.0, 3.0, 3.0]);
        max_pool_forward(isa, &window, &from, &input, &to, &mut output, &mut argmax);
        assert_eq!((output[0], argmax[0]), (3.0, 1.0));
    }
}

proptest! {
    #[test]
    fn any_max_pooling_agrees_with_the_definition((window, shape, out) in cases()) {
        max_agrees(window, shape, out);
    }

    #[test]
    fn any_average_pooling_agrees_with_the_definition((window, shape, out) in cases(), padded: bool) {
        let window = Window { dilation: [1, 1], ..window };
        let divisor = if padded { Divisor::Padded } else { Divisor::Inside };
        let [channels, height, width] = shape;
        let (from, to) = (Layout::blocked(shape, Border::default()), Layout::blocked([channels, out[0], out[1]], Border::default()));
        let x = numbers(channels * height * width, 1);
        let g = numbers(channels * out[0] * out[1], 2);
        let (mut y, mut dx) = (Vec::new(), vec![0f64; x.len()]);
        for (channel, i, j) in
            (0..channels).flat_map(|c| (0..out[0]).flat_map(move |i| (0..out[1]).map(move |j| (c, i, j))))
        {
            // Counted one by one, where the kernel has a formula.
            let within = |axis: usize, window_at: usize, size: usize| {
                (0..window.kernel[axis])
                    .filter(|tap| {
                        let at = window_at * window.stride[axis] + tap;
                        if padded { at < size + 2 * window.padding[axis] }
                        else { at >= window.padding[axis] && at < size + window.padding[axis] }
                    })
                    .count()
            };
            let count = (within(0, i, height) * within(1, j, width)) as f64;
            let mut sum = 0.0;
            for (_, row, column) in window.taps([i, j], [height, width]) {
                let at = (channel * height + row) * width + column;
                sum += f64::from(x[at]);
                dx[at] += f64::from(g[y.len()]) / count;
            }
            y.push(sum / count);
        }
        for isa in Isa::available() {
            let mut output = vec![0.0; to.size()];
            avg_pool_forward(isa, &window, divisor, &from, &laid(&from, &x), &to, &mut output);
            close("output", 4, &read(&to, &output), &y);
            let mut found = vec![0.0; from.size()];
            avg_pool_backward(isa, &window, divisor, &to, &laid(&to, &g), &from, &mut found);
            close("input gradient", 16, &read(&from, &found), &dx);
        }
    }
}
