//! From pixels to the numbers that a network was trained on, as nodes.

use backproof_data::Normalizer;
use backproof_spec::{Pixels, Shape};

use super::graph::Graph;
use crate::Model;

/// Adds the padding and the normalisation of a model to pixels of f32, and gives the input of its network.
pub(super) fn normalize(model: &Model, pixels: String, graph: &mut Graph) -> String {
    let mut value = pixels;
    if model.padding > 0 && matches!(model.image, Shape::Image { .. }) {
        let side = model.padding as i64;
        let side = [0, 0, side, side];
        value = graph.pad("normalization.padded", &value, [&side, &side], 0.0);
    }
    match &model.normalizer {
        Normalizer::Standardize { mean, std } => {
            value = unit(&value, graph);
            value = with(graph, "Sub", "normalization.centred", &value, ("mean", mean, &along(model, mean)));
            with(graph, "Div", "normalization", &value, ("std", std, &along(model, std)))
        }
        Normalizer::SubtractMean { mean, pixels } => {
            if *pixels == Pixels::Unit {
                value = unit(&value, graph);
            }
            with(graph, "Sub", "normalization", &value, ("mean", mean, &along(model, mean)))
        }
        Normalizer::Unit => unit(&value, graph),
        Normalizer::Bytes => value,
    }
}

/// p/255.
fn unit(pixels: &str, graph: &mut Graph) -> String {
    with(graph, "Div", "normalization.unit", pixels, ("largest", &[255.0], &[]))
}

/// A node that takes a constant, which is its name, its values and its shape.
fn with(graph: &mut Graph, operator: &str, name: &str, value: &str, constant: (&str, &[f32], &[usize])) -> String {
    let (role, values, shape) = constant;
    let constant = graph.floats(&format!("normalization.{role}"), shape, values);
    graph.node(operator, name, &[value, &constant], vec![])
}

/// The shape in which these numbers fit to `[N, C, H, W]`: one for all, one a channel, or one a pixel.
fn along(model: &Model, numbers: &[f32]) -> Vec<usize> {
    let shape = model.input().dimensions();
    match numbers.len() {
        1 => vec![],
        count if count == shape[0] && shape.len() > 1 => vec![shape[0], 1, 1],
        _ => shape,
    }
}
