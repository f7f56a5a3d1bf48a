use crate::random::Random;
use crate::{Options, Value};

/// A direction `w` in which the output is looked at: the objective is `⟨w, f⟩`.
pub(crate) struct Cotangent {
    pub(crate) name: String,
    pub(crate) value: Value,
    /// The only output that counts, if there is only one: the others need not be looked at.
    pub(crate) only: Option<usize>,
}

impl Cotangent {
    pub(crate) fn rademacher(dims: &[usize], seed: u64, number: usize) -> Self {
        let name = format!("random {number}");
        let mut random = Random::new(seed, &name);
        let data = (0..dims.iter().product()).map(|_| random.sign()).collect();
        Self { name, value: Value::new(dims, data), only: None }
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

/// Random signs, and every output by itself where that is cheap. Never all ones: under `Σf` a softmax and a batch norm do not move.
///
/// With one output every random cotangent is ±1 and one is enough.
pub(crate) fn cotangents(dims: &[usize], elements: usize, options: &Options) -> Vec<Cotangent> {
    let outputs: usize = dims.iter().product();
    let random = if outputs == 1 { options.cotangents.min(1) } else { options.cotangents };
    let mut all: Vec<_> = (0..random).map(|number| Cotangent::rademacher(dims, options.seed, number)).collect();
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
        let random = Cotangent::rademacher(&[2, 3], 0, 0);
        assert!(random.terms().map(|(output, _)| output).eq(0..6) && random.terms().all(|(_, w)| w.abs() == 1.0));
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
        assert_eq!(count(&[1, 1], 2), (1, 0), "with one output a sign is enough");
    }
}
