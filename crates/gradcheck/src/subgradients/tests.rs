use super::*;
use crate::examine::tests::{claims, variable};
use crate::{Options, Problem, Value};

/// A sort of three equal elements, whose middle place no step of one element alone moves.
fn sort() -> Problem<'static> {
    let sort = Problem::new("sort", burn::tensor::DType::F64, vec![variable("x", &[2.0; 3])], |values| {
        let mut x = values[0].data().to_vec();
        x.sort_by(f64::total_cmp);
        Value::new([3], x)
    });
    claims(sort, |_, _| vec![0.0; 3])
}

fn assert_near(found: [f64; 2], expected: [f64; 2]) {
    let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(near && found[0] <= expected[0] && found[1] >= expected[1], "{found:?} is not {expected:?}");
}

#[test]
fn each_of_three_equal_elements_may_be_the_sort() {
    let problem = sort();
    let options = Options { cotangents: 0, ..Options::default() };
    let examination = problem.examine(&options);
    for index in 0..3 {
        let found = hulls(examination.oracle(), 0, index, 0, AWAY);
        (0..3).for_each(|place| assert_near(found[place].unwrap(), [0.0, 1.0]));
    }
    let line = |by: [f64; 3]| Line {
        moves: (0..3).map(|index| crate::line::Move { tensor: 0, index, by: by[index] }).collect(),
    };
    assert_near(hull_along(examination.oracle(), &line([1.0; 3]), 0, 0).unwrap(), [1.0, 1.0]);
    assert_near(hull_along(examination.oracle(), &line([1.0, 0.5, -1.0]), 1, 0).unwrap(), [-1.0, 1.0]);
}

#[test]
fn the_points_beside_a_kink_lie_within_its_reach_on_both_sides() {
    let problem = sort();
    let options = Options { cotangents: 0, ..Options::default() };
    let examination = problem.examine(&options);
    let points: Vec<Vec<f64>> = beside(examination.oracle(), &[], 0, AWAY)
        .map(|there| there.values[0].data().iter().map(|x| x - 2.0).collect())
        .collect();
    assert_eq!(points.len(), 2 + POINTS);
    assert!(points[0].is_sorted() && points[0][0] < points[0][2], "in order: {:?}", points[0]);
    assert!(points[1].is_sorted_by(|a, b| a > b), "and the last first: {:?}", points[1]);
    let points = points[2..].to_vec();
    assert!(points.iter().flatten().all(|away| (0.99 * AWAY..=3.01 * AWAY).contains(&away.abs())), "{points:?}");
    let signs: Vec<f64> = points.iter().flatten().map(|away| away.signum()).collect();
    assert!(signs.contains(&1.0) && signs.contains(&-1.0));
    let other = beside(examination.oracle(), &[], 1, AWAY).nth(2).unwrap().values[0].data()[0];
    assert_ne!(other, points[0][0] + 2.0, "another seed, other points");
}

#[test]
fn what_is_not_clean_or_good_or_a_kink_adds_nothing() {
    let estimate = Estimate {
        derivative: 2.0,
        truncation: 0.25,
        noise: 0.5,
        magnitude: 1.0,
        step: 1.0,
        relative: 1.0,
        clean: true,
        kink: None,
        near: None,
        hidden: 0.0,
    };
    assert_eq!(hull_of(&[]), None);
    assert_eq!(hull_of(&[estimate]), Some([1.25, 2.75]));
    let other = Estimate { derivative: 100.0, truncation: 0.0, ..estimate };
    assert_eq!(hull_of(&[estimate, other]), Some([1.25, 100.5]));
    for nothing in [Estimate { clean: false, ..estimate }, Estimate { kink: Some([0.0, 1.0]), ..estimate }] {
        assert_eq!(hull_of(&[nothing]), None);
        assert_eq!(hull_of(&[nothing, other]), Some([99.5, 100.5]));
    }
    // Of an error of 2 beside a slope of 100 nothing is known.
    assert_eq!(hull_of(&[Estimate { truncation: 1.5, ..estimate }, other]), Some([99.5, 100.5]));
}
