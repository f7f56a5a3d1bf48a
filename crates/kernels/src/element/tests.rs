//! Values and slopes against the definitions in double precision, over all exponents of single precision.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::*;
use crate::layout::Border;

const ALL: [ElementFunction; 9] = [
    ElementFunction::Gelu,
    ElementFunction::GeluTanh,
    ElementFunction::Silu,
    ElementFunction::Sigmoid,
    ElementFunction::Tanh,
    ElementFunction::Elu { alpha: 0.7 },
    ElementFunction::LeakyRelu { slope: 0.3 },
    ElementFunction::Softplus,
    ElementFunction::Scale { factor: -0.3 },
];

/// Finite numbers of every exponent and both signs, and a fine grid where functions bend.
fn inputs() -> Vec<f32> {
    let of_exponents = (0..255u32).flat_map(|exponent| {
        (0..32u32).map(move |part| f32::from_bits(exponent << 23 | (part * 0x3_F0F1 + 5) & 0x7F_FFFF))
    });
    let grid = (0..120 * 512).map(|step| step as f32 / 512.0);
    let mut inputs: Vec<f32> = of_exponents.chain(grid).flat_map(|x| [x, -x]).collect();
    inputs.resize(inputs.len().next_multiple_of(LANES), 1.0);
    inputs
}

/// The function of each input, as pixels of an image with 16 channels.
fn forward(isa: Isa, f: ElementFunction, x: &[f32]) -> Vec<f32> {
    let layout = Layout::blocked([LANES, 1, x.len() / LANES], Border::default());
    let mut y = vec![0.0; x.len()];
    element_forward(isa, f, &layout, x, &layout, &mut y);
    y
}

fn slopes(isa: Isa, f: ElementFunction, known: &[f32]) -> Vec<f32> {
    let layout = Layout::blocked([LANES, 1, known.len() / LANES], Border::default());
    let (ones, mut found) = (vec![1.0; known.len()], vec![0.0; known.len()]);
    element_backward(isa, f, &layout, known, &layout, &ones, &layout, &mut found);
    found
}

