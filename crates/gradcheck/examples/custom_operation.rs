//! An operation with a backward of its own, as Burn's `extension` feature allows, and the proof of it.
//!
//! ```sh
//! cargo run --release -p backproof-gradcheck --example custom_operation
//! ```
//!
//! The operation is SwiGLU, `y = v · g · σ(g)` for a value `v` and a gate `g` of one shape (Shazeer, *GLU variants
//! improve transformer*, 2020). Composed of Burn's operations, autodiff would keep `σ(g)` and `g σ(g)` for the
//! backward; as one operation it keeps the two inputs alone.
//!
//! The first report proves it. The second is of a backward that forgets a term, and names what it forgot.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use backproof_gradcheck::{Arguments, Check, Gradients, Value};
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients as Gathered;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Device, Tensor, activation};

/// The operation on the primitives of a backend. A backend with a kernel of its own would override the default.
#[backend_extension(Autodiff, Flex)]
pub(crate) trait SwiGlu: Backend {
    /// `v · g · σ(g)`.
    fn swiglu(gate: FloatTensor<Self>, value: FloatTensor<Self>) -> FloatTensor<Self> {
        let sigmoid = Self::sigmoid(gate.clone());
        Self::float_mul(value, Self::float_mul(gate, sigmoid))
    }

    /// The same, with a backward that takes `σ(g)` for a constant.
    fn forgetful_swiglu(gate: FloatTensor<Self>, value: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::swiglu(gate, value)
    }
}

impl SwiGlu for Flex {}

/// On a device of autodiff the operation is one node of the graph.
impl<B: SwiGlu, C: CheckpointStrategy> SwiGlu for Autodiff<B, C> {
    fn swiglu(gate: FloatTensor<Self>, value: FloatTensor<Self>) -> FloatTensor<Self> {
        node::<B, C>(SwiGluBackward { forgetful: false }, gate, value)
    }

    fn forgetful_swiglu(gate: FloatTensor<Self>, value: FloatTensor<Self>) -> FloatTensor<Self> {
        node::<B, C>(SwiGluBackward { forgetful: true }, gate, value)
    }
}

/// Runs the forward, and registers the backward if one of the inputs is tracked.
fn node<B: SwiGlu, C: CheckpointStrategy>(
    backward: SwiGluBackward,
    gate: FloatTensor<Autodiff<B, C>>,
    value: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    match Backward::<B, 2>::prepare::<C>(backward, [gate.node(), value.node()]).compute_bound().stateful() {
        OpsKind::Tracked(mut node) => {
            let state = [node.checkpoint(&gate), node.checkpoint(&value)];
            node.finish(state, B::swiglu(gate.into_primitive(), value.into_primitive()))
        }
        OpsKind::UnTracked(node) => node.finish(B::swiglu(gate.into_primitive(), value.into_primitive())),
    }
}

/// With `s = σ(g)`, whose derivative is `s (1 − s)`, and the gradient `w` of the output:
///
/// ```text
/// ∂/∂v = w g s        ∂/∂g = w v (s + g s (1 − s))
/// ```
#[derive(Debug)]
struct SwiGluBackward {
    /// Leaves the second term of `∂/∂g` out.
    forgetful: bool,
}

impl<B: SwiGlu> Backward<B, 2> for SwiGluBackward {
    /// Where the checkpointer has gate and value.
    type State = [NodeId; 2];

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gathered, checkpointer: &mut Checkpointer) {
        let w = gradients.consume::<B>(&ops.node);
        let [gate, value] = ops.state.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let s = B::sigmoid(gate.clone());
        let silu = B::float_mul(gate, s.clone());
        let [gate_node, value_node] = ops.parents;
        if let Some(node) = value_node {
            gradients.register::<B>(node.id, B::float_mul(w.clone(), silu.clone()));
        }
        if let Some(node) = gate_node {
            let slope = match self.forgetful {
                true => s,
                // s + g s (1 − s) = s + g s − s · g s
                false => B::float_sub(B::float_add(s.clone(), silu.clone()), B::float_mul(s, silu)),
            };
            gradients.register::<B>(node.id, B::float_mul(B::float_mul(w, value), slope));
        }
    }
}

/// `v · g · σ(g)` of two tensors of one shape.
pub(crate) fn swiglu<const D: usize>(gate: Tensor<D>, value: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as SwiGlu>::swiglu(gate.into_dispatch(), value.into_dispatch()))
}

/// [`swiglu`] with the forgetful backward.
pub(crate) fn forgetful_swiglu<const D: usize>(gate: Tensor<D>, value: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as SwiGlu>::forgetful_swiglu(gate.into_dispatch(), value.into_dispatch()))
}

pub(crate) type Operation = fn(Tensor<2>, Tensor<2>) -> Tensor<2>;

/// The claim that an operation's backward is the derivative of its forward, with the faults that are easily made in it.
pub(crate) fn check(operation: Operation) -> Check<'static> {
    let device = Device::flex();
    Check::new("SwiGLU")
        .input("gate", Value::normal([4, 5], 1))
        .input("value", Value::normal([4, 5], 2))
        .forward(&device, move |t| operation(t.get("gate"), t.get("value")))
        .autodiff(&device)
        .mutant("σ(g) is taken for a constant", &device, |t| {
            let weighted = t.cotangent::<2>() * t.get("value");
            Gradients::new().with("gate", weighted * activation::sigmoid(t.get("gate")))
        })
        .mutant("σ(1 − σ) without g", &device, |t| {
            let s = activation::sigmoid(t.get::<2>("gate"));
            Gradients::new().with("gate", t.cotangent::<2>() * t.get("value") * (s.clone() * 2 - s.square()))
        })
        .mutant("gate and value swapped", &device, |t| right(t, "value", "gate"))
}

/// The gradients, written with tensors that nobody tracks.
pub(crate) fn right(t: &Arguments<'_>, gate: &str, value: &str) -> Gradients {
    let (g, v, w) = (t.get::<2>(gate), t.get::<2>(value), t.cotangent::<2>());
    let s = activation::sigmoid(g.clone());
    let slope = s.clone() + g.clone() * s.clone() * (-s.clone() + 1);
    Gradients::new().with("gate", w.clone() * v * slope).with("value", w * g * s)
}

fn main() {
    let by_hand = check(swiglu).source("by hand", &Device::flex(), |t| right(t, "gate", "value"));
    let (report, mutants) = by_hand.run_with_mutants();
    println!("{report}\n{mutants}\n");

    println!("{}", check(forgetful_swiglu).run());
}
