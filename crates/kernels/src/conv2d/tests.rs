use proptest::prelude::*;

use super::*;
use crate::testing::numbers;

/// The definition, in double precision: `each` is given the indices of every product w · x that enters y.
fn products(shape: &Conv2dShape, mut each: impl FnMut(usize, usize, usize)) {
    let [rows, columns] = shape.output();
    let (inputs, outputs) = (shape.channels / shape.groups, shape.outputs / shape.groups);
    for o in 0..shape.outputs {
        for (c, k, l) in (0..inputs)
            .flat_map(|c| (0..shape.kernel[0]).flat_map(move |k| (0..shape.kernel[1]).map(move |l| (c, k, l))))
        {
            let weight = ((o * inputs + c) * shape.kernel[0] + k) * shape.kernel[1] + l;
            for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                let row = (i * shape.stride[0] + k * shape.dilation[0]).wrapping_sub(shape.padding[0]);
                let column = (j * shape.stride[1] + l * shape.dilation[1]).wrapping_sub(shape.padding[1]);
                if row < shape.input[0] && column < shape.input[1] {
                    let channel = o / outputs * inputs + c;
                    let input = (channel * shape.input[0] + row) * shape.input[1] + column;
                    each(weight, input, (o * rows + i) * columns + j);
                }
            }
        }
    }
}

fn check(shape: Conv2dShape, planar: bool, isa: Isa) {
    let [rows, columns] = shape.output();
    let input_shape = [shape.channels, shape.input[0], shape.input[1]];
    let output_shape = [shape.outputs, rows, columns];
    let extra = Border { top: 1, left: 0, bottom: 0, right: 2 };
    let input = if planar { Layout::planar } else { Layout::blocked }(input_shape, shape.input_border().union(extra));
    let output = Layout::blocked(output_shape, extra);
    let gradient = Layout::blocked(output_shape, shape.gradient_border());
    let to = Layout::blocked(input_shape, extra);
    let conv = DirectConv2d::new(shape, input, output, gradient, true);

    let x = numbers(input_shape.iter().product(), 1);
    let w = numbers(shape.weights(), 2);
    let b = numbers(shape.outputs, 3);
    let g = numbers(output_shape.iter().product(), 4);
    let mut y: Vec<f64> = b.iter().flat_map(|&b| vec![f64::from(b); rows * columns]).collect();
    let (mut dx, mut dw) = (vec![0f64; x.len()], vec![0f64; w.len()]);
    products(&shape, |weight, input, output| {
        let [weight_value, input_value, gradient] = [w[weight], x[input], g[output]].map(f64::from);
        y[output] += weight_value * input_value;
        dx[input] += weight_value * gradient;
        dw[weight] += input_value * gradient;
    });

    let laid = |layout: &Layout, values: &[f32]| {
        let mut memory = vec![0.0; layout.size()];
        layout.write(values, &mut memory);
        memory
    };
    let read = |layout: &Layout, memory: &[f32]| {
        let mut values = vec![0.0; layout.channels * layout.height * layout.width];
        layout.read(memory, &mut values);
        values
    };
    let (x, g) = (laid(&input, &x), laid(&gradient, &g));
    let mut packed = vec![f32::NAN; conv.packed_weights()];
    conv.pack(&w, &mut packed);
    let mut flipped = vec![0.0; conv.flipped_weights()];
    conv.flip(&packed, &mut flipped);
    let mut bias = b.clone();
    bias.resize(conv.packed_bias(), 0.0);

    let mut found = vec![0.0; output.size()];
    conv.forward(isa, &x, &packed, Some(&bias), false, &mut found);
    close("output", &shape, &read(&output, &found), &y);
    assert_eq!(laid(&output, &read(&output, &found)), found, "border and padded channels stay zero");
    conv.forward(isa, &x, &packed, Some(&bias), true, &mut found);
    close("output with ReLU", &shape, &read(&output, &found), &y.iter().map(|y| y.max(0.0)).collect::<Vec<_>>());

    let mut found = vec![0.0; to.size()];
    let mut scratch = vec![0.0; conv.scratch()];
    conv.input_gradient(isa, &g, &flipped, &mut scratch, &mut found, &to);
    close("input gradient", &shape, &read(&to, &found), &dx);
    assert_eq!(laid(&to, &read(&to, &found)), found, "border and padded channels stay zero");

    let mut sum = vec![0.0; conv.packed_weights()];
    conv.weight_gradient(isa, &x, &g, &mut sum);
    conv.clear_unused(&mut sum);
    let mut found = vec![f32::NAN; w.len()];
    conv.unpack(&sum, &mut found);
    close("weight gradient", &shape, &found, &dw);
    let mut again = vec![0.0; conv.packed_weights()];
    conv.pack(&found, &mut again);
    assert_eq!(again, sum, "what is no weight has no gradient");

    let mut sum = vec![0.0; conv.packed_bias()];
    conv.bias_gradient(isa, &g, &mut sum);
    let db: Vec<f64> =
        read(&gradient, &g).chunks(rows * columns).map(|channel| channel.iter().map(|&g| f64::from(g)).sum()).collect();
    close("bias gradient", &shape, &sum[..shape.outputs], &db);
}

