use std::fmt;

use crate::Value;
use crate::examine::{Examination, Judgement};
use crate::patterns::swapped;

/// A way to falsify any gradient, whatever the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// The sign flipped.
    Sign,
    /// Times 1.001.
    Thousandth,
    /// Times the length of the output's first axis (2 if that is 1): a lost mean.
    LostMean,
    /// The largest element off by a hundredth.
    OneElement,
    /// The last two axes swapped.
    Transposed,
    /// Every element in its neighbour's place.
    Shifted,
    /// One channel zero.
    DroppedChannel,
    /// None at all.
    Detached,
    /// Outside of both sides at a kink.
    Kink,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Sign,
        Self::Thousandth,
        Self::LostMean,
        Self::OneElement,
        Self::Transposed,
        Self::Shifted,
        Self::DroppedChannel,
        Self::Detached,
        Self::Kink,
    ];
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sign => "sign",
            Self::Thousandth => "× 1.001",
            Self::LostMean => "lost 1/N",
            Self::OneElement => "one element",
            Self::Transposed => "transposed",
            Self::Shifted => "shifted",
            Self::DroppedChannel => "dropped channel",
            Self::Detached => "detached",
            Self::Kink => "at the kink",
        })
    }
}

/// The falsified gradients, one for each cotangent; `None` if that changes nothing.
pub(crate) fn mutate(
    examination: &Examination<'_, '_>,
    source: usize,
    tensor: usize,
    mutation: Mutation,
    gradients: &[&Value],
    base: &Judgement,
) -> Option<Vec<Option<Value>>> {
    let oracle = examination.oracle();
    let dims = gradients.first()?.dims();
    let largest = gradients.iter().map(|gradient| gradient.max_abs()).fold(0.0, f64::max);
    if mutation == Mutation::Detached {
        return (largest > 0.0).then(|| vec![None; gradients.len()]);
    }
    let batch = match oracle.output.dims().first() {
        Some(&size) if size > 1 => size as f64,
        _ => 2.0,
    };
    let each = |change: &dyn Fn(usize, &[f64]) -> Vec<f64>| -> Vec<Value> {
        gradients.iter().enumerate().map(|(number, g)| g.map_data(change(number, g.data()))).collect()
    };
    let total = |index: usize| gradients.iter().map(|gradient| gradient.data()[index].abs()).sum::<f64>();
    let mutants = match mutation {
        Mutation::Sign => each(&|_, g| g.iter().map(|x| -x).collect()),
        Mutation::Thousandth => each(&|_, g| g.iter().map(|x| 1.001 * x).collect()),
        Mutation::LostMean => each(&|_, g| g.iter().map(|x| batch * x).collect()),
        Mutation::OneElement => {
            let straight = base.selected.iter().copied().filter(|index| !base.kinks.contains(index));
            let index = straight.max_by(|&a, &b| total(a).total_cmp(&total(b)))?;
            each(&|_, g| g.iter().enumerate().map(|(i, x)| if i == index { x + 0.01 * largest } else { *x }).collect())
        }
        Mutation::Transposed => {
            let [.., rows, columns] = dims else { return None };
            if *rows == 1 || *columns == 1 {
                return None;
            }
            each(&|_, g| (0..g.len()).map(|i| g[swapped(dims, dims.len() - 2, dims.len() - 1, i)]).collect())
        }
        Mutation::Shifted => each(&|_, g| (0..g.len()).map(|i| g[(i + g.len() - 1) % g.len()]).collect()),
        Mutation::DroppedChannel => {
            let axis = if dims.len() > 1 { 1 } else { 0 };
            let size = dims.get(axis).copied().filter(|&size| size > 1)?;
            let inner: usize = dims[axis + 1..].iter().product();
            let channel = |i: usize| i / inner % size;
            let mut weights = vec![0.0; size];
            (0..gradients[0].len()).for_each(|i| weights[channel(i)] += total(i));
            let heaviest = (0..size).max_by(|&a, &b| weights[a].total_cmp(&weights[b]))?;
            each(&|_, g| g.iter().enumerate().map(|(i, x)| if channel(i) == heaviest { 0.0 } else { *x }).collect())
        }
        Mutation::Kink => each(&|cotangent, g| {
            let mut g = g.to_vec();
            for &index in &base.kinks {
                if let Some([low, high]) = oracle.element(tensor, index)[cotangent].kink {
                    g[index] = high + 0.5 * (high - low);
                }
            }
            g
        }),
        Mutation::Detached => return None,
    };
    // Numbers that should be equal and differ by rounding make no mutant when they change places.
    let rounding = 256.0 * examination.problem.sources[source].unit_roundoff * largest;
    let changed = mutants.iter().zip(gradients).enumerate().any(|(cotangent, (mutant, gradient))| {
        let differs = |(index, (a, b)): (usize, (&f64, &f64))| {
            // A difference that is not a number is a change too. One that a kink allows is none.
            let differs = (a - b).is_nan() || (a - b).abs() > rounding;
            differs && !oracle.allows(tensor, index, cotangent, *a, rounding)
        };
        mutant.data().iter().zip(gradient.data()).enumerate().any(differs)
    });
    changed.then(|| mutants.into_iter().map(Some).collect())
}
