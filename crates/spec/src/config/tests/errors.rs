//! The exact text of errors. The file has more than 400 lines because the texts, which are its content, are long.

use super::{SPELLED_OUT, changed, read};
use crate::Location;
use crate::data_set::four;

#[track_caller]
fn expect(text: &str, expected: &str) {
    let error = read(text, &[]).unwrap_err().to_string();
    assert_eq!(error, expected, "\n{error}");
}

#[test]
fn a_misspelt_key_of_a_layer() {
    expect(
        &changed("kernel", "kernal"),
        "\
unknown key `kernal` in a `conv2d` layer
  --> configs/a.toml:7:43
   |
 7 |     { type = \"conv2d\", out_channels = 16, kernal = 5, padding = 2 },
   |                                           ^^^^^^
help: did you mean `kernel`?",
    );
}

#[test]
fn a_misspelt_layer() {
    expect(
        &changed("conv2d", "con2d"),
        "\
unknown layer type `con2d`
  --> configs/a.toml:7:14
   |
 7 |     { type = \"con2d\", out_channels = 16, kernel = 5, padding = 2 },
   |              ^^^^^^^
help: did you mean `conv2d`?",
    );
}

#[test]
fn a_layer_of_the_wrong_type_of_value() {
    expect(
        &changed("kernel = 5", "kernel = \"5\""),
        "\
`kernel` should be an integer of at least 1, or two of them, [height, width], got the string \"5\"
  --> configs/a.toml:7:52
   |
 7 |     { type = \"conv2d\", out_channels = 16, kernel = \"5\", padding = 2 },
   |                                                    ^^^
help: without quotes: 5",
    );
}

#[test]
fn a_layer_in_a_table_of_its_own() {
    let layers = "\
[data]
dataset = \"mnist\"
[optimizer]
learning_rate = 0.1
[training]
iterations = 10
[model]
input = [1, 28, 28]
[[model.layers]]
type = \"conv2d\"
out_channels = 8
kernel = [3, true]
[[model.layers]]
type = \"flaten\"
";
    expect(
        layers,
        "\
`kernel` should be an integer of at least 1, or two of them, [height, width], got an array
   --> configs/a.toml:12:10
    |
 12 | kernel = [3, true]
    |          ^^^^^^^^^

error: unknown layer type `flaten`
   --> configs/a.toml:14:8
    |
 14 | type = \"flaten\"
    |        ^^^^^^^^
help: did you mean `flatten`?",
    );
}

#[test]
fn a_key_that_a_type_does_not_have() {
    expect(
        &changed("\"cosine\"", "{ type = \"constant\", final_fraction = 0.1 }"),
        "\
unknown key `final_fraction` in a `constant` schedule
   --> configs/a.toml:14:33
    |
 14 | schedule = { type = \"constant\", final_fraction = 0.1 }
    |                                 ^^^^^^^^^^^^^^
help: `constant` has no keys but its type",
    );
}

#[test]
fn a_key_of_another_optimizer() {
    expect(
        &changed("schedule = \"cosine\"", "kind = \"adam\"\nmomentum = 0.9"),
        "\
`momentum` is not a key of the optimizer `adam`
   --> configs/a.toml:15:1
    |
 15 | momentum = 0.9
    | ^^^^^^^^
help: it is one of `momentum`, `sgd`, `rmsprop`; \
`adam` has `beta_1`, `beta_2`, `epsilon`, `amsgrad`, `weight_decay`",
    );
    expect(
        &changed("schedule = \"cosine\"", "beta_2 = 0.9"),
        "\
`beta_2` is not a key of the optimizer `momentum`
   --> configs/a.toml:14:1
    |
 14 | beta_2 = 0.9
    | ^^^^^^
help: it is one of `adam`, `adamw`; `momentum` has `momentum`, `weight_decay`",
    );
}

#[test]
fn a_misspelt_key_of_an_optimizer() {
    expect(
        &changed("schedule = \"cosine\"", "kind = \"adam\"\nbeta1 = 0.9"),
        "\
unknown key `beta1` in [optimizer]
   --> configs/a.toml:15:1
    |
 15 | beta1 = 0.9
    | ^^^^^
help: did you mean `beta_1`?",
    );
}

#[test]
fn a_linear_layer_on_an_image() {
    expect(
        &changed("    \"flatten\",\n", ""),
        "\
linear1 (layer 3 of 3): expected a vector, got an image 16×28×28
  --> configs/a.toml:9:5
   |
 9 |     { type = \"linear\", out_features = 10 },
   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: put a `flatten` before it",
    );
}

#[test]
fn a_misspelt_table_and_not_what_it_would_have_had() {
    expect(
        &changed("[training]", "[trainin]"),
        "\
unknown key `trainin`
   --> configs/a.toml:15:2
    |
 15 | [trainin]
    |  ^^^^^^^
help: did you mean `training`?",
    );
}

#[test]
fn a_key_in_the_wrong_table() {
    expect(
        &changed("[training]\n", ""),
        "\
unknown key `iterations` in [optimizer]
   --> configs/a.toml:15:1
    |
 15 | iterations = 100
    | ^^^^^^^^^^
help: `iterations` belongs in [training]",
    );
}

#[test]
fn an_unknown_key_that_is_near_to_none() {
    expect(
        &changed("[training]", "[training]\nepochs = 3"),
        "\
unknown key `epochs` in [training]
   --> configs/a.toml:16:1
    |
 16 | epochs = 3
    | ^^^^^^
help: valid keys: `loss`, `iterations`, `batch_size`, `report_every`, `validate_every`, `checkpoint_every`",
    );
}

#[test]
fn an_abbreviation() {
    expect(
        &changed("learning_rate", "lr"),
        "\
unknown key `lr` in [optimizer]
   --> configs/a.toml:13:1
    |
 13 | lr = 0.05
    | ^^
help: did you mean `learning_rate`?",
    );
}

#[test]
fn a_missing_key_is_said_at_its_table() {
    expect(
        &changed("iterations = 100\n", ""),
        "\
missing key `iterations` in [training]
   --> configs/a.toml:15:1
    |
 15 | [training]
    | ^^^^^^^^^^
help: add `iterations = 2000`, for example",
    );
}

#[test]
fn a_missing_table_is_said_of_the_file() {
    expect(
        &changed("[training]\niterations = 100\n", ""),
        "\
missing key `iterations` in [training]
  --> configs/a.toml
help: add a table [training] with `iterations = 2000`",
    );
}

#[test]
fn a_data_set_that_is_near_to_none() {
    expect(
        &changed("\"mnist\"", "\"imagenet\""),
        "\
unknown value `imagenet` for `dataset`
  --> configs/a.toml:3:11
   |
 3 | dataset = \"imagenet\"
   |           ^^^^^^^^^^
help: valid values: `mnist-sample`, `mnist`, `fashion-mnist`, `cifar-10`",
    );
}

#[test]
fn a_network_for_other_images() {
    expect(
        &changed("\"mnist\"", "\"cifar-10\""),
        "\
`custom` takes images of 1×28×28, and cifar-10 has 3×32×32
  --> configs/a.toml:5:9
   |
 5 | input = [1, 28, 28]
   |         ^^^^^^^^^^^
help: networks for cifar-10: `cifar-baseline`, `willis-improved`, `bai-improved`, `timurtas-improved`, \
`timurtas-64-32-16`, `timurtas-32-16-8`, `petre-mlp`, `petre-cnn`; data sets for 1×28×28: `mnist-sample`, `mnist`, `fashion-mnist`",
    );
}

#[test]
fn images_that_only_need_padding() {
    expect(
        &changed("input = [1, 28, 28]", "input = [1, 32, 32]"),
        "\
`custom` takes images of 1×32×32, and mnist has 1×28×28
  --> configs/a.toml:5:9
   |
 5 | input = [1, 32, 32]
   |         ^^^^^^^^^^^
help: `padding = 2` under [data] makes the images of mnist 1×32×32",
    );
}

#[test]
fn a_network_with_another_number_of_classes() {
    expect(
        &changed("out_features = 10", "out_features = 9"),
        "\
`custom` ends in 9 scores, and mnist has 10 classes
   --> configs/a.toml:10:5
    |
 10 |     { type = \"linear\", out_features = 9 },
    |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: end it with a `linear` layer of 10 features",
    );
}

#[test]
fn text_that_is_not_toml() {
    expect(
        &changed("input = [1, 28, 28]", "input = [1, 28, 28"),
        "\
missing comma between array elements, expected `,`
  --> configs/a.toml:6:1
   |
 6 | layers = [
   | ^",
    );
}

#[test]
fn several_faults_come_in_the_order_of_the_file() {
    let text = changed("seed = 7", "sed = 7").replace("100", "0").replace("0.05", "nan");
    expect(
        &text,
        "\
unknown key `sed`
  --> configs/a.toml:1:1
   |
 1 | sed = 7
   | ^^^
help: did you mean `seed`?

error: `learning_rate` should be a number above 0, got NaN
   --> configs/a.toml:13:17
    |
 13 | learning_rate = nan
    |                 ^^^

error: `iterations` should be an integer of at least 1, got 0
   --> configs/a.toml:16:14
    |
 16 | iterations = 0
    |              ^",
    );
}

/// Each value is refused at its own line, by a message that begins so.
#[test]
fn impossible_values_are_refused_at_their_line() {
    let cases = [
        ("learning_rate = 0.05", "learning_rate = -1", "`learning_rate` should be a number above 0, got -1"),
        ("learning_rate = 0.05", "learning_rate = inf", "`learning_rate` should be a number above 0, got inf"),
        ("schedule = \"cosine\"", "momentum = 1.0", "`momentum` should be a number in [0, 1), got 1.0"),
        ("schedule = \"cosine\"", "momentum = -0.1", "`momentum` should be a number in [0, 1), got -0.1"),
        ("schedule = \"cosine\"", "weight_decay = -1e-3", "`weight_decay` should be a number of at least 0"),
        ("schedule = \"cosine\"", "warmup = 101", "warmup = 101 is more than the 100 iterations of the run"),
        ("schedule = \"cosine\"", "schedule = \"cosin\"", "unknown schedule type `cosin`"),
        ("schedule = \"cosine\"", "kind = \"adem\"", "unknown value `adem` for `kind`"),
        ("schedule = \"cosine\"", "kind = \"adem\"\nbeta_1 = 0.9", "unknown value `adem` for `kind`"),
        ("schedule = \"cosine\"", "kind = \"sgd\"\nnesterov = true", "nesterov = true needs a momentum above 0"),
        ("schedule = \"cosine\"", "kind = \"adam\"\nepsilon = 0", "`epsilon` should be a number above 0, got 0"),
        ("schedule = \"cosine\"", "schedule = { type = \"step\", every = 0, factor = 0.5 }", "`every` should be"),
        ("iterations = 100", "iterations = 1.5", "`iterations` should be an integer of at least 1, got 1.5"),
        ("iterations = 100", "iterations = 100\nbatch_size = 0", "`batch_size` should be an integer of at least 1"),
        ("iterations = 100", "iterations = 100\nbatch_size = 60_000", "batch_size = 60000 is more than the 59500"),
        ("iterations = 100", "iterations = 100\n[expect]\ntest_accuracy = 95", "`test_accuracy` should be a number"),
        ("[model]", "validation_images = 60_000\n[model]", "validation_images = 60000 leaves nothing to train on"),
        ("[model]", "training_images = 59_501\n[model]", "training_images = 59501 is more than the 59500"),
        ("[model]", "augmentation = { crop_padding = 29 }\n[model]", "crop_padding = 29 is more than the 28×28"),
        ("[model]", "padding = 29\n[model]", "padding = 29 is more than the 28×28"),
        ("[model]", "normalization = 3\n[model]", "`normalization` should be one of `standardize`"),
        ("[1, 28, 28]", "[1, 0, 28]", "`input` should be [channels, height, width] or [features], each at least 1"),
        ("[1, 28, 28]", "[28, 28]", "`input` should be [channels, height, width] or [features], each at least 1"),
        ("kernel = 5", "kernel = 0", "`kernel` should be an integer of at least 1"),
        ("kernel = 5", "kernel = [9_223_372_036_854_775_807, 3]", "conv1 (layer 1 of 4): a window of 9223372036"),
        ("kernel = 5", "kernel = 5, stride = [1]", "`stride` should be an integer of at least 1, or two of them"),
        ("16", "9_223_372_036_854_775_807", "conv1 (layer 1 of 4): its kernels would have more than 2147483647"),
        ("iterations = 100", "iterations = 100\nloss = \"mse\"", "unknown value `mse` for `loss`"),
        ("[model]", "[model]\nfreeze = true", "freeze = true says nothing without `init_from`"),
        ("[model]", "[model]\ninit_from = \"\"", "`init_from` should be a path, got the string"),
        ("seed = 7", "seed = -1", "`seed` should be an integer of at least 0, got -1"),
        ("seed = 7", "seed = 2024-01-01", "`seed` should be an integer of at least 0, got a date or time"),
        ("seed = 7", "name = \"../up\"", "`name` should be a name of 1 to 64 letters"),
        ("seed = 7", "engine = \"auto\"", "unknown value `auto` for `engine`"),
    ];
    for (from, to, expected) in cases {
        let error = read(&changed(from, to), &[]).unwrap_err();
        let [diagnostic] = error.diagnostics() else {
            panic!("{to}: one fault expected, got\n{error}");
        };
        assert!(diagnostic.message.starts_with(expected), "{to}: {error}");
        let Location::Line { line, .. } = diagnostic.location else {
            panic!("{to}: {error}");
        };
        let line_of_change = SPELLED_OUT[..SPELLED_OUT.find(from).unwrap()].lines().count();
        assert!((1..=line_of_change + 3).contains(&line), "{to}: {error}");
    }
}

#[test]
fn a_network_must_be_named_or_spelled_out() {
    let nothing = changed("input = [1, 28, 28]", "").replace("layers", "layer");
    let error = read(&nothing, &[]).unwrap_err().to_string();
    assert!(error.starts_with("unknown key `layer` in [model]"), "{error}");
    let half = read(&changed("input = [1, 28, 28]\n", ""), &[]).unwrap_err().to_string();
    assert!(half.starts_with("[model] has `layers` without `input`"), "{half}");
    let both = read(&changed("[model]", "[model]\nname = \"mnist-baseline\""), &[]).unwrap_err();
    let expected = "the layers are not those of the published network `mnist-baseline`";
    assert!(both.to_string().starts_with(expected), "{both}");
}

#[test]
fn a_file_that_is_not_there_suggests_its_neighbour() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/cifar-basline.toml");
    let error = crate::Experiment::load(&path, &[], &four()).unwrap_err().to_string();
    assert!(error.starts_with("the config cannot be read: "), "{error}");
    assert!(error.contains("help: did you mean") && error.ends_with("cifar-baseline.toml`?"), "{error}");
}

#[test]
fn nesting_without_end_is_an_error() {
    for text in ["a.".repeat(100_000) + "a = 1", "a = ".to_owned() + &"[".repeat(100_000)] {
        assert!(read(&text, &[]).is_err());
    }
    assert!(read(SPELLED_OUT, &[&("a.".repeat(100_000) + "a=1")]).is_err());
}
