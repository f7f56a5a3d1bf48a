//! What there are exercises of.

use backproof_suite::LAYERS;

/// Layers that are made of others, which have exercises of their own.
const MADE_OF_OTHERS: [&str; 2] = ["residual", "segment"];

/// The optimizers whose steps are exercises.
pub const OPTIMIZERS: [&str; 7] = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"];

/// What an exercise of a whole network is called.
pub const NETWORK: &str = "network";

/// The layers of which there are backward passes with a fault in them, and their code.
macro_rules! broken {
    ($($name:literal),* $(,)?) => {
        /// Layers of which there are backward passes with a fault in them.
        pub const BROKEN: [&str; 10] = [$($name),*];

        /// Name and code of each of [`BROKEN`].
        #[cfg(feature = "judging")]
        pub(crate) const CODE: [(&str, &str); 10] =
            [$(($name, include_str!(concat!("../templates/broken/", $name, ".py")))),*];
    };
}

broken![
    "linear",
    "conv2d",
    "max_pool2d",
    "avg_pool2d",
    "relu",
    "sigmoid",
    "batch_norm",
    "layer_norm",
    "softmax_cross_entropy",
    "mean_squared_error",
];

/// Layers and losses, then optimizers.
pub fn subjects() -> Vec<&'static str> {
    let layers = LAYERS.iter().copied().filter(|layer| !MADE_OF_OTHERS.contains(layer));
    layers.chain(OPTIMIZERS).collect()
}
