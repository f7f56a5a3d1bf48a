use backproof_gradcheck::Variable;

use super::rows::{dot, matrix};
use super::{Definition, Function, input};
use crate::points::{ANY, Domain, Setting, Size};
use crate::real::{Array, Real};

pub(super) fn all() -> Vec<Function> {
    vec![
        Function::of::<Linear>(),
        Function::of::<Convolution>(),
        Function::of::<Product>(),
        Function::of::<Quotient>(),
        Function::of::<Network>(),
    ]
}

const FACTOR: Domain = ANY.upto(1e9, 1e20);

/// `a b`, and with the first or the second one transposed.
fn matmul<R: Real>(a: &Array<R>, b: &Array<R>) -> Array<R> {
    let b = transposed(b);
    let data = a.rows().flat_map(|row| b.rows().map(move |column| dot(row, column))).collect();
    Array::new([a.dims[0], b.dims[0]], data)
}

fn transposed<R: Real>(a: &Array<R>) -> Array<R> {
    let [rows, columns] = [a.dims[0], a.dims[1]];
    let data = (0..rows * columns).map(|i| a.data[i % rows * columns + i / rows]).collect();
    Array::new([columns, rows], data)
}

fn column_sums<R: Real>(a: &Array<R>) -> Array<R> {
    let columns = a.columns();
    Array::new([columns], (0..columns).map(|c| a.rows().map(|row| row[c]).sum()).collect())
}

/// `x w + b`.
fn affine<R: Real>(x: &Array<R>, w: &Array<R>, b: &Array<R>) -> Array<R> {
    let mut y = matmul(x, w);
    for row in y.data.chunks_mut(b.data.len()) {
        row.iter_mut().zip(&b.data).for_each(|(y, &b)| *y = *y + b);
    }
    y
}

struct Linear;

/// The sizes of a linear layer: with many, the input has 10,000 elements.
fn sizes(setting: &mut Setting) -> [usize; 3] {
    [setting.axis(3, 1000), setting.axis(3, 10), setting.axis(3, 2)]
}

impl Definition for Linear {
    const NAME: &'static str = "linear";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        let [n, i, o] = sizes(setting);
        let x = setting.value(&[n, i], FACTOR);
        vec![input("x", x), input("w", setting.value(&[i, o], FACTOR)), input("b", setting.value(&[o], FACTOR))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        affine(&tensors[0], &tensors[1], &tensors[2])
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        let of_x = matmul(cotangent, &transposed(&tensors[1]));
        vec![Some(of_x), Some(matmul(&transposed(&tensors[0]), cotangent)), Some(column_sums(cotangent))]
    }
}

/// `x [N, C, L]`, `w [O, C, K]`, `b [O]`: a window starts at every element that leaves room for it.
struct Convolution;

impl Convolution {
    /// Calls `f` for every product of the sum: the indices in x, in w and in the output.
    fn terms(x: &[usize], w: &[usize], mut f: impl FnMut(usize, usize, usize)) {
        let [n, c, l] = [x[0], x[1], x[2]];
        let [o, k] = [w[0], w[2]];
        let windows = l + 1 - k;
        for (image, out) in (0..n).flat_map(|image| (0..o).map(move |out| (image, out))) {
            for (channel, place) in (0..c).flat_map(|channel| (0..windows).map(move |place| (channel, place))) {
                let output = (image * o + out) * windows + place;
                (0..k).for_each(|t| f((image * c + channel) * l + place + t, (out * c + channel) * k + t, output));
            }
        }
    }
}

impl Definition for Convolution {
    const NAME: &'static str = "convolution";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        let [n, c, o] = [setting.axis(2, 1), setting.axis(2, 2), setting.axis(2, 2)];
        let k = setting.axis(3, 3);
        let l = k + if setting.size == Size::Many { 4997 } else { setting.draw.between(0, 3) };
        let x = setting.value(&[n, c, l], FACTOR);
        vec![input("x", x), input("w", setting.value(&[o, c, k], FACTOR)), input("b", setting.value(&[o], FACTOR))]
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        let [x, w, b] = tensors else { panic!("three tensors") };
        let windows = x.dims[2] + 1 - w.dims[2];
        let mut y = Array::zeros(&[x.dims[0], w.dims[0], windows]);
        Self::terms(&x.dims, &w.dims, |i, j, o| y.data[o] = y.data[o] + x.data[i] * w.data[j]);
        for (channel, y) in y.data.chunks_mut(windows).enumerate() {
            y.iter_mut().for_each(|y| *y = *y + b.data[channel % b.data.len()]);
        }
        y
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        let [x, w, b] = tensors else { panic!("three tensors") };
        let (mut of_x, mut of_w, mut of_b) = (Array::zeros(&x.dims), Array::zeros(&w.dims), Array::zeros(&b.dims));
        Self::terms(&x.dims, &w.dims, |i, j, o| {
            of_x.data[i] = of_x.data[i] + cotangent.data[o] * w.data[j];
            of_w.data[j] = of_w.data[j] + cotangent.data[o] * x.data[i];
        });
        for (channel, g) in cotangent.rows().enumerate() {
            let place = channel % b.data.len();
            of_b.data[place] = of_b.data[place] + g.iter().copied().sum();
        }
        vec![Some(of_x), Some(of_w), Some(of_b)]
    }
}

