//! Which vector instructions the kernels use, chosen when the program runs.

use std::fmt;
use std::sync::OnceLock;

use crate::vector::{Lanes, Portable};

/// A set of vector instructions. One program holds kernels for all that its architecture has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Isa {
    /// AVX-512 F, with AVX2 and FMA: 16 lanes a register, 32 registers.
    Avx512,
    /// AVX2 and FMA: 8 lanes, 16 registers.
    Avx2,
    /// NEON of 64-bit ARM: 4 lanes, 32 registers.
    Neon,
    /// Plain Rust, on any machine.
    Portable,
}

/// The variable that forces an [`Isa`] by its name.
pub const VARIABLE: &str = "BACKPROOF_KERNELS";

impl Isa {
    /// Every set, the fastest first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Portable];

    /// Its name, as the variable [`VARIABLE`] takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    /// Whether this machine has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => is_x86_feature_detected!("avx512f") && Self::Avx2.is_available(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            Self::Portable => true,
            #[allow(unreachable_patterns)] // which patterns are left depends on the architecture
            _ => false,
        }
    }

    /// The sets that this machine has, the fastest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_available()).collect()
    }

    /// The set that [`VARIABLE`] names, else the fastest that this machine has. Read once a process.
    ///
    /// # Errors
    ///
    /// A name that is no set, or a set that this machine has not: a sentence that says which there are.
    pub fn selected() -> Result<Self, String> {
        static SELECTED: OnceLock<Result<Isa, String>> = OnceLock::new();
        SELECTED
            .get_or_init(|| {
                // What is no UTF-8 is no set either, and refused as one.
                let name = std::env::var_os(VARIABLE).map(|name| name.to_string_lossy().into_owned());
                Self::select(name.as_deref())
            })
            .clone()
    }

    fn select(name: Option<&str>) -> Result<Self, String> {
        let available = Self::available();
        match name {
            None | Some("") => Ok(available[0]),
            Some(name) => available.iter().copied().find(|isa| isa.name() == name).ok_or_else(|| {
                let names: Vec<_> = available.iter().map(|isa| isa.name()).collect();
                format!("{VARIABLE}={name}: this machine has {}", names.join(", "))
            }),
        }
    }

    /// Runs `kernel` with the vectors of this set.
    ///
    /// # Panics
    ///
    /// If this machine does not have it.
    pub(crate) fn run(self, kernel: impl Kernel) {
        assert!(self.is_available(), "this machine has no {self}");
        match self {
            // SAFETY: the machine has these instructions, as was asserted.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { with_avx512(kernel) },
            // SAFETY: likewise.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { with_avx2(kernel) },
            // SAFETY: likewise.
            #[cfg(target_arch = "aarch64")]
            Self::Neon => unsafe { with_neon(kernel) },
            // SAFETY: plain Rust asks nothing of the machine.
            _ => unsafe { kernel.run::<Portable>() },
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A computation that is written once over [`Lanes`] and compiled for each [`Isa`].
pub(crate) trait Kernel {
    /// Does it. Has to be `#[inline(always)]`, so that it is compiled with the instructions of its caller.
    ///
    /// # Safety
    ///
    /// The machine has the instructions of `V`.
    unsafe fn run<V: Lanes>(self);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn with_avx512(kernel: impl Kernel) {
    // SAFETY: the caller has checked the instructions.
    unsafe { kernel.run::<crate::vector::Avx512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn with_avx2(kernel: impl Kernel) {
    // SAFETY: the caller has checked the instructions.
    unsafe { kernel.run::<crate::vector::Avx2>() }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
unsafe fn with_neon(kernel: impl Kernel) {
    // SAFETY: the caller has checked the instructions.
    unsafe { kernel.run::<crate::vector::Neon>() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_selects_and_a_wrong_one_is_met_with_those_that_there_are() {
        assert_eq!(Isa::select(Some("portable")), Ok(Isa::Portable));
        assert_eq!(Isa::select(None), Ok(Isa::available()[0]));
        let error = Isa::select(Some("mmx")).unwrap_err();
        assert!(
            error.starts_with("BACKPROOF_KERNELS=mmx: this machine has ") && error.ends_with("portable"),
            "{error}"
        );
    }
}
