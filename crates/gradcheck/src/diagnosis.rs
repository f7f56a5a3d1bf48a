use crate::patterns::{
    kink_only, masks, offset, one_element, one_slice, permuted, rearranged, scaled, zero_everywhere,
};
use crate::symptoms::Symptoms;

/// What the mismatch looks like, in a sentence. The first pattern that explains every known element wins; the order is
/// from the particular to the general, so that one wrong element is not called a wrong row.
pub(crate) fn pattern(symptoms: &Symptoms<'_>) -> Option<String> {
    let wrong = symptoms.wrong();
    if wrong.is_empty() {
        return None;
    }
    let patterns = [kink_only, zero_everywhere, scaled, one_element, rearranged, masks, one_slice, offset, permuted];
    patterns.iter().find_map(|pattern| pattern(symptoms, &wrong))
}

/// What is said of a mismatch that looks like nothing known.
pub(crate) fn no_pattern(symptoms: &Symptoms<'_>) -> String {
    format!("no known pattern: {} of {} known elements are wrong", symptoms.wrong().len(), symptoms.known().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 3 × 4 gradient with the truth `1, 2, 4, 7, 11, …`, which `fault` makes wrong.
    fn diagnosis(fault: impl FnOnce(&mut Vec<f64>)) -> String {
        let truth: Vec<f64> = (0..12).map(|i| 1.0 + f64::from(i * (i + 1) / 2)).collect();
        let mut gradient = truth.clone();
        fault(&mut gradient);
        let symptoms = Symptoms {
            dims: &[3, 4],
            value: &[0.5, 0.0, -1.0, 2.0, 0.25, 0.0, 3.0, -0.75, 1.5, 0.0, -2.5, 1.25],
            gradient: &gradient,
            truth: truth.into_iter().map(Some).collect(),
            tolerance: 1e-9,
            kinks: vec![7],
            factors: vec![(8.0, "axis 0 of the output".into())],
        };
        pattern(&symptoms).unwrap_or_else(|| no_pattern(&symptoms))
    }

    #[test]
    fn every_fault_has_its_name() {
        let times = |factor: f64| move |g: &mut Vec<f64>| g.iter_mut().for_each(|x| *x *= factor);
        assert_eq!(diagnosis(times(-1.0)), "the sign is flipped");
        assert!(diagnosis(times(8.0)).contains("a lost factor 1/N, N = 8 is axis 0 of the output"));
        assert!(diagnosis(times(-0.125)).contains("an extra factor 1/N, N = 8 is axis 0 of the output, and the sign"));
        assert!(diagnosis(times(3.0)).contains("3.000000 times"));
        assert!(diagnosis(times(0.0)).contains("zero everywhere"));
        assert!(diagnosis(|g| g[7] = 0.0).contains("kinks or ties"));
        assert!(diagnosis(|g| [1, 5, 9].into_iter().for_each(|i| g[i] += 1.0)).contains("exactly 0"));
        assert!(diagnosis(|g| g[6] = 0.0).contains("only the element [1, 2] is wrong"));
        assert!(diagnosis(|g| g.rotate_left(1)).contains("shifted by one element"));
        assert!(diagnosis(|g| g.chunks_mut(4).for_each(|row| row.rotate_right(1))).contains("along axis 1"));
        assert!(diagnosis(|g| g.reverse()).contains("turned by 180°"));
        assert!(diagnosis(|g| g.swap(0, 11)).contains("wrong places"));
        assert!(diagnosis(|g| g[4..8].iter_mut().for_each(|x| *x *= 2.0)).contains("index 1 of 3 along axis 0"));
        assert!(diagnosis(|g| g.iter_mut().for_each(|x| *x += 0.5)).contains("0.500000 too much in every element"));
        assert!(
            diagnosis(|g| [0, 6, 11].into_iter().for_each(|i| g[i] *= 1.0 + i as f64)).contains("no known pattern")
        );
    }
}
