//! A function on tensors, as the checker calls it: on the host's numbers.

use std::rc::Rc;

use burn::tensor::{DType, Device, Tensor};

use crate::{Arguments, Forward, Value, Variable};

pub(crate) type TensorForward<'a> = Rc<dyn Fn(&Arguments<'_>) -> Outcome + 'a>;

/// A forward's output, and how to go back from `⟨w, output⟩`.
pub(crate) struct Outcome {
    pub(crate) output: Box<dyn FnOnce() -> Value>,
    pub(crate) backward: Box<Backward>,
}

/// From the arguments and `w` to the gradient of each variable, absent where nothing reached it.
pub(crate) type Backward = dyn FnOnce(&Arguments<'_>, &Value) -> Vec<Option<Value>>;

/// The function on the host's numbers, in this precision.
pub(crate) fn evaluate<'a>(
    variables: &[Variable],
    device: &Device,
    forward: &TensorForward<'a>,
    dtype: DType,
) -> Forward<'a> {
    let (variables, device, forward) = (variables.to_vec(), device.clone(), forward.clone());
    Rc::new(move |values| (forward(&Arguments::new(&variables, values, None, &device, dtype)).output)())
}

impl Outcome {
    pub(crate) fn of<const D: usize>(output: Tensor<D>) -> Self {
        let tensor = output.clone();
        Self {
            output: Box::new(move || output.into()),
            backward: Box::new(move |arguments, cotangent| {
                if !tensor.is_tracked() {
                    return arguments.none();
                }
                let weights = cotangent.tensor::<D>(arguments.device(), arguments.dtype());
                arguments.gradients(&(tensor * weights).sum().backward())
            }),
        }
    }
}
