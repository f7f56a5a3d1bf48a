//! Losses of predictions and targets that are tensors of one shape.

use backproof_gradcheck::Value;
use burn::nn::loss::{
    BinaryCrossEntropyLoss, BinaryCrossEntropyLossConfig, GaussianNLLLossConfig, HingeEmbeddingLossConfig,
    HuberLossConfig, KLDivLossConfig, LpLossConfig, MarginRankingLossConfig, MseLoss, PoissonNllLossConfig, Reduction,
    SmoothL1LossConfig, SoftMarginLoss,
};
use burn::tensor::{DType, Tensor, TensorData, activation};

use crate::burn::maker::{Maker, int, subject};
use crate::subject::{Case, Subject, shape};

type T = Tensor<2>;

pub(super) const SUBJECTS: &[Subject] = &[
    subject!(smooth "MseLoss", |mut m| {
        let pair = pair(&mut m, 1.5);
        of_pair(m, "", pair, |x, y, reduction| match reduction {
            Some(reduction) => MseLoss::new().forward(x, y, reduction),
            None => flat(MseLoss::new().forward_no_reduction(x, y)),
        })
    }),
    subject!("HuberLoss", |mut m| {
        let (pair, delta) = (pair(&mut m, 1.5), m.draw.pick(&[0.5, 1.0, 2.0]));
        of_pair(m, &format!("delta {delta}"), pair, move |x, y, reduction| {
            let loss = HuberLossConfig::new(delta).init();
            match reduction {
                Some(reduction) => loss.forward(x, y, reduction),
                None => flat(loss.forward_no_reduction(x, y)),
            }
        })
    }),
    subject!("SmoothL1Loss", |mut m| {
        let (pair, beta) = (pair(&mut m, 1.5), m.draw.pick(&[0.5, 1.0, 2.0]));
        let by_dims = m.draw.once_in(4);
        let options = format!("beta {beta}{}", if by_dims { ", means of rows" } else { "" });
        of_pair(m, &options, pair, move |x, y, reduction| {
            let loss = SmoothL1LossConfig::new().with_beta(beta).init();
            match reduction {
                _ if by_dims => flat(loss.forward_reduce_dims(x, y, &[1])),
                Some(reduction) => loss.forward_with_reduction(x, y, reduction),
                None => flat(loss.forward(x, y)),
            }
        })
    }),
    subject!("LpLoss", |mut m| {
        let (p, by_dims) = (m.draw.pick(&[0.5, 1.0, 1.5, 2.0, 3.0]), m.draw.once_in(4));
        // Away from equal numbers: there the derivative of |r|^0.5 is infinite.
        let [x, _] = pair(&mut m, 1.0);
        let apart = m.signed(x.dims(), 0.2..2.0);
        let y = Value::new(x.dims(), x.data().iter().zip(apart.data()).map(|(x, r)| x + r).collect::<Vec<_>>());
        let options = format!("p {p}{}", if by_dims { ", means of rows" } else { "" });
        of_pair(m, &options, [x, y], move |x, y, reduction| {
            let loss = LpLossConfig::new(p).init();
            match reduction {
                _ if by_dims => flat(loss.forward_reduce_dims(x, y, &[1])),
                Some(reduction) => loss.forward(x, y, reduction),
                None => flat(loss.forward_no_reduction(x, y)),
            }
        })
    }),
    subject!(smooth "KLDivLoss", |mut m| {
        let dims = dims(&mut m);
        let log_target = m.draw.once_in(2);
        let targets = if log_target { m.uniform(dims, -3.0..-0.1) } else { m.uniform(dims, 0.05..0.95) };
        let pair = [m.uniform(dims, -3.0..-0.1), targets];
        let batch_mean = m.draw.once_in(3);
        let options = if log_target { "logarithms of targets" } else { "" };
        of_pair(m, options, pair, move |x, y, reduction| {
            let loss = KLDivLossConfig::new().with_log_target(log_target).init();
            match reduction {
                Some(_) if batch_mean => loss.forward(x, y, Reduction::BatchMean),
                Some(reduction) => loss.forward(x, y, reduction),
                None => flat(loss.forward_no_reduction(x, y)),
            }
        })
    }),
    subject!(smooth "PoissonNllLoss", |mut m| {
        let dims = dims(&mut m);
        let (log_input, full) = (m.draw.once_in(2), m.draw.once_in(2));
        let predictions = if log_input { m.draw.normal(dims, 1.0) } else { m.uniform(dims, 0.2..3.0) };
        // Stirling's formula begins at 1, where the loss jumps.
        let range = if m.draw.once_in(2) { 0.2..0.9 } else { 1.2..4.0 };
        let pair = [predictions, m.uniform(dims, range)];
        let options = format!("log input {log_input}, full {full}");
        of_pair(m, &options, pair, move |x, y, reduction| {
            let loss = PoissonNllLossConfig::new().with_log_input(log_input).with_full(full).init();
            match reduction {
                Some(reduction) => loss.forward(x, y, reduction),
                None => flat(loss.forward_no_reduction(x, y)),
            }
        })
    }),
    subject!(smooth "SoftMarginLoss", |mut m| {
        let dims = dims(&mut m);
        let pair = [m.draw.values(dims, 2.0), signs(&mut m, dims)];
        of_pair(m, "", pair, |x, y, reduction| match reduction {
            Some(reduction) => SoftMarginLoss::new().forward(x, y, reduction),
            None => flat(SoftMarginLoss::new().forward_no_reduction(x, y)),
        })
    }),
    subject!("HingeEmbeddingLoss", |mut m| {
        let (dims, margin) = (dims(&mut m), m.draw.pick(&[0.5, 1.0]));
        let (x, signs) = (m.draw.values(dims, 2.0), signs(&mut m, dims));
        of_constants(m, &format!("margin {margin}"), &[("x", x)], signs, move |t, reduction| {
            let loss = HingeEmbeddingLossConfig::new().with_margin(margin).init();
            let (x, y) = (t.get::<2>("x"), t.get("targets"));
            match reduction {
                Some(reduction) => loss.forward(x, y, reduction),
                None => flat(loss.forward_no_reduction(x, y)),
            }
        })
    }),
    subject!("MarginRankingLoss", |mut m| {
        let (dims, margin) = (dims(&mut m), m.draw.pick(&[0.0, 0.5]));
        let both = [("first", m.draw.values(dims, 1.0)), ("second", m.draw.values(dims, 1.0))];
        // The first pair is in the wrong order, so that something is lost.
        let mut wanted = signs(&mut m, dims).data().to_vec();
        wanted[0] = if both[0].1.data()[0] > both[1].1.data()[0] { -1.0 } else { 1.0 };
        let signs = Value::new(dims, wanted);
        of_constants(m, &format!("margin {margin}"), &both, signs, move |t, reduction| {
            let loss = MarginRankingLossConfig::new().with_margin(margin).init();
            let (first, second, y) = (t.get::<2>("first"), t.get("second"), t.get("targets"));
            match reduction {
                Some(reduction) => loss.forward(first, second, y, reduction),
                None => flat(loss.forward_no_reduction(first, second, y)),
            }
        })
    }),
    subject!(smooth "GaussianNLLLoss", |mut m| {
        let (dims, full) = (dims(&mut m), m.draw.once_in(2));
        let both = [("x", m.draw.values(dims, 1.0)), ("variance", m.uniform(dims, 0.2..2.0))];
        let targets = m.draw.values(dims, 1.0);
        of_constants(m, if full { "full" } else { "" }, &both, targets, move |t, reduction| {
            // The usual 10⁻⁶ is a number of a hard point, which rounding puts on either side of the kink.
            let loss = GaussianNLLLossConfig::new().with_full(full).with_eps(1e-5).init();
            let (x, variance, y) = (t.get::<2>("x"), t.get("variance"), t.get("targets"));
            match reduction {
                Some(reduction) => loss.forward(x, y, variance, reduction),
                None => flat(loss.forward_no_reduction(x, y, variance)),
            }
        })
    }),
    subject!(smooth "BinaryCrossEntropyLoss", binary_cross_entropy::<2>),
    subject!(smooth "BinaryCrossEntropyLoss_of_vector", binary_cross_entropy::<1>),
];

