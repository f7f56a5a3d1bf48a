//! Shape inference: what each layer makes of the shape it is given, and how many parameters it takes for that.
//!
//! All arithmetic is checked, since the numbers may come from a file. No output and no parameter may have more than
//! 2³¹ − 1 numbers, which is as far as the 32-bit indices of common backends reach.

mod layers;
mod window;

use crate::{Architecture, Layer, Shape, ShapeError, TracedLayer};

/// The most numbers that one output of a layer, or all trainable parameters of a network, may have.
const MOST_ELEMENTS: usize = i32::MAX as usize;

/// What a layer makes of its input, before it has a name.
struct Inferred {
    output: Shape,
    weights: usize,
    biases: usize,
    running_statistics: usize,
}

impl Inferred {
    fn without_parameters(output: Shape) -> Self {
        Self { output, weights: 0, biases: 0, running_statistics: 0 }
    }
}

/// What is wrong with a layer, before it has a name, and a way out.
struct Misfit {
    problem: String,
    help: Option<String>,
}

impl Misfit {
    fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn too_large(what: &str) -> Self {
        Self::new(format!("{what} would have more than {MOST_ELEMENTS} numbers"))
    }
}

pub(crate) fn trace(architecture: &Architecture) -> Result<Vec<TracedLayer>, ShapeError> {
    check_whole(architecture)?;
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let mut traced = Vec::with_capacity(architecture.layers.len());
    let mut shape = architecture.input;
    let mut parameters = 0_usize;
    for (index, layer) in architecture.layers.iter().enumerate() {
        let name = count_name(&mut counts, kind(layer));
        let inferred = layers::infer(layer, shape)
            .and_then(|inferred| {
                parameters = checked_total(parameters, &inferred)?;
                Ok(inferred)
            })
            .map_err(|misfit| ShapeError {
                layer: name.clone(),
                position: index + 1,
                layers: architecture.layers.len(),
                input: shape,
                problem: misfit.problem,
                help: misfit.help,
            })?;
        traced.push(TracedLayer {
            name,
            layer: layer.clone(),
            input: shape,
            output: inferred.output,
            weights: inferred.weights,
            biases: inferred.biases,
            running_statistics: inferred.running_statistics,
        });
        shape = inferred.output;
    }
    Ok(traced)
}

pub(crate) fn classes(architecture: &Architecture) -> Result<usize, ShapeError> {
    let traced = trace(architecture)?;
    let output = traced.last().map_or(architecture.input, |layer| layer.output);
    match output {
        Shape::Vector { features } => Ok(features),
        Shape::Image { .. } => Err(ShapeError::of_network(
            architecture,
            output,
            format!("the network ends in an image {output}, expected a vector with one score a class"),
            Some("end it with `flatten` and a `linear` layer".to_owned()),
        )),
    }
}

fn check_whole(architecture: &Architecture) -> Result<(), ShapeError> {
    let input = architecture.input;
    let wrong = if architecture.layers.is_empty() {
        "the network has no layers".to_owned()
    } else if input.dimensions().contains(&0) {
        format!("the input {input} is empty, expected at least 1 along each axis")
    } else if input.elements() > MOST_ELEMENTS {
        format!("the input {input} has more than {MOST_ELEMENTS} numbers")
    } else {
        return Ok(());
    };
    Err(ShapeError::of_network(architecture, input, wrong, None))
}

fn checked_total(parameters: usize, inferred: &Inferred) -> Result<usize, Misfit> {
    if inferred.output.elements() > MOST_ELEMENTS {
        return Err(Misfit::too_large(&format!("its output {}", inferred.output)));
    }
    parameters
        .checked_add(inferred.weights)
        .and_then(|sum| sum.checked_add(inferred.biases))
        .filter(|&sum| sum <= MOST_ELEMENTS)
        .ok_or_else(|| Misfit::too_large("all parameters up to here"))
}

/// `conv` to `conv2`, when it is the second of its kind.
fn count_name<'a>(counts: &mut Vec<(&'a str, usize)>, kind: &'a str) -> String {
    let count = match counts.iter_mut().find(|(counted, _)| *counted == kind) {
        Some((_, count)) => {
            *count += 1;
            *count
        }
        None => {
            counts.push((kind, 1));
            1
        }
    };
    format!("{kind}{count}")
}

/// What a layer's name starts with. Both poolings are `pool`.
fn kind(layer: &Layer) -> &'static str {
    match layer {
        Layer::Conv2d(_) => "conv",
        Layer::MaxPool2d(_) | Layer::AvgPool2d(_) => "pool",
        Layer::Linear(_) => "linear",
        Layer::Flatten => "flatten",
        Layer::Relu => "relu",
        Layer::LeakyRelu { .. } => "leaky_relu",
        Layer::Prelu { .. } => "prelu",
        Layer::Elu { .. } => "elu",
        Layer::Gelu => "gelu",
        Layer::Sigmoid => "sigmoid",
        Layer::Tanh => "tanh",
        Layer::BatchNorm(_) => "norm",
        Layer::Dropout(_) => "dropout",
    }
}

#[cfg(test)]
mod tests;
