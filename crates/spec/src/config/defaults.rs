//! The commented list of every key with its default.

use super::format::{Key, Kind, Presence, Section, Variants};
use super::keys::EXPERIMENT;
use crate::DataSets;
use crate::layers::LAYERS;

/// A config with every key, its meaning and its default, as commented TOML. It is itself a valid config.
///
/// Keys that a config must have are there with an example; keys whose absence means something are commented out.
pub fn defaults(data_sets: &DataSets) -> String {
    let mut out = String::from(
        "# Every key of a config, with its default. A required key has no default, and its value here is an example.\n\
         # A key that is commented out is optional. Its comment says what it means to leave it out.\n\n",
    );
    section(&mut out, &EXPERIMENT, data_sets);
    out
}

fn section(out: &mut String, section: &'static Section, data_sets: &DataSets) {
    let (tables, values): (Vec<&Key>, Vec<&Key>) =
        section.keys.iter().partition(|key| matches!(key.kind, Kind::Section(_) | Kind::Sections(_)));
    for key in values {
        value(out, section, key, data_sets);
        if key.name == "kind" {
            kinds(out, section, data_sets);
        }
    }
    for key in tables {
        let (below, header) = match key.kind {
            Kind::Section(below) => (below, format!("[{}]\n", below.path)),
            Kind::Sections(below) => (below, format!("[[{}]]\n", below.path)),
            _ => continue,
        };
        let mut text = header;
        self::section(&mut text, below, data_sets);
        if matches!(key.presence, Presence::Optional(_)) {
            text = text.lines().map(|line| format!("# {line}\n")).collect();
        }
        *out += &format!("\n# {}\n{text}", below.doc);
    }
}

fn value(out: &mut String, section: &Section, key: &Key, data_sets: &DataSets) {
    let (mark, required, literal) = match key.presence {
        Presence::Required(example) | Presence::Either(_, example) => ("", " Required.", example),
        Presence::Default(default) => ("", "", default),
        // A published name makes the model of this config complete.
        Presence::Optional(example) if section.path == "model" && key.name == "name" => ("", "", example),
        Presence::Optional(example) => ("# ", "", example),
        Presence::Table => return,
    };
    *out += &format!("# {}{required}\n{mark}{} = {literal}\n", key.doc(data_sets), key.name);
    match key.kind {
        Kind::Variant(variants) => types(out, variants),
        Kind::Layers => types(out, &LAYERS),
        _ => {}
    }
}

/// The keys of the default kind, and each other kind with its keys, as comments.
fn kinds(out: &mut String, section: &'static Section, data_sets: &DataSets) {
    let (Some(kinds), Some(default)) = (section.kinds, section.default_kind()) else { return };
    for kind in kinds.variants.iter().filter(|kind| kind.name != default.name) {
        *out += &format!("#   kind = \"{}\"    {}\n", kind.name, kind.doc);
        for key in kind.keys {
            if let Presence::Required(it) | Presence::Either(_, it) | Presence::Default(it) = key.presence {
                *out += &format!("#       {} = {it}    {}\n", key.name, key.doc);
            }
        }
    }
    *out += &format!("# {}: {}\n", default.name, default.doc);
    for key in default.keys {
        value(out, section, key, data_sets);
    }
}

/// Each type with its keys, as comments.
fn types(out: &mut String, variants: &Variants) {
    for variant in variants.variants {
        *out += &format!("#   {{ type = \"{}\"", variant.name);
        for key in variant.keys {
            match key.presence {
                Presence::Required(it) | Presence::Either(_, it) | Presence::Default(it) => {
                    *out += &format!(", {} = {it}", key.name);
                }
                Presence::Optional(_) | Presence::Table => {}
            }
        }
        *out += &format!(" }}    {}\n", variant.doc);
        for key in variant.keys {
            if matches!(key.presence, Presence::Optional(_)) {
                *out += &format!("#       {}: {}\n", key.name, key.doc);
            }
        }
    }
}
