//! Every layer of the list, made from the table of its keys: what is read is what was written, in TOML and in JSON.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::check::Checker;
use super::super::document;
use super::super::format::{Key, Kind, Presence, Range, Section, Variants};
use super::super::record::{Checked, Chosen, Field, Record};
use super::super::write::ToToml;
use crate::layers::LAYERS;
use crate::{AvgPool2dSpec, BatchNormSpec, Conv2dSpec, DataSets, LayerSpec, LinearSpec, MaxPool2dSpec, Size2};

/// Any layer that a config may have; it need not fit its input.
pub(super) fn any_layer() -> impl Strategy<Value = LayerSpec> {
    any_record().prop_map(|(type_name, record)| LayerSpec::read(type_name, &record))
}

fn any_record() -> impl Strategy<Value = (&'static str, Record)> {
    any_of(&LAYERS, 1)
}

/// A table with the keys of one of these; layers inside of others go `depth` deep.
fn any_of(variants: &'static Variants, depth: usize) -> BoxedStrategy<(&'static str, Record)> {
    let is_nested = |key: &Key| matches!(key.kind, Kind::Layers | Kind::LayersOr(_));
    let fits = variants.variants.iter().filter(|it| depth > 0 || !it.keys.iter().any(is_nested));
    let any = prop::sample::select(fits.collect::<Vec<_>>()).prop_flat_map(move |variant| {
        let values: Vec<_> = variant.keys.iter().map(|key| any_value(key, depth)).collect();
        values.prop_map(|values| {
            let field = |(key, value): (&Key, Checked)| Field { key: key.name, span: None, value };
            let fields = variant.keys.iter().zip(values).map(field).collect();
            (variant.name, Record { span: None, fields })
        })
    });
    any.boxed()
}

/// A few layers inside of another.
fn any_layers(depth: usize) -> BoxedStrategy<Checked> {
    let chosen = any_of(&LAYERS, depth - 1).prop_map(|(variant, record)| Chosen { variant, record });
    prop::collection::vec(chosen, 1..4).prop_map(Checked::Layers).boxed()
}

/// A value of the key; whole numbers are small, so that a few layers in a row fit an image.
fn any_value(key: &Key, depth: usize) -> BoxedStrategy<Checked> {
    let value = match key.kind {
        Kind::Integer { least } => (least..least + 4).prop_map(Checked::Integer).boxed(),
        Kind::Size { least } => {
            let side = || least as usize..least as usize + 3;
            (side(), side()).prop_map(|(height, width)| Checked::Size(Size2::new(height, width))).boxed()
        }
        Kind::Number(range) => any_number(range).prop_map(Checked::Number).boxed(),
        Kind::OneOf(numbers) => prop::sample::select(numbers).prop_map(Checked::Integer).boxed(),
        Kind::Choice(words) => {
            prop::sample::select(words).prop_map(|word: &str| Checked::Text(word.to_owned())).boxed()
        }
        Kind::Flag => any::<bool>().prop_map(Checked::Flag).boxed(),
        Kind::Variant(variants) => {
            any_of(variants, 0).prop_map(|(variant, record)| Checked::Variant(Chosen { variant, record })).boxed()
        }
        Kind::Layers => any_layers(depth),
        Kind::LayersOr(words) => {
            let word = prop::sample::select(words).prop_map(|word| Checked::Text(word.to_owned()));
            prop_oneof![word, any_layers(depth)].boxed()
        }
        ref other => panic!("no layer has had a key of the kind {other:?}"),
    };
    match key.presence {
        Presence::Optional(_) => prop_oneof![Just(()).prop_map(|()| Checked::Absent), value].boxed(),
        _ => value,
    }
}

fn any_number(range: Range) -> BoxedStrategy<f64> {
    let finite = proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO;
    let number = match (range.least.is_finite(), range.most.is_finite()) {
        (true, true) => (range.least..=range.most).boxed(),
        (true, false) => finite.prop_map(move |number| range.least + number.abs()).boxed(),
        _ => finite.boxed(),
    };
    number.prop_filter("it is in the range", move |&number| range.contains(number)).boxed()
}

