//! Elements that share a kink.
//!
//! Where two elements tie for a maximum, each of them alone sees a kink, and any gradient between the slopes on both
//! sides could be right. Together they cannot take any share: as both rise, the function is smooth, and one difference
//! says what their gradients must add up to. The same holds for inputs that share a ReLU, for a sort, for the absolute
//! value of a difference.

use std::collections::BTreeMap;

use crate::difference::Oracle;
use crate::examination::Examination;
use crate::judgement::Claim;
use crate::line::{Line, Move};
use crate::measure::Bent;
use crate::random::Random;
use crate::subgradients::hull_along;
use crate::sweep::Along;
use crate::value::position;

/// So many directions are looked at in all.
const DIRECTIONS: usize = 128;

/// Of so many elements that share a kink, every pair is looked at too.
const PAIRED: usize = 6;

/// What gradients of tied elements get wrong together.
pub(crate) struct TieFault {
    pub(crate) cotangent: usize,
    /// The tied elements of the tensor.
    pub(crate) members: Vec<usize>,
    pub(crate) text: String,
    /// It is more than anything that may be round-off.
    pub(crate) sure: bool,
}

/// An element on a kink of an output: its number among all, and how much it has to move for the kink to move by one.
#[derive(Clone, Copy)]
struct Member {
    number: usize,
    weight: f64,
}

