//! The CPU kernels as sources of a check: a plan of a few layers, on every instruction set under test.
//!
//! They are checked as training uses them: by the plan of the compiled engine, and by the segments of the autodiff
//! engine. What goes wrong in a kernel is seldom a formula. So `SegmentPlan::inject` spoils memory between a forward
//! pass and its backward pass. Each `Fault` is a mutant that must be killed, and a kernel that is wrong in that way is
//! recognised by the name of the fault.

use std::rc::Rc;

use backproof_compiled::{Differentiable, Fault, Inputs, Objective, Operation, Parameter, Plan, SegmentPlan, Shortcut};
use backproof_gradcheck::{Arguments, Check, Gradients, Value};
use backproof_kernels::{Isa, Winograd};
use burn::tensor::Tensor;

use crate::subject::Context;

/// Layers from the tensor `x` of a check, whose first axis are the images, and what of the check goes into them.
pub(crate) struct Stack {
    /// `[C, H, W]`.
    input: [usize; 3],
    layers: Vec<Operation>,
    /// Of which layer, by number, in which role, under which name.
    parameters: Vec<(usize, Parameter, &'static str)>,
    constants: Vec<(usize, Parameter, Vec<f32>)>,
    mask: Box<Mask>,
}

/// Writes what dropout multiplies with, from an element of the whole batch on.
type Mask = dyn Fn(usize, &mut [f32]) + Sync;

/// The name of the kernels with these instructions as a source.
pub(crate) fn source_name(isa: Isa) -> String {
    format!("kernels {isa}")
}

/// The name, as a source, of autodiff through segments of the kernels.
#[cfg(feature = "flex")]
pub(crate) fn segments_name(isa: Isa) -> String {
    format!("segments {isa}")
}

/// `found` with the gradient that autodiff has of `tensor`, if it has one.
#[cfg(feature = "flex")]
pub(crate) fn with_gradient<const D: usize>(
    found: Gradients,
    name: &str,
    tensor: &Tensor<D>,
    gradients: &burn::tensor::Gradients,
) -> Gradients {
    match tensor.grad(gradients) {
        Some(gradient) => found.with(name, gradient),
        None => found,
    }
}

impl Stack {
    pub(crate) fn new(input: [usize; 3], layers: Vec<Operation>) -> Self {
        let mask = |_: usize, _: &mut [f32]| unreachable!("no layer drops anything");
        Self { input, layers, parameters: Vec::new(), constants: Vec::new(), mask: Box::new(mask) }
    }

    /// With the check's tensor of this name as a parameter.
    pub(crate) fn parameter(mut self, layer: usize, parameter: Parameter, name: &'static str) -> Self {
        self.parameters.push((layer, parameter, name));
        self
    }

    /// With numbers for a parameter that is none of the check's tensors.
    pub(crate) fn constant(mut self, layer: usize, parameter: Parameter, values: Vec<f32>) -> Self {
        self.constants.push((layer, parameter, values));
        self
    }

    /// With a mask for dropout.
    pub(crate) fn mask(self, mask: impl Fn(usize, &mut [f32]) + Sync + 'static) -> Self {
        Self { mask: Box::new(mask), ..self }
    }

    /// Adds a source for each instruction set under test, and as mutants the faults that these layers can have.
    /// `output` are the dimensions of the output.
    pub(crate) fn check<const E: usize>(
        self,
        context: &Context,
        mut check: Check<'static>,
        output: [usize; E],
    ) -> Check<'static> {
        let stack = Rc::new(self);
        for &isa in &context.kernels {
            let (of_backward, of_forward) = (stack.clone(), stack.clone());
            check = check
                .source(&source_name(isa), &context.device, move |t| of_backward.backward(isa, t, None))
                .source_forward(&context.device, move |t| of_forward.forward(isa, t, output))
                .source_roundoff(context.unit_roundoff);
        }
        let Some(&isa) = context.kernels.first() else { return check };
        for fault in Fault::ALL.into_iter().filter(|&fault| stack.all().iter().any(|layer| can_have(layer, fault))) {
            let stack = stack.clone();
            check = context.mutant(check, fault.name(), move |t| stack.backward(isa, t, Some(fault)));
        }
        check
    }

    fn forward<const E: usize>(&self, isa: Isa, t: &Arguments<'_>, output: [usize; E]) -> Tensor<E> {
        let mut found = vec![0.0; output.iter().product()];
        self.forward_plan(isa, t).output(&mut found);
        value(&output, &found).tensor(t.device(), t.dtype())
    }

