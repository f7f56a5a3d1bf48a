//! What a plan does: layers put together to operations, and the memory between them.

use std::ops::Range;

use super::Purpose;
use crate::conv2d::{Conv2d, Conv2dShape};
use crate::layout::{Border, Layout};
use crate::pool::{Divisor, Window};
use crate::vector::LANES;
use crate::winograd::Winograd;

/// A layer, as a plan is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// Convolution; the shape of its input has to be that of what comes in.
    Conv2d {
        /// What it is.
        shape: Conv2dShape,
        /// Whether it has a bias.
        bias: bool,
    },
    /// The largest value of each window.
    MaxPool2d {
        /// The windows.
        window: Window,
        /// Rows and columns of the output.
        output: [usize; 2],
    },
    /// The mean of each window.
    AvgPool2d {
        /// The windows.
        window: Window,
        /// What the mean is over.
        divisor: Divisor,
        /// Rows and columns of the output.
        output: [usize; 2],
    },
    /// Fully connected.
    Linear {
        /// Features of the output.
        outputs: usize,
        /// Whether it has a bias.
        bias: bool,
    },
    /// `[C, H, W]` to `[C·H·W]`.
    Flatten,
    /// max(0, x).
    Relu,
    /// Batch normalisation.
    BatchNorm {
        /// ε.
        epsilon: f64,
        /// The weight of the newest batch in the running statistics.
        momentum: f64,
    },
    /// Inverted dropout, by a mask that the caller makes.
    Dropout,
}

/// An activation between two operations: what flows there, and its gradient.
#[derive(Debug, Clone)]
pub(super) struct Activation {
    pub(super) values: Layout,
    pub(super) gradient: Layout,
    /// Whether the values are needed in the backward pass, or across a section; else one image's memory is enough.
    pub(super) values_kept: bool,
    /// Whether the gradient is needed across a section.
    pub(super) gradient_kept: bool,
    /// Whether a ReLU has been applied, which whoever makes the gradient has to heed…
    pub(super) relu_fused: bool,
    /// …and whether the operation after heeds it already.
    pub(super) masked_next: bool,
}

impl Activation {
    fn new(values: Layout) -> Self {
        Self {
            values,
            gradient: Layout::blocked([values.channels, values.height, values.width], Border::default()),
            values_kept: true,
            gradient_kept: true,
            relu_fused: false,
            masked_next: false,
        }
    }

    /// Numbers of the values, rounded up to whole vectors.
    pub(super) fn stride(&self) -> usize {
        self.values.size().next_multiple_of(LANES)
    }

    pub(super) fn gradient_stride(&self) -> usize {
        self.gradient.size().next_multiple_of(LANES)
    }

    /// Where feature `feature` of `[C·H·W]` lies.
    pub(super) fn feature(&self, feature: usize) -> usize {
        let Layout { height, width, .. } = self.values;
        let (channel, pixel) = (feature / (height * width), feature % (height * width));
        self.values.offset(channel, (pixel / width) as isize, (pixel % width) as isize)
    }

    pub(super) fn features(&self) -> usize {
        self.values.channels * self.values.height * self.values.width
    }
}

/// Activation `i` to activation `i + 1`.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Conv2d {
        conv: Box<Conv2d>,
        weights: Range<usize>,
        bias: Option<Range<usize>>,
        /// Where, among all flipped weights, its own are; none for the first operation, whose input needs no gradient.
        flipped: Option<Range<usize>>,
        /// How it is computed where that is faster.
        tiles: Option<Box<Tiles>>,
        /// Whether the gradient comes without the border that it needs.
        padded: Option<Layout>,
    },
    MaxPool2d {
        window: Window,
    },
    AvgPool2d {
        window: Window,
        divisor: Divisor,
    },
    Linear {
        outputs: usize,
        weights: Range<usize>,
        bias: Option<Range<usize>>,
        first: bool,
    },
    Relu,
    BatchNorm {
        /// Which of the plan's normalisations.
        index: usize,
        gamma: Range<usize>,
        beta: Range<usize>,
    },
    Dropout,
}

/// A convolution by tiles.
#[derive(Debug, Clone)]
pub(super) struct Tiles {
    pub(super) winograd: Winograd,
    /// Where its own are among all transformed weights, and among the sums of their gradients.
    pub(super) weights: Range<usize>,
    /// Likewise those for the input gradient.
    pub(super) flipped: Option<Range<usize>>,
}

impl Operation {
    /// Whether it takes all images of a shard at once.
    pub(super) const fn is_matrix(&self) -> bool {
        matches!(self, Self::Linear { .. })
    }
}

