//! Fourier transforms of `burn-signal`. The functions that make windows are left out: they have no tensor to
//! differentiate.

use backproof_gradcheck::Gradients;
use burn::signal::{StftOptions, cfft, irfft, istft, rfft, stft};
use burn::tensor::{Tensor, TensorData};

use super::maker::{Maker, describe, subject};
use crate::subject::{Case, Layout, Subject};

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "rfft", real),
    subject!(smooth "irfft", inverse),
    subject!(smooth "cfft", |mut m| {
        let (dims, axis, length) = signals(&mut m);
        let both = [m.draw.normal(dims, 1.0), m.draw.normal(dims, 1.0)];
        m.binary(&words(axis, length), both, move |re: Tensor<2>, im: Tensor<2>| {
            let (re, im) = cfft(re, im, axis, length);
            Tensor::cat(vec![re, im], axis)
        })
    }),
    subject!(smooth "stft", |mut m| {
        let (options, about) = short_time(&mut m);
        let dims = m.draw.pair(1..=2);
        let signal = m.draw.normal([dims[0], 8 + 2 * dims[1]], 1.0);
        let window = m.uniform([options.win_length.unwrap_or(options.n_fft)], 0.5..1.5);
        m.binary(&about, [signal, window], move |signal: Tensor<2>, window: Tensor<1>| {
            stft(signal, Some(window), options)
        })
    }),
    subject!(smooth "istft", inverse_short_time),
];

/// The sizes of some signals, the axis that is time, and the length of the transform, if it is not that of the signals.
fn signals(m: &mut Maker<'_>) -> ([usize; 2], usize, Option<usize>) {
    let (axis, others) = (m.draw.size(0..=1), m.draw.size(1..=3));
    let (time, length) = match m.draw.size(0..=2) {
        0 => (m.draw.size(1..=9), Some(m.draw.pick(&[1, 2, 4, 8]))),
        _ => (m.draw.pick(&[1, 2, 4, 8, 16]), None),
    };
    let mut dims = [others; 2];
    dims[axis] = time;
    (dims, axis, length)
}

fn words(axis: usize, length: Option<usize>) -> String {
    match length {
        Some(length) => format!("axis {axis}, length {length}"),
        None => format!("axis {axis}"),
    }
}

/// The real parts and the imaginary ones, one after the other.
fn real(mut m: Maker<'_>) -> Case {
    let (dims, axis, length) = signals(&mut m);
    let x = m.draw.normal(dims, 1.0);
    let case = m.unary(&words(axis, length), x, move |x: Tensor<2>| {
        let (re, im) = rfft(x, axis, length);
        Tensor::cat(vec![re, im], axis)
    });
    if length.is_some() {
        return case;
    }
    let twice = "a frequency that stands for two counts once, as the first and the last do";
    let check = m.context.mutant(case.check, twice, move |t| {
        let cotangent = t.cotangent::<2>();
        let bins = cotangent.dims()[axis] / 2;
        let (re, im) = (cotangent.clone().narrow(axis, 0, bins), cotangent.narrow(axis, bins, bins));
        Gradients::new().with("x", irfft(re, im, axis, None) * dims[axis] as f64)
    });
    Case { check, ..case }
}

fn inverse(mut m: Maker<'_>) -> Case {
    let (axis, others) = (m.draw.size(0..=1), m.draw.size(1..=3));
    let (bins, length) = match m.draw.size(0..=2) {
        0 => (m.draw.size(1..=6), Some(m.draw.pick(&[1, 2, 4, 8]))),
        _ => (m.draw.pick(&[2, 3, 5, 9]), None),
    };
    let mut dims = [others; 2];
    dims[axis] = bins;
    let both = [m.draw.normal(dims, 1.0), m.draw.normal(dims, 1.0)];
    m.binary(&words(axis, length), both, move |re: Tensor<2>, im: Tensor<2>| irfft(re, im, axis, length))
}

fn short_time(m: &mut Maker<'_>) -> (StftOptions, String) {
    let n_fft = m.draw.pick(&[2, 4, 8]);
    let win_length = m.draw.once_in(2).then(|| m.draw.size(n_fft / 2..=n_fft));
    let hop_length = m.draw.size(1..=win_length.unwrap_or(n_fft));
    let (center, onesided) = (m.draw.once_in(2), m.draw.once_in(2));
    let options = StftOptions { n_fft, hop_length, win_length, center, onesided };
    (options, format!("{options:?}"))
}

/// Burn makes tensors in the default precision on the way, and cannot work in another; the reference is our own.
fn inverse_short_time(mut m: Maker<'_>) -> Case {
    let (options, about) = short_time(&mut m);
    let (batch, frames) = (m.draw.size(1..=2), m.draw.size(2..=3));
    let frequencies = if options.onesided { options.n_fft / 2 + 1 } else { options.n_fft };
    let x = m.draw.normal([batch, frames, frequencies, 2], 1.0);
    let window = m.uniform([options.win_length.unwrap_or(options.n_fft)], 0.5..1.5);
    let about = describe(&[&x, &window], &about, Layout::Contiguous);
    let check = m.check().input("x", x).input("window", window);
    m.case(about, check, move |t| {
        let (x, window) = (t.get::<4>("x"), t.get::<1>("window"));
        let by_burn = x.device().is_autodiff();
        if by_burn { istft(x, Some(window), None, options) } else { overlap_and_add(x, window, options) }
    })
}

fn overlap_and_add(x: Tensor<4>, window: Tensor<1>, options: StftOptions) -> Tensor<2> {
    let ([batch, frames, _, _], n, hop) = (x.dims(), options.n_fft, options.hop_length);
    let place = (&x.device(), x.dtype());
    let before = (n - window.dims()[0]) / 2;
    let window = Tensor::zeros([n], place).slice_assign([before..before + window.dims()[0]], window);
    let half = x.slice([0..batch, 0..frames, 0..n / 2 + 1, 0..2]);
    let [re, im] = [0, 1].map(|part| half.clone().narrow(3, part, 1).reshape([batch * frames, n / 2 + 1]));
    let windowed = irfft(re, im, 1, Some(n)).reshape([batch, frames, n]) * window.clone().reshape([1, 1, n]);
    // Where each number of each frame goes.
    let length = n + (frames - 1) * hop;
    let mut to = vec![0.0; frames * n * length];
    for frame in 0..frames {
        for tap in 0..n {
            to[(frame * n + tap) * length + frame * hop + tap] = 1.0;
        }
    }
    let to = Tensor::<2>::from_data(TensorData::new(to, [frames * n, length]), place);
    let weight = window.square().reshape([1, n]).repeat(&[1, frames]).matmul(to.clone()).clamp_min(1e-10);
    let output = windowed.reshape([batch, frames * n]).matmul(to) / weight;
    if options.center { output.narrow(1, n / 2, length - 2 * (n / 2)) } else { output }
}
