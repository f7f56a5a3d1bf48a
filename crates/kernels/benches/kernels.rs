//! Single kernels on the shapes of published networks, one thread, for each set of instructions that the machine has.
//!
//! ```sh
//! cargo bench -p backproof-kernels                        # all
//! cargo bench -p backproof-kernels -- conv2d              # those with this in their name
//! cargo bench -p backproof-kernels -- conv2d_forward.avx2 # a regular expression over name and case
//! ```
//!
//! The throughput of convolutions and linear layers is in floating-point operations, so that `Gitem/s` is GFLOP/s; of
//! what does hardly any arithmetic it is in numbers. On a machine that does something else too, read the column
//! `fastest`.

mod cases;

use backproof_kernels as kernels;
use cases::{Convolution, Function, Images, Product, filled};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use kernels::{AdamStep, Border, Isa, Layout, Moments, MomentumStep, OptimizerStep, Window, zeros};

fn main() {
    divan::main();
}

#[divan::bench(args = Convolution::all(), max_time = 0.5)]
fn conv2d_forward(bencher: Bencher<'_, '_>, case: &Convolution) {
    let mut made = case.make();
    let packed = filled(0.1, made.conv.packed_weights());
    let bias = filled(0.1, made.conv.packed_bias());
    bencher.counter(case.flop()).bench_local(|| {
        made.conv.forward(case.isa, black_box(&made.input), &packed, Some(&bias), true, &mut made.output);
    });
}

#[divan::bench(args = Convolution::behind_others(), max_time = 0.5)]
fn conv2d_input_gradient(bencher: Bencher<'_, '_>, case: &Convolution) {
    let made = case.make();
    let flipped = filled(0.1, made.conv.flipped_weights());
    let mut scratch = zeros(made.conv.scratch());
    let mut found = zeros(made.back.size());
    bencher.counter(case.flop()).bench_local(|| {
        made.conv.input_gradient(case.isa, black_box(&made.gradient), &flipped, &mut scratch, &mut found, &made.back);
    });
}

#[divan::bench(args = Convolution::all(), max_time = 0.5)]
fn conv2d_weight_gradient(bencher: Bencher<'_, '_>, case: &Convolution) {
    let made = case.make();
    let mut sum = zeros(made.conv.packed_weights());
    bencher
        .counter(case.flop())
        .bench_local(|| made.conv.weight_gradient(case.isa, black_box(&made.input), &made.gradient, &mut sum));
}

// By tiles, the operations counted are still those of the definition.

#[divan::bench(args = Convolution::by_tiles(), max_time = 0.5)]
fn winograd_forward(bencher: Bencher<'_, '_>, case: &Convolution) {
    let mut made = case.make();
    let tiles = case.tiles(&made);
    let (weights, mut workspace) = (filled(0.1, tiles.weights()), zeros(tiles.workspace()));
    let bias = filled(0.1, made.conv.packed_bias());
    bencher.counter(case.flop()).bench_local(|| {
        let input = black_box(&made.input);
        tiles.forward(case.isa, input, &weights, Some(&bias), true, &mut workspace, &mut made.output);
    });
}

#[divan::bench(args = Convolution::by_tiles(), max_time = 0.5)]
fn winograd_input_gradient(bencher: Bencher<'_, '_>, case: &Convolution) {
    let made = case.make();
    let tiles = case.tiles(&made);
    let (flipped, mut workspace) = (filled(0.1, tiles.flipped_weights()), zeros(tiles.workspace()));
    let mut found = zeros(made.back.size());
    bencher.counter(case.flop()).bench_local(|| {
        let gradient = black_box(&made.gradient);
        tiles.input_gradient(case.isa, gradient, &flipped, &mut workspace, &mut found, &made.back);
    });
}

#[divan::bench(args = Convolution::by_tiles(), max_time = 0.5)]
fn winograd_weight_gradient(bencher: Bencher<'_, '_>, case: &Convolution) {
    let made = case.make();
    let tiles = case.tiles(&made);
    let (mut sum, mut workspace) = (zeros(tiles.weights()), zeros(tiles.workspace()));
    bencher.counter(case.flop()).bench_local(|| {
        tiles.weight_gradient(case.isa, black_box(&made.input), &made.gradient, &mut workspace, &mut sum);
    });
}

