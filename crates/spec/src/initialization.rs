//! How the first weights of a layer are drawn.

use serde::{Deserialize, Serialize};

use crate::config::{Chosen, Entries, Key, Kind, Literal, Presence, Range, Variant, Variants, key};
use crate::unset::is_default;
use crate::{Architecture, LayerSpec};

/// How the first weights of a layer are drawn. Biases are zero, unless the kind says that they are drawn too.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Initialization {
    /// The distribution.
    #[serde(rename = "type")]
    pub kind: InitializationKind,
    /// What every weight is multiplied by. The biases are not.
    pub gain: f64,
    /// The number of inputs of an output that is taken in place of the layer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fan_in: Option<usize>,
    /// Whether the drawn weights are divided by their own standard deviation, with n − 1 as PyTorch's `std` has it,
    /// before the gain multiplies them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unit_deviation: bool,
    /// The numbers of [`InitializationKind::Whitening`]; no other kind has them.
    #[serde(flatten)]
    pub whitening: Option<Whitening>,
}

/// From what the kernels of [`InitializationKind::Whitening`] are computed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Whitening {
    /// How many training images are looked at, from the first on; all where there are fewer.
    pub images: usize,
    /// ε, added to each eigenvalue before the root.
    pub epsilon: f64,
}

impl Default for Whitening {
    fn default() -> Self {
        Self { images: 5_000, epsilon: 5e-4 }
    }
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
    /// Uniform within ±1/√`fan_in`, the biases too: PyTorch's default for convolutions and linear layers.
    PytorchDefault,
    /// Of a convolution: as [`PytorchDefault`](Self::PytorchDefault), but the first min(`C_in`, `C_out`) kernels give
    /// their channel on as it is. Kernel k has a 1 in channel k at row ⌊height/2⌋ and column ⌊width/2⌋, and zeros
    /// elsewhere. The gain does not change them. With groups, this holds for the channels of each group.
    Dirac,
    /// Of a convolution that is the first layer: kernels that whiten the patches of the training images (Jordan 2024,
    /// arXiv:2404.00498). The patches, of the size of a kernel, have an uncentred covariance. Its eigenvectors, each
    /// over √(eigenvalue + ε), are the first half of the kernels, by falling eigenvalue. Their negatives are the
    /// second half. The largest number of each eigenvector is positive. The biases are PyTorch's.
    ///
    /// A run computes the kernels from its data before the first iteration. Where a network is made without data, as
    /// by a gradient check or a benchmark, the layer is drawn as [`PytorchDefault`](Self::PytorchDefault).
    Whitening,
}

impl InitializationKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::HeNormal,
        Self::HeUniform,
        Self::GlorotNormal,
        Self::GlorotUniform,
        Self::PytorchDefault,
        Self::Dirac,
        Self::Whitening,
    ];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HeNormal => "he-normal",
            Self::HeUniform => "he-uniform",
            Self::GlorotNormal => "glorot-normal",
            Self::GlorotUniform => "glorot-uniform",
            Self::PytorchDefault => "pytorch-default",
            Self::Dirac => "dirac",
            Self::Whitening => "whitening",
        }
    }

    /// Whether the biases are drawn as PyTorch draws them, uniform within ±1/√`fan_in`. Otherwise they are zero.
    pub const fn draws_biases(self) -> bool {
        matches!(self, Self::PytorchDefault | Self::Dirac | Self::Whitening)
    }
}

impl Default for Initialization {
    fn default() -> Self {
        Self { kind: InitializationKind::default(), gain: 1.0, fan_in: None, unit_deviation: false, whitening: None }
    }
}

const GAIN: Key = key(
    "gain",
    Kind::Number(Range::POSITIVE),
    Presence::Default(Literal::Number(1.0)),
    "What every weight is multiplied by.",
);

const FAN_IN: Key = key(
    "fan_in",
    Kind::Integer { least: 1 },
    Presence::Optional(Literal::Integer(75)),
    "The number of inputs of an output, if it is not to be the layer's own.",
);

const UNIT_DEVIATION: Key = key(
    "unit_deviation",
    Kind::Flag,
    Presence::Default(Literal::Flag(false)),
    "Divide the drawn weights by their own standard deviation, before the gain.",
);

const KEYS: &[Key] = &[GAIN, FAN_IN, UNIT_DEVIATION];

pub(crate) static INITIALIZATIONS: Variants = Variants {
    noun: "initialization",
    variants: &[
        Variant { name: "he-normal", doc: "Normal, variance 2 / fan_in.", keys: KEYS },
        Variant { name: "he-uniform", doc: "Uniform, variance 2 / fan_in.", keys: KEYS },
        Variant { name: "glorot-normal", doc: "Normal, variance 2 / (fan_in + fan_out).", keys: KEYS },
        Variant { name: "glorot-uniform", doc: "Uniform, variance 2 / (fan_in + fan_out).", keys: KEYS },
        Variant { name: "pytorch-default", doc: "Uniform within ±1/√fan_in, biases too.", keys: KEYS },
        Variant {
            name: "dirac",
            doc: "Of a convolution: pytorch-default, but the first kernels give their channel on as it is.",
            keys: &[GAIN, FAN_IN],
        },
        Variant {
            name: "whitening",
            doc: "Of a convolution that is the first layer: kernels that whiten the patches of the training images.",
            keys: &[
                GAIN,
                FAN_IN,
                key(
                    "images",
                    Kind::Integer { least: 1 },
                    Presence::Default(Literal::Integer(5000)),
                    "How many training images are looked at, from the first on.",
                ),
                key(
                    "epsilon",
                    Kind::Number(Range::POSITIVE),
                    Presence::Default(Literal::Number(5e-4)),
                    "ε, added to each eigenvalue before the root.",
                ),
            ],
        },
    ],
};

impl Initialization {
    pub(crate) fn read(chosen: &Chosen) -> Self {
        let named = |kind: &InitializationKind| kind.name() == chosen.variant;
        let kind = InitializationKind::ALL.into_iter().find(named).expect("the description has these types");
        let record = &chosen.record;
        let is_whitening = kind == InitializationKind::Whitening;
        Self {
            kind,
            gain: record.number("gain"),
            fan_in: record.optional_count("fan_in"),
            unit_deviation: !matches!(kind, InitializationKind::Dirac | InitializationKind::Whitening)
                && record.flag("unit_deviation"),
            whitening: is_whitening
                .then(|| Whitening { images: record.count("images"), epsilon: record.number("epsilon") }),
        }
    }

    pub(crate) fn entries(&self) -> Entries {
        let mut entries = Entries::default();
        entries.push("type", self.kind.name());
        entries.push("gain", self.gain);
        entries.push_some("fan_in", self.fan_in);
        entries.push_some("unit_deviation", self.unit_deviation.then_some(true));
        entries.push_some("images", self.whitening.map(|it| it.images));
        entries.push_some("epsilon", self.whitening.map(|it| it.epsilon));
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
