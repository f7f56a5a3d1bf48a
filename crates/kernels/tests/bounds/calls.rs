//! Every kernel as a call on slices of given lengths.

use std::fmt;
use std::rc::Rc;

use backproof_kernels::*;

/// A kernel with everything but its slices of numbers, which it may read or write.
pub(crate) struct Call {
    pub(crate) name: String,
    /// The lengths that the slices have to have.
    pub(crate) lengths: Vec<usize>,
    run: Run,
}

type Run = Box<dyn Fn(&mut [&mut [f32]])>;

impl Call {
    fn new<const N: usize>(
        name: &str,
        of: impl fmt::Debug,
        lengths: [usize; N],
        run: impl Fn(&mut [&mut [f32]; N]) + 'static,
    ) -> Self {
        let run = move |slices: &mut [&mut [f32]]| run(slices.try_into().expect("a slice a length"));
        Self { name: format!("{name} {of:?}"), lengths: lengths.into(), run: Box::new(run) }
    }

    pub(crate) fn run(&self, slices: &mut [&mut [f32]]) {
        (self.run)(slices);
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A border that is different on each side.
const BORDER: Border = Border { top: 1, left: 0, bottom: 2, right: 3 };

pub(crate) fn convolution(isa: Isa, shape: Conv2dShape, planar: bool) -> Vec<Call> {
    let [rows, columns] = shape.output();
    let image = [shape.channels, shape.input[0], shape.input[1]];
    let input = if planar { Layout::planar } else { Layout::blocked }(image, shape.input_border());
    let output = Layout::blocked([shape.outputs, rows, columns], BORDER);
    let gradient = output.with_border(shape.gradient_border());
    let back = Layout::blocked(image, BORDER);
    let conv = Rc::new(DirectConv2d::new(shape, input, output, gradient, true));
    let (weights, flipped) = (conv.packed_weights(), conv.flipped_weights());
    let (bias, scratch) = (conv.packed_bias(), conv.scratch());
    let of = (isa, shape, planar);
    let [a, b, c, d, e, f, g] = std::array::from_fn(|_| conv.clone());
    vec![
        Call::new("pack", of, [shape.weights(), weights], move |[w, packed]| a.pack(w, packed)),
        Call::new("unpack", of, [weights, shape.weights()], move |[packed, w]| b.unpack(packed, w)),
        Call::new("turn", of, [weights, flipped], move |[packed, flipped]| c.flip(packed, flipped)),
        Call::new("forward", of, [input.size(), weights, bias, output.size()], move |[x, w, b, y]| {
            d.forward(isa, x, w, Some(b), true, y);
        }),
        Call::new("weight gradient", of, [input.size(), gradient.size(), weights], move |[x, dy, dw]| {
            e.weight_gradient(isa, x, dy, dw);
        }),
        Call::new("bias gradient", of, [gradient.size(), bias], move |[dy, db]| f.bias_gradient(isa, dy, db)),
        if scratch > 0 {
            Call::new("input gradient", of, [gradient.size(), flipped, scratch, back.size()], move |[dy, w, s, dx]| {
                g.input_gradient(isa, dy, w, s, dx, &back);
            })
        } else {
            Call::new("input gradient", of, [gradient.size(), flipped, back.size()], move |[dy, w, dx]| {
                g.input_gradient(isa, dy, w, &mut [], dx, &back);
            })
        },
    ]
}

/// None where it does not pay.
pub(crate) fn tiles(isa: Isa, shape: Conv2dShape) -> Vec<Call> {
    if !Winograd::pays(&shape) {
        return Vec::new();
    }
    let [rows, columns] = shape.output();
    let image = [shape.channels, shape.input[0], shape.input[1]];
    let input = Layout::blocked(image, shape.input_border());
    let output = Layout::blocked([shape.outputs, rows, columns], BORDER);
    let gradient = output.with_border(shape.gradient_border());
    let back = Layout::blocked(image, BORDER);
    let conv = DirectConv2d::new(shape, input, output, gradient, true);
    let tiles = Rc::new(Winograd::new(shape, input, output, gradient, true));
    let (packed, flipped, bias) = (conv.packed_weights(), conv.flipped_weights(), conv.packed_bias());
    let (weights, flipped_weights, workspace) = (tiles.weights(), tiles.flipped_weights(), tiles.workspace());
    let [a, b, c, d, e, f] = std::array::from_fn(|_| tiles.clone());
    let of = (isa, shape);
    vec![
        Call::new("transform", of, [packed, weights], move |[packed, to]| a.transform(isa, packed, to)),
        Call::new("transform flipped", of, [flipped, flipped_weights], move |[flipped, to]| {
            b.transform_flipped(isa, flipped, to);
        }),
        Call::new(
            "forward by tiles",
            of,
            [input.size(), weights, bias, workspace, output.size()],
            move |[x, w, b, s, y]| c.forward(isa, x, w, Some(b), true, s, y),
        ),
        Call::new(
            "weight gradient by tiles",
            of,
            [input.size(), gradient.size(), workspace, weights],
            move |[x, dy, s, dw]| d.weight_gradient(isa, x, dy, s, dw),
        ),
        Call::new("gradient of taps", of, [weights, packed], move |[sum, dw]| e.add_weight_gradient(isa, sum, dw)),
        Call::new(
            "input gradient by tiles",
            of,
            [gradient.size(), flipped_weights, workspace, back.size()],
            move |[dy, w, s, dx]| f.input_gradient(isa, dy, w, s, dx, &back),
        ),
    ]
}

pub(crate) fn linear(isa: Isa, images: usize, outputs: usize, features: usize) -> Vec<Call> {
    let (sizes, row) = ([outputs, features], outputs + 3);
    let of = (isa, images, outputs, features);
    let [x, w, y] = [images * features, outputs * features, images * row];
    vec![
        Call::new("linear forward", of, [w, x, y], move |[w, x, y]| {
            linear_forward(isa, sizes, w, None, true, x, y, row)
        }),
        Call::new("linear input gradient", of, [w, y, x], move |[w, g, dx]| {
            linear_input_gradient(isa, sizes, w, g, row, dx);
        }),
        Call::new("linear weight gradient", of, [x, y, w], move |[x, g, dw]| {
            linear_weight_gradient(isa, 0..outputs, features, &[(&**x, &**g)], row, dw);
        }),
    ]
}

pub(crate) fn pooling(isa: Isa, window: Window, from: [usize; 3], [rows, columns]: [usize; 2]) -> Vec<Call> {
    let of = (isa, window, from);
    let kept = Layout::blocked([from[0], rows, columns], Border::default());
    let (from, to) = (Layout::blocked(from, BORDER), kept.with_border(BORDER));
    let [x, y, small] = [from.size(), to.size(), kept.size()];
    let dense = Window { dilation: [1, 1], ..window };
    vec![
        Call::new("max pool", of, [x, y, y], move |[x, y, argmax]| {
            max_pool_forward(isa, &window, &from, x, &to, y, argmax);
        }),
        Call::new("max pool backward", of, [y, small, small, x], move |[g, argmax, output, dx]| {
            max_pool_backward(isa, &window, &to, g, (&kept, argmax), Some(output), &from, dx);
        }),
        Call::new("average pool", of, [x, y], move |[x, y]| {
            avg_pool_forward(isa, &dense, Divisor::Padded, &from, x, &to, y);
        }),
        Call::new("average pool backward", of, [y, x], move |[g, dx]| {
            avg_pool_backward(isa, &dense, Divisor::Padded, &to, g, &from, dx);
        }),
    ]
}

/// What goes over all pixels of an image.
pub(crate) fn images(isa: Isa, shape: [usize; 3]) -> Vec<Call> {
    let (from, to) = (Layout::blocked(shape, BORDER), Layout::blocked(shape, Border::default()));
    let planar = Layout::planar(shape, BORDER);
    let [x, y, channels, plain] = [from.size(), to.size(), from.padded_channels(), shape.iter().product()];
    let of = (isa, shape);
    let taken = [shape[0] + 17, shape[1].div_ceil(2), shape[2].div_ceil(3)];
    let taken = Layout::blocked(taken, BORDER);
    vec![
        Call::new("write", of, [plain, x], move |[image, to]| from.write(image, to)),
        Call::new("read", of, [x, plain], move |[memory, image]| from.read(memory, image)),
        Call::new("write planar", of, [plain, planar.size()], move |[image, to]| planar.write(image, to)),
        Call::new("read planar", of, [planar.size(), plain], move |[memory, image]| planar.read(memory, image)),
        Call::new("channel sums", of, [x, channels], move |[x, sums]| add_channel_sums(isa, &from, x, sums)),
        Call::new("ReLU", of, [x, y], move |[x, y]| relu_forward(isa, &from, x, &to, y)),
        Call::new("ReLU backward", of, [y, x], move |[y, g]| relu_backward(isa, &to, y, &from, g)),
        Call::new("ReLU backward, passing zero", of, [y, x], move |[y, g]| {
            relu_backward_passing_zero(isa, &to, y, &from, g);
        }),
        Call::new("element function", of, [x, y], move |[x, y]| {
            element_forward(isa, ElementFunction::Sigmoid, &from, x, &to, y, None);
        }),
        Call::new("element function, keeping slopes", of, [x, y, y], move |[x, y, slopes]| {
            element_forward(isa, ElementFunction::Gelu, &from, x, &to, y, Some(slopes));
        }),
        Call::new("element function backward", of, [y, y, x], move |[slopes, g, dx]| {
            element_backward(isa, ElementFunction::Silu, &to, slopes, &to, g, &from, dx);
        }),
        Call::new("element function backward, from the input", of, [x, y, x], move |[x, g, dx]| {
            element_backward(isa, ElementFunction::LeakyRelu { slope: 0.1 }, &from, x, &to, g, &from, dx);
        }),
        Call::new("PReLU backward", of, [x, y, x], move |[x, g, dx]| {
            assert!(prelu_backward(isa, 0.1, &from, x, &to, g, &from, dx).is_finite());
        }),
        Call::new("multiply", of, [x, y], move |[x, y]| multiply(isa, &from, x, &to, y)),
        Call::new("sum", of, [x, y, y], move |[one, other, y]| {
            sum(isa, (&from, one), (&to, other), true, (&to, y));
        }),
        Call::new("take pixels", of, [x, taken.size()], move |[x, y]| take_pixels(&from, x, [2, 3], &taken, y)),
        Call::new("add pixels", of, [taken.size(), x], move |[g, x]| add_pixels(&taken, g, [2, 3], &from, x)),
        Call::new("copy", of, [x, y], move |[x, y]| copy(isa, &from, x, &to, y)),
        Call::new("accumulate", of, [plain, plain], move |[x, sums]| accumulate(isa, x, sums)),
        Call::new("moments", of, [x], move |[x]| batch_norm_moments(isa, &from, x, &mut Moments::new(channels))),
        Call::new("normalise", of, [x, channels, channels, channels, y], move |[x, mean, scale, offset, y]| {
            batch_norm_forward(isa, &from, x, [mean, scale, offset], &to, y);
        }),
        Call::new("normalisation's sums", of, [x, channels, y], move |[x, mean, g]| {
            let mut sums = [vec![0.0; channels], vec![0.0; channels]];
            let [plain, weighted] = &mut sums;
            batch_norm_sums(isa, &from, x, mean, &to, g, [plain, weighted]);
        }),
        Call::new(
            "normalise backward",
            of,
            [x, channels, channels, channels, channels, y, x],
            move |[x, m, s, a, b, g, dx]| {
                batch_norm_backward(isa, &from, x, [m, s, a, b], true, &to, g, (&from, dx));
            },
        ),
    ]
}

/// What goes over numbers in a row.
pub(crate) fn vectors(isa: Isa, length: usize) -> Vec<Call> {
    let step = MomentumStep::new(0.1, 0.9, 0.01);
    let of = (isa, length);
    vec![
        Call::new("momentum", of, [length; 3], move |[g, m, w]| step.apply(isa, g, &mut [m], w)),
        Call::new("momentum, weights first", of, [length; 3], move |[g, m, w]| {
            step.weights_first().apply(isa, g, &mut [m], w);
        }),
        Call::new("gradient descent", of, [length; 2], move |[g, w]| {
            SgdStep::new(0.1, 0.0, 0.0, false, 0.01, 0).apply(isa, g, &mut [], w);
        }),
        Call::new("gradient descent with momentum", of, [length; 3], move |[g, v, w]| {
            SgdStep::new(0.1, 0.9, 0.0, true, 0.01, 0).apply(isa, g, &mut [v], w);
        }),
        Call::new("AdaGrad", of, [length; 3], move |[g, s, w]| {
            square(s);
            AdaGradStep::new(0.1, 0.01, 1e-10, 0.0, 0).apply(isa, g, &mut [s], w);
        }),
        Call::new("RMSProp", of, [length; 5], move |[g, s, a, b, w]| {
            s.fill(1.0); // above a²: the root of a negative number looks like one from beside the slice
            RmsPropStep::new(0.1, 0.9, 0.9, 1e-8, true, 0.0).apply(isa, g, &mut [s, a, b], w);
        }),
        Call::new("Adam", of, [length; 4], move |[g, m, v, w]| {
            square(v);
            AdamStep::new(0.1, [0.9, 0.999], 1e-8, false, 0.0, 0).apply(isa, g, &mut [m, v], w);
        }),
        Call::new("AdamW with AMSGrad", of, [length; 5], move |[g, m, v, largest, w]| {
            square(v);
            AdamWStep::new(0.1, [0.9, 0.999], 1e-8, true, 0.01, 0).apply(isa, g, &mut [m, v, largest], w);
        }),
        Call::new("cross-entropy", of, [length; 2], move |[z, g]| {
            softmax_cross_entropy(z, length - 1, 1.0, g);
        }),
        Call::new("soft cross-entropy", of, [length; 3], move |[z, shares, g]| {
            soft_cross_entropy(z, length - 1, shares, 1.0, 1.0, g);
        }),
        Call::new("squared error", of, [length; 2], move |[z, g]| {
            mean_squared_error(z, length - 1, 1.0, g);
        }),
        Call::new("binary cross-entropy", of, [length; 2], move |[z, g]| {
            binary_cross_entropy(z, length - 1, 1.0, g);
        }),
    ]
}

/// What an optimizer remembers of squares.
fn square(numbers: &mut [f32]) {
    numbers.iter_mut().for_each(|number| *number *= *number);
}
