use burn::tensor::DType;

use crate::random::Random;
use crate::{Options, Value};

/// A direction `w` in which the output is looked at: the objective is `⟨w, f⟩`.
#[derive(Clone)]
pub(crate) struct Cotangent {
    pub(crate) name: String,
    pub(crate) value: Value,
    /// The only output that counts, if there is only one: the others need not be looked at.
    pub(crate) only: Option<usize>,
}

impl Cotangent {
    /// Random signs and magnitudes. A backward that takes the sign of the incoming gradient, clamps it, or forgets it,
    /// is right where all magnitudes are 1.
    pub(crate) fn random(dims: &[usize], seed: u64, number: usize) -> Self {
        let name = format!("random {number}");
        let mut random = Random::new(seed, &name);
        // By turns about 1, from tiny to 1, and large, in powers of two.
        let [low, high] = [[-1.5, 1.5], [-10.0, 0.0], [0.0, 6.0]][number % 3];
        let mut weight = || random.sign() * (low + (high - low) * random.uniform()).exp2();
        let data = (0..dims.iter().product()).map(|_| weight()).collect();
        // Exact in every precision, so that no source sees another number.
        Self { name, value: Value::new(dims, data).rounded(DType::BF16), only: None }
    }

    pub(crate) fn one_hot(dims: &[usize], output: usize) -> Self {
        let mut value = Value::full(dims, 0.0);
        value.set(output, 1.0);
        Self { name: format!("output {output}"), value, only: Some(output) }
    }

    /// The pairs `(o, w_o)` that are not zero.
    pub(crate) fn terms(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let outputs = match self.only {
            Some(output) => output..output + 1,
            None => 0..self.value.len(),
        };
        outputs.map(|output| (output, self.value.data()[output]))
    }
}

/// Random weights, and every output by itself where that is cheap. Never all ones: under `Σf` a softmax and a batch
/// norm do not move.
///
/// With one output all random cotangents differ by a factor only, and two are enough.
pub(crate) fn cotangents(dims: &[usize], elements: usize, options: &Options) -> Vec<Cotangent> {
    let outputs: usize = dims.iter().product();
    let random = if outputs == 1 { options.cotangents.min(2) } else { options.cotangents };
    let mut all: Vec<_> = (0..random).map(|number| Cotangent::random(dims, options.seed, number)).collect();
    if outputs > 1 && outputs * elements <= options.jacobian {
        all.extend((0..outputs).map(|output| Cotangent::one_hot(dims, output)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terms_of_one_output_are_that_one_and_of_a_random_cotangent_all() {
        assert_eq!(Cotangent::one_hot(&[2, 3], 4).terms().collect::<Vec<_>>(), [(4, 1.0)]);
        let random = Cotangent::random(&[2, 3], 0, 0);
        assert!(random.terms().map(|(output, _)| output).eq(0..6) && random.terms().all(|(_, w)| w != 0.0));
    }

    #[test]
    fn every_output_has_its_own_cotangent_up_to_the_size_of_the_jacobian() {
        let options = Options { cotangents: 3, jacobian: 12, ..Options::default() };
        let count = |dims: &[usize], elements: usize| {
            let all = cotangents(dims, elements, &options);
            let random = all.iter().filter(|cotangent| cotangent.only.is_none()).count();
            (random, all.len() - random)
        };
        assert_eq!(count(&[2, 3], 2), (3, 6));
        assert_eq!(count(&[2, 3], 3), (3, 0));
        assert_eq!(count(&[2, 1], 6), (3, 2));
        assert_eq!(count(&[1, 1], 2), (2, 0), "with one output two factors are enough");
    }

    #[test]
    fn magnitudes_differ_within_a_cotangent_and_between_them() {
        let all: Vec<Value> = (0..3).map(|number| Cotangent::random(&[500], 7, number).value).collect();
        let range = |value: &Value| {
            let sizes: Vec<f64> = value.data().iter().map(|w| w.abs()).collect();
            [sizes.iter().copied().fold(f64::INFINITY, f64::min), sizes.iter().copied().fold(0.0, f64::max)]
        };
        let [[a, b], [c, d], [e, f]] = [0, 1, 2].map(|number| range(&all[number]));
        assert!((0.35..0.4).contains(&a) && (2.5..2.9).contains(&b), "{a} {b}");
        assert!((0.0009..0.002).contains(&c) && (0.9..1.01).contains(&d), "{c} {d}");
        assert!((0.99..1.1).contains(&e) && (55.0..64.5).contains(&f), "{e} {f}");
        assert!(all.iter().all(|value| value.rounded(DType::BF16) == *value));
    }
}
