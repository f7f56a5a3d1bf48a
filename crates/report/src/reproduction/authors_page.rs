//! The section on networks that the sources published with their weights.

use backproof_data::is_published;

use super::authors::{AuthorsFigures, AuthorsResult, ClassFigures, accuracy_of};
use super::measure::{Measure, signed};
use super::published::Published;
use super::schema::{AuthorsEvaluation, AuthorsNetwork};
use super::words::{NOTHING, cell, row};
use crate::{markdown_code, markdown_text};

/// The section; a word of how to make it, where there are no results.
pub(super) fn section(published: &Published, results: &[AuthorsResult]) -> String {
    let Some(authors) = &published.file.authors else { return String::new() };
    let source = cell(&authors.source);
    let mut text = "\n## The author's own networks\n".to_owned();
    if results.is_empty() {
        return text
            + &format!(
                "\n{source} published trained networks. Their files were not at hand when this page was made: `cargo \
                 xtask reproduction --authors FOLDER` evaluates them.\n"
            );
    }
    text += &format!(
        "\n{source} published trained networks. They are evaluated here on all test images; p is a pixel, from 0 \
             to 255.\n\n| file | test images | images prepared as | reported | ours | \
             difference |\n| --- | --- | --- | ---: | ---: | ---: |\n"
    );
    for (network, result) in pairs(published, results) {
        for (asked, found) in network.evaluations.iter().zip(&result.evaluations) {
            text += &accuracy(network, asked, found);
        }
    }
    text += &other_data(published, results);
    if !authors.findings.is_empty() {
        text.push('\n');
    }
    for finding in &authors.findings {
        text += &format!("- {}\n", cell(finding));
    }
    for (network, result) in pairs(published, results) {
        for (asked, found) in network.evaluations.iter().zip(&result.evaluations) {
            text += &table(network, asked, found);
        }
    }
    text += "\n| file | SHA-256 |\n| --- | --- |\n";
    for result in results {
        text += &row(&[markdown_code(&result.file), markdown_code(&result.sha256)]);
    }
    text
}

/// A sentence for each network that was evaluated on other files than everybody has.
fn other_data(published: &Published, results: &[AuthorsResult]) -> String {
    let sentence = |(network, result): (&AuthorsNetwork, &AuthorsResult)| {
        let name = published.configs[&network.config].data.images.name();
        let is_other = !is_published(name, &result.data_checksums);
        let file = markdown_code(&network.file);
        is_other
            .then(|| format!("\n**{file} was evaluated on other files of {name} than those that were published.**\n"))
    };
    pairs(published, results).filter_map(sentence).collect()
}

/// The networks of the results that were evaluated.
fn pairs<'a>(
    published: &'a Published,
    results: &'a [AuthorsResult],
) -> impl Iterator<Item = (&'a AuthorsNetwork, &'a AuthorsResult)> {
    let networks = published.file.networks();
    networks.filter_map(|network| Some((network, results.iter().find(|result| result.file == network.file)?)))
}

fn accuracy(network: &AuthorsNetwork, asked: &AuthorsEvaluation, found: &AuthorsFigures) -> String {
    let number = asked.reported.as_ref().and_then(|words| Measure::Test.parse(words).ok().flatten());
    let nothing = || NOTHING.to_owned();
    row(&[
        markdown_code(&network.file),
        format!("{} of {}", backproof_spec::thousands(found.images), cell(&network.what)),
        cell(&asked.prepared),
        asked.reported.as_ref().map_or_else(nothing, |words| cell(words)),
        Measure::Test.show(found.accuracy, None),
        number.map_or_else(nothing, |number| Measure::Test.difference(found.accuracy, number.value)),
    ])
}

/// Precision and recall of each class, with the printed ones where they are at hand.
fn table(network: &AuthorsNetwork, asked: &AuthorsEvaluation, found: &AuthorsFigures) -> String {
    let Some(name) = &asked.table else { return String::new() };
    let (what, prepared) = (cell(&network.what), cell(&asked.prepared));
    let mut text = format!("\n### {}: {what}, {prepared}\n\n", cell(name));
    let printed = [&asked.precision, &asked.recall].map(|column| (!column.is_empty()).then_some(column));
    let ours: [fn(&ClassFigures) -> Option<f64>; 2] = [|class| class.precision, |class| class.recall];
    let names = ["precision", "recall"];
    let mut head = vec!["class".to_owned()];
    for (name, printed) in names.iter().zip(printed) {
        head.push((*name).to_owned());
        head.extend(printed.map(|_| format!("printed {name}")));
    }
    text += &row(&head);
    text += &row(&[vec!["---".to_owned()], vec!["---:".to_owned(); head.len() - 1]].concat());
    for (label, class) in found.classes.iter().enumerate() {
        let mut cells = vec![markdown_text(&class.class)];
        for (ours, printed) in ours.iter().zip(printed) {
            cells.push(four(ours(class)));
            cells.extend(printed.map(|column| four(column.get(label).copied())));
        }
        text += &row(&cells);
    }
    let gaps = ours.iter().zip(printed).flat_map(|(ours, printed)| {
        let of_class = move |(class, printed): (&ClassFigures, &f64)| Some((ours(class)? - printed).abs());
        printed.into_iter().flat_map(move |column| found.classes.iter().zip(column).filter_map(of_class))
    });
    if let Some(largest) = gaps.reduce(f64::max) {
        text += &format!(
            "\nThe largest difference between ours and what is printed is {}.\n",
            signed(largest, 4).trim_start_matches('+')
        );
    }
    let support: Vec<usize> = found.classes.iter().map(|class| class.support).collect();
    if asked.recall.len() == support.len()
        && let Some(accuracy) = accuracy_of(&asked.recall.iter().copied().map(Some).collect::<Vec<_>>(), &support)
    {
        text += &format!("The printed recalls give an accuracy of {}.\n", Measure::Test.show(accuracy, None));
    }
    text
}

fn four(share: Option<f64>) -> String {
    share.map_or_else(|| NOTHING.to_owned(), |share| format!("{share:.4}"))
}
