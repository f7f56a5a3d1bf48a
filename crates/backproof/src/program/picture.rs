//! A user's own picture, as a network gets it.

use backproof::error::Failure;
use backproof_data::{Fit, Picture};
use backproof_spec::Shape;

pub(crate) fn is_grey(shape: Shape) -> bool {
    matches!(shape, Shape::Image { channels: 1, .. })
}

/// That `--center` goes with images of this shape.
pub(crate) fn check_center(center: bool, shape: Shape) -> Result<(), Failure> {
    if center && !is_grey(shape) {
        let message = format!("--center is for networks of grey images, and this one takes {shape}");
        return Err(Failure::usage(message));
    }
    Ok(())
}

/// The pixels of the picture as an image of this shape, `[C, H, W]`; centred by its mass where that is asked for.
pub(crate) fn pixels(picture: &Picture, shape: Shape, fit: Fit, center: bool) -> Vec<u8> {
    // What is black has no place that it should be in.
    let centred = if center { picture.centred(shape) } else { None };
    centred.unwrap_or_else(|| picture.to_pixels(shape, fit))
}