fn logistic(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x > 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// Φ(x): below −3 by the continued fraction of Mills' ratio (Abramowitz and Stegun 26.2.14), else by the series
/// 26.2.11.
fn distribution(x: f64) -> f64 {
    let density = (-0.5 * x * x).exp() / (2.0 * PI).sqrt();
    match x {
        _ if x > 3.0 => 1.0 - distribution(-x),
        _ if x < -3.0 => density / (1..300).rev().fold(-x, |rest, k| -x + f64::from(k) / rest),
        _ => {
            let terms = (1..200).scan(x, |term, k| {
                *term *= x * x / f64::from(2 * k + 1);
                Some(*term)
            });
            0.5 + density * (x + terms.sum::<f64>())
        }
    }
}

/// The value of the function, and the terms of its slope.
fn definition(f: ElementFunction, x: f64) -> (f64, [f64; 2]) {
    let product = |gate: f64, density: f64| (x * gate, [gate, if density == 0.0 { 0.0 } else { x * density }]);
    match f {
        ElementFunction::Gelu => product(distribution(x), (-0.5 * x * x).exp() / (2.0 * PI).sqrt()),
        ElementFunction::GeluTanh => {
            let (rate, cubic) = (4.0 * FRAC_1_SQRT_2 / PI.sqrt(), 0.044_715);
            let v = rate * (x + cubic * x * x * x);
            let density = logistic(v) * logistic(-v);
            product(logistic(v), if density == 0.0 { 0.0 } else { density * rate * (1.0 + 3.0 * cubic * x * x) })
        }
        ElementFunction::Silu => product(logistic(x), logistic(x) * logistic(-x)),
        ElementFunction::Sigmoid => (logistic(x), [logistic(x) * logistic(-x), 0.0]),
        ElementFunction::Tanh => (x.tanh(), [1.0, -x.tanh() * x.tanh()]),
        ElementFunction::Elu { alpha } if x <= 0.0 => {
            (f64::from(alpha) * x.exp_m1(), [f64::from(alpha) * x.exp(), 0.0])
        }
        ElementFunction::LeakyRelu { slope } if x <= 0.0 => (f64::from(slope) * x, [f64::from(slope), 0.0]),
        ElementFunction::Elu { .. } | ElementFunction::LeakyRelu { .. } => (x, [1.0, 0.0]),
        ElementFunction::Scale { factor } => (f64::from(factor) * x, [f64::from(factor), 0.0]),
        ElementFunction::Softplus => (x.max(0.0) + (-x.abs()).exp().ln_1p(), [logistic(x), 0.0]),
    }
}

/// Below 2⁻¹²⁶ a number has fewer digits; 104 times such a number is what a product of a gate makes of it.
const DENORMAL: f64 = 1e-42;

#[test]
fn values_are_within_their_bounds_over_all_exponents() {
    let x = inputs();
    for isa in Isa::available() {
        for f in ALL {
            for (&x, y) in x.iter().zip(forward(isa, f, &x)) {
                let (expected, _) = definition(f, f64::from(x));
                let by_tanh = f == ElementFunction::GeluTanh && expected.abs() < 0.05;
                let bound = if by_tanh { 2f64.powi(-14) } else { 2f64.powi(-20) };
                let error = (f64::from(y) - expected).abs();
                let size = if let ElementFunction::Elu { alpha } = f { f64::from(alpha) } else { 0.0 };
                let size = size.max(expected.abs());
                assert!(error <= bound * size + DENORMAL, "{isa} {f:?} of {x:e}: {y:e}, not {expected:e}");
            }
        }
    }
}

#[test]
fn slopes_are_within_their_bounds_over_all_exponents() {
    let x = inputs();
    for isa in Isa::available() {
        for f in ALL {
            let known = if f.keeps_output() { forward(isa, f, &x) } else { x.clone() };
            for (&x, found) in x.iter().zip(slopes(isa, f, &known)) {
                let (_, terms) = definition(f, f64::from(x));
                let expected = terms[0] + terms[1];
                let size = if f.keeps_output() { 1.0 } else { terms[0].abs() + terms[1].abs() };
                let by_tanh = f == ElementFunction::GeluTanh && size < 0.05;
                let bound = if by_tanh { 2f64.powi(-14) } else { 2f64.powi(-20) };
                let error = (f64::from(found) - expected).abs();
                assert!(error <= bound * size + DENORMAL, "{isa} {f:?} at {x:e}: {found:e}, not {expected:e}");
            }
        }
    }
}

#[test]
fn infinities_have_their_limits_and_nan_stays_nan() {
    let (up, down) = (f32::INFINITY, f32::NEG_INFINITY);
    let mut x = [f32::NAN; LANES];
    x[..2].copy_from_slice(&[up, down]);
    for isa in Isa::available() {
        for f in ALL {
            let (values, slopes_at): ([f32; 2], [f32; 2]) = match f {
                ElementFunction::Sigmoid => ([1.0, 0.0], [0.0, 0.0]),
                ElementFunction::Tanh => ([1.0, -1.0], [0.0, 0.0]),
                ElementFunction::Elu { alpha } => ([up, -alpha], [1.0, 0.0]),
                ElementFunction::LeakyRelu { slope } => ([up, down], [1.0, slope]),
                ElementFunction::Scale { factor } => ([down, up], [factor, factor]),
                _ => ([up, 0.0], [1.0, 0.0]),
            };
            let y = forward(isa, f, &x);
            assert_eq!(y[..2], values, "{isa} {f:?}");
            assert!(y[2..].iter().all(|y| y.is_nan()), "{isa} {f:?}: {y:?}");
            let known = if f.keeps_output() { &y[..] } else { &x };
            let found = slopes(isa, f, known);
            assert_eq!(found[..2], slopes_at, "{isa} {f:?}");
        }
    }
}

#[test]
fn channels_that_there_are_not_stay_zero_and_each_number_meets_its_gradient() {
    let border = Border { top: 1, left: 1, bottom: 0, right: 2 };
    let (of, layout) = (Layout::blocked([3, 2, 2], border), Layout::blocked([3, 2, 2], Border::default()));
    let x: Vec<f32> = (0..12).map(|i| i as f32 - 5.0).collect();
    let g: Vec<f32> = (0..12).map(|i| 0.5 + i as f32).collect();
    let laid = |layout: &Layout, values: &[f32]| {
        let mut memory = vec![0.0; layout.size()];
        layout.write(values, &mut memory);
        memory
    };
    let read = |layout: &Layout, memory: &[f32]| {
        let mut values = vec![0.0; 12];
        layout.read(memory, &mut values);
        values
    };
    let f = ElementFunction::LeakyRelu { slope: 0.5 };
    for isa in Isa::available() {
        let mut y = vec![0.0; of.size()];
        element_forward(isa, ElementFunction::Softplus, &layout, &laid(&layout, &x), &of, &mut y);
        assert_eq!(laid(&of, &read(&of, &y)), y, "border and missing channels are 0");
        let mut dx = vec![0.0; of.size()];
        element_backward(isa, f, &of, &laid(&of, &x), &layout, &laid(&layout, &g), &of, &mut dx);
        let slope = |x: f32| if x > 0.0 { 1.0 } else { 0.5 };
        let expected: Vec<f32> = x.iter().zip(&g).map(|(&x, g)| slope(x) * g).collect();
        assert_eq!(read(&of, &dx), expected);
        let sum = negative_products(isa, &of, &laid(&of, &x), &layout, &laid(&layout, &g));
        assert_eq!(sum, x.iter().zip(&g).map(|(x, g)| x.min(0.0) * g).sum::<f32>());
    }
}
