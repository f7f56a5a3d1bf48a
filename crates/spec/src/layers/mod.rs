//! The layers that a network can be made of: a file each, and one line in the list below.
//!
//! A file has all that this crate knows of its layer: the struct, and its [`Definition`], which says what a config may
//! hold, how that is read and written, what the layer makes of a shape, and how it is described. The file's name is the
//! layer's `type` in a config. What several layers share is in the other files of this folder.

mod checks;
mod definition;
mod inferred;
mod keys;
mod pooling;
mod window;
mod words;

use serde::{Deserialize, Serialize};

use crate::Shape;
use crate::config::{Entries, Record, Variant, Variants};
pub(crate) use batch_norm::BATCH_NORM_KEYS;
use definition::Definition;
pub use gelu::GeluApproximation;
pub(crate) use inferred::{Inferred, MOST_ELEMENTS, Misfit};
pub use residual::{Shortcut, zero_padding_stride};

/// The modules, the enum and its dispatch. `cargo fmt` does not see modules that a macro names: `rustfmt
/// crates/spec/src/layers/*.rs` formats them, and CI checks that.
macro_rules! list {
    ($($file:ident::$Layer:ident($Spec:ident),)*) => {
        $(
            mod $file;
            pub use $file::$Spec;
        )*

        /// One layer of an [`Architecture`](crate::Architecture).
        ///
        /// In a config a layer is a table with a `type`, `{ type = "conv2d", out_channels = 16, kernel = 5 }`, or its
        /// type alone, `"relu"`, where it has no key without a default.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        pub enum LayerSpec {
            $(
                #[doc = concat!("A layer of the type `", stringify!($file), "`.")]
                $Layer($Spec),
            )*
        }

        /// The types with their keys in a config.
        pub(crate) static LAYERS: Variants = Variants {
            noun: "layer",
            variants: &[$(Variant { name: stringify!($file), doc: $Spec::DOC, keys: $Spec::KEYS }),*],
        };

        impl LayerSpec {
            /// The types, as a config names them.
            pub const TYPES: &'static [&'static str] = &[$(stringify!($file)),*];

            /// The layer that a checked table of a config describes.
            ///
            /// # Panics
            ///
            /// If [`LAYERS`] has no such type. No config can bring that about: it is checked against that table.
            pub(crate) fn read(type_name: &str, record: &Record) -> Self {
                match type_name {
                    $(stringify!($file) => Self::$Layer($Spec::read(record)),)*
                    other => panic!("there is no layer of the type `{other}`"),
                }
            }

            /// Its table in a config, every key written out.
            pub(crate) fn entries(&self) -> Entries {
                let mut entries = Entries::default();
                match self {
                    $(Self::$Layer(layer) => {
                        entries.push("type", stringify!($file));
                        layer.write(&mut entries);
                    })*
                }
                entries
            }

            /// What its name in a network begins with: `conv` in `conv1`.
            pub(crate) fn stem(&self) -> &'static str {
                match self {
                    $(Self::$Layer(_) => $Spec::STEM.unwrap_or(stringify!($file)),)*
                }
            }

            /// Whether a CPU kernel computes it, in most places of a network.
            pub(crate) fn has_kernel(&self) -> bool {
                match self {
                    $(Self::$Layer(_) => $Spec::HAS_KERNEL,)*
                }
            }

            /// What it makes of one input; `branches` are the outputs of its branches, which count for themselves.
            ///
            /// # Errors
            ///
            /// If it does not fit the input, or has an impossible hyperparameter.
            pub(crate) fn infer(&self, input: Shape, branches: &[Shape]) -> Result<Inferred, Misfit> {
                match self {
                    $(Self::$Layer(layer) => layer.infer(input, branches),)*
                }
            }

            /// The layers that it is made of: branches by name, which all get its input. Most layers have none.
            pub fn branches(&self) -> Vec<(&'static str, &[LayerSpec])> {
                match self {
                    $(Self::$Layer(layer) => layer.branches(),)*
                }
            }

            /// As [`branches`](Self::branches), to change them.
            fn branches_mut(&mut self) -> Vec<&mut Vec<LayerSpec>> {
                match self {
                    $(Self::$Layer(layer) => layer.branches_mut(),)*
                }
            }

            /// The multiplications of weights with values in the forward pass of one image.
            pub(crate) fn multiplications(&self, weights: usize, output: Shape) -> u64 {
                match self {
                    $(Self::$Layer(layer) => layer.multiplications(weights, output),)*
                }
            }

            /// What it is, in a few words.
            pub(crate) fn describe(&self) -> String {
                match self {
                    $(Self::$Layer(layer) => layer.describe(),)*
                }
            }
        }
    };
}

impl LayerSpec {
    /// Itself, and the layers inside of it, in the order of their numbers.
    pub(crate) fn all(&self) -> Vec<&Self> {
        let inside = self.branches().into_iter().flat_map(|(_, layers)| layers).flat_map(Self::all);
        std::iter::once(self).chain(inside).collect()
    }

    /// Changes it and the layers inside of it.
    pub(crate) fn change_all(&mut self, change: &mut dyn FnMut(&mut Self)) {
        change(self);
        self.branches_mut().into_iter().flatten().for_each(|layer| layer.change_all(change));
    }
}

list! {
    conv2d::Conv2d(Conv2dSpec),
    max_pool2d::MaxPool2d(MaxPool2dSpec),
    avg_pool2d::AvgPool2d(AvgPool2dSpec),
    global_avg_pool::GlobalAvgPool(GlobalAvgPoolSpec),
    linear::Linear(LinearSpec),
    flatten::Flatten(FlattenSpec),
    scale::Scale(ScaleSpec),
    relu::Relu(ReluSpec),
    leaky_relu::LeakyRelu(LeakyReluSpec),
    prelu::Prelu(PreluSpec),
    elu::Elu(EluSpec),
    gelu::Gelu(GeluSpec),
    sigmoid::Sigmoid(SigmoidSpec),
    tanh::Tanh(TanhSpec),
    silu::Silu(SiluSpec),
    softplus::Softplus(SoftplusSpec),
    batch_norm::BatchNorm(BatchNormSpec),
    group_norm::GroupNorm(GroupNormSpec),
    layer_norm::LayerNorm(LayerNormSpec),
    dropout::Dropout(DropoutSpec),
    residual::Residual(ResidualSpec),
}
