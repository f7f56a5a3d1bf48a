mod operators;

use super::*;

/// A smooth place with a derivative of 1.
const SMOOTH: Measured = Measured {
    derivative: 1.0,
    truncation: 0.0,
    magnitude: 2.0,
    width: 0.0,
    noise: 0.0,
    asymmetry: 0.0,
    width_noise: 0.0,
    one_sided: [0.5, 1.5],
    one_sided_error: 0.0,
    slopes: [0.0, 1.25],
};

/// The sides are 1 apart.
const BENT: Measured = Measured { width: 1.0, ..SMOOTH };

const LEVEL: Level = Level {
    measured: SMOOTH,
    crossing: Crossing::Unknown,
    step: 0.25,
    relative: 0.25,
    noise: 0.0,
    learned: 0.0,
    long: false,
};

fn level(measured: Measured, step: f64) -> Level {
    Level { measured, step, relative: step, ..LEVEL }
}

fn levels(all: &[Level]) -> Levels {
    levels_within(f64::INFINITY, all)
}

/// Of an objective of which round-off hides so much.
fn levels_within(quantum: f64, all: &[Level]) -> Levels {
    let mut levels = Levels::new(quantum);
    all.iter().for_each(|level| levels.add(*level));
    levels
}

fn decide(all: &[Level]) -> Estimate {
    levels(all).decide(1.0)
}

#[test]
fn a_step_is_clean_if_its_truncation_is_a_millionth_or_noise() {
    for (truncation, noise, clean) in
        [(0.0, 0.0, true), (1.5e-6, 0.0, true), (3e-6, 0.0, false), (1.0, 0.0, false), (1.0, 1.0, true)]
    {
        let found = decide(&[Level { noise, ..level(Measured { truncation, ..SMOOTH }, 0.25) }]);
        assert_eq!((found.clean, found.kink), (clean, None), "{truncation} {noise}");
    }
}

#[test]
fn the_steps_may_be_tried_in_any_order() {
    let long = level(BENT, 1.0);
    let short = level(Measured { derivative: 2.0, ..SMOOTH }, 0.5);
    for order in [[long, short], [short, long]] {
        let found = decide(&order);
        assert_eq!((found.derivative, found.step, found.clean, found.kink), (2.0, 0.5, true, None));
    }
}

#[test]
fn sides_apart_are_a_kink_if_nothing_was_recorded() {
    let kinked = |measured: Measured| decide(&[level(measured, 0.25)]).kink.is_some();
    assert!(kinked(BENT) && !kinked(SMOOTH));
    assert!(!kinked(Measured { width_noise: 1.0, ..BENT }), "as far apart as noise puts them");
    assert!(!kinked(Measured { width: 2e-5, ..SMOOTH }), "a hundred thousandth of the terms");
    assert!(kinked(Measured { width: 3e-5, ..SMOOTH }));
    assert!(!kinked(Measured { one_sided_error: 0.1, ..BENT }), "the sides are steep, and no straight lines");
}

#[test]
fn a_kink_must_be_the_same_with_the_two_shortest_steps() {
    let kink = |first: Measured, second: Measured| {
        let found = decide(&[level(first, 0.25), level(second, 0.125)]);
        (found.clean, found.kink)
    };
    assert_eq!(kink(BENT, BENT), (true, Some([0.5, 1.5])));
    let moved = |by: f64| Measured { one_sided: [0.5 + by, 1.5 + by], ..BENT };
    assert_eq!(kink(BENT, moved(0.015)).1, Some([0.515, 1.515]), "by less than a fiftieth of the width");
    assert_eq!(kink(BENT, moved(0.025)), (false, None));
    // They come together with a shorter step where the function is smooth.
    for (width, smooth) in [(0.05, true), (0.2, false)] {
        assert_eq!(kink(BENT, Measured { width, ..SMOOTH }).1.is_none() && smooth, smooth, "{width}");
    }
    // Of three steps the longest may see a place of strong curvature.
    let found = decide(&[level(moved(9.0), 0.25), level(BENT, 0.125), level(BENT, 0.0625)]);
    assert_eq!((found.kink, found.step), (Some([0.5, 1.5]), 0.0625));
}

