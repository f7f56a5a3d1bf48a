use super::*;

use crate::load;

const SHAPE: Shape = Shape::image(1, 28, 28);

fn of_the_sample() -> ImageStatistics {
    let training = load("mnist-sample", None).unwrap().training;
    ImageStatistics::of(&training, &(0..4_000).collect::<Vec<_>>(), 0)
}

#[test]
fn digits_are_strokes_on_black_and_other_images_are_not() {
    let digits = of_the_sample();
    assert_eq!(digits.not_strokes(), None);
    let mean = &digits.measures[0];
    assert!((mean.mean - 0.13).abs() < 0.01 && (mean.std - 0.04).abs() < 0.01, "{mean:?}");
    let training = load("mnist-sample", None).unwrap().training;
    let change = |change: &dyn Fn(u8) -> u8| {
        let pixels = (0..100).flat_map(|at| training.pixels(at).iter().map(|&pixel| change(pixel))).collect();
        let images = Images::new(pixels, vec![0; 100], SHAPE);
        ImageStatistics::of(&images, &(0..100).collect::<Vec<_>>(), 0)
    };
    let why = |statistics: &ImageStatistics| statistics.not_strokes().unwrap_or_default();
    assert!(why(&change(&|pixel| 255 - pixel)).contains(" % of an image is black, and of strokes"));
    let grey = change(&|pixel| pixel.max(20));
    assert!(why(&grey).starts_with("they have a border of brightness 0.08"), "{}", why(&grey));
    let colour = ImageStatistics::of(&Images::new(vec![0; 3 * 16], vec![0], Shape::image(3, 4, 4)), &[0], 0);
    assert_eq!(why(&colour), "they are in colour");
}

#[test]
fn few_test_digits_are_called_unlike_and_all_negatives_and_white_and_noisy_pictures_are() {
    let digits = of_the_sample();
    let test = load("mnist-sample", None).unwrap().test;
    let unlike = (0..test.len()).filter(|&at| !digits.unlike(test.pixels(at), SHAPE).is_empty()).count();
    assert!(unlike < 5, "{unlike} of 500 digits are called unlike");
    for at in 0..test.len() {
        let negative: Vec<u8> = test.pixels(at).iter().map(|pixel| 255 - pixel).collect();
        assert!(!digits.unlike(&negative, SHAPE).is_empty());
    }
    // Of a congruential generator.
    let noise = |at: u32| (at.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) >> 24) as u8;
    for pixels in [vec![255; 784], vec![0; 784], (0..784_u32).map(|at| noise(noise(at).into())).collect()] {
        assert!(!digits.unlike(&pixels, SHAPE).is_empty());
    }
}

#[test]
fn a_difference_says_what_it_is_and_what_the_training_images_have() {
    let digits = of_the_sample();
    let white: Vec<String> = digits.unlike(&[255; 784], SHAPE).iter().map(Unlike::to_string).collect();
    assert!(white.contains(&"its mean is 1.00; training images have 0.13 ± 0.04".to_owned()), "{white:?}");
    assert!(white.iter().any(|it| it.starts_with("it is of one colour, with a contrast of 0.00; ")), "{white:?}");
    let colours = Images::new([vec![100; 16], vec![90; 16], vec![80; 16]].concat(), vec![0], Shape::image(3, 4, 4));
    let colours = ImageStatistics::of(&colours, &[0], 0);
    let green = colours.unlike(&[vec![100; 16], vec![230; 16], vec![80; 16]].concat(), Shape::image(3, 4, 4));
    assert_eq!(green[0].to_string(), "its mean in green is 0.90; training images have 0.35 ± 0.00");
}

#[test]
fn padding_does_not_count() {
    let training = load("mnist-sample", None).unwrap().training;
    let few: Vec<usize> = (0..50).collect();
    assert_eq!(ImageStatistics::of(&training.padded(2), &few, 2), ImageStatistics::of(&training, &few, 0));
    assert!(of_the_sample().fits(SHAPE) && !of_the_sample().fits(Shape::image(3, 28, 28)));
}
