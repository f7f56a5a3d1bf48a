use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use backproof_gradcheck::{Check, Problem, Value};
use burn::tensor::{DType, Device};

use super::*;
use crate::symptoms::Kind;

/// The problem of the smallest input, with autodiff on this device as its source.
fn problem(smallest: &Smallest, device: &Device) -> Problem<'static> {
    let mut check = Check::new("smallest").dtype(smallest.precision);
    for (name, dims, data) in smallest.tensors {
        check = check.input(*name, Value::new(*dims, data.to_vec()));
    }
    check.forward(&Device::flex(), smallest.function).autodiff(device).problem()
}

fn tensor(problem: &Problem<'_>, smallest: &Smallest) -> usize {
    problem.tensors.iter().position(|tensor| tensor.name == smallest.of).expect("the list names a tensor")
}

/// The gradient of the sum that Burn finds.
fn found(smallest: &Smallest, device: &Device) -> Value {
    let problem = problem(smallest, device);
    let (values, source) = (problem.values(), &problem.sources[0]);
    let output = source.forward.as_ref().expect("autodiff has a forward")(&values);
    let all = (source.backward)(&values, &Value::full(output.dims(), 1.0));
    all[tensor(&problem, smallest)].clone().expect("autodiff reaches every tensor")
}

/// Central differences of the sum in double precision.
fn differences(smallest: &Smallest) -> Vec<f64> {
    let problem = problem(smallest, &Device::flex());
    let (values, tensor) = (problem.values(), tensor(&problem, smallest));
    let x = values[tensor].data();
    let sum = |index: usize, by: f64| {
        let mut moved = values.clone();
        let mut data = x.to_vec();
        data[index] += by;
        moved[tensor] = Value::new(values[tensor].dims(), data);
        (problem.forward)(&moved).data().iter().sum::<f64>()
    };
    let step = |x: f64| 1e-5 * if x == 0.0 { 1.0 } else { x.abs() };
    (0..x.len())
        .map(|index| (sum(index, step(x[index])) - sum(index, -step(x[index]))) / (2.0 * step(x[index])))
        .collect()
}

/// Equal to so many digits of the largest number; NaN is equal to NaN.
fn all_near(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    let largest = b.iter().filter(|b| b.is_finite()).fold(0.0, |largest: f64, b| largest.max(b.abs()));
    let scale = if largest == 0.0 { 1e-3 } else { largest };
    let near = |a: f64, b: f64| (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= tolerance * scale;
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(*a, *b))
}

/// Whether Burn still has the fault, or what it has instead. Where it has mended it: the entry goes, here and in
/// `docs/upstream.md`.
fn seen(known: &Known, backend: &'static str, device: &Device) -> Result<(), String> {
    let operation = known.operation;
    let found = match (catch_unwind(AssertUnwindSafe(|| found(&known.smallest, device))), known.smallest.found) {
        (Err(panic), Found::Panics(text)) => {
            let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            let said = said.unwrap_or("no text");
            return if said.contains(text) {
                Ok(())
            } else {
                Err(format!("`{operation}` panics with another text: {said}"))
            };
        }
        (Err(_), _) => return Err(format!("`{operation}` panics now")),
        (Ok(_), Found::Panics(_)) => return Err(format!("`{operation}` does not panic: Burn has mended it")),
        (Ok(found), _) => found,
    };
    // In double precision, faults of single precision are to be told from what is right.
    let digits = if known.smallest.precision == DType::F64 { 1e-12 } else { 1e-5 };
    let seen = match known.smallest.found {
        Found::Numbers(numbers) => all_near(found.data(), numbers, digits),
        Found::Shape(dims) => found.dims() == dims,
        // No run has to differ from another.
        Found::Varies => return Ok(()),
        Found::Panics(_) => false,
    };
    let right = known.smallest.right;
    let mended = if all_near(found.data(), right, digits) {
        "Burn has mended it: take it off the list"
    } else {
        "it is another fault now"
    };
    match seen {
        true => Ok(()),
        false => Err(format!("`{operation}` on {}: {right:?} is right, {found} was found: {mended}", backend)),
    }
}

fn assert_all_seen(backend: &'static str, device: &Device) {
    let there = faults().filter(|known| known.backends.contains(&backend));
    let other: Vec<String> = there.filter_map(|known| seen(known, backend, device).err()).collect();
    assert!(other.is_empty(), "{}", other.join("\n"));
}

#[test]
fn every_fault_on_the_list_is_seen_at_its_smallest_input() {
    assert_all_seen("flex", &Device::flex());
}

#[cfg(feature = "ndarray")]
#[test]
#[expect(deprecated, reason = "the backend is")]
fn every_fault_of_ndarray_is_seen_at_its_smallest_input() {
    assert_all_seen("ndarray", &Device::ndarray());
}

