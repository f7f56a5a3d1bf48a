//! The misclassified images, worst first.

use std::collections::{BTreeMap, BTreeSet};

use backproof_data::Images;
use backproof_train::Prediction;
use serde::Serialize;

use crate::confusion::Confusion;
use crate::heat::plain;
use crate::image::Image;

/// Shown: the worst of all, and the worst of each pair of classes, so that every filter has something to show. Where
/// these would be too many for a page, of the pairs that are confused most often.
const WORST: usize = 60;
const WORST_OF_PAIR: usize = 3;
const PAIRS: usize = Confusion::MOST_CLASSES * (Confusion::MOST_CLASSES - 1);
/// Shown at most and at least, and about how many bytes of a page all of them may take.
const MOST: usize = 600;
const LEAST: usize = 12;
const BYTES: usize = 2_500_000;
/// Characters of a name that a bar keeps; the page shows fewer.
const KEPT: usize = 40;
/// Of more classes, the likeliest have a bar, and those in question.
const BARS: usize = 10;
/// Characters of a class name beside its bar; what is longer is cut.
const NAME_LENGTH: usize = 10;

/// The probability of one class.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Bar {
    pub(crate) name: String,
    /// In [0, 1].
    pub(crate) share: f64,
    /// Its label.
    pub(crate) class: usize,
    /// `right` for the true class, `wrong` for the predicted one.
    pub(crate) kind: &'static str,
}

/// One misclassified image.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Mistake {
    /// Its index in the test set.
    pub(crate) index: usize,
    pub(crate) label: usize,
    pub(crate) predicted: usize,
    pub(crate) bars: Vec<Bar>,
    /// A `data:` address, if the data set is at hand.
    pub(crate) image: Option<String>,
    /// The same image, to be drawn in another size.
    #[serde(skip)]
    pub(crate) picture: Option<Image>,
    /// Whether it is the worst of its pair of classes.
    pub(crate) first_of_pair: bool,
    /// Whether it is among the worst of all.
    pub(crate) among_worst: bool,
}

/// A pair of classes that was confused.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Pair {
    pub(crate) label: usize,
    pub(crate) predicted: usize,
    pub(crate) count: usize,
}

/// What a page shows of the misclassified images.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Mistakes {
    /// Misclassified images in all.
    pub(crate) count: usize,
    /// Those that are shown, worst first.
    pub(crate) shown: Vec<Mistake>,
    /// The pairs of classes that were confused, most often first.
    pub(crate) pairs: Vec<Pair>,
    pub(crate) names: Vec<String>,
    /// The true and the predicted classes of those that are shown.
    labels: Vec<usize>,
    predicted: Vec<usize>,
    /// Characters of the longest name that bars leave room for.
    pub(crate) name_length: usize,
    worst: usize,
    worst_of_pair: usize,
    /// Whether pairs lack some of theirs.
    cut: bool,
}

impl Mistakes {
    /// Those of `predictions` that are wrong, by the probability of the wrong class, the largest first; the data set's
    /// order decides between equals. `images` is the test set, if it is at hand.
    pub(crate) fn new(names: Vec<String>, predictions: &[Prediction], images: Option<&Images>) -> Self {
        let mut wrong: Vec<&Prediction> = predictions.iter().filter(|it| it.predicted != it.label).collect();
        wrong.sort_by(|a, b| b.confidence().total_cmp(&a.confidence()).then(a.index.cmp(&b.index)));
        let mut counts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for prediction in &wrong {
            *counts.entry((prediction.label, prediction.predicted)).or_default() += 1;
        }
        let mut pairs: Vec<Pair> =
            counts.into_iter().map(|((label, predicted), count)| Pair { label, predicted, count }).collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        pairs.truncate(PAIRS);
        let most = most(&names, images, wrong.first().map(|prediction| prediction.index));
        let chosen = chosen(&wrong, &pairs, most);
        let worst = WORST.min(most);
        let mut seen = BTreeSet::new();
        let show = |&rank: &usize| {
            let prediction: &Prediction = wrong[rank];
            let picture = images.map(|images| picture(images, prediction.index));
            Mistake {
                index: prediction.index,
                label: prediction.label,
                predicted: prediction.predicted,
                bars: bars(&names, prediction),
                image: picture.as_ref().map(Image::data_uri),
                picture,
                first_of_pair: seen.insert((prediction.label, prediction.predicted)),
                among_worst: rank < worst,
            }
        };
        let shown: Vec<Mistake> = chosen.ranks.iter().map(show).collect();
        let classes = |of: fn(&Mistake) -> usize| shown.iter().map(of).collect::<BTreeSet<_>>().into_iter().collect();
        let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let name_length = longest.clamp(1, NAME_LENGTH);
        Self {
            count: wrong.len(),
            labels: classes(|mistake| mistake.label),
            predicted: classes(|mistake| mistake.predicted),
            shown,
            pairs,
            names,
            name_length,
            worst,
            worst_of_pair: WORST_OF_PAIR,
            cut: chosen.cut,
        }
    }

