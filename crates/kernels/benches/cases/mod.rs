//! The shapes that are measured, each with the network that it is of.

use std::fmt;

use backproof_kernels::{
    Border, Conv2dShape, DirectConv2d, ElementFunction, Isa, LANES, Layout, Memory, Winograd, zeros,
};
use divan::counter::ItemsCount;

fn each<T>(make: impl Fn(Isa) -> Vec<T>) -> Vec<T> {
    Isa::available().into_iter().flat_map(make).collect()
}

fn numbers(count: usize) -> Memory {
    let mut numbers = zeros(count);
    numbers.iter_mut().enumerate().for_each(|(i, number)| *number = (i * 7919 % 1013) as f32 / 1013.0 - 0.5);
    numbers
}

/// Memory full of `value`.
pub(crate) fn filled(value: f32, count: usize) -> Memory {
    let mut numbers = zeros(count);
    numbers.fill(value);
    numbers
}

/// A convolution of one image.
pub(crate) struct Convolution {
    pub(crate) isa: Isa,
    name: &'static str,
    shape: Conv2dShape,
}

/// What it works on.
pub(crate) struct Made {
    pub(crate) conv: DirectConv2d,
    pub(crate) input: Memory,
    pub(crate) output: Memory,
    pub(crate) gradient: Memory,
    /// Of the input gradient.
    pub(crate) back: Layout,
}

impl Convolution {
    pub(crate) fn all() -> Vec<Self> {
        let of = |[channels, outputs, size, kernel, padding, stride]: [usize; 6], groups| Conv2dShape {
            channels,
            input: [size; 2],
            outputs,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [padding; 2],
            dilation: [1, 1],
            groups,
        };
        each(|isa| {
            [
                ("mnist-baseline conv1", of([1, 16, 28, 5, 2, 1], 1)),
                ("cifar-baseline conv1", of([3, 16, 32, 5, 2, 1], 1)),
                ("cifar-baseline conv2", of([16, 16, 16, 5, 2, 1], 1)),
                ("timurtas-improved conv2", of([16, 32, 16, 5, 2, 1], 1)),
                ("timurtas-improved conv3", of([32, 48, 8, 5, 2, 1], 1)),
                ("petre-cnn conv2", of([32, 32, 32, 3, 1, 1], 1)),
                ("petre-cnn conv4", of([64, 64, 16, 3, 1, 1], 1)),
                ("willis-improved conv3", of([16, 16, 16, 3, 1, 1], 1)),
                ("petre-cnn-fashion conv2", of([32, 32, 28, 3, 1, 1], 1)),
                ("petre-cnn-fashion conv3", of([32, 64, 14, 3, 1, 1], 1)),
                ("petre-cnn-fashion conv4", of([64, 64, 14, 3, 1, 1], 1)),
                ("lenet-5 conv2", of([6, 16, 14, 5, 0, 1], 1)),
                ("alexnet conv1", of([3, 96, 227, 11, 2, 4], 1)),
                ("alexnet conv2", of([96, 256, 27, 5, 2, 1], 2)),
            ]
            .map(|(name, shape)| Self { isa, name, shape })
            .into()
        })
    }

    /// Those whose input is no image of a data set, so that its gradient is wanted.
    pub(crate) fn behind_others() -> Vec<Self> {
        Self::all().into_iter().filter(|case| case.shape.channels > 3).collect()
    }

    /// Those that Winograd's tiles are faster for.
    pub(crate) fn by_tiles() -> Vec<Self> {
        Self::all().into_iter().filter(|case| Winograd::pays(&case.shape)).collect()
    }

    /// By tiles, on the layouts of [`make`](Self::make).
    pub(crate) fn tiles(&self, made: &Made) -> Winograd {
        let [rows, columns] = self.shape.output();
        let output = Layout::blocked([self.shape.outputs, rows, columns], Border::default());
        let input = made.back.with_border(self.shape.input_border());
        Winograd::new(self.shape, input, output, output.with_border(self.shape.gradient_border()), true)
    }

