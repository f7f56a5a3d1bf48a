//! Every pattern by itself, at the edges of what it explains. Numbers count as equal up to 2⁻⁹.

use super::*;

const TOLERANCE: f64 = 1.0 / 1024.0;

type Pattern = fn(&Symptoms<'_>, &[usize]) -> Option<String>;

struct Case<'c> {
    dims: &'c [usize],
    value: &'c [f64],
    gradient: &'c [f64],
    truth: &'c [f64],
    /// Elements whose truth is not known.
    unknown: &'c [usize],
    kinks: &'c [usize],
}

impl<'c> Case<'c> {
    fn new(dims: &'c [usize], gradient: &'c [f64], truth: &'c [f64]) -> Self {
        Self { dims, value: &[1.0; 12][..truth.len()], gradient, truth, unknown: &[], kinks: &[] }
    }

    fn symptoms(&self) -> Symptoms<'c> {
        let known = |(index, &truth): (usize, &f64)| (!self.unknown.contains(&index)).then_some(truth);
        Symptoms {
            dims: self.dims,
            value: self.value,
            gradient: self.gradient,
            truth: self.truth.iter().enumerate().map(known).collect(),
            tolerance: TOLERANCE,
            kinks: self.kinks.to_vec(),
            factors: vec![(1.0, "one".into()), (8.0, "eight".into())],
        }
    }

    fn says(&self, pattern: Pattern) -> Option<String> {
        let symptoms = self.symptoms();
        pattern(&symptoms, &symptoms.wrong())
    }
}

#[track_caller]
fn assert_says(found: Option<String>, expected: &str) {
    assert!(found.as_deref().is_some_and(|found| found.contains(expected)), "{found:?} and not {expected:?}");
}

const FOUR: [f64; 4] = [1.0, 2.0, 3.0, 4.0];

#[test]
fn wrong_is_what_is_known_and_further_off_than_twice_the_tolerance() {
    let gradient = [1.0, 2.0 + 2.0 * TOLERANCE, 3.0 - 2.5 * TOLERANCE, 9.0];
    let symptoms = Case { unknown: &[3], ..Case::new(&[4], &gradient, &FOUR) }.symptoms();
    assert_eq!(symptoms.wrong(), [2]);
    assert!(symptoms.known().map(|(index, ..)| index).eq(0..3));
}

#[test]
fn only_at_kinks_or_only_at_zeros() {
    let gradient = [1.0, 9.0, 9.0, 4.0];
    let case = || Case::new(&[4], &gradient, &FOUR);
    assert_says(Case { kinks: &[1, 2], ..case() }.says(kink_only), "only at kinks");
    assert_eq!(Case { kinks: &[1], ..case() }.says(kink_only), None);
    assert_eq!(Case { kinks: &[1], ..Case::new(&[4], &FOUR, &FOUR) }.says(kink_only), None, "nothing is wrong");
    assert_says(Case { value: &[1.0, 0.0, 0.0, 1.0], ..case() }.says(kink_only), "exactly 0");
    assert_eq!(Case { value: &[1.0, 0.0, 1.0, 0.0], ..case() }.says(kink_only), None);
    let zeros = [0.0; 4];
    assert_eq!(Case { value: &zeros, ..Case::new(&[4], &[9.0; 4], &FOUR) }.says(kink_only), None, "there is no other");
    let one = Case { value: &zeros, ..Case::new(&[4], &[9.0, 2.0, 3.0, 4.0], &FOUR) };
    assert_eq!(one.says(kink_only), None, "one says nothing of all");
}

#[test]
fn zero_is_everywhere_or_it_is_not() {
    assert_says(Case::new(&[4], &[0.0; 4], &FOUR).says(zero_everywhere), "zero everywhere");
    assert_eq!(Case::new(&[4], &[0.0, 0.0, 0.0, 1.0], &FOUR).says(zero_everywhere), None);
    assert_eq!(Case::new(&[4], &[0.0; 4], &[0.0; 4]).says(zero_everywhere), None, "as it should be");
}

#[test]
fn a_constant_ratio_is_named() {
    let times = |ratio: f64| Case::new(&[4], &FOUR.map(|x| ratio * x), &FOUR).says(scaled);
    assert_eq!(times(-1.0).unwrap(), "the sign is flipped");
    assert_eq!(times(-1.0 + 3e-4).unwrap(), "the sign is flipped", "twice the tolerance beside 4");
    assert_says(times(-1.0 + 1e-3), "a lost or extra constant factor");
    assert_eq!(times(8.0).unwrap(), "8 times too large: a lost factor 1/N, N = 8 is eight");
    assert_eq!(times(-8.0).unwrap(), "8 times too large: a lost factor 1/N, N = 8 is eight, and the sign is flipped");
    assert_eq!(times(0.125).unwrap(), "8 times too small: an extra factor 1/N, N = 8 is eight");
    assert_says(times(-0.125), "too small: an extra factor 1/N, N = 8 is eight, and the sign is flipped");
    assert_says(times(2.0), "2.000000 times what it should be, the same for all elements: an extra factor 2");
    assert_says(times(-0.5), "-0.500000 times what it should be, the same for all elements: a lost factor 2");
    assert_says(times(3.0), "elements: a lost or extra constant factor");
    assert_says(times(1.0), "1.000000 times");
    assert_eq!(times(0.0), None);
}

