//! Kinks, and what a gradient has to be at them.

use backproof_gradcheck::Value;

/// The kinks of a function at a point.
#[derive(Debug)]
pub(crate) struct Edges {
    /// `[tensor][element]`: the derivatives from both sides differ, so that a gradient may be either or something between.
    pub(crate) at: Vec<Vec<bool>>,
    /// Elements `(tensor, index, direction)` that may be moved together without a kink: of these the gradients have a right sum.
    pub(crate) together: Vec<Vec<(usize, usize, f64)>>,
}

impl Edges {
    pub(crate) fn none(tensors: &[Value]) -> Self {
        Self { at: tensors.iter().map(|tensor| vec![false; tensor.len()]).collect(), together: Vec::new() }
    }

    /// Kinks of the first tensor where this is so.
    pub(crate) fn alone(tensors: &[Value], kink: impl Fn(f64) -> bool) -> Self {
        let mut edges = Self::none(tensors);
        edges.at[0] = tensors[0].data().iter().map(|&x| kink(x)).collect();
        edges
    }

    /// Equal elements in a row of the first tensor: each lies on a kink, and all of them together do not.
    pub(crate) fn ties(tensors: &[Value]) -> Self {
        Self::ties_of(tensors, |x| x)
    }

    /// The same of elements with equal `f(x)`, which is `x` or `|x|`; they move together where all of these grow.
    pub(crate) fn ties_of(tensors: &[Value], f: fn(f64) -> f64) -> Self {
        let mut edges = Self::none(tensors);
        let columns = *tensors[0].dims().last().expect("no scalar");
        let data: Vec<f64> = tensors[0].data().iter().map(|&x| f(x)).collect();
        let direction = |index: usize| if f(-1.0) == 1.0 { 1f64.copysign(tensors[0].data()[index]) } else { 1.0 };
        for row in 0..data.len() / columns {
            let mut order: Vec<usize> = (row * columns..(row + 1) * columns).collect();
            order.sort_by(|&a, &b| data[a].partial_cmp(&data[b]).expect("no NaN"));
            for tied in order.chunk_by(|&a, &b| data[a] == data[b]).filter(|tied| tied.len() > 1) {
                tied.iter().for_each(|&index| edges.at[0][index] = true);
                edges.together.push(tied.iter().map(|&index| (0, index, direction(index))).collect());
            }
        }
        edges
    }

    /// Elements of the first and the second tensor with `x = sign · y`: each lies on a kink, and `(1, sign)` is no direction of one. Elements that are so
    /// to five digits lie on one too, as nobody is asked to see a kink that is nearer, and of their directions nothing is asked.
    pub(crate) fn pairs(tensors: &[Value], sign: f64) -> Self {
        let mut edges = Self::none(tensors);
        for (index, (x, y)) in tensors[0].data().iter().zip(tensors[1].data()).enumerate() {
            if (x - sign * y).abs() <= 1e-5 * x.abs() {
                (edges.at[0][index], edges.at[1][index]) = (true, true);
                if *x == sign * y {
                    edges.together.push(vec![(0, index, 1.0), (1, index, sign)]);
                }
            }
        }
        edges
    }
}
