//! Parameters in and out, in the layouts of PyTorch.

use std::ops::Range;

use backproof_kernels::{DirectConv2d, Memory, zeros};

use super::core::Core;
use crate::Parameter;
use crate::graph::Node;

/// Which numbers of the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The parameters themselves.
    Values,
    /// Their gradients.
    Gradients,
    /// What the optimizer remembers of them, in this place of its step.
    Remembered(usize),
    /// A copy that goes after them.
    Copy(usize),
}

impl Core {
    /// Sets a parameter of operation `operation`, counted from 0 among all operations, or what the optimizer
    /// remembers of it, from row-major order.
    ///
    /// # Panics
    ///
    /// If the operation has no such parameter or it has another size.
    pub(crate) fn set(&mut self, operation: usize, parameter: Parameter, of: Of, values: &[f32]) {
        let node = self.node(operation);
        if let Some(running) = self.running_mut(node, parameter) {
            return running.copy_from_slice(values);
        }
        let (range, kind) = self.index(node, parameter);
        let mut taken = std::mem::replace(self.numbers_mut(of), zeros(0));
        if taken.is_empty() {
            taken = zeros(self.weights.len());
        }
        let to = &mut taken[range];
        match kind {
            Kind::Convolution => self.conv(node).pack(values, to),
            Kind::Matrix => self.each_weight(node, values.len(), |plain, packed| to[packed] = values[plain]),
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
    /// If the operation has no such parameter or it has another size.
    pub(crate) fn get(&self, operation: usize, parameter: Parameter, of: Of, values: &mut [f32]) {
        let node = self.node(operation);
        if let Some(running) = self.running(node, parameter) {
            return values.copy_from_slice(running);
        }
        let (range, kind) = self.index(node, parameter);
        let from = match of {
            Of::Values => &self.weights,
            Of::Gradients => &self.gradient,
            Of::Remembered(slot) if self.remembered[slot].is_empty() => return values.fill(0.0),
            Of::Remembered(slot) => &self.remembered[slot],
            Of::Copy(slot) => &self.copies[slot],
        };
        let from = &from[range];
        match kind {
            Kind::Convolution => self.conv(node).unpack(from, values),
            Kind::Matrix => self.each_weight(node, values.len(), |plain, packed| values[plain] = from[packed]),
            Kind::Vector => {
                assert!(values.len() <= from.len() && values.len() + 16 > from.len(), "{} values", values.len());
                values.copy_from_slice(&from[..values.len()]);
            }
        }
    }

    fn node(&self, operation: usize) -> usize {
        self.graph
            .operations
            .iter()
            .position(|&of| of == operation)
            .unwrap_or_else(|| panic!("operation {operation} has no parameters"))
    }

    fn numbers_mut(&mut self, of: Of) -> &mut Memory {
        match of {
            Of::Values => &mut self.weights,
            Of::Gradients => &mut self.gradient,
            Of::Remembered(slot) => &mut self.remembered[slot],
            Of::Copy(slot) => &mut self.copies[slot],
        }
    }

    /// Each parameter with the numbers that it has, packed.
    pub(super) fn parameter_ranges(&self) -> Vec<(usize, Parameter, Range<usize>)> {
        let mut ranges = Vec::new();
        for (node, &operation) in self.graph.nodes.iter().zip(&self.graph.operations) {
            let mut add = |parameter, range: &Range<usize>| ranges.push((operation, parameter, range.clone()));
            match node {
                Node::Conv2d { weights, bias, .. } | Node::Linear { weights, bias, .. } => {
                    add(Parameter::Weight, weights);
                    if let Some(bias) = bias {
                        add(Parameter::Bias, bias);
                    }
                }
                Node::Prelu { slope } => add(Parameter::Weight, slope),
                Node::BatchNorm { gamma, beta, .. } => {
                    add(Parameter::Weight, gamma);
                    add(Parameter::Bias, beta);
                }
                _ => {}
            }
        }
        ranges
    }

    fn conv(&self, node: usize) -> &DirectConv2d {
        match &self.graph.nodes[node] {
            Node::Conv2d { conv, .. } => conv,
            other => unreachable!("{other:?} is no convolution"),
        }
    }

    fn index(&self, node: usize, parameter: Parameter) -> (Range<usize>, Kind) {
        let none = || -> Range<usize> { panic!("node {node} has no {parameter:?}") };
        match (&self.graph.nodes[node], parameter) {
            (Node::Conv2d { weights, .. }, Parameter::Weight) => (weights.clone(), Kind::Convolution),
            (Node::Linear { weights, .. }, Parameter::Weight) => (weights.clone(), Kind::Matrix),
            (Node::Conv2d { bias, .. } | Node::Linear { bias, .. }, Parameter::Bias) => {
                (bias.clone().unwrap_or_else(none), Kind::Vector)
            }
            (Node::Prelu { slope }, Parameter::Weight) => (slope.clone(), Kind::Vector),
            (Node::BatchNorm { gamma, .. }, Parameter::Weight) => (gamma.clone(), Kind::Vector),
            (Node::BatchNorm { beta, .. }, Parameter::Bias) => (beta.clone(), Kind::Vector),
            _ => (none(), Kind::Vector),
        }
    }

    fn running(&self, node: usize, parameter: Parameter) -> Option<&[f32]> {
        let Node::BatchNorm { index, .. } = self.graph.nodes[node] else { return None };
        match parameter {
            Parameter::RunningMean => Some(&self.running[index][0]),
            Parameter::RunningVariance => Some(&self.running[index][1]),
            _ => None,
        }
    }

    fn running_mut(&mut self, node: usize, parameter: Parameter) -> Option<&mut [f32]> {
        let Node::BatchNorm { index, .. } = self.graph.nodes[node] else { return None };
        match parameter {
            Parameter::RunningMean => Some(&mut self.running[index][0]),
            Parameter::RunningVariance => Some(&mut self.running[index][1]),
            _ => None,
        }
    }

    /// For every weight of a linear node its index in `[O, F]` and its index when packed.
    fn each_weight(&self, node: usize, count: usize, mut f: impl FnMut(usize, usize)) {
        let Node::Linear { outputs, .. } = self.graph.nodes[node] else {
            unreachable!("only linear nodes have a matrix")
        };
        let index = self.graph.input(node);
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
