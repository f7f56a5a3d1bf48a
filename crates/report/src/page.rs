//! `report.html`: the contents of a run folder as one page.

use backproof_spec::{Architecture, TracedLayer, thousands};
use backproof_train::{Computation, ComputedBy, TrainingReport};
use serde::Serialize;

use crate::ReportError;
use crate::classes::{self, ClassRow};
use crate::confusion::{Confusion, Row};
use crate::contents::Contents;
use crate::facts::{Fact, Provenance, facts, provenance};
use crate::figure::{Figure, stylesheet};
use crate::gradients::Section;
use crate::mistakes::Mistakes;
use crate::samples::SampleRow;
use crate::templates::render;
use crate::theme::{DARK, LIGHT, Theme};

/// Rows of the table of reports; of more, every so many is shown.
const REPORT_ROWS: usize = 200;

/// The drawings of a report.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) curves: Vec<Figure>,
    pub(crate) confusion: Vec<Figure>,
    pub(crate) mistakes: Option<Figure>,
    pub(crate) kernels: Option<Figure>,
    pub(crate) gradients: Option<Figure>,
}

impl Figures {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Figure> {
        self.curves.iter().chain(&self.confusion).chain(&self.mistakes).chain(&self.kernels).chain(&self.gradients)
    }
}

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

/// The parameter table.
#[derive(Serialize)]
struct Network {
    name: String,
    input: String,
    layers: Vec<LayerRow>,
    weights: usize,
    biases: usize,
    running_statistics: usize,
    /// Whether it is known what computed the layers.
    computed: bool,
}

#[derive(Serialize)]
struct LayerRow {
    name: String,
    kind: String,
    output: String,
    weights: usize,
    biases: usize,
    /// Empty in a run of a version that did not note it.
    computed_by: String,
}

#[derive(Serialize)]
struct ConfusionTables {
    names: Vec<String>,
    rows: Vec<Row>,
    /// Whether the names fit over their columns as they are.
    upright: bool,
}

#[derive(Serialize)]
struct Page<'a> {
    styles: Styles,
    title: &'a str,
    subtitle: String,
    missing: &'a [String],
    facts: Vec<Fact>,
    curves: Vec<String>,
    reports: Vec<&'a TrainingReport>,
    every: usize,
    result: Option<&'a backproof_train::EvaluationResult>,
    classes: Option<(Vec<ClassRow>, ClassRow)>,
    confusion: Option<ConfusionTables>,
    mistakes: Option<&'a Mistakes>,
    samples: &'a [SampleRow],
    kernels: Option<String>,
    kernels_of: String,
    network: Option<Network>,
    gradients: Option<Section>,
    config: &'a str,
    provenance: Provenance,
}

/// The page, with `figures` drawn into it.
pub(crate) fn page(
    contents: &Contents,
    folder_name: &str,
    confusion: Option<&Confusion>,
    mistakes: Option<&Mistakes>,
    samples: &[SampleRow],
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
    let page = Page {
        styles: Styles::new()?,
        title: &contents.record.experiment,
        subtitle: subtitle(contents),
        missing: &contents.missing,
        facts: facts(contents),
        curves: figures.curves.iter().map(Figure::inline).collect::<Result<_, _>>()?,
        reports,
        every,
        result: contents.result.as_ref(),
        classes: contents.result.as_ref().map(classes::rows),
        confusion: confusion.map(|it| ConfusionTables {
            names: it.names.clone(),
            rows: it.rows(),
            upright: it.upright(),
        }),
        mistakes,
        samples,
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
        experiment.data.dataset,
        experiment.engine.name(),
        contents.record.device
    )
}

fn network(model: &Architecture, computation: Option<&Computation>) -> Option<Network> {
    let layers = model.trace().ok()?;
    let sum = |of: fn(&TracedLayer) -> usize| layers.iter().map(of).sum::<usize>();
    let computed_by = |name: &str| match computation?.layers.iter().find(|layer| layer.layer == name)?.by {
        ComputedBy::Kernel => Some("kernel".to_owned()),
        ComputedBy::Burn { ref reason } => Some(format!("Burn: {reason}")),
    };
    Some(Network {
        name: model.name.clone(),
        input: model.input.to_string(),
        computed: computation.is_some(),
        weights: sum(|layer| layer.weights),
        biases: sum(|layer| layer.biases),
        running_statistics: sum(|layer| layer.running_statistics),
        layers: layers
            .iter()
            .flat_map(TracedLayer::all)
            .map(|layer| {
                // What is inside of a layer has rows of its own.
                let counts = layer.branches.is_empty();
                LayerRow {
                    name: backproof_spec::indented(&layer.name).replace(' ', "\u{a0}"),
                    kind: backproof_spec::describe_layer(&layer.layer),
                    output: layer.output.to_string(),
                    weights: if counts { layer.weights } else { 0 },
                    biases: if counts { layer.biases } else { 0 },
                    computed_by: computed_by(&layer.name).unwrap_or_default(),
                }
            })
            .collect(),
    })
}
