//! The steps of optimizers, over all parameters at once. A step goes number by number, so that it does not matter how
//! parameters are packed.
//!
//! [`MomentumStep`] is the course's. The others compute what Burn's optimizers of the same name compute, in single
//! precision and with the same order of operations, and so give the same bits; a test of `backproof-train` holds them
//! against Burn. Their sources are at `backproof_spec::OptimizerKind`.

mod adagrad;
mod adam;
mod momentum;
mod rmsprop;
mod sgd;

pub use adagrad::AdaGradStep;
pub use adam::{AdamStep, AdamWStep};
pub use momentum::MomentumStep;
pub use rmsprop::RmsPropStep;
pub use sgd::SgdStep;

use crate::isa::{Isa, Kernel};
use crate::vector::{LANES, Lanes};

/// The most numbers that a step remembers for a weight.
pub const MOST_REMEMBERED: usize = 3;

/// One step of an optimizer.
pub trait OptimizerStep: Sync {
    /// How many numbers it remembers for each weight, at most [`MOST_REMEMBERED`]. All begin at 0.
    fn remembers(&self) -> usize;

    /// Moves `weights` by their gradient, and brings each slice of `remembered` up to date.
    ///
    /// # Panics
    ///
    /// If there are not as many slices as the step [remembers](Self::remembers), or the slices differ in length.
    fn apply(&self, isa: Isa, gradient: &[f32], remembered: &mut [&mut [f32]], weights: &mut [f32]);
}

/// What a step with `N` numbers to remember does to sixteen weights.
trait Rule<const N: usize>: Copy {
    /// What is remembered then, and the weights.
    ///
    /// # Safety
    ///
    /// The machine has the instructions of `V`.
    unsafe fn step<V: Lanes>(self, gradient: V, remembered: [V; N], weight: V) -> ([V; N], V);
}

/// Applies `rule` to all numbers.
fn apply<const N: usize>(
    rule: impl Rule<N>,
    isa: Isa,
    gradient: &[f32],
    remembered: &mut [&mut [f32]],
    weights: &mut [f32],
) {
    assert_eq!(remembered.len(), N, "slices of what is remembered");
    assert_eq!(gradient.len(), weights.len(), "a gradient a weight");
    assert!(remembered.iter().all(|slice| slice.len() == weights.len()), "a number to remember a weight");
    isa.run(Run { rule, gradient, remembered, weights });
}

struct Run<'a, 'b, const N: usize, R> {
    rule: R,
    gradient: &'a [f32],
    remembered: &'a mut [&'b mut [f32]],
    weights: &'a mut [f32],
}

impl<const N: usize, R: Rule<N>> Kernel for Run<'_, '_, N, R> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { rule, gradient, remembered, weights } = self;
        let mut start = 0;
        while start < weights.len() {
            // The last vector may be a part of one; its other lanes are zeros, and are thrown away.
            let range = start..weights.len().min(start + LANES);
            start = range.end;
            let read = |from: &[f32]| -> [f32; LANES] {
                from.first_chunk().copied().unwrap_or_else(|| {
                    let mut lanes = [0.0; LANES];
                    lanes[..from.len()].copy_from_slice(from);
                    lanes
                })
            };
            let write = |to: &mut [f32], lanes: [f32; LANES]| to.copy_from_slice(&lanes[..to.len()]);
            // SAFETY: the instructions are the caller's.
            unsafe {
                let old = std::array::from_fn(|slot| V::of(&read(&remembered[slot][range.clone()])));
                let gradient = V::of(&read(&gradient[range.clone()]));
                let (new, weight) = rule.step(gradient, old, V::of(&read(&weights[range.clone()])));
                for (to, new) in remembered.iter_mut().zip(new) {
                    write(&mut to[range.clone()], new.to_array());
                }
                write(&mut weights[range], weight.to_array());
            }
        }
    }
}

/// g + λ w, the gradient with that of the penalty λ/2 w².
///
/// # Safety
///
/// The machine has the instructions of `V`.
#[inline(always)]
unsafe fn with_penalty<V: Lanes>(penalty: f32, gradient: V, weight: V) -> V {
    // SAFETY: the caller's.
    unsafe { if penalty > 0.0 { weight.mul(V::splat(penalty)).add(gradient) } else { gradient } }
}

/// a x + b y, with three roundings, as Burn's operations have.
///
/// # Safety
///
/// The machine has the instructions of `V`.
#[inline(always)]
unsafe fn combined<V: Lanes>(a: f32, x: V, b: f32, y: V) -> V {
    // SAFETY: the caller's.
    unsafe { x.mul(V::splat(a)).add(y.mul(V::splat(b))) }
}

/// w − α d.
///
/// # Safety
///
/// The machine has the instructions of `V`.
#[inline(always)]
unsafe fn moved<V: Lanes>(weight: V, learning_rate: f32, direction: V) -> V {
    // SAFETY: the caller's.
    unsafe { weight.sub(direction.mul(V::splat(learning_rate))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing is computed past the last whole vector that is not computed in it.
    #[test]
    fn a_number_does_not_depend_on_where_it_is() {
        let steps: [Box<dyn OptimizerStep>; 5] = [
            Box::new(SgdStep::new(0.1, 0.9, 0.1, false, 0.01, 4)),
            Box::new(AdaGradStep::new(0.1, 0.01, 1e-10, 0.01, 4)),
            Box::new(RmsPropStep::new(0.1, 0.9, 0.5, 1e-8, true, 0.01)),
            Box::new(AdamStep::new(0.1, [0.9, 0.999], 1e-8, true, 0.01, 4)),
            Box::new(AdamWStep::new(0.1, [0.9, 0.999], 1e-8, true, 0.01, 4)),
        ];
        for (step, isa) in steps.iter().flat_map(|step| Isa::available().into_iter().map(move |isa| (step, isa))) {
            let run = |length: usize| {
                let numbers = |seed: usize| -> Vec<f32> {
                    (0..length).map(|at| ((at * 31 + seed * 17) % 101) as f32 / 100.0 + 0.01).collect()
                };
                let mut remembered: Vec<Vec<f32>> = (0..step.remembers()).map(|slot| numbers(slot + 2)).collect();
                let mut slices: Vec<&mut [f32]> = remembered.iter_mut().map(Vec::as_mut_slice).collect();
                let mut weights = numbers(1);
                step.apply(isa, &numbers(0), &mut slices, &mut weights);
                remembered.push(weights);
                let bits = |slot: Vec<f32>| slot.into_iter().map(f32::to_bits).collect::<Vec<_>>();
                remembered.into_iter().map(bits).collect::<Vec<_>>()
            };
            let whole = run(3 * LANES);
            for length in [0, 1, LANES - 1, LANES, LANES + 1, 2 * LANES + 5] {
                let start: Vec<Vec<u32>> = whole.iter().map(|slot| slot[..length].to_vec()).collect();
                assert_eq!(run(length), start, "{isa}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "a gradient a weight")]
    fn slices_of_different_lengths_are_refused() {
        let step = SgdStep::new(0.1, 0.0, 0.0, false, 0.0, 0);
        step.apply(Isa::Portable, &[1.0; 3], &mut [], &mut [1.0; 4]);
    }
}