    pub(crate) fn flop(&self) -> ItemsCount {
        let [rows, columns] = self.shape.output();
        ItemsCount::new(2 * rows * columns * self.shape.weights())
    }

    pub(crate) fn make(&self) -> Made {
        let shape = self.shape;
        let [rows, columns] = shape.output();
        let size = [shape.channels, shape.input[0], shape.input[1]];
        // As a plan does it: images plane by plane, everything after them in blocks.
        let layout = if shape.channels <= 3 { Layout::planar } else { Layout::blocked };
        let input = layout(size, shape.input_border());
        let output = Layout::blocked([shape.outputs, rows, columns], Border::default());
        let gradient = output.with_border(shape.gradient_border());
        Made {
            conv: DirectConv2d::new(shape, input, output, gradient, true),
            input: numbers(input.size()),
            output: numbers(output.size()),
            gradient: numbers(gradient.size()),
            back: Layout::blocked(size, Border::default()),
        }
    }
}

impl fmt::Display for Convolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.isa, self.name)
    }
}

/// A linear layer of some images.
pub(crate) struct Product {
    pub(crate) isa: Isa,
    pub(crate) images: usize,
    pub(crate) outputs: usize,
    pub(crate) features: usize,
}

impl Product {
    /// `cifar-baseline`'s and the first of `petre-mlp`, by one image and by eight, as many as a shard of a batch of
    /// 128 has.
    pub(crate) fn all() -> Vec<Self> {
        each(|isa| {
            [(1, 10, 4096), (8, 10, 4096), (1, 128, 3072), (8, 128, 3072)]
                .map(|(images, outputs, features)| Self { isa, images, outputs, features })
                .into()
        })
    }

    pub(crate) fn flop(&self) -> ItemsCount {
        ItemsCount::new(2 * self.images * self.outputs * self.features)
    }

    pub(crate) fn row(&self) -> usize {
        self.outputs.next_multiple_of(LANES)
    }

    pub(crate) fn weights(&self) -> Memory {
        numbers(self.outputs * self.features)
    }

    pub(crate) fn input(&self) -> Memory {
        numbers(self.images * self.features)
    }

    pub(crate) fn gradient(&self) -> Memory {
        numbers(self.images * self.row())
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}→{} of {}", self.isa, self.features, self.outputs, self.images)
    }
}

/// What lies between two layers.
pub(crate) struct Images {
    pub(crate) isa: Isa,
    pub(crate) layout: Layout,
}

impl Images {
    pub(crate) fn all() -> Vec<Self> {
        let border = Border { top: 2, left: 2, bottom: 2, right: 2 };
        each(|isa| {
            [[16, 32, 32], [16, 28, 28], [48, 8, 8], [128, 8, 8]]
                .map(|shape| Self { isa, layout: Layout::blocked(shape, border) })
                .into()
        })
    }

    pub(crate) fn channels(&self) -> usize {
        self.layout.padded_channels()
    }

    pub(crate) fn count(&self) -> ItemsCount {
        ItemsCount::new(self.layout.channels * self.layout.height * self.layout.width)
    }

    pub(crate) fn numbers(&self) -> Memory {
        numbers(self.layout.size())
    }
}

impl fmt::Display for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Layout { channels, height, width, .. } = self.layout;
        write!(f, "{} {channels}×{height}×{width}", self.isa)
    }
}

/// A function of one element of the images of `mnist-baseline`.
pub(crate) struct Function {
    pub(crate) images: Images,
    pub(crate) function: ElementFunction,
}

impl Function {
    pub(crate) fn all() -> Vec<Self> {
        let layout = Layout::blocked([16, 28, 28], Border::default());
        each(|isa| {
            [
                ElementFunction::Gelu,
                ElementFunction::GeluTanh,
                ElementFunction::Silu,
                ElementFunction::Sigmoid,
                ElementFunction::Tanh,
                ElementFunction::Elu { alpha: 1.0 },
                ElementFunction::Softplus,
                ElementFunction::LeakyRelu { slope: 0.1 },
            ]
            .map(|function| Self { images: Images { isa, layout }, function })
            .into()
        })
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.images, self.function)
    }
}
