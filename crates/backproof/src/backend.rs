//! Backends by name. Each is a cargo feature of this package; one binary may hold several, and none stands in for
//! another.

use crate::error::Failure;

/// A backend that this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Burn's own CPU backend, the default.
    Flex,
    /// Burn's older CPU backend.
    NdArray,
    /// GPUs through WebGPU.
    Wgpu,
    /// NVIDIA GPUs.
    Cuda,
}

impl Backend {
    /// Every backend.
    pub const ALL: [Self; 4] = [Self::Flex, Self::NdArray, Self::Wgpu, Self::Cuda];

    /// Its name, and that of its cargo feature.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::NdArray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        }
    }

    /// Whether it computes in double precision.
    #[must_use]
    pub fn has_double_precision(self) -> bool {
        !matches!(self, Self::Wgpu)
    }

    /// Whether it runs on the CPU, where several threads can use it at once.
    #[must_use]
    pub fn is_cpu(self) -> bool {
        matches!(self, Self::Flex | Self::NdArray)
    }

    /// The backend of that name.
    ///
    /// # Errors
    ///
    /// A name that is none; the nearest one, or all, as help.
    pub fn by_name(name: &str) -> Result<Self, Failure> {
        Self::ALL.into_iter().find(|backend| backend.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let otherwise = format!("the backends are {}", names.join(", "));
            Failure::usage(format!("there is no backend `{name}`")).nearest(name, &names, otherwise)
        })
    }
}
