//! Figures for papers: laid out anew for the width of one column and of two, in the formats that are asked for.

use std::collections::BTreeSet;

use resvg::usvg::Tree;

use crate::figure::Figure;
use crate::medium::{Medium, points};
use crate::{ReportError, letters, pdf, raster};

/// The widths in millimetres: one column of a page with two, and both.
pub(crate) const WIDTHS: [f64; 2] = [84.0, 174.0];

/// A format of figures for papers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FigureFormat {
    /// Pixels, with their number an inch.
    Png,
    /// Lines and text; the viewer has the font.
    Svg,
    /// Lines and text, with the font.
    Pdf,
}

/// What is made for a paper. By default nothing is.
#[derive(Debug, Clone)]
pub struct ForPaper {
    /// The formats of the figures. With any, there are also tables.
    pub formats: BTreeSet<FigureFormat>,
    /// Whether figures go without their title, which a caption says.
    pub no_title: bool,
    /// Pixels an inch of PNG files, 300 by default.
    pub dpi: u32,
}

impl Default for ForPaper {
    fn default() -> Self {
        Self { formats: BTreeSet::new(), no_title: false, dpi: 300 }
    }
}

/// Files by name, and the letters that figures lack.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) missing_letters: BTreeSet<char>,
}

impl FigureFormat {
    fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
            Self::Pdf => "pdf",
        }
    }
}

impl ForPaper {
    /// Whether anything is made.
    pub(crate) fn is_asked_for(&self) -> bool {
        !self.formats.is_empty()
    }

    /// The figures that `draw` gives for each width, in each format: `loss-84mm.pdf`.
    pub(crate) fn files(
        &self,
        draw: impl Fn(Medium) -> Result<Vec<Figure>, ReportError>,
    ) -> Result<Files, ReportError> {
        let mut made = Files::default();
        if !self.is_asked_for() {
            return Ok(made);
        }
        for width in WIDTHS {
            for figure in draw(Medium::Paper(width))? {
                let svg = figure.for_paper(width, !self.no_title)?;
                let tree = raster::tree(&svg).map_err(|reason| figure.error("SVG", reason))?;
                made.missing_letters.extend(letters::missing(&tree));
                for &format in &self.formats {
                    let name = format!("{}-{width:.0}mm.{}", figure.name, format.extension());
                    made.files.push((name, self.file(&figure, &svg, &tree, width, format)?));
                }
            }
        }
        Ok(made)
    }

    fn file(
        &self,
        figure: &Figure,
        svg: &str,
        tree: &Tree,
        millimetres: f64,
        format: FigureFormat,
    ) -> Result<Vec<u8>, ReportError> {
        match format {
            FigureFormat::Svg => Ok(svg.as_bytes().to_vec()),
            FigureFormat::Png => {
                raster::png_for_print(tree, millimetres / 25.4, self.dpi).map_err(|reason| figure.error("PNG", reason))
            }
            FigureFormat::Pdf => pdf::pdf(tree, &figure.title, &figure.description, points(millimetres))
                .map_err(|reason| figure.error("PDF", reason)),
        }
    }
}

impl Files {
    /// That the font lacks letters, in a sentence.
    pub(crate) fn lack(&self) -> Option<String> {
        let letters: Vec<String> = self.missing_letters.iter().take(10).map(ToString::to_string).collect();
        let more = if self.missing_letters.len() > 10 { " …" } else { "" };
        (!letters.is_empty()).then(|| {
            format!("The font of the figures for papers has no {}{more}: these letters are boxes.", letters.join(" "))
        })
    }
}

#[cfg(test)]
mod tests {
    use backproof_data::Images;
    use backproof_spec::{Loss, Shape};
    use backproof_train::{Evaluation, Measures, Prediction, TrainingReport};

    use super::*;
    use crate::confusion::Confusion;
    use crate::letters::each_text;
    use crate::medium::POINTS;
    use crate::mistakes::Mistakes;
    use crate::ranking::Ranking;
    use crate::{calibration, class_bars, curves, misclassified};

    /// A matrix with names of several lengths: with numbers, without tenths, and without numbers.
    fn matrices() -> Vec<Confusion> {
        [2, 10, 20, 120]
            .into_iter()
            .map(|classes| {
                let names: Vec<String> =
                    (0..classes).map(|class| format!("class <{class}> {}", "n".repeat(class))).collect();
                let prediction = |index: usize| Prediction {
                    index,
                    label: index % classes,
                    predicted: (index + index % 3) % classes,
                    probabilities: Vec::new().into(),
                    loss: 0.0,
                };
                Confusion::new(names, &(0..5_000).map(prediction).collect::<Vec<_>>())
            })
            .collect()
    }

