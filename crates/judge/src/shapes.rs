//! Shapes, orders of elements, and places.

use backproof_gradcheck::Value;

/// What an array in column-major order looks like that is read in row-major order, or the other way round.
pub(crate) const COLUMN_MAJOR: &str = "rows and columns exchanged: column-major?";

/// `2×3`, or `a single number`.
pub(crate) fn words(dims: &[usize]) -> String {
    match dims {
        [] => "a single number".to_owned(),
        dims => dims.iter().map(ToString::to_string).collect::<Vec<_>>().join("×"),
    }
}

/// Whether two shapes differ in axes of one element alone: MATLAB has no vectors, and drops such axes at the end.
pub(crate) fn same(a: &[usize], b: &[usize]) -> bool {
    let long = |dims: &[usize]| dims.iter().copied().filter(|&length| length != 1).collect::<Vec<_>>();
    long(a) == long(b)
}

/// The same elements under another order of the axes: the new axis `i` is the old axis `order[i]`.
pub(crate) fn permuted(value: &Value, order: &[usize]) -> Value {
    let dims = value.dims();
    let strides: Vec<usize> = (0..dims.len()).map(|axis| dims[axis + 1..].iter().product()).collect();
    let new: Vec<usize> = order.iter().map(|&axis| dims[axis]).collect();
    let from = |mut index: usize| {
        let mut place = 0;
        for (at, &length) in new.iter().enumerate().rev() {
            place += index % length * strides[order[at]];
            index /= length;
        }
        value.data()[place]
    };
    Value::new(new.clone(), (0..value.len()).map(from).collect())
}

/// The numbers of `value` one after the other in the shape `dims`.
pub(crate) fn reshaped(value: &Value, dims: &[usize]) -> Value {
    Value::new(dims, value.data().to_vec())
}

/// All axes in the opposite order.
pub(crate) fn backwards(rank: usize) -> Vec<usize> {
    (0..rank).rev().collect()
}

/// The last two axes exchanged.
pub(crate) fn last_two(rank: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rank).collect();
    order.swap(rank - 2, rank - 1);
    order
}

/// With the last two axes turned by 180°.
pub(crate) fn turned(value: &Value) -> Value {
    let plane: usize = value.dims().iter().rev().take(2).product();
    let data = value.data().chunks(plane.max(1)).flat_map(|plane| plane.iter().rev().copied()).collect();
    Value::new(value.dims(), data)
}

/// The index along every axis.
pub(crate) fn position(dims: &[usize], mut index: usize) -> Vec<usize> {
    let mut position = vec![0; dims.len()];
    for axis in (0..dims.len()).rev() {
        position[axis] = index % dims[axis].max(1);
        index /= dims[axis].max(1);
    }
    position
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up_to(dims: &[usize]) -> Value {
        Value::new(dims, (0..dims.iter().product::<usize>()).map(|x| x as f64).collect())
    }

    #[test]
    fn axes_change_places_with_their_elements() {
        let value = up_to(&[2, 3]);
        assert_eq!(permuted(&value, &[1, 0]), Value::new([3, 2], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
        assert_eq!(permuted(&up_to(&[2, 2, 2]), &last_two(3)).data(), [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
        assert_eq!(turned(&up_to(&[2, 2, 2])).data(), [3.0, 2.0, 1.0, 0.0, 7.0, 6.0, 5.0, 4.0]);
        assert_eq!(position(&[2, 3], 4), [1, 1]);
    }

    #[test]
    fn axes_of_one_element_make_no_other_shape() {
        assert!(same(&[5], &[1, 5]) && same(&[5], &[5, 1]) && same(&[], &[1, 1]) && same(&[2, 1, 3], &[2, 1, 3, 1]));
        assert!(!same(&[2, 3], &[3, 2]) && !same(&[6], &[2, 3]));
    }
}
