//! What is said of values, keys and networks that are wrong: the message and the way out.

use super::{SPELLED_OUT, changed, read};
use crate::Location;

/// The first line of each error, and its help.
#[track_caller]
fn expect_in_short(text: &str, message: &str, help: &str) {
    let error = read(text, &[]).unwrap_err();
    let found = error.diagnostics().first().unwrap();
    assert_eq!((found.message.as_str(), found.help.as_deref().unwrap_or("")), (message, help));
}

/// [`SPELLED_OUT`] with `to` in place of the layers.
fn with_layers(to: &str) -> String {
    let layers = SPELLED_OUT.find("layers").unwrap()..SPELLED_OUT.find("[optimizer]").unwrap();
    let mut text = SPELLED_OUT.to_owned();
    text.replace_range(layers, to);
    text
}

#[test]
fn a_value_of_each_wrong_type_is_shown_as_what_it_is() {
    for (from, to, message) in [
        ("seed = 7", "seed = true", "`seed` should be an integer of at least 0, got true"),
        ("seed = 7", "seed = {}", "`seed` should be an integer of at least 0, got a table"),
        ("seed = 7", "seed = 1979-05-27", "`seed` should be an integer of at least 0, got a date or time"),
        (
            "dataset = \"mnist\"",
            "dataset = \"mnist\"\naugmentation = 1",
            "`augmentation` should be a table, [data.augmentation], got 1",
        ),
        (
            "dataset = \"mnist\"",
            "dataset = \"mnist\"\naugmentation.horizontal_flip = 1",
            "`horizontal_flip` should be true or false, got 1",
        ),
        (
            "schedule = \"cosine\"",
            "schedule = 1",
            "`schedule` should be a schedule type or a table with a `type`, got 1",
        ),
        (
            "learning_rate = 0.05",
            "learning_rate = 0.05\nkind = 1",
            "`kind` should be one of `momentum`, `sgd`, `adagrad`, `rmsprop`, `adam`, `adamw`, `muon`, got 1",
        ),
        (
            "iterations = 100",
            "iterations = 100\nclass_weights = [1.0, 0.0]",
            "`class_weights` should be \"balanced\" or an array of numbers above 0, one a class, got [1.0, 0.0]",
        ),
        ("\"relu\"", "7", "a layer should be a table with a `type`, got 7"),
        ("\"relu\"", "{ type = \"leaky_relu\", slope = inf }", "`slope` should be a finite number, got inf"),
        ("\"relu\"", "{ type = 7 }", "`type` should be a string, got 7"),
        (
            "input = [1, 28, 28]",
            "input = [28, 28]",
            "`input` should be [channels, height, width] or [features], each at least 1, got [28, 28]",
        ),
    ] {
        expect_in_short(&changed(from, to), message, "");
    }
    expect_in_short(&with_layers("layers = 7\n"), "`layers` should be an array of layers, got 7", "");
}

#[test]
fn a_number_or_a_truth_in_quotes_is_told_to_lose_them() {
    expect_in_short(
        &changed("iterations = 100", "iterations = \"100\""),
        "`iterations` should be an integer of at least 1, got the string \"100\"",
        "without quotes: 100",
    );
    expect_in_short(
        &changed("dataset = \"mnist\"", "dataset = \"mnist\"\naugmentation.horizontal_flip = \"true\""),
        "`horizontal_flip` should be true or false, got the string \"true\"",
        "without quotes: true",
    );
}

#[test]
fn a_key_of_the_top_that_stands_below_a_table_is_sent_there() {
    expect_in_short(
        &changed("iterations = 100", "iterations = 100\nengine = \"manual\""),
        "unknown key `engine` in [training]",
        "`engine` belongs at the top, before the first table",
    );
}

#[test]
fn the_compiled_engine_without_kernels_is_refused_and_the_manual_one_takes_the_key() {
    expect_in_short(
        &changed("seed = 7", "seed = 7\nengine = \"compiled\"\nkernels = \"off\""),
        "engine = \"compiled\" runs only on the kernels, and kernels = \"off\" turns them off",
        "leave out `kernels`; or use `engine = \"manual\"`, the same backward passes on Burn's tensors",
    );
    assert!(read(&changed("seed = 7", "seed = 7\nengine = \"manual\"\nkernels = \"off\""), &[]).is_ok());
}

#[test]
fn a_key_of_one_optimizer_in_another_table_is_sent_to_the_optimizer() {
    expect_in_short(
        &changed("iterations = 100", "iterations = 100\nnesterov = true"),
        "unknown key `nesterov` in [training]",
        "`nesterov` belongs in [optimizer]",
    );
}

#[test]
fn a_key_too_long_to_be_any_has_the_valid_ones_beside_it() {
    let key = "k".repeat(65);
    expect_in_short(
        &changed("[data]", &format!("[data]\n{key} = 1")),
        &format!("unknown key `{key}` in [data]"),
        "valid keys: `dataset`, `training_images`, `validation_images`, `padding`, `normalization`, `order`, `augmentation`, \
         `folder`, `size`, `channels`, `resize`, `background`, `validation_fraction`, `test_fraction`, `skip_unreadable`",
    );
}