#[test]
fn a_ratio_is_the_same_for_all_to_within_what_it_multiplies() {
    let off = |by: f64| Case::new(&[4], &[3.0, 6.0 + by, 9.0, 12.0], &FOUR).says(scaled);
    assert!(off(11.0 * TOLERANCE).is_some() && off(13.0 * TOLERANCE).is_none() && off(-0.5).is_none());
    let small = |size: f64| {
        let truth = FOUR.map(|x| x / 4.0 * size);
        Case::new(&[4], &truth.map(|x| 3.0 * x), &truth).says(scaled)
    };
    assert!(small(9.0 * TOLERANCE).is_none() && small(11.0 * TOLERANCE).is_some());
}

#[test]
fn one_element_is_wrong_among_three() {
    let wrong_at = |index: usize| {
        let mut gradient = FOUR;
        gradient[index] = 9.0;
        Case::new(&[2, 2], &gradient, &FOUR).says(one_element)
    };
    let expected = [" [0, 0], the first one is", " [0, 1] is", " [1, 0] is", " [1, 1], the last one is"];
    (0..4).for_each(|index| assert_says(wrong_at(index), expected[index]));
    let among = |unknown: &[usize]| Case { unknown, ..Case::new(&[4], &[9.0, 2.0, 3.0, 4.0], &FOUR) }.says(one_element);
    assert!(among(&[3]).is_some() && among(&[2, 3]).is_none());
    assert_eq!(Case::new(&[4], &[9.0, 9.0, 3.0, 4.0], &FOUR).says(one_element), None);
}

/// 1, 2, 4, 7, 11, 16, …: no two differences are equal.
fn truth(length: usize) -> Vec<f64> {
    (0..length).map(|i| 1.0 + (i * (i + 1) / 2) as f64).collect()
}

fn rearrangement(dims: &[usize], from: &[usize]) -> Option<String> {
    let truth = truth(from.len());
    let gradient: Vec<f64> = from.iter().map(|&from| truth[from]).collect();
    Case::new(dims, &gradient, &truth).says(rearranged)
}

#[test]
fn axes_that_change_places_are_named() {
    assert_eq!(rearrangement(&[2, 3], &[0, 3, 1, 4, 2, 5]).unwrap(), "transposed");
    assert_eq!(rearrangement(&[2, 2], &[0, 2, 1, 3]).unwrap(), "transposed");
    assert_eq!(rearrangement(&[2, 2, 2], &[0, 2, 1, 3, 4, 6, 5, 7]).unwrap(), "axes 1 and 2 are swapped");
    assert_eq!(rearrangement(&[2, 2, 2], &[0, 1, 4, 5, 2, 3, 6, 7]).unwrap(), "axes 0 and 1 are swapped");
}

#[test]
fn shifts_have_a_direction_or_an_axis() {
    assert_eq!(rearrangement(&[5], &[4, 0, 1, 2, 3]).unwrap(), "shifted by one element");
    assert_eq!(rearrangement(&[5], &[1, 2, 3, 4, 0]).unwrap(), "shifted by one element");
    assert_eq!(rearrangement(&[2, 3], &[2, 0, 1, 5, 3, 4]).unwrap(), "shifted by one along axis 1");
    assert_eq!(rearrangement(&[2, 3], &[1, 2, 0, 4, 5, 3]).unwrap(), "shifted by one along axis 1");
    assert_eq!(rearrangement(&[3, 2], &[4, 5, 0, 1, 2, 3]).unwrap(), "shifted by one along axis 0");
    assert_eq!(rearrangement(&[3, 2], &[2, 3, 4, 5, 0, 1]).unwrap(), "shifted by one along axis 0");
}

#[test]
fn the_last_two_axes_are_turned() {
    assert_says(rearrangement(&[2, 3], &[5, 4, 3, 2, 1, 0]), "turned by 180°");
    assert_says(rearrangement(&[2, 2, 3], &[5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6]), "turned by 180°");
    assert_eq!(rearrangement(&[4], &[3, 2, 1, 0]), None, "of one axis there is no kernel");
    assert_eq!(rearrangement(&[2, 3], &[1, 0, 2, 3, 4, 5]), None);
}