/// Rows and columns of `x [N, C]`, with a tensor `y` of its shape, of one row, or of one column.
fn broadcast(setting: &mut Setting, of_x: Domain, of_y: Domain) -> Vec<Variable> {
    let x = matrix(setting, of_x);
    let [n, c] = [x.dims()[0], x.dims()[1]];
    let dims = setting.draw.of(&[[n, c], [1, c], [n, 1], [1, 1]]);
    vec![input("x", x), input("y", setting.value(&dims, of_y))]
}

/// The element of `y` that meets this element of a tensor of dimensions `dims`.
fn place<R>(y: &Array<R>, dims: &[usize], index: usize) -> usize {
    (index / dims[1] % y.dims[0]) * y.dims[1] + index % dims[1] % y.dims[1]
}

/// `f` of every element of `x` and the element of `y` that meets it.
fn meet<R: Real>(x: &Array<R>, y: &Array<R>, f: impl Fn(R, R) -> R) -> Array<R> {
    let data = x.data.iter().enumerate().map(|(i, &x_i)| f(x_i, y.data[place(y, &x.dims, i)])).collect();
    Array::new(x.dims.clone(), data)
}

/// Sums over what met the same element of `y`.
fn reduced<R: Real>(of_pairs: &Array<R>, y: &Array<R>) -> Array<R> {
    let mut sums = Array::zeros(&y.dims);
    for (i, &g) in of_pairs.data.iter().enumerate() {
        let place = place(y, &of_pairs.dims, i);
        sums.data[place] = sums.data[place] + g;
    }
    sums
}

struct Product;

impl Definition for Product {
    const NAME: &'static str = "product, broadcast";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        broadcast(setting, FACTOR, FACTOR)
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        meet(&tensors[0], &tensors[1], |x, y| x * y)
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        let [x, y] = tensors else { panic!("two tensors") };
        let of_pairs = x.with(cotangent, |x, g| x * g);
        vec![Some(meet(cotangent, y, |g, y| g * y)), Some(reduced(&of_pairs, y))]
    }
}

struct Quotient;

impl Definition for Quotient {
    const NAME: &'static str = "quotient, broadcast";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        broadcast(setting, ANY.upto(1e9, 1e20), ANY.upto(1e9, 1e20).from(1e-9, 1e-40))
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        meet(&tensors[0], &tensors[1], |x, y| x / y)
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        let [x, y] = tensors else { panic!("two tensors") };
        let of_pairs = meet(x, y, |x, y| -x / (y * y)).with(cotangent, |slope, g| slope * g);
        vec![Some(meet(cotangent, y, |g, y| g / y)), Some(reduced(&of_pairs, y))]
    }
}

/// `tanh(x w + b) v + c`.
struct Network;

impl Definition for Network {
    const NAME: &'static str = "two-layer network";

    fn tensors(setting: &mut Setting) -> Vec<Variable> {
        let [n, i, hidden] = sizes(setting);
        let outputs = setting.axis(2, 2);
        let shapes: [(&str, Vec<usize>); 5] = [
            ("x", vec![n, i]),
            ("w", vec![i, hidden]),
            ("b", vec![hidden]),
            ("v", vec![hidden, outputs]),
            ("c", vec![outputs]),
        ];
        let factor = ANY.upto(1e4, 1e6);
        shapes.map(|(name, dims)| input(name, setting.value(&dims, factor))).into()
    }

    fn forward<R: Real>(tensors: &[Array<R>]) -> Array<R> {
        let [x, w, b, v, c] = tensors else { panic!("five tensors") };
        affine(&affine(x, w, b).map(R::tanh), v, c)
    }

    fn backward<R: Real>(tensors: &[Array<R>], cotangent: &Array<R>) -> Vec<Option<Array<R>>> {
        let [x, w, b, v, _] = tensors else { panic!("five tensors") };
        let sum = affine(x, w, b);
        let of_hidden = matmul(cotangent, &transposed(v));
        let of_sum = sum.with(&of_hidden, |a, g| {
            let (one, e) = (R::of(1.0), (R::of(-2.0) * a.abs()).exp());
            g * (R::of(4.0) * e / ((one + e) * (one + e)))
        });
        vec![
            Some(matmul(&of_sum, &transposed(w))),
            Some(matmul(&transposed(x), &of_sum)),
            Some(column_sums(&of_sum)),
            Some(matmul(&transposed(&sum.map(R::tanh)), cotangent)),
            Some(column_sums(cotangent)),
        ]
    }
}
