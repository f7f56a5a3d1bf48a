//! The logits of images that are looked at in several ways.

use backproof_data::Selection;
use backproof_spec::Views;
use burn::Tensor;

/// The logits of `images`, `[N, K]`: the mean over all views by their weights. `logits` gives those of one view.
pub(crate) fn mean_logits(
    views: Views,
    images: &Selection<'_>,
    mut logits: impl FnMut(&Selection<'_>) -> Tensor<2>,
) -> Tensor<2> {
    // One view is the image, and no product changes its bits.
    if views == Views::One {
        return logits(images);
    }
    let weighted = views.list().iter().map(|&view| logits(&images.seen(view)) * view.weight);
    weighted.reduce(|sum, next| sum + next).expect("there is at least one view")
}

#[cfg(test)]
mod tests;
