use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;

use crate::Value;
use crate::line::Line;
use crate::measure::Points;
use crate::place::Place;
use crate::sweep::{Element, explore};

/// Differentiates the function by differences, and remembers what it has found.
///
/// The outputs are kept apart until they are subtracted: `Σ_o w_o (y₊_o − y₋_o)` and not `⟨w, y₊⟩ − ⟨w, y₋⟩`, so that
/// an output that does not move costs no digits. One set of evaluations serves all cotangents.
pub(crate) struct Oracle<'a> {
    place: Place<'a>,
    found: RefCell<HashMap<(usize, usize), Rc<Element>>>,
    /// For every tensor and output, the largest `|∂f_o/∂x_i|` of the elements differentiated so far.
    slopes: RefCell<Vec<Vec<f64>>>,
    /// `Σ |∂f_o/∂x_i · x_i|` over the elements differentiated so far, for every output: the condition of the forward.
    condition: RefCell<Vec<f64>>,
}

impl<'a> Deref for Oracle<'a> {
    type Target = Place<'a>;

    fn deref(&self) -> &Self::Target {
        &self.place
    }
}

/// How the round-off of the code under test shows in an element: the outputs that it moves, and nothing else's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// `Σ_o |w_o| max_j |∂f_o/∂x_j|` over the outputs that the element moves.
    pub(crate) terms: f64,
    /// `(Σ_o (w_o y_o)²)^½` over these outputs.
    pub(crate) output: f64,
    /// `Σ_o |w_o| max_j |∂f_o/∂x_j| |x_j|` over these outputs, with the largest of all tensors: what may have cancelled
    /// in the gradient. `None` for an element that moves nothing.
    pub(crate) energy: Option<f64>,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(place: Place<'a>) -> Self {
        Self {
            found: RefCell::default(),
            slopes: RefCell::new(vec![vec![0.0; place.output.len()]; place.values.len()]),
            condition: RefCell::new(vec![0.0; place.output.len()]),
            place,
        }
    }

    /// What differences say of one element.
    pub(crate) fn element(&self, tensor: usize, index: usize) -> Rc<Element> {
        if let Some(known) = self.found.borrow().get(&(tensor, index)) {
            return known.clone();
        }
        self.find(tensor, index, false)
    }

    /// As [`element`](Self::element), with every step and every scale. Whoever calls a gradient wrong asks this first.
    pub(crate) fn thoroughly(&self, tensor: usize, index: usize) -> Rc<Element> {
        match self.found.borrow().get(&(tensor, index)) {
            Some(known) if known.thorough => return known.clone(),
            _ => {}
        }
        self.find(tensor, index, true)
    }

    fn find(&self, tensor: usize, index: usize, thorough: bool) -> Rc<Element> {
        let scale = self.base(tensor, index);
        let line = Line::element(tensor, index, scale);
        let (element, last) = explore(&self.place, &line, thorough);
        self.note(&last, tensor, &line);
        let element = Rc::new(element);
        self.found.borrow_mut().insert((tensor, index), element.clone());
        element
    }

    /// What differences say along a direction: the derivative by the relative step.
    pub(crate) fn along(&self, line: &Line) -> Element {
        explore(&self.place, line, false).0
    }

    /// Elements that have been differentiated and lie on a kink under at least one cotangent.
    pub(crate) fn kinked(&self) -> Vec<((usize, usize), Rc<Element>)> {
        let found = self.found.borrow();
        let kinked = found.iter().filter(|(_, element)| element.estimates.iter().any(|e| e.kink.is_some()));
        let mut all: Vec<_> = kinked.map(|(&place, element)| (place, element.clone())).collect();
        all.sort_by_key(|(place, _)| *place);
        all
    }

    /// The steepest slope beside a kink of the elements of a tensor that have been differentiated.
    pub(crate) fn steepest_side(&self, tensor: usize, cotangent: usize) -> f64 {
        let found = self.found.borrow();
        let of_tensor = found.iter().filter(|((of, _), _)| *of == tensor);
        let sides = of_tensor.filter_map(|(_, element)| element.estimates[cotangent].kink);
        sides.flatten().fold(0.0, |most, side| most.max(side.abs()))
    }

    /// Whether an element that has been differentiated lies on a kink, and this gradient between the derivatives on its
    /// sides: as good an answer as any other.
    pub(crate) fn allows(&self, tensor: usize, index: usize, cotangent: usize, gradient: f64, slack: f64) -> bool {
        let found = self.found.borrow();
        let Some(estimate) = found.get(&(tensor, index)).map(|element| element.estimates[cotangent]) else {
            return false;
        };
        let within = |[low, high]: [f64; 2]| (low - slack..=high + slack).contains(&gradient);
        estimate.kink.or(estimate.near.map(|near| near.slopes)).is_some_and(within)
    }

    /// Of the outputs that an element moves: their size, and what the steepest element of the tensor adds to each.
    pub(crate) fn reach(&self, tensor: usize, index: usize, cotangent: usize) -> Reach {
        let element = self.element(tensor, index);
        let slopes = self.slopes.borrow();
        let (mut terms, mut size, mut energy) = (0.0, 0.0f64, None);
        for (output, w) in self.cotangents[cotangent].terms().filter(|&(output, _)| element.moves(output)) {
            let largest = slopes.iter().zip(&self.size).map(|(slopes, size)| slopes[output] * size);
            *energy.get_or_insert(0.0) += w.abs() * largest.fold(0.0, f64::max);
            terms += w.abs() * slopes[tensor][output];
            size = size.hypot(w * self.output.data()[output]);
        }
        Reach { terms, output: size, energy }
    }

    /// `Σ_i |∂f_o/∂x_i · x_i|` over `elements` in all, estimated from those differentiated so far, and the noise of the
    /// output.
    pub(crate) fn forward_condition(&self, output: usize, elements: usize) -> (f64, f64) {
        let share = elements as f64 / self.found.borrow().len().max(1) as f64;
        (self.condition.borrow()[output] * share, self.noise[output])
    }

    /// An oracle of the same function at another point.
    pub(crate) fn moved_to(&self, values: Vec<Value>) -> Option<Self> {
        self.place.moved_to(values).map(Self::new)
    }

    /// Takes down what the element adds to each output.
    fn note(&self, points: &Points, tensor: usize, line: &Line) {
        let Some(one) = line.alone() else { return };
        let x = self.values[one.tensor].data()[one.index];
        let (mut condition, mut slopes) = (self.condition.borrow_mut(), self.slopes.borrow_mut());
        for output in 0..self.output.len() {
            let slope = points.outer_slope(output);
            if slope.is_finite() {
                condition[output] += (slope * x).abs();
                slopes[tensor][output] = slopes[tensor][output].max(slope.abs());
            }
        }
    }
}

#[cfg(test)]
mod tests;
