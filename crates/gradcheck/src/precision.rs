use burn::tensor::DType;

use crate::{Options, Value, unit_roundoff};

/// So many roundings of the largest number are believed to hide a change.
pub(crate) const QUANTUM: f64 = 64.0;

/// The precision in which the function is evaluated for its differences: double precision wherever it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Precision(pub(crate) DType);

impl Precision {
    /// The distance of 1 from the next number.
    pub(crate) fn epsilon(self) -> f64 {
        2.0 * unit_roundoff(self.0)
    }

    pub(crate) fn is_double(self) -> bool {
        self.0 == DType::F64
    }

    /// The nearest number of this precision.
    pub(crate) fn round(self, x: f64) -> f64 {
        match self.0 {
            DType::F64 => x,
            DType::F32 | DType::Flex32 => f64::from(x as f32),
            other => Value::new([1], vec![x]).rounded(other).data()[0],
        }
    }

    /// The relative steps that are tried from the longest to the shortest. In single precision the error of a
    /// difference is least at the cube root of the round-off, 0.4 %; longer steps have the larger truncation, which the
    /// extrapolation takes away.
    pub(crate) fn steps(self, options: &Options) -> Vec<f64> {
        let mut steps = if self.is_double() { options.steps.clone() } else { vec![3e-2, 1e-2, 3e-3, 1e-3] };
        steps.sort_by(|a, b| b.total_cmp(a));
        steps
    }

    /// Relative distances of the points between which noise is measured, from the one that is tried first on.
    pub(crate) fn spacings(self) -> [f64; 4] {
        if self.is_double() {
            [1e-7, 1e-8, 1e-9, 1e-10]
        } else {
            [512.0, 128.0, 64.0, 32.0].map(|n| n * self.epsilon())
        }
    }
}

/// The largest finite number of a type: beyond it, code in that precision can only answer with infinity.
pub(crate) fn largest(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::MAX,
        DType::F16 => 65504.0,
        DType::BF16 => 3.38e38,
        _ => f64::from(f32::MAX),
    }
}

/// The smallest normal number of a type: below it, code in that precision loses digits or flushes to zero.
pub(crate) fn smallest(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::MIN_POSITIVE,
        DType::F16 => 6.1e-5,
        _ => f64::from(f32::MIN_POSITIVE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_the_precision() {
        let x = 1.0 + 2f64.powi(-30);
        assert_eq!(Precision(DType::F64).round(x), x);
        assert_eq!(Precision(DType::F32).round(x), 1.0);
        assert_eq!(Precision(DType::F16).round(1.0 + 2f64.powi(-12)), 1.0);
        assert_eq!(Precision(DType::F32).epsilon(), f64::from(f32::EPSILON));
    }

    #[test]
    fn steps_fall_and_are_long_in_single_precision() {
        let options = Options { steps: vec![1e-5, 1e-3], ..Options::default() };
        assert_eq!(Precision(DType::F64).steps(&options), [1e-3, 1e-5]);
        assert!(Precision(DType::F32).steps(&options).iter().all(|&step| step >= 1e-3));
        assert_eq!(Precision(DType::F32).spacings()[3], 32.0 * f64::from(f32::EPSILON));
        assert_eq!(Precision(DType::F64).spacings()[0], 1e-7);
    }
}