#[test]
fn a_kink_that_a_shorter_step_avoids_is_near_and_not_at_the_point() {
    let wide = Measured { slopes: [-1.0, 1.0], ..BENT };
    let all = levels(&[level(wide, 0.25), level(BENT, 0.125), level(SMOOTH, 0.0625)]);
    let found = all.decide(0.5);
    assert_eq!((found.clean, found.kink, found.derivative), (true, None, 1.0));
    assert_eq!(found.near, Some(Near { within: 0.125, slopes: [-1.0, 1.25] }));
    assert_eq!(
        all.decide(0.125).near,
        Some(Near { within: 0.125, slopes: [0.0, 1.25] }),
        "that of the longer step is far"
    );
    assert_eq!(all.decide(0.1).near, None);
    assert_eq!(levels(&[level(BENT, 0.125), level(SMOOTH, 0.0625)]).decide(0.5).near, None, "one step shows no kink");
    let steep = Measured { slopes: [-1.0, 9.0], ..BENT };
    assert_eq!(levels(&[level(BENT, 0.25), level(steep, 0.125), level(SMOOTH, 0.0625)]).decide(0.5).near, None);
}

#[test]
fn a_record_is_believed_before_the_slopes() {
    let at = |crossing: Crossing, measured: Measured| decide(&[Level { crossing, ..level(measured, 0.25) }]);
    let rough = at(Crossing::None, BENT);
    assert!(rough.kink.is_none() && !rough.clean && rough.truncation == 0.5, "no kink, and an error of half the width");
    for crossing in [Crossing::At, Crossing::Between] {
        assert!(at(crossing, BENT).kink.is_some());
        // The kink is of something that this objective does not depend on.
        assert!(at(crossing, SMOOTH).clean && at(crossing, SMOOTH).kink.is_none());
        // Where another step sees none, a kink that does not show may be hidden.
        let hidden = Level { crossing, ..level(Measured { derivative: 7.0, ..SMOOTH }, 0.25) };
        let seen = Level { crossing: Crossing::None, noise: 0.5, ..level(SMOOTH, 0.125) };
        assert_eq!(decide(&[hidden, seen]).derivative, 1.0, "{crossing:?}");
    }
}

/// Truncations and noises of two steps, and which is believed.
#[test]
fn the_clean_step_with_the_smaller_error_is_believed() {
    for (first, second, expected) in [
        ((1.0, 2.0), (0.0, 1.0), 0.125),
        ((0.0, 1.0), (1.0, 2.0), 0.25),
        ((0.0, 1.0), (0.0, 1.0), 0.25),
        ((5.0, 1.0), (1.0, 2.0), 0.125),
    ] {
        let [first, second] = [(first, 0.25), (second, 0.125)]
            .map(|((truncation, noise), step)| Level { noise, ..level(Measured { truncation, ..SMOOTH }, step) });
        assert_eq!(decide(&[first, second]).step, expected, "{} {}", first.error(), second.error());
    }
}

#[test]
fn a_long_step_that_a_shorter_one_contradicts_is_not_believed() {
    let long = level(SMOOTH, 0.25);
    let short = |derivative: f64| Level { noise: 0.5, ..level(Measured { derivative, ..SMOOTH }, 0.125) };
    assert_eq!(decide(&[long, short(1.25)]).step, 0.25);
    let found = decide(&[long, short(1.75)]);
    assert_eq!((found.step, found.derivative, found.clean), (0.125, 1.75, true));
    // Nothing is left that is clean.
    let rough = level(Measured { derivative: 1.75, truncation: 0.5, ..SMOOTH }, 0.125);
    assert!(!decide(&[long, rough]).clean);
}

#[test]
fn differences_that_come_together_are_believed_though_none_is_a_millionth() {
    let rough = |derivative: f64, step: f64| level(Measured { derivative, truncation: derivative, ..SMOOTH }, step);
    let falling = decide(&[rough(0.1, 1.0), rough(0.01, 0.1), rough(0.001, 0.01)]);
    assert_eq!((falling.clean, falling.derivative), (true, 0.001));
    let rising = decide(&[rough(0.1, 1.0), rough(0.11, 0.1), rough(0.12, 0.01)]);
    assert!(!rising.clean);
    assert!(!decide(&[rough(0.1, 1.0), rough(0.01, 0.1)]).clean, "two steps show no order");
    let beside = Level { step: 9.0, ..level(BENT, 9.0) };
    assert!(!decide(&[beside, rough(0.1, 1.0), rough(0.01, 0.1), rough(0.001, 0.01)]).clean, "a kink is near");
}

