use std::time::Instant;
use burn::tensor::{Device, Distribution, Tensor, module::*, ops::*};
fn median<T>(name: &str, mut f: impl FnMut() -> T) {
    let mut times: Vec<f64> = (0..60).map(|_| { let t = Instant::now(); let _r = f(); t.elapsed().as_secs_f64() }).collect();
    times.sort_by(f64::total_cmp);
    println!("{name} {:.3}", times[times.len() / 2] * 1e3);
}
fn main() {
    let d = Device::flex();
    for (n, c, o, k, h) in [(16, 16, 16, 5, 16), (16, 3, 16, 5, 32), (16, 16, 16, 3, 16), (16, 32, 64, 3, 16), (16, 16, 16, 5, 8)] {
    println!("{n} {c} {o} {k} {h}");
    let r = |s: [usize; 4]| Tensor::<4>::random(s, Distribution::Default, &d);
    let (x, w, g) = (r([n, c, h, h]), r([o, c, k, k]), r([n, o, h, h]));
    let p = k / 2;
    median("dx transpose", || conv_transpose2d(g.clone(), w.clone(), None, ConvTransposeOptions::new([1, 1], [p, p], [0, 0], [1, 1], 1)));
    median("dx flipped", || conv2d(g.clone(), w.clone().flip([2, 3]).swap_dims(0, 1), None, ConvOptions::new([1, 1], [k - 1 - p; 2], [1, 1], 1)));
    median("dw conv", || conv2d(x.clone().swap_dims(0, 1), g.clone().swap_dims(0, 1), None, ConvOptions::new([1, 1], [p, p], [1, 1], 1)).swap_dims(0, 1));
    median("dw loop gemm", || {
        let hp = h + 2 * p;
        let padded = x.clone().permute([1, 0, 2, 3]).pad((p, p, p, p), PadMode::Constant(0.0));
        let gm = g.clone().permute([1, 0, 2, 3]).reshape([o, n * h * h]);
        let _ = hp;
        let mut parts = Vec::new();
        for a in 0..k { for b in 0..k {
            let xs = padded.clone().slice([0..c, 0..n, a..a + h, b..b + h]).reshape([c, n * h * h]);
            parts.push(xs);
        } }
        let cols = Tensor::cat(parts, 0); // [k*k*c, n*h*h]
        gm.matmul(cols.transpose()).reshape([o, k, k, c]).permute([0, 3, 1, 2])
    });
    median("bias", || g.clone().sum_dims_squeeze::<1, _>(&[0, 2, 3]));
    }
}