    fn backward(&self, isa: Isa, t: &Arguments<'_>, fault: Option<Fault>) -> Gradients {
        let mut plan = self.forward_plan(isa, t);
        if let Some(fault) = fault {
            plan.inject(fault);
        }
        let (x, cotangent) = (t.value("x"), t.cotangent_value());
        let (g, elements) = (single(cotangent), cotangent.len() / x.dims()[0]);
        plan.backward(&|n, to| to.copy_from_slice(&g[n * elements..][..elements]), true);
        let mut found = vec![0.0; x.len()];
        plan.input_gradient(&mut found);
        let mut gradients = Gradients::new().with("x", value(x.dims(), &found));
        for &(layer, parameter, name) in &self.parameters {
            let dims = t.value(name).dims();
            let mut found = vec![0.0; dims.iter().product()];
            plan.gradient(layer, parameter, &mut found);
            if self.is_matrix(layer, parameter) {
                found = transposed(&found, [dims[1], dims[0]]);
            }
            gradients = gradients.with(name, value(dims, &found));
        }
        gradients
    }

    /// A plan after its forward pass.
    fn forward_plan(&self, isa: Isa, t: &Arguments<'_>) -> SegmentPlan {
        let mut plan = SegmentPlan::new(isa, self.input, &self.layers);
        for (layer, parameter, values) in &self.constants {
            plan.set(*layer, *parameter, values);
        }
        for &(layer, parameter, name) in &self.parameters {
            let (values, dims) = (single(t.value(name)), t.value(name).dims());
            let values =
                if self.is_matrix(layer, parameter) { transposed(&values, [dims[0], dims[1]]) } else { values };
            plan.set(layer, parameter, &values);
        }
        let (x, count) = (single(t.value("x")), t.value("x").dims()[0]);
        let elements = x.len() / count;
        let image = |n: usize, to: &mut [f32]| to.copy_from_slice(&x[n * elements..][..elements]);
        let mask = |_: usize, first: usize, mask: &mut [f32]| (self.mask)(first, mask);
        plan.forward(&Inputs { count, image: &image, mask: &mask });
        plan
    }

    /// Every layer, those inside of others included, by number.
    fn all(&self) -> Vec<&Operation> {
        fn add<'l>(layers: &'l [Operation], found: &mut Vec<&'l Operation>) {
            for layer in layers {
                found.push(layer);
                if let Operation::Residual { body, shortcut } = layer {
                    add(body, found);
                    if let Shortcut::Operations(layers) = shortcut {
                        add(layers, found);
                    }
                }
            }
        }
        let mut found = Vec::new();
        add(&self.layers, &mut found);
        found
    }

    /// Whether it is the weight of a linear layer: `[F, O]` in Burn, `[O, F]` in the kernels.
    fn is_matrix(&self, layer: usize, parameter: Parameter) -> bool {
        parameter == Parameter::Weight && matches!(self.all()[layer], Operation::Linear { .. })
    }
}

/// Whether there is something in a layer that the fault spoils.
fn can_have(operation: &Operation, fault: Fault) -> bool {
    match fault {
        Fault::StaleFlippedWeights => matches!(operation, Operation::Conv2d { .. }),
        Fault::DirtyBorder => matches!(operation, Operation::Conv2d { shape, .. } if shape.padding != [0, 0]),
        Fault::DirtySpread => matches!(operation, Operation::Conv2d { shape, .. } if shape.stride != [1, 1]),
        Fault::StaleSums => {
            matches!(operation, Operation::Conv2d { .. } | Operation::Linear { bias: true, .. } | Operation::Prelu)
        }
        Fault::StaleTransformedSums => matches!(operation, Operation::Conv2d { shape, .. } if Winograd::pays(shape)),
        Fault::ShiftedArgmax => matches!(operation, Operation::MaxPool2d { .. }),
        Fault::ShiftedMask => matches!(operation, Operation::Dropout),
        Fault::ShiftedSlopes => matches!(operation, Operation::Elementwise(f) if f.keeps_slopes()),
        Fault::StaleMean => matches!(operation, Operation::BatchNorm { .. }),
    }
}

