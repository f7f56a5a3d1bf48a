use crate::point::Point;
use backproof_gradcheck::{Arguments, Check, Options, Value};
use burn::tensor::{DType, Int, Tensor, TensorData};

use crate::subject::{Case, Context, Draw, Layout, shape};

/// What a case is made from: the point, the random numbers, the operation's name.
pub(super) struct Maker<'a> {
    pub(super) context: &'a Context,
    pub(super) draw: &'a mut Draw,
    pub(super) name: &'static str,
    pub(super) smooth: bool,
}

/// A subject of this name; the function makes a case of a [`Maker`]. `smooth` says that the operation has no kinks, so
/// that a strong bend is not taken for one.
macro_rules! subject {
    ($name:literal, $make:expr) => {
        subject!(@ false, $name, $make)
    };
    (smooth $name:literal, $make:expr) => {
        subject!(@ true, $name, $make)
    };
    (@ $smooth:literal, $name:literal, $make:expr) => {
        crate::subject::Subject {
            name: $name,
            generate: |context, draw| {
                use crate::{burn::maker::Maker, subject::Case};
                let make: fn(Maker<'_>) -> Case = $make;
                make(Maker { context, draw, name: $name, smooth: $smooth })
            },
        }
    };
}
pub(super) use subject;

impl Maker<'_> {
    /// A check in the precision under test, named after the operation.
    pub(super) fn check(&self) -> Check<'static> {
        self.context.check(self.name).options(self.options())
    }

    /// How much is checked unless a case says otherwise.
    pub(super) fn options(&self) -> Options {
        let options = self.context.options();
        match self.context.dtype {
            // What is computed in single precision by mistake is off by 1e-8: less than differences are by a longer
            // step.
            DType::F64 => Options { steps: vec![1e-4, 1e-5, 1e-6], ..options },
            _ => options,
        }
    }

    /// The case of this function, with the differences of it and autodiff of it.
    pub(super) fn case<const E: usize>(
        &self,
        about: impl Into<String>,
        check: Check<'static>,
        forward: impl Fn(&Arguments<'_>) -> Tensor<E> + 'static,
    ) -> Case {
        let Context { reference, unit_roundoff, .. } = self.context;
        // Interpolation, smooth between the points of a grid, has its kinks at hard numbers.
        let smooth = self.smooth && self.context.case.point == Point::General;
        let check = self.context.at_point(check).forward_recording(reference, move |t, kinks| {
            if smooth {
                // One decision, always the same.
                kinks.decisions([0]);
            }
            forward(t)
        });
        Case {
            about: about.into(),
            check: check.autodiff(&self.context.autodiff_device()).source_roundoff(*unit_roundoff),
        }
    }

    /// A function of one tensor `x` that may lie in memory in any way; `options` are what else the case depends on.
    pub(super) fn unary<const D: usize, const E: usize>(
        &mut self,
        options: &str,
        x: Value,
        function: impl Fn(Tensor<D>) -> Tensor<E> + 'static,
    ) -> Case {
        let layout = self.draw.layout();
        let about = describe(&[&x], options, layout);
        let check = self.check().input("x", x);
        self.case(about, check, move |t| function(layout.arrange(t.get("x"))))
    }

    /// A function of two tensors, `x` and `y`.
    pub(super) fn binary<const D: usize, const F: usize, const E: usize>(
        &mut self,
        options: &str,
        [x, y]: [Value; 2],
        function: impl Fn(Tensor<D>, Tensor<F>) -> Tensor<E> + 'static,
    ) -> Case {
        let layouts = [self.draw.layout(), self.draw.layout()];
        let about = format!("{}; {}", describe(&[&x], "", layouts[0]), describe(&[&y], options, layouts[1]));
        if self.context.case.point == Point::Twice && x.dims() == y.dims() {
            let check = self.check().input("x", x);
            return self.case(format!("{about}; y is x"), check, move |t| {
                let (x, rank) = (t.get::<D>("x"), t.value("x").dims().len());
                let dims: [usize; F] = std::array::from_fn(|axis| t.value("x").dims()[axis.min(rank - 1)]);
                function(layouts[0].arrange(x.clone()), layouts[1].arrange(x.reshape(dims)))
            });
        }
        let check = self.check().input("x", x).input("y", y);
        self.case(about, check, move |t| function(layouts[0].arrange(t.get("x")), layouts[1].arrange(t.get("y"))))
    }

    /// Sizes of a small tensor, with at least 6 and at most 48 elements.
    pub(super) fn dims(&mut self) -> [usize; 3] {
        [self.draw.size(1..=3), self.draw.size(2..=4), self.draw.size(3..=4)]
    }

    /// Normal numbers of deviation `scale` or small whole numbers, in the sizes of [`dims`](Self::dims); of both signs
    /// and one between, so that a function that is flat somewhere moves.
    pub(super) fn real(&mut self, scale: f64) -> Value {
        let dims = self.dims();
        let value = self.draw.values(dims, scale);
        let mut data = value.data().to_vec();
        data[0] = -1.0 - data[0].abs();
        data[1] = 1.0 + data[1].abs();
        data[2] = 0.3;
        Value::new(dims, data)
    }

    /// Numbers from the range, in the sizes of [`dims`](Self::dims).
    pub(super) fn within(&mut self, range: std::ops::Range<f64>) -> Value {
        let dims = self.dims();
        self.uniform(dims, range)
    }

    /// Numbers of both signs with magnitudes from the range: away from a pole or a jump at zero.
    pub(super) fn apart(&mut self, range: std::ops::Range<f64>) -> Value {
        let dims = self.dims();
        self.signed(dims, range)
    }

    /// As [`within`](Self::within), in these sizes.
    pub(super) fn uniform(&mut self, dims: impl Into<Vec<usize>>, range: std::ops::Range<f64>) -> Value {
        let dims = dims.into();
        let data = (0..dims.iter().product()).map(|_| self.draw.real(range.clone())).collect();
        Value::new(dims, data)
    }

    /// As [`apart`](Self::apart), in these sizes.
    pub(super) fn signed(&mut self, dims: impl Into<Vec<usize>>, range: std::ops::Range<f64>) -> Value {
        let dims = dims.into();
        let one = |draw: &mut Draw| if draw.once_in(2) { draw.real(range.clone()) } else { -draw.real(range.clone()) };
        let data = (0..dims.iter().product()).map(|_| one(self.draw)).collect();
        Value::new(dims, data)
    }

    /// All different, by at least a hundredth, in an order by chance: no ties, and no kink that a step could cross.
    pub(super) fn distinct(&mut self, dims: impl Into<Vec<usize>>) -> Value {
        let dims = dims.into();
        let count: usize = dims.iter().product();
        let mut data: Vec<f64> =
            (0..count).map(|number| 0.2 * (number as f64 - count as f64 / 2.0) + self.draw.real(0.0..0.1)).collect();
        for last in (1..count).rev() {
            data.swap(last, self.draw.size(0..=last));
        }
        Value::new(dims, data)
    }

    /// Whole numbers below `bound`, as indices.
    pub(super) fn indices(&mut self, count: usize, bound: usize) -> Vec<i64> {
        (0..count).map(|_| self.draw.size(0..=bound - 1) as i64).collect()
    }

    /// Indices that are all different: `count` of those below `bound`.
    pub(super) fn different_indices(&mut self, count: usize, bound: usize) -> Vec<i64> {
        let mut all: Vec<i64> = (0..bound as i64).collect();
        for place in 0..count {
            all.swap(place, self.draw.size(place..=bound - 1));
        }
        all.truncate(count);
        all
    }
}

