//! Modules as functions of a check's tensors: every parameter is one of them, by its path in the module.

use backproof_gradcheck::{Arguments, Check, Value};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Bool, Tensor, TensorData};

use crate::burn::maker::{Maker, describe};
use crate::subject::{Case, Context, Draw};

/// A module whose parameters and running statistics are tensors of a check.
pub(super) struct Placed<M> {
    module: M,
    /// In the order of the visit.
    names: Vec<String>,
}

impl<M: Module> Placed<M> {
    /// The check with a tensor for each parameter of the module, and the module that takes its parameters from there.
    ///
    /// What `init` put into them is not used: its numbers come from a generator that all threads share, and ones and
    /// zeros hide faults.
    pub(super) fn new(draw: &mut Draw, mut check: Check<'static>, module: M) -> (Check<'static>, Self) {
        let mut shapes = Shapes::default();
        module.visit(&mut shapes);
        let mut names = Vec::new();
        for (name, dims) in shapes.found {
            check = match name.rsplit('.').next().unwrap_or_default() {
                "running_mean" => check.constant(&name, draw.normal(dims, 1.0)),
                "running_var" => check.constant(&name, within(draw, dims, 0.3..2.0)),
                // A scale, and the slope below zero of a PReLU.
                "gamma" => check.parameter(&name, within(draw, dims, 0.5..1.5)),
                "alpha" => check.parameter(&name, within(draw, dims, 0.05..0.6)),
                _ => check.parameter(&name, draw.normal(dims, 0.7)),
            };
            names.push(name);
        }
        (check, Self { module: module.map(&mut Zeros), names })
    }

    /// The module on the device of the arguments, with their tensors. Tensors that are no parameters keep the precision
    /// that they have.
    pub(super) fn at(&self, t: &Arguments<'_>) -> M {
        // `valid` copies running statistics, which clones share.
        let module = self.module.valid().to_device(&t.device().clone().without_autodiff());
        let module = if t.device().is_autodiff() { module.train() } else { module };
        module.map(&mut Replace { arguments: t, names: self.names.iter() })
    }
}

fn within(draw: &mut Draw, dims: Vec<usize>, range: std::ops::Range<f64>) -> Value {
    let data = (0..dims.iter().product()).map(|_| draw.real(range.clone())).collect();
    Value::new(dims, data)
}

/// Paths and sizes of the parameters, which need not exist yet.
#[derive(Default)]
struct Shapes {
    path: Vec<String>,
    found: Vec<(String, Vec<usize>)>,
}

impl ModuleVisitor for Shapes {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.push((self.path.join("."), param.lazy_shape().to_vec()));
    }
}

/// Zeros in the place of parameters that do not exist yet, or each copy of the module would draw its own.
struct Zeros;

impl ModuleMapper for Zeros {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let zeros = Tensor::zeros(param.lazy_shape(), &param.lazy_device());
        Param::initialized(param.id, zeros)
    }
}

struct Replace<'a, 'v> {
    arguments: &'a Arguments<'v>,
    names: std::slice::Iter<'a, String>,
}

impl ModuleMapper for Replace<'_, '_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.names.next().expect("a module is visited and mapped in the same order");
        Param::initialized(param.id, self.arguments.get(name))
    }
}

impl Maker<'_> {
    /// The case of a module with one input `x`, which may lie in memory in any way.
    pub(super) fn module<M: Module + 'static, const D: usize, const E: usize>(
        &mut self,
        options: &str,
        x: Value,
        module: M,
        forward: impl Fn(&M, Tensor<D>) -> Tensor<E> + 'static,
    ) -> Case {
        let layout = self.draw.layout();
        let about = describe(&[&x], options, layout);
        let check = self.check().input("x", x);
        let (check, placed) = Placed::new(self.draw, check, module);
        self.case(about, check, move |t| forward(&placed.at(t), layout.arrange(t.get("x"))))
    }

    /// The case that `make` makes, with the differences taken where Burn's layers behave as in training: on a device of
    /// autodiff.
    pub(super) fn in_training(&mut self, make: impl FnOnce(&mut Maker<'_>) -> Case) -> Case {
        let reference = self.context.reference.clone().autodiff();
        let context = Context { reference, ..self.context.clone() };
        make(&mut Maker { context: &context, draw: self.draw, name: self.name, smooth: self.smooth })
    }

    /// Yes and no by chance, with this share of yes; the first two in each row of `width` are no: with one
    /// key in sight, attention depends on neither queries nor keys.
    pub(super) fn mask(&mut self, count: usize, width: usize, one_in: u32) -> Vec<bool> {
        (0..count).map(|number| self.draw.once_in(one_in) && number % width > 1).collect()
    }
}

/// A mask where the arguments are.
pub(super) fn mask_at<const D: usize>(t: &Arguments<'_>, dims: [usize; D], mask: &[bool]) -> Tensor<D, Bool> {
    Tensor::from_data(TensorData::new(mask.to_vec(), dims), t.device())
}
