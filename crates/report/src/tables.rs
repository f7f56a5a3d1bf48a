//! What a paper says of a run in tables of LaTeX, and its curves as CSV.

use backproof_spec::thousands;
use backproof_train::TrainingReport;

use crate::classes::{ClassRow, Classes};
use crate::confusion::Confusion;
use crate::contents::Contents;
use crate::curves::nats;
use crate::latex::LatexTable;
use crate::network::network;
use crate::ranking::Ranking;

/// `metrics.csv`, `results.tex`, `classes.tex`, `confusion.tex` and `parameters.tex`: those of which the run has what
/// they are of.
pub(crate) fn files(
    contents: &Contents,
    confusion: Option<&Confusion>,
    ranking: Option<&Ranking>,
    run: &str,
) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    if !contents.reports.is_empty() {
        files.push(("metrics.csv".to_owned(), TrainingReport::csv(&contents.reports)));
    }
    let confusion = confusion.filter(|confusion| confusion.names.len() <= Confusion::MOST_CLASSES);
    let about = |what: &str| format!("{what} of {run}");
    for (name, table) in [
        ("results.tex", results(contents, about("Results"))),
        ("classes.tex", of_classes(contents, ranking, about("Precision, recall and F1 in percent of each class"))),
        ("confusion.tex", confusion.map(|it| matrix(it, about("Confusion matrix")))),
        ("parameters.tex", parameters(contents, about("Layers and trainable parameters"))),
    ] {
        files.extend(table.map(|table| (name.to_owned(), table.file().into_bytes())));
    }
    files
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// The figures of the whole test set.
fn results(contents: &Contents, about: String) -> Option<LatexTable> {
    let result = contents.result.as_ref()?;
    let measures = &result.measures;
    let percent = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |share| format!("{:.2}", 100.0 * share));
    let mut of_run = vec![
        row(["test images", &thousands(result.images)]),
        row(["accuracy (%)", &percent(Some(result.accuracy))]),
        row(["balanced accuracy (%)", &percent(measures.balanced_accuracy)]),
    ];
    if measures.top_5_accuracy.is_some() {
        of_run.push(row(["top-5 accuracy (%)", &percent(measures.top_5_accuracy)]));
    }
    of_run.extend([
        row(["macro precision (%)", &percent(measures.macro_precision)]),
        row(["macro F1 (%)", &percent(measures.macro_f1)]),
        row(["loss", &nats(result.loss)]),
    ]);
    if measures.expected_calibration_error.is_some() {
        of_run.push(row(["expected calibration error (%)", &percent(measures.expected_calibration_error)]));
    }
    let mut of_training = vec![row(["parameters", &thousands(contents.record.trainable_parameters)])];
    if let Some(last) = contents.reports.last() {
        of_training.push(row(["iterations", &thousands(last.iteration)]));
    }
    let head = row(["", &contents.record.experiment]);
    Some(LatexTable { about, columns: "lr".to_owned(), turned: false, head, groups: vec![of_run, of_training] })
}

fn of_classes(contents: &Contents, ranking: Option<&Ranking>, about: String) -> Option<LatexTable> {
    let Classes { rows, mean, has_areas, .. } = Classes::new(contents.result.as_ref()?, ranking);
    let with_areas = |mut cells: Vec<String>, areas: [&str; 2]| {
        if has_areas {
            cells.splice(4..4, areas.map(str::to_owned));
        }
        cells
    };
    let of = |name: &str, class: &ClassRow| {
        let cells = row([name, &class.precision, &class.recall, &class.f1, &thousands(class.support)]);
        with_areas(cells, [&class.auc, &class.average_precision])
    };
    Some(LatexTable {
        about,
        columns: if has_areas { "lrrrrrr" } else { "lrrrr" }.to_owned(),
        turned: false,
        head: with_areas(row(["class", "precision", "recall", "F1", "images"]), ["AUC", "AP"]),
        groups: vec![rows.iter().map(|class| of(&class.name, class)).collect(), vec![of("macro mean", &mean)]],
    })
}

/// Counts: rows are true classes.
fn matrix(confusion: &Confusion, about: String) -> LatexTable {
    let names = &confusion.names;
    let of_class = |(name, counts): (&String, &Vec<usize>)| {
        std::iter::once(name.clone()).chain(counts.iter().map(ToString::to_string)).collect()
    };
    LatexTable {
        about: about + ": rows true, columns predicted",
        columns: format!("l{}", "r".repeat(names.len())),
        turned: !confusion.upright(),
        head: std::iter::once(String::new()).chain(names.iter().cloned()).collect(),
        groups: vec![names.iter().zip(&confusion.counts).map(of_class).collect()],
    }
}

fn parameters(contents: &Contents, about: String) -> Option<LatexTable> {
    let network = network(&contents.experiment.as_ref()?.model, None)?;
    let count = |number: usize| if number == 0 { "–".to_owned() } else { thousands(number) };
    let layers = network.layers.iter();
    let layers = layers.map(|it| row([&it.name, &it.kind, &it.output, &count(it.weights + it.biases)]));
    Some(LatexTable {
        about,
        columns: "lllr".to_owned(),
        turned: false,
        head: row(["layer", "type", "output", "parameters"]),
        groups: vec![
            std::iter::once(row(["input", "", &network.input, "–"])).chain(layers).collect(),
            vec![row(["total", "", "", &count(network.weights + network.biases)])],
        ],
    })
}
