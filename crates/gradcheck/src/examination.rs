//! What is known of a problem that has been looked at.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use crate::difference::Oracle;
use crate::report::Report;
use crate::runs::{NamedRun, Outcome, Spread};
use crate::select::select;
use crate::subgradients::Hulls;
use crate::sweep::Along;
use crate::{Options, Problem, Value};

/// A problem that has been looked at: the report, and what is needed to try mutants without differentiating again.
pub struct Examination<'p, 'a> {
    pub(crate) problem: &'p Problem<'a>,
    pub(crate) options: &'p Options,
    /// Absent if the function itself cannot be differentiated: not finite, or not a function.
    pub(crate) oracle: Option<Oracle<'a>>,
    pub(crate) runs: Vec<Outcome>,
    /// Elements that share a kink, and what the function does as they move together.
    pub(crate) ties: Vec<Along>,
    /// The derivatives beside a kink, of elements for which somebody asked.
    pub(crate) hulls: RefCell<HashMap<(usize, usize), Hulls>>,
    /// What round-off does to the gradients of sources that looked wrong.
    pub(crate) spreads: RefCell<HashMap<(usize, usize), Spread>>,
    /// For each tensor that is not checked in full, lines through all of its elements.
    pub(crate) whole: Vec<OnceCell<Vec<Along>>>,
    /// `A · |x|` under each cotangent, the largest of all tensors: what an element that cancels to zero may have been
    /// the difference of.
    pub(crate) energies: Vec<f64>,
    /// The same with 1 for the size of a tensor of zeros, the largest of all: whether anything was seen to move.
    pub(crate) motion: f64,
    /// The steepest slope of all.
    pub(crate) steepest: f64,
    pub(crate) report: Report,
    pub(crate) named: OnceCell<Vec<NamedRun>>,
}

impl Examination<'_, '_> {
    /// What was found.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The cotangents by name, in the shape of the output; none if the function itself is not finite or not repeatable.
    pub fn cotangents(&self) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.oracle.iter().flat_map(|oracle| &oracle.cotangents);
        all.map(|cotangent| (cotangent.name.as_str(), &cotangent.value))
    }

    /// A source's gradient of a tensor under the cotangent of this number, as it came; to be written to a file for
    /// others to compare.
    pub fn gradient(&self, source: &str, tensor: &str, cotangent: usize) -> Option<&Value> {
        let source = self.problem.sources.iter().position(|other| other.name == source)?;
        let tensor = self.problem.tensors.iter().position(|other| other.name == tensor)?;
        self.runs.get(source)?.run()?.gradients.get(cotangent)?[tensor].as_ref()
    }

    pub(crate) fn oracle(&self) -> &Oracle<'_> {
        self.oracle.as_ref().expect("the function could be differentiated")
    }

    /// The elements of a tensor to check, with the gradients of one source replaced by a mutant's.
    pub(crate) fn selected(&self, tensor: usize, replaced: Option<(usize, &[Option<&Value>])>) -> Vec<usize> {
        let oracle = self.oracle();
        let value = &oracle.values[tensor];
        let sides: Vec<Vec<Option<&Value>>> = (0..self.runs.len())
            .filter_map(|source| match replaced {
                Some((other, gradients)) if other == source => Some(gradients.to_vec()),
                _ => self.runs[source].run().map(|run| run.of(tensor)),
            })
            .collect();
        let gradients: Vec<Vec<&Value>> = (0..oracle.cotangents.len())
            .map(|cotangent| {
                let given = sides.iter().filter_map(|side| side[cotangent]);
                given.filter(|gradient| gradient.dims() == value.dims()).collect()
            })
            .collect();
        select(value, &self.problem.tensors[tensor].name, &gradients, self.options)
    }

    /// The largest energy of all cotangents.
    pub(crate) fn energy(&self) -> f64 {
        self.energies.iter().copied().fold(0.0, f64::max)
    }

    /// Finds what the elements that are checked do to the objective.
    pub(crate) fn find_energies(&mut self) {
        let mut energies = vec![0.0f64; self.oracle().cotangents.len()];
        let (mut motion, mut steepest) = (0.0f64, 0.0f64);
        for tensor in (0..self.problem.tensors.len()).filter(|&tensor| self.problem.differentiated(tensor)) {
            let (size, typical) = (self.oracle().size[tensor], self.oracle().typical[tensor]);
            for index in self.selected(tensor, None) {
                let element = self.oracle().element(tensor, index);
                for (largest, estimate) in energies.iter_mut().zip(&element.estimates) {
                    let finite = |x: f64| if x.is_finite() { x } else { 0.0 };
                    let [energy, moved, slope] = [size, typical, 1.0].map(|scale| finite(estimate.magnitude * scale));
                    *largest = largest.max(energy);
                    (motion, steepest) = (motion.max(moved), steepest.max(slope));
                }
            }
        }
        (self.energies, self.motion, self.steepest) = (energies, motion, steepest);
    }
}