/// Adds the kernel of a loss as a source: of the tensor of this name, with a label for each of its rows. It is the same
/// on every machine.
pub(crate) fn loss(
    context: &Context,
    check: Check<'static>,
    objective: Objective,
    outputs: &'static str,
    labels: Vec<usize>,
) -> Check<'static> {
    if context.kernels.is_empty() {
        return check;
    }
    let labels = Rc::new(labels);
    // The loss of each sample, and its gradient times the sample's weight.
    let run = move |t: &Arguments<'_>, weights: &[f32]| {
        let values = single(t.value(outputs));
        let mut gradient = vec![0.0; values.len()];
        let rows = values.chunks_exact(values.len() / labels.len());
        let gradients = gradient.chunks_exact_mut(values.len() / labels.len());
        let losses: Vec<f64> = (rows.zip(gradients).zip(labels.iter().zip(weights)))
            .map(|((row, gradient), (&label, &weight))| objective.loss(row, label, weight, gradient))
            .collect();
        (losses, gradient)
    };
    let forward = run.clone();
    check
        .source("kernels", &context.device, move |t| {
            let (_, gradient) = run(t, &single(t.cotangent_value()));
            Gradients::new().with(outputs, value(t.value(outputs).dims(), &gradient))
        })
        .source_forward(&context.device, move |t| -> Tensor<1> {
            let samples = t.value(outputs).dims()[0];
            let (losses, _) = forward(t, &vec![1.0; samples]);
            Value::new([samples], losses).tensor(t.device(), t.dtype())
        })
        .source_roundoff(context.unit_roundoff)
}

/// The numbers in single precision, to which they were rounded before.
pub(crate) fn single(value: &Value) -> Vec<f32> {
    value.data().iter().map(|&x| x as f32).collect()
}

/// Numbers of the kernels, with their dimensions.
pub(crate) fn value(dims: &[usize], data: &[f32]) -> Value {
    Value::new(dims, data.iter().copied().map(f64::from).collect())
}

/// A matrix of so many rows and columns with the two exchanged.
fn transposed(matrix: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    (0..rows * columns).map(|at| matrix[at % rows * columns + at / rows]).collect()
}

#[cfg(test)]
mod tests {
    use backproof_gradcheck::Verdict;
    use backproof_kernels::Conv2dShape;
    use backproof_layers::{Conv2d, Conv2dOptions};
    use burn::tensor::{DType, Device};

    use super::*;
    use crate::case_id::CaseId;

    fn context() -> Context {
        let device = Device::flex();
        let kernels = Isa::available();
        let case = CaseId::general(0);
        Context { reference: device.clone(), device, dtype: DType::F32, unit_roundoff: 6e-8, seed: 1, kernels, case }
    }

    fn stack() -> Stack {
        let shape = Conv2dShape {
            channels: 3,
            input: [7, 6],
            outputs: 4,
            kernel: [3, 2],
            stride: [2, 1],
            padding: [1, 1],
            dilation: [1, 2],
            groups: 1,
        };
        Stack::new([3, 7, 6], vec![Operation::Conv2d { shape, bias: false }]).parameter(0, Parameter::Weight, "weight")
    }

    #[test]
    fn a_kernel_with_a_fault_is_not_proven_and_the_fault_is_named() {
        let context = context();
        let isa = context.kernels[0];
        let options = Conv2dOptions { stride: [2, 1], padding: [1, 1], dilation: [1, 2], groups: 1 };
        for fault in [Fault::StaleFlippedWeights, Fault::DirtyBorder, Fault::DirtySpread, Fault::StaleSums] {
            let check = context
                .check("conv2d")
                .input("x", Value::normal([2, 3, 7, 6], 1))
                .parameter("weight", Value::normal([4, 3, 3, 2], 2));
            let options = options.clone();
            let check = context
                .autodiff(check, move |t| Conv2d::new(t.get("weight"), None, options.clone()).forward(t.get::<4>("x")));
            let check = stack().check(&context, check, [2, 4, 4, 6]);
            let faulty = stack();
            let check = check.source("faulty", &context.device, move |t| faulty.backward(isa, t, Some(fault)));
            let report = check.run();
            let wrong: Vec<_> = report.rows.iter().filter(|row| !row.verdict.proven()).collect();
            assert!(!wrong.is_empty(), "{fault:?} goes unnoticed\n{report}");
            for row in wrong {
                assert_eq!((row.source.as_str(), row.verdict), ("faulty", Verdict::Mismatch), "{report}");
                assert_eq!(row.diagnosis.as_deref(), Some(fault.name()), "{report}");
            }
        }
    }
}
