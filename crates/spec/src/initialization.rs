//! How the first weights of a layer are drawn.

use serde::{Deserialize, Serialize};

use crate::config::{Chosen, Entries, Kind, Literal, Presence, Range, Variant, Variants, key};
use crate::{Architecture, LayerSpec};

/// How the first weights of a layer are drawn. Biases are zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Initialization {
    /// The distribution.
    #[serde(rename = "type")]
    pub kind: InitializationKind,
    /// What every weight is multiplied by.
    pub gain: f64,
    /// The number of inputs of an output that is taken in place of the layer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fan_in: Option<usize>,
}

/// A distribution of weights, by the number of inputs of an output, `fan_in`, and of outputs of an input, `fan_out`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitializationKind {
    /// Normal with variance 2 / `fan_in` (He et al. 2015, arXiv:1502.01852, equation 10).
    #[default]
    HeNormal,
    /// Uniform with variance 2 / `fan_in`, within ±√(6 / `fan_in`).
    HeUniform,
    /// Normal with variance 2 / (`fan_in` + `fan_out`) (Glorot and Bengio 2010, equation 12).
    GlorotNormal,
    /// Uniform with variance 2 / (`fan_in` + `fan_out`), within ±√(6 / (`fan_in` + `fan_out`)) (Glorot and Bengio 2010,
    /// equation 16).
    GlorotUniform,
}

impl InitializationKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::HeNormal, Self::HeUniform, Self::GlorotNormal, Self::GlorotUniform];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HeNormal => "he-normal",
            Self::HeUniform => "he-uniform",
            Self::GlorotNormal => "glorot-normal",
            Self::GlorotUniform => "glorot-uniform",
        }
    }
}

impl Default for Initialization {
    fn default() -> Self {
        Self { kind: InitializationKind::default(), gain: 1.0, fan_in: None }
    }
}

const KEYS: &[crate::config::Key] = &[
    key(
        "gain",
        Kind::Number(Range::POSITIVE),
        Presence::Default(Literal::Number(1.0)),
        "What every weight is multiplied by.",
    ),
    key(
        "fan_in",
        Kind::Integer { least: 1 },
        Presence::Optional(Literal::Integer(75)),
        "The number of inputs of an output, if it is not to be the layer's own.",
    ),
];

pub(crate) static INITIALIZATIONS: Variants = Variants {
    noun: "initialization",
    variants: &[
        Variant { name: "he-normal", doc: "Normal, variance 2 / fan_in.", keys: KEYS },
        Variant { name: "he-uniform", doc: "Uniform, variance 2 / fan_in.", keys: KEYS },
        Variant { name: "glorot-normal", doc: "Normal, variance 2 / (fan_in + fan_out).", keys: KEYS },
        Variant { name: "glorot-uniform", doc: "Uniform, variance 2 / (fan_in + fan_out).", keys: KEYS },
    ],
};

impl Initialization {
    pub(crate) fn read(chosen: &Chosen) -> Self {
        let named = |kind: &InitializationKind| kind.name() == chosen.variant;
        let kind = InitializationKind::ALL.into_iter().find(named).expect("the description has these types");
        Self { kind, gain: chosen.record.number("gain"), fan_in: chosen.record.optional_count("fan_in") }
    }

    pub(crate) fn entries(&self) -> Entries {
        let mut entries = Entries::default();
        entries.push("type", self.kind.name());
        entries.push("gain", self.gain);
        entries.push_some("fan_in", self.fan_in);
        entries
    }
}

impl Architecture {
    /// The same network without a word of how its weights are drawn.
    #[must_use]
    pub fn without_initialization(&self) -> Self {
        let mut plain = self.clone();
        plain.change_all(|layer| {
            if let Some(of_layer) = initialization(layer) {
                *of_layer = None;
            }
        });
        plain
    }

    /// Draws the weights of every convolution as `conv2d` says, and of every linear layer as `linear` does, where the
    /// layer itself does not say it.
    pub(crate) fn initialize(&mut self, conv2d: Option<Initialization>, linear: Option<Initialization>) {
        self.change_all(|layer| {
            let of_kind = if matches!(layer, LayerSpec::Conv2d(_)) { conv2d } else { linear };
            if let Some(of_layer) = initialization(layer) {
                *of_layer = of_layer.or(of_kind);
            }
        });
    }
}

/// What a layer that has weights to draw says of them.
fn initialization(layer: &mut LayerSpec) -> Option<&mut Option<Initialization>> {
    match layer {
        LayerSpec::Conv2d(conv) => Some(&mut conv.initialization),
        LayerSpec::Linear(linear) => Some(&mut linear.initialization),
        _ => None,
    }
}