    /// Whether an image of class `label` that was taken for `predicted` is shown.
    pub(crate) fn shows(&self, label: usize, predicted: usize) -> bool {
        self.shown.iter().any(|mistake| mistake.label == label && mistake.predicted == predicted)
    }
}

/// How many may be shown, by the bytes that each takes.
fn most(names: &[String], images: Option<&Images>, example: Option<usize>) -> usize {
    let longest = names.iter().map(String::len).max().unwrap_or(0);
    let picture = images.zip(example).map_or(0, |(images, index)| picture(images, index).data_uri().len());
    // A name is six times in an item, and its beginning beside each bar.
    (BYTES / (1_500 + picture + 6 * longest)).clamp(LEAST, MOST)
}

/// Places in the order of mistakes.
struct Chosen {
    ranks: Vec<usize>,
    /// Whether some were left out for the sake of the page.
    cut: bool,
}

/// The worst; then the worst of each of the `pairs`, in their order; then the second of each, and the third.
fn chosen(wrong: &[&Prediction], pairs: &[Pair], most: usize) -> Chosen {
    let places: BTreeMap<(usize, usize), usize> =
        pairs.iter().enumerate().map(|(place, pair)| ((pair.label, pair.predicted), place)).collect();
    let mut seen = vec![0; pairs.len()];
    let mut wanted = Vec::new();
    let mut cut = false;
    for (rank, prediction) in wrong.iter().enumerate() {
        let place = places.get(&(prediction.label, prediction.predicted)).copied();
        let nth = place.map(|place| {
            seen[place] += 1;
            seen[place]
        });
        match (place, nth) {
            _ if rank < WORST => wanted.push(((0, rank), rank)),
            (Some(place), Some(nth)) if nth <= WORST_OF_PAIR => wanted.push(((nth, place), rank)),
            (Some(_), _) => {}
            (None, _) => cut = true,
        }
    }
    wanted.sort_unstable();
    cut |= wanted.len() > most;
    wanted.truncate(most);
    let mut ranks: Vec<usize> = wanted.into_iter().map(|(_, rank)| rank).collect();
    ranks.sort_unstable();
    Chosen { ranks, cut }
}

/// The true, the predicted and the likeliest classes, in label order: as many as are drawn and known.
fn bars(names: &[String], prediction: &Prediction) -> Vec<Bar> {
    let mut shares = prediction.likeliest(BARS);
    if !shares.iter().any(|&(class, _)| class == prediction.label) {
        shares.truncate(BARS - 1);
        shares.push((prediction.label, prediction.of_label()));
    }
    shares.sort_unstable_by_key(|&(class, _)| class);
    let bar = |(class, share): (usize, f64)| Bar {
        name: names[class].chars().take(KEPT).collect(),
        share,
        class,
        kind: match class {
            class if class == prediction.label => "right",
            class if class == prediction.predicted => "wrong",
            _ => "",
        },
    };
    shares.into_iter().map(bar).collect()
}

/// The image `index` of the data set as it was published.
pub(crate) fn picture(images: &Images, index: usize) -> Image {
    plain(images.pixels(index), images.shape())
}

#[cfg(test)]
mod tests {
    use backproof_spec::Shape;

    use super::*;

