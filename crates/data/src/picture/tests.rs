use std::path::{Path, PathBuf};

use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/pictures").join(name)
}

fn read(name: &str) -> Picture {
    Picture::read(&fixture(name)).unwrap_or_else(|error| panic!("{error}"))
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

/// What is said of a file with these bytes.
fn refused(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture");
    std::fs::write(&path, bytes).unwrap();
    let text = Picture::read(&path).map_or_else(|error| error.to_string(), |_| "nothing".to_owned());
    text.replace(&path.display().to_string(), "picture")
}

/// The largest and the mean difference of two pictures.
fn difference(one: &[u8], other: &[u8]) -> (u8, f64) {
    assert_eq!(one.len(), other.len());
    let differences = one.iter().zip(other).map(|(a, b)| a.abs_diff(*b));
    let sum: f64 = differences.clone().map(f64::from).sum();
    (differences.max().unwrap(), sum / one.len() as f64)
}

#[test]
fn every_form_of_png_gives_the_pixels_that_pillow_gives() {
    for (form, expected, tolerance) in [
        ("grey", "grey", 0),
        ("sixteen-bit", "grey", 0),
        ("palette", "palette.expected", 0),
        ("one-bit", "one-bit.expected", 0),
        ("alpha", "alpha.expected", 1),
    ] {
        let (found, expected) = (read(&format!("{form}.png")), read(&format!("{expected}.png")));
        assert_eq!((found.size(), found.planes.len()), (expected.size(), expected.planes.len()), "{form}");
        let (largest, _) = difference(&found.planes.concat(), &expected.planes.concat());
        assert!(largest <= tolerance, "{form}: off by {largest}");
    }
}

#[test]
fn every_form_of_jpeg_is_near_the_picture_that_it_was_made_of() {
    let rgb = read("rgb.png");
    for form in ["baseline.jpg", "progressive.jpg"] {
        let (_, mean) = difference(&read(form).planes.concat(), &rgb.planes.concat());
        assert!(mean < 4.0, "{form}: off by {mean} in the mean");
    }
    let (_, mean) = difference(&read("grey.jpg").planes.concat(), &read("grey.png").planes.concat());
    assert!(mean < 2.0, "grey.jpg: off by {mean} in the mean");
}

#[test]
fn a_turned_photo_is_seen_upright() {
    let rgb = read("rgb.png");
    for orientation in 1..=8 {
        let photo = read(&format!("turned-{orientation}.jpg"));
        assert_eq!(photo.size(), rgb.size(), "orientation {orientation}");
        let (_, mean) = difference(&photo.planes.concat(), &rgb.planes.concat());
        assert!(mean < 1.0, "orientation {orientation}: off by {mean} in the mean");
    }
}

#[test]
fn padding_and_cropping_resize_as_pillow_does() {
    let rgb = read("rgb.png");
    // Pillow rounds to whole numbers between rows and columns; this does not.
    let cropped = rgb.to_pixels(Shape::image(3, 20, 20), Fit::Crop);
    assert!(difference(&cropped, &read("rgb.cropped.png").planes.concat()).0 <= 1);
    let padded = rgb.to_pixels(Shape::image(3, 28, 28), Fit::Pad);
    let expected = read("rgb.padded.png");
    for (plane, expected) in padded.chunks_exact(28 * 28).zip(&expected.planes) {
        assert!(plane[..4 * 28].iter().chain(&plane[23 * 28..]).all(|&pixel| pixel == 0), "black at both sides");
        assert!(difference(&plane[4 * 28..23 * 28], expected).0 <= 1);
    }
}

#[test]
fn a_picture_of_the_right_size_keeps_every_pixel() {
    let grey = read("grey.png");
    let shape = Shape::image(1, 32, 48);
    for fit in [Fit::Pad, Fit::Crop] {
        assert_eq!(grey.to_pixels(shape, fit), grey.planes[0]);
    }
}

#[test]
fn colour_becomes_grey_and_grey_becomes_colour_as_in_pillow() {
    let shape = |channels| Shape::image(channels, 32, 48);
    let grey = read("rgb.png").to_pixels(shape(1), Fit::Pad);
    assert!(difference(&grey, &read("grey.png").planes[0]).0 <= 1);
    let colour = read("grey.png").to_pixels(shape(3), Fit::Pad);
    assert_eq!(colour, read("grey.png").planes[0].repeat(3));
}

#[test]
fn extreme_proportions_become_pictures_of_the_shape() {
    for (width, height) in [(1, 1), (1, 5000), (5000, 1), (29, 28)] {
        let picture = Picture { width, height, planes: vec![vec![255; width * height]] };
        for fit in [Fit::Pad, Fit::Crop] {
            let pixels = picture.to_pixels(Shape::image(1, 28, 28), fit);
            assert_eq!(pixels.len(), 784);
            assert!(pixels.contains(&255), "{width} × {height} by {fit:?} vanished");
        }
    }
}

#[test]
fn a_picture_cut_anywhere_is_refused() {
    for name in ["rgb.png", "palette.png", "baseline.jpg", "progressive.jpg", "grey.jpg"] {
        let bytes = bytes(name);
        for cut in 0..bytes.len() {
            let text = refused(&bytes[..cut]);
            assert!(
                text == "`picture` is damaged or cut" || text == "`picture` is neither PNG nor JPEG",
                "{name} cut at {cut} of {}: {text}",
                bytes.len()
            );
        }
    }
}

#[test]
fn damage_anywhere_is_an_error_or_another_picture_and_never_a_panic() {
    for name in ["palette.png", "alpha.png", "baseline.jpg", "progressive.jpg", "turned-6.jpg"] {
        let bytes = bytes(name);
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0x55;
            let _ = refused(&damaged);
        }
    }
}

#[test]
fn a_few_bytes_that_claim_a_huge_picture_are_refused() {
    assert_eq!(refused(&bytes("huge.png")), "`picture` has 60000 × 60000 pixels; at most 67108864 are decoded");
    assert_eq!(refused(&bytes("huge.jpg")), "`picture` has 60000 × 60000 pixels; at most 67108864 are decoded");
}

#[test]
fn what_is_no_picture_is_refused_by_name() {
    assert_eq!(refused(b"GIF89a"), "`picture` is neither PNG nor JPEG");
    assert_eq!(refused(b""), "`picture` is neither PNG nor JPEG");
    let folder = tempfile::tempdir().unwrap();
    let error = Picture::read(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("is a folder, not a picture"), "{error}");
    let error = Picture::read(&folder.path().join("none.png")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read `") && error.ends_with("none.png`"), "{error}");
}

#[test]
fn the_negative_has_the_other_brightness() {
    let picture = Picture { width: 2, height: 1, planes: vec![vec![0, 51]] };
    assert!((picture.brightness() - 0.1).abs() < 1e-12);
    assert!((picture.inverted().brightness() - 0.9).abs() < 1e-12);
}

#[test]
fn a_device_and_a_file_without_end_are_refused_before_they_are_decoded() {
    let told = |path: &Path| Picture::read(path).unwrap_err().to_string();
    #[cfg(unix)]
    assert_eq!(told(Path::new("/dev/null")), "`/dev/null` is no regular file");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    std::fs::File::create(&path).unwrap().set_len(1 << 30).unwrap();
    assert!(told(&path).contains("` has more than "), "{}", told(&path));
    assert!(told(&path).ends_with(" MiB, the most that is read"), "{}", told(&path));
}