/// The weights' way there and their gradients' way back, once a step.
#[divan::bench(args = Convolution::by_tiles(), max_time = 0.5)]
fn winograd_weights(bencher: Bencher<'_, '_>, case: &Convolution) {
    let made = case.make();
    let tiles = case.tiles(&made);
    let (mut transformed, mut packed) = (zeros(tiles.weights()), filled(0.1, made.conv.packed_weights()));
    bencher.counter(ItemsCount::new(made.conv.shape().weights())).bench_local(|| {
        tiles.transform(case.isa, black_box(&packed), &mut transformed);
        tiles.add_weight_gradient(case.isa, &transformed, &mut packed);
    });
}

#[divan::bench(args = Convolution::behind_others(), max_time = 0.5)]
fn conv2d_turn(bencher: Bencher<'_, '_>, case: &Convolution) {
    let made = case.make();
    let packed = filled(0.1, made.conv.packed_weights());
    let mut flipped = zeros(made.conv.flipped_weights());
    bencher
        .counter(ItemsCount::new(made.conv.shape().weights()))
        .bench_local(|| made.conv.flip(black_box(&packed), &mut flipped));
}

#[divan::bench(args = Product::all())]
fn linear_forward(bencher: Bencher<'_, '_>, case: &Product) {
    let Product { isa, outputs, features, .. } = *case;
    let (weights, input, row) = (case.weights(), case.input(), case.row());
    let mut output = zeros(case.images * row);
    bencher.counter(case.flop()).bench_local(|| {
        let input = black_box(&input);
        kernels::linear_forward(isa, [outputs, features], &weights, None, true, input, &mut output, row);
    });
}

#[divan::bench(args = Product::all())]
fn linear_input_gradient(bencher: Bencher<'_, '_>, case: &Product) {
    let Product { isa, outputs, features, .. } = *case;
    let (weights, gradient, row) = (case.weights(), case.gradient(), case.row());
    let mut found = zeros(case.images * features);
    bencher.counter(case.flop()).bench_local(|| {
        kernels::linear_input_gradient(isa, [outputs, features], &weights, black_box(&gradient), row, &mut found);
    });
}

#[divan::bench(args = Product::all())]
fn linear_weight_gradient(bencher: Bencher<'_, '_>, case: &Product) {
    let Product { isa, outputs, features, .. } = *case;
    let (input, gradient, row) = (case.input(), case.gradient(), case.row());
    let mut found = zeros(outputs * features);
    bencher.counter(case.flop()).bench_local(|| {
        let parts = [(&black_box(&input)[..], &gradient[..])];
        kernels::linear_weight_gradient(isa, 0..outputs, features, &parts, row, &mut found);
    });
}

/// 2×2, side by side: the pooling of every published network but AlexNet.
const QUARTERS: Window = Window { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };

fn halved(layout: &Layout) -> Layout {
    Layout::blocked([layout.channels, layout.height / 2, layout.width / 2], Border::default())
}

#[divan::bench(args = Images::all())]
fn max_pool_forward(bencher: Bencher<'_, '_>, case: &Images) {
    let (from, to) = (case.layout, halved(&case.layout));
    let (mut output, mut argmax) = (zeros(to.size()), zeros(to.size()));
    let input = case.numbers();
    bencher.counter(case.count()).bench_local(|| {
        kernels::max_pool_forward(case.isa, &QUARTERS, &from, black_box(&input), &to, &mut output, &mut argmax);
    });
}

#[divan::bench(args = Images::all())]
fn max_pool_backward(bencher: Bencher<'_, '_>, case: &Images) {
    let (from, to) = (case.layout, halved(&case.layout));
    let (output, argmax, gradient) = (filled(1.0, to.size()), filled(2.0, to.size()), filled(1.0, to.size()));
    let mut found = zeros(from.size());
    bencher.counter(case.count()).bench_local(|| {
        let (argmax, gradient) = ((&to, &argmax[..]), black_box(&gradient));
        kernels::max_pool_backward(case.isa, &QUARTERS, &to, gradient, argmax, Some(&output), &from, &mut found);
    });
}

