use burn::tensor::Tensor;

/// A layer that CPU kernels compute as a node of autodiff's graph, with its parameters.
#[derive(Debug, Clone)]
pub enum Node {
    /// A convolution, with what follows it in one node: a `Segment` of `backproof-compiled`.
    Convolution {
        /// `[O, C/groups, K, K′]`.
        weight: Tensor<4>,
        /// `[O]`.
        bias: Option<Tensor<1>>,
    },
    /// A fully connected layer, a node by itself.
    Linear {
        /// `[inputs, outputs]`.
        weight: Tensor<2>,
        /// `[outputs]`.
        bias: Option<Tensor<1>>,
    },
}
