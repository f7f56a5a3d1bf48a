use std::rc::Rc;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Gradients as BurnGradients, Tensor};

use crate::poison::poison_device;
use crate::{GradientSource, Options, Problem, Report, Role, Value, Variable, unit_roundoff};

/// Proves the gradients that Burn's autodiff finds for a module: of its input and of every parameter, by name.
///
/// The module is checked on `device` as it trains: in the device's default precision if it was made there. The
/// differences are taken of the same module rebuilt in double precision on the same device; see [`check_module`] for a
/// device that has no double precision.
///
/// ```
/// # use burn::{module::{Module, Param}, tensor::{Device, Tensor}};
/// #[derive(Module, Debug)]
/// struct Scale {
///     factor: Param<Tensor<1>>,
/// }
///
/// let device = Device::flex();
/// let module = Scale { factor: Param::from_tensor(Tensor::from_floats([1.5, -2.0], &device)) };
/// let input = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 4.0]], &device);
/// backproof_gradcheck::check(&module, input, |module, input| input * module.factor.val().unsqueeze()).assert();
/// ```
///
/// # Panics
///
/// Panics if the forward does.
pub fn check<M: Module, const D: usize, const E: usize>(
    module: &M,
    input: Tensor<D>,
    forward: impl Fn(&M, Tensor<D>) -> Tensor<E>,
) -> Report {
    let device = input.device().without_autodiff();
    let problem = check_module(module, input, forward, &device, &device);
    problem.examine(&Options::default()).report().clone()
}

/// The problem behind [`check`], to add sources to, to ask for [other options](Options) or for
/// [mutants](crate::Examination::mutants).
///
/// Autodiff runs on `device` in the precision of the input; the differences are taken on `reference`, which must have
/// double precision. Both run on an autodiff device, because Burn's layers take that for training: a batch norm uses
/// the statistics of the batch in both.
///
/// Tensors are named `input` and by their path in the module: `conv.weight`, `blocks.0.bias`. Parameters that do not
/// require gradients and running statistics are constants. Tensors outside of parameters keep the precision that they
/// have, so a module that has some mixes precisions, which backends refuse; make them parameters without gradient.
///
/// # Panics
///
/// Panics if the forward does.
pub fn check_module<'a, M: Module + 'a, const D: usize, const E: usize>(
    module: &M,
    input: Tensor<D>,
    forward: impl Fn(&M, Tensor<D>) -> Tensor<E> + 'a,
    device: &Device,
    reference: &Device,
) -> Problem<'a> {
    // `valid` copies running statistics, which clones share.
    let module = Rc::new(module.valid());
    let dtype = input.dtype();
    let forward = Rc::new(forward);
    let mut names = Names { path: Vec::new(), variables: vec![variable("input", Role::Input, input.into())] };
    module.as_ref().clone().train().visit(&mut names);

    let run = |device: &Device, dtype: DType| {
        let (module, forward, device) = (module.clone(), forward.clone(), device.clone());
        move |values: &[Value]| {
            let module = module_at(module.as_ref(), &values[1..], &device, dtype).train();
            let input = values[0].tensor::<D>(&device.clone().autodiff(), dtype).require_grad();
            let output = forward(&module, input.clone());
            (module, input, output)
        }
    };
    let (in_double, in_single, on_device) = (run(reference, DType::F64), run(reference, dtype), run(device, dtype));
    let on_device_again = on_device.clone();
    let place = device.clone();
    let mut autodiff = GradientSource::new("autodiff", unit_roundoff(dtype), move |values, cotangent| {
        poison_device(&place, values, dtype);
        let (module, input, output) = on_device(values);
        if !output.is_tracked() {
            return vec![None; values.len()];
        }
        let weights = cotangent.tensor::<E>(&output.device(), dtype);
        let gradients = (output * weights).sum().backward();
        let mut found = Found { gradients: &gradients, values: vec![input.grad(&gradients).map(Value::from)] };
        module.visit(&mut found);
        found.values
    });
    autodiff.forward = Some(Rc::new(move |values| Value::from_tensor(on_device_again(values).2)));
    let name = std::any::type_name::<M>().rsplit("::").next().unwrap_or("module");
    let reference = move |values: &[Value]| Value::from_tensor(in_double(values).2);
    let mut problem = Problem::new(name, dtype, names.variables, reference);
    if dtype != DType::F64 {
        problem.single = Some(Rc::new(move |values: &[Value]| Value::from_tensor(in_single(values).2)));
    }
    Problem { sources: vec![autodiff], ..problem }
}

fn variable(name: impl Into<String>, role: Role, value: Value) -> Variable {
    Variable { name: name.into(), role, value, expect_zero: false }
}

/// Names and values of all float parameters, in the order of the visit.
struct Names {
    path: Vec<String>,
    variables: Vec<Variable>,
}

impl ModuleVisitor for Names {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let role = if param.base().is_require_grad() { Role::Parameter } else { Role::Constant };
        let mut name = self.path.join(".");
        if self.variables.iter().any(|other| other.name == name) {
            name = format!("{name} ({})", self.variables.len());
        }
        self.variables.push(variable(name, role, param.base().into()));
    }
}

/// The module with these values for its float parameters and running statistics, in the order in which it visits them,
/// on a device without autodiff and in this precision: what a backward of its own needs, as a [`GradientSource`] of the problem
/// that [`check_module`] gives. The order is that of [`Problem::tensors`] after the input.
///
/// # Panics
///
/// Panics if there are fewer values than parameters, or if one has another rank.
pub fn module_at<M: Module>(module: &M, values: &[Value], device: &Device, dtype: DType) -> M {
    let plain = device.clone().without_autodiff();
    module.clone().valid().to_device(&plain).map(&mut Replace { values, next: 0, dtype })
}

/// Puts values into a plain module's float parameters, in the order of the visit.
struct Replace<'v> {
    values: &'v [Value],
    next: usize,
    dtype: DType,
}

impl ModuleMapper for Replace<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = &self.values[self.next];
        self.next += 1;
        let dtype = self.dtype;
        param.map(|tensor| value.tensor(&tensor.device(), dtype))
    }
}

/// The gradients of a trained module's float parameters, in the order of the visit.
struct Found<'g> {
    gradients: &'g BurnGradients,
    values: Vec<Option<Value>>,
}

impl ModuleVisitor for Found<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.values.push(param.base().grad(self.gradients).map(Value::from));
    }
}

/// [`check`] with the module's own `forward(input)`, and a panic with the table if anything is not proven.
///
/// A third argument is another forward: `assert_gradients!(module, input, |module, input| module.logits(input))`.
#[macro_export]
macro_rules! assert_gradients {
    ($module:expr, $input:expr $(,)?) => {
        $crate::assert_gradients!($module, $input, |module, input| module.forward(input))
    };
    ($module:expr, $input:expr, $forward:expr $(,)?) => {
        $crate::check(&$module, $input, $forward).assert()
    };
}