    fn names() -> Vec<String> {
        ["<b>", "cat", "dog"].map(str::to_owned).to_vec()
    }

    fn prediction(index: usize, label: usize, probabilities: [f64; 3]) -> Prediction {
        let predicted = (0..3).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b])).unwrap();
        Prediction { index, label, predicted, probabilities: probabilities.to_vec().into(), loss: 0.0 }
    }

    #[test]
    fn the_largest_probability_of_a_wrong_class_comes_first() {
        let predictions = [
            prediction(0, 0, [0.9, 0.1, 0.0]),
            prediction(1, 0, [0.1, 0.6, 0.3]),
            prediction(2, 2, [0.1, 0.8, 0.1]),
            prediction(3, 0, [0.2, 0.8, 0.0]),
        ];
        let mistakes = Mistakes::new(names(), &predictions, None);
        assert_eq!(mistakes.count, 3);
        assert_eq!(mistakes.shown.iter().map(|it| it.index).collect::<Vec<_>>(), [2, 3, 1]);
        assert_eq!(mistakes.shown.iter().map(|it| it.first_of_pair).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(mistakes.pairs[0], Pair { label: 0, predicted: 1, count: 2 });
        assert_eq!(mistakes.shown[0].bars.iter().map(|bar| bar.kind).collect::<Vec<_>>(), ["", "wrong", "right"]);
    }

    #[test]
    fn every_confused_pair_is_shown_however_mild() {
        let mut predictions: Vec<Prediction> = (0..100).map(|index| prediction(index, 0, [0.0, 1.0, 0.0])).collect();
        predictions.push(prediction(100, 1, [0.3, 0.3, 0.4]));
        let mistakes = Mistakes::new(names(), &predictions, None);
        assert_eq!(mistakes.shown.len(), WORST + 1);
        let last = &mistakes.shown[WORST];
        assert!(last.index == 100 && last.first_of_pair && !last.among_worst);
    }

    #[test]
    fn of_a_thousand_classes_the_likeliest_have_bars_and_the_commonest_pairs_are_shown() {
        let names: Vec<String> = (0..1_000).map(|class| format!("class {class}")).collect();
        // Every class is taken for each of the next three, and 500 for 501 three times, with ever less conviction.
        let pairs = (1..=3).flat_map(|ahead| (0..1_000).map(move |label| (label, (label + ahead) % 1_000)));
        let predictions: Vec<Prediction> = pairs
            .chain([(500, 501); 2])
            .enumerate()
            .map(|(index, (label, predicted))| {
                let mut probabilities = vec![0.2 / 998.0; 1_000];
                probabilities[label] = 0.0;
                probabilities[predicted] = 0.8 - 1e-4 * index as f64;
                Prediction { index, label, predicted, probabilities: probabilities.into(), loss: 0.0 }
            })
            .collect();
        let mistakes = Mistakes::new(names, &predictions, None);
        assert_eq!((mistakes.count, mistakes.pairs.len()), (3_002, 50 * 49));
        assert_eq!(mistakes.pairs[0], Pair { label: 500, predicted: 501, count: 3 });
        // The worst are of the pairs that come first.
        assert!(mistakes.shown.len() == MOST && mistakes.cut);
        assert!(mistakes.shows(500, 501) && mistakes.shows(0, 1));
        for mistake in &mistakes.shown {
            let mut kinds: Vec<&str> =
                mistake.bars.iter().map(|bar| bar.kind).filter(|kind| !kind.is_empty()).collect();
            kinds.sort_unstable();
            assert_eq!((mistake.bars.len(), kinds), (BARS, vec!["right", "wrong"]));
        }
    }

    #[test]
    fn images_are_drawn_as_they_were_published() {
        let images = Images::new((0..2 * 12).collect(), vec![0, 0], Shape::image(3, 2, 2));
        let mistakes = Mistakes::new(names(), &[prediction(1, 0, [0.0, 1.0, 0.0])], Some(&images));
        let expected = Image::new([3, 2, 2], |channel, row, column| (12 + 4 * channel + 2 * row + column) as u8);
        assert_eq!(mistakes.shown[0].image.as_deref(), Some(expected.data_uri().as_str()));
    }
}
