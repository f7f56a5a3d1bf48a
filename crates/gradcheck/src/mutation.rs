use std::fmt;

use crate::Value;
use crate::examination::Examination;
use crate::judgement::Judgement;
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
                if let Some([low, high]) = oracle.element(tensor, index).estimates[cotangent].kink {
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

#[cfg(test)]
mod tests {
    use burn::tensor::DType;

    use super::*;
    use crate::{GradientSource, Options, Problem, Role, Variable};

    /// The mutant of `y_o = o ⟨c, f(x)⟩` for o = 1, …, `outputs`, under the first output, and all of them; its source
    /// has the gradient o c and a round-off of 2⁻²⁰.
    fn mutant(
        dims: &[usize],
        c: &[f64],
        f: fn(f64) -> f64,
        x: f64,
        outputs: usize,
        mutation: Mutation,
    ) -> Option<Vec<Option<Vec<f64>>>> {
        let value = Value::full(dims, x);
        let tensors = vec![Variable { name: "x".into(), role: Role::Input, value, expect_zero: true }];
        let mut problem = Problem::new("linear", DType::F64, tensors, |values| {
            let sum: f64 = values[0].data().iter().zip(c).map(|(&x, c)| c * f(x)).sum();
            Value::new([outputs], (1..=outputs).map(|o| o as f64 * sum).collect())
        });
        problem.sources.push(GradientSource::new("source", 2f64.powi(-20), |_, w| {
            let sum: f64 = w.data().iter().zip(1..).map(|(w, o)| w * f64::from(o)).sum();
            vec![Some(Value::new(dims, c.iter().map(|c| sum * c).collect()))]
        }));
        // Every output by itself; one alone has a random weight.
        let options = Options { cotangents: usize::from(outputs == 1), ..Options::default() };
        let examination = problem.examine(&options);
        let gradients = examination.runs[0].run().unwrap().of(0);
        let base = examination.judge(0, 0, &gradients);
        assert!(base.verdict.proven());
        let gradients: Vec<&Value> = gradients.into_iter().flatten().collect();
        let found = mutate(&examination, 0, 0, mutation, &gradients, &base)?;
        assert_eq!(found.len(), outputs);
        let weight = if outputs == 1 { examination.oracle().cotangents[0].value.data()[0] } else { 1.0 };
        let signed = |value: Value| value.data().iter().map(|g| g / weight).collect();
        Some(found.into_iter().map(|value| value.map(signed)).collect())
    }

    /// Under the first output.
    fn first(dims: &[usize], c: &[f64], outputs: usize, mutation: Mutation) -> Option<Vec<f64>> {
        mutant(dims, c, |x| x, 2.0, outputs, mutation)?.swap_remove(0)
    }

    #[test]
    fn every_mutation_does_what_its_name_says() {
        let c = [1.0, 2.0, 4.0, 8.0, 16.0, -32.0];
        for (mutation, expected) in [
            (Mutation::Sign, [-1.0, -2.0, -4.0, -8.0, -16.0, 32.0]),
            (Mutation::Thousandth, c.map(|c| 1.001 * c)),
            (Mutation::LostMean, c.map(|c| 4.0 * c)),
            // By a hundredth of 4 · 32.
            (Mutation::OneElement, [1.0, 2.0, 4.0, 8.0, 16.0, -32.0 + 1.28]),
            (Mutation::Transposed, [1.0, 8.0, 2.0, 16.0, 4.0, -32.0]),
            (Mutation::Shifted, [-32.0, 1.0, 2.0, 4.0, 8.0, 16.0]),
            (Mutation::DroppedChannel, [1.0, 2.0, 0.0, 8.0, 16.0, 0.0]),
        ] {
            assert_eq!(first(&[2, 3], &c, 4, mutation).unwrap(), expected, "{mutation}");
        }
        assert_eq!(first(&[2, 3], &c, 4, Mutation::Kink), None, "there is none");
        assert_eq!(mutant(&[2, 3], &c, |x| x, 2.0, 4, Mutation::Detached), Some(vec![None; 4]));
        assert_eq!(first(&[2, 3], &c, 1, Mutation::LostMean).unwrap(), c.map(|c| 2.0 * c), "of one sample");
    }

    #[test]
    fn the_heaviest_channel_is_dropped_wherever_the_channels_are() {
        let dropped = |dims: &[usize], c: &[f64]| first(dims, c, 2, Mutation::DroppedChannel);
        assert_eq!(dropped(&[3], &[1.0, -8.0, 2.0]).unwrap(), [1.0, 0.0, 2.0]);
        // [2, 3, 2]: the channels weigh 4, 15 and 13.
        let c = [1.0, 1.0, 7.0, -1.0, 3.0, 3.0, 1.0, 1.0, 0.0, 7.0, 4.0, 3.0];
        assert_eq!(dropped(&[2, 3, 2], &c).unwrap(), [1.0, 1.0, 0.0, 0.0, 3.0, 3.0, 1.0, 1.0, 0.0, 0.0, 4.0, 3.0]);
        assert_eq!(dropped(&[2, 1], &[1.0, 2.0]), None, "of one channel");
    }

    #[test]
    fn what_changes_nothing_is_no_mutant() {
        for dims in [[1, 4], [4, 1]] {
            assert_eq!(first(&dims, &[1.0, 2.0, 3.0, 4.0], 2, Mutation::Transposed), None, "{dims:?}");
        }
        // Numbers that differ by rounding change places: 256 round-offs of the largest, 2 · 1, are 2⁻¹¹ in all.
        let shifted = |apart: f64| first(&[2], &[1.0 - apart, 1.0], 2, Mutation::Shifted);
        assert!(shifted(2f64.powi(-13)).is_none() && shifted(2f64.powi(-10)).is_some());
        for mutation in [Mutation::Detached, Mutation::Sign] {
            assert_eq!(mutant(&[2], &[0.0, 0.0], |x| x, 2.0, 2, mutation), None, "{mutation}");
        }
    }

    /// The derivatives of 3 |x| at 0 are −3 and 3, and its gradient is 3: the largest that is right.
    #[test]
    fn at_a_kink_a_mutant_lies_outside_of_both_sides() {
        let at_kink = |mutation| mutant(&[1], &[3.0], f64::abs, 0.0, 1, mutation);
        let found = at_kink(Mutation::Kink).unwrap()[0].clone().unwrap();
        assert!((found[0].abs() - 6.0).abs() < 1e-9, "{found:?}");
        assert_eq!(at_kink(Mutation::Sign), None, "the other side is right too");
        assert_eq!(at_kink(Mutation::OneElement), None, "there is no other element");
    }
}
