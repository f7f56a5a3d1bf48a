//! The layers of `backproof-layers`: the backward derived by hand and Burn's autodiff of the forward, over generated
//! shapes.
//!
//! One file a layer. Each comes with backwards that are wrong on purpose, in the ways in which one really gets that
//! layer wrong. They must not be proven, and a gradient that turns out wrong is compared with them, to say what it looks
//! like.

#[cfg(feature = "cases")]
mod conventions;
#[cfg(feature = "cases")]
mod elementwise;
#[cfg(feature = "cases")]
mod targets;
#[cfg(feature = "cases")]
mod windows;

/// One line a layer, in the order of the table: its file, which has a function `case` and a `TASK`.
macro_rules! layers {
    ($($layer:ident,)*) => {
        $(#[cfg(feature = "cases")] mod $layer;)*

        /// The layers with a backward derived by hand; a segment is a convolution with a ReLU and a maximum after it,
        /// which the CPU kernels compute as one.
        pub const LAYERS: &[&str] = &[$(stringify!($layer)),*];

        /// What exercises of them ask for, where there are any.
        #[cfg(feature = "cases")]
        pub(crate) const TASKS: &[(&str, Option<crate::layer_task::LayerTask>)] =
            &[$((stringify!($layer), $layer::TASK)),*];

        /// Their cases.
        #[cfg(feature = "cases")]
        pub(crate) const SUBJECTS: &[crate::subject::Subject] =
            &[$(crate::subject::Subject { name: stringify!($layer), generate: $layer::case }),*];
    };
}

layers! {
    linear,
    conv2d,
    max_pool2d,
    avg_pool2d,
    global_avg_pool,
    flatten,
    scale,
    relu,
    leaky_relu,
    prelu,
    elu,
    gelu,
    sigmoid,
    tanh,
    silu,
    softplus,
    batch_norm,
    group_norm,
    layer_norm,
    dropout,
    residual,
    segment,
    softmax_cross_entropy,
    soft_cross_entropy,
    mean_squared_error,
    binary_cross_entropy,
}
