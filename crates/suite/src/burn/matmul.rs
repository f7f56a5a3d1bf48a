//! Matrix products over shapes and memory layouts, and what is made of them.

use backproof_gradcheck::{Gradients, Options, Value};
use burn::tensor::module;
use burn::tensor::ops::AttentionModuleOptions;

use super::maker::{Maker, describe, subject};
use crate::subject::{Case, Layout, Subject, shape};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "matmul", |mut m| {
        let [rows, inner, columns] = sizes(&mut m);
        product(m, [rows, inner], [inner, columns])
    }),
    subject!(smooth "matmul_vector", |mut m| {
        let [rows, inner, columns] = sizes(&mut m);
        if m.draw.once_in(2) { product(m, [1, inner], [inner, columns]) } else { product(m, [rows, inner], [inner, 1]) }
    }),
    subject!(smooth "matmul_batched", |mut m| {
        let ([rows, inner, columns], [left, right]) = (small(&mut m), batches(&mut m));
        product(m, [left, rows, inner], [right, inner, columns])
    }),
    subject!(smooth "matmul_4_axes", |mut m| {
        let [rows, inner, columns] = small(&mut m);
        let ([a, b], [c, d]) = (batches(&mut m), batches(&mut m));
        product(m, [a, c, rows, inner], [b, d, inner, columns])
    }),
    subject!(smooth "linear", linear),
    subject!(smooth "linear_zero_problem", zero_problem),
    subject!(smooth "attention", attention),
];

/// Around the sizes of blocks and vector registers once in three, else small.
fn sizes(m: &mut Maker<'_>) -> [usize; 3] {
    if !m.draw.once_in(3) {
        return small(m);
    }
    // One of the sizes is large, or all are middling: each side has 256 numbers at most, and all of them are checked.
    let large = m.draw.pick(&[7, 8, 9, 15, 16, 17, 31, 32, 33]);
    let mut sizes = [0; 3].map(|_| m.draw.pick(&[1, 2, 3, 7]));
    match m.draw.size(0..=3) {
        3 => [0; 3].map(|_| m.draw.size(15..=16)),
        axis => {
            sizes[axis] = large;
            sizes
        }
    }
}

fn small(m: &mut Maker<'_>) -> [usize; 3] {
    [0; 3].map(|_| m.draw.size(1..=5))
}

/// Sizes of a batch axis on the left and on the right: the same, or one of them 1.
fn batches(m: &mut Maker<'_>) -> [usize; 2] {
    let size = m.draw.size(2..=3);
    m.draw.pick(&[[size, size], [1, size], [size, 1]])
}

fn product<const D: usize>(m: Maker<'_>, left: [usize; D], right: [usize; D]) -> Case {
    let layouts = [m.draw.layout(), m.draw.layout()];
    let (x, y) = (m.draw.normal(left, 1.0), m.draw.normal(right, 1.0));
    let about = format!("{}{} · {}{}", shape(&left), layouts[0].words(), shape(&right), layouts[1].words());
    let check = m.check().input("x", x).input("y", y);
    let case = m.case(about, check, move |t| {
        let (x, y) = (layouts[0].arrange(t.get::<D>("x")), layouts[1].arrange(t.get::<D>("y")));
        x.matmul(y)
    });
    // Only in a transposed tensor do the numbers lie in another order than they count.
    if layouts[0] != Layout::Transposed || left[..D - 2] != right[..D - 2] {
        return case;
    }
    let check = m.context.mutant(
        case.check,
        "the left side is read in the order of memory, as if it were not transposed (burn#5304)",
        move |t| {
            let in_memory = t.get::<D>("x").swap_dims(D - 2, D - 1).reshape(left);
            Gradients::new().with("y", in_memory.swap_dims(D - 2, D - 1).matmul(t.cotangent()))
        },
    );
    Case { check, ..case }
}

fn linear(mut m: Maker<'_>) -> Case {
    let [batch, inputs, outputs] = sizes(&mut m);
    let (dims, layout) = ([if batch * inputs <= 120 { 2 } else { 1 }, batch, inputs], m.draw.layout());
    let (x, weight) = (m.draw.normal(dims, 1.0), m.draw.normal([inputs, outputs], 1.0));
    let bias = m.draw.once_in(2).then(|| m.draw.normal([outputs], 1.0));
    let options = if bias.is_some() { "with bias" } else { "without bias" };
    let about = describe(&[&x, &weight], options, layout);
    let has_bias = bias.is_some();
    let mut check = m.check().input("x", x).parameter("weight", weight);
    if let Some(bias) = bias {
        check = check.parameter("bias", bias);
    }
    m.case(about, check, move |t| {
        let bias = has_bias.then(|| t.get::<1>("bias"));
        module::linear(layout.arrange(t.get::<3>("x")), t.get("weight"), bias)
    })
}

/// A linear model with weights of zero and targets of zero: its gradient is zero at any size (burn#2646).
fn zero_problem(m: Maker<'_>) -> Case {
    let inputs = if m.draw.once_in(4) { 5184 } else { m.draw.pick(&[64, 100, 513, 1024]) };
    let (batch, outputs) = (m.draw.size(1..=3), m.draw.pick(&[10, 16, 32]));
    let zeros = |dims: &[usize]| Value::full(dims, 0.0);
    let x = if m.draw.once_in(2) { zeros(&[batch, inputs]) } else { m.draw.normal([batch, inputs], 1.0) };
    let (weight, bias) = (zeros(&[inputs, outputs]), zeros(&[outputs]));
    let about = describe(&[&x, &weight], "weights, bias and targets of zero", Layout::Contiguous);
    // All of the gradient must be zero; differences of some elements say that this is right.
    let options = Options { full: 8, quota: 8, ..m.options() };
    let check = m.check().options(options);
    let check = check.input("x", x).expect_zero().parameter("weight", weight).expect_zero();
    m.case(about, check.parameter("bias", bias).expect_zero(), move |t| {
        let output = module::linear(t.get::<2>("x"), t.get("weight"), Some(t.get("bias")));
        output.square().mean()
    })
}

fn attention(m: Maker<'_>) -> Case {
    let [batch, heads, queries, keys] =
        [m.draw.size(1..=2), m.draw.size(1..=2), m.draw.size(1..=4), m.draw.size(2..=4)];
    let (width, values) = (m.draw.size(1..=4), m.draw.size(1..=3));
    let is_causal = m.draw.once_in(2);
    // Under a causal mask the first query sees one key, and its softmax does not move.
    let queries = if is_causal { keys } else { queries };
    let [query, key, value] = [
        m.draw.normal([batch, heads, queries, width], 1.0),
        m.draw.normal([batch, heads, keys, width], 1.0),
        m.draw.normal([batch, heads, keys, values], 1.0),
    ];
    let about = describe(&[&query, &key, &value], if is_causal { "causal" } else { "" }, Layout::Contiguous);
    let check = m.check().input("query", query).input("key", key).input("value", value);
    m.case(about, check, move |t| {
        let options = AttentionModuleOptions { scale: None, softcap: None, is_causal };
        module::attention(t.get("query"), t.get("key"), t.get("value"), None, None, options)
    })
}
