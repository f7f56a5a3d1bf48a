//! What activations without parameters share: `y_i = φ(x_i)` of every element.

use backproof_compiled::Operation;
use backproof_gradcheck::{Check, Gradients};
use backproof_kernels::ElementFunction;
use burn::tensor::Tensor;

use crate::kernels::Stack;
use crate::subject::{Context, Draw, Layout, shape};

/// Dimensions, layout and values of the input, and the check that has it.
pub(super) struct Input {
    pub(super) dims: [usize; 3],
    pub(super) layout: Layout,
    pub(super) check: Check<'static>,
}

impl Input {
    pub(super) fn new(name: &str, scale: f64, context: &Context, draw: &mut Draw) -> Self {
        let dims = [draw.size(1..=3), draw.channels(1..=4), draw.size(1..=7)];
        let layout = draw.layout();
        let x = draw.values(dims, scale);
        // Where everything is cut off, a gradient of zero is right.
        let flat = x.data().iter().all(|&x| x <= 0.0);
        let check = context.check(name).input("x", x);
        Self { dims, layout, check: if flat { check.expect_zero() } else { check } }
    }

    pub(super) fn about(&self) -> String {
        format!("{}{}", shape(&self.dims), self.layout.words())
    }
}

/// Adds both sources of a layer to a check with the input `x`.
macro_rules! sources {
    ($context:expr, $input:expr, $layer:expr) => {{
        let (layer, layout) = ($layer, $input.layout);
        let (by_autodiff, by_hand) = (layer.clone(), layer.clone());
        let check = $context.autodiff($input.check, move |t| by_autodiff.forward(layout.arrange(t.get::<3>("x"))));
        $context.manual(
            check,
            move |t| layer.forward_saving(layout.arrange(t.get::<3>("x"))).0,
            move |t| {
                let (_, saved) = by_hand.forward_saving(layout.arrange(t.get::<3>("x")));
                backproof_gradcheck::Gradients::new()
                    .with("x", by_hand.backward(saved, layout.arrange(t.cotangent::<3>())))
            },
        )
    }};
}

pub(super) use sources;

/// Adds the kernels of this function as sources, on an input of these dimensions.
pub(super) fn kernels(
    context: &Context,
    dims: [usize; 3],
    check: Check<'static>,
    f: ElementFunction,
) -> Check<'static> {
    Stack::new([dims[1], dims[2], 1], vec![Operation::Elementwise(f)]).check(context, check, dims)
}

/// A backward that multiplies the cotangent by a wrong derivative.
pub(super) fn wrong(
    context: &Context,
    check: Check<'static>,
    name: &str,
    derivative: impl Fn(Tensor<3>) -> Tensor<3> + 'static,
) -> Check<'static> {
    context.mutant(check, name, move |t| Gradients::new().with("x", derivative(t.get::<3>("x")) * t.cotangent::<3>()))
}

/// `[x > 0]`.
pub(super) fn positive(x: Tensor<3>) -> Tensor<3> {
    let dtype = x.dtype();
    x.greater_elem(0.0).float().cast(dtype)
}

/// Other values of the same shape: those of a batch that the forward did not see.
pub(super) fn of_another_batch(x: Tensor<3>) -> Tensor<3> {
    x.flip([0, 1, 2])
}