#[test]
fn a_rearrangement_is_told_of_two_wrong_elements_where_all_are_known() {
    let case = || Case::new(&[2, 2], &[1.0, 3.0, 2.0, 4.0], &FOUR);
    for pattern in [rearranged as Pattern, permuted] {
        assert!(case().says(pattern).is_some());
        assert_eq!(Case { unknown: &[3], ..case() }.says(pattern), None);
        assert_eq!(pattern(&case().symptoms(), &[1]), None);
    }
    // What is in its place is not rearranged, whatever the sizes.
    for dims in [&[1, 4][..], &[2, 2], &[4, 1], &[1, 2, 2]] {
        assert_eq!(rearranged(&Case::new(dims, &FOUR, &FOUR).symptoms(), &[0, 1]), None, "{dims:?}");
    }
    assert_eq!(Case::new(&[4], &[1.0, 2.0, 4.0, 9.0], &FOUR).says(permuted), None);
}

#[test]
fn a_mask_loses_keeps_or_exchanges_elements() {
    let truth = [1.0, 0.0, 3.0, 0.0, 5.0, 0.0];
    let masked = |gradient: [f64; 6]| Case::new(&[6], &gradient, &truth).says(masks);
    assert_says(masked([0.0, 0.0, 0.0, 0.0, 5.0, 0.0]), "zero in 2 elements where it should not be: a part");
    assert_says(masked([0.0; 6]), "zero in 3 elements where it should not be: a part");
    assert_says(masked([1.0, 2.0, 3.0, 4.0, 5.0, 0.0]), "not zero in 2 elements where the forward is flat");
    assert_says(masked([0.0, 2.0, 3.0, 0.0, 5.0, 0.0]), "zero in 1 element where it should not be, and not zero in 1");
    assert_eq!(masked([0.0, 0.0, 0.0, 0.0, 6.0, 0.0]), None, "one is wrong in another way");
    assert_eq!(masked([0.0, 0.0, 3.0, 0.0, 5.0, 0.0]), None, "one is no mask");
    assert_says(
        Case::new(&[2, 3], &[0.0, 0.0, 0.0, 4.0, 5.0, 6.0], &truth6()).says(masks),
        "(wrong only at index 0 of 2",
    );
}

fn truth6() -> [f64; 6] {
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
}

#[test]
fn a_slice_is_named_by_its_axis() {
    let wrong = |dims: &[usize], wrong: &[usize]| {
        let mut gradient = truth6();
        wrong.iter().for_each(|&index| gradient[index] += 0.5);
        Case::new(dims, &gradient, &truth6()).says(one_slice)
    };
    assert_says(wrong(&[3, 2], &[0, 1]), "index 0 of 3 (the first) along axis 0");
    assert_says(wrong(&[3, 2], &[2, 3]), "index 1 of 3 along axis 0");
    assert_says(wrong(&[3, 2], &[4, 5]), "index 2 of 3 (the last) along axis 0");
    assert_says(wrong(&[3, 2], &[1, 5]), "index 1 of 2 (the last) along axis 1");
    assert_says(wrong(&[1, 3, 2], &[2, 3]), "index 1 of 3 along axis 1");
    assert_eq!(wrong(&[3, 2], &[0, 3]), None);
    assert_eq!(wrong(&[3, 2], &[]), None);
}

#[test]
fn a_constant_or_a_decay_is_added() {
    let value = [0.0, 0.5, -1.0, 2.0];
    let added = |add: [f64; 4], unknown: &[usize]| {
        let gradient: Vec<f64> = (0..4).map(|i| FOUR[i] + add[i]).collect();
        Case { value: &value, unknown, ..Case::new(&[4], &gradient, &FOUR) }.says(offset)
    };
    assert_says(added([0.5; 4], &[]), "0.500000 too much in every element");
    assert_says(added([0.5, 0.5, 0.5, 0.5 + 3.0 * TOLERANCE], &[]), "0.502930 too much in every element");
    assert_says(added(value.map(|x| 0.5 * x), &[]), "too large by 0.500000 times the tensor itself");
    assert_eq!(added([0.5, 0.5, 0.0, 0.5], &[]), None);
    assert_eq!(added([0.0, 0.25, 0.5, 1.0], &[]), None);
    // Three known elements say something, and two wrong ones.
    assert!(added(value.map(|x| 0.5 * x), &[2]).is_some() && added([0.5; 4], &[3]).is_some());
    assert_eq!(added([0.5; 4], &[2, 3]), None);
    assert_eq!(added([0.0, 0.0, 0.0, 1.0], &[1, 2]), None);
    let nothing = Case { value: &[0.0; 4], ..Case::new(&[4], &[1.5, 2.0, 3.5, 4.0], &FOUR) };
    assert_eq!(nothing.says(offset), None, "of a tensor that is zero");
    let one = Case { value: &[0.0, 0.0, 0.0, 2.0], ..Case::new(&[4], &[1.0, 2.0, 3.0, 5.0], &FOUR) };
    assert_eq!(one.says(offset), None, "of one wrong element");
}

#[test]
fn an_index_and_its_place_are_each_others_inverse() {
    assert!((0..24).all(|index| flat(&[2, 3, 4], &position(&[2, 3, 4], index)) == index));
    assert_eq!((0..6).map(|index| swapped(&[2, 3], 0, 1, index)).collect::<Vec<_>>(), [0, 3, 1, 4, 2, 5]);
}
