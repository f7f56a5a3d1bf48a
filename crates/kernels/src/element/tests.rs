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

/// Finite numbers of every exponent and both signs, the ends of ranges, and a fine grid where functions bend.
fn inputs() -> Vec<f32> {
    let of_exponents = (0..255u32).flat_map(|exponent| {
        (0..32u32).map(move |part| f32::from_bits(exponent << 23 | (part * 0x3_F0F1 + 5) & 0x7F_FFFF))
    });
    let ends = [0.0, 1e-45, f32::MIN_POSITIVE, 1e4, f32::MAX.next_down(), f32::MAX];
    let around = [0.346_573_6, 11.0, 15.0, 87.336_55, 88.0, 88.722_84, 103.972_08, 104.0];
    let around = around.into_iter().flat_map(|x: f32| [x.next_down(), x, x.next_up()]);
    let grid = (0..120 * 512).map(|step| step as f32 / 512.0);
    let mut inputs: Vec<f32> = of_exponents.chain(ends).chain(around).chain(grid).flat_map(|x| [x, -x]).collect();
    inputs.resize(inputs.len().next_multiple_of(LANES), 1.0);
    inputs
}

/// The function of each input, as pixels of an image with 16 channels, and its slope there.
fn values_and_slopes(isa: Isa, f: ElementFunction, x: &[f32]) -> [Vec<f32>; 2] {
    let layout = Layout::blocked([LANES, 1, x.len() / LANES], Border::default());
    let [mut y, mut again, mut kept, mut slopes] = [(); 4].map(|()| vec![0.0; x.len()]);
    element_forward(isa, f, &layout, x, &layout, &mut y, None);
    element_forward(isa, f, &layout, x, &layout, &mut again, Some(&mut kept));
    let bits = |values: &[f32]| values.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&y), bits(&again), "{isa} {f:?}: inference computes what training computes");
    let (known, ones) = (if f.keeps_slopes() { &kept } else { x }, vec![1.0; x.len()]);
    element_backward(isa, f, &layout, known, &layout, &ones, &layout, &mut slopes);
    [y, slopes]
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
        ElementFunction::Tanh => (x.tanh(), [x.cosh().powi(-2), 0.0]),
        ElementFunction::Elu { alpha } if x <= 0.0 => {
            (f64::from(alpha) * x.exp_m1(), [f64::from(alpha) * x.exp(), 0.0])
        }
        ElementFunction::LeakyRelu { slope } if x <= 0.0 => (f64::from(slope) * x, [f64::from(slope), 0.0]),
        ElementFunction::Elu { .. } | ElementFunction::LeakyRelu { .. } => (x, [1.0, 0.0]),
        ElementFunction::Scale { factor } => (f64::from(factor) * x, [f64::from(factor), 0.0]),
        ElementFunction::Softplus => (x.max(0.0) + (-x.abs()).exp().ln_1p(), [logistic(x), 0.0]),
    }
}

/// The largest errors of value and slope, in units in the last place of the exact number. Those of a slope of two terms
/// are in units of the sum of their magnitudes, since the slope goes through 0.
fn bounds(f: ElementFunction) -> [f64; 2] {
    match f {
        ElementFunction::Gelu => [5.0, 4.0],
        ElementFunction::GeluTanh => [4.0, 5.0],
        ElementFunction::Silu | ElementFunction::Sigmoid | ElementFunction::Tanh => [3.0, 4.0],
        ElementFunction::Elu { .. } => [3.0, 2.0],
        ElementFunction::Softplus => [3.0, 3.0],
        ElementFunction::LeakyRelu { .. } | ElementFunction::Scale { .. } => [0.5, 0.0],
    }
}

/// The unit in the last place of a number of single precision next to it.
fn unit(exact: f64) -> f64 {
    let exponent = exact.abs().max(f64::from(f32::MIN_POSITIVE)).log2().floor() as i32;
    2f64.powi(exponent - 23)
}

/// What a gate or a density below 2⁻¹²⁶, which has fewer digits, makes of the product with the number that it belongs
/// to: 256 times the smallest number.
const OF_GATES: f64 = 256.0 * f32::MIN_POSITIVE as f64 / (1 << 23) as f64;

