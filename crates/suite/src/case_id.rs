//! How a hard point is made from a general case.

use crate::point::Point;
use backproof_gradcheck::{Role, Value, Variable};
use burn::tensor::DType;

/// A point, and the number of the case there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseId {
    /// The point.
    pub point: Point,
    /// The number, from 0.
    pub number: u64,
    /// The signs of hard numbers.
    pub signs: Signs,
    /// Whether all numbers are small and whole, for a person who computes with a pencil.
    pub whole: bool,
}

/// Which signs hard numbers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signs {
    /// Those of the general numbers.
    Drawn,
    /// All of them below zero.
    Negative,
    /// All of them above zero.
    Positive,
}

impl CaseId {
    /// The general case of this number.
    pub fn general(number: u64) -> Self {
        Self::new(Point::General, number)
    }

    /// The case of this number at this point.
    pub fn new(point: Point, number: u64) -> Self {
        Self { point, number, signs: Signs::Drawn, whole: false }
    }

    /// The same with small whole numbers.
    #[must_use]
    pub fn with_whole_numbers(self) -> Self {
        Self { whole: true, ..self }
    }

    /// The same, and then with other signs: a function that is not finite far out on one side may be flat on the other.
    pub(crate) fn attempts(self) -> Vec<Self> {
        let signs: &[Signs] = match self.point {
            Point::General => &[Signs::Drawn],
            point if point.changes_shapes() || matches!(point, Point::Constant | Point::Checkpointed) => {
                &[Signs::Drawn]
            }
            _ => &[Signs::Drawn, Signs::Negative, Signs::Positive],
        };
        signs.iter().map(|&signs| Self { signs, ..self }).collect()
    }

    /// Changes the tensors of a general case into those of this point.
    ///
    /// With several tensors, the number of the case says which of them get hard numbers: in turn all of them, and each
    /// by itself.
    pub(crate) fn apply(self, tensors: &mut [Variable], dtype: DType) {
        if self.whole {
            tensors.iter_mut().for_each(|tensor| tensor.value = whole(&tensor.value));
        }
        let free: Vec<usize> = (0..tensors.len()).filter(|&tensor| tensors[tensor].role != Role::Constant).collect();
        if self.point == Point::General || free.is_empty() {
            return;
        }
        // A function that is saturated does not move, and a gradient of zero is right where differences say so.
        free.iter().for_each(|&tensor| tensors[tensor].expect_zero = true);
        let turn = self.number as usize;
        match self.point {
            Point::Constant => {
                let kept = turn % free.len();
                for (index, &tensor) in free.iter().enumerate() {
                    if index != kept {
                        tensors[tensor].role = Role::Constant;
                    }
                }
            }
            Point::Size1 => tensors.iter_mut().for_each(|tensor| tensor.value = first(&tensor.value, |_| true)),
            Point::OneAxis1 => {
                for tensor in tensors {
                    let rank = tensor.value.dims().len();
                    tensor.value = first(&tensor.value, |axis| rank > 0 && axis == turn % rank);
                }
            }
            Point::Broadcast => {
                let tensor = &mut tensors[free[turn % free.len()]];
                let rank = tensor.value.dims().len();
                tensor.value = first(&tensor.value, |axis| rank > 0 && axis == turn / free.len() % rank);
            }
            _ => {
                let only = turn % (free.len() + 1);
                for (index, &tensor) in free.iter().enumerate() {
                    if only == 0 || only == index + 1 {
                        tensors[tensor].value = self.hard(&tensors[tensor].value, dtype);
                    }
                }
            }
        }
    }
}

/// Whole numbers from −3 to 3 in the place of others, in the same order of magnitude: what was positive everywhere
/// stays so. A tensor of whole numbers, such as labels, stays as it is.
fn whole(value: &Value) -> Value {
    let data = value.data();
    if data.iter().all(|x| x.fract() == 0.0) {
        return value.clone();
    }
    let largest = data.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let least = if data.iter().all(|&x| x > 0.0) { 1.0 } else { -3.0 };
    let scaled = data.iter().map(|x| (x * 3.0 / largest).round().max(least) + 0.0).collect();
    Value::new(value.dims(), scaled)
}

/// The first elements along the chosen axes.
fn first(value: &Value, chosen: impl Fn(usize) -> bool) -> Value {
    let dims: Vec<usize> =
        value.dims().iter().enumerate().map(|(axis, &size)| if chosen(axis) { size.min(1) } else { size }).collect();
    let data = (0..dims.iter().product())
        .map(|index: usize| {
            // From the last axis to the first: what is left of the index, the index into the large tensor, and its
            // stride.
            let (mut rest, mut from, mut stride) = (index, 0, 1);
            for (&size, &all) in dims.iter().zip(value.dims()).rev() {
                from += rest % size * stride;
                rest /= size;
                stride *= all;
            }
            value.data()[from]
        })
        .collect();
    Value::new(dims, data)
}

