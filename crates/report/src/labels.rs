//! Labels beside the ends of curves, moved apart where the curves end close together.

/// Where to put labels that want to be at `wanted`: at least `gap` apart and within `low` to `high`, in the same order,
/// and near to their places. Where there is no room for all, the gap shrinks.
pub(crate) fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    let gap = gap.min((high - low) / wanted.len().saturating_sub(1).max(1) as f64);
    let mut places: Vec<f64> = order.iter().map(|&label| wanted[label].clamp(low, high)).collect();
    // Neighbours that touch push each other away, half each, until they stand around the middle of where they want to
    // be.
    for _ in 0..200 {
        for upper in 1..places.len() {
            let overlap = gap - (places[upper] - places[upper - 1]);
            if overlap > 0.0 {
                places[upper - 1] = (places[upper - 1] - overlap / 2.0).max(low);
                places[upper] = (places[upper] + overlap / 2.0).min(high);
            }
        }
    }
    // What is left is little; one pass each way makes it nothing.
    for upper in 1..places.len() {
        places[upper] = places[upper].max(places[upper - 1] + gap);
    }
    let mut ceiling = high;
    for place in places.iter_mut().rev() {
        *place = place.min(ceiling);
        ceiling = *place - gap;
    }
    let mut by_label = vec![0.0; wanted.len()];
    for (label, place) in order.into_iter().zip(places) {
        by_label[label] = place;
    }
    by_label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_with_room_stay_where_they_are() {
        assert_eq!(spread(&[50.0, 10.0, 90.0], 16.0, 0.0, 100.0), [50.0, 10.0, 90.0]);
    }

    #[test]
    fn labels_that_would_touch_part_around_their_middle() {
        assert_eq!(spread(&[50.0, 50.0], 16.0, 0.0, 100.0), [42.0, 58.0]);
        assert_eq!(spread(&[51.0, 50.0, 20.0], 16.0, 0.0, 100.0), [58.5, 42.5, 20.0]);
    }

    #[test]
    fn labels_stay_on_the_paper_and_apart() {
        for wanted in [vec![99.0; 5], vec![1.0; 5], vec![0.0, 97.0, 98.0, 99.0], vec![80.0, 95.0, 96.0, 97.0, 99.0]] {
            let mut places = spread(&wanted, 16.0, 0.0, 100.0);
            places.sort_by(f64::total_cmp);
            assert!(places[0] >= -1e-9 && places[places.len() - 1] <= 100.0 + 1e-9, "{wanted:?}: {places:?}");
            assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 16.0 - 1e-9), "{wanted:?}: {places:?}");
        }
        assert_eq!(spread(&[5.0; 11], 16.0, 0.0, 100.0).len(), 11);
        assert_eq!(spread(&[], 16.0, 0.0, 100.0), [] as [f64; 0]);
    }
}
