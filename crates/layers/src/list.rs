//! The enum over all layers, and its dispatch.

/// The modules of the layers, and the enums [`Layer`](crate::Layer) and [`Saved`](crate::Saved) over them. `cargo fmt`
/// does not see modules that a macro names: `rustfmt crates/layers/src/*.rs` formats them, and CI checks that.
macro_rules! list {
    ($($file:ident::$Layer:ident,)*) => {
        $(
            mod $file;
            pub use $file::*;
        )*

        use definition::Definition as _;

        /// A layer of a network, with its parameters.
        #[derive(burn::module::Module, Debug)]
        pub enum Layer {
            $(
                #[doc = concat!("A layer of the type `", stringify!($file), "`.")]
                $Layer($Layer),
            )*
        }

        /// What a layer of a network keeps of its forward pass for its backward pass.
        #[derive(Debug, Clone)]
        pub enum Saved {
            $(
                #[doc = concat!("Of a layer of the type `", stringify!($file), "`.")]
                $Layer(<$Layer as definition::Definition>::Saved),
            )*
        }

        impl Layer {
            /// What a layer is in a plan of CPU kernels; none where there is no kernel for it.
            #[must_use]
            pub fn operation(traced: &backproof_spec::TracedLayer) -> Option<backproof_compiled::Operation> {
                match &traced.layer {
                    $(backproof_spec::LayerSpec::$Layer(spec) => $Layer::operation(spec, traced),)*
                }
            }

            /// The layer with its initial parameters.
            #[must_use]
            pub fn new(traced: &backproof_spec::TracedLayer, initial: Initial<'_>) -> Self {
                match &traced.layer {
                    $(backproof_spec::LayerSpec::$Layer(spec) => Self::$Layer($Layer::build(spec, traced, initial)),)*
                }
            }

            /// The pass that autodiff differentiates.
            ///
            /// # Panics
            ///
            /// If the input is of a rank that the layer does not take, which `spec` refuses before a network is built.
            #[must_use]
            pub fn forward(&self, input: Features, mode: Mode) -> Features {
                match self {
                    $(Self::$Layer(layer) => definition::Definition::forward(layer, input, mode),)*
                }
            }

            /// The pass on plain tensors that keeps what [`backward`](Self::backward) needs.
            ///
            /// # Panics
            ///
            /// As [`forward`](Self::forward).
            #[must_use]
            pub fn forward_saving(&self, input: Features, mode: Mode) -> (Features, Saved) {
                match self {
                    $(Self::$Layer(layer) => {
                        let (output, saved) = definition::Definition::forward_saving(layer, input, mode);
                        (output, Saved::$Layer(saved))
                    })*
                }
            }

            /// The gradient of the input; those of the parameters are registered in `gradients` by parameter id.
            ///
            /// # Panics
            ///
            /// If `saved` is of another layer.
            pub fn backward(
                &self,
                saved: Saved,
                gradient: Features,
                gradients: &mut burn::optim::GradientsParams,
            ) -> Features {
                match (self, saved) {
                    $((Self::$Layer(layer), Saved::$Layer(saved)) => {
                        definition::Definition::backward(layer, saved, gradient, gradients)
                    })*
                    _ => panic!("what was saved is of another layer"),
                }
            }

            /// The gradients of the parameters alone, registered in `gradients`: less work than
            /// [`backward`](Self::backward) where nobody asks for the gradient of the input.
            ///
            /// # Panics
            ///
            /// If `saved` is of another layer.
            pub fn parameter_gradients(
                &self,
                saved: Saved,
                gradient: Features,
                gradients: &mut burn::optim::GradientsParams,
            ) {
                match (self, saved) {
                    $((Self::$Layer(layer), Saved::$Layer(saved)) => {
                        definition::Definition::parameter_gradients(layer, saved, gradient, gradients);
                    })*
                    _ => panic!("what was saved is of another layer"),
                }
            }

            /// Whether the layer has parameters to train.
            #[must_use]
            pub fn is_trainable(&self) -> bool {
                match self {
                    $(Self::$Layer(layer) => layer.is_trainable(),)*
                }
            }

            /// The layers inside of it, a slice for each branch, in the order of their numbers. Most layers have none.
            #[must_use]
            pub fn branches(&self) -> Vec<&[Layer]> {
                match self {
                    $(Self::$Layer(layer) => layer.branches(),)*
                }
            }

            /// The layer as a node of autodiff's graph that CPU kernels compute.
            ///
            /// # Errors
            ///
            /// Why it is none, in a sentence without its full stop.
            #[cfg(feature = "flex")]
            pub fn node(&self) -> Result<Node, String> {
                match self {
                    $(Self::$Layer(layer) => layer.node(),)*
                }
            }

            /// Adds what it needs in a segment after a convolution; `false` where a segment does not compute it in this
            /// mode.
            #[cfg(feature = "flex")]
            pub fn join_segment(&self, mode: Mode, parameters: &mut backproof_compiled::SegmentParameters) -> bool {
                match self {
                    $(Self::$Layer(layer) => layer.join_segment(mode, parameters),)*
                }
            }
        }

        impl Saved {
            /// On which side of its kinks each element was; none of a smooth layer.
            #[must_use]
            pub fn sides(&self) -> Option<Sides> {
                match self {
                    $(Self::$Layer(saved) => $Layer::sides(saved),)*
                }
            }

            /// This, and what the layers inside of the layer kept, in the order of their numbers.
            #[must_use]
            pub fn all(&self) -> Vec<&Self> {
                let inside = match self {
                    $(Self::$Layer(saved) => $Layer::saved_inside(saved),)*
                };
                std::iter::once(self).chain(inside.into_iter().flat_map(Self::all)).collect()
            }
        }
    };
}