#[test]
fn what_is_no_number_is_not_believed() {
    let nothing = level(Measured { derivative: f64::NAN, truncation: f64::INFINITY, ..SMOOTH }, 0.25);
    assert!(!decide(&[nothing]).clean);
    assert_eq!(decide(&[nothing, level(SMOOTH, 0.125)]).derivative, 1.0);
}

#[test]
fn an_output_that_stays_with_one_step_and_moves_with_another_is_hidden_by_its_noise() {
    let mut all =
        levels(&[level(Measured { noise: 3.0, ..SMOOTH }, 0.5), level(Measured { noise: 3.0, ..SMOOTH }, 0.25)]);
    all.set_noise(|step| if step == 0.25 { 4.0 } else { 0.0 });
    let noises: Vec<f64> = all.levels.iter().map(|level| level.noise).collect();
    assert_eq!(noises, [16.0 * 3.0 / 0.5, 16.0 * 5.0 / 0.25]);
}

/// With a step much longer than the element a bend counts as a kink even if none was recorded.
#[test]
fn a_long_step_that_bends_says_nothing_of_the_point() {
    let long = |long: bool| Level { long, crossing: Crossing::None, ..level(BENT, 9.0) };
    let short = Level { crossing: Crossing::None, noise: 0.75, ..level(Measured { derivative: 2.0, ..SMOOTH }, 0.25) };
    let found = decide(&[long(true), short]);
    assert_eq!((found.clean, found.derivative), (true, 2.0));
    assert!(levels(&[long(true)]).sight(0) == Sight::Kinked && levels(&[long(false)]).sight(0) == Sight::Smooth);
}

/// Noise of the width counts up to a tenth of the width.
#[test]
fn sides_are_smooth_and_the_same_to_within_a_fiftieth_and_noise() {
    let smooth = |one_sided_error: f64, width_noise: f64, width: f64| {
        level(Measured { one_sided_error, width_noise, width, ..BENT }, 0.25).smooth_sides()
    };
    assert!(smooth(0.039, 0.0, 2.0) && !smooth(0.041, 0.0, 2.0), "a fiftieth of 2");
    assert!(smooth(0.09, 0.06, 2.0) && !smooth(0.11, 0.06, 2.0), "and noise");
    assert!(smooth(0.23, 9.0, 2.0) && !smooth(0.25, 9.0, 2.0), "of a tenth at most");
    let same = |by: f64, noise: [f64; 2]| {
        let [own, other] = noise.map(|width_noise| Measured { width_noise, width: 2.0, ..BENT });
        let moved = Measured { one_sided: [0.5, 1.5 + by], ..other };
        level(own, 0.25).same_sides(&level(moved, 0.125))
    };
    assert!(same(0.039, [0.0; 2]) && !same(0.041, [0.0; 2]));
    assert!(same(0.13, [0.06, 0.04]) && !same(0.15, [0.06, 0.04]));
    assert!(same(0.23, [9.0, 9.0]) && !same(0.25, [9.0, 9.0]));
}

#[test]
fn a_longer_step_is_contradicted_beyond_the_errors_of_both() {
    let contradicted = |apart: f64, own: f64, noise: f64| {
        let long = level(Measured { truncation: own, magnitude: 0.0, ..SMOOTH }, 0.5);
        let derivative = SMOOTH.derivative + apart;
        long.contradicted(&Level { noise, ..level(Measured { derivative, magnitude: 0.0, ..SMOOTH }, 0.25) })
    };
    assert!(!contradicted(0.7, 0.25, 0.5) && contradicted(0.8, 0.25, 0.5), "its own truncation is the smaller one");
    assert!(!contradicted(0.9, 9.0, 0.5) && contradicted(1.1, 9.0, 0.5), "twice that of the shorter");
    let rounding = |apart: f64| {
        let derivative = SMOOTH.derivative + apart;
        level(SMOOTH, 0.5).contradicted(&level(Measured { derivative, magnitude: 8.0, ..SMOOTH }, 0.25))
    };
    assert!(!rounding(7e-9) && rounding(9e-9), "a billionth of the larger terms");
}