/// The layer of one table of a config, written on one line.
fn read(table: &str) -> LayerSpec {
    static SECTION: Section = Section {
        path: "",
        doc: "",
        kinds: None,
        keys: &[Key { name: "layer", kind: Kind::Variant(&LAYERS), presence: Presence::Table, doc: "" }],
    };
    let data_sets = DataSets::any();
    let mut checker = Checker::new(&data_sets);
    let root =
        document::parse(&format!("layer = {table}"), 0, 0).unwrap_or_else(|error| panic!("{table}: {}", error.message));
    let record = checker.section(&SECTION, &root, None);
    let faults = checker.into_faults();
    assert!(faults.is_empty(), "{table}: {faults:?}");
    let chosen = record.chosen("layer");
    LayerSpec::read(chosen.variant, &chosen.record)
}

fn as_json(checked: &Checked) -> Value {
    match *checked {
        Checked::Absent => Value::Null,
        Checked::Integer(integer) => json!(integer),
        Checked::Number(number) => json!(number),
        Checked::Flag(flag) => json!(flag),
        Checked::Text(ref text) => json!(text),
        Checked::Size(size) => json!(size),
        Checked::Layers(ref layers) => {
            Value::Array(layers.iter().map(|layer| layer_as_json(layer.variant, &layer.record)).collect())
        }
        Checked::Variant(ref chosen) => {
            let mut object = fields_as_json(chosen.variant, &chosen.record);
            // A key that came later is left out where it does nothing.
            object.retain(|key, value| !value.is_null() && (key != "unit_deviation" || *value != json!(false)));
            Value::Object(object)
        }
        ref other => panic!("no layer has had such a value: {other:?}"),
    }
}

fn fields_as_json(type_name: &str, record: &Record) -> serde_json::Map<String, Value> {
    let mut object = serde_json::Map::from_iter([("type".to_owned(), json!(type_name))]);
    object.extend(record.fields.iter().map(|field| (field.key.to_owned(), as_json(&field.value))));
    object
}

fn layer_as_json(type_name: &str, record: &Record) -> Value {
    let mut object = fields_as_json(type_name, record);
    // The one key without which a layer is as it was before there was the key.
    object.retain(|key, value| key != "initialization" || !value.is_null());
    Value::Object(object)
}

proptest! {
    #[test]
    fn toml_and_json_read_back_equal(layer in any_layer()) {
        let toml = layer.entries().toml();
        prop_assert_eq!(read(&toml), layer.clone(), "{}", toml);
        let json = serde_json::to_string(&layer).unwrap();
        prop_assert_eq!(serde_json::from_str::<LayerSpec>(&json).unwrap(), layer, "{}", json);
    }

    /// A layer whose `read` takes one key for another would be the same after it was written and read.
    #[test]
    fn every_key_of_a_config_is_the_field_of_that_name((type_name, record) in any_record()) {
        let expected = layer_as_json(type_name, &record);
        prop_assert_eq!(serde_json::to_value(LayerSpec::read(type_name, &record)).unwrap(), expected);
    }
}

#[test]
fn what_a_config_leaves_out_is_as_new_has_it() {
    assert_eq!(read("{ type = \"conv2d\", out_channels = 4, kernel = 3 }"), LayerSpec::Conv2d(Conv2dSpec::new(4, 3)));
    assert_eq!(read("{ type = \"max_pool2d\", kernel = 2 }"), LayerSpec::MaxPool2d(MaxPool2dSpec::new(2)));
    assert_eq!(read("{ type = \"avg_pool2d\", kernel = 2 }"), LayerSpec::AvgPool2d(AvgPool2dSpec::new(2)));
    assert_eq!(read("{ type = \"linear\", out_features = 4 }"), LayerSpec::Linear(LinearSpec::new(4)));
    assert_eq!(read("\"batch_norm\""), LayerSpec::BatchNorm(BatchNormSpec::default()));
}
