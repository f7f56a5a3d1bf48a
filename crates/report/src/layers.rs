//! What happens in the layers while a network trains: gradients, updates and dead units.

use std::collections::BTreeMap;

use backproof_train::{LayersLook, ReluLook, TensorLook, layer_warnings};
use serde::Serialize;

use crate::ReportError;
use crate::chart::{Chart, LABELS};
use crate::explore::{Along, Explored, Milestone};
use crate::figure::Figure;
use crate::medium::Medium;
use crate::scale::Axis;
use crate::series::{Look, Series};

/// Where update over weight lies in most networks that learn well: a decade on each side of A. Karpathy's 10⁻³.
const USUAL: [f64; 2] = [1e-4, 1e-2];
/// Points of a curve; of more looks, every so many is drawn.
const POINTS: usize = 200;
/// Curves that all have a label. Of more, the first and the last layer have one, and of the others those with the lowest
/// and the highest end; the rest is grey.
const LABELLED: usize = 8;
/// The width of a letter of a label, at most.
const LETTER: f64 = 9.0;

/// What a page says of the layers.
#[derive(Debug, Serialize)]
pub(crate) struct Layers {
    warnings: Vec<String>,
    charts: Vec<Explored>,
    /// Of the last look.
    iteration: usize,
    tensors: Vec<TensorRow>,
    relus: Vec<ReluRow>,
    /// The iteration of the last look with a probe.
    probed: usize,
    probe_images: usize,
    /// Whether some curves have no label.
    crowded: bool,
}

#[derive(Debug, Serialize)]
struct TensorRow {
    name: String,
    gradient: String,
    update: String,
    weight: String,
    share: String,
}

#[derive(Debug, Serialize)]
struct ReluRow {
    layer: String,
    unit: &'static str,
    units: usize,
    dead: usize,
    dead_share: f64,
    zeros: f64,
}

impl Layers {
    /// Of the looks of a run; `weighted` are its convolutions and linear layers. `None` where nobody looked.
    pub(crate) fn new(
        looks: &[LayersLook],
        weighted: &[String],
        milestones: Vec<Milestone>,
    ) -> Result<Option<Self>, ReportError> {
        let Some(last) = looks.last() else { return Ok(None) };
        let probed = looks.iter().rfind(|look| !look.relus.is_empty());
        let epochs_an_iteration = Some(last.epoch / last.iteration as f64).filter(|&it| it > 0.0 && it.is_finite());
        let along = Along { epochs_an_iteration, milestones };
        let charts = charts(looks, weighted);
        let crowded = charts.iter().any(|chart| chart.series.len() > LABELLED);
        let charts = charts.into_iter().filter_map(|chart| chart.explored(&along).transpose());
        let tensor = |tensor: &TensorLook| TensorRow {
            name: tensor.name.clone(),
            gradient: scientific(tensor.gradient),
            update: scientific(tensor.update),
            weight: scientific(tensor.weight),
            share: tensor.update_share().map_or_else(|| "–".to_owned(), scientific),
        };
        let relu = |relu: &ReluLook| ReluRow {
            layer: relu.layer.clone(),
            unit: relu.unit.name(),
            units: relu.units,
            dead: relu.dead,
            dead_share: relu.dead_share(),
            zeros: relu.zeros,
        };
        Ok(Some(Self {
            warnings: layer_warnings(looks, weighted),
            charts: charts.collect::<Result<_, _>>()?,
            iteration: last.iteration,
            tensors: last.tensors.iter().map(tensor).collect(),
            relus: probed.iter().flat_map(|look| &look.relus).map(relu).collect(),
            probed: probed.map_or(0, |look| look.iteration),
            probe_images: probed.map_or(0, |look| look.probe_images),
            crowded,
        }))
    }
}

/// `layer-gradients`, `layer-updates` and, of a network with ReLUs, `dead-units`.
pub(crate) fn figures(looks: &[LayersLook], weighted: &[String], medium: Medium) -> Result<Vec<Figure>, ReportError> {
    charts(looks, weighted).into_iter().filter_map(|chart| chart.figure(medium).transpose()).collect()
}

