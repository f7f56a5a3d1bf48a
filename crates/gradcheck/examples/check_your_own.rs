//! Checks a function with a backward of one's own, and a module.
//!
//! ```sh
//! cargo run --release -p backproof-gradcheck --example check_your_own
//! ```
//!
//! The first report proves the function `x · sigmoid(x)`. The second shows a backward that forgets a term. The third is
//! a module's.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use backproof_gradcheck::{Arguments, Check, Gradients, Value, check};
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation};

/// `y = x · σ(x)`, so `∂y/∂x = σ(x) + x σ(x) (1 − σ(x))`.
fn silu_backward(t: &Arguments<'_>) -> Gradients {
    let x = t.get::<2>("x");
    let s = activation::sigmoid(x.clone());
    Gradients::new().with("x", t.cotangent::<2>() * (s.clone() + x * s.clone() * (-s + 1)))
}

/// The same without the second term.
fn forgetful_backward(t: &Arguments<'_>) -> Gradients {
    Gradients::new().with("x", t.cotangent::<2>() * activation::sigmoid(t.get::<2>("x")))
}

#[derive(Module, Debug)]
struct Perceptron {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl Perceptron {
    fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        activation::tanh(input.matmul(self.weight.val()) + self.bias.val().unsqueeze())
    }
}

fn main() {
    let device = Device::flex();
    let silu = || {
        let check = Check::new("silu").input("x", Value::normal([4, 5], 1));
        check.forward(&device, |t| t.get::<2>("x") * activation::sigmoid(t.get::<2>("x"))).autodiff(&device)
    };

    let (report, mutants) = silu().source("by hand", &device, silu_backward).run_with_mutants();
    println!("{report}\n{mutants}\n");

    println!("{}\n", silu().source("forgetful", &device, forgetful_backward).run());

    let module = Perceptron {
        weight: Param::from_tensor(Value::normal([4, 3], 2).tensor(&device, burn::tensor::DType::F32)),
        bias: Param::from_tensor(Tensor::zeros([3], &device)),
    };
    let input = Value::normal([6, 4], 3).tensor::<2>(&device, burn::tensor::DType::F32);
    println!("{}", check(&module, input, |module, input| module.forward(input)));
}
