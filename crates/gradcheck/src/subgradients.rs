//! The gradients that are right at a kink.
//!
//! Where several kinks meet, the derivatives of one element from the left and from the right are not all that there is:
//! of three equal elements that a sort puts in order, each may get the gradient of the middle place, which no step of
//! that element alone leads to. What is right is whatever the gradient tends to from some side: Clarke's generalised
//! gradient, the hull of the gradients at smooth points nearby.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::difference::Oracle;
use crate::levels::Estimate;
use crate::line::Line;
use crate::measure::hull;
use crate::random::Random;

/// So many points around the kink are looked at.
const POINTS: usize = 24;

/// How far these points are away, relative to each element.
pub(crate) const AWAY: f64 = 1e-4;

/// The hull of the derivatives of one element at points beside a kink, for every cotangent; `None` where no smooth
/// point was found.
pub(crate) type Hulls = Rc<Vec<Option<[f64; 2]>>>;

pub(crate) fn hulls(oracle: &Oracle<'_>, tensor: usize, index: usize, seed: u64, away: f64) -> Hulls {
    let mut all: Vec<Vec<Estimate>> = vec![Vec::new(); oracle.cotangents.len()];
    for there in beside(oracle, &[(tensor, index)], seed, away) {
        let element = there.element(tensor, index);
        all.iter_mut().zip(&element.estimates).for_each(|(all, estimate)| all.push(*estimate));
    }
    Rc::new(all.iter().map(|all| hull_of(all)).collect())
}

/// The hull of the derivatives along a line, at the same points.
pub(crate) fn hull_along(oracle: &Oracle<'_>, line: &Line, cotangent: usize, seed: u64) -> Option<[f64; 2]> {
    let moved: Vec<(usize, usize)> = line.moves.iter().map(|one| (one.tensor, one.index)).collect();
    hull_of(&beside(oracle, &moved, seed, AWAY).map(|there| there.along(line).estimates[cotangent]).collect::<Vec<_>>())
}

/// The elements of a tensor that are equal to this one.
pub(crate) fn equals(oracle: &Oracle<'_>, tensor: usize, index: usize) -> Vec<usize> {
    let data = oracle.values[tensor].data();
    (0..data.len()).filter(|&other| data[other] == data[index]).collect()
}

/// The function at points where these elements, every element that lies on a kink, and those that are equal to one of
/// them, are moved a little: each in its own direction, and first so that all come into an order. Of equal elements
/// code takes the first or the last, and of many a random point hardly ever does.
fn beside<'o>(
    oracle: &'o Oracle<'_>,
    these: &[(usize, usize)],
    seed: u64,
    away: f64,
) -> impl Iterator<Item = Oracle<'o>> {
    let mut random = Random::new(seed, "beside");
    let tied = tied(oracle, these);
    let orders = [false, true].map(|last_first| order(oracle, &tied, last_first));
    (0..2 + POINTS).filter_map(move |point| {
        let mut values = oracle.values.clone();
        for (at, &(tensor, index)) in tied.iter().enumerate() {
            let share = match orders.get(point) {
                Some(order) => order[at],
                None => random.sign() * (0.5 + random.uniform()),
            };
            let x = values[tensor].data()[index];
            values[tensor].set(index, x + away * share * oracle.base(tensor, index));
        }
        oracle.moved_to(values)
    })
}

/// These elements, those that have been differentiated and lie on a kink, and others that are equal to one of them as
/// far as the moves can tell.
fn tied(oracle: &Oracle<'_>, these: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut kinked: Vec<(usize, usize)> = oracle.kinked().into_iter().map(|(place, _)| place).collect();
    kinked.extend(these);
    let of =
        |&(tensor, index): &(usize, usize)| (oracle.values[tensor].data()[index].abs(), oracle.base(tensor, index));
    let mut sizes: Vec<(f64, f64)> = kinked.iter().map(of).collect();
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    sizes.dedup();
    let mut all = BTreeSet::from_iter(kinked.iter().copied());
    let tensors: BTreeSet<usize> = kinked.iter().map(|(tensor, _)| *tensor).collect();
    for tensor in tensors {
        for (index, x) in oracle.values[tensor].data().iter().enumerate() {
            if sizes.iter().any(|&(size, base)| (x.abs() - size).abs() <= AWAY * base) {
                all.insert((tensor, index));
            }
        }
    }
    all.into_iter().collect()
}

/// Shares between −1 and 1 that rise with the elements, and of equal ones with the place or against it.
fn order(oracle: &Oracle<'_>, tied: &[(usize, usize)], last_first: bool) -> Vec<f64> {
    let value = |at: usize| oracle.values[tied[at].0].data()[tied[at].1];
    let mut ranks: Vec<usize> = (0..tied.len()).collect();
    ranks.sort_by(|&a, &b| {
        let by_place = if last_first { b.cmp(&a) } else { a.cmp(&b) };
        value(a).partial_cmp(&value(b)).unwrap_or(Ordering::Equal).then(by_place)
    });
    let mut shares = vec![0.0; tied.len()];
    let step = 2.0 / tied.len().max(1) as f64;
    ranks.into_iter().enumerate().for_each(|(rank, at)| shares[at] = (rank as f64 + 0.5) * step - 1.0);
    shares
}

/// The hull of differences at smooth points. One that is not good to a hundredth of the largest would allow anything.
fn hull_of(all: &[Estimate]) -> Option<[f64; 2]> {
    let smooth = || all.iter().filter(|estimate| estimate.clean && estimate.kink.is_none());
    let error = |estimate: &Estimate| estimate.truncation + estimate.noise;
    let surely = |estimate: &Estimate| estimate.derivative.abs() - error(estimate);
    let largest = smooth().map(surely).fold(0.0, f64::max);
    let least = smooth().map(error).fold(f64::INFINITY, f64::min);
    let good = smooth().filter(|estimate| error(estimate) <= (0.01 * largest).max(least));
    good.map(|e| [e.derivative - error(e), e.derivative + error(e)]).reduce(hull)
}

#[cfg(test)]
mod tests;
