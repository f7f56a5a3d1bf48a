//! A config as a flat list of keys and values, and where two of them differ.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// Every key of `config` by its dotted path, with its value as TOML; nothing if it is no TOML.
pub(crate) fn flatten(config: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    if let Ok(table) = config.parse::<Table>() {
        collect("", &table, &mut settings);
    }
    settings
}

fn collect(prefix: &str, table: &Table, into: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(table) => collect(&path, table, into),
            Value::String(text) => {
                into.insert(path, text.clone());
            }
            value => {
                into.insert(path, value.to_string());
            }
        }
    }
}

/// The keys whose values differ between `configs`, with the value in each; `–` where a config lacks the key.
pub(crate) fn differences(configs: &[BTreeMap<String, String>]) -> Vec<(String, Vec<String>)> {
    let keys: std::collections::BTreeSet<&String> = configs.iter().flat_map(BTreeMap::keys).collect();
    keys.into_iter()
        .map(|key| {
            let value = |config: &BTreeMap<String, String>| config.get(key).cloned().unwrap_or_else(|| "–".to_owned());
            (key.clone(), configs.iter().map(value).collect::<Vec<_>>())
        })
        .filter(|(_, values)| values.windows(2).any(|pair| pair[0] != pair[1]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_listed_with_the_value_of_each() {
        let one = flatten("seed = 1\n[optimizer]\nlearning_rate = 0.05\nschedule = { type = \"cosine\" }\n");
        let other = flatten("seed = 1\n[optimizer]\nlearning_rate = 0.02\n");
        let expected = [
            ("optimizer.learning_rate".to_owned(), vec!["0.05".to_owned(), "0.02".to_owned()]),
            ("optimizer.schedule.type".to_owned(), vec!["cosine".to_owned(), "–".to_owned()]),
        ];
        assert_eq!(differences(&[one.clone(), other]), expected);
        assert_eq!(differences(&[one.clone(), one]), []);
    }

    #[test]
    fn what_is_no_toml_has_no_settings() {
        assert!(flatten("[model").is_empty());
    }
}
