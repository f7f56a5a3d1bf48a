/// A gradient that is wrong, and what it should be where that is known.
pub(crate) struct Symptoms<'s> {
    pub(crate) dims: &'s [usize],
    /// The tensor's values.
    pub(crate) value: &'s [f64],
    pub(crate) gradient: &'s [f64],
    pub(crate) truth: Vec<Option<f64>>,
    /// How far two numbers may be apart and still count as equal.
    pub(crate) tolerance: f64,
    /// Elements that lie on a kink.
    pub(crate) kinks: Vec<usize>,
    /// Sizes that a mean may have been taken over, and what they are sizes of.
    pub(crate) factors: Vec<(f64, String)>,
}

impl Symptoms<'_> {
    /// Elements whose truth is known: index, gradient, truth.
    pub(crate) fn known(&self) -> impl Iterator<Item = (usize, f64, f64)> + '_ {
        let triples = self.truth.iter().zip(self.gradient).enumerate();
        triples.filter_map(|(index, (truth, &gradient))| Some((index, gradient, (*truth)?)))
    }

    /// The indices of the known elements that are wrong.
    pub(crate) fn wrong(&self) -> Vec<usize> {
        self.known().filter(|&(_, gradient, truth)| !self.same(gradient, truth)).map(|(index, ..)| index).collect()
    }

    pub(crate) fn same(&self, a: f64, b: f64) -> bool {
        (a - b).abs() <= 2.0 * self.tolerance
    }
}
