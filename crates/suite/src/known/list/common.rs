//! What the entries of the list have in common.

use backproof_gradcheck::Arguments;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Tensor};

use crate::known::entry::{Found, Known, Smallest};
use crate::point::Point;

/// What most faults have in common.
pub(super) const FAULT: Known = Known {
    operation: "",
    backends: EVERYWHERE,
    precisions: BOTH,
    points: &[],
    tensors: &["x"],
    kinds: &[],
    says: "",
    cause: "",
    location: "",
    smallest: SMALLEST,
};

/// What most faults in double precision have in common.
pub(super) const IN_DOUBLE: Known =
    Known { precisions: DOUBLE, tensors: &["*"], smallest: SMALLEST_IN_DOUBLE, ..FAULT };

/// What most of the smallest inputs have in common.
pub(super) const SMALLEST: Smallest = Smallest {
    precision: DType::F32,
    tensors: &[],
    options: "",
    function: x,
    of: "x",
    right: &[],
    found: Found::Numbers(&[]),
};

/// The same in double precision.
pub(super) const SMALLEST_IN_DOUBLE: Smallest = Smallest { precision: DType::F64, ..SMALLEST };

// Backends, by the names that the command line gives them.
pub(super) const FLEX: &str = "flex";
pub(super) const NDARRAY: &str = "ndarray";
pub(super) const WGPU: &str = "wgpu";
pub(super) const CUDA: &str = "cuda";

pub(super) const EVERYWHERE: &[&str] = &[FLEX, NDARRAY, WGPU, CUDA];
pub(super) const BOTH: &[DType] = &[DType::F32, DType::F64];
pub(super) const SINGLE: &[DType] = &[DType::F32];
pub(super) const DOUBLE: &[DType] = &[DType::F64];

/// Where `exp` of a positive number overflows.
pub(super) const EXP_OVERFLOWS: &[Point] = &[
    Point::Saturated90,
    Point::Saturated710,
    Point::Saturated1e4,
    Point::Saturated1e20,
    Point::Outlier,
    Point::Masked,
    Point::Wide,
];

/// Where some numbers are exactly zero.
pub(super) const ZEROS: &[Point] = &[Point::SomeZeros, Point::AllZeros, Point::ZeroRows];

/// Where squares underflow or overflow.
pub(super) const SQUARES: &[Point] = &[Point::Underflow, Point::Denormal, Point::Saturated1e20, Point::Masked];

/// Where numbers or their squares are zero.
pub(super) const NEARLY_ZERO: &[Point] =
    &[Point::SomeZeros, Point::AllZeros, Point::ZeroRows, Point::Underflow, Point::Denormal, Point::Saturated1e20];

/// Where tensors are broadcast.
pub(super) const SHAPES: &[Point] = &[Point::Broadcast, Point::OneAxis1, Point::Size1];

pub(super) fn x(t: &Arguments<'_>) -> Tensor<1> {
    t.get("x")
}

pub(super) fn y(t: &Arguments<'_>) -> Tensor<1> {
    t.get("y")
}

pub(super) fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let count = tensor.shape().num_elements();
    tensor.reshape([count])
}

/// The module with its parameters in double precision.
pub(super) fn in_double<M: Module>(module: M) -> M {
    struct Doubled;
    impl ModuleMapper for Doubled {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|tensor| tensor.cast(DType::F64))
        }
    }
    module.map(&mut Doubled)
}
