use crate::Value;
use crate::precision::{Precision, QUANTUM};
use crate::random::Random;

/// The round-off of every output of the forward, measured: the function is called at seven points so close together
/// that it is a straight line, and what is left after four differences is noise (Hamming's table, as in Moré and Wild,
/// *Estimating computational noise*, 2011).
///
/// Four differences of white noise of deviation `σ` have the variance `(8 choose 4) σ² = 70 σ²`. An output rounds by at
/// least `ε|y|`; three samples of the difference may vanish by luck, so that no output gets less than `ε|y|` times the
/// median of what the others have beside theirs, up to the largest noise that was seen. The outputs are not levelled out
/// otherwise: one that is large would
/// hide another that is small.
///
/// The points are 1e-7 of each element apart: far enough that an intermediate result a billion times the size of the
/// input still changes, near enough that the fourth derivative does not show. Where no output changes at all, nothing
/// was seen of its rounding, and the points are moved further apart. A kink that happens to lie between them looks like
/// noise. Where decisions are recorded, points that see one are moved closer together, and the center, which may lie on
/// one, is none of them. Of all distances tried the smallest result counts, and of three directions the one in the
/// middle: one may meet a kink. But two may see no noise by luck. What is small beside the way that the output goes, and
/// no more than roundings of the largest number in sight, is none, and counts whichever direction has seen it. An output that stays as it is says that only where a
/// kink was the reason to look nearer: otherwise rounding may hide that it moves. Only tensors that `moves` says are
/// moved: a constant may be the number of a class.
pub(crate) fn output_noise(
    forward: impl Fn(&[Value]) -> (Value, Option<u64>),
    precision: Precision,
    values: &[Value],
    moves: impl Fn(usize) -> bool,
    center: &(Value, Option<u64>),
    seed: u64,
) -> Vec<f64> {
    let largest_number = values.iter().chain([&center.0]).map(Value::max_abs).fold(0.0, f64::max);
    let roundings = QUANTUM * precision.epsilon() * largest_number;
    let all = ["noise", "more noise", "still more noise"].map(|stream| {
        let mut deviations = vec![f64::INFINITY; center.0.len()];
        let mut believed = vec![0.0; center.0.len()];
        let mut again = vec![true; center.0.len()];
        let mut kinked = false;
        let at = |spacing| along(&forward, precision, values, &moves, center, spacing, &mut Random::new(seed, stream));
        for (number, spacing) in precision.spacings().into_iter().enumerate() {
            let (mut found, smooth) = at(spacing);
            if number == 0 && smooth && found.iter().all(|found| found.still) {
                let further = FURTHER.iter().map(|times| at(times * spacing));
                let moved =
                    further.take_while(|(_, smooth)| *smooth).find(|(found, _)| found.iter().any(|it| !it.still));
                found = moved.map_or(found, |(found, _)| found);
            }
            for (believed, found) in believed.iter_mut().zip(&found).filter(|_| number == 0 && smooth) {
                let is_rounding = found.deviation <= roundings.min(BELIEVED * found.way);
                *believed = if is_rounding { found.deviation } else { 0.0 };
            }
            for ((least, again), found) in deviations.iter_mut().zip(&mut again).zip(&found) {
                if found.still && !kinked {
                    *again = false;
                    continue;
                }
                // Nearer points see less noise, so that they count only where these may have met a kink.
                if *again || !smooth {
                    *least = least.min(found.deviation);
                }
                *again &= found.bent;
            }
            kinked |= !smooth;
            if smooth && !again.contains(&true) {
                break;
            }
        }
        // What never moved has shown no noise.
        let seen = |least: f64| if least.is_finite() { least } else { 0.0 };
        deviations.into_iter().zip(believed).map(|(least, believed)| (seen(least), believed)).collect::<Vec<_>>()
    });
    let middle = |output: usize| {
        let mut three = all.each_ref().map(|found| found[output].0);
        three.sort_by(f64::total_cmp);
        all.iter().map(|found| found[output].1).fold(three[1], f64::max)
    };
    let deviations: Vec<f64> = (0..center.0.len()).map(middle).collect();
    let rounding: Vec<f64> = center.0.data().iter().map(|y| precision.epsilon() * y.abs()).collect();
    let typical = median_ratio(&deviations, &rounding);
    let largest = deviations.iter().copied().fold(0.0, f64::max);
    // What is left of a cancellation has many roundings of its own size, and says nothing of what is larger.
    let least = |rounding: &f64| (typical * rounding).min(largest).max(*rounding);
    deviations.iter().zip(&rounding).map(|(deviation, rounding)| deviation.max(least(rounding))).collect()
}

