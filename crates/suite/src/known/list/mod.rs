//! The list, by subject.

mod activations;
mod arithmetic;
mod assigning;
mod double;
mod double_attention;
mod double_modules;
mod double_recurrent;
mod linear_algebra;
mod losses;
mod shapes;

use crate::point::Point;
use backproof_gradcheck::Arguments;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Tensor};

use super::Known;

const LISTS: [&[Known]; 10] = [
    activations::FAULTS,
    arithmetic::FAULTS,
    assigning::FAULTS,
    linear_algebra::FAULTS,
    losses::FAULTS,
    shapes::FAULTS,
    double::FAULTS,
    double_recurrent::FAULTS,
    double_modules::FAULTS,
    double_attention::FAULTS,
];

/// Every fault.
pub(crate) fn faults() -> impl Iterator<Item = &'static Known> {
    LISTS.into_iter().flatten()
}

// Backends, by the names that the command line gives them.
const FLEX: &str = "flex";
const NDARRAY: &str = "ndarray";
const WGPU: &str = "wgpu";
const CUDA: &str = "cuda";

const EVERYWHERE: &[&str] = &[FLEX, NDARRAY, WGPU, CUDA];
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

fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let count = tensor.shape().num_elements();
    tensor.reshape([count])
}

/// The module with its parameters in double precision.
fn in_double<M: Module>(module: M) -> M {
    struct Doubled;
    impl ModuleMapper for Doubled {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|tensor| tensor.cast(DType::F64))
        }
    }
    module.map(&mut Doubled)
}
