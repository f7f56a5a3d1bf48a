use super::Function;
use super::activations::{Elementwise, elementwise};
use crate::points::{ANY, Domain};
use crate::real::{Real, sigmoid};

elementwise! {
    Exp "exp", ANY.upto(80.0, 700.0), [], |x| x.exp(), |x| x.exp();
    Square "square", ANY.upto(1e18, 1e150), [], |x| x * x, |x| R::of(2.0) * x;
    Cube "cube", ANY.upto(1e12, 1e100), [], |x| x * x * x, |x| R::of(3.0) * x * x;
    Sqrt "sqrt", ANY.positive().from(1e-40, 1e-300), [], |x| x.sqrt(), |x| R::of(0.5) / x.sqrt();
    Log "log", ANY.positive().from(1e-37, 1e-300), [], |x| x.ln(), |x| R::of(1.0) / x;
    Reciprocal "reciprocal", ANY.upto(1e18, 1e150).from(1e-18, 1e-150), [],
        |x| R::of(1.0) / x, |x| R::of(-1.0) / (x * x);
    SquareBeside "square and 10⁸", ANY.upto(1e15, 1e100), [], |x| x * x + R::of(1e8), |x| R::of(2.0) * x;
    SteepSigmoid "steep sigmoid", ANY, [], |x| sigmoid(R::of(1048576.0) * x), |x| {
        let z = R::of(1048576.0) * x;
        R::of(1048576.0) * (sigmoid(z) * sigmoid(-z))
    };
}
