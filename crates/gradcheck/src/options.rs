use crate::Value;

/// How much is checked, and how strictly.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Draws the cotangents and the elements that are checked.
    pub seed: u64,
    /// How many random cotangents; default 3.
    pub cotangents: usize,
    /// Tensors of up to so many elements are checked in full; default 256.
    pub full: usize,
    /// The only direction in which the output is looked at, in place of random ones and of the Jacobian; default none.
    /// For gradients that were [recorded](crate::GradientSource::recorded) under it. It has the shape of the output.
    pub cotangent: Option<Value>,
    /// So many elements are checked of a larger tensor; default 64.
    pub quota: usize,
    /// The full Jacobian is checked, one output at a time, if outputs × differentiated elements are at most so many;
    /// default 1024.
    pub jacobian: usize,
    /// The steps relative to an element's scale that are tried one after the other until the difference is clean. They
    /// are no round numbers by default: a wave whose period fits into the step looks flat.
    pub steps: Vec<f64>,
    /// `c`: what the round-off of the code under test is multiplied by; default 16.
    pub roundoff_factor: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            cotangents: 3,
            cotangent: None,
            full: 256,
            quota: 64,
            jacobian: 1024,
            steps: vec![9.7e-4, 1.03e-4, 9.7e-6, 1.03e-6],
            roundoff_factor: 16.0,
        }
    }
}
