//! Functions of one element, beside every kind of node.

use backproof_kernels::{ElementFunction, Isa};

use super::{check, conv, halved};
use crate::{Differentiable, Inputs, Objective, Operation, Parameter, Plan, Shortcut, TrainingPlan};

const ALL: [ElementFunction; 9] = [
    ElementFunction::Gelu,
    ElementFunction::GeluTanh,
    ElementFunction::Silu,
    ElementFunction::Sigmoid,
    ElementFunction::Tanh,
    ElementFunction::Elu { alpha: 0.7 },
    ElementFunction::Softplus,
    ElementFunction::LeakyRelu { slope: 0.2 },
    ElementFunction::Scale { factor: -0.8 },
];

fn norm() -> Operation {
    Operation::BatchNorm { epsilon: 1e-3, momentum: 0.1, scale: true, shift: true }
}

fn linear(outputs: usize) -> Operation {
    Operation::Linear { outputs, bias: true }
}

/// Before and after each kind of node, with values that are kept and values that are not.
#[test]
fn functions_of_one_element_are_differentiated() {
    let operations = [
        Operation::Elementwise(ElementFunction::Tanh),
        conv(2, 5, [8, 8], 3, 1),
        Operation::Elementwise(ElementFunction::Silu),
        halved(8),
        Operation::Elementwise(ElementFunction::Sigmoid),
        conv(5, 18, [4, 4], 3, 1),
        Operation::Prelu,
        Operation::BatchNorm { epsilon: 1e-3, momentum: 0.1, scale: true, shift: true },
        Operation::Elementwise(ElementFunction::Elu { alpha: 0.7 }),
        Operation::Dropout,
        Operation::Prelu,
        Operation::Flatten,
        Operation::Elementwise(ElementFunction::Sigmoid),
        Operation::Linear { outputs: 9, bias: true },
        Operation::Elementwise(ElementFunction::Softplus),
        Operation::Linear { outputs: 4, bias: true },
    ];
    check(&operations, [2, 8, 8], 5);
    check(&operations, [2, 8, 8], 18);
    let first = [Operation::Prelu, Operation::Flatten, Operation::Linear { outputs: 3, bias: false }];
    check(&first, [2, 2, 2], 3);
}

/// The input of a function whose slopes are kept is forgotten, but where its maker or another reader needs it: after a
/// convolution by the definition, by tiles and of all images at once, a ReLU, a maximum, a sum, and where a residual
/// connection begins.
#[test]
fn each_function_is_differentiated_after_each_kind_of_node() {
    for f in ALL.map(Operation::Elementwise) {
        let body = vec![f.clone(), conv(5, 5, [2; 2], 3, 1), norm(), f.clone()];
        let operations = [
            conv(2, 16, [4; 2], 3, 1),
            f.clone(),
            conv(16, 16, [4; 2], 3, 1),
            Operation::Relu,
            f.clone(),
            conv(16, 5, [4; 2], 3, 1),
            Operation::Relu,
            halved(4),
            f.clone(),
            f.clone(),
            norm(),
            Operation::Residual { body, shortcut: Shortcut::Operations(vec![f.clone(), Operation::Dropout]) },
            f.clone(),
            Operation::Flatten,
            linear(6),
            f.clone(),
            linear(3),
        ];
        check(&operations, [2, 4, 4], 3);
    }
    let f = || Operation::Elementwise(ElementFunction::Gelu);
    let wide = [conv(96, 90, [3; 2], 3, 1), f(), Operation::Flatten, linear(4)];
    check(&wide, [96, 3, 3], 2);
}

/// In any number of threads, the gradient of a learned slope is the same sum.
#[test]
fn the_slope_of_a_prelu_gets_the_same_bits_for_any_number_of_threads() {
    let operations = [conv(2, 20, [6; 2], 3, 1), Operation::Prelu, Operation::Flatten, linear(3)];
    let (image, mask) = (
        |n: usize, to: &mut [f32]| to.copy_from_slice(&crate::testing::numbers(to.len(), n as u64)),
        |_: usize, _: usize, _: &mut [f32]| {},
    );
    let labels: Vec<usize> = (0..50).map(|n| n % 3).collect();
    for isa in Isa::available() {
        let gradient = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut plan = TrainingPlan::new(isa, [2, 6, 6], &operations);
                plan.set(0, Parameter::Weight, &crate::testing::numbers(360, 7));
                plan.set(1, Parameter::Weight, &[0.25]);
                plan.set(3, Parameter::Weight, &crate::testing::numbers(3 * 720, 8));
                plan.pass(&Inputs { count: 50, image: &image, mask: &mask }, &labels, &Objective::CrossEntropy);
                plan.finish_gradients();
                let mut found = [0.0];
                plan.gradient(1, Parameter::Weight, &mut found);
                found[0].to_bits()
            })
        };
        let one = gradient(1);
        assert_ne!(f32::from_bits(one), 0.0);
        assert!([2, 3, 5].into_iter().all(|threads| gradient(threads) == one), "{isa}");
    }
}
