//! Shape inference: what each layer makes of the shape it is given, and how many parameters it takes for that.
//!
//! All arithmetic is checked, since the numbers may come from a file. No output and no parameter may have more than
//! 2³¹ − 1 numbers, which is as far as the 32-bit indices of common backends reach.

use crate::layers::{Inferred, MOST_ELEMENTS, Misfit};
use crate::shape_error::LayerPlace;
use crate::{Architecture, LayerSpec, Shape, ShapeError, TracedBranch, TracedLayer};

impl Architecture {
    /// Follows the shape of one input through every layer.
    ///
    /// # Errors
    ///
    /// The first layer that does not fit what it is given, by name and place.
    pub fn trace(&self) -> Result<Vec<TracedLayer>, ShapeError> {
        check_whole(self)?;
        Tracer { number: 0, parameters: 0 }.layers(&self.layers, self.input, &Branch::default())
    }

    /// How many classes the network tells apart: the number of features of its output vector.
    ///
    /// # Errors
    ///
    /// As [`trace`](Self::trace); and when the network ends in an image.
    pub fn classes(&self) -> Result<usize, ShapeError> {
        let traced = self.trace()?;
        let output = traced.last().map_or(self.input, |layer| layer.output);
        match output {
            Shape::Vector { features } => Ok(features),
            Shape::Image { .. } => Err(ShapeError::of_network(
                self,
                output,
                format!("the network ends in an image {output}, expected a vector with one score a class"),
                Some("end it with `flatten` and a `linear` layer".to_owned()),
            )),
        }
    }

    /// The number of trainable parameters of all layers, weights and biases.
    ///
    /// # Errors
    ///
    /// As [`trace`](Self::trace).
    pub fn trainable_parameters(&self) -> Result<usize, ShapeError> {
        let layers = self.trace()?;
        // `trace` has checked that the total fits.
        Ok(layers.iter().map(|layer| layer.weights + layer.biases).sum())
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

/// What is counted over a whole network.
struct Tracer {
    /// Of the next layer.
    number: usize,
    /// Of the layers so far.
    parameters: usize,
}

/// Where layers are: in a branch of others, or, with nothing in it, in the network itself.
#[derive(Default)]
struct Branch {
    /// What their names begin with, `residual1.body.`.
    prefix: String,
    /// As in [`LayerPlace`].
    within: Vec<(usize, &'static str)>,
}

impl Tracer {
    fn layers(&mut self, layers: &[LayerSpec], input: Shape, branch: &Branch) -> Result<Vec<TracedLayer>, ShapeError> {
        let mut counts: Vec<(&'static str, usize)> = Vec::new();
        let mut traced: Vec<TracedLayer> = Vec::with_capacity(layers.len());
        for (index, layer) in layers.iter().enumerate() {
            let input = traced.last().map_or(input, |before| before.output);
            let name = branch.prefix.clone() + &count_name(&mut counts, layer.stem());
            let number = self.number;
            self.number += 1;
            let mut branches = Vec::new();
            for (inside, layers) in layer.branches() {
                let mut within = branch.within.clone();
                within.push((index + 1, inside));
                let place = Branch { prefix: format!("{name}.{inside}."), within };
                branches.push(TracedBranch { name: inside.to_owned(), layers: self.layers(layers, input, &place)? });
            }
            let output = |branch: &TracedBranch| branch.layers.last().map_or(input, |layer| layer.output);
            let outputs: Vec<Shape> = branches.iter().map(output).collect();
            let inferred =
                check_place(layer, number).and_then(|()| layer.infer(input, &outputs)).and_then(|inferred| {
                    self.parameters = checked_total(self.parameters, &inferred)?;
                    Ok(inferred)
                });
            let inferred = inferred.map_err(|misfit| ShapeError {
                layer: name.clone(),
                place: Box::new(LayerPlace {
                    position: index + 1,
                    layers: layers.len(),
                    within: branch.within.clone(),
                }),
                input,
                problem: misfit.problem,
                help: misfit.help,
            })?;
            let inside = |of: fn(&TracedLayer) -> usize| -> usize {
                branches.iter().flat_map(|branch| &branch.layers).map(of).sum()
            };
            traced.push(TracedLayer {
                name,
                number,
                layer: layer.clone(),
                input,
                output: inferred.output,
                weights: inferred.weights + inside(|layer| layer.weights),
                biases: inferred.biases + inside(|layer| layer.biases),
                running_statistics: inferred.running_statistics + inside(|layer| layer.running_statistics),
                branches,
            });
        }
        Ok(traced)
    }
}

/// Only the kernels of the layer with the number 0 see the images themselves.
fn check_place(layer: &LayerSpec, number: usize) -> Result<(), Misfit> {
    match layer {
        LayerSpec::Conv2d(conv) if conv.is_whitening() && number > 0 => {
            let problem = "the initialization `whitening` is of the first layer, which sees the images";
            Err(Misfit::new(problem)
                .help("use another one here, such as `dirac`; layers have an `initialization` each"))
        }
        _ => Ok(()),
    }
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

/// `conv` to `conv2`, when it is the second with that stem.
fn count_name(counts: &mut Vec<(&'static str, usize)>, stem: &'static str) -> String {
    let count = match counts.iter_mut().find(|(counted, _)| *counted == stem) {
        Some((_, count)) => {
            *count += 1;
            *count
        }
        None => {
            counts.push((stem, 1));
            1
        }
    };
    format!("{stem}{count}")
}

#[cfg(test)]
mod tests;