/// Operations, the activations between them, and for each the layer that it begins with.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    pub(super) operations: Vec<Operation>,
    pub(super) activations: Vec<Activation>,
    pub(super) layers: Vec<usize>,
    /// Parameters whose gradients are added up shard by shard come first: convolutions, and the biases of linear
    /// layers.
    pub(super) summed: usize,
    pub(super) parameters: usize,
    pub(super) flipped: usize,
    pub(super) transformed: usize,
    pub(super) transformed_flipped: usize,
    /// Scratch memory that one convolution at a time needs.
    pub(super) workspace: usize,
    /// Padded channels of each normalisation.
    pub(super) norms: Vec<Norm>,
}

/// A batch normalisation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Norm {
    pub(super) channels: usize,
    pub(super) padded: usize,
    pub(super) epsilon: f64,
    pub(super) momentum: f64,
    /// The operation that it is.
    pub(super) operation: usize,
}

impl Graph {
    /// Of `layers` on images `[C, H, W]`.
    ///
    /// # Panics
    ///
    /// If a layer does not fit what it is given.
    pub(super) fn new(input: [usize; 3], layers: &[Layer], purpose: Purpose) -> Self {
        let input_gradient = purpose == Purpose::Segment;
        // The first convolution of a photograph or a digit reads it plane by plane: blocks would be mostly empty.
        let reader = layers.iter().find(|layer| !matches!(layer, Layer::Flatten));
        // A linear layer writes the gradient of its input in the layout of the input, and gradients are blocked.
        let planar = match reader {
            Some(Layer::Conv2d { shape, .. }) => !Winograd::pays(shape),
            Some(Layer::Linear { .. }) => !input_gradient,
            _ => false,
        };
        let layout = if planar { Layout::planar } else { Layout::blocked };
        let mut activations = vec![Activation::new(layout(input, Border::default()))];
        let mut graph = Self {
            operations: vec![],
            activations: vec![],
            layers: vec![],
            summed: 0,
            parameters: 0,
            flipped: 0,
            transformed: 0,
            transformed_flipped: 0,
            workspace: 0,
            norms: vec![],
        };
        for (number, layer) in layers.iter().enumerate() {
            let first = activations.len() == 1;
            let from = activations.last_mut().expect("the input's");
            let [channels, height, width] = [from.values.channels, from.values.height, from.values.width];
            let (operation, to) = match *layer {
                Layer::Flatten => continue,
                Layer::Relu
                    if matches!(graph.operations.last(), Some(Operation::Conv2d { .. } | Operation::Linear { .. }))
                        && !from.relu_fused =>
                {
                    from.relu_fused = true;
                    continue;
                }
                Layer::Relu => (Operation::Relu, Layout::blocked([channels, height, width], Border::default())),
                Layer::Dropout => (Operation::Dropout, Layout::blocked([channels, height, width], Border::default())),
                Layer::Conv2d { shape, bias } => {
                    from.values = from.values.with_border(shape.input_border());
                    let [rows, columns] = shape.output();
                    let output = Layout::blocked([shape.outputs, rows, columns], Border::default());
                    let gradient = output.with_border(shape.gradient_border());
                    let conv = Conv2d::new(shape, from.values, output, gradient, true);
                    let weights = graph.sum(conv.packed_weights());
                    let bias = bias.then(|| graph.sum(conv.packed_bias()));
                    let flipped = (!first || input_gradient).then(|| {
                        graph.flipped += conv.flipped_weights();
                        graph.flipped - conv.flipped_weights()..graph.flipped
                    });
                    (
                        Operation::Conv2d { conv: Box::new(conv), weights, bias, flipped, tiles: None, padded: None },
                        output,
                    )
                }
                Layer::MaxPool2d { window, output: [rows, columns] } => {
                    from.masked_next = from.relu_fused;
                    // Its argmax indices and its output say all that the backward pass needs.
                    from.values_kept = first;
                    (Operation::MaxPool2d { window }, Layout::blocked([channels, rows, columns], Border::default()))
                }
                Layer::AvgPool2d { window, divisor, output: [rows, columns] } => (
                    Operation::AvgPool2d { window, divisor },
                    Layout::blocked([channels, rows, columns], Border::default()),
                ),
                Layer::BatchNorm { epsilon, momentum } => {
                    from.masked_next = from.relu_fused;
                    let padded = from.values.blocks() * LANES;
                    let index = graph.norms.len();
                    graph.norms.push(Norm { channels, padded, epsilon, momentum, operation: graph.operations.len() });
                    let operation = Operation::BatchNorm { index, gamma: 0..padded, beta: 0..padded };
                    (operation, Layout::blocked([channels, height, width], Border::default()))
                }
                Layer::Linear { outputs, bias } => {
                    let bias = bias.then(|| graph.sum(outputs.next_multiple_of(LANES)));
                    let first = first && !input_gradient;
                    (Operation::Linear { outputs, weights: 0..0, bias, first }, Layout::vector(outputs))
                }
            };
            graph.operations.push(operation);
            graph.layers.push(number);
            activations.push(Activation::new(to));
        }
        graph.activations = activations;
        graph.lay_out_gradients();
        if purpose == Purpose::Inference {
            graph.forget_values();
        }
        graph.place_parameters();
        graph
    }