fn flat(losses: T) -> Tensor<1> {
    losses.flatten(0, 1)
}

/// How a loss of a batch is made one number, or the losses as they are.
pub(super) fn reduction(m: &mut Maker<'_>) -> Option<Reduction> {
    match m.draw.size(0..=3) {
        0 => None,
        1 => Some(Reduction::Mean),
        2 => Some(Reduction::Sum),
        _ => Some(Reduction::Auto),
    }
}

pub(super) fn words(reduction: Option<&Reduction>) -> String {
    reduction.map_or("no reduction".into(), |reduction| format!("reduction {reduction:?}"))
}

fn dims(m: &mut Maker<'_>) -> [usize; 2] {
    [m.draw.size(1..=4), m.draw.size(2..=4)]
}

fn pair(m: &mut Maker<'_>, scale: f64) -> [Value; 2] {
    let dims = dims(m);
    [m.draw.values(dims, scale), m.draw.normal(dims, scale)]
}

/// 1 and −1.
fn signs(m: &mut Maker<'_>, dims: [usize; 2]) -> Value {
    Value::new(dims, (0..dims[0] * dims[1]).map(|_| m.draw.pick(&[-1.0, 1.0])).collect::<Vec<_>>())
}

/// A loss of two tensors, both of which are differentiated.
fn of_pair(
    mut m: Maker<'_>,
    options: &str,
    pair: [Value; 2],
    loss: impl Fn(T, T, Option<Reduction>) -> Tensor<1> + 'static,
) -> Case {
    let reduction = reduction(&mut m);
    let comma = if options.is_empty() { "" } else { ", " };
    let options = format!("{options}{comma}{}", words(reduction.as_ref()));
    m.binary(&options, pair, move |x: T, y: T| loss(x, y, reduction.clone()))
}

