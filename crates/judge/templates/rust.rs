//! << title >>: the task is in README.md. Write the functions; the program checks the backward pass against finite
//! differences of your forward pass, and saves the answers.

use std::fs;
use std::path::Path;

<% if optimizer %>
use backproof_gradcheck::Value;

/// The weights after each step, in the shape of `gradients`: `[<< arguments|join(", ") >>]` in.
fn steps(_given: &[Value]) -> Value {
    todo!("write this function")
}
<% else %>
use backproof_gradcheck::{GradientSource, Options, Problem, Role, Value, Variable};
use burn::tensor::DType;

/// The output: `[<< arguments|join(", ") >>]` in, each a tensor of `dims()` and row-major `data()`.
fn forward(_given: &[Value]) -> Value {
    todo!("write this function")
}

/// The gradients `[<< gradients|join(", ") >>]`.
fn backward(_given: &[Value], _g: &Value) -> Vec<Value> {
    todo!("write this function")
}
<% endif %>

/// Names and shapes of what is given in each case.
const CASES: &[(&str, &[(&str, &[usize])])] = &[
<% for case in cases %>
    ("<< case.name >>", &[<% for array in case.given %>("<< array.name >>", &[<< array.dims|join(", ") >>])<% if not loop.last %>, <% endif %><% endfor %>]),
<% endfor %>
];

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (case, arrays) in CASES {
        let read = |(name, dims): &(&str, &[usize])| {
            let bytes = fs::read(folder.join("cases").join(case).join(format!("{name}.f64"))).expect("a case");
            let numbers = bytes.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()));
            Value::new(*dims, numbers.collect())
        };
        let given: Vec<Value> = arrays.iter().map(read).collect();
        let save = |name: &str, value: &Value| {
            let answers = folder.join("answers").join(case);
            fs::create_dir_all(&answers).expect("the folder can be made");
            let bytes: Vec<u8> = value.data().iter().flat_map(|number| number.to_le_bytes()).collect();
            fs::write(answers.join(format!("{name}.f64")), bytes).expect("the answer can be written");
        };
<% if optimizer %>
        save("weights", &steps(&given));
<% else %>
        let (g, given) = given.split_last().expect("the last one is g");
        save("y", &forward(given));
        let gradients = backward(given, g);
        const GRADIENTS: &[&str] = &<< gradients_literal >>;
        GRADIENTS.iter().zip(&gradients).for_each(|(name, gradient)| save(name, gradient));
        println!("{}", check(case, arrays, given));
<% endif %>
    }
}
<% if not optimizer %>

/// Your backward against finite differences of your forward, under incoming gradients of all kinds.
fn check(case: &str, arrays: &[(&str, &[usize])], given: &[Value]) -> String {
    const DIFFERENTIATED: &[&str] = &<< differentiated_literal >>;
    let variables = arrays.iter().zip(given).map(|((name, _), value)| Variable {
        name: (*name).to_owned(),
        role: if DIFFERENTIATED.contains(name) { Role::Input } else { Role::Constant },
        value: value.clone(),
        expect_zero: true,
    });
    let mut problem = Problem::new(case, DType::F64, variables.collect(), forward);
    problem.sources.push(GradientSource::new("mine", f64::EPSILON, |given, g| {
        let mut found = backward(given, g).into_iter();
        let of = |(name, _): &(&str, &[usize])| DIFFERENTIATED.contains(name).then(|| found.next()).flatten();
        arrays.iter().take(given.len()).map(of).collect()
    }));
    problem.examine(&Options::default()).report().to_string()
}
<% endif %>
