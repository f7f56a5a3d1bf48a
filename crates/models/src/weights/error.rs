//! What can be wrong with weights.

use backproof_arrays::FormatError;

/// Why weights cannot be read into a network, or saved.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The bytes are no weights file, or a damaged one.
    #[error("the weights file {0}")]
    Format(#[from] FormatError),
    /// The weights cannot be written as safetensors.
    #[error("the weights cannot be saved")]
    Save(#[from] safetensors::SafeTensorError),
    /// A file says what layers it is for, and the network has others.
    #[error("{0}")]
    Layer(String),
    /// Only some names have the prefix of a wrapper.
    #[error("only some tensors have the prefix `{prefix}`: {with} has it, and {without} does not")]
    Prefix {
        /// The whole prefix, such as `module._orig_mod.`.
        prefix: String,
        /// A tensor of the file that has it.
        with: String,
        /// One that does not.
        without: String,
    },
    /// The file lacks tensors that the network has.
    #[error("the weights lack {}, which the network has", .0.join(", "))]
    Missing(Vec<String>),
    /// The file has tensors that the network lacks.
    #[error("the weights have {}, which the network lacks", .0.join(", "))]
    Unexpected(Vec<String>),
    /// A tensor has another shape than the network's.
    #[error("{name} has the shape {found:?}; the network's is {expected:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The network's.
        expected: Vec<usize>,
    },
    /// A tensor has elements that a network cannot have.
    #[error("{name} {fault}")]
    Element {
        /// The tensor.
        name: String,
        /// What is wrong with them.
        fault: ElementFault,
    },
}

/// What is wrong with the elements of a tensor, as a verb phrase.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ElementFault {
    /// They are no floating-point numbers of a type that is read.
    #[error("has elements of type {0}; expected F16, BF16, F32 or F64")]
    Type(String),
    /// One is infinite or not a number.
    #[error("has an element that is not a finite number")]
    NotFinite,
    /// A finite f64 would be infinite in the network, which is in f32.
    #[error("has the element {0:e}, which is too large for single precision")]
    TooLarge(f64),
}
