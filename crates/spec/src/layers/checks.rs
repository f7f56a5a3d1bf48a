//! Checks of inputs and hyperparameters that several layers make.

use super::Misfit;
use crate::config::Range;
use crate::{Initialization, Shape, counted};

/// The channels, the height and the width of an input that has to be an image.
pub(super) fn image(input: Shape) -> Result<(usize, usize, usize), Misfit> {
    match input {
        Shape::Image { channels, height, width } => Ok((channels, height, width)),
        Shape::Vector { features } => {
            Err(Misfit::new(format!("expected an image, got a vector of {}", counted(features, "feature")))
                .help("put it before the `flatten` or `linear` layer that makes the vector"))
        }
    }
}

pub(super) fn positive(key: &str, value: usize) -> Result<(), Misfit> {
    if value == 0 {
        return Err(Misfit::new(format!("{key} must be at least 1, got 0")));
    }
    Ok(())
}

/// What is added to a variance before its root.
pub(super) fn epsilon(value: f64) -> Result<(), Misfit> {
    if Range::POSITIVE.contains(value) {
        Ok(())
    } else {
        Err(Misfit::new(format!("epsilon must be positive, got {value}")))
    }
}

/// A number alone is its own mean.
pub(super) fn more_than_one(elements: usize, what: &str) -> Result<(), Misfit> {
    match elements {
        0 | 1 => Err(Misfit::new(format!("{what} has one number, which normalises to 0"))),
        _ => Ok(()),
    }
}

/// One weight has no standard deviation.
pub(super) fn deviation(initialization: Option<Initialization>, weights: usize) -> Result<(), Misfit> {
    if initialization.is_some_and(|it| it.unit_deviation) && weights < 2 {
        return Err(Misfit::new(format!("unit_deviation = true needs at least 2 weights, got {weights}"))
            .help("leave out `unit_deviation`"));
    }
    Ok(())
}

pub(super) fn finite(key: &str, value: f64) -> Result<(), Misfit> {
    if value.is_finite() { Ok(()) } else { Err(Misfit::new(format!("{key} must be finite, got {value}"))) }
}

/// How many numbers a tensor with these axes has; `what` it is, where they are too many for a `usize`.
pub(super) fn elements(axes: &[usize], what: &str) -> Result<usize, Misfit> {
    axes.iter().try_fold(1_usize, |product, &axis| product.checked_mul(axis)).ok_or_else(|| Misfit::too_large(what))
}
