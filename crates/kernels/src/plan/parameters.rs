//! Parameters in and out, in the layouts of PyTorch.

use std::ops::Range;

use super::Core;
use super::operation::Operation;
use crate::memory::{Memory, zeros};

/// A parameter, or a running statistic, of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// `[O, C/groups, K, K′]` of a convolution, `[O, F]` of a linear layer, γ of a normalisation.
    Weight,
    /// `[O]`, or β of a normalisation.
    Bias,
    /// Of a normalisation.
    RunningMean,
    /// Of a normalisation.
    RunningVariance,
}

/// Which numbers of the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The parameters themselves.
    Values,
    /// Their gradients.
    Gradients,
    /// What momentum remembers of them.
    Velocity,
}

impl Core {
    /// Sets a parameter of layer `layer`, counted from 0 among all layers, or what momentum remembers of it, from
    /// row-major order.
    ///
    /// # Panics
    ///
    /// If the layer has no such parameter or it has another size.
    pub(super) fn set(&mut self, layer: usize, parameter: Parameter, of: Of, values: &[f32]) {
        let operation = self.operation(layer);
        if let Some(running) = self.running_mut(operation, parameter) {
            return running.copy_from_slice(values);
        }
        let (range, kind) = self.index(operation, parameter);
        let mut taken = std::mem::replace(self.numbers_mut(of), zeros(0));
        let to = &mut taken[range];
        match kind {
            Kind::Convolution => self.conv(operation).pack(values, to),
            Kind::Matrix => self.each_weight(operation, values.len(), |plain, packed| to[packed] = values[plain]),
            Kind::Vector => {
                assert!(values.len() <= to.len() && values.len() + 16 > to.len(), "{} values", values.len());
                to[..values.len()].copy_from_slice(values);
            }
        }
        *self.numbers_mut(of) = taken;
        self.weights_are_new |= of == Of::Values && matches!(kind, Kind::Convolution);
    }

    /// What [`set`](Self::set) sets, or a gradient, in row-major order.
    ///
    /// # Panics
    ///
    /// If the layer has no such parameter or it has another size.
    pub(super) fn get(&self, layer: usize, parameter: Parameter, of: Of, values: &mut [f32]) {
        let operation = self.operation(layer);
        if let Some(running) = self.running(operation, parameter) {
            return values.copy_from_slice(running);
        }
        let (range, kind) = self.index(operation, parameter);
        let from = &match of {
            Of::Values => &self.weights,
            Of::Gradients => &self.gradient,
            Of::Velocity => &self.velocity,
        }[range];
        match kind {
            Kind::Convolution => self.conv(operation).unpack(from, values),
            Kind::Matrix => self.each_weight(operation, values.len(), |plain, packed| values[plain] = from[packed]),
            Kind::Vector => {
                assert!(values.len() <= from.len() && values.len() + 16 > from.len(), "{} values", values.len());
                values.copy_from_slice(&from[..values.len()]);
            }
        }
    }

    fn operation(&self, layer: usize) -> usize {
        self.graph
            .layers
            .iter()
            .position(|&of| of == layer)
            .unwrap_or_else(|| panic!("layer {layer} has no parameters"))
    }

    fn numbers_mut(&mut self, of: Of) -> &mut Memory {
        match of {
            Of::Values => &mut self.weights,
            Of::Gradients => &mut self.gradient,
            Of::Velocity => &mut self.velocity,
        }
    }

    fn conv(&self, operation: usize) -> &crate::Conv2d {
        match &self.graph.operations[operation] {
            Operation::Conv2d { conv, .. } => conv,
            other => unreachable!("{other:?} is no convolution"),
        }
    }

    fn index(&self, operation: usize, parameter: Parameter) -> (Range<usize>, Kind) {
        let none = || -> Range<usize> { panic!("operation {operation} has no {parameter:?}") };
        match (&self.graph.operations[operation], parameter) {
            (Operation::Conv2d { weights, .. }, Parameter::Weight) => (weights.clone(), Kind::Convolution),
            (Operation::Linear { weights, .. }, Parameter::Weight) => (weights.clone(), Kind::Matrix),
            (Operation::Conv2d { bias, .. } | Operation::Linear { bias, .. }, Parameter::Bias) => {
                (bias.clone().unwrap_or_else(none), Kind::Vector)
            }
            (Operation::BatchNorm { gamma, .. }, Parameter::Weight) => (gamma.clone(), Kind::Vector),
            (Operation::BatchNorm { beta, .. }, Parameter::Bias) => (beta.clone(), Kind::Vector),
            _ => (none(), Kind::Vector),
        }
    }

    fn running(&self, operation: usize, parameter: Parameter) -> Option<&[f32]> {
        let Operation::BatchNorm { index, .. } = self.graph.operations[operation] else { return None };
        match parameter {
            Parameter::RunningMean => Some(&self.running[index][0]),
            Parameter::RunningVariance => Some(&self.running[index][1]),
            _ => None,
        }
    }

    fn running_mut(&mut self, operation: usize, parameter: Parameter) -> Option<&mut [f32]> {
        let Operation::BatchNorm { index, .. } = self.graph.operations[operation] else { return None };
        match parameter {
            Parameter::RunningMean => Some(&mut self.running[index][0]),
            Parameter::RunningVariance => Some(&mut self.running[index][1]),
            _ => None,
        }
    }

    /// For every weight of a linear layer its index in `[O, F]` and its index when packed.
    fn each_weight(&self, operation: usize, count: usize, mut f: impl FnMut(usize, usize)) {
        let Operation::Linear { outputs, .. } = self.graph.operations[operation] else {
            unreachable!("only linear layers have a matrix")
        };
        let index = &self.graph.activations[operation];
        let features = index.features();
        assert_eq!(count, outputs * features, "weights of {outputs} outputs and {features} features");
        let packed: Vec<usize> = (0..features).map(|feature| index.feature(feature)).collect();
        for output in 0..outputs {
            for (feature, packed) in packed.iter().enumerate() {
                f(output * features + feature, output * index.stride() + packed);
            }
        }
    }
}

/// How the numbers of a parameter are packed.
#[derive(Clone, Copy)]
enum Kind {
    Convolution,
    Matrix,
    Vector,
}
