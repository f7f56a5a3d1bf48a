//! What the file of a layer says of it.

use super::{Inferred, LayerSpec, Misfit};
use crate::Shape;
use crate::config::{Entries, Key, Record};

/// What this crate knows of a layer. The methods that have a body hold for a layer without hyperparameters and without
/// parameters that keeps the shape.
pub(super) trait Definition: Sized {
    /// What it does, in the words of `config defaults` and of the JSON Schema.
    const DOC: &'static str;

    /// Its keys in a config, beside `type`.
    const KEYS: &'static [Key] = &[];

    /// What its name in a network begins with, `conv` in `conv1`, where that is not its type.
    const STEM: Option<&'static str> = None;

    /// Whether a CPU kernel computes it.
    const HAS_KERNEL: bool = true;

    /// The layer of a checked table, which has all of [`KEYS`](Self::KEYS).
    fn read(record: &Record) -> Self;

    /// Writes all of [`KEYS`](Self::KEYS), in that order. A key whose absence means something may be absent.
    fn write(&self, _entries: &mut Entries) {}

    /// The layers that it is made of: branches by name, which all get its input.
    fn branches(&self) -> Vec<(&'static str, &[LayerSpec])> {
        Vec::new()
    }

    /// As [`branches`](Self::branches), to change them.
    fn branches_mut(&mut self) -> Vec<&mut Vec<LayerSpec>> {
        Vec::new()
    }

    /// The shape and the numbers that it makes of the shape of one input. `branches` are the outputs of its branches;
    /// the numbers of the layers inside of them are not counted here.
    ///
    /// # Errors
    ///
    /// If it does not fit the input, or has an impossible hyperparameter.
    fn infer(&self, input: Shape, _branches: &[Shape]) -> Result<Inferred, Misfit> {
        Ok(Inferred::without_parameters(input))
    }

    /// The multiplications of its `weights` with values in the forward pass of one image. Only convolutions and linear
    /// layers have so many that they count ([`Flops`](crate::Flops)).
    fn multiplications(&self, _weights: usize, _output: Shape) -> u64 {
        0
    }

    /// What it is, with the hyperparameters that differ from the plain case: `conv 16, 5×5, padding 2`.
    fn describe(&self) -> String;
}

/// The definition of a layer without keys and without parameters that keeps the shape, with its test: the struct, what
/// the layer does, and its name in words.
macro_rules! without_keys {
    ($Spec:ident, $doc:literal, $words:literal) => {
        impl crate::layers::definition::Definition for $Spec {
            const DOC: &'static str = $doc;

            fn read(_: &crate::config::Record) -> Self {
                Self
            }

            fn describe(&self) -> String {
                $words.to_owned()
            }
        }

        #[cfg(test)]
        mod tests {
            use super::$Spec;
            use crate::Shape;
            use crate::layers::Inferred;
            use crate::layers::definition::Definition;

            #[test]
            fn the_shape_stays_and_there_are_no_parameters() {
                let input = Shape::image(3, 4, 5);
                assert_eq!($Spec.infer(input, &[]).unwrap(), Inferred::without_parameters(input));
                assert_eq!($Spec.describe(), $words);
            }
        }
    };
}

pub(super) use without_keys;