/// An intermediate result that is rounded to eighths: the long step sees 8 of them, one of an eighth none.
#[test]
fn what_short_steps_do_not_see_is_noise_of_longer_ones() {
    let still = Measured { derivative: 0.0, magnitude: 0.0, ..SMOOTH };
    let learned = |quantum: f64| {
        let mut levels = levels_within(quantum, &[level(SMOOTH, 1.0), level(still, 0.125)]);
        levels.set_noise(|_| 0.0);
        let learned: Vec<f64> = levels.levels.iter().map(|level| level.learned).collect();
        (learned, levels.decide(1.0).derivative)
    };
    assert_eq!(learned(0.12), (vec![4.0 * 0.125, 0.0], 0.0), "the function is flat, and is not further away");
    assert_eq!(learned(0.13), (vec![4.0 * 0.125, 1.0], 1.0), "an eighth of the slope is less than a rounding");
    // A shorter step that does not agree with its half, where the longer one does.
    let rough = Measured { derivative: 1.125, truncation: 0.25, ..SMOOTH };
    let mut levels = self::levels(&[level(SMOOTH, 1.0), level(rough, 0.125)]);
    levels.set_noise(|_| 0.0);
    let found = levels.decide(1.0);
    assert_eq!((found.derivative, found.noise, found.clean), (1.0, 4.0 * 0.25 * 0.125, true));
    // Truncation that falls with the step is none.
    let mut levels = self::levels(&[level(rough, 1.0), level(Measured { truncation: 0.125, ..SMOOTH }, 0.125)]);
    levels.set_noise(|_| 0.0);
    assert_eq!(levels.levels[0].learned, 0.0);
}

/// Errors and bends that rise as the step falls, as those of round-off do: the shortest step, at which nothing moves, is
/// not believed. At a kink beside the point the bend stays.
#[test]
fn a_step_at_which_nothing_moves_is_no_zero_after_rising_noise() {
    let off = |by: f64, width: f64| Measured { truncation: by, width, width_noise: 1.0, ..SMOOTH };
    let still = Measured { derivative: 0.0, magnitude: 0.0, ..SMOOTH };
    let decided = |widths: [f64; 3], quantum: f64| {
        let all = [(1.0, 2f64.powi(-30)), (0.125, 2f64.powi(-26)), (2f64.powi(-6), 2f64.powi(-22))];
        let mut all: Vec<Level> =
            all.iter().zip(widths).map(|(&(step, by), width)| level(off(by, width), step)).collect();
        all.push(level(still, 2f64.powi(-30)));
        let mut levels = levels_within(quantum, &all);
        levels.set_noise(|_| 0.0);
        levels.decide(0.0).derivative
    };
    let rising = [1e-9, 1e-8, 1e-7];
    assert_eq!(decided(rising, f64::INFINITY), 1.0);
    assert_eq!(decided([1e-2, 1e-2, 1e-2], f64::INFINITY), 0.0);
    // The second step is off by 2⁻²⁶ over 2⁻³.
    assert_eq!([2f64.powi(-29), 2f64.powi(-31)].map(|quantum| decided(rising, quantum)), [1.0, 0.0]);
}

/// A step of height 1 that is steeper than every step but the last, whose noise hides it.
#[test]
fn what_rises_by_the_same_over_every_step_says_nothing() {
    let of = |step: f64, rise: f64| {
        let derivative = rise / step;
        level(Measured { derivative, truncation: derivative, magnitude: derivative, ..SMOOTH }, step)
    };
    let noisy = |level: Level| Level { noise: 1e3, ..level };
    let clean = |rises: [f64; 4], quantum: f64| {
        let all = [1.0, 0.1, 0.01, 1e-3].iter().zip(rises).map(|(&step, rise)| of(step, rise));
        let all: Vec<Level> = all.map(noisy).collect();
        levels_within(quantum, &all).decide(0.0).step
    };
    assert_eq!(clean([1.0, 1.0, 1.0, 0.5], 0.5), 1e-3, "only the last step is shorter than the jump");
    assert_eq!(clean([1.0, 1.0, 0.5, 0.5], 0.5), 1.0, "two steps may agree by chance");
    assert_eq!(clean([1.0, 1.0, 1.0, 0.5], 2.0), 1.0, "it is less than a rounding");
}