/// Within the rounding of a sum of products below 1 in single precision.
fn close(what: &str, shape: &Conv2dShape, found: &[f32], expected: &[f64]) {
    let [rows, columns] = shape.output();
    let terms = (shape.channels * shape.kernel[0] * shape.kernel[1]).max(shape.outputs * 25).max(rows * columns);
    let tolerance = 2e-6 * (terms as f64).sqrt();
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= tolerance, "{what}[{index}] of {shape:?}: {found}, not {expected}");
    }
}

fn square(channels: usize, outputs: usize, size: usize, kernel: usize, padding: usize) -> Conv2dShape {
    Conv2dShape {
        channels,
        input: [size, size],
        outputs,
        kernel: [kernel, kernel],
        stride: [1, 1],
        padding: [padding, padding],
        dilation: [1, 1],
        groups: 1,
    }
}

#[test]
fn the_published_shapes_agree_with_the_definition() {
    for isa in Isa::available() {
        check(square(3, 16, 32, 5, 2), true, isa);
        check(square(16, 16, 16, 5, 2), false, isa);
        check(square(1, 16, 28, 5, 2), true, isa);
        check(square(32, 48, 8, 5, 2), false, isa);
        check(square(32, 64, 16, 3, 1), false, isa);
        check(square(6, 16, 14, 5, 0), false, isa);
        check(Conv2dShape { stride: [4, 4], ..square(3, 96, 31, 11, 2) }, true, isa);
        check(Conv2dShape { groups: 2, ..square(96, 64, 9, 5, 2) }, false, isa);
    }
}

fn shapes() -> impl Strategy<Value = Conv2dShape> {
    let pair = |range: std::ops::RangeInclusive<usize>| [range.clone(), range];
    (1usize..=4, 1usize..=9, 1usize..=9, pair(1..=6), pair(1..=3), pair(0..=3), pair(1..=2), pair(0..=9)).prop_map(
        |(groups, inputs, outputs, kernel, stride, padding, dilation, extra)| {
            let input = std::array::from_fn(|axis| {
                let reach = dilation[axis] * (kernel[axis] - 1) + 1;
                reach.saturating_sub(2 * padding[axis]).max(1) + extra[axis]
            });
            // Products of 1 to 9 and 1 to 4 and some of them doubled: below, at and past a block of 16.
            let wide = if extra[0].is_multiple_of(2) { 1 } else { 4 };
            Conv2dShape {
                channels: groups * inputs,
                outputs: groups * outputs * wide,
                input,
                kernel,
                stride,
                padding,
                dilation,
                groups,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_shape_agrees_with_the_definition(shape in shapes(), planar: bool) {
        for isa in Isa::available() {
            check(shape, planar, isa);
        }
    }
}
