//! The figures of a report.

use crate::confusion::Confusion;
use crate::contents::Contents;
use crate::figure::Figure;
use crate::gradients::Gradients;
use crate::medium::Medium;
use crate::mistakes::Mistakes;
use crate::ranking::Ranking;
use crate::{ReportError, calibration, class_bars, curves, layers, misclassified};

/// What figures are drawn of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn<'a> {
    pub(crate) contents: &'a Contents,
    pub(crate) confusion: Option<&'a Confusion>,
    pub(crate) mistakes: Option<&'a Mistakes>,
    pub(crate) ranking: Option<&'a Ranking>,
}

/// The drawings of a report.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) curves: Vec<Figure>,
    pub(crate) confusion: Vec<Figure>,
    pub(crate) classes: Option<Figure>,
    pub(crate) calibration: Option<Figure>,
    /// ROC, and precision over recall.
    pub(crate) ranking: Vec<Figure>,
    pub(crate) mistakes: Option<Figure>,
    pub(crate) kernels: Option<Figure>,
    pub(crate) gradients: Option<Figure>,
}

impl Figures {
    /// Draws all of them for a medium.
    pub(crate) fn draw(of: Drawn<'_>, medium: Medium) -> Result<Self, ReportError> {
        let Drawn { contents, confusion, mistakes, ranking } = of;
        let [batch_size, validation_images] = contents.batch_and_validation();
        let most = if medium == Medium::Screen { Confusion::MOST_CLASSES } else { Confusion::MOST_ON_PAPER };
        let confusion = confusion.filter(|confusion| confusion.names.len() <= most);
        let of_layers = layers::figures(&contents.looks, &contents.weighted_layers(), medium)?;
        let curves = curves::figures(&contents.reports, batch_size, validation_images, medium)?;
        Ok(Self {
            curves: curves.into_iter().chain(of_layers).collect(),
            confusion: confusion.map(|it| it.figures(medium)).transpose()?.unwrap_or_default(),
            classes: contents.result.as_ref().map(|it| class_bars::figure(it, medium)).transpose()?.flatten(),
            calibration: contents
                .result
                .as_ref()
                .map(|it| calibration::figure(&it.measures, &contents.predictions, medium))
                .transpose()?
                .flatten(),
            ranking: ranking.map(|it| it.figures(medium)).transpose()?.unwrap_or_default(),
            mistakes: mistakes.map(|it| misclassified::figure(it, medium)).transpose()?.flatten(),
            kernels: contents.kernels.as_ref().map(|(kernels, ..)| kernels.figure(medium)).transpose()?,
            gradients: contents.gradients.as_ref().map(|it| Gradients::figure(it, medium)).transpose()?.flatten(),
        })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Figure> {
        let single = [&self.classes, &self.calibration, &self.mistakes, &self.kernels, &self.gradients];
        self.curves.iter().chain(&self.confusion).chain(&self.ranking).chain(single.into_iter().flatten())
    }

    pub(crate) fn into_all(self) -> Vec<Figure> {
        let single = [self.classes, self.calibration, self.mistakes, self.kernels, self.gradients];
        self.curves.into_iter().chain(self.confusion).chain(self.ranking).chain(single.into_iter().flatten()).collect()
    }
}
