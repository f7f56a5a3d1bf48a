//! The gradients and the updates of a step on tensors, as figures.

use std::collections::BTreeMap;

use backproof_models::{NamedTensor, Network};
use burn::optim::GradientsParams;
use burn::tensor::TensorData;

use crate::look::TensorLook;
use crate::rules::Rules;

/// What a step begins with.
pub(super) struct Before {
    weights: Vec<NamedTensor>,
    gradients: BTreeMap<String, TensorData>,
}

impl Before {
    /// Before an optimizer gets these gradients.
    pub(super) fn new(network: &Network, gradients: &GradientsParams) -> Self {
        Self { weights: network.tensors(), gradients: network.named_gradients(gradients).into_iter().collect() }
    }

    /// The figures of the tensors that have a rule, once `network` has made the step.
    pub(super) fn figures(self, network: &Network, rules: &Rules) -> Vec<TensorLook> {
        let of_tensor = |(before, after): (NamedTensor, NamedTensor)| {
            rules.group(&before.name)?;
            let gradient = self.gradients.get(&before.name)?;
            let squares = |data: &TensorData| data.iter::<f64>().map(|number| number * number).sum::<f64>();
            let steps = before.data.iter::<f64>().zip(after.data.iter::<f64>());
            let update = steps.map(|(before, after)| (after - before).powi(2)).sum();
            let (count, sums) = (before.data.num_elements(), [squares(gradient), update, squares(&before.data)]);
            Some(TensorLook::new(before.name, count, sums))
        };
        self.weights.into_iter().zip(network.tensors()).filter_map(of_tensor).collect()
    }
}
