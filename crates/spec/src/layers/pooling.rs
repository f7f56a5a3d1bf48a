//! What max pooling and average pooling share.

use super::window::Window;
use super::{Inferred, Misfit, checks};
use crate::Shape;
use crate::config::{Key, Kind, Literal, Presence, key};

pub(super) const KERNEL: Key = key(
    "kernel",
    Kind::Size { least: 1 },
    Presence::Required(Literal::Integer(2)),
    "Size of a window, 2 or [height, width].",
);

pub(super) const STRIDE: Key = key(
    "stride",
    Kind::Size { least: 1 },
    Presence::Optional(Literal::Integer(2)),
    "Step from one window to the next; the kernel's size when absent.",
);

pub(super) const CEIL_MODE: Key = key(
    "ceil_mode",
    Kind::Flag,
    Presence::Default(Literal::Flag(false)),
    "Whether a window may hang over the far edge.",
);

/// What pooling with windows along the vertical and the horizontal axis makes of an image.
pub(super) fn infer([down, across]: [Window; 2], input: Shape) -> Result<Inferred, Misfit> {
    let (channels, height, width) = checks::image(input)?;
    down.check_pooling_padding(height)?;
    across.check_pooling_padding(width)?;
    let (height, width) = (down.fit(height, "height", input)?, across.fit(width, "width", input)?);
    Ok(Inferred::without_parameters(Shape::image(channels, height, width)))
}
