use super::*;

use crate::{ImageStatistics, load};

const SHAPE: Shape = Shape::image(1, 28, 28);

fn grey(width: usize, height: usize, pixel: impl Fn(usize, usize) -> u8) -> Picture {
    let plane = (0..width * height).map(|index| pixel(index % width, index / width)).collect();
    Picture { width, height, planes: vec![plane] }
}

/// A digit of the sample, four times as large, at (40, 20) of a sheet of 200×150 pixels; `level` gives the brightness
/// from the share of ink and the place.
fn sheet(digit: &[u8], level: impl Fn(f64, usize, usize) -> f64) -> Picture {
    let large = resize(digit, 28, 112, 112);
    grey(200, 150, |x, y| {
        let is_inside = (40..152).contains(&x) && (20..132).contains(&y);
        let ink = if is_inside { f64::from(large[(y - 20) * 112 + x - 40]) / 255.0 } else { 0.0 };
        level(ink, x, y).round().clamp(0.0, 255.0) as u8
    })
}

/// The mean difference of pixels, from 0 to 1.
fn away(one: &[u8], other: &[u8]) -> f64 {
    let sum: u32 = one.iter().zip(other).map(|(&one, &other)| u32::from(one.abs_diff(other))).sum();
    f64::from(sum) / 255.0 / one.len() as f64
}

#[test]
fn digits_on_paper_become_the_digits_that_they_were() {
    let digits = load("mnist-sample", None).unwrap().test;
    for index in (0..500).step_by(25) {
        let digit = digits.pixels(index);
        let stripes = |x: usize, y: usize| if (x + y).is_multiple_of(3) { 8.0 } else { -4.0 };
        let pictures = [
            ("grey paper", true, sheet(digit, |ink, _, _| 200.0 - 150.0 * ink)),
            ("dark paper", true, sheet(digit, |ink, _, _| 120.0 - 90.0 * ink)),
            ("chalk", false, sheet(digit, |ink, _, _| 60.0 + 150.0 * ink)),
            ("light from the left", true, sheet(digit, |ink, x, _| (230.0 - 0.6 * x as f64) * (1.0 - 0.8 * ink))),
            ("grain", true, sheet(digit, |ink, x, y| 190.0 - 140.0 * ink + stripes(x, y))),
        ];
        for (kind, is_dark, picture) in pictures {
            let ink = picture.ink(SHAPE).unwrap_or_else(|| panic!("there is a digit on {kind}"));
            assert_eq!(ink.is_dark, is_dark, "digit {index}, {kind}");
            let away = away(&ink.pixels, digit);
            assert!(away < 0.09, "digit {index}, {kind}: {away}");
        }
    }
}

#[test]
fn paper_and_contrast_are_told() {
    let digits = load("mnist-sample", None).unwrap().test;
    let ink = sheet(digits.pixels(0), |ink, _, _| 200.0 - 100.0 * ink).ink(SHAPE).unwrap();
    assert!((ink.paper - 200.0 / 255.0).abs() < 0.01 && (ink.contrast - 0.5).abs() < 0.05, "{ink:?}");
}

#[test]
fn a_table_at_the_edge_and_ruled_lines_are_no_ink() {
    let digits = load("mnist-sample", None).unwrap().test;
    let digit = digits.pixels(60);
    let bare = sheet(digit, |ink, _, _| 220.0 - 180.0 * ink).ink(SHAPE).unwrap();
    let table = sheet(digit, |ink, x, _| if x > 194 { 30.0 } else { 220.0 - 180.0 * ink }).ink(SHAPE).unwrap();
    assert!(away(&bare.pixels, &table.pixels) < 0.02);
    let ruled = |y: usize| if y % 20 == 7 { 0.8 } else { 1.0 };
    let ruled = sheet(digit, |ink, _, y| (220.0 - 180.0 * ink) * ruled(y)).ink(SHAPE).unwrap();
    assert!(away(&bare.pixels, &ruled.pixels) < 0.02);
}

#[test]
fn pictures_without_writing_have_no_ink() {
    for level in [0, 1, 128, 254, 255] {
        assert_eq!(grey(60, 40, |_, _| level).ink(SHAPE), None, "all of it is {level}");
    }
    assert_eq!(grey(90, 90, |x, y| (100 + x / 2 + y / 3) as u8).ink(SHAPE), None, "light on an empty sheet");
    let noise = |x: usize, y: usize| ((x as u32 * 7_919 + y as u32 * 104_729).wrapping_mul(2_654_435_761) >> 24) as u8;
    assert_eq!(grey(80, 80, noise).ink(SHAPE), None, "noise");
    for (width, height) in [(1, 1), (1, 50), (50, 1), (2, 3), (700, 2)] {
        let picture = grey(width, height, |x, y| if (x, y) == (0, 0) { 0 } else { 255 });
        assert!(picture.ink(SHAPE).is_none_or(|ink| ink.pixels.len() == 784));
    }
}

#[test]
fn ink_looks_like_the_digits_that_a_network_is_trained_on() {
    let sample = load("mnist-sample", None).unwrap();
    let digits = ImageStatistics::of(&sample.training, &(0..4_000).collect::<Vec<_>>(), 0);
    let of_paper = |index: usize| sheet(sample.test.pixels(index), |ink, _, _| 200.0 - 150.0 * ink);
    let unlike =
        (0..500).filter(|&index| !digits.unlike(&of_paper(index).ink(SHAPE).unwrap().pixels, SHAPE).is_empty());
    let unlike = unlike.count();
    assert!(unlike < 10, "{unlike} of 500 are unlike");
}