#[test]
fn values_and_slopes_are_within_their_bounds_over_all_exponents() {
    let x = inputs();
    for isa in Isa::available() {
        for f in ALL {
            let [values, slopes] = values_and_slopes(isa, f, &x);
            let mut largest = [(0.0, 0.0); 2];
            for ((&x, y), slope) in x.iter().zip(values).zip(slopes) {
                let (value, terms) = definition(f, f64::from(x));
                let both = [(y, value, value), (slope, terms[0] + terms[1], terms[0].abs() + terms[1].abs())];
                for (largest, (found, exact, size)) in largest.iter_mut().zip(both) {
                    let of_gates = if size < 256.0 * f64::from(f32::MIN_POSITIVE) { OF_GATES } else { 0.0 };
                    let error = ((f64::from(found) - exact).abs() - of_gates) / unit(size);
                    assert!(error.is_finite(), "{isa} {f:?} of {x:e}: {found:e}, not {exact:e}");
                    *largest = if error > largest.0 { (error, x) } else { *largest };
                }
            }
            println!("{isa} {f:?}: {largest:?}");
            // Without fused instructions, the argument of the exponential is rounded once more.
            let [of_value, of_slope] = bounds(f);
            let of_value = if f == ElementFunction::Gelu && isa == Isa::Portable { 8.0 } else { of_value };
            for ((error, x), bound) in largest.into_iter().zip([of_value, of_slope]) {
                assert!(error <= bound, "{isa} {f:?} of {x:e}: {error} units, more than {bound}");
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
            let (limits, slopes_at): ([f32; 2], [f32; 2]) = match f {
                ElementFunction::Sigmoid => ([1.0, 0.0], [0.0, 0.0]),
                ElementFunction::Tanh => ([1.0, -1.0], [0.0, 0.0]),
                ElementFunction::Elu { alpha } => ([up, -alpha], [1.0, 0.0]),
                ElementFunction::LeakyRelu { slope } => ([up, down], [1.0, slope]),
                ElementFunction::Scale { factor } => ([down, up], [factor, factor]),
                _ => ([up, 0.0], [1.0, 0.0]),
            };
            let [values, slopes] = values_and_slopes(isa, f, &x);
            assert_eq!((&values[..2], &slopes[..2]), (&limits[..], &slopes_at[..]), "{isa} {f:?}");
            assert!(values[2..].iter().all(|y| y.is_nan()), "{isa} {f:?}: {values:?}");
            let of_nan = matches!(f, ElementFunction::LeakyRelu { .. } | ElementFunction::Scale { .. });
            let of_nan = of_nan || matches!(f, ElementFunction::Elu { .. });
            assert!(of_nan || slopes[2..].iter().all(|slope| slope.is_nan()), "{isa} {f:?}: {slopes:?}");
        }
    }
}

#[test]
fn odd_functions_keep_the_sign_of_zero() {
    for isa in Isa::available() {
        for f in [ElementFunction::Gelu, ElementFunction::GeluTanh, ElementFunction::Silu, ElementFunction::Tanh] {
            let [values, _] = values_and_slopes(isa, f, &[-0.0; LANES]);
            assert!(values.iter().all(|y| y.to_bits() == (-0.0f32).to_bits()), "{isa} {f:?}: {values:?}");
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
        element_forward(isa, ElementFunction::Softplus, &layout, &laid(&layout, &x), &of, &mut y, None);
        assert_eq!(laid(&of, &read(&of, &y)), y, "border and missing channels are 0");
        let mut dx = vec![0.0; of.size()];
        element_backward(isa, f, &of, &laid(&of, &x), &layout, &laid(&layout, &g), &of, &mut dx);
        let slope = |x: f32| if x > 0.0 { 1.0 } else { 0.5 };
        let expected: Vec<f32> = x.iter().zip(&g).map(|(&x, g)| slope(x) * g).collect();
        assert_eq!(read(&of, &dx), expected);
        let mut again = vec![0.0; of.size()];
        let (input, gradient) = (laid(&of, &x), laid(&layout, &g));
        let sum = prelu_backward(isa, 0.5, &of, &input, &layout, &gradient, &of, &mut again);
        assert_eq!((again, sum), (dx, x.iter().zip(&g).map(|(x, g)| x.min(0.0) * g).sum::<f32>()));
    }
}
