//! The negative control: every mutant of a problem is tried.

use crate::examination::Examination;
use crate::judgement::Claim;
use crate::mutation::mutate;
use crate::sweep::Element;
use crate::{LeftOut, Mutant, Mutants, Mutation, Value, named};

impl Examination<'_, '_> {
    /// The negative control: every source's proven gradients are falsified in all the ways of
    /// [`Mutation`](crate::Mutation), one at a time, and each must lose its proof. Then come the [mutants that know the
    /// operation](crate::Problem::mutants), each judged as if the least exact source that is proven had returned its
    /// gradients: it is killed if one of those that it changes is not proven.
    ///
    /// No differences are taken again, other than of elements that only a mutant brings into the choice.
    pub fn mutants(&self) -> Mutants {
        match self.oracle {
            Some(_) => try_all(self),
            None => Mutants::default(),
        }
    }

    /// Whether some element has a tolerance of less than half a thousandth of its gradient, with everything that may
    /// excuse it: in single precision, what is left of a cancellation has none.
    pub(crate) fn shows_a_thousandth(&self, source: usize, tensor: usize, gradients: &[&Value]) -> bool {
        let gradients: Vec<Option<&Value>> = gradients.iter().copied().map(Some).collect();
        let claim = Claim { source, tensor, gradients: &gradients };
        let twice: Vec<Value> = gradients
            .iter()
            .flatten()
            .map(|gradient| gradient.map_data(gradient.data().iter().map(|g| 2.0 * g).collect()))
            .collect();
        let twice: Vec<Option<&Value>> = twice.iter().map(Some).collect();
        let doubled = Claim { gradients: &twice, ..claim };
        let selected = self.selected(tensor, None);
        let limits = self.limits(&claim, &selected);
        let shows = |index: usize, cotangent: usize, element: &Element| {
            // A gradient that is right is judged by its own terms alone; one that is far off, by all that may excuse
            // it.
            let tolerance = self.answer(&doubled, index, cotangent, element, &limits[cotangent]).tolerance.total();
            let smooth = element.estimates[cotangent].kink.is_none();
            smooth && tolerance < 5e-4 * claim.gradient(cotangent, index).abs()
        };
        selected.iter().any(|&index| {
            let element = self.oracle().element(tensor, index);
            (0..limits.len()).any(|cotangent| shows(index, cotangent, &element))
        })
    }
}

fn try_all(examination: &Examination<'_, '_>) -> Mutants {
    let mut mutants = Mutants::default();
    let problem = examination.problem;
    for tensor in (0..problem.tensors.len()).filter(|&tensor| problem.differentiated(tensor)) {
        for (source, run) in examination.runs.iter().enumerate() {
            let Some(run) = run.run() else { continue };
            let gradients = run.of(tensor);
            let base = examination.judge(source, tensor, &gradients);
            // A zero is round-off here: its sign or its order change nothing.
            let zero = base.zero.is_some() && base.verdict.proven();
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
    use crate::{GradientSource, Problem};

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
        absent.sources.push(GradientSource::new("absent", 1e-9, |_, _| vec![None]));
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
