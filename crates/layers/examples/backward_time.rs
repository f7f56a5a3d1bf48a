use backproof_layers::*;
use burn::tensor::{Device, Distribution, Tensor};
use std::time::Instant;

fn median(mut f: impl FnMut() -> f64) -> f64 {
    let mut times: Vec<f64> = (0..60).map(|_| f()).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2] * 1e3
}

fn time<const D: usize, const E: usize, S, G>(
    name: &str,
    input: Tensor<D>,
    manual_forward: impl Fn(Tensor<D>) -> (Tensor<E>, S),
    manual_backward: impl Fn(S, Tensor<E>) -> G,
    autodiff_forward: impl Fn(Tensor<D>) -> Tensor<E>,
) {
    let (o, _) = manual_forward(input.clone());
    let cot = Tensor::<E>::random(o.dims(), Distribution::Default, &Device::flex());
    let fm = median(|| {
        let t = Instant::now();
        let _r = manual_forward(input.clone());
        t.elapsed().as_secs_f64()
    });
    let m = median(|| {
        let (_, s) = manual_forward(input.clone());
        let c = cot.clone() * 1.0;
        let t = Instant::now();
        let _g = manual_backward(s, c);
        t.elapsed().as_secs_f64()
    });
    let a = median(|| {
        let x = input.clone().autodiff().require_grad();
        let y = autodiff_forward(x.clone());
        let l = (y * cot.clone().autodiff()).sum();
        let t = Instant::now();
        let _g = l.backward();
        t.elapsed().as_secs_f64()
    });
    println!("{name:28} forward {fm:.3} ms, manual backward {m:.3} ms, autodiff backward {a:.3} ms");
}

fn main() {
    let d = Device::flex();
    let r4 = |s: [usize; 4]| Tensor::<4>::random(s, Distribution::Default, &d);
    for (name, n, c, o, k, hw, st, g) in [
        ("conv 16-16 5x5 16x16 b16", 16, 16, 16, 5, 16, 1, 1),
        ("conv 3-16 5x5 32x32 b16", 16, 3, 16, 5, 32, 1, 1),
        ("conv 16-16 3x3 16x16 b16", 16, 16, 16, 3, 16, 1, 1),
        ("conv 32-64 3x3 s2 16x16 b16", 16, 32, 64, 3, 16, 2, 1),
        ("depthwise 16 3x3", 16, 16, 16, 3, 16, 1, 16),
        ("groups 4 of 16 3x3", 16, 16, 16, 3, 16, 1, 4),
    ] {
        let w = r4([o, c / g, k, k]);
        let b = Tensor::<1>::zeros([o], &d);
        let op = Conv2dOptions { padding: [k / 2, k / 2], stride: [st, st], groups: g, ..Default::default() };
        let man = Conv2d::new(w.clone(), Some(b.clone()), op.clone());
        let aut = Conv2d::new(w.autodiff(), Some(b.autodiff()), op);
        time(name, r4([n, c, hw, hw]), |x| man.forward_saving(x), |s, g| man.backward(s, g), |x| aut.forward(x));
    }
    let x = || r4([16, 16, 32, 32]);
    let p = MaxPool2d::new(MaxPool2dOptions::new([2, 2]));
    time("max pool 2x2 16x16x32x32", x(), |x| p.forward_saving(x), |s, g| p.backward(s, g), |x| p.forward(x));
    let p = MaxPool2d::new(MaxPool2dOptions { stride: [2, 2], ..MaxPool2dOptions::new([3, 3]) });
    time("max pool 3x3/2", x(), |x| p.forward_saving(x), |s, g| p.backward(s, g), |x| p.forward(x));
    let p = AvgPool2d::new(AvgPool2dOptions::new([2, 2]));
    time("avg pool 2x2", x(), |x| p.forward_saving(x), |s, g| p.backward(s, g), |x| p.forward(x));
    let p = AvgPool2d::new(AvgPool2dOptions { stride: [2, 2], ..AvgPool2dOptions::new([3, 3]) });
    time("avg pool 3x3/2", x(), |x| p.forward_saving(x), |s, g| p.backward(s, g), |x| p.forward(x));
    let x0 = || r4([16, 16, 32, 32]) - 0.5;
    time("relu", x0(), |x| Relu.forward_saving(x), |s, g| Relu.backward(s, g), |x| Relu.forward(x));
    let l = LeakyRelu::new(0.01);
    time("leaky relu", x0(), |x| l.forward_saving(x), |s, g| l.backward(s, g), |x| l.forward(x));
    let l = Elu::new(1.0);
    time("elu", x0(), |x| l.forward_saving(x), |s, g| l.backward(s, g), |x| l.forward(x));
    time("gelu", x0(), |x| Gelu.forward_saving(x), |s, g| Gelu.backward(s, g), |x| Gelu.forward(x));
    time("sigmoid", x0(), |x| Sigmoid.forward_saving(x), |s, g| Sigmoid.backward(s, g), |x| Sigmoid.forward(x));
    time("tanh", x0(), |x| Tanh.forward_saving(x), |s, g| Tanh.backward(s, g), |x| Tanh.forward(x));
    let t = Mode::Training { dropout_seed: [1; 32] };
    let l = Dropout::new(0.5);
    time("dropout", x0(), |x| l.forward_saving(x, t), |s, g| l.backward(s, g), |x| l.forward(x, t));
    let l = BatchNorm::new(Tensor::ones([16], &d), Tensor::zeros([16], &d), 1e-5, 0.1);
    let la = BatchNorm::new(Tensor::ones([16], &d).autodiff(), Tensor::zeros([16], &d).autodiff(), 1e-5, 0.1);
    time("batch norm", x0(), |x| l.forward_saving(x, t), |s, g| l.backward(s, g), |x| la.forward(x, t));
    let w = Tensor::<2>::random([4096, 128], Distribution::Default, &d);
    let b = Tensor::<1>::zeros([128], &d);
    let man = Linear::new(w.clone(), Some(b.clone()));
    let aut = Linear::new(w.autodiff(), Some(b.autodiff()));
    time(
        "linear 4096-128 b16",
        Tensor::<2>::random([16, 4096], Distribution::Default, &d),
        |x| man.forward_saving(x),
        |s, g| man.backward(s, g),
        |x| aut.forward(x),
    );
}
