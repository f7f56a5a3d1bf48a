use std::fmt;

use serde::{Deserialize, Serialize};

use crate::examine::Examination;
use crate::mutation::mutate;
use crate::words::counted;
use crate::{Mutation, Value, named};

/// A gradient that is wrong on purpose, and whether it was found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mutant {
    /// Whose gradient was spoilt; [`Mutant::NAMED`] if it was no source's but that of a backward which is wrong by
    /// itself.
    pub source: String,
    /// Of which tensor. A wrong backward may change several: their names, with commas between them.
    pub tensor: String,
    /// How: a [`Mutation`]'s name, or the name that [`Check::mutant`](crate::Check::mutant) was given.
    pub mutation: String,
    /// It was not proven.
    pub killed: bool,
}

impl Mutant {
    /// The source of a mutant that knows the operation.
    pub const NAMED: &str = "formula";
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}: {}", self.source, self.tensor, self.mutation)
    }
}

/// A mutant of [`Check::mutant`](crate::Check::mutant) that could not be tried, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its name.
    pub mutation: String,
    /// In a sentence.
    pub reason: String,
}

/// The negative control: every mutant that was tried.
///
/// What changes nothing is no mutant (a shift of equal numbers, a swap of two equal strides), and neither is a
/// falsified gradient that was not proven in the first place. Several controls are collected into one with [`Extend`]
/// or [`FromIterator`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mutants {
    /// In the order of tensors and sources; those that know the operation come last.
    pub tried: Vec<Mutant>,
    /// Those that know the operation and are no mutants at this point. One that is left out everywhere tests nothing.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
}

impl Mutants {
    /// How many were found out.
    pub fn killed(&self) -> usize {
        self.tried.iter().filter(|mutant| mutant.killed).count()
    }

    /// Those that were not.
    pub fn survivors(&self) -> impl Iterator<Item = &Mutant> {
        self.tried.iter().filter(|mutant| !mutant.killed)
    }

    /// For tests.
    ///
    /// # Panics
    ///
    /// Panics with the names of the survivors if there are any, or if no mutant was tried.
    #[track_caller]
    pub fn assert(&self) {
        assert!(!self.tried.is_empty() && self.killed() == self.tried.len(), "{self}");
    }
}

impl Extend<Mutant> for Mutants {
    fn extend<I: IntoIterator<Item = Mutant>>(&mut self, mutants: I) {
        self.tried.extend(mutants);
    }
}

impl Extend<Mutants> for Mutants {
    fn extend<I: IntoIterator<Item = Mutants>>(&mut self, controls: I) {
        for control in controls {
            self.tried.extend(control.tried);
            self.left_out.extend(control.left_out);
        }
    }
}

impl<T> FromIterator<T> for Mutants
where
    Mutants: Extend<T>,
{
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut all = Self::default();
        all.extend(items);
        all
    }
}

impl fmt::Display for Mutants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} killed", self.killed(), counted(self.tried.len(), "mutant"))?;
        for survivor in self.survivors() {
            write!(f, "\n  survived: {survivor}")?;
        }
        for LeftOut { mutation, reason } in &self.left_out {
            write!(f, "\n  left out: {mutation}: {reason}")?;
        }
        Ok(())
    }
}

pub(crate) fn try_all(examination: &Examination<'_, '_>) -> Mutants {
    let mut mutants = Mutants::default();
    let problem = examination.problem;
    for tensor in (0..problem.tensors.len()).filter(|&tensor| problem.differentiated(tensor)) {
        for (source, run) in examination.runs.iter().enumerate() {
            let Some(run) = run.run() else { continue };
            let gradients = run.of(tensor);
            let base = examination.judge(source, tensor, &gradients);
            // A zero is round-off here: its sign or its order change nothing.
            let zero = base.zero && base.verdict.proven();
            if zero || !base.verdict.proven() || !run.repeatable[tensor] || gradients.iter().any(Option::is_none) {
                continue;
            }
            let gradients: Vec<&Value> = gradients.into_iter().flatten().collect();
            for mutation in Mutation::ALL {
                if mutation == Mutation::Thousandth && !examination.shows_a_thousandth(source, tensor, &gradients) {
                    let reason = format!(
                        "a thousandth of {}/{} is less than its round-off",
                        problem.sources[source].name, problem.tensors[tensor].name
                    );
                    mutants.left_out.push(LeftOut { mutation: mutation.to_string(), reason });
                    continue;
                }
                let Some(mutant) = mutate(examination, source, tensor, mutation, &gradients, &base) else { continue };
                let mutant: Vec<Option<&Value>> = mutant.iter().map(Option::as_ref).collect();
                mutants.tried.push(Mutant {
                    source: problem.sources[source].name.clone(),
                    tensor: problem.tensors[tensor].name.clone(),
                    mutation: mutation.to_string(),
                    killed: !examination.judge(source, tensor, &mutant).verdict.proven(),
                });
            }
        }
    }
    named::try_all(examination, &mut mutants);
    mutants
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::examine::tests::{claims, only, options, problem, variable};
    use crate::{Problem, Source};

    fn line() -> Problem<'static> {
        problem(vec![variable("x", &[2.0])], |values| vec![3.0 * values[0].data()[0]])
    }

    fn tried(problem: &Problem<'_>) -> Mutants {
        problem.examine(&options()).mutants()
    }

    #[test]
    fn a_proven_gradient_has_mutants_and_all_are_killed() {
        let mutants = tried(&claims(line(), only(|_| vec![3.0])));
        assert!(mutants.tried.len() >= 3 && mutants.killed() == mutants.tried.len(), "{mutants}");
        assert_eq!(mutants.survivors().count(), 0);
        mutants.assert();
    }

    #[test]
    fn what_is_not_proven_has_none() {
        assert!(tried(&line()).tried.is_empty(), "nobody claims anything");
        assert!(tried(&claims(line(), only(|_| vec![4.0]))).tried.is_empty(), "wrong");
        let calls = Cell::new(0);
        let moody = claims(
            line(),
            only(|_| {
                calls.set(calls.get() + 1);
                vec![3.0 + f64::EPSILON * f64::from(2 * (calls.get() % 2))]
            }),
        );
        assert!(tried(&moody).tried.is_empty(), "not repeatable");
        let mut absent = problem(vec![variable("x", &[2.0])], |_| vec![1.0]);
        absent.tensors[0].expect_zero = true;
        absent.sources.push(Source::new("absent", 1e-9, |_, _| vec![None]));
        assert!(absent.examine(&options()).report().proven && tried(&absent).tried.is_empty(), "no gradient");
    }

    #[test]
    fn a_survivor_is_counted_named_and_asserted_against() {
        let mutant = |killed: bool| Mutant { source: "s".into(), tensor: "t".into(), mutation: "m".into(), killed };
        let mutants: Mutants = [mutant(true), mutant(false), mutant(true)].into_iter().collect();
        assert_eq!((mutants.tried.len(), mutants.killed()), (3, 2));
        assert!(mutants.survivors().eq([&mutant(false)]));
        assert!(std::panic::catch_unwind(|| mutants.assert()).is_err());
        assert!(std::panic::catch_unwind(|| Mutants::default().assert()).is_err(), "nothing was tried");
        let both: Mutants = [mutants.clone(), mutants].into_iter().collect();
        assert_eq!(both.killed(), 4);
    }
}
