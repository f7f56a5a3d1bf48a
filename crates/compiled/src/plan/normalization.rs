//! What batch normalisations need of all shards together.

use std::ops::Range;

use super::core::Core;
use crate::graph::Norm;

impl Core {
    /// Mean and variance over the batch, which the normalisation then uses, and the running ones follow.
    pub(super) fn use_batch_statistics(&mut self, norm: usize) {
        let Norm { channels, epsilon, momentum, affine, node, .. } = self.graph.norms[norm];
        let moments = &mut self.moments[norm];
        moments.clear();
        self.shards.iter().for_each(|shard| moments.merge(&shard.moments[norm]));
        let (gamma, beta) = self.graph.scale_and_offset(node);
        let numbers = &mut self.norms[norm];
        let [running_mean, running_variance] = &mut self.running[norm];
        for channel in 0..channels {
            let (mean, variance) = (moments.mean[channel], moments.squares[channel] / moments.count);
            let inverse = 1.0 / (variance + epsilon).sqrt();
            self.inverse_deviations[norm][channel] = inverse;
            numbers.set(channel, mean, inverse, affine_of(&self.weights, [&gamma, &beta], affine, channel));
            let blend = |old: &mut f32, new: f64| *old = ((1.0 - momentum) * f64::from(*old) + momentum * new) as f32;
            blend(&mut running_mean[channel], mean);
            if moments.count > 1.0 {
                blend(&mut running_variance[channel], moments.squares[channel] / (moments.count - 1.0));
            }
        }
    }

    pub(super) fn use_running_statistics(&mut self) {
        for (norm, [mean, variance]) in self.running.iter().enumerate() {
            let Norm { channels, epsilon, affine, node, .. } = self.graph.norms[norm];
            let (gamma, beta) = self.graph.scale_and_offset(node);
            let numbers = &mut self.norms[norm];
            for channel in 0..channels {
                let inverse = 1.0 / (f64::from(variance[channel]) + epsilon).sqrt();
                let affine = affine_of(&self.weights, [&gamma, &beta], affine, channel);
                numbers.set(channel, mean[channel].into(), inverse, affine);
            }
        }
    }

    /// ∂L/∂γ and ∂L/∂β, and what the gradient of the input needs of them.
    pub(super) fn sum_norm_gradients(&mut self, norm: usize) {
        let Norm { channels, affine: [scale, shift], node, .. } = self.graph.norms[norm];
        let (gamma, beta) = self.graph.scale_and_offset(node);
        let numbers = &mut self.norms[norm];
        let count = self.moments[norm].count;
        for channel in 0..channels {
            let sum = |which: usize| self.shards.iter().map(|shard| shard.norm_sums[norm][which][channel]).sum::<f64>();
            let inverse = self.inverse_deviations[norm][channel];
            let (of_beta, of_gamma) = (sum(0), sum(1) * inverse);
            // What there is not, does not move.
            self.gradient[beta.start + channel] = if shift { of_beta as f32 } else { 0.0 };
            self.gradient[gamma.start + channel] = if scale { of_gamma as f32 } else { 0.0 };
            numbers.of_sum[channel] = (of_beta / count) as f32;
            numbers.of_product[channel] = (inverse * of_gamma / count) as f32;
        }
    }
}

/// γ and β of a channel: 1 and 0 where the normalisation has none.
fn affine_of(weights: &[f32], at: [&Range<usize>; 2], [scale, shift]: [bool; 2], channel: usize) -> [f32; 2] {
    let [gamma, beta] = at.map(|range| weights[range.start + channel]);
    [if scale { gamma } else { 1.0 }, if shift { beta } else { 0.0 }]
}
