//! `explain.html`: both passes of one image through a network, for a person to touch.
//!
//! The page holds the numbers of the engine and computes every one of them once more, from the numbers around it, and
//! takes finite differences in double precision. So it is a third implementation of every layer, in
//! `templates/explain`; the tests run it.

use backproof_spec::{describe_layer, thousands};
use backproof_train::{Explanation, LayerInput};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

use crate::ReportError;
use crate::derivations::{Section, sections};
use crate::heat::plain;
use crate::mistakes::Bar;
use crate::page::Styles;
use crate::templates::render;

/// Numbers in a page; more would make a file of over 15 MB.
const MOST_NUMBERS: usize = 2_700_000;
/// Of more classes, the likeliest have a bar, and the true one.
const BARS: usize = 10;
/// Characters of a class name beside its bar.
const NAME_LENGTH: usize = 12;

/// The scripts that compute, in the order in which they need each other.
const COMPUTING: [&str; 6] = [
    include_str!("../templates/explain/model.js"),
    include_str!("../templates/explain/kinds.js"),
    include_str!("../templates/explain/windows.js"),
    include_str!("../templates/explain/norms.js"),
    include_str!("../templates/explain/losses.js"),
    include_str!("../templates/explain/proof.js"),
];

/// The scripts that show it in a browser.
const SHOWING: [&str; 4] = [
    include_str!("../templates/explain/pictures.js"),
    include_str!("../templates/explain/panel.js"),
    include_str!("../templates/explain/steps.js"),
    include_str!("../templates/explain/main.js"),
];

#[derive(Serialize)]
struct Page {
    styles: Styles,
    title: String,
    subtitle: String,
    image: String,
    image_words: String,
    answer: String,
    /// The iterations whose weights the page has.
    iterations: Vec<usize>,
    notes: Vec<String>,
    bars: Vec<Bar>,
    name_length: usize,
    derivations: Vec<Section>,
    data: String,
    script: String,
}

/// The page of the explanations of one image by a network, with its weights of one iteration after another; the last
/// is shown first. `of` says in a few words which image it is; `notes` are sentences that a reader should know.
///
/// # Errors
///
/// Too many numbers for a page.
///
/// # Panics
///
/// If there is no explanation.
pub fn explanation(explanations: &[Explanation], of: &str, mut notes: Vec<String>) -> Result<String, ReportError> {
    let explanation = explanations.last().expect("there is an explanation");
    let count: usize = explanations.iter().map(Explanation::count).sum();
    if count > MOST_NUMBERS {
        let (numbers, most) = (thousands(explanation.count()), thousands(MOST_NUMBERS));
        let times = match explanations.len() {
            1 => String::new(),
            iterations => format!(", for each of {iterations} iterations"),
        };
        let network = explanation.network.clone();
        return Err(ReportError::TooLarge { network, numbers, times, most });
    }
    let label = &explanation.classes[explanation.label];
    let by_batch = explanation.layers.iter().any(|layer| layer.batch_statistics);
    if by_batch {
        let note = "The batch normalisations take the statistics of this image, as training does with a batch of one. So the \
                    network may answer otherwise than when it predicts.";
        notes.push(note.to_owned());
    }
    render(
        "explain.html",
        Page {
            styles: Styles::new()?,
            title: format!("{}: both passes of one image", explanation.network),
            subtitle: of.to_owned(),
            image: plain(&explanation.pixels, explanation.shape).data_uri(),
            image_words: format!("{of}, {label}"),
            answer: answer(explanation),
            iterations: explanations.iter().filter_map(|explanation| explanation.iteration).collect(),
            notes,
            bars: bars(explanation),
            name_length: explanation
                .classes
                .iter()
                .map(|name| name.chars().count())
                .max()
                .unwrap_or(0)
                .min(NAME_LENGTH),
            derivations: sections().collect(),
            data: script_safe(&json!({ "checkpoints": explanations.iter().map(data).collect::<Vec<_>>() }).to_string()),
            script: [&COMPUTING[..], &SHOWING[..]].concat().join("\n"),
        },
    )
}

/// What the network says of the image.
fn answer(explanation: &Explanation) -> String {
    let predicted = explanation.predicted;
    let iteration = explanation
        .iteration
        .map_or_else(String::new, |iteration| format!("With the weights of iteration {}, the", thousands(iteration)));
    let the = if iteration.is_empty() { "The" } else { &iteration };
    format!(
        "{the} network says {} with {:.1} %. The loss for {} is {:.4}.",
        explanation.classes[predicted],
        100.0 * explanation.probabilities[predicted],
        explanation.classes[explanation.label],
        explanation.loss_value
    )
}

fn bars(explanation: &Explanation) -> Vec<Bar> {
    let mut order: Vec<usize> = (0..explanation.classes.len()).collect();
    if order.len() > BARS {
        order.sort_by(|&one, &other| explanation.probabilities[other].total_cmp(&explanation.probabilities[one]));
        let last = order.iter().position(|&class| class == explanation.label).unwrap_or(0);
        order.swap(last.max(BARS - 1), BARS - 1);
        order.truncate(BARS);
    }
    let kind = |class| match class {
        class if class == explanation.label => "right",
        class if class == explanation.predicted => "wrong",
        _ => "",
    };
    let bar = |class: usize| Bar {
        name: explanation.classes[class].chars().take(NAME_LENGTH).collect(),
        share: explanation.probabilities[class],
        class,
        kind: kind(class),
    };
    order.into_iter().map(bar).collect()
}

/// What the script reads.
fn data(explanation: &Explanation) -> Value {
    let layers = explanation.layers.iter().map(|layer| {
        json!({
            "name": layer.name,
            "words": describe_layer(&layer.layer),
            "options": layer.layer,
            "output": layer.output,
            "inputs": layer.inputs.iter().map(|input| match input {
                LayerInput::Image => -1,
                LayerInput::Layer(number) => *number as i64,
            }).collect::<Vec<_>>(),
            "batch_statistics": layer.batch_statistics,
            "values": base64(&layer.values),
            "gradient": base64(&layer.gradient),
        })
    });
    let tensors = explanation.tensors.iter().map(|tensor| {
        json!({
            "name": tensor.name,
            "dims": tensor.dimensions,
            "values": base64(&tensor.values),
            "gradient": tensor.gradient.as_deref().map(base64),
        })
    });
    json!({
        "iteration": explanation.iteration,
        "answer": answer(explanation),
        "shape": explanation.shape,
        "input": base64(&explanation.input),
        "input_gradient": base64(&explanation.input_gradient),
        "loss": explanation.loss.name(),
        "loss_value": explanation.loss_value,
        "label": explanation.label,
        "classes": explanation.classes,
        "probabilities": explanation.probabilities,
        "layers": layers.collect::<Vec<_>>(),
        "tensors": tensors.collect::<Vec<_>>(),
    })
}

fn base64(numbers: &[f32]) -> String {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

/// JSON in which nothing ends a script or means something to XML.
fn script_safe(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
pub(crate) mod tests;