#[divan::bench(args = Images::all())]
fn layout_write(bencher: Bencher<'_, '_>, case: &Images) {
    let layout = case.layout;
    let (image, mut memory) = (filled(1.0, layout.channels * layout.height * layout.width), case.numbers());
    bencher.counter(case.count()).bench_local(|| layout.write(black_box(&image), &mut memory));
}

#[divan::bench(args = Images::all())]
fn layout_read(bencher: Bencher<'_, '_>, case: &Images) {
    let layout = case.layout;
    let (mut image, memory) = (filled(1.0, layout.channels * layout.height * layout.width), case.numbers());
    bencher.counter(case.count()).bench_local(|| layout.read(black_box(&memory), &mut image));
}

#[divan::bench(args = Images::all())]
fn batch_norm_moments(bencher: Bencher<'_, '_>, case: &Images) {
    let (input, mut moments) = (case.numbers(), Moments::new(case.channels()));
    bencher.counter(case.count()).bench_local(|| {
        kernels::batch_norm_moments(case.isa, &case.layout, black_box(&input), &mut moments);
    });
}

#[divan::bench(args = Images::all())]
fn batch_norm_forward(bencher: Bencher<'_, '_>, case: &Images) {
    let layout = &case.layout;
    let (input, numbers, mut output) = (case.numbers(), filled(0.5, case.channels()), case.numbers());
    bencher.counter(case.count()).bench_local(|| {
        let numbers = [&numbers[..]; 3];
        kernels::batch_norm_forward(case.isa, layout, black_box(&input), numbers, layout, &mut output);
    });
}

#[divan::bench(args = Images::all())]
fn batch_norm_backward(bencher: Bencher<'_, '_>, case: &Images) {
    let layout = &case.layout;
    let (input, gradient, numbers, mut found) =
        (case.numbers(), case.numbers(), filled(0.5, case.channels()), case.numbers());
    bencher.counter(case.count()).bench_local(|| {
        let (numbers, input, onto) = ([&numbers[..]; 4], black_box(&input), (layout, &mut found[..]));
        kernels::batch_norm_backward(case.isa, layout, input, numbers, true, layout, &gradient, onto);
    });
}

#[divan::bench(args = Function::all())]
fn element_forward(bencher: Bencher<'_, '_>, case: &Function) {
    let (layout, input) = (&case.images.layout, case.images.numbers());
    let (mut output, mut slopes) = (zeros(layout.size()), zeros(layout.size()));
    bencher.counter(case.images.count()).bench_local(|| {
        let slopes = case.function.keeps_slopes().then_some(&mut slopes[..]);
        kernels::element_forward(
            case.images.isa,
            case.function,
            layout,
            black_box(&input),
            layout,
            &mut output,
            slopes,
        );
    });
}

#[divan::bench(args = Function::all())]
fn element_backward(bencher: Bencher<'_, '_>, case: &Function) {
    let (layout, known, gradient) = (&case.images.layout, case.images.numbers(), case.images.numbers());
    let mut found = zeros(layout.size());
    bencher.counter(case.images.count()).bench_local(|| {
        let known = black_box(&known);
        let (isa, f) = (case.images.isa, case.function);
        kernels::element_backward(isa, f, layout, known, layout, &gradient, layout, &mut found);
    });
}

/// Of `cifar-baseline`'s parameters.
#[divan::bench(args = Isa::available())]
fn momentum_step(bencher: Bencher<'_, '_>, isa: Isa) {
    let (gradient, mut momentum, mut weights) = (filled(0.1, 48_602), filled(0.1, 48_602), filled(0.1, 48_602));
    let step = MomentumStep::new(1e-6, 0.9, 1e-4);
    bencher
        .counter(ItemsCount::new(weights.len()))
        .bench_local(|| step.apply(isa, black_box(&gradient), &mut [&mut momentum], &mut weights));
}

/// Of as many parameters.
#[divan::bench(args = Isa::available())]
fn adam_step(bencher: Bencher<'_, '_>, isa: Isa) {
    let [gradient, mut first, mut second, mut weights] = [0.1; 4].map(|value| filled(value, 48_602));
    let step = AdamStep::new(1e-6, [0.9, 0.999], 1e-8, false, 0.0, 9);
    bencher
        .counter(ItemsCount::new(weights.len()))
        .bench_local(|| step.apply(isa, black_box(&gradient), &mut [&mut first, &mut second], &mut weights));
}
