//! `report.html`: the contents of a run folder as one page.

use backproof_spec::thousands;
use backproof_train::TrainingReport;
use serde::Serialize;

use crate::ReportError;
use crate::calibration::{self, BinRow};
use crate::classes::{self, Classes, PairRow};
use crate::confusion::{Confusion, Row};
use crate::contents::Contents;
use crate::curves;
use crate::explore::{Explored, Milestone};
use crate::facts::{Fact, Provenance, facts, provenance, training_of_classes};
use crate::figure::{Figure, stylesheet};
use crate::figures::Figures;
use crate::gradients::Section;
use crate::layers::Layers;
use crate::looks_at::LooksAt;
use crate::mistakes::Mistakes;
use crate::network::{Network, network};
use crate::ranking::Ranking;
use crate::samples::SampleRow;
use crate::temperature::Temperature;
use crate::templates::render;
use crate::theme::{DARK, LIGHT, Theme};

/// Rows of the table of reports; of more, every so many is shown.
const REPORT_ROWS: usize = 200;

/// The style sheets of every page.
#[derive(Debug, Serialize)]
pub(crate) struct Styles {
    /// The rules of figures.
    light: String,
    dark: String,
    /// The colours of everything else.
    light_theme: Theme,
    dark_theme: Theme,
}

impl Styles {
    pub(crate) fn new() -> Result<Self, ReportError> {
        Ok(Self { light: stylesheet(&LIGHT)?, dark: stylesheet(&DARK)?, light_theme: LIGHT, dark_theme: DARK })
    }
}

#[derive(Serialize)]
struct ConfusionTables {
    names: Vec<String>,
    rows: Vec<Row>,
    /// Whether the names fit over their columns as they are.
    upright: bool,
}

impl ConfusionTables {
    /// Cells lead to misclassified images, where the page shows one of the pair.
    fn new(confusion: &Confusion, mistakes: Option<&Mistakes>) -> Self {
        let mut rows = confusion.rows();
        for (label, row) in rows.iter_mut().enumerate() {
            for (predicted, cell) in row.cells.iter_mut().enumerate() {
                cell.leads = mistakes.is_some_and(|it| it.shows(label, predicted));
            }
        }
        Self { names: confusion.names.clone(), rows, upright: confusion.upright() }
    }
}

#[derive(Serialize)]
struct Page<'a> {
    styles: Styles,
    title: &'a str,
    subtitle: String,
    missing: &'a [String],
    facts: Vec<Fact>,
    curves: Vec<Explored>,
    /// Folded: few readers look for it.
    folded_curves: Vec<Explored>,
    milestones: Vec<Milestone>,
    /// Sentences on how training treats classes of different sizes.
    training_of_classes: Vec<&'static str>,
    reports: Vec<&'a TrainingReport>,
    every: usize,
    layers: Option<Layers>,
    result: Option<&'a backproof_train::EvaluationResult>,
    classes: Option<Classes>,
    pairs: Vec<PairRow>,
    confusion: Option<ConfusionTables>,
    bars: Option<String>,
    calibration: Option<String>,
    bins: Vec<BinRow>,
    temperature: Option<&'a Temperature>,
    ranking: Vec<String>,
    mistakes: Option<&'a Mistakes>,
    samples: &'a [SampleRow],
    looks_at: Option<LooksAt>,
    kernels: Option<String>,
    kernels_of: String,
    network: Option<Network>,
    gradients: Option<Section>,
    config: &'a str,
    provenance: Provenance,
}

/// What a page has of the test images.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) confusion: Option<&'a Confusion>,
    pub(crate) mistakes: Option<&'a Mistakes>,
    pub(crate) ranking: Option<&'a Ranking>,
    pub(crate) samples: &'a [SampleRow],
}

/// The page, with `figures` drawn into it.
pub(crate) fn page(
    contents: &Contents,
    folder_name: &str,
    Parts { confusion, mistakes, ranking, samples }: Parts<'_>,
    figures: &Figures,
) -> Result<String, ReportError> {
    let every = contents.reports.len().div_ceil(REPORT_ROWS).max(1);
    // Counted from the end, so that the last report is among them.
    let mut reports: Vec<&TrainingReport> = contents.reports.iter().rev().step_by(every).collect();
    reports.reverse();
    let kernels_of = contents
        .kernels
        .as_ref()
        .map(|(_, name, iteration)| format!("of the {name} checkpoint, iteration {}", thousands(*iteration)));
    let [batch_size, validation_images] = contents.batch_and_validation();
    let milestones = contents.milestones();
    let (folded_curves, curves) =
        curves::explored(&contents.reports, batch_size, validation_images, milestones.clone())?
            .into_iter()
            .partition(|curve| curve.title == curves::WEIGHT_DECAY);
    let page = Page {
        styles: Styles::new()?,
        title: &contents.record.experiment,
        subtitle: subtitle(contents),
        missing: &contents.missing,
        facts: facts(contents),
        curves,
        folded_curves,
        layers: Layers::new(&contents.looks, &contents.weighted_layers(), milestones.clone())?,
        milestones,
        training_of_classes: contents.experiment.as_ref().map(training_of_classes).unwrap_or_default(),
        reports,
        every,
        result: contents.result.as_ref(),
        classes: contents.result.as_ref().map(|it| Classes::new(it, ranking)),
        pairs: contents.result.as_ref().zip(mistakes).map(|(it, of)| classes::pairs(it, of)).unwrap_or_default(),
        confusion: confusion.map(|it| ConfusionTables::new(it, mistakes)),
        bars: figures.classes.as_ref().map(Figure::inline).transpose()?,
        calibration: figures.calibration.as_ref().map(Figure::inline).transpose()?,
        bins: calibration::rows(&contents.predictions),
        temperature: contents.temperature.as_ref(),
        ranking: figures.ranking.iter().map(Figure::inline).collect::<Result<_, _>>()?,
        mistakes,
        samples,
        looks_at: contents.explained.as_ref().and_then(|it| LooksAt::new(it, &contents.class_names())),
        kernels: figures.kernels.as_ref().map(Figure::inline).transpose()?,
        kernels_of: kernels_of.unwrap_or_default(),
        network: contents.experiment.as_ref().and_then(|it| network(&it.model, contents.record.computations.last())),
        gradients: contents.gradients.as_ref().map(|it| it.section(figures.gradients.as_ref())).transpose()?,
        config: &contents.config,
        provenance: provenance(contents, folder_name),
    };
    render("report.html", page)
}

fn subtitle(contents: &Contents) -> String {
    let Some(experiment) = &contents.experiment else { return String::new() };
    format!(
        "{} on {}, engine {}, {}",
        experiment.model.name,
        experiment.data.images.name(),
        experiment.engine.name(),
        contents.record.device
    )
}
