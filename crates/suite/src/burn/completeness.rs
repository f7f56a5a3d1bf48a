//! Nothing that is differentiable is left out: every public function of Burn that takes a float tensor and returns one
//! is in the suite, or on a list with a reason. The functions are read from the sources that this test is compiled
//! with, so that a new version of Burn shows what it adds.

mod sources;

use std::collections::{BTreeMap, BTreeSet};

use super::subjects;

/// Crates whose functions are looked through: the name, and the module under which `burn` shows it.
const CRATES: &[(&str, Option<&str>)] = &[
    ("burn-tensor", None),
    ("burn-linalg", Some("linalg")),
    #[cfg(feature = "signal")]
    ("burn-signal", Some("signal")),
];

/// Functions that a subject of another name covers; else a subject has the function's name.
const COVERS: &[(&str, &str)] = &[
    ("Tensor::mask_select_async", "mask_select"),
    ("Tensor::scatter", "scatter_axes"),
    ("Tensor::scatter_nd", "scatter_nd_add"),
    ("Tensor::select_assign", "select_assign_add"),
    ("Tensor::tanh", "tanh"),
    ("activation::tanh", "tanh"),
    ("module::interpolate", "interpolate_bilinear"),
];

const CONSTRUCTOR: &str = "takes shape, place and precision of a tensor, and no number";
const GRAPH: &str = "puts a tensor into the graph, or takes it out: what is to be differentiated, and no operation";
const NO_DERIVATIVE: &str = "Burn gives it no derivative: its autodiff panics";
const QUANTIZED: &str = "to numbers of a few bits and back: steps, through which Burn lets no gradient";
const COUNTS: &str =
    "its result is made of comparisons, without the tensor: the derivative is zero, and there is no graph";

/// Functions that are left out, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("Tensor::empty_like", CONSTRUCTOR),
    ("Tensor::full_like", CONSTRUCTOR),
    ("Tensor::ones_like", CONSTRUCTOR),
    ("Tensor::random_like", CONSTRUCTOR),
    ("Tensor::zeros_like", CONSTRUCTOR),
    ("Tensor::autodiff", GRAPH),
    ("Tensor::detach", GRAPH),
    ("Tensor::from_inner", GRAPH),
    ("Tensor::inner", GRAPH),
    ("Tensor::require_grad", GRAPH),
    ("Tensor::set_distributed", GRAPH),
    ("Tensor::set_require_grad", GRAPH),
    ("Tensor::with_gradient_checkpointing_strategy", GRAPH),
    ("Tensor::without_autodiff", GRAPH),
    ("Tensor::grad", "reads a gradient"),
    ("Tensor::grad_remove", "reads a gradient"),
    ("Tensor::dequantize", QUANTIZED),
    ("Tensor::quantize", QUANTIZED),
    ("Tensor::quantize_dynamic", QUANTIZED),
    ("quantization::compute_q_params", QUANTIZED),
    ("quantization::compute_range", QUANTIZED),
    ("Tensor::one_hot", COUNTS),
    ("Tensor::one_hot_fill", COUNTS),
    ("linalg::l0_norm", COUNTS),
    ("linalg::l0_norm_dims", COUNTS),
    ("distributed::all_reduce", "a sum over several devices, of which the suite has one"),
    ("linalg::svd", "refuses a tensor that wants a gradient"),
    ("module::avg_pool2d_backward", NO_DERIVATIVE),
    ("module::max_pool2d_with_indices_backward", NO_DERIVATIVE),
];

/// Every function on float tensors, by its full name.
fn operations() -> BTreeSet<String> {
    let of = |(krate, module): &(&str, Option<&str>)| {
        sources::operations(&sources::root(krate, &sources::pinned(krate)), *module)
    };
    CRATES.iter().flat_map(of).collect()
}

/// The subjects of the suite.
fn names() -> BTreeSet<&'static str> {
    subjects().map(|subject| subject.name).collect()
}

/// `relu` of `activation::relu`.
fn short(operation: &str) -> &str {
    operation.rsplit("::").next().expect("a name has a last part")
}

/// The subject that has the name of a function, if no other function has it.
fn namesake<'a>(operation: &'a str, operations: &BTreeSet<String>, subjects: &BTreeSet<&str>) -> Option<&'a str> {
    let name = short(operation);
    let unique = operations.iter().filter(|other| short(other) == name).count() == 1;
    (unique && subjects.contains(name)).then_some(name)
}

#[test]
fn every_operation_is_in_the_suite_or_left_out_for_a_reason() {
    let (operations, subjects) = (operations(), names());
    let covers: BTreeMap<&str, &str> = COVERS.iter().copied().collect();
    let left_out: BTreeMap<&str, &str> = LEFT_OUT.iter().copied().collect();
    let missing: Vec<&String> = operations
        .iter()
        .filter(|operation| namesake(operation, &operations, &subjects).is_none())
        .filter(|operation| !covers.contains_key(operation.as_str()) && !left_out.contains_key(operation.as_str()))
        .collect();
    assert!(missing.is_empty(), "neither in the suite nor left out for a reason: {missing:#?}");
}

#[test]
fn no_entry_is_stale() {
    let (operations, subjects) = (operations(), names());
    let mut wrong = Vec::new();
    for (operation, subject) in COVERS {
        if !operations.contains(*operation) {
            wrong.push(format!("COVERS: Burn has no {operation}"));
        }
        if !subjects.contains(subject) {
            wrong.push(format!("COVERS: no subject is named {subject}"));
        }
        if namesake(operation, &operations, &subjects).is_some() {
            wrong.push(format!("COVERS: {operation} has a subject of its name"));
        }
    }
    let covered: BTreeSet<&str> = COVERS.iter().map(|(operation, _)| *operation).collect();
    for (operation, reason) in LEFT_OUT {
        if !operations.contains(*operation) {
            wrong.push(format!("LEFT_OUT: Burn has no {operation}"));
        }
        if covered.contains(operation) || namesake(operation, &operations, &subjects).is_some() {
            wrong.push(format!("LEFT_OUT: {operation} is in the suite"));
        }
        if reason.is_empty() {
            wrong.push(format!("LEFT_OUT: {operation} has no reason"));
        }
    }
    let twice = |names: Vec<&str>| names.len() != names.iter().collect::<BTreeSet<_>>().len();
    assert!(!twice(LEFT_OUT.iter().map(|(operation, _)| *operation).collect()), "LEFT_OUT names one twice");
    assert!(!twice(COVERS.iter().map(|(operation, _)| *operation).collect()), "COVERS names one twice");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_sources_are_read_whole() {
    let operations = operations();
    for known in
        ["Tensor::exp", "Tensor::matmul", "activation::gelu", "module::conv2d", "grid::meshgrid", "linalg::det"]
    {
        assert!(operations.contains(known), "{known} is not found");
    }
    assert!(operations.len() > 200, "{} operations", operations.len());
}