/// The slope of a kink changes by more than this share of the way, unless it is one of very many.
const BELIEVED: f64 = 1e-3;

/// How much further apart the points are moved where no output changes.
const FURTHER: [f64; 2] = [1e2, 1e4];

/// The median of the noise beside the rounding of the output itself, at least 1.
fn median_ratio(deviations: &[f64], rounding: &[f64]) -> f64 {
    let pairs = deviations.iter().zip(rounding).filter(|(_, rounding)| **rounding > 0.0);
    let mut ratios: Vec<f64> = pairs.map(|(deviation, rounding)| deviation / rounding).collect();
    match ratios.len() {
        0 => 1.0,
        length => ratios.select_nth_unstable_by(length / 2, f64::total_cmp).1.max(1.0),
    }
}

/// What an output does between seven points.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Found {
    deviation: f64,
    /// It is straight but for one place, where it bends: that is a kink and no noise, and nearer points may miss it.
    bent: bool,
    /// It is the same at all points.
    still: bool,
    /// From the least to the largest.
    way: f64,
}

/// What every output does along one direction, and whether all points made the same decisions.
fn along(
    forward: impl Fn(&[Value]) -> (Value, Option<u64>),
    precision: Precision,
    values: &[Value],
    moves: impl Fn(usize) -> bool,
    center: &(Value, Option<u64>),
    spacing: f64,
    random: &mut Random,
) -> (Vec<Found>, bool) {
    const POINTS: usize = 7;
    // A pole may be as near to an element as the element is to zero.
    let own = |x: f64, typical: f64| if x == 0.0 { base(x, typical) } else { x.abs() };
    let mut direction = |(tensor, value): (usize, &Value)| -> Vec<f64> {
        let (typical, spacing) = (typical(value), if moves(tensor) { spacing } else { 0.0 });
        // Other shares for each: what cancels for equal ones has no noise.
        let mut share = || random.sign() * (0.5 + 0.5 * random.uniform());
        value.data().iter().map(|&x| share() * own(x, typical) * spacing).collect()
    };
    let directions: Vec<Vec<f64>> = values.iter().enumerate().map(&mut direction).collect();
    let first = usize::from(center.1.is_some());
    let at = |point: usize| {
        if point == 0 {
            return center.clone();
        }
        let along = |(value, direction): (&Value, &Vec<f64>)| {
            let moved = value.data().iter().zip(direction).map(|(x, d)| precision.round(x + point as f64 * d));
            value.map_data(moved.collect())
        };
        forward(&values.iter().zip(&directions).map(along).collect::<Vec<_>>())
    };
    let table: Vec<(Value, Option<u64>)> = (first..first + POINTS).map(at).collect();
    let smooth = table.iter().all(|(_, fingerprint)| *fingerprint == table[0].1);
    let deviations = (0..center.0.len())
        .map(|output| {
            let mut column: Vec<f64> = table.iter().map(|(y, _)| y.data()[output]).collect();
            let (mut bent, still) = (false, column.iter().all(|y| *y == column[0]));
            let [least, most] =
                column.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], &y| [y.min(a), y.max(b)]);
            let way = most - least;
            for difference in 1..=4 {
                column = column.windows(2).map(|pair| pair[1] - pair[0]).collect();
                bent |= difference == 2 && is_one_bend(&column);
            }
            // Relative to the largest, since squares of what is tiny vanish.
            let largest = column.iter().fold(0.0, |largest: f64, d| largest.max(d.abs()));
            let squares = column.iter().map(|d| (d / largest).powi(2)).sum::<f64>();
            let deviation = largest * (squares / (70.0 * column.len() as f64)).sqrt();
            Found { deviation: if deviation.is_finite() { deviation } else { 0.0 }, bent, still, way }
        })
        .collect();
    (deviations, smooth)
}

