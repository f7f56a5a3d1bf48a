//! Which units of a ReLU are active.

/// What a ReLU gave for some images. A unit is a channel of an image, or a feature of a vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveUnits {
    /// The ReLU, by its number among all operations.
    pub operation: usize,
    /// Of each unit, whether it was above zero at any place of any image.
    pub active: Vec<bool>,
    /// Outputs that were zero.
    pub zeros: usize,
    /// All outputs.
    pub outputs: usize,
}

impl ActiveUnits {
    /// Of no images.
    #[must_use]
    pub fn new(operation: usize, units: usize) -> Self {
        Self { operation, active: vec![false; units], zeros: 0, outputs: 0 }
    }

    /// Adds the output for one image, `[C, H, W]`, of which C are units.
    ///
    /// # Panics
    ///
    /// If the output is not of so many units.
    pub fn add(&mut self, output: &[f32]) {
        let places = output.len() / self.active.len();
        assert_eq!(places * self.active.len(), output.len(), "{} units", self.active.len());
        for (active, unit) in self.active.iter_mut().zip(output.chunks_exact(places)) {
            let above = unit.iter().filter(|&&value| value > 0.0).count();
            *active |= above > 0;
            self.zeros += places - above;
        }
        self.outputs += output.len();
    }

    /// Adds what the same ReLU gave for other images.
    pub fn merge(&mut self, other: &Self) {
        self.active.iter_mut().zip(&other.active).for_each(|(active, other)| *active |= other);
        self.zeros += other.zeros;
        self.outputs += other.outputs;
    }

    /// Units that were zero at every place of every image.
    #[must_use]
    pub fn dead(&self) -> usize {
        self.active.iter().filter(|active| !**active).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_dead_if_it_is_zero_everywhere_in_all_images() {
        let mut units = ActiveUnits::new(3, 3);
        units.add(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!((units.dead(), units.zeros, units.outputs), (2, 5, 6));
        let mut other = ActiveUnits::new(3, 3);
        other.add(&[0.5, 0.5, 0.0, 0.0, 0.0, 0.0]);
        units.merge(&other);
        assert_eq!((units.active.clone(), units.zeros, units.outputs), (vec![true, true, false], 9, 12));
        assert_eq!(units.dead(), 1);
    }
}
