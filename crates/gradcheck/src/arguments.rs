use std::cell::RefCell;

use burn::tensor::{DType, Device, Gradients as BurnGradients, Tensor};

use crate::Value;
use crate::problem::Variable;

/// The tensors that a closure under test works on, by name, on the device and in the precision that it runs in just
/// now.
pub struct Arguments<'v> {
    variables: &'v [Variable],
    values: &'v [Value],
    cotangent: Option<&'v Value>,
    device: Device,
    dtype: DType,
    /// Reads the gradient of every leaf that was handed out, if gradients are tracked.
    leaves: Option<RefCell<Vec<Leaf>>>,
}

type Leaf = (usize, Box<dyn Fn(&BurnGradients) -> Option<Value>>);

impl<'v> Arguments<'v> {
    pub(crate) fn new(
        variables: &'v [Variable],
        values: &'v [Value],
        cotangent: Option<&'v Value>,
        device: &Device,
        dtype: DType,
    ) -> Self {
        Self { variables, values, cotangent, device: device.clone(), dtype, leaves: None }
    }

    /// Tensors handed out are leaves of autodiff from here on.
    pub(crate) fn tracked(self) -> Self {
        Self { device: self.device.autodiff(), leaves: Some(RefCell::default()), ..self }
    }

    /// The tensor of this name.
    ///
    /// # Panics
    ///
    /// Panics if there is none, or if it has another rank than `D`.
    pub fn get<const D: usize>(&self, name: &str) -> Tensor<D> {
        let index = self.index(name);
        let tensor = self.values[index].tensor::<D>(&self.device, self.dtype);
        let differentiated = self.variables[index].role != crate::Role::Constant;
        match &self.leaves {
            Some(leaves) if differentiated => {
                let leaf = tensor.require_grad();
                let reader = leaf.clone();
                leaves.borrow_mut().push((index, Box::new(move |gradients| Some(reader.grad(gradients)?.into()))));
                leaf
            }
            _ => tensor,
        }
    }

    /// The cotangent `w`, in the shape of the output: `∂L/∂y` for a backward.
    ///
    /// # Panics
    ///
    /// Panics in a forward, which has none, or if the output has another rank than `D`.
    pub fn cotangent<const D: usize>(&self) -> Tensor<D> {
        let cotangent = self.cotangent.expect("only a backward has a cotangent");
        cotangent.tensor(&self.device, self.dtype)
    }

    /// The values of this name on the host: for integer tensors, and for code that knows no tensors.
    ///
    /// # Panics
    ///
    /// Panics if there is none.
    pub fn value(&self, name: &str) -> &'v Value {
        &self.values[self.index(name)]
    }

    /// The cotangent on the host.
    ///
    /// # Panics
    ///
    /// Panics in a forward, which has none.
    pub fn cotangent_value(&self) -> &'v Value {
        self.cotangent.expect("only a backward has a cotangent")
    }

    /// Where to create further tensors.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// In which precision to create further tensors.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// What autodiff finds for every variable; a tensor that was asked for twice gets the sum.
    pub(crate) fn gradients(&self, gradients: &BurnGradients) -> Vec<Option<Value>> {
        let mut found: Vec<Option<Value>> = vec![None; self.values.len()];
        for (index, read) in self.leaves.as_ref().expect("tracked").borrow().iter() {
            if let Some(gradient) = read(gradients) {
                found[*index] = Some(match found[*index].take() {
                    None => gradient,
                    Some(sum) => sum.map_data(sum.data().iter().zip(gradient.data()).map(|(a, b)| a + b).collect()),
                });
            }
        }
        found
    }

    /// No gradient for anything.
    pub(crate) fn none(&self) -> Vec<Option<Value>> {
        vec![None; self.values.len()]
    }

    fn index(&self, name: &str) -> usize {
        find(self.variables, name)
    }
}

fn find(variables: &[Variable], name: &str) -> usize {
    variables.iter().position(|variable| variable.name == name).unwrap_or_else(|| {
        let names: Vec<&str> = variables.iter().map(|variable| variable.name.as_str()).collect();
        panic!("there is no tensor `{name}`; there are {}", names.join(", "))
    })
}

/// The gradients that a backward returns, by name. What it leaves out counts as missing.
#[derive(Debug, Clone, Default)]
pub struct Gradients {
    found: Vec<(String, Value)>,
}

impl Gradients {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the gradient of the tensor of this name: a tensor of its shape, or a [`Value`].
    pub fn with(mut self, name: &str, gradient: impl Into<Value>) -> Self {
        self.found.push((name.into(), gradient.into()));
        self
    }

    /// One entry for each variable.
    ///
    /// # Panics
    ///
    /// Panics if a name is not a variable's.
    pub(crate) fn in_order(self, variables: &[Variable]) -> Vec<Option<Value>> {
        let mut ordered = vec![None; variables.len()];
        for (name, value) in self.found {
            ordered[find(variables, &name)] = Some(value);
        }
        ordered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Check, Options, Report, Verdict};

    /// Of two tensors, by autodiff.
    fn autodiff(forward: impl Fn(&Arguments<'_>) -> Tensor<1>) -> Report {
        let check = Check::new("product").input("x", Value::normal([3], 1)).input("y", Value::normal([3], 2));
        check.forward(&Device::flex(), forward).autodiff(&Device::flex()).run()
    }

    #[test]
    fn a_tensor_that_was_asked_for_twice_has_the_sum_of_both_gradients() {
        autodiff(|t| t.get::<1>("x") * t.get::<1>("x").exp() + t.get::<1>("y")).assert();
    }

    #[test]
    fn of_a_constant_there_are_no_gradients() {
        let report = autodiff(|t| Tensor::from_data([1.0, 2.0], (&Device::flex(), t.dtype())));
        assert_eq!(["x", "y"].map(|tensor| report.verdict("autodiff", tensor)), [Some(Verdict::Unobservable); 2]);
    }

    #[test]
    fn a_constant_has_no_gradient_of_its_own() {
        let check = Check::new("product").input("x", Value::normal([3], 1)).constant("t", Value::normal([3], 2));
        let check = check.forward(&Device::flex(), |t| t.get::<1>("x") * t.get::<1>("t")).autodiff(&Device::flex());
        let (problem, options) = (check.problem(), Options::default());
        let examination = problem.examine(&options);
        let gradient = |tensor: &str| examination.gradient("autodiff", tensor, 0);
        assert!(gradient("x").is_some() && gradient("t").is_none());
    }
}