impl CaseId {
    /// The numbers of the point in place of general ones.
    fn hard(self, value: &Value, dtype: DType) -> Value {
        let columns = value.dims().last().copied().unwrap_or(1).max(1);
        let nearest = value.data().iter().copied().find(|&x| x != 0.0).unwrap_or(1.0);
        let denormal = if dtype == DType::F64 { 1e-310 } else { 1e-40 };
        let signed = |drawn: f64, magnitude: f64| match self.signs {
            Signs::Drawn => magnitude.copysign(drawn),
            Signs::Negative => -magnitude,
            Signs::Positive => magnitude,
        };
        let change = |(index, &x): (usize, &f64)| {
            // From 1 to 1.4, so that few of them are equal.
            let about = signed(x, 1.0 + (index % 7) as f64 / 16.0);
            match self.point {
                Point::Saturated20 => 20.0 * about,
                Point::Saturated90 => 90.0 * about,
                Point::Saturated710 => 710.0 * about,
                Point::Saturated1e4 => 1e4 * about,
                Point::Saturated1e20 => 1e20 * about,
                Point::SomeZeros if index % 2 == 0 => 0.0,
                Point::AllZeros => 0.0,
                Point::ZeroRows if index / columns % 2 == 0 => 0.0,
                Point::Underflow => 1e-30 * about,
                Point::Denormal => denormal * about,
                Point::Equal => nearest,
                Point::Outlier if index == value.len() / 2 => 1e4 * about,
                Point::Masked if index % 3 == 0 => signed(-1.0, 1e9),
                Point::Wide if index % 2 == 0 => 1e-6 * about,
                Point::Wide => 1e6 * about,
                _ => x,
            }
        };
        Value::new(value.dims(), value.data().iter().enumerate().map(change).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str, role: Role, dims: &[usize]) -> Variable {
        let count = dims.iter().product::<usize>();
        let value = Value::new(dims, (0..count).map(|index| index as f64 - 1.5).collect());
        Variable { name: name.into(), role, value, expect_zero: false }
    }

    fn at(point: Point, number: u64) -> [Variable; 3] {
        let mut tensors = [
            variable("x", Role::Input, &[2, 3]),
            variable("w", Role::Parameter, &[2, 3]),
            variable("t", Role::Constant, &[2, 3]),
        ];
        CaseId::new(point, number).apply(&mut tensors, DType::F32);
        tensors
    }

    #[test]
    fn a_general_case_and_every_constant_keep_their_numbers() {
        let [x, w, t] = [0, 1, 2].map(|tensor| at(Point::General, 0)[tensor].value.clone());
        for point in Point::hard().iter().filter(|point| !point.changes_shapes()) {
            assert_eq!(at(*point, 0)[2].value, t, "{point:?}");
        }
        assert_eq!((&x, &w), (&t, &t));
    }

    #[test]
    fn hard_numbers_go_to_all_tensors_and_then_to_each_by_itself() {
        let zero =
            |number: u64| [0, 1].map(|tensor| at(Point::AllZeros, number)[tensor].value == Value::full([2, 3], 0.0));
        assert_eq!([0, 1, 2, 3].map(zero), [[true, true], [true, false], [false, true], [true, true]]);
    }

    #[test]
    fn signs_stay_and_magnitudes_are_those_of_the_point() {
        let [x, ..] = at(Point::Saturated90, 0);
        assert_eq!(x.value.data()[..3], [-90.0, -90.0 * 17.0 / 16.0, 90.0 * 18.0 / 16.0]);
        let [x, ..] = at(Point::Denormal, 0);
        assert!(x.value.rounded(DType::F32).data().iter().all(|x| *x != 0.0 && x.abs() < f64::from(f32::MIN_POSITIVE)));
        let [x, ..] = at(Point::ZeroRows, 0);
        assert_eq!(x.value.data(), [0.0, 0.0, 0.0, 1.5, 2.5, 3.5]);
    }

    #[test]
    fn shapes_shrink_to_the_first_elements() {
        assert_eq!(at(Point::Size1, 0)[0].value, Value::new([1, 1], vec![-1.5]));
        assert_eq!(at(Point::OneAxis1, 1)[2].value, Value::new([2, 1], vec![-1.5, 1.5]));
        let [x, w, _] = at(Point::Broadcast, 1);
        assert_eq!((x.value.dims(), w.value), (&[2, 3][..], Value::new([1, 3], vec![-1.5, -0.5, 0.5])));
    }

    #[test]
    fn all_arguments_but_one_are_constants() {
        let roles = |number: u64| at(Point::Constant, number).map(|tensor| tensor.role == Role::Constant);
        assert_eq!([roles(0), roles(1)], [[false, true, true], [true, false, true]]);
    }
}
