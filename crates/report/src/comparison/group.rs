//! Runs that differ in nothing but their seed, as one.

use std::collections::BTreeMap;

use backproof_spec::describe_layer;

use crate::contents::Contents;
use crate::settings::flatten;

/// Characters of a value in a name; a list of layers has more.
const VALUE_LENGTH: usize = 28;

/// Runs of one config with different seeds.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Of all groups, only this one is called so.
    pub(super) name: String,
    /// Which of the runs they are.
    pub(super) runs: Vec<usize>,
}

/// The config's keys and values but for name and seed, with the layers as the parameter table describes them.
pub(super) fn settings_of(contents: &Contents) -> BTreeMap<String, String> {
    let mut settings = flatten(&contents.config);
    settings.retain(|key, _| key != "seed" && key != "name");
    if let Some(experiment) = &contents.experiment {
        let layers = experiment.model.all_layers().into_iter().map(describe_layer);
        settings.insert("model.layers".to_owned(), layers.collect::<Vec<_>>().join(" · "));
    }
    settings
}

/// The runs in groups, in the order of their first runs. `settings` are those of each run.
pub(super) fn groups(contents: &[Contents], settings: &[BTreeMap<String, String>]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (run, of_run) in settings.iter().enumerate() {
        match groups.iter_mut().find(|group| settings[group.runs[0]] == *of_run) {
            Some(group) => group.runs.push(run),
            None => groups.push(Group { name: String::new(), runs: vec![run] }),
        }
    }
    let of_groups: Vec<&BTreeMap<String, String>> = groups.iter().map(|group| &settings[group.runs[0]]).collect();
    let experiments: Vec<&str> =
        groups.iter().map(|group| contents[group.runs[0]].record.experiment.as_str()).collect();
    let count = |experiment: &str| experiments.iter().filter(|other| **other == experiment).count();
    let names: Vec<String> = experiments
        .iter()
        .zip(&of_groups)
        .map(|(&experiment, settings)| {
            let differs = differing(settings, &of_groups);
            match count(experiment) {
                1 => experiment.to_owned(),
                // The name says nothing where all have it.
                all if all == groups.len() => differs,
                _ => format!("{experiment}, {differs}"),
            }
        })
        .collect();
    // Long values may begin alike.
    let unique = |(place, name): (usize, &String)| match names[..place].iter().filter(|other| *other == name).count() {
        0 => name.clone(),
        before => format!("{name} ({})", before + 1),
    };
    let names: Vec<String> = names.iter().enumerate().map(unique).collect();
    for (group, name) in groups.iter_mut().zip(names) {
        group.name = name;
    }
    groups
}

/// What of a config differs among all: `learning_rate 0.05, momentum 0.9`.
fn differing(settings: &BTreeMap<String, String>, all: &[&BTreeMap<String, String>]) -> String {
    let differs = settings.iter().filter(|(key, value)| all.iter().any(|other| other.get(*key) != Some(value)));
    let words = differs
        .map(|(key, value)| format!("{} {}", key.rsplit('.').next().unwrap_or(key), shortened(value, VALUE_LENGTH)));
    words.collect::<Vec<_>>().join(", ")
}

/// A text of at most so many characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let begin: String = text.chars().take(most - 1).collect();
    format!("{}…", begin.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_what_differs_and_no_more() {
        let of = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let one = of(&[("optimizer.learning_rate", "0.1"), ("training.iterations", "20")]);
        let other = of(&[("optimizer.learning_rate", "0.2"), ("training.iterations", "20")]);
        assert_eq!(differing(&one, &[&one, &other]), "learning_rate 0.1");
        assert_eq!(differing(&one, &[&one]), "");
        assert_eq!(shortened("0123456789", 6), "01234…");
        assert_eq!(shortened("0123456789", 10), "0123456789");
    }
}
