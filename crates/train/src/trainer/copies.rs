//! Copies of the weights that go after them, on tensors.

use backproof_models::Network;
use burn::Tensor;
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;

/// The number of the moving average among the copies of the weights.
pub(super) const AVERAGE: usize = 0;
/// The number of Lookahead's slow weights.
pub(super) const SLOW: usize = 1;

/// `copy`, whose parameters go this share of the way to those of `network`; both are on a plain device.
pub(super) fn follow(copy: Network, network: &Network, share: f64) -> Network {
    copy.map(&mut Follow { weights: network.as_gradients(), share })
}

struct Follow {
    weights: GradientsParams,
    share: f64,
}

impl ModuleMapper for Follow {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(weights) = self.weights.remove::<D>(parameter.id) else { return parameter };
        let (id, copy, mapper) = parameter.consume();
        let copy = copy.clone() + (weights - copy).mul_scalar(self.share);
        Param::from_mapped_value(id, copy, mapper)
    }
}
