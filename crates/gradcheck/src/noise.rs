use crate::Value;
use crate::random::Random;

/// The round-off of every output of the forward, measured: the function is called at seven points so close together that it is a straight
/// line, and what is left after four differences is noise (Hamming's table, as in Moré and Wild, *Estimating computational noise*, 2011).
///
/// Four differences of white noise of deviation `σ` have the variance `(8 choose 4) σ² = 70 σ²`. An output rounds by at least `ε|y|`; three
/// samples of the difference may vanish by luck, so that no output gets less than the root mean square of all.
///
/// The points are 1e-7 of the typical element apart: far enough that an intermediate result a billion times the size of the input still changes,
/// near enough that the fourth derivative does not show. A kink that happens to lie between them looks like noise. Where decisions are recorded, points
/// that see one are moved closer together, and the center, which may lie on one, is none of them. Of two directions, and of all distances tried,
/// the smallest result counts. Only tensors that `moves` says are moved: a constant may be the number of a class.
pub(crate) fn output_noise(
    forward: impl Fn(&[Value]) -> (Value, Option<u64>),
    values: &[Value],
    moves: impl Fn(usize) -> bool,
    center: &(Value, Option<u64>),
    seed: u64,
) -> Vec<f64> {
    let mut variances = vec![f64::INFINITY; center.0.len()];
    for stream in ["noise", "more noise"] {
        for spacing in [1e-7, 1e-8, 1e-9, 1e-10] {
            let (found, smooth) = along(&forward, values, &moves, center, spacing, &mut Random::new(seed, stream));
            variances.iter_mut().zip(found).for_each(|(least, variance)| *least = least.min(variance));
            if smooth {
                break;
            }
        }
    }
    let center = &center.0;
    let typical = (variances.iter().sum::<f64>() / variances.len().max(1) as f64).sqrt();
    let rounding = center.data().iter().map(|y| f64::EPSILON * y.abs());
    variances.iter().zip(rounding).map(|(variance, rounding)| variance.sqrt().max(typical).max(rounding)).collect()
}

/// The variance of every output along one direction, and whether all points made the same decisions.
fn along(
    forward: impl Fn(&[Value]) -> (Value, Option<u64>),
    values: &[Value],
    moves: impl Fn(usize) -> bool,
    center: &(Value, Option<u64>),
    spacing: f64,
    random: &mut Random,
) -> (Vec<f64>, bool) {
    const POINTS: usize = 7;
    let mut direction = |(tensor, value): (usize, &Value)| -> Vec<f64> {
        let (scale, spacing) = (scale(value), if moves(tensor) { spacing } else { 0.0 });
        value.data().iter().map(|x| random.sign() * x.abs().max(scale) * spacing).collect()
    };
    let directions: Vec<Vec<f64>> = values.iter().enumerate().map(&mut direction).collect();
    let first = usize::from(center.1.is_some());
    let at = |point: usize| {
        if point == 0 {
            return center.clone();
        }
        let along = |(value, direction): (&Value, &Vec<f64>)| {
            value.map_data(value.data().iter().zip(direction).map(|(x, d)| x + point as f64 * d).collect())
        };
        forward(&values.iter().zip(&directions).map(along).collect::<Vec<_>>())
    };
    let table: Vec<(Value, Option<u64>)> = (first..first + POINTS).map(at).collect();
    let smooth = table.iter().all(|(_, fingerprint)| *fingerprint == table[0].1);
    let variances = (0..center.0.len())
        .map(|output| {
            let mut column: Vec<f64> = table.iter().map(|(y, _)| y.data()[output]).collect();
            for _ in 0..4 {
                column = column.windows(2).map(|pair| pair[1] - pair[0]).collect();
            }
            let variance = column.iter().map(|d| d * d).sum::<f64>() / (70.0 * column.len() as f64);
            if variance.is_finite() { variance } else { 0.0 }
        })
        .collect();
    (variances, smooth)
}

/// The typical magnitude of a tensor's elements, 1 if they are all zero: what a step is small beside.
pub(crate) fn scale(value: &Value) -> f64 {
    let mean_square = value.data().iter().map(|x| x * x).sum::<f64>() / value.len().max(1) as f64;
    if mean_square > 0.0 { mean_square.sqrt() } else { 1.0 }
}
