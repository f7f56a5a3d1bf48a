//! The fully connected layer.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::keys::{BIAS, INITIALIZATION};
use super::{Inferred, Misfit, checks};
use crate::config::{Entries, Key, Kind, Literal, Presence, Record, key};
use crate::{Initialization, InitializationKind, Shape};

/// A fully connected layer, `[F]` to `[out_features]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearSpec {
    /// Number of features of the output.
    pub out_features: usize,
    /// Whether each output feature has a bias.
    pub bias: bool,
    /// How the weights are drawn; [`Initialization::default`] where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initialization: Option<Initialization>,
}

impl LinearSpec {
    /// A fully connected layer with bias.
    pub fn new(out_features: usize) -> Self {
        Self { out_features, bias: true, initialization: None }
    }
}

impl Definition for LinearSpec {
    const DOC: &'static str = "Fully connected layer on vectors.";

    const KEYS: &'static [Key] = &[
        key("out_features", Kind::Integer { least: 1 }, Presence::Required(Literal::Integer(10)), "Number of outputs."),
        BIAS,
        INITIALIZATION,
    ];

    fn read(record: &Record) -> Self {
        Self {
            out_features: record.count("out_features"),
            bias: record.flag("bias"),
            initialization: record.optional_chosen("initialization").map(Initialization::read),
        }
    }

    fn write(&self, entries: &mut Entries) {
        entries.push("out_features", self.out_features);
        entries.push("bias", self.bias);
        entries.push_some("initialization", self.initialization.map(|it| it.entries()));
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        let Shape::Vector { features } = input else {
            let problem = format!("expected a vector, got an image {input}");
            return Err(Misfit::new(problem).help("put a `flatten` before it"));
        };
        checks::positive("out_features", self.out_features)?;
        if let Some(kind @ (InitializationKind::Dirac | InitializationKind::Whitening)) =
            self.initialization.map(|it| it.kind)
        {
            let problem =
                format!("the initialization `{}` is of convolutions, and this is a linear layer", kind.name());
            let help =
                "use another one here, such as `pytorch-default`; `conv2d_initialization` is for convolutions alone";
            return Err(Misfit::new(problem).help(help));
        }
        let weights = checks::elements(&[features, self.out_features], "its weights")?;
        checks::deviation(self.initialization, weights)?;
        Ok(Inferred {
            output: Shape::vector(self.out_features),
            weights,
            biases: if self.bias { self.out_features } else { 0 },
            running_statistics: 0,
        })
    }

    /// Each weight once.
    fn multiplications(&self, weights: usize, _output: Shape) -> u64 {
        weights as u64
    }

    fn describe(&self) -> String {
        format!("linear {}{}", self.out_features, if self.bias { "" } else { ", no bias" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_output_has_a_weight_for_every_input_and_a_bias_unless_told() {
        let inferred = LinearSpec::new(4).infer(Shape::vector(8), &[]).unwrap();
        assert_eq!((inferred.output, inferred.weights, inferred.biases), (Shape::vector(4), 32, 4));
        let without = LinearSpec { bias: false, ..LinearSpec::new(4) };
        assert_eq!(without.infer(Shape::vector(8), &[]).unwrap().biases, 0);
        assert_eq!([LinearSpec::new(4).describe(), without.describe()], ["linear 4", "linear 4, no bias"]);
    }

    #[test]
    fn an_image_asks_for_a_flatten() {
        let misfit = LinearSpec::new(3).infer(Shape::image(2, 2, 2), &[]).unwrap_err();
        assert_eq!(misfit.problem, "expected a vector, got an image 2×2×2");
        assert_eq!(misfit.help.as_deref(), Some("put a `flatten` before it"));
    }

    #[test]
    fn what_only_kernels_have_is_refused_and_one_weight_has_no_deviation() {
        let layer =
            |initialization, outputs| LinearSpec { initialization: Some(initialization), ..LinearSpec::new(outputs) };
        for kind in [InitializationKind::Dirac, InitializationKind::Whitening] {
            let layer = layer(Initialization { kind, ..Initialization::default() }, 3);
            let problem = layer.infer(Shape::vector(2), &[]).unwrap_err().problem;
            let expected =
                format!("the initialization `{}` is of convolutions, and this is a linear layer", kind.name());
            assert_eq!(problem, expected);
        }
        let unit = Initialization { unit_deviation: true, ..Initialization::default() };
        assert!(layer(unit, 2).infer(Shape::vector(1), &[]).is_ok());
        let problem = layer(unit, 1).infer(Shape::vector(1), &[]).unwrap_err().problem;
        assert_eq!(problem, "unit_deviation = true needs at least 2 weights, got 1");
    }

    #[test]
    fn impossible_sizes_are_misfits() {
        let problem = |out_features| LinearSpec::new(out_features).infer(Shape::vector(2), &[]).unwrap_err().problem;
        assert_eq!(problem(0), "out_features must be at least 1, got 0");
        assert_eq!(problem(usize::MAX), "its weights would have more than 2147483647 numbers");
    }
}
