//! The list, by subject.

mod activations;
mod arithmetic;
mod double;
mod double_modules;
mod linear_algebra;
mod losses;
mod shapes;

use backproof::backend::Backend;
use backproof::point::Point;
use backproof_gradcheck::Arguments;
use burn::tensor::{DType, Tensor};

use super::Known;

const LISTS: [&[Known]; 7] = [
    activations::FAULTS,
    arithmetic::FAULTS,
    linear_algebra::FAULTS,
    losses::FAULTS,
    shapes::FAULTS,
    double::FAULTS,
    double_modules::FAULTS,
];

/// Every fault.
pub(crate) fn faults() -> impl Iterator<Item = &'static Known> {
    LISTS.into_iter().flatten()
}

const EVERYWHERE: &[Backend] = &Backend::ALL;
const BOTH: &[DType] = &[DType::F32, DType::F64];
const SINGLE: &[DType] = &[DType::F32];
const DOUBLE: &[DType] = &[DType::F64];

/// Where `exp` of a positive number overflows.
const EXP_OVERFLOWS: &[Point] = &[
    Point::Saturated90,
    Point::Saturated710,
    Point::Saturated1e4,
    Point::Saturated1e20,
    Point::Outlier,
    Point::Masked,
    Point::Wide,
];

/// Where some numbers are exactly zero.
const ZEROS: &[Point] = &[Point::SomeZeros, Point::AllZeros, Point::ZeroRows];

/// Where squares underflow or overflow.
const SQUARES: &[Point] = &[Point::Underflow, Point::Denormal, Point::Saturated1e20, Point::Masked];

/// Where numbers or their squares are zero.
const NEARLY_ZERO: &[Point] =
    &[Point::SomeZeros, Point::AllZeros, Point::ZeroRows, Point::Underflow, Point::Denormal, Point::Saturated1e20];

/// Where tensors are broadcast.
const SHAPES: &[Point] = &[Point::Broadcast, Point::OneAxis1, Point::Size1];

fn x(t: &Arguments<'_>) -> Tensor<1> {
    t.get("x")
}

fn y(t: &Arguments<'_>) -> Tensor<1> {
    t.get("y")
}