/// A loss of these inputs with targets that are not differentiated.
fn of_constants(
    mut m: Maker<'_>,
    options: &str,
    inputs: &[(&str, Value)],
    targets: Value,
    loss: impl Fn(&backproof_gradcheck::Arguments<'_>, Option<Reduction>) -> Tensor<1> + 'static,
) -> Case {
    let reduction = reduction(&mut m);
    let comma = if options.is_empty() { "" } else { ", " };
    let about = format!("{}, {options}{comma}{}", shape(targets.dims()), words(reduction.as_ref()));
    let check = inputs.iter().fold(m.check(), |check, (name, value)| check.input(*name, value.clone()));
    m.case(about, check.constant("targets", targets), move |t| loss(t, reduction.clone()))
}

/// Of probabilities or of logits, with weights and label smoothing.
fn binary_cross_entropy<const D: usize>(mut m: Maker<'_>) -> Case {
    let vector = D == 1;
    let [samples, classes] = if vector { [m.draw.size(2..=6), 1] } else { dims(&mut m) };
    let (logits, smoothed, weighted) = (m.draw.once_in(2), m.draw.once_in(3), m.draw.once_in(2));
    let dims = if vector { vec![samples] } else { vec![samples, classes] };
    let x = if logits { m.draw.normal(dims.clone(), 1.5) } else { m.uniform(dims.clone(), 0.05..0.95) };
    let targets = m.indices(samples * classes, 2);
    let weights: Vec<f32> = (0..if vector { 2 } else { classes }).map(|_| m.draw.real(0.5..2.0) as f32).collect();
    let about = format!("{}, logits {logits}, smoothed {smoothed}, weighted {weighted}", shape(&dims));
    let check = m.check().input("x", x);
    m.case(about, check, move |t| {
        let config = BinaryCrossEntropyLossConfig::new().with_logits(logits).with_smoothing(smoothed.then_some(0.1));
        let mut loss = config.with_weights(weighted.then(|| weights.clone())).init(t.device());
        // They are made in the default precision.
        loss.weights = loss.weights.map(|weights| weights.cast(t.dtype()));
        if !t.device().is_autodiff() {
            // The targets become floats in the default precision: the differences are those of the formula.
            return cross_entropy_of_formula(t.get::<D>("x"), &targets, &loss);
        }
        loss.forward(t.get::<D>("x"), int(t, shape_of(samples, classes), &targets))
    })
}

fn shape_of<const D: usize>(samples: usize, classes: usize) -> [usize; D] {
    std::array::from_fn(|axis| if axis == 0 { samples } else { classes })
}

fn cross_entropy_of_formula<const D: usize>(x: Tensor<D>, targets: &[i64], loss: &BinaryCrossEntropyLoss) -> Tensor<1> {
    let (dims, place) = (x.dims(), (&x.device(), x.dtype()));
    let alpha = loss.smoothing.unwrap_or(0.0);
    let classes = if D > 1 { dims[D - 1] } else { 2 };
    // As they are in single precision, where the loss computes them.
    let smoothed: Vec<f32> = targets.iter().map(|&y| y as f32 * (1.0 - alpha) + alpha / classes as f32).collect();
    let y = Tensor::<D>::from_data(TensorData::new(smoothed, dims).convert_dtype(x.dtype()), place);
    let probabilities = if loss.logits { activation::sigmoid(x) } else { x };
    let losses = -(y.clone() * probabilities.clone().log() + (-y + 1) * (-probabilities + 1).log());
    let Some(weights) = &loss.weights else { return losses.mean() };
    let weights: Vec<f64> = weights.to_data().convert_dtype(DType::F64).try_into_vec().expect("they are f64");
    let of_element = |(at, &y): (usize, &i64)| if D > 1 { weights[at % classes] } else { weights[y as usize] };
    let weights: Vec<f64> = targets.iter().enumerate().map(of_element).collect();
    (losses * Tensor::from_data(TensorData::new(weights, dims), place)).mean()
}
