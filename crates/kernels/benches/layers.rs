//! Convolutions of 3×3 of many sizes: forward, input gradient and weight gradient, as a plan computes them.
//!
//! `cargo bench -p backproof-kernels --bench layers -- [IMAGES] [THREADS]` prints a table. Each thread takes its share of
//! the images. A figure is the best of five, and counts operations by the definition: 2 · 9 · C · O · H · W an image.
//! `bench/peers/layers.py` prints the same of PyTorch.

#![allow(clippy::print_stdout)]

use std::thread;
use std::time::Instant;

use backproof_kernels::{Border, Conv2dShape, DirectConv2d, Isa, Layout, Winograd};

/// Channels, output channels, and rows and columns.
const SIZES: [(usize, usize, usize); 18] = [
    (16, 16, 32),
    (24, 64, 31),
    (32, 32, 32),
    (32, 64, 16),
    (48, 48, 64),
    (64, 64, 16),
    (64, 64, 15),
    (64, 256, 15),
    (96, 96, 32),
    (128, 128, 16),
    (128, 128, 8),
    (192, 192, 8),
    (256, 256, 7),
    (256, 256, 4),
    (256, 256, 3),
    (384, 384, 8),
    (512, 512, 8),
    (512, 512, 4),
];

/// A convolution, and one thread's images.
struct Layer {
    isa: Isa,
    conv: DirectConv2d,
    tiles: Option<Winograd>,
    /// Images of a call.
    at_once: usize,
    input: Layout,
    output: Layout,
    gradient: Layout,
    /// The input gradient's.
    onto: Layout,
    images: usize,
}

impl Layer {
    fn new(isa: Isa, (channels, outputs, size): (usize, usize, usize), images: usize) -> Self {
        let shape = Conv2dShape {
            channels,
            input: [size; 2],
            outputs,
            kernel: [3; 2],
            stride: [1; 2],
            padding: [1; 2],
            dilation: [1; 2],
            groups: 1,
        };
        let input = Layout::blocked([channels, size, size], shape.input_border());
        let output = Layout::blocked([outputs, size, size], Border::default());
        let gradient = output.with_border(shape.gradient_border());
        let onto = Layout::blocked([channels, size, size], Border::default());
        let conv = DirectConv2d::new(shape, input, output, gradient, true);
        let tiles = Winograd::pays(&shape).then(|| Winograd::new(shape, input, output, gradient, true));
        let at_once = if Winograd::together(&shape) { images } else { 1 };
        Self { isa, conv, tiles, at_once, input, output, gradient, onto, images }
    }

    /// How it is computed.
    fn way(&self) -> &'static str {
        match (&self.tiles, self.at_once) {
            (None, _) => "direct",
            (Some(_), 1) => "tiles",
            _ => "tiles of all",
        }
    }

    /// Seconds of the three passes.
    fn time(&self) -> [f64; 3] {
        let Self { isa, conv, tiles, at_once, input, output, gradient, onto, images } = self;
        let numbers = |layout: &Layout, value: f32| vec![value; images * layout.size()];
        let (x, g, mut y, mut dx) =
            (numbers(input, 0.5), numbers(gradient, 0.25), numbers(output, 0.0), numbers(onto, 0.0));
        let size = |layout: &Layout| at_once * layout.size();
        let inputs = || x.chunks(size(input));
        let gradients = || g.chunks(size(gradient));
        let [weights, flipped] = match tiles {
            Some(tiles) => [tiles.weights(), tiles.flipped_weights()],
            None => [conv.packed_weights(), conv.flipped_weights()],
        }
        .map(|count| vec![0.01; count]);
        let mut sum = weights.clone();
        let mut scratch = vec![0.0; tiles.as_ref().map_or(0, Winograd::workspace)];
        let forward = best(|| {
            for (x, y) in inputs().zip(y.chunks_mut(size(output))) {
                match tiles {
                    Some(tiles) => tiles.forward(*isa, x, &weights, None, false, &mut scratch, y),
                    None => conv.forward(*isa, x, &weights, None, false, y),
                }
            }
        });
        let input_gradient = best(|| {
            for (g, dx) in gradients().zip(dx.chunks_mut(size(onto))) {
                match tiles {
                    Some(tiles) => tiles.input_gradient(*isa, g, &flipped, &mut scratch, dx, onto),
                    None => conv.input_gradient(*isa, g, &flipped, &mut [], dx, onto),
                }
            }
        });
        let weight_gradient = best(|| {
            for (x, g) in inputs().zip(gradients()) {
                match tiles {
                    Some(tiles) => tiles.weight_gradient(*isa, x, g, &mut scratch, &mut sum),
                    None => conv.weight_gradient(*isa, x, g, &mut sum),
                }
            }
        });
        [forward, input_gradient, weight_gradient]
    }
}

/// The least seconds of five calls.
fn best(mut work: impl FnMut()) -> f64 {
    let seconds = (0..5).map(|_| {
        let started = Instant::now();
        work();
        started.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}

fn main() {
    // cargo adds `--bench`.
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let images = numbers.next().unwrap_or(128);
    let threads = numbers.next().unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let isa = Isa::selected().unwrap_or_else(|message| panic!("{message}"));
    println!("{images} images, {threads} threads, {isa}; microseconds an image and GFLOP/s by the definition\n");
    println!("| convolution | | forward | | input gradient | | weight gradient | |");
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for size in SIZES {
        let layer = Layer::new(isa, size, images.div_ceil(threads));
        let times: Vec<[f64; 3]> = thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| layer.time())).collect();
            running.into_iter().map(|thread| thread.join().expect("kernels do not panic")).collect()
        });
        let (channels, outputs, pixels) = size;
        let operations = (2 * 9 * channels * outputs * pixels * pixels) as f64;
        let figures = [0, 1, 2].map(|pass| {
            let slowest = times.iter().map(|times| times[pass]).fold(0.0, f64::max);
            let an_image = slowest / (layer.images * threads) as f64;
            format!("{:.1} | {:.0}", an_image * 1e6, operations / an_image / 1e9)
        });
        println!("| {channels} → {outputs}, {pixels}×{pixels} | {} | {} |", layer.way(), figures.join(" | "));
    }
}
