use std::f64::consts::{PI, SQRT_2};

use backproof_gradcheck::{Value, Variable};

use super::{Definition, Function, input};
use crate::edges::Edges;
use crate::points::{ANY, Domain, Setting};
use crate::real::{Array, Real, erfc, sigmoid};

/// A function of one number, for every element of a tensor.
pub(super) trait Elementwise {
    const NAME: &'static str;
    const DOMAIN: Domain = ANY;

    fn value<R: Real>(x: R) -> R;
    fn slope<R: Real>(x: R) -> R;

    fn kink(_: f64) -> bool {
        false
    }
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
        Edges::alone(tensors, E::kink)
    }
}

/// Declares functions of one number: `Type "name" [domain] [kinks] value, slope`.
macro_rules! elementwise {
    ($($name:ident $text:literal, $domain:expr, $kink:expr, $value:expr, $slope:expr;)*) => {
        $(struct $name;
        impl Elementwise for $name {
            const NAME: &'static str = $text;
            const DOMAIN: Domain = $domain;
            fn value<R: Real>(x: R) -> R {
                let value: fn(R) -> R = $value;
                value(x)
            }
            fn slope<R: Real>(x: R) -> R {
                let slope: fn(R) -> R = $slope;
                slope(x)
            }
            fn kink(x: f64) -> bool {
                let kink: fn(f64) -> bool = $kink;
                kink(x)
            }
        })*
        pub(super) fn all() -> Vec<Function> {
            vec![$(Function::of::<$name>()),*]
        }
    };
}

pub(super) use elementwise;

fn none(_: f64) -> bool {
    false
}

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
    Relu "relu", ANY, |x| x == 0.0, |x| if x > zero() { x } else { zero() }, |x| if x > zero() { one() } else { zero() };
    LeakyRelu "leaky relu", ANY, |x| x == 0.0,
        |x| if x > zero() { x } else { R::of(0.125) * x }, |x| if x > zero() { one() } else { R::of(0.125) };
    Abs "abs", ANY, |x| x == 0.0, |x| x.abs(),
        |x| if x > zero() { one() } else if x < zero() { -one::<R>() } else { zero() };
    Clamp "clamp", ANY, |x| x == -1.0 || x == 0.5, |x| x.max(-one::<R>()).min(R::of(0.5)),
        |x| if x < -one::<R>() || x > R::of(0.5) { zero() } else { one() };
    Sigmoid "sigmoid", ANY, none, sigmoid, |x| sigmoid(x) * sigmoid(-x);
    Silu "silu", ANY, none, |x| x * sigmoid(x), |x| sigmoid(x) * (one::<R>() + x * sigmoid(-x));
    Tanh "tanh", ANY, none, |x| x.tanh(), |x| {
        let e = (R::of(-2.0) * x.abs()).exp();
        R::of(4.0) * e / ((one::<R>() + e) * (one::<R>() + e))
    };
    Gelu "gelu", ANY.upto(1e18, 1e150), none, |x| x * erfc(-x / R::of(SQRT_2)) / R::of(2.0), gelu_slope;
    Softplus "softplus", ANY, none, |x| x.max(zero()) + (-x.abs()).exp().ln_1p(), sigmoid;
}

/// `sin(4000 π x)`: its period of 0.0005 fits into steps of a thousandth, which then see a flat function. Half of the time every element is 1 or −1.
pub(super) struct Wave;

const FREQUENCY: f64 = 4000.0 * PI;

impl Definition for Wave {
    const NAME: &'static str = "fast wave";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        let dims = [setting.axis(6, 10_000)];
        let unit = setting.draw.once_in(2);
        let x = setting.value(&dims, ANY.upto(10.0, 10.0));
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
