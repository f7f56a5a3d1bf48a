//! Gradients on tensors, made smaller before an update.

use backproof_models::Network;
use backproof_spec::Clipping;
use burn::Tensor;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;

/// What all gradients are multiplied with, whose norm is larger than it may be: as PyTorch's `clip_grad_norm_` has it,
/// most / (norm + 10⁻⁶).
pub(super) fn factor(norm: f64, most: f64) -> Option<f32> {
    let factor = most / (norm + 1e-6);
    (factor < 1.0).then_some(factor as f32)
}

/// Clips `gradients`, which are in groups.
pub(super) fn clip(clipping: Clipping, network: &Network, mut groups: Vec<GradientsParams>) -> Vec<GradientsParams> {
    match clipping {
        Clipping::Value { most } => change(network, &mut groups, &mut Clamp(most)),
        Clipping::Norm { most } => {
            let mut squares = Squares(0.0);
            change(network, &mut groups, &mut squares);
            if let Some(factor) = factor(squares.0.sqrt(), most) {
                change(network, &mut groups, &mut Scale(factor));
            }
        }
    }
    groups
}

/// What is done to each gradient.
trait Change {
    fn change<const D: usize>(&mut self, gradient: Tensor<D>) -> Tensor<D>;
}

struct Clamp(f64);

impl Change for Clamp {
    fn change<const D: usize>(&mut self, gradient: Tensor<D>) -> Tensor<D> {
        gradient.clamp(-self.0, self.0)
    }
}

struct Scale(f32);

impl Change for Scale {
    fn change<const D: usize>(&mut self, gradient: Tensor<D>) -> Tensor<D> {
        gradient.mul_scalar(self.0)
    }
}

/// Adds up the squares, and changes nothing.
struct Squares(f64);

impl Change for Squares {
    fn change<const D: usize>(&mut self, gradient: Tensor<D>) -> Tensor<D> {
        self.0 += gradient.to_data().iter::<f64>().map(|g| g * g).sum::<f64>();
        gradient
    }
}

fn change(network: &Network, groups: &mut [GradientsParams], change: &mut impl Change) {
    network.visit(&mut Each { groups, change });
}

struct Each<'a, C> {
    groups: &'a mut [GradientsParams],
    change: &'a mut C,
}

impl<C: Change> ModuleVisitor for Each<'_, C> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        for group in self.groups.iter_mut() {
            if let Some(gradient) = group.remove::<D>(parameter.id) {
                group.register(parameter.id, self.change.change(gradient));
            }
        }
    }
}
