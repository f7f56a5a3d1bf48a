//! The gradients that are right at a kink.
//!
//! Where several kinks meet, the derivatives of one element from the left and from the right are not all that there is:
//! of three equal elements that a sort puts in order, each may get the gradient of the middle place, which no step of
//! that element alone leads to. What is right is whatever the gradient tends to from some side: Clarke's generalised
//! gradient, the hull of the gradients at smooth points nearby.

use std::rc::Rc;

use crate::difference::Oracle;
use crate::levels::Estimate;
use crate::line::Line;
use crate::measure::hull;
use crate::random::Random;

/// So many points around the kink are looked at.
const POINTS: usize = 24;

/// How far these points are away, relative to each element.
const AWAY: f64 = 1e-4;

/// The hull of the derivatives of one element at points beside a kink, for every cotangent; `None` where no smooth
/// point was found.
pub(crate) type Hulls = Rc<Vec<Option<[f64; 2]>>>;

pub(crate) fn hulls(oracle: &Oracle<'_>, tensor: usize, index: usize, seed: u64) -> Hulls {
    let mut all: Vec<Option<[f64; 2]>> = vec![None; oracle.cotangents.len()];
    for there in beside(oracle, seed) {
        let element = there.element(tensor, index);
        all.iter_mut().zip(&element.estimates).for_each(|(all, estimate)| *all = include(*all, estimate));
    }
    Rc::new(all)
}

/// The hull of the derivatives along a line, at the same points.
pub(crate) fn hull_along(oracle: &Oracle<'_>, line: &Line, cotangent: usize, seed: u64) -> Option<[f64; 2]> {
    beside(oracle, seed).fold(None, |known, there| include(known, &there.along(line).estimates[cotangent]))
}

/// The function at points where every element that lies on a kink is moved a little, each in its own direction.
fn beside<'o>(oracle: &'o Oracle<'_>, seed: u64) -> impl Iterator<Item = Oracle<'o>> {
    let mut random = Random::new(seed, "beside");
    let kinked: Vec<(usize, usize)> = oracle.kinked().into_iter().map(|(place, _)| place).collect();
    (0..POINTS).filter_map(move |_| {
        let mut values = oracle.values.clone();
        for &(tensor, index) in &kinked {
            let x = values[tensor].data()[index];
            let away = AWAY * random.sign() * (0.5 + random.uniform()) * oracle.base(tensor, index);
            values[tensor].set(index, x + away);
        }
        oracle.moved_to(values)
    })
}

fn include(known: Option<[f64; 2]>, estimate: &Estimate) -> Option<[f64; 2]> {
    if !estimate.clean || estimate.kink.is_some() {
        return known;
    }
    let error = estimate.truncation + estimate.noise;
    let found = [estimate.derivative - error, estimate.derivative + error];
    Some(known.map_or(found, |known| hull(known, found)))
}

#[cfg(test)]
mod tests;