/// Whether second differences vanish but for one place, or two neighbours of the same sign. A step of rounding has two
/// of opposite signs.
fn is_one_bend(seconds: &[f64]) -> bool {
    let largest = seconds.iter().fold(0.0, |largest: f64, d| largest.max(d.abs()));
    let places: Vec<usize> = (0..seconds.len()).filter(|&at| seconds[at].abs() > 0.05 * largest).collect();
    match places[..] {
        [_] => largest > 0.0,
        [a, b] => b == a + 1 && seconds[a] * seconds[b] > 0.0,
        _ => false,
    }
}

/// The typical magnitude of a tensor's elements, the root of their mean square; 1 if they are all zero.
pub(crate) fn typical(value: &Value) -> f64 {
    // Scaled by the largest, whose square may overflow.
    let largest = value.max_abs();
    if largest == 0.0 || !largest.is_finite() {
        return 1.0;
    }
    let mean_square = value.data().iter().map(|x| (x / largest).powi(2)).sum::<f64>() / value.len() as f64;
    largest * mean_square.sqrt()
}

/// What the steps of an element are relative to: its own magnitude. Zero has none, and what is tiny may be hidden by
/// rounding: there it is a hundredth of the typical element or of 1, whichever is less. A large neighbour changes
/// nothing.
pub(crate) fn base(x: f64, typical: f64) -> f64 {
    x.abs().max(0.01 * typical.min(1.0))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use burn::tensor::DType;

    use super::*;

    /// A forward of two outputs that rise by 2 and 3 from call to call, of which the first is off by `off` at the call
    /// of this number.
    fn bump(number: usize, off: f64) -> impl Fn(&[Value]) -> (Value, Option<u64>) {
        let calls = Cell::new(0);
        move |_| {
            calls.set(calls.get() + 1);
            let n = calls.get() as f64;
            let off = if calls.get() == number { off } else { 0.0 };
            (Value::new([2], vec![2.0 * n + off, 3.0 * n]), Some(7))
        }
    }

    fn deviations(center: Option<u64>, number: usize) -> (Vec<f64>, bool) {
        let center = (Value::new([2], vec![0.0; 2]), center);
        let (values, random) = ([Value::full([1], 1.0)], &mut Random::new(0, "test"));
        let double = Precision(DType::F64);
        let (found, smooth) = along(bump(number, 0.5), double, &values, |_| true, &center, 1e-7, random);
        (found.iter().map(|found| found.deviation).collect(), smooth)
    }

    /// A bump of 1/2 in the middle of seven points has the fourth differences −2, 3, −2, and a straight line none.
    #[test]
    fn the_deviation_is_that_of_the_fourth_differences_over_seventy() {
        let expected = f64::sqrt((4.0 + 9.0 + 4.0) / (3.0 * 70.0));
        let near = |found: &[f64]| (found[0] - expected).abs() < 1e-15 && found[1] == 0.0;
        let (found, smooth) = deviations(Some(7), 4);
        assert!(near(&found) && smooth, "seven points beside the center");
        // Without a record the center is the first of them.
        assert!(near(&deviations(None, 3).0));
        assert!(!deviations(None, 3).1, "the center says that nothing is recorded, the others do");
    }

    #[test]
    fn the_points_lie_on_a_line_from_the_center_and_constants_stay() {
        let points = RefCell::new(Vec::new());
        let forward = |values: &[Value]| {
            points.borrow_mut().push(values.to_vec());
            (Value::new([1], vec![f64::NAN]), Some(points.borrow().len() as u64))
        };
        let values = [Value::new([2], vec![3.0, 5.0]), Value::full([2], 8.0)];
        let center = (Value::new([1], vec![0.0]), Some(0));
        let (deviations, smooth) = along(
            forward,
            Precision(DType::F64),
            &values,
            |tensor| tensor == 0,
            &center,
            0.25,
            &mut Random::new(0, "test"),
        );
        assert_eq!((deviations[0].deviation, smooth), (0.0, false), "NaN is no noise");
        // Each element by the same part of itself from point to point, between an eighth and a quarter.
        let points = points.take();
        let share = |point: &[Value], at: usize| point[0].data()[at] / values[0].data()[at] - 1.0;
        let steps = [0, 1].map(|at| share(&points[0], at));
        assert!(steps.iter().all(|step| (0.125..=0.25).contains(&step.abs())) && steps[0].abs() != steps[1].abs());
        for (number, point) in (1..).zip(points) {
            let on_line = |at: usize| (share(&point, at) - f64::from(number) * steps[at]).abs() < 1e-12;
            assert!(on_line(0) && on_line(1), "{number}: {point:?}");
            assert_eq!(point[1], values[1]);
        }
    }

    /// Both directions see the bump, which comes with every seventh call. It is 10¹⁵ times the rounding of the first
    /// output, and of the others there is none.
    #[test]
    fn an_output_without_noise_gets_what_the_others_have_beside_their_rounding() {
        let calls = Cell::new(0);
        let noise = |sizes: [f64; 3], bumps: usize| {
            calls.set(0);
            let bumpy = |_: &[Value]| {
                calls.set(calls.get() % 7 + 1);
                let bump = |(at, size): (usize, &f64)| if at < bumps && calls.get() == 4 { 1.5 * size } else { *size };
                (Value::new([3], sizes.iter().enumerate().map(bump).collect()), Some(7))
            };
            let center = (Value::new([3], sizes.to_vec()), Some(7));
            output_noise(bumpy, Precision(DType::F64), &[Value::full([1], 1.0)], |_| true, &center, 0)
        };
        let deviation = (17.0f64 / 210.0).sqrt();
        let found = noise([1.0, 2.0, 8.0], 2);
        // As much beside its rounding would be 8 deviations; the largest that was seen is 2.
        let expected = [deviation, 2.0 * deviation, 2.0 * deviation];
        assert!(found.iter().zip(expected).all(|(a, b)| (a / b - 1.0).abs() < 1e-9), "{found:?}");
        // One that is noisy says nothing of two that are not.
        let found = noise([1e9, 2.0, 8.0], 1);
        assert_eq!(found[1..], [2.0 * f64::EPSILON, 8.0 * f64::EPSILON]);
    }

    #[test]
    fn a_bend_is_told_from_a_step_of_rounding_and_from_noise() {
        for (seconds, bend) in [
            ([0.0, 0.0, 2.0, 0.0, 0.0], true),
            ([0.0, 1.0, 2.0, 0.0, 0.0], true),
            ([0.0, 2.0, -2.0, 0.0, 0.0], false),
            ([1.0, 0.0, 2.0, 0.0, 0.0], false),
            ([1.0, -2.0, 1.5, -0.5, 1.0], false),
            ([0.0; 5], false),
        ] {
            assert_eq!(is_one_bend(&seconds), bend, "{seconds:?}");
        }
    }

    #[test]
    fn no_output_has_less_noise_than_its_rounding() {
        let center = (Value::new([2], vec![4.0, -0.5]), None);
        let constant = |_: &[Value]| center.clone();
        let noise = output_noise(constant, Precision(DType::F64), &[Value::full([1], 1.0)], |_| true, &center, 0);
        assert_eq!(noise, [4.0 * f64::EPSILON, 0.5 * f64::EPSILON]);
    }

    #[test]
    fn the_typical_element_is_the_root_mean_square_and_one_for_zeros() {
        assert_eq!(typical(&Value::new([2], vec![1.0, -7.0])), 5.0);
        assert_eq!(typical(&Value::full([3], 0.0)), 1.0);
        assert_eq!(typical(&Value::full([0], 0.0)), 1.0);
        assert_eq!(typical(&Value::full([2], 1e300)), 1e300, "squares would overflow");
    }

    #[test]
    fn steps_are_relative_to_the_element_whatever_its_neighbours_are() {
        assert_eq!(base(1.5, 1e9), 1.5);
        assert_eq!(base(-1e9, 1.0), 1e9);
        assert_eq!(base(0.0, 1e9), 0.01);
        assert_eq!(base(1e-6, 0.5), 0.005);
    }
}
