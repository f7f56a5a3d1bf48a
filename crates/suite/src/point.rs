//! At which points a function is looked at: general ones, and hard ones, where functions overflow, are flat or have a
//! kink.

use clap::ValueEnum;

/// A kind of point. A hard one takes a general case and changes its tensors, or the way in which they are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub enum Point {
    /// Normal numbers, small whole numbers, or other numbers that the case draws
    General,
    /// Magnitudes of about 20, where a sigmoid is 1 in single precision
    #[value(name = "saturated-20")]
    Saturated20,
    /// Magnitudes of about 90, where exp overflows in single precision
    #[value(name = "saturated-90")]
    Saturated90,
    /// Magnitudes of about 710, where exp overflows in double precision
    #[value(name = "saturated-710")]
    Saturated710,
    /// Magnitudes of about 10⁴
    #[value(name = "saturated-1e4")]
    Saturated1e4,
    /// Magnitudes of about 10²⁰, whose squares overflow in single precision
    #[value(name = "saturated-1e20")]
    Saturated1e20,
    /// Every second number is zero
    SomeZeros,
    /// All numbers are zero
    AllZeros,
    /// Every second row along the last axis is zero
    ZeroRows,
    /// Magnitudes of about 10⁻³⁰, whose squares are zero in single precision
    Underflow,
    /// Numbers below the smallest normal one: 10⁻⁴⁰ in single precision, 10⁻³¹⁰ in double
    Denormal,
    /// All numbers are the same
    Equal,
    /// One number is 10⁴ times as large as the others
    Outlier,
    /// Every third number is −10⁹, as in the scores that a mask hides
    Masked,
    /// Numbers of about 10⁻⁶ and of about 10⁶, alternating
    Wide,
    /// Every axis has one element
    #[value(name = "size-1")]
    Size1,
    /// One axis has one element
    #[value(name = "one-axis-1")]
    OneAxis1,
    /// One of the arguments has one element along an axis where the others have more
    Broadcast,
    /// Both arguments are the same tensor
    Twice,
    /// All arguments except one are constants
    Constant,
    /// With gradient checkpointing, which computes parts of the forward pass again
    Checkpointed,
}

impl Point {
    /// Every point but the general one.
    pub fn hard() -> &'static [Self] {
        &Self::value_variants()[1..]
    }

    /// As it is given on the command line.
    pub fn name(self) -> String {
        let value = self.to_possible_value().expect("no point is hidden");
        value.get_name().to_owned()
    }

    /// What it is, in a few words.
    pub fn about(self) -> String {
        let value = self.to_possible_value().expect("no point is hidden");
        value.get_help().map(ToString::to_string).unwrap_or_default()
    }

    /// Whether the tensors' shapes or number change, which the backward of a layer that was made for its shapes does
    /// not survive.
    pub fn changes_shapes(self) -> bool {
        matches!(self, Self::Size1 | Self::OneAxis1 | Self::Broadcast | Self::Twice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_general_point_comes_first_and_is_not_hard() {
        assert_eq!(Point::value_variants()[0], Point::General);
        assert!(!Point::hard().contains(&Point::General));
    }

    #[test]
    fn every_point_has_a_name_and_words() {
        for point in Point::value_variants() {
            assert_eq!(Point::from_str(&point.name(), false), Ok(*point));
            assert!(!point.about().is_empty());
        }
    }
}
