//! What five points say of a derivative.

use super::*;

fn measure(x: [f64; 5], outputs: &[[f64; 5]], w: &[f64], noise: &[f64]) -> Measured {
    let of = |point: usize| Value::new([outputs.len()], outputs.iter().map(|y| y[point]).collect());
    let points = Points { s: x, y: std::array::from_fn(of), crossing: Crossing::Unknown, epsilon: f64::EPSILON };
    let cotangent = Cotangent { name: "weights".into(), value: Value::new([w.len()], w.to_vec()), only: None };
    points.measure(&cotangent, noise)
}

#[track_caller]
fn assert_near(found: &[f64], expected: &[f64]) {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-14 * b.abs();
    assert!(found.len() == expected.len() && found.iter().zip(expected).all(near), "{found:?} is not {expected:?}");
}

/// Points 2 apart, so a step of 4. Of the first output the slopes between neighbours are 3/2, 7/2, 7, 11: a bend, with
/// the derivatives 9/2 and 5 from the
/// left and the right. Of the second they are −4, −4, 1/2, 3/4: a kink, with −4 and 3/8. The third does not move.
#[test]
fn a_bend_a_kink_and_an_output_that_stays_give_the_sums_worked_out_by_hand() {
    let outputs = [[1.0, 4.0, 11.0, 25.0, 47.0], [10.0, 2.0, -6.0, -5.0, -3.5], [6.0; 5]];
    let found = measure([1.0, 3.0, 5.0, 7.0, 9.0], &outputs, &[-2.0, -3.0, 7.0], &[0.5, 0.25, 1.0]);
    // Outer and inner slopes: 46/8 and 21/4, −13.5/8 and −7/4.
    let (coarse, fine) = (-2.0 * 5.75 + 3.0 * 1.6875, -2.0 * 5.25 + 3.0 * 1.75);
    let bend = (4.0 * 5.25 - 5.75) / 3.0;
    assert_near(&[found.derivative], &[(4.0 * fine - coarse) / 3.0]);
    assert_near(&[found.truncation], &[(4.0 * fine - coarse) / 3.0 - coarse]);
    assert_near(&[found.magnitude], &[2.0 * bend + (4.0 * 1.75 - 1.6875)]);
    assert_near(&[found.width, found.width_noise], &[2.0 * 0.5 + 3.0 * 4.375, 64.0 * (2.0 * 0.5 + 3.0 * 0.25) / 4.0]);
    assert_near(&found.one_sided, &[-2.0 * 5.0 - 3.0 * 0.375, -2.0 * 4.5 + 3.0 * 4.0]);
    assert_near(&[found.one_sided_error], &[2.0 * 2.0 + 3.0 * 0.125]);
    assert_near(&[found.noise], &[1.25]);
    assert_near(&found.slopes, &[-2.0 * bend - 3.0 * 0.75, -2.0 * bend + 3.0 * 4.0]);
}

/// A kink is where the sides are apart by more than a quarter of what the slopes are.
#[test]
fn the_slopes_of_a_kink_are_all_and_of_a_bend_the_extrapolated_one() {
    for (slopes, expected) in [
        ([-2.0, -2.0, 0.5, 0.75], [-2.0, 0.75]),
        ([10.0, 10.0, 12.0, 12.0], [10.0, 12.0]),
        ([1.0, 3.0, 7.0, 11.0], [14.5 / 3.0; 2]),
        ([10.0, 12.0, 14.0, 15.0], [39.25 / 3.0; 2]),
        ([0.0, 0.0, 2.0, 4.0], [2.5 / 3.0; 2]), // just a quarter
    ] {
        let mut y = [5.0; 5];
        (0..4).for_each(|piece| y[piece + 1] = y[piece] + slopes[piece]);
        assert_near(&measure([0.0, 1.0, 2.0, 3.0, 4.0], &[y], &[1.0], &[0.0]).slopes, &expected);
    }
}

#[test]
fn a_difference_that_is_no_number_has_an_infinite_error() {
    let found = measure([0.0, 1.0, 2.0, 3.0, 4.0], &[[0.0, 1.0, 2.0, 3.0, f64::NAN]], &[1.0], &[0.0]);
    assert_eq!(found.truncation, f64::INFINITY);
}

/// The right side is 4 long and the left 2, of a step of 3: the slopes of both sides are 1 and 2 apart.
#[test]
fn points_that_are_not_symmetric_make_a_slope_of_a_bend() {
    let outputs = [[0.0, 1.0, 2.0, 6.0, 10.0], [0.0, -1.0, -2.0, 0.0, 2.0]];
    let found = measure([0.0, 1.0, 2.0, 4.0, 6.0], &outputs, &[-2.0, 3.0], &[0.0; 2]);
    assert_near(&[found.asymmetry], &[(2.0 * 1.0 + 3.0 * 2.0) * 2.0 / 3.0]);
}

#[test]
fn an_output_is_bent_beyond_a_hundred_thousandth_of_its_slopes_and_beyond_noise() {
    let bent = |right: f64, noise: f64| {
        let y = [-8.0, -4.0, 0.0, 2.0 * right, 4.0 * right];
        let all: [[f64; 5]; 2] = [[3.0; 5], y];
        let of = |point: usize| Value::new([2], all.iter().map(|y| y[point]).collect());
        let points = Points {
            s: [-4.0, -2.0, 0.0, 2.0, 4.0],
            y: std::array::from_fn(of),
            crossing: Crossing::Unknown,
            epsilon: 0.0,
        };
        points.bent(&[9.0, noise])
    };
    assert_eq!(bent(-1.0, 0.0), [Bent { output: 1, left: 2.0, right: -1.0 }]);
    assert_eq!([bent(2.0 + 1.9e-5, 0.0).len(), bent(2.0 + 2.1e-5, 0.0).len()], [0, 1]);
    // 64 deviations over a step of 4.
    assert_eq!([bent(2.5, 0.04).len(), bent(2.5, 0.03).len()], [0, 1]);
}