fn charts(looks: &[LayersLook], weighted: &[String]) -> [Chart; 3] {
    let weights = |figure: fn(&TensorLook) -> Option<f64>| {
        let of_look = |look: &LayersLook| -> Vec<(String, f64)> {
            let of_layer = |tensor: &TensorLook| {
                let layer = tensor.name.strip_suffix(".weight")?;
                let is_weighted = weighted.iter().any(|name| name == layer);
                Some((layer.to_owned(), figure(tensor).filter(|_| is_weighted)?))
            };
            look.tensors.iter().filter_map(of_layer).collect()
        };
        series(looks, of_look)
    };
    let chart = |name, title, unit: &str, axis, format, series: Vec<Series>| Chart {
        name,
        title,
        unit: unit.to_owned(),
        axis,
        most: None,
        format,
        labels: series.iter().map(|it| LETTER * it.name.chars().count() as f64).fold(LABELS, f64::max),
        series,
    };
    let dead = |look: &LayersLook| -> Vec<(String, f64)> {
        look.relus.iter().map(|relu| (relu.layer.clone(), 100.0 * relu.dead_share())).collect()
    };
    [
        chart(
            "layer-gradients",
            "Gradients of the weights",
            "RMS of ∂loss/∂w over the weights of a layer",
            Axis::Logarithmic { marked: None },
            scientific,
            weights(|tensor| Some(tensor.gradient)),
        ),
        chart(
            "layer-updates",
            "Updates over weights",
            "RMS of the update / RMS of the weights",
            Axis::Logarithmic { marked: Some(USUAL) },
            scientific,
            weights(TensorLook::update_share),
        ),
        Chart {
            most: Some(100.0),
            ..chart(
                "dead-units",
                "Dead units",
                "% of the channels or neurons of a ReLU",
                Axis::FromZero,
                |percent| format!("{percent:.1} %"),
                series(looks, dead),
            )
        },
    ]
}

/// `1.2e-3`.
fn scientific(figure: f64) -> String {
    if figure == 0.0 { "0".to_owned() } else { format!("{figure:.1e}") }
}

/// A curve for each layer, in the order in which the first look has them; `of_look` gives nothing of a look that has no
/// such figures.
fn series(looks: &[LayersLook], of_look: impl Fn(&LayersLook) -> Vec<(String, f64)>) -> Vec<Series> {
    let all = looks.iter().map(|look| (look.iteration as f64, of_look(look)));
    let all: Vec<_> = all.filter(|(_, figures)| !figures.is_empty()).collect();
    let every = all.len().div_ceil(POINTS).max(1);
    // Counted from the end, so that the last look is among them.
    let mut drawn: Vec<_> = all.into_iter().rev().step_by(every).collect();
    drawn.reverse();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut curves: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
    for (iteration, figures) in drawn {
        for (layer, value) in figures {
            let place = *places.entry(layer.clone()).or_insert_with(|| {
                curves.push((layer, Vec::new()));
                curves.len() - 1
            });
            curves[place].1.push((iteration, value));
        }
    }
    let labelled = labelled(&curves);
    let of_curve = |(place, (name, points)): (usize, (String, Vec<(f64, f64)>))| {
        let look = labelled.iter().position(|&of| of == place).map_or(Look::GREY, Look::of);
        Series { name, points, band: Vec::new(), group: None, look }
    };
    curves.into_iter().enumerate().map(of_curve).collect()
}

/// The curves with a label, in order.
fn labelled(curves: &[(String, Vec<(f64, f64)>)]) -> Vec<usize> {
    let count = curves.len();
    if count <= LABELLED {
        return (0..count).collect();
    }
    let end = |&place: &usize| curves[place].1.last().map_or(0.0, |point| point.1);
    let mut between: Vec<usize> = (1..count - 1).collect();
    between.sort_by(|one, other| end(one).total_cmp(&end(other)));
    let mut chosen = vec![0, between[0], between[between.len() - 1], count - 1];
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests;
