use std::f64::consts::{PI, SQRT_2};

use backproof_gradcheck::{Value, Variable};

use super::{Definition, Function, input, order};
use crate::edges::Edges;
use crate::points::{ANY, Domain, Setting};
use crate::real::{Array, Real, erfc, sigmoid};

/// A function of one number, for every element of a tensor.
pub(super) trait Elementwise {
    const NAME: &'static str;
    const DOMAIN: Domain = ANY;
    /// Where the function has kinks.
    const KINKS: &'static [f64] = &[];

    fn value<R: Real>(x: R) -> R;
    fn slope<R: Real>(x: R) -> R;
}

impl<E: Elementwise> Definition for E {
    const NAME: &'static str = E::NAME;

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        let dims = match setting.draw.once_in(2) {
            true => vec![setting.axis(6, 10_000)],
            false => vec![setting.axis(3, 100), setting.axis(3, 100)],
        };
        vec![input("x", setting.value(&dims, E::DOMAIN))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        tensors[0].map(E::value)
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        vec![Some(tensors[0].with(cotangent, |x, g| g * E::slope(x)))]
    }

    fn edges(tensors: &[Value]) -> Edges {
        Edges::alone(tensors, |x| E::KINKS.contains(&x))
    }

    fn decisions(tensors: &[Value]) -> Vec<i64> {
        E::KINKS.iter().flat_map(|kink| tensors[0].data().iter().map(move |x| order(*x, *kink))).collect()
    }
}

/// Declares functions of one number: `Type "name" [domain] [kinks] value, slope`.
macro_rules! elementwise {
    ($($name:ident $text:literal, $domain:expr, $kinks:expr, $value:expr, $slope:expr;)*) => {
        $(struct $name;
        impl Elementwise for $name {
            const NAME: &'static str = $text;
            const DOMAIN: Domain = $domain;
            const KINKS: &'static [f64] = &$kinks;
            fn value<R: Real>(x: R) -> R {
                let value: fn(R) -> R = $value;
                value(x)
            }
            fn slope<R: Real>(x: R) -> R {
                let slope: fn(R) -> R = $slope;
                slope(x)
            }
        })*
        pub(super) fn all() -> Vec<Function> {
            vec![$(Function::of::<$name>()),*]
        }
    };
}

pub(super) use elementwise;

fn zero<R: Real>() -> R {
    R::of(0.0)
}

fn one<R: Real>() -> R {
    R::of(1.0)
}

/// `Φ(x) + x φ(x)`, with `Φ = erfc(−x/√2) / 2`.
fn gelu_slope<R: Real>(x: R) -> R {
    let density = (-x * x / R::of(2.0)).exp() / R::of((2.0 * PI).sqrt());
    let bell = if density > zero() { x * density } else { zero() };
    erfc(-x / R::of(SQRT_2)) / R::of(2.0) + bell
}

// `sech² x` as `4 e^{−2|x|} / (1 + e^{−2|x|})²`: `1 − tanh²` has no digits where tanh is next to 1.
elementwise! {
    Relu "relu", ANY, [0.0], |x| if x > zero() { x } else { zero() }, |x| if x > zero() { one() } else { zero() };
    LeakyRelu "leaky relu", ANY, [0.0],
        |x| if x > zero() { x } else { R::of(0.125) * x }, |x| if x > zero() { one() } else { R::of(0.125) };
    Abs "abs", ANY, [0.0], |x| x.abs(),
        |x| if x > zero() { one() } else if x < zero() { -one::<R>() } else { zero() };
    Clamp "clamp", ANY, [-1.0, 0.5], |x| x.max(-one::<R>()).min(R::of(0.5)),
        |x| if x < -one::<R>() || x > R::of(0.5) { zero() } else { one() };
    Sigmoid "sigmoid", ANY, [], sigmoid, |x| sigmoid(x) * sigmoid(-x);
    Silu "silu", ANY, [], |x| x * sigmoid(x), |x| sigmoid(x) * (one::<R>() + x * sigmoid(-x));
    Tanh "tanh", ANY, [], |x| x.tanh(), |x| {
        let e = (R::of(-2.0) * x.abs()).exp();
        R::of(4.0) * e / ((one::<R>() + e) * (one::<R>() + e))
    };
    Gelu "gelu", ANY.upto(1e18, 1e150), [], |x| x * erfc(-x / R::of(SQRT_2)) / R::of(2.0), gelu_slope;
    Softplus "softplus", ANY, [], |x| x.max(zero()) + (-x.abs()).exp().ln_1p(), sigmoid;
}

/// `sin(4000 π x)`: its period of 0.0005 fits into steps of a thousandth, which then see a flat function. Once in eight
/// every element is 1 or −1.
pub(super) struct Wave;

const FREQUENCY: f64 = 4000.0 * PI;

impl Definition for Wave {
    const NAME: &'static str = "fast wave";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        let dims = [setting.axis(6, 10_000)];
        // In single precision the waves are too many to count from further away.
        let unit = setting.draw.once_in(8) && !setting.single;
        let x = setting.value(&dims, ANY.upto(0.01, 10.0));
        let data = x.data().iter().map(|&x| if unit { 1f64.copysign(x) } else { x }).collect();
        vec![input("x", Value::new(dims, data))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        tensors[0].map(|x| (R::of(FREQUENCY) * x).sin())
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        vec![Some(tensors[0].with(cotangent, |x, g| g * (R::of(FREQUENCY) * (R::of(FREQUENCY) * x).cos())))]
    }
}