/// The directions along which elements on kinks may move together, differentiated.
pub(crate) fn ties(oracle: &Oracle<'_>, seed: u64) -> Vec<Along> {
    let kinked = oracle.kinked();
    let places: Vec<(usize, usize)> = kinked.iter().map(|(place, _)| *place).collect();
    let mut by_output: BTreeMap<usize, Vec<Member>> = BTreeMap::new();
    for (number, (_, element)) in kinked.iter().enumerate() {
        for &Bent { output, left, right } in &element.bent {
            let (width, middle) = ((right - left).abs(), (left + right) / 2.0);
            // As steep on both sides, as `|a − b|` is, it has no sign.
            let sign = if middle.abs() < 0.25 * width { 1.0 } else { middle.signum() };
            by_output.entry(output).or_default().push(Member { number, weight: sign / width });
        }
    }
    let groups: Vec<&Vec<Member>> = by_output.values().filter(|members| members.len() > 1).collect();
    let mut directions = components(&groups, places.len());
    directions.extend(groups.iter().map(|members| weights(members)));
    for members in &groups {
        if members.len() <= PAIRED {
            directions.extend(pairs(members));
        }
    }
    let mut lines: Vec<Line> = Vec::new();
    for direction in directions {
        let line = line(oracle, &places, &direction);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let mut random = Random::new(seed, "ties");
    while lines.len() > DIRECTIONS {
        lines.swap_remove(random.below(lines.len()));
    }
    let tie = |line: Line| Along { element: oracle.along(&line), line };
    // Where any output bends along a direction, the tie breaks, and says nothing of outputs that stay smooth either: of
    // three equal elements moved by (1, −1, 0) the middle one stays.
    let decides = |tie: &Along| {
        let smooth = tie.element.estimates.iter().any(|estimate| estimate.clean && estimate.kink.is_none());
        tie.element.bent.is_empty() && smooth
    };
    lines.into_iter().map(tie).filter(decides).collect()
}

type Weights = Vec<(usize, f64)>;

fn weights(members: &[Member]) -> Weights {
    members.iter().map(|member| (member.number, member.weight)).collect()
}

/// Every pair of a group, in both signs: `relu(x + y)` is smooth as one rises and the other falls.
fn pairs(members: &[Member]) -> Vec<Weights> {
    let mut all = Vec::new();
    for (at, a) in members.iter().enumerate() {
        for b in &members[at + 1..] {
            all.push(vec![(a.number, a.weight), (b.number, b.weight)]);
            all.push(vec![(a.number, a.weight), (b.number, -b.weight)]);
        }
    }
    all
}

/// Groups that have an element in common move together: under a sum of their outputs nothing less is smooth.
fn components(groups: &[&Vec<Member>], elements: usize) -> Vec<Weights> {
    let mut component: Vec<usize> = (0..elements).collect();
    let mut weight = vec![None; elements];
    for members in groups {
        let joined: Vec<usize> = members.iter().map(|member| component[member.number]).collect();
        let into = joined.iter().copied().min().unwrap_or(0);
        component.iter_mut().filter(|own| joined.contains(own)).for_each(|own| *own = into);
        members.iter().for_each(|member| _ = weight[member.number].get_or_insert(member.weight));
    }
    let mut all: BTreeMap<usize, Weights> = BTreeMap::new();
    for (number, weight) in weight.iter().enumerate().filter_map(|(number, weight)| Some((number, (*weight)?))) {
        all.entry(component[number]).or_default().push((number, weight));
    }
    all.into_values().collect()
}

/// No element moves by more than its own scale.
fn line(oracle: &Oracle<'_>, places: &[(usize, usize)], weights: &Weights) -> Line {
    let scale = |&(number, weight): &(usize, f64)| {
        let (tensor, index) = places[number];
        oracle.base(tensor, index) / weight.abs()
    };
    let scale = weights.iter().map(scale).fold(f64::INFINITY, f64::min);
    let element = |&(number, weight): &(usize, f64)| {
        let (tensor, index) = places[number];
        Move { tensor, index, by: scale * weight }
    };
    let mut moves: Vec<Move> = weights.iter().map(element).collect();
    moves.sort_by_key(|one| (one.tensor, one.index));
    Line { moves }
}

impl Examination<'_, '_> {
    /// Tied elements of the tensor whose gradients do not add up to what the function does as they move together.
    pub(crate) fn tie_fault(&self, claim: &Claim<'_>) -> Option<TieFault> {
        let of_tensor = |tie: &&Along| tie.line.moves.iter().any(|one| one.tensor == claim.tensor);
        self.ties.iter().filter(of_tensor).find_map(|tie| {
            (0..tie.element.estimates.len()).find_map(|cotangent| self.tie_fault_under(claim, tie, cotangent))
        })
    }

    /// The same along one direction, under one cotangent.
    pub(crate) fn tie_fault_under(&self, claim: &Claim<'_>, tie: &Along, cotangent: usize) -> Option<TieFault> {
        let estimate = &tie.element.estimates[cotangent];
        if !estimate.clean || estimate.kink.is_some() {
            return None;
        }
        let run = self.runs[claim.source].run()?;
        let roundoff = self.options.roundoff_factor * self.problem.sources[claim.source].unit_roundoff;
        let (mut sum, mut tolerance, mut unbounded) = (0.0, estimate.truncation + estimate.noise, 0.0);
        for one in &tie.line.moves {
            let gradient = match one.tensor == claim.tensor {
                true => claim.gradient(cotangent, one.index),
                false => run.gradients[cotangent][one.tensor].as_ref()?.data()[one.index],
            };
            let magnitude = self.oracle().element(one.tensor, one.index).estimates[cotangent].magnitude;
            let own = Claim { tensor: one.tensor, ..*claim };
            let allowed = self.allowances(&own, one.index, cotangent, magnitude);
            sum += one.by * gradient;
            tolerance += one.by.abs() * (roundoff * (magnitude + allowed.terms) + allowed.wobble + allowed.cancelled);
            unbounded += one.by.abs() * (allowed.any_wobble - allowed.wobble);
        }
        if (sum - estimate.derivative).abs() <= tolerance {
            return None;
        }
        // Where the function is no maximum, as the middle of three equal elements, a gradient that it has nearby may
        // say something else.
        let hull = hull_along(self.oracle(), &tie.line, cotangent, self.options.seed);
        if hull.is_some_and(|[low, high]| (low - tolerance..=high + tolerance).contains(&sum)) {
            return None;
        }
        let largest = tie.line.moves.iter().map(|one| one.by.abs()).fold(0.0, f64::max);
        let name = |one: &Move| {
            let tensor = &self.problem.tensors[one.tensor];
            format!("{}{:?}", tensor.name, position(tensor.value.dims(), one.index))
        };
        let mut names: Vec<String> = tie.line.moves.iter().take(4).map(name).collect();
        if tie.line.moves.len() > 4 {
            names.push(format!("{} more", tie.line.moves.len() - 4));
        }
        let text = format!(
            "{} share a kink: as they move together the function changes by {:+.6e}, and the gradients say {:+.6e}",
            names.join(", "),
            estimate.derivative / largest,
            sum / largest
        );
        let members = tie.line.moves.iter().filter(|one| one.tensor == claim.tensor).map(|one| one.index).collect();
        let sure = (sum - estimate.derivative).abs() > tolerance + unbounded;
        Some(TieFault { cotangent, members, text, sure })
    }
}

#[cfg(test)]
mod tests;