    /// Where γ and β of the normalisation that is operation `operation` are.
    pub(super) fn scale_and_offset(&self, operation: usize) -> (Range<usize>, Range<usize>) {
        match &self.operations[operation] {
            Operation::BatchNorm { gamma, beta, .. } => (gamma.clone(), beta.clone()),
            other => unreachable!("{other:?} is no normalisation"),
        }
    }

    /// Room for parameters whose gradients are added up.
    fn sum(&mut self, count: usize) -> Range<usize> {
        let start = self.summed;
        self.summed += count.next_multiple_of(LANES);
        start..start + count
    }

    /// Borders of gradients, and what is needed only while one image is worked on.
    fn lay_out_gradients(&mut self) {
        for index in 1..self.activations.len() {
            let [producer, consumer] = [self.operations.get(index - 1), self.operations.get(index)];
            let by_matrix = |operation: Option<&Operation>| operation.is_none_or(Operation::is_matrix);
            let read_at_once = by_matrix(consumer);
            let normalized = matches!(producer, Some(Operation::BatchNorm { .. }));
            let [input, this] = &mut self.activations[index - 1..=index] else { unreachable!("two activations") };
            this.gradient_kept = read_at_once || by_matrix(producer) || normalized;
            // A ReLU's backward pass reads its output, and so does that of a maximum after a ReLU.
            this.values_kept |= match producer {
                Some(Operation::Relu) => true,
                Some(Operation::MaxPool2d { .. }) => input.masked_next,
                _ => false,
            };
            let Some(Operation::Conv2d { conv, flipped, tiles, padded, .. }) = self.operations.get_mut(index - 1)
            else {
                continue;
            };
            let mut wanted = this.gradient;
            if flipped.is_some() {
                wanted = wanted.with_border(conv.shape().gradient_border());
            }
            // Only now is the border of the output known, which its reader asks for.
            let shape = *conv.shape();
            **conv = Conv2d::new(shape, input.values, this.values, wanted, flipped.is_some());
            *tiles = Winograd::pays(&shape).then(|| {
                let winograd = Winograd::new(shape, input.values, this.values, wanted, flipped.is_some());
                self.workspace = self.workspace.max(winograd.workspace());
                self.transformed += winograd.weights();
                self.transformed_flipped += winograd.flipped_weights();
                Box::new(Tiles {
                    weights: self.transformed - winograd.weights()..self.transformed,
                    flipped: (flipped.is_some())
                        .then(|| self.transformed_flipped - winograd.flipped_weights()..self.transformed_flipped),
                    winograd,
                })
            });
            if read_at_once && wanted != this.gradient {
                // A linear layer writes images side by side, without borders.
                *padded = Some(wanted);
            } else {
                this.gradient = wanted;
            }
        }
    }

    /// Nothing is needed of an image after it, but where all images of a shard are taken at once.
    fn forget_values(&mut self) {
        for index in 0..self.activations.len() {
            let neighbours = [index.checked_sub(1), Some(index)].map(|at| at.and_then(|at| self.operations.get(at)));
            let by_matrix = neighbours.into_iter().flatten().any(Operation::is_matrix);
            self.activations[index].values_kept = by_matrix || index == self.operations.len();
        }
    }

    /// The parameters that are not summed shard by shard lie after those that are.
    fn place_parameters(&mut self) {
        self.parameters = self.summed;
        for (index, operation) in self.operations.iter_mut().enumerate() {
            let mut take = |count: usize| {
                let start = self.parameters;
                self.parameters += count;
                start..start + count
            };
            match operation {
                Operation::Linear { outputs, weights, .. } => {
                    *weights = take(*outputs * self.activations[index].stride())
                }
                Operation::BatchNorm { gamma, beta, .. } => {
                    *gamma = take(gamma.len());
                    *beta = take(beta.len());
                }
                _ => {}
            }
        }
    }
}
