//! The three plans, each with the calls that apply to it, over one core.

mod copies;
mod core;
mod finish;
mod inject;
mod normalization;
mod parameters;
mod passes;
mod tasks;

use backproof_kernels::{Isa, OptimizerStep};

use self::core::Core;
use crate::graph::Purpose;
use crate::{ActiveUnits, Fault, Inputs, Objective, Operation, Parameter, PassOutcome};
use parameters::Of;

/// What every plan has: operations with their parameters.
pub trait Plan: Sized {
    /// Of `operations` on images `[C, H, W]`, all parameters zero, running variances 1.
    ///
    /// # Panics
    ///
    /// If an operation does not fit what it is given, or the last of a whole network does not give a vector.
    fn new(isa: Isa, input: [usize; 3], operations: &[Operation]) -> Self;

    /// The instructions that it runs on.
    fn isa(&self) -> Isa;

    /// Sets a parameter or a running statistic of operation `operation`, counted from 0 among all operations, from
    /// row-major order.
    ///
    /// # Panics
    ///
    /// If the operation has no such parameter or it has another size.
    fn set(&mut self, operation: usize, parameter: Parameter, values: &[f32]);

    /// Writes what [`set`](Self::set) sets to `to`.
    ///
    /// # Panics
    ///
    /// As [`set`](Self::set).
    fn get(&self, operation: usize, parameter: Parameter, to: &mut [f32]);
}

/// A plan that gives gradients of a whole network.
pub trait Differentiable: Plan {
    /// Forward and backward from `Σ_n weights[n] · loss[n]`, for [`gradient`](Self::gradient). Running statistics move.
    /// The loss that it gives is the mean.
    ///
    /// # Panics
    ///
    /// If the batch is empty, there is not a label and a weight for each image, or the output is no vector.
    fn weighted_pass(
        &mut self,
        inputs: &Inputs<'_>,
        labels: &[usize],
        weights: &[f32],
        objective: &Objective,
    ) -> PassOutcome;

    /// Writes the gradient of a parameter to `to`, in row-major order.
    ///
    /// # Panics
    ///
    /// If the operation has no such parameter or it has another size.
    fn gradient(&self, operation: usize, parameter: Parameter, to: &mut [f32]);
}

/// A network that is evaluated: outputs alone, in little memory.
#[derive(Debug, Clone)]
pub struct InferencePlan(Core);

/// A network that is trained: loss, gradients of the parameters, and the step of the optimizer.
#[derive(Debug, Clone)]
pub struct TrainingPlan(Core);

/// A part of a network, from the gradient of whose output come those of its parameters and of its input; or a whole
/// network with the gradient of its input.
#[derive(Debug, Clone)]
pub struct SegmentPlan(Core);

macro_rules! plan {
    ($plan:ident, $purpose:ident) => {
        impl Plan for $plan {
            fn new(isa: Isa, input: [usize; 3], operations: &[Operation]) -> Self {
                Self(Core::new(isa, input, operations, Purpose::$purpose))
            }

            fn isa(&self) -> Isa {
                self.0.isa
            }

            fn set(&mut self, operation: usize, parameter: Parameter, values: &[f32]) {
                self.0.set(operation, parameter, Of::Values, values);
            }

            fn get(&self, operation: usize, parameter: Parameter, to: &mut [f32]) {
                self.0.get(operation, parameter, Of::Values, to);
            }
        }
    };
}

plan!(InferencePlan, Inference);
plan!(TrainingPlan, Training);
plan!(SegmentPlan, Segment);

macro_rules! differentiable {
    ($plan:ident) => {
        impl Differentiable for $plan {
            fn weighted_pass(
                &mut self,
                inputs: &Inputs<'_>,
                labels: &[usize],
                weights: &[f32],
                objective: &Objective,
            ) -> PassOutcome {
                let outcome = self.0.weighted_pass(inputs, labels, weights, objective);
                self.0.finish_gradients();
                outcome
            }

            fn gradient(&self, operation: usize, parameter: Parameter, to: &mut [f32]) {
                self.0.get(operation, parameter, Of::Gradients, to);
            }
        }
    };
}

differentiable!(TrainingPlan);
differentiable!(SegmentPlan);

impl InferencePlan {
    /// Forward by the running statistics and without dropout, for [`outputs`](Self::outputs).
    pub fn infer(&mut self, inputs: &Inputs<'_>) {
        self.0.infer(inputs);
    }

    /// As [`infer`](Self::infer), with what each ReLU gives for these images, in the order of the operations.
    pub fn active_units(&mut self, inputs: &Inputs<'_>) -> Vec<ActiveUnits> {
        self.0.active_units(inputs)
    }

    /// The outputs for image `image` of the last batch.
    ///
    /// # Panics
    ///
    /// If the last batch had no such image.
    #[must_use]
    pub fn outputs(&self, image: usize) -> &[f32] {
        self.0.outputs(image)
    }
}

impl TrainingPlan {
    /// Forward and backward: loss, and inside of the plan the gradients, until [`step`](Self::step) or
    /// [`finish_gradients`](Self::finish_gradients) puts them together. Running statistics move.
    ///
    /// # Panics
    ///
    /// If the batch is empty, or there is not a label for each image.
    pub fn pass(&mut self, inputs: &Inputs<'_>, labels: &[usize], objective: &Objective) -> PassOutcome {
        self.0.pass(inputs, labels, objective)
    }

    /// As [`pass`](Self::pass), of images that are mixtures of two: the loss is `share` of the mean loss with the first
    /// labels, and 1 − `share` of the mean loss with the second ones. The label with the larger share counts as right.
    ///
    /// # Panics
    ///
    /// If the batch is empty, or there are not two labels for each image.
    pub fn mixed_pass(
        &mut self,
        inputs: &Inputs<'_>,
        labels: [&[usize]; 2],
        share: f64,
        objective: &Objective,
    ) -> PassOutcome {
        self.0.mixed_pass(inputs, labels, share, objective)
    }

