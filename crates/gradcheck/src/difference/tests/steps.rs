//! Which of the steps tried is believed, and whether another is needed.

use super::*;

/// A smooth place with a derivative of 1.
const SMOOTH: Measured = Measured {
    derivative: 1.0,
    truncation: 0.0,
    magnitude: 2.0,
    width: 0.0,
    width_noise: 0.0,
    one_sided: [0.5, 1.5],
    slopes: [0.0, 1.25],
};

/// The sides are 1 apart.
const BENT: Measured = Measured { width: 1.0, ..SMOOTH };

const PLACE: Place = Place { crossing: Crossing::Unknown, step: 0.25, noise: 0.0, last: false, near: false };

const LAST: Place = Place { last: true, ..PLACE };

fn tried<const N: usize>(steps: [(Measured, Place); N]) -> State {
    let mut state = State::default();
    steps.into_iter().for_each(|(measured, place)| state.add(measured, place));
    state
}

fn clean(measured: Measured, place: Place) -> bool {
    tried([(measured, place)]).clean
}

fn best<const N: usize>(steps: [(Measured, Place); N]) -> Estimate {
    tried(steps).best.unwrap()
}

#[test]
fn a_step_is_clean_if_its_truncation_is_a_millionth_or_noise() {
    assert!(clean(SMOOTH, PLACE));
    assert!(clean(Measured { truncation: 1.5e-6, ..SMOOTH }, PLACE));
    assert!(!clean(Measured { truncation: 3e-6, ..SMOOTH }, PLACE));
    assert!(!clean(Measured { truncation: 1.0, ..SMOOTH }, PLACE));
    assert!(clean(Measured { truncation: 1.0, ..SMOOTH }, Place { noise: 1.0, ..PLACE }));
}

#[test]
fn sides_apart_are_a_kink_if_nothing_was_recorded() {
    assert!(!clean(BENT, PLACE));
    assert!(clean(Measured { width_noise: 1.0, ..BENT }, PLACE), "as far apart as noise puts them");
    assert!(clean(Measured { width: 2e-5, ..SMOOTH }, PLACE), "a hundred thousandth of the terms");
    assert!(!clean(Measured { width: 3e-5, ..SMOOTH }, PLACE));
    // They come together with a smaller step where the function is smooth.
    for (width, smooth) in [(0.15, true), (0.2, false), (1.0, false)] {
        let state = tried([(Measured { width: 2.0, ..SMOOTH }, PLACE), (Measured { width, ..SMOOTH }, PLACE)]);
        assert_eq!(state.clean, smooth, "{width}");
    }
}

#[test]
fn a_record_is_believed_before_the_slopes() {
    let at = |crossing: Crossing, place: Place| Place { crossing, ..place };
    assert!(clean(BENT, at(Crossing::None, PLACE)));
    for crossing in [Crossing::At, Crossing::Between] {
        assert!(!clean(SMOOTH, at(crossing, PLACE)), "a smaller step may miss the kink");
        assert!(clean(SMOOTH, at(crossing, LAST)), "the kink is of something else");
        assert!(!clean(BENT, at(crossing, LAST)));
    }
}

#[test]
fn only_the_last_step_says_that_a_kink_is_one() {
    assert_eq!(best([(BENT, LAST)]).kink, Some([0.0, 1.5]));
    assert_eq!(best([(BENT, PLACE)]).kink, None);
    assert_eq!(best([(SMOOTH, LAST)]).kink, None);
    // Before, its error is unknown: both sides may be straight.
    assert_eq!(best([(BENT, PLACE)]).truncation, f64::INFINITY);
    assert_eq!(best([(Measured { truncation: 0.5, ..BENT }, LAST)]).truncation, 0.5);
}

#[test]
fn a_near_kink_is_remembered_with_all_its_slopes() {
    let near = Place { near: true, ..PLACE };
    assert_eq!(tried([(BENT, near)]).near, Some([0.0, 1.25]));
    let wider = Measured { slopes: [-1.0, 1.0], ..BENT };
    assert_eq!(tried([(BENT, near), (wider, near)]).near, Some([-1.0, 1.25]));
    assert_eq!(tried([(BENT, PLACE)]).near, None, "the step is long");
    assert_eq!(tried([(SMOOTH, near)]).near, None, "there is none");
    let rough = Measured { truncation: 1.0, ..SMOOTH };
    assert_eq!(
        tried([(rough, Place { crossing: Crossing::None, ..near })]).near,
        None,
        "the record says that there is none"
    );
}

/// Truncations and noises of two steps, and which is believed.
#[test]
fn the_step_with_the_smaller_error_is_believed() {
    for (first, second, expected) in [
        ((0.5, 0.25), (0.25, 0.25), 2),
        ((0.25, 0.25), (0.5, 0.25), 1),
        ((0.25, 0.25), (0.25, 0.25), 1),
        ((0.25, 0.375), (0.5, 0.25), 1),
        ((0.5, 0.25), (0.375, 0.25), 2),
    ] {
        for last in [PLACE, LAST] {
            let [first, second] =
                [(first, 1.0, PLACE), (second, 2.0, last)].map(|((truncation, noise), step, place)| {
                    (Measured { truncation, ..SMOOTH }, Place { noise, step, crossing: Crossing::None, ..place })
                });
            let found = best([(first.0, first.1), (second.0, second.1)]);
            assert_eq!(found.step, f64::from(expected), "{} {}", first.0.truncation, second.0.truncation);
        }
    }
}

#[test]
fn the_last_step_over_a_kink_is_believed_if_no_other_step_missed_it() {
    let second = |measured, place| (measured, Place { step: 2.0, ..place });
    assert_eq!(best([(BENT, PLACE), second(BENT, LAST)]).step, 2.0);
    assert_eq!(best([(BENT, PLACE), second(BENT, PLACE)]).step, 0.25);
    assert_eq!(best([(SMOOTH, PLACE), second(BENT, LAST)]).step, 0.25);
}

/// 1 with an error of 1 + 1/2, then 3: they are apart by 1/2 more than that.
#[test]
fn a_step_that_contradicts_a_longer_one_has_the_rest_for_an_error() {
    let longer = (Measured { truncation: 1.0, ..SMOOTH }, Place { noise: 0.5, crossing: Crossing::None, ..PLACE });
    for place in [PLACE, LAST] {
        let shorter = Measured { derivative: 3.0, truncation: 0.25, ..SMOOTH };
        let found = best([longer, (shorter, Place { noise: 0.25, crossing: Crossing::None, ..place })]);
        assert_eq!((found.derivative, found.truncation, found.noise), (3.0, 0.75, 0.25));
    }
}
