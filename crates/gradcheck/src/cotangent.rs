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
        let [low, high] = [[-1.5, 1.5], [-10.0, 0.0], [-4.0, 6.0]][number % 3];
        // Each output has its own part of the range. What is small in the second is large in the third: a backward that
        // loses what is small beside another output loses every output once.
        let mut places = shuffled(dims.iter().product(), seed);
        if number % 3 == 2 {
            let last = places.len().saturating_sub(1);
            places.iter_mut().for_each(|place| *place = last - *place);
        }
        let count = places.len() as f64;
        let mut weight =
            |place: usize| random.sign() * (low + (high - low) * (place as f64 + random.uniform()) / count).exp2();
        let data = places.into_iter().map(&mut weight).collect();
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

/// The numbers below `count` in a random order.
fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut random = Random::new(seed, "order of the outputs");
    let mut order: Vec<usize> = (0..count).collect();
    (1..count).for_each(|last| order.swap(last, random.below(last + 1)));
    order
}

/// Random weights, and every output by itself where that is cheap. Never all ones: under `Σf` a softmax and a batch
/// norm do not move.
///
/// With one output all random cotangents differ by a factor only, and two are enough.
pub(crate) fn cotangents(dims: &[usize], elements: usize, options: &Options) -> Vec<Cotangent> {
    if let Some(given) = &options.cotangent {
        assert_eq!(given.dims(), dims, "a cotangent has the shape of the output");
        return vec![Cotangent { name: "given".into(), value: given.clone(), only: None }];
    }
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
    fn a_given_cotangent_is_the_only_one() {
        let given = Value::new([2], vec![3.0, 0.0]);
        let all = cotangents(&[2], 1, &Options { cotangent: Some(given.clone()), ..Options::default() });
        assert_eq!(all.into_iter().map(|one| one.value).collect::<Vec<_>>(), [given]);
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
        assert!((0.0624..0.07).contains(&e) && (55.0..64.5).contains(&f), "{e} {f}");
        assert!(all.iter().all(|value| value.rounded(DType::BF16) == *value));
    }

    /// Of any two outputs each is once small beside the other.
    #[test]
    fn what_is_small_in_the_second_cotangent_is_large_in_the_third() {
        for seed in 0..20 {
            let [second, third] = [1, 2].map(|number| Cotangent::random(&[4], seed, number).value);
            let order = |value: &Value| {
                let mut places: Vec<usize> = (0..4).collect();
                places.sort_by(|&a, &b| value.data()[a].abs().total_cmp(&value.data()[b].abs()));
                places
            };
            assert!(order(&second).into_iter().eq(order(&third).into_iter().rev()), "{second:?} {third:?}");
        }
    }
}
