//! The strokes: which pixels are ink, and how much of it.

use super::paper::clutter;

/// The least contrast of ink: what is fainter may be the grain of the paper or a shadow. In shares of the paper's
/// brightness.
const FAINTEST_INK: f32 = 0.1;
/// Ink that covers more than this share of the picture is no writing on paper.
const MOST_INK: f32 = 0.5;
/// Ink is so many times as strong as the noise, at least.
const SIGNAL_TO_NOISE: f32 = 5.0;
/// What touches the edge is left out if the largest thing inside has at least this share of the largest of all: a tenth.
const INNER: usize = 10;
/// What is smaller than the 25th part of the largest thing is a speck.
const SPECK: usize = 25;
/// What is left of paper: less than this share of the ink's strength becomes black.
const PAPER: f32 = 0.15;
/// Fainter than this share of the strongest ink are ruled lines. Otsu's threshold may be among them, where they have more
/// pixels than the ink.
const LINES: f32 = 0.4;
/// More than this share of the picture, away from the ink, is other things: on paper, 6 % at most are on the edge of a
/// shadow (`bench/paper.py`), and nine of ten photos of CIFAR-10 have more than 10 %.
const CLUTTER: f32 = 0.06;
/// Steps of the histogram.
const STEPS: usize = 256;

/// The strokes of `ink`, rows of `width` pixels, as shares of the paper's brightness: bright on black, 0 to 255, and
/// how strong the ink is. `None` where nothing stands out from the paper.
pub(super) fn strokes(mut ink: Vec<f32>, width: usize) -> Option<(Vec<u8>, f32)> {
    let paper = quantile(ink.clone(), 0.5);
    ink.iter_mut().for_each(|ink| *ink -= paper);
    // The standard deviation of normal noise with this median of absolute deviations.
    let noise = 1.4826 * quantile(ink.iter().map(|ink| ink.abs()).collect(), 0.5);
    let above: Vec<f32> =
        ink.iter().copied().filter(|&ink| ink > (SIGNAL_TO_NOISE * noise).max(FAINTEST_INK / 2.0)).collect();
    if above.is_empty() {
        return None;
    }
    let threshold = otsu(&above).max(LINES * quantile(above, 0.99)).max(3.0 * noise);
    let kept = kept(&ink.iter().map(|&ink| ink > threshold).collect::<Vec<bool>>(), width)?;
    let inked: Vec<f32> = ink.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(ink, _)| *ink).collect();
    let share = inked.len() as f32 / ink.len() as f32;
    let strength = quantile(inked, 0.75);
    if strength < FAINTEST_INK.max(SIGNAL_TO_NOISE * noise) || share > MOST_INK {
        return None;
    }
    let (black, white) = ((PAPER * strength).max(2.0 * noise), 0.95 * strength);
    let near = grown(kept, width, (width.max(ink.len() / width) / 100).max(1));
    let relative: Vec<f32> = ink.iter().map(|ink| ink / strength).collect();
    if clutter(&relative, &near, width) > CLUTTER {
        return None;
    }
    let level = |ink: f32| (255.0 * ((ink - black) / (white - black)).clamp(0.0, 1.0)).round() as u8;
    Some((ink.iter().zip(near).map(|(&ink, near)| if near { level(ink) } else { 0 }).collect(), strength))
}

fn quantile(mut of: Vec<f32>, share: f64) -> f32 {
    let at = ((of.len() - 1) as f64 * share) as usize;
    *of.select_nth_unstable_by(at, f32::total_cmp).1
}

/// The threshold with the largest variance between the values below it and those above (N. Otsu, *A threshold selection
/// method from gray-level histograms*, 1979), in the middle of all that are as good.
fn otsu(values: &[f32]) -> f32 {
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let step = (most - least) / STEPS as f32;
    let mut histogram = [0.0_f64; STEPS];
    values.iter().for_each(|value| histogram[(((value - least) / step) as usize).min(STEPS - 1)] += 1.0);
    let (all, total) = histogram
        .iter()
        .enumerate()
        .fold((0.0, 0.0), |(all, total), (at, count)| (all + count, total + at as f64 * count));
    let (mut below, mut sum, mut best, mut places) = (0.0, 0.0, 0.0, (0, 0));
    for (at, count) in histogram[..STEPS - 1].iter().enumerate() {
        below += count;
        sum += at as f64 * count;
        let between = (total * below / all - sum).powi(2) / (below * (all - below));
        if between > best {
            (best, places) = (between, (at, at));
        } else if between == best {
            places.1 = at;
        }
    }
    least + step * ((places.0 + places.1) as f32 / 2.0 + 1.0)
}

/// The things among the pixels that are ink, without specks and without what touches the edge, unless that is all there
/// is. Pixels that touch at a corner belong together.
fn kept(ink: &[bool], width: usize) -> Option<Vec<bool>> {
    let things = things(ink, width);
    let inner = things.iter().filter(|thing| !thing.touches_edge).map(|thing| thing.pixels.len()).max().unwrap_or(0);
    let largest = things.iter().map(|thing| thing.pixels.len()).max()?;
    let without_edge = inner * INNER >= largest;
    let largest = if without_edge { inner } else { largest };
    let mut kept = vec![false; ink.len()];
    for thing in things {
        if thing.pixels.len() * SPECK >= largest && !(without_edge && thing.touches_edge) {
            thing.pixels.into_iter().for_each(|at| kept[at] = true);
        }
    }
    Some(kept)
}

struct Thing {
    pixels: Vec<usize>,
    touches_edge: bool,
}

fn things(ink: &[bool], width: usize) -> Vec<Thing> {
    let height = ink.len() / width;
    let (mut seen, mut things) = (vec![false; ink.len()], Vec::new());
    for start in (0..ink.len()).filter(|&at| ink[at]) {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        let mut thing = Thing { pixels: vec![start], touches_edge: false };
        let mut next = 0;
        while let Some(&at) = thing.pixels.get(next) {
            next += 1;
            let (x, y) = (at % width, at / width);
            thing.touches_edge |= x == 0 || y == 0 || x + 1 == width || y + 1 == height;
            for y in y.saturating_sub(1)..(y + 2).min(height) {
                for near in (x.saturating_sub(1)..(x + 2).min(width)).map(|x| y * width + x) {
                    if ink[near] && !seen[near] {
                        seen[near] = true;
                        thing.pixels.push(near);
                    }
                }
            }
        }
        things.push(thing);
    }
    things
}

/// With all pixels that are at most `by` away, along rows and columns each: the soft edges of strokes.
fn grown(mut kept: Vec<bool>, width: usize, by: usize) -> Vec<bool> {
    for step in [1, width] {
        for _ in 0..by {
            let old = kept.clone();
            for at in 0..old.len().saturating_sub(step) {
                // The end of a row is no neighbour of the next one's begin.
                if step == width || (at + 1) % width != 0 {
                    kept[at] |= old[at + step];
                    kept[at + step] |= old[at];
                }
            }
        }
    }
    kept
}