/// Operations that f64 does not go with in Burn 0.22.1.
const IN_SINGLE_ALONE: &[&str] =
    &["qr", "CTCLoss", "RNNTLoss", "BinaryCrossEntropyLoss", "BinaryCrossEntropyLoss_of_vector"];

#[test]
fn what_the_list_calls_right_is_what_differences_find() {
    // Nothing is right where any finite number is. Some functions make tensors of the default precision, which f64 does
    // not go with.
    let told = faults().filter(|known| !known.smallest.right.is_empty() && !IN_SINGLE_ALONE.contains(&known.operation));
    let wrong: Vec<String> = told
        .filter_map(|known| {
            let (right, found) = (known.smallest.right, differences(&known.smallest));
            let (of, operation) = (known.smallest.of, known.operation);
            (!all_near(&found, right, 1e-5)).then(|| format!("{of} of {operation}: {right:?}, differences {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_list_names_operations_of_the_suite() {
    for known in faults() {
        let operation = known.operation;
        assert!(crate::burn::subjects().any(|subject| subject.name == operation), "{operation}");
    }
}

#[test]
fn another_symptom_of_a_listed_operation_is_new() {
    let at = Setting { backend: "flex", dtype: DType::F32 };
    let symptom = |kind: Kind, tensor: &str| Symptom {
        source: "autodiff".to_owned(),
        tensor: Some(tensor.to_owned()),
        kind,
        note: String::new(),
    };
    let known = |at: Setting, point: Point, symptom: &Symptom| find("elu", at, point, symptom).is_some();
    let nan = symptom(Kind::NotFinite, "x");
    assert!(known(at, Point::Saturated90, &nan));
    assert!(known(Setting { backend: "wgpu", ..at }, Point::Saturated90, &nan));
    assert!(!known(at, Point::General, &nan), "at another point");
    assert!(!known(at, Point::Saturated90, &symptom(Kind::Mismatch, "x")), "of another kind");
    assert!(!known(at, Point::Saturated90, &symptom(Kind::NotFinite, "weight")), "of another tensor");
    assert!(!known(at, Point::Saturated90, &Symptom { tensor: None, ..nan }), "of the forward");
}

/// The table in `docs/upstream.md`, a line for each fault.
fn table() -> String {
    let mut text = String::from(
        "| operation | backends | smallest input | right | found | cause |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for known in faults() {
        let Known { operation, cause, location, smallest, .. } = known;
        let backends = match known.backends.len() {
            4 => "all".to_owned(),
            _ => known.backends.join(", "),
        };
        let precision = if known.precisions.len() == 1 {
            format!(", {:?} only", known.precisions[0]).to_lowercase()
        } else {
            String::new()
        };
        let tensors = smallest.tensors.iter().map(|(name, dims, data)| format!("{name} = {}", numbers(dims, data)));
        let tensors = tensors.collect::<Vec<_>>().join(", ");
        let options = if smallest.options.is_empty() { String::new() } else { format!("; {}", smallest.options) };
        let dims = smallest.tensors.iter().find(|(name, ..)| *name == smallest.of).expect("a tensor").1;
        let right = if smallest.right.is_empty() { "finite".to_owned() } else { numbers(dims, smallest.right) };
        let found = match smallest.found {
            Found::Numbers(found) => numbers(dims, found),
            Found::Shape(dims) => format!("dimensions {dims:?}"),
            Found::Panics(text) => format!("panics: {text}"),
            Found::Varies => "the same, with other roundings in some runs".to_owned(),
        };
        let of = smallest.of;
        writeln!(
            text,
            "| `{operation}` | {backends}{precision} | {tensors}{options} | ∂/∂{of} = {right} | {found} | {cause} ({location}) |"
        )
        .expect("a string takes everything");
    }
    text
}

/// Numbers in brackets, of dimensions that are named where there is more than one.
fn numbers(dims: &[usize], data: &[f64]) -> String {
    let one = |x: &f64| match x.abs() {
        0.0 => "0".to_owned(),
        size if !(1e-3..1e4).contains(&size) => format!("{x:e}"),
        _ => format!("{}", (x * 1e6).round() / 1e6),
    };
    let all = data.iter().map(one).collect::<Vec<_>>().join(", ");
    if dims.len() > 1 { format!("{} [{all}]", crate::subject::shape(dims)) } else { format!("[{all}]") }
}

#[test]
fn the_document_shows_the_list() {
    let document = include_str!("../../../../docs/upstream.md");
    let table = table();
    assert!(document.contains(&table), "the table in docs/upstream.md is to be\n\n{table}");
}
