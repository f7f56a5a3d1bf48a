//! A case of a layer as an exercise: what a person who computes forward and backward must be given, and by what the
//! answers are judged.

use std::path::Path;

use backproof_gradcheck::{GradientSource, Options, Problem, Value};
use backproof_models::PassMode;
use backproof_spec::{Architecture, LayerSpec, Loss};

use crate::case_id::CaseId;
use crate::layer_task::LayerTask;
use crate::subject::Context;
use crate::task::TaskError;
use crate::{images, layers, networks};

/// A case of a layer.
pub struct Exercise {
    /// The options of the layer by name; a pair is `[height, width]`, and what holds is 1.
    pub options: Vec<(&'static str, Value)>,
    /// The tensors, the function, and the ways to get it wrong. Its sources are Burn's autodiff and the backward by
    /// hand.
    pub problem: Problem<'static>,
    /// Backward passes that follow another convention at kinks, by its name.
    pub conventions: Vec<GradientSource<'static>>,
    /// How much is looked at, where everything would take too long.
    pub budget: Option<Options>,
}

/// What an exercise of a layer of [`LAYERS`](crate::LAYERS) asks for; none if there is none.
pub fn layer_task(layer: &str) -> Option<LayerTask> {
    layers::TASKS.iter().find(|(name, _)| *name == layer)?.1
}

/// The case of this layer of [`LAYERS`](crate::LAYERS); none if there is no such layer.
pub fn exercise(layer: &str, context: &Context, case: CaseId) -> Option<Exercise> {
    let subject = layers::SUBJECTS.iter().find(|subject| subject.name == layer)?;
    let (case, draw) = subject.drawn_at(context, case);
    // A convention is a source on the tensors of this case.
    let mut check = case.check;
    let known = check.problem().mutants.len();
    for (name, backward) in draw.conventions {
        check = check.mutant(name, &context.reference, backward);
    }
    let mut problem = check.problem();
    let conventions = problem.mutants.split_off(known);
    Some(Exercise { options: draw.options, problem, conventions, budget: None })
}

/// A whole network on bundled digits, with the cross-entropy: two images, the parameters by their names, and the loss
/// of each image. A network with dropout infers.
///
/// # Errors
///
/// [`TaskError`].
pub fn network_exercise(architecture: &Architecture, context: &Context) -> Result<Exercise, TaskError> {
    const IMAGES: usize = 2;
    // A folder that is not there has no data set, so that the images are the same on every machine.
    let nowhere = Path::new("no folder with data sets");
    let wanted = (architecture.input, architecture.classes()?, IMAGES);
    let images = images::of_shape(wanted, Some(nowhere), &context.reference)?;
    let images = images::without_ties(images, context.seed);
    let drops = architecture.all_layers().into_iter().any(|layer| matches!(layer, LayerSpec::Dropout(_)));
    let mode = if drops { PassMode::Inference } else { PassMode::Training { seed: context.seed, step: 0 } };
    let problem = networks::problem(architecture, &Loss::default().into(), &images, mode, context)?;
    let labels = images.labels.iter().map(|&label| label as f64).collect();
    let budget = networks::options(architecture, IMAGES, context.seed)?;
    let options = vec![("labels", Value::new([IMAGES], labels))];
    Ok(Exercise { options, problem, conventions: Vec::new(), budget: Some(budget) })
}
