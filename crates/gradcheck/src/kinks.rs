use std::cell::{Cell, RefCell};
use std::hash::{DefaultHasher, Hasher};

use burn::tensor::{Int, Tensor};

/// Takes down what a forward decided: on which side of its kinks it was. See
/// [`Check::forward_recording`](crate::Check::forward_recording).
///
/// Two evaluations that decided the same lie on one smooth piece of the function. So nothing has to be guessed from
/// slopes: a difference that crosses no kink is good however strongly the function bends, and one that crosses a kink
/// is taken again with a smaller step.
///
/// Record every decision: a kink that is left out is taken for a smooth place, where the difference is the mean of both
/// sides. A forward that records nothing at all is treated as if it could not.
#[derive(Debug)]
pub struct Kinks {
    recording: bool,
    empty: Cell<bool>,
    hasher: RefCell<DefaultHasher>,
}

impl Kinks {
    pub(crate) fn recorder() -> Self {
        Self { recording: true, empty: Cell::new(true), hasher: RefCell::new(DefaultHasher::new()) }
    }

    /// Takes nothing down and reads no tensor, for whoever wants the function alone.
    pub fn ignored() -> Self {
        Self { recording: false, ..Self::recorder() }
    }

    /// For every element whether it is negative, zero or positive: `x` of a ReLU, `x − t` of a threshold `t`.
    ///
    /// # Panics
    ///
    /// Panics if the device cannot be read.
    pub fn signs<const D: usize>(&self, tensor: &Tensor<D>) {
        if self.recording {
            let elements = tensor.clone().try_into_vec_as::<f64>().expect("a float tensor can be read as f64");
            self.decisions(elements.into_iter().map(|x| match x.partial_cmp(&0.0) {
                Some(order) => order as i64,
                None => 2,
            }));
        }
    }

    /// The argmax indices of a maximum, or those of a minimum: what max pooling saves.
    pub fn argmax<const D: usize>(&self, indices: &Tensor<D, Int>) {
        if self.recording {
            self.decisions(indices.to_data().iter::<i64>());
        }
    }

    /// Any other decisions, from code on the host: a branch that was taken, a number of rounds.
    pub fn decisions(&self, decisions: impl IntoIterator<Item = i64>) {
        if self.recording {
            let mut hasher = self.hasher.borrow_mut();
            decisions.into_iter().for_each(|decision| hasher.write_i64(decision));
            self.empty.set(false);
        }
    }

    /// Equal for equal decisions; `None` if there were none.
    pub(crate) fn fingerprint(&self) -> Option<u64> {
        (!self.empty.get()).then(|| self.hasher.borrow().finish())
    }
}

/// Where the kinks are that five points `x − h, x − h/2, x, x + h/2, x + h` see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crossing {
    /// Nothing was recorded: the slopes must tell.
    Unknown,
    /// All points lie on one smooth piece.
    None,
    /// At `x`, as far as one can see: its decisions are neither those of the left nor those of the right.
    At,
    /// Between the points; or at `x` if a tie there goes to one side.
    Between,
}

impl Crossing {
    pub(crate) fn of(fingerprints: [Option<u64>; 5]) -> Self {
        let [_, left, at, right, _] = fingerprints;
        if fingerprints.contains(&None) {
            Self::Unknown
        } else if fingerprints.iter().all(|&other| other == at) {
            Self::None
        } else if left != at && right != at {
            Self::At
        } else {
            Self::Between
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn zero_is_neither_negative_nor_positive() {
        let fingerprint = |x: [f64; 2]| {
            let kinks = Kinks::recorder();
            kinks.signs(&Tensor::<1>::from_floats(x, &Device::flex()));
            kinks.fingerprint().unwrap()
        };
        assert_eq!(fingerprint([1.0, -2.0]), fingerprint([3.0, -1e-30]));
        assert_ne!(fingerprint([1.0, 0.0]), fingerprint([1.0, 1e-30]));
        assert_ne!(fingerprint([1.0, 0.0]), fingerprint([1.0, -1e-30]));
        assert_ne!(fingerprint([1.0, f64::NAN]), fingerprint([1.0, 1.0]));
    }

    #[test]
    fn other_winners_are_other_decisions() {
        let fingerprint = |indices: [i64; 3]| {
            let kinks = Kinks::recorder();
            kinks.argmax(&Tensor::<1, Int>::from_data(indices, &Device::flex()));
            kinks.fingerprint()
        };
        assert_eq!(fingerprint([0, 5, 2]), fingerprint([0, 5, 2]));
        assert_ne!(fingerprint([0, 5, 2]), fingerprint([0, 4, 2]));
        assert_ne!(fingerprint([0, 5, 2]), None);
    }

    #[test]
    fn nothing_recorded_is_nothing_known() {
        assert_eq!(Kinks::recorder().fingerprint(), None);
        let ignored = Kinks::ignored();
        ignored.decisions([1]);
        assert_eq!(ignored.fingerprint(), None);
    }

    #[test]
    fn a_crossing_is_at_the_point_or_beside_it() {
        let of = |fingerprints: [u64; 5]| Crossing::of(fingerprints.map(Some));
        assert_eq!(of([1, 1, 1, 1, 1]), Crossing::None);
        assert_eq!(of([1, 1, 2, 3, 3]), Crossing::At);
        assert_eq!(of([1, 1, 1, 3, 3]), Crossing::Between);
        assert_eq!(of([1, 1, 1, 1, 3]), Crossing::Between);
        assert_eq!(Crossing::of([None; 5]), Crossing::Unknown);
    }
}
