//! The JSON Schema of a sweep, made from the description that checks configs.

use crate::DataSets;
use crate::config::format::{Key, Kind, Section};
use crate::config::keys::EXPERIMENT;
use crate::config::schema::{Entries, Json, definitions, kind, literal, string};

/// The JSON Schema (draft 2020-12) of a sweep, as [`schema`](crate::schema) is that of a config. Ends in a newline.
///
/// Keys of experiments are known as tables, `[set.optimizer]`, and with dots, `optimizer.learning_rate`; in quotes they
/// may be any.
pub fn sweep_schema(data_sets: &DataSets) -> String {
    let single = |key| single(key, data_sets);
    let list = |key| list(key, data_sets);
    let text = |description| vec![("description", string(description)), ("type", string("string"))];
    let name = |description| {
        let mut entries = vec![("description", string(description))];
        entries.extend(kind(&Kind::Name, data_sets));
        Json::Object(entries)
    };
    let base = "An experiment's config, relative to this file.";
    let seeds = vec![
        ("description", string("Each point is run with each of these.")),
        ("type", string("array")),
        ("items", Json::Object(kind(&Kind::Integer { least: 0 }, data_sets))),
        ("minItems", literal(1)),
    ];
    let mut point = table(&EXPERIMENT, &single);
    if let Some((_, Json::Object(properties))) = point.iter_mut().find(|(key, _)| *key == "properties") {
        properties.insert(0, ("base", Json::Object(text("The experiment that this point starts from."))));
    }
    let points = vec![
        ("description", string("Each of these is run with every combination of the grid, and with every seed.")),
        ("type", string("array")),
        ("items", Json::Object(point)),
        ("minItems", literal(1)),
    ];
    let described = |description, table: Entries| {
        let mut entries = vec![("description", string(description))];
        entries.extend(table);
        Json::Object(entries)
    };
    let properties = vec![
        ("name", name("The name of the sweep; the name of the file when absent.")),
        ("base", Json::Object(text(base))),
        ("seeds", Json::Object(seeds)),
        ("set", described("What holds for every run.", table(&EXPERIMENT, &single))),
        (
            "grid",
            described(
                "Lists of values, or tables with a name for each: every combination is run.",
                table(&EXPERIMENT, &list),
            ),
        ),
        ("points", Json::Object(points)),
    ];
    let root = Json::Object(vec![
        ("$schema", string("https://json-schema.org/draft/2020-12/schema")),
        ("title", string("Backproof sweep")),
        ("type", string("object")),
        ("additionalProperties", literal(false)),
        ("properties", Json::Object(properties)),
        definitions(data_sets),
    ]);
    let mut out = String::new();
    root.write(&mut out, 0);
    out + "\n"
}

/// An object with some of the keys of a section, each as `value` has it, in whatever kind of the section.
fn table(section: &'static Section, value: &dyn Fn(&'static Key) -> Json) -> Entries {
    let of_kinds = section.kinds.iter().flat_map(|kinds| kinds.variants).flat_map(|kind| kind.keys);
    let mut properties: Entries = Vec::new();
    // The seeds stand at the top.
    for key in section.keys.iter().chain(of_kinds).filter(|key| key.name != "seed") {
        if !properties.iter().any(|(name, _)| *name == key.name) {
            let property = match key.kind {
                Kind::Section(below) => Json::Object(table(below, value)),
                _ => value(key),
            };
            properties.push((key.name, property));
        }
    }
    vec![
        ("type", string("object")),
        ("properties", Json::Object(properties)),
        ("patternProperties", Json::Object(vec![("[.]", Json::Object(Vec::new()))])),
        ("additionalProperties", literal(false)),
    ]
}

/// A value of the key.
fn single(key: &'static Key, data_sets: &DataSets) -> Json {
    let mut entries = vec![("description", string(&key.doc(data_sets)))];
    match key.kind {
        // Keys below such a table, `schedule.every = 20`, change it and leave the rest.
        Kind::Variant(_) | Kind::Layers => entries.push(("anyOf", either(Json::Object(kind(&key.kind, data_sets))))),
        _ => entries.extend(kind(&key.kind, data_sets)),
    }
    Json::Object(entries)
}

/// A list of values of the key.
fn list(key: &'static Key, data_sets: &DataSets) -> Json {
    let values: Entries =
        vec![("type", string("array")), ("items", Json::Object(kind(&key.kind, data_sets))), ("minItems", literal(1))];
    let mut entries = vec![("description", string(&key.doc(data_sets)))];
    match key.kind {
        Kind::Variant(_) | Kind::Layers => entries.push(("anyOf", either(Json::Object(values)))),
        _ => {
            let named = vec![
                ("type", string("object")),
                ("additionalProperties", Json::Object(kind(&key.kind, data_sets))),
                ("minProperties", literal(1)),
            ];
            entries.push(("anyOf", Json::Array(vec![Json::Object(values), Json::Object(named)])));
        }
    }
    Json::Object(entries)
}

fn either(value: Json) -> Json {
    let below =
        vec![("type", string("object")), ("not", Json::Object(vec![("required", Json::Array(vec![string("type")]))]))];
    Json::Array(vec![value, Json::Object(below)])
}

#[cfg(test)]
mod tests {
    use super::sweep_schema;
    use crate::DataSets;
    use crate::config::sweep::file::SWEEP_KEYS;

    #[test]
    fn the_schema_has_every_key_of_a_sweep_and_of_an_experiment_in_each_of_its_tables() {
        let schema: serde_json::Value = serde_json::from_str(&sweep_schema(&DataSets::any())).unwrap();
        let keys = |value: &serde_json::Value| {
            let mut keys: Vec<String> = value["properties"].as_object().unwrap().keys().cloned().collect();
            keys.sort();
            keys
        };
        let mut expected = SWEEP_KEYS.map(str::to_owned);
        expected.sort();
        assert_eq!(keys(&schema), expected);
        let of_experiment: Vec<String> = keys(&serde_json::from_str(&crate::schema(&DataSets::any())).unwrap())
            .into_iter()
            .filter(|key| key != "seed")
            .collect();
        let (set, grid) = (&schema["properties"]["set"], &schema["properties"]["grid"]);
        assert_eq!(keys(set), of_experiment);
        assert_eq!(keys(grid), of_experiment);
        let mut with_base = of_experiment;
        with_base.push("base".to_owned());
        with_base.sort();
        assert_eq!(keys(&schema["properties"]["points"]["items"]), with_base);

        let rate = |table: &serde_json::Value| table["properties"]["optimizer"]["properties"]["learning_rate"].clone();
        assert_eq!(rate(set)["type"], "number");
        let values = rate(grid)["anyOf"].clone();
        assert_eq!((&values[0]["type"], &values[0]["items"]["type"]), (&"array".into(), &"number".into()));
        assert_eq!(values[1]["additionalProperties"]["type"], "number");
        // A key of one optimizer alone.
        assert!(keys(&set["properties"]["optimizer"]).contains(&"beta_1".to_owned()));
        assert!(set.get("required").is_none() && set["properties"]["data"].get("required").is_none());
    }
}
