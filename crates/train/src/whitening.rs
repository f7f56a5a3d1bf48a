//! The kernels of `whitening`, computed from the training images before the first iteration of a run.

use backproof_data::{Subset, evaluation_selections};
use backproof_models::Network;
use backproof_spec::{Conv2dSpec, Initialization, LayerSpec, Shape, Size2, Whitening};
use nalgebra::{DMatrix, SymmetricEigen};
use rayon::prelude::*;

/// The parts that the images are divided into, each with a sum of its own. The number of threads plays no role, so
/// that a run has the same kernels with any.
const PARTS: usize = 16;

/// `network` with the kernels that whiten `images`, if its first layer asks for that; `None` if there is nothing to
/// compute. What a warm start `loaded` stays as it is.
pub(crate) fn whitened<'a>(
    network: &Network,
    mut loaded: impl Iterator<Item = &'a String>,
    images: &Subset,
) -> Option<Network> {
    let LayerSpec::Conv2d(conv) = network.architecture().layers.first()? else { return None };
    if !conv.is_whitening() {
        return None;
    }
    let name = format!("{}.weight", network.names()[0]);
    if loaded.any(|loaded| *loaded == name) {
        return None;
    }
    Some(network.clone().with_values(&name, &kernels(conv, images)))
}

/// The kernels, `[2 C h w, C, h, w]` in row-major order.
fn kernels(conv: &Conv2dSpec, images: &Subset) -> Vec<f64> {
    let Initialization { gain, whitening, .. } = conv.initialization.unwrap_or_default();
    let Whitening { images: most, epsilon } = whitening.unwrap_or_default();
    let covariance = covariance(conv.kernel, images, most);
    let size = covariance.nrows();
    let SymmetricEigen { eigenvectors, eigenvalues } = covariance.symmetric_eigen();
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&one, &other| eigenvalues[other].total_cmp(&eigenvalues[one]));
    let mut kernels = Vec::with_capacity(2 * size * size);
    for column in order {
        let vector = eigenvectors.column(column);
        // An eigenvector has two signs. The first of the largest numbers wins a tie.
        let largest = vector.iter().fold(0.0_f64, |largest, &v| if v.abs() > largest.abs() { v } else { largest });
        // Rounding may leave a little less than nothing of an eigenvalue that is 0.
        let scale = gain * largest.signum() / (eigenvalues[column].max(0.0) + epsilon).sqrt();
        kernels.extend(vector.iter().map(|v| scale * v));
    }
    kernels.extend_from_within(..);
    kernels[size * size..].iter_mut().for_each(|v| *v = -*v);
    kernels
}

/// The mean of p pᵀ over all patches p of the size of `kernel` of the first images, up to `most`; each patch in
/// row-major order of `[C, h, w]`.
fn covariance(kernel: Size2, images: &Subset, most: usize) -> DMatrix<f64> {
    let Shape::Image { channels, height, width } = images.images().shape() else {
        unreachable!("the first layer is a convolution")
    };
    let size = channels * kernel.height * kernel.width;
    let count = most.min(images.len());
    let selection = evaluation_selections(images, count).next().expect("a run has training images");
    let patches_of_image = (height - kernel.height + 1) * (width - kernel.width + 1);
    let part = |part: usize| {
        let mut sums = vec![0.0_f64; size * size];
        let (mut image, mut patch) = (vec![0.0_f32; channels * height * width], vec![0.0_f64; size]);
        for position in count * part / PARTS..count * (part + 1) / PARTS {
            selection.write(position, &mut image);
            for top in 0..=height - kernel.height {
                for left in 0..=width - kernel.width {
                    let mut to = patch.chunks_exact_mut(kernel.width);
                    for plane in image.chunks_exact(height * width) {
                        for row in top..top + kernel.height {
                            let from = &plane[row * width + left..][..kernel.width];
                            let to = to.next().expect("as many rows as a patch has");
                            to.iter_mut().zip(from).for_each(|(to, &from)| *to = f64::from(from));
                        }
                    }
                    for (row, &v) in patch.iter().enumerate() {
                        let sums = &mut sums[row * size..][..=row];
                        sums.iter_mut().zip(&patch).for_each(|(sum, other)| *sum += v * other);
                    }
                }
            }
        }
        sums
    };
    let parts: Vec<Vec<f64>> = (0..PARTS).into_par_iter().map(part).collect();
    let patches = (count * patches_of_image) as f64;
    DMatrix::from_fn(size, size, |row, column| {
        let at = row.max(column) * size + row.min(column);
        parts.iter().map(|sums| sums[at]).sum::<f64>() / patches
    })
}

#[cfg(test)]
mod tests;