    /// Figures with names, numbers and units that are long.
    fn figures(width: f64) -> Vec<Figure> {
        let medium = Medium::Paper(width);
        let mut figures: Vec<Figure> = matrices().iter().flat_map(|matrix| matrix.figures(medium).unwrap()).collect();
        let report = |iteration: usize| -> TrainingReport {
            let value = serde_json::json!({
                "iteration": iteration, "epoch": 1.0, "learning_rate": 0.1, "classification_loss": 1e7 / iteration as f64,
                "weight_decay_loss": 0.5, "total_loss": 2.0, "training_accuracy": 0.5, "validation_accuracy": 0.25,
                "validation_loss": 3.0, "images_per_second": 1.0, "seconds": 1.0, "seconds_left": 0.0
            });
            serde_json::from_value(value).unwrap()
        };
        let reports: Vec<TrainingReport> = (1..=20).map(|tenth| report(tenth * 1_000_000)).collect();
        figures.extend(curves::figures(&reports, 1_000_000, 12_345_678, medium).unwrap());
        let names: Vec<String> = (0..40).map(|class| format!("class {class} {}", "W".repeat(class))).collect();
        let prediction = |index: usize| {
            let mut probabilities = vec![0.0; names.len()];
            probabilities[39] = 1.0;
            Prediction { index, label: index, predicted: 39, probabilities: probabilities.into(), loss: 0.0 }
        };
        let images = Images::new(vec![9; 12 * 39], (0..39).collect(), Shape::image(3, 2, 2));
        let predictions: Vec<Prediction> = (0..39).map(prediction).collect();
        let mistakes = Mistakes::new(names.clone(), &predictions, Some(&images));
        figures.extend(misclassified::figure(&mistakes, medium).unwrap());
        let figures_of = |predictions: &[Prediction], names: &[String]| {
            let measures = Measures::of(&[], predictions);
            let ranked = Ranking::of_predictions(names.to_vec(), predictions).figures(medium).unwrap();
            calibration::figure(&measures, predictions, medium).unwrap().into_iter().chain(ranked)
        };
        figures.extend(figures_of(&predictions, &names));
        let ten: Vec<Prediction> =
            predictions.iter().map(|it| Prediction { label: it.label % 10, ..it.clone() }).collect();
        figures.extend(figures_of(&ten, &names));
        let result = Evaluation::new(Loss::CrossEntropy, names.len()).result("test", None, &names);
        figures.extend(class_bars::figure(&result, medium).unwrap());
        figures
    }

    #[test]
    fn all_text_has_8_points_and_is_on_the_paper() {
        for (figure, width) in
            WIDTHS.into_iter().flat_map(|width| figures(width).into_iter().map(move |it| (it, width)))
        {
            let tree = raster::tree(&figure.for_paper(width, true).unwrap()).unwrap();
            let unit = points(width) / f64::from(tree.size().width());
            let mut texts = 0;
            each_text(tree.root(), &mut |text| {
                let (along, up) = text.abs_transform().get_scale();
                assert!((along - up).abs() < 1e-4);
                for span in text.chunks().iter().flat_map(resvg::usvg::TextChunk::spans) {
                    let size = f64::from(span.font_size().get() * along) * unit;
                    assert!((size - POINTS).abs() < 0.01, "{size}");
                }
                let place = text.abs_bounding_box();
                let (right, bottom) = (tree.size().width() + 0.5, tree.size().height() + 0.5);
                let is_inside =
                    place.left() > -0.5 && place.top() > -0.5 && place.right() < right && place.bottom() < bottom;
                let words: String = text.chunks().iter().map(resvg::usvg::TextChunk::text).collect();
                assert!(is_inside, "{words} of {} at {place:?} is not within {right} × {bottom}", figure.name);
                texts += 1;
            });
            assert!(texts > 5, "{texts}");
        }
    }

    #[test]
    fn cells_without_room_for_numbers_have_shades() {
        let matrices = matrices();
        let drawn = |matrix: usize, width: f64| matrices[matrix].figures(Medium::Paper(width)).unwrap();
        assert_eq!([0, 1, 2, 3].map(|matrix| drawn(matrix, 84.0).len()), [2, 2, 1, 1]);
        assert_eq!([0, 1, 2, 3].map(|matrix| drawn(matrix, 174.0).len()), [2, 2, 2, 1]);
        let tenths = |width: f64| drawn(1, width)[1].body.contains("33.4");
        assert!(tenths(174.0) && !tenths(84.0));
    }

    #[test]
    fn nothing_is_drawn_where_nothing_is_asked_for() {
        let made = ForPaper::default().files(|_| unreachable!()).unwrap();
        assert!(made.files.is_empty() && made.lack().is_none());
    }

    #[test]
    fn letters_that_the_font_lacks_are_told() {
        let name = |letter: char| letter.to_string();
        let matrix = Confusion::new(('一'..='三').map(name).chain(["a".to_owned()]).collect(), &[]);
        let paper = ForPaper { formats: [FigureFormat::Svg].into(), ..ForPaper::default() };
        let made = paper.files(|medium| matrix.figures(medium)).unwrap();
        assert_eq!(made.files[0].0, "confusion-counts-84mm.svg");
        assert!(
            made.lack().unwrap().starts_with("The font of the figures for papers has no 一 丁 "),
            "{:?}",
            made.lack()
        );
    }
}