#[test]
fn a_network_without_name_and_layers_and_one_without_input_say_what_is_missing() {
    let text = with_layers("freeze = false\n");
    expect_in_short(
        &text,
        "[model] has `input` without `layers`",
        "a network is the `name` of a published one, or both `input` and `layers`",
    );
    expect_in_short(
        &text.replace("input = [1, 28, 28]\n", ""),
        "the network is missing in [model]",
        "add `name = \"mnist-baseline\"` under [model], or an `input` and `layers`",
    );
}

#[test]
fn a_network_that_ends_in_an_image_is_refused_at_its_last_layer() {
    let error =
        read(&changed("    \"flatten\",\n    { type = \"linear\", out_features = 10 },\n", ""), &[]).unwrap_err();
    let found = &error.diagnostics()[0];
    assert!(found.message.contains("image"), "{error}");
    assert!(matches!(&found.location, Location::Line { line: 8, .. }), "{error}");
}

/// The help of the first fault of an override.
fn help_for(given: &str) -> Option<String> {
    read(SPELLED_OUT, &[given]).unwrap_err().diagnostics()[0].help.clone()
}

#[test]
fn a_value_written_otherwise_is_shown_as_toml_writes_it() {
    for (given, help) in [
        ("optimizer.learning_rate=.01", "write it as 0.01"),
        ("optimizer.learning_rate=1.", "write it as 1.0"),
        ("optimizer.learning_rate=\"0.5\"", "without quotes: 0.5"),
        ("optimizer.learning_rate=\".5\"", "without quotes: 0.5"),
        ("seed=007", "write it as 7"),
        ("seed=\"007\"", "without quotes: 7"),
        ("seed='1_000'", "without quotes: 1_000"),
        ("seed=1e3", "write it as 1000"),
        ("seed=99999999999999999999", "the largest is 18446744073709551615"),
        ("model.freeze=True", "write it as true"),
        ("model.freeze=\"false\"", "without quotes: false"),
        ("model.layers.0.kernel='[3, 5]'", "without quotes: [3, 5]"),
        ("model.input='[1, 28, 28]'", "without quotes: [1, 28, 28]"),
    ] {
        assert_eq!(help_for(given).as_deref(), Some(help), "{given}");
    }
    expect_in_short(
        &changed("seed = 7", "name = 42"),
        "`name` should be a name of 1 to 64 letters, digits, `-`, `_` or `.`, got 42",
        "in quotes: \"42\"",
    );
    expect_in_short(
        &changed("[model]", "[model]\ninit_from = 2024"),
        "`init_from` should be a path, got 2024",
        "in quotes: \"2024\"",
    );
}

/// Whatever is typed for whatever key, a replacement that is suggested is taken.
#[test]
fn a_suggested_value_is_one_that_the_key_takes() {
    let texts = [
        "NaN",
        "nan",
        "-nan",
        "inf",
        "Infinity",
        "007",
        "-007",
        "+5",
        "-5",
        ".5",
        "5.",
        "-.5",
        "1e3",
        "1e400",
        "1E-3",
        "0x1F",
        "0X1F",
        "1_000",
        "1__0",
        "TRUE",
        "False",
        "yes",
        "1",
        "0",
        "99999999999999999999",
        "1e30",
        "5 # five",
        "5\nx = 1",
        "[3]",
        "[3, 5]",
        "[.5]",
        "",
        " 7 ",
        "½",
        "1,5",
        "1.5.2",
        "2024-01-01",
        "{}",
        "5 }",
    ];
    let keys = [
        "seed",
        "data.padding",
        "optimizer.learning_rate",
        "optimizer.momentum",
        "training.batch_size",
        "model.freeze",
        "model.layers.0.kernel",
        "model.layers.0.out_channels",
        "model.input",
        "optimizer.schedule",
    ];
    let mut followed = 0;
    for key in keys {
        for text in texts {
            for given in [format!("{key}={text}"), format!("{key}='''{text}'''")] {
                let Err(error) = read(SPELLED_OUT, &[&given]) else { continue };
                let Some(help) = error.diagnostics()[0].help.clone() else { continue };
                let written = ["write it as ", "without quotes: ", "in quotes: ", "the largest is "]
                    .iter()
                    .find_map(|words| help.strip_prefix(words));
                let Some(written) = written else { continue };
                followed += 1;
                // Rules of several keys, and the network, may still refuse it.
                if let Err(error) = read(SPELLED_OUT, &[&format!("{key}={written}")]) {
                    let message = &error.diagnostics()[0].message;
                    assert!(!message.contains("should be"), "{given}: {help}: {message}");
                }
            }
        }
    }
    assert!(followed > 50, "only {followed} suggestions");
}

#[test]
fn what_softens_or_weighs_labels_needs_the_cross_entropy_and_a_weight_a_class() {
    let with = |keys: &str| changed("iterations = 100", &format!("iterations = 100\n{keys}"));
    for (key, value) in [("label_smoothing", "0.1"), ("class_weights", "\"balanced\"")] {
        let message = format!("{key} has no effect with loss = \"mean-squared-error\"");
        let help = "use loss = \"cross-entropy\", or leave it out";
        expect_in_short(&with(&format!("loss = \"mean-squared-error\"\n{key} = {value}")), &message, help);
    }
    let message = "class_weights has 2 weights, and the network has 10 classes";
    expect_in_short(&with("class_weights = [1, 2.5]"), message, "");
    let message = "`label_smoothing` should be a number in [0, 1), got 1";
    expect_in_short(&with("label_smoothing = 1"), message, "");
}