    /// Puts the gradients of the last pass together, for [`gradient`](Differentiable::gradient).
    pub fn finish_gradients(&mut self) {
        self.0.finish_gradients();
    }

    /// Puts the gradients of the last pass together, unless that is done, and moves the weights.
    pub fn step(&mut self, step: &dyn OptimizerStep) {
        self.0.step(step);
    }

    /// As [`step`](Self::step), each parameter by the step that `of` gives it; without one it stays.
    pub fn step_each<'a>(&mut self, of: &dyn Fn(usize, Parameter) -> Option<&'a dyn OptimizerStep>) {
        self.0.step_each(of);
    }

    /// The sum of the squares of all gradients of the parameters that `of` names, once they are together.
    #[must_use]
    pub fn squared_gradients(&self, of: &dyn Fn(usize, Parameter) -> bool) -> f64 {
        self.0.squared_gradients(of)
    }

    /// The weights as they lie in memory, for [`squared_steps`](Self::squared_steps).
    #[must_use]
    pub fn packed_weights(&self) -> Vec<f32> {
        self.0.packed_weights()
    }

    /// Of each parameter Σ (w − v)² and Σ v², where w are its weights, and v what they were in `before`.
    ///
    /// # Panics
    ///
    /// If `before` is not [`packed_weights`](Self::packed_weights) of this plan.
    #[must_use]
    pub fn squared_steps(&self, before: &[f32]) -> Vec<(usize, Parameter, [f64; 2])> {
        self.0.squared_steps(before)
    }

    /// Changes every number of the gradients, once they are together.
    pub fn change_gradients(&mut self, change: impl Fn(f32) -> f32 + Sync) {
        self.0.change_gradients(change);
    }

    /// Moves copy `slot` of the weights, one of two, by this share of its distance to the weights. At first it is the
    /// weights themselves.
    ///
    /// # Panics
    ///
    /// If there is no such copy.
    pub fn follow(&mut self, slot: usize, share: f32) {
        self.0.follow(slot, share);
    }

    /// The weights become those of copy `slot`.
    ///
    /// # Panics
    ///
    /// If nothing was copied yet.
    pub fn go_back(&mut self, slot: usize) {
        self.0.go_back(slot);
    }

    /// Whether copy `slot` has been made.
    #[must_use]
    pub fn has_copy(&self, slot: usize) -> bool {
        self.0.has_copy(slot)
    }

    /// Writes a parameter of copy `slot` to `to`, in row-major order.
    ///
    /// # Panics
    ///
    /// As [`gradient`](Differentiable::gradient), or if nothing was copied yet.
    pub fn copied(&self, slot: usize, operation: usize, parameter: Parameter, to: &mut [f32]) {
        self.0.get(operation, parameter, Of::Copy(slot), to);
    }

    /// Sets what [`copied`](Self::copied) gives, from row-major order.
    ///
    /// # Panics
    ///
    /// As [`copied`](Self::copied).
    pub fn set_copied(&mut self, slot: usize, operation: usize, parameter: Parameter, values: &[f32]) {
        self.0.set(operation, parameter, Of::Copy(slot), values);
    }

    /// Writes what the optimizer remembers of a parameter to `to`, in row-major order: number `slot` of those that its
    /// step remembers.
    ///
    /// # Panics
    ///
    /// As [`gradient`](Differentiable::gradient), or if no step remembers as many.
    pub fn remembered(&self, slot: usize, operation: usize, parameter: Parameter, to: &mut [f32]) {
        self.0.get(operation, parameter, Of::Remembered(slot), to);
    }

    /// Sets what [`remembered`](Self::remembered) gives, from row-major order.
    ///
    /// # Panics
    ///
    /// As [`remembered`](Self::remembered).
    pub fn set_remembered(&mut self, slot: usize, operation: usize, parameter: Parameter, values: &[f32]) {
        self.0.set(operation, parameter, Of::Remembered(slot), values);
    }

    /// The outputs for image `image` of the last batch.
    ///
    /// # Panics
    ///
    /// If the last batch had no such image.
    #[must_use]
    pub fn outputs(&self, image: usize) -> &[f32] {
        self.0.outputs(image)
    }
}

impl SegmentPlan {
    /// Forward by the statistics of the batch, for [`output`](Self::output) and [`backward`](Self::backward). Running
    /// statistics move.
    pub fn forward(&mut self, inputs: &Inputs<'_>) {
        self.0.forward(inputs);
    }

    /// Writes the output of all images of the last batch, `[N, C, H, W]`, to `to`.
    ///
    /// # Panics
    ///
    /// If `to` has another length.
    pub fn output(&self, to: &mut [f32]) {
        self.0.output(to);
    }

    /// Backward from the gradient of the output of image n, which `gradient` writes; with or without the gradient of
    /// the input.
    pub fn backward(&mut self, gradient: &(dyn Fn(usize, &mut [f32]) + Sync), input_gradient: bool) {
        self.0.backward(gradient, input_gradient);
    }

    /// Writes the gradient of the input of all images, `[N, C, H, W]`, to `to`.
    ///
    /// # Panics
    ///
    /// If `to` has another length.
    pub fn input_gradient(&self, to: &mut [f32]) {
        self.0.input_gradient(to);
    }

    /// Makes the next backward pass wrong, in this way. Nothing happens where the plan has nothing of the kind.
    pub fn inject(&mut self, fault: Fault) {
        self.0.inject(fault);
    }
}