/// `2×3×4, axis 1, transposed in memory`.
pub(super) fn describe(values: &[&Value], options: &str, layout: Layout) -> String {
    let shapes: Vec<String> = values.iter().map(|value| shape(value.dims())).collect();
    let comma = if options.is_empty() { "" } else { ", " };
    format!("{}{comma}{options}{}", shapes.join("; "), layout.words())
}

/// Indices as a tensor where the arguments are.
pub(super) fn int<const D: usize>(arguments: &Arguments<'_>, dims: [usize; D], indices: &[i64]) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(indices.to_vec(), dims), arguments.device())
}

/// The value with one element replaced.
pub(super) fn with_element(value: &Value, index: usize, element: f64) -> Value {
    let mut data = value.data().to_vec();
    data[index] = element;
    Value::new(value.dims(), data)
}

/// The gradient of another function of `x` by autodiff, for a mutant that is a function gone wrong.
pub(super) fn by_autodiff<const E: usize>(t: &Arguments<'_>, function: impl Fn(Tensor<3>) -> Tensor<E>) -> Tensor<3> {
    let x = t.get::<3>("x").autodiff().require_grad();
    let found = (function(x.clone()) * t.cotangent::<E>().autodiff()).sum().backward();
    x.grad(&found).expect("the function depends on x")
}
