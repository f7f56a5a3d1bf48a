//! What each operator of `levels.rs` does: one test for each that no other test holds.

use super::*;

/// The sides are straight, and what is learned is 1: a hundred-thousandth of the terms, which are 2, counts.
#[test]
fn learned_noise_explains_a_hundred_thousandth_of_the_terms() {
    let clean =
        |truncation: f64| decide(&[Level { learned: 1.0, ..level(Measured { truncation, ..SMOOTH }, 0.25) }]).clean;
    assert!(clean(1.5e-5) && !clean(3e-5));
}

#[test]
fn asymmetry_adds_to_the_noise() {
    let mut all = levels(&[level(Measured { noise: 3.0, asymmetry: 0.5, ..SMOOTH }, 0.5)]);
    all.set_noise(|_| 0.0);
    assert_eq!(all.levels[0].noise, 16.0 * 3.0 / 0.5 + 0.5);
}

#[test]
fn noise_of_a_shorter_step_counts_as_the_steps_are_to_each_other() {
    let rough = Measured { truncation: 0.25, ..SMOOTH };
    let mut all = levels(&[level(SMOOTH, 2.0), level(rough, 0.25)]);
    all.set_noise(|_| 0.0);
    assert_eq!(all.levels[0].learned, 4.0 * 0.25 * 0.25 / 2.0);
}

/// What four steps, each an eighth of the one before, learn from truncations in units of 2⁻²⁰ and from widths.
fn learned(truncations: [f64; 4], widths: [f64; 4]) -> Vec<f64> {
    let steps = [1.0, 2f64.powi(-3), 2f64.powi(-6), 2f64.powi(-9)];
    let each = steps.into_iter().zip(truncations.into_iter().zip(widths));
    let all: Vec<Level> = each
        .map(|(step, (truncation, width))| {
            level(Measured { truncation: truncation * 2f64.powi(-20), width, ..SMOOTH }, step)
        })
        .collect();
    let mut all = levels(&all);
    all.set_noise(|_| 0.0);
    all.levels.iter().map(|level| level.learned * 2f64.powi(20)).collect()
}

/// The second step is off by 4 over an eighth: by so much, times four, over each shorter step.
#[test]
fn what_rises_twice_goes_on_rising() {
    let widths = [1e-9, 1e-8, 1e-7, 1e-6];
    let risen = vec![2.0, 16.0, 128.0, 1024.0];
    assert_eq!(learned([1.0, 4.0, 16.0, 10.0], widths), risen);
    let last = |truncations: [f64; 4], widths: [f64; 4]| learned(truncations, widths)[3];
    assert_eq!(last([1.0, 4.0, 16.0, 6.0], widths), 0.0, "it falls by more than half at the end");
    assert_eq!(last([3.0, 4.0, 16.0, 10.0], widths), 0.0, "it does not rise at first");
    assert_eq!(last([1.0, 4.0, 6.0, 6.0], widths), 0.0, "it does not rise again");
    // The terms are 2: sides that are further apart than a fiftieth are beside a kink.
    assert_eq!(last([1.0, 4.0, 16.0, 10.0], [0.005, 0.015, 0.04, 0.04]), 1024.0);
    assert_eq!(last([1.0, 4.0, 16.0, 10.0], [0.005, 0.03, 0.07, 0.07]), 0.0);
}

#[test]
fn a_kink_that_only_the_shortest_step_sees_is_not_steady() {
    let unseen = Level { crossing: Crossing::None, ..level(BENT, 0.25) };
    assert!(!levels(&[unseen, level(BENT, 0.125)]).steady_kink());
    assert!(levels(&[level(BENT, 0.25), level(BENT, 0.125)]).steady_kink());
}

#[test]
fn a_kink_is_at_most_three_times_as_wide_with_one_step_as_with_another() {
    let near = |width: f64| {
        let [narrow, wide] = [0.5, width].map(|width| Measured { slopes: [0.0, width], ..BENT });
        levels(&[level(narrow, 0.25), level(wide, 0.125), level(SMOOTH, 0.0625)]).decide(0.5).near.is_some()
    };
    assert!(near(1.25) && !near(2.0));
}

#[test]
fn noise_makes_no_kink_smooth() {
    assert!(decide(&[Level { noise: 10.0, ..level(BENT, 0.25) }]).kink.is_some());
}

/// Two steps see the same kink, the shorter one with more noise.
#[test]
fn of_two_steps_at_a_kink_the_one_with_the_lesser_error_says_what_the_sides_are() {
    let step = |one_sided_error: f64| {
        let before = level(Measured { one_sided_error, ..BENT }, 0.25);
        let found = decide(&[before, Level { noise: 1.0, ..level(BENT, 0.125) }]);
        assert!(found.kink.is_some());
        found.step
    };
    assert_eq!([step(0.0), step(0.1)], [0.25, 0.125], "if its sides are smooth");
}

/// Derivatives and truncations of three steps.
#[test]
fn differences_come_together_if_each_is_within_the_errors_of_the_one_before() {
    let clean = |derivatives: [f64; 3], truncations: [f64; 3]| {
        let all: [Level; 3] = std::array::from_fn(|at| {
            let (derivative, truncation) = (derivatives[at], truncations[at]);
            level(Measured { derivative, truncation, ..SMOOTH }, [1.0, 0.1, 0.01][at])
        });
        decide(&all).clean
    };
    let falling = [0.1, 0.01, 0.001];
    assert!(clean([1.0, 1.0, 1.0], falling));
    assert!(clean([1.0, 1.1, 1.1], falling) && !clean([1.0, 1.12, 1.12], falling), "0.11 are the errors of both");
    assert!(!clean([1.0; 3], [0.1, 0.2, 0.02]) && !clean([1.0; 3], [0.1, 0.01, 0.02]), "they must fall twice");
}

/// A slope of 1 over a step of an eighth is less than a rounding. Of the longer step the terms are 2: it is straight if
/// its truncation is 2 · 10⁻⁴ and its width 2 · 10⁻³.
#[test]
fn only_a_straight_line_goes_on_where_nothing_moves() {
    let still = Measured { derivative: 0.0, magnitude: 0.0, ..SMOOTH };
    let learned = |truncation: f64, width: f64| {
        let long = level(Measured { truncation, width, ..SMOOTH }, 1.0);
        let mut all = levels_within(0.13, &[long, level(still, 0.125)]);
        all.set_noise(|_| 0.0);
        all.levels[1].learned
    };
    assert_eq!([learned(1e-4, 1e-3), learned(3e-4, 1e-3), learned(1e-4, 3e-3)], [1.0, 0.0, 0.0]);
}
