//! The parameters of an operation.

/// A parameter, or a running statistic, of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// `[O, C/groups, K, K′]` of a convolution, `[O, F]` of a linear operation, γ of a normalisation.
    Weight,
    /// `[O]`, or β of a normalisation.
    Bias,
    /// Of a normalisation.
    RunningMean,
    /// Of a normalisation.
    RunningVariance,
}
