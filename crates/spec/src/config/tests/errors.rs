//! The exact text of errors, but for those of networks.

use super::{SPELLED_OUT, changed, expect, read};
use crate::Location;
use crate::data_set::four;

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
help: it is one of `momentum`, `sgd`, `rmsprop`, `muon`; \
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
help: it is one of `adam`, `adamw`; `momentum` has `momentum`, `update`, `weight_decay`",
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
        &changed("[training]", "[training]\nrounds = 3"),
        "\
unknown key `rounds` in [training]
   --> configs/a.toml:16:1
    |
 16 | rounds = 3
    | ^^^^^^
help: valid keys: `loss`, `label_smoothing`, `class_weights`, `iterations`, `epochs`, `batch_size`, `report_every`, \
`validate_every`, `checkpoint_every`, `layers_every`, `keep`, `averages`, `early_stopping`, `weight_average`",
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
missing key `iterations` or `epochs` in [training]
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
missing key `iterations` or `epochs` in [training]
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
        (
            "iterations = 100",
            "iterations = 100\nearly_stopping = { patience = 0 }",
            "`patience` should be an integer of at least 1",
        ),
        (
            "iterations = 100",
            "iterations = 100\nearly_stopping = { wait = 3 }",
            "unknown key `wait` in [training.early_stopping]",
        ),
        (
            "iterations = 100",
            "iterations = 100\nearly_stopping = { restore_best = 1 }",
            "`restore_best` should be true or false, got 1",
        ),
        ("iterations = 100", "iterations = 100\naverages = \"moved\"", "unknown value `moved` for `averages`"),
        ("schedule = \"cosine\"", "update = \"first\"", "unknown value `first` for `update`"),
        (
            "schedule = \"cosine\"",
            "kind = \"adam\"\nupdate = \"before-momentum\"",
            "`update` is not a key of the optimizer `adam`",
        ),
        ("\"relu\"", "{ type = \"relu\", gradient_at_zero = 2 }", "`gradient_at_zero` should be 0 or 1, got 2"),
        ("\"relu\"", "{ type = \"relu\", gradient_at_zero = true }", "`gradient_at_zero` should be 0 or 1, got true"),
        ("[optimizer]", "batch_norm = { momentum = 2 }\n[optimizer]", "`momentum` should be a number in (0, 1], got 2"),
        (
            "[optimizer]",
            "relu_gradient_at_zero = 1\n[optimizer]",
            "`relu_gradient_at_zero` goes with the `name` of a published network alone, and there are `layers`",
        ),
        (
            "[optimizer]",
            "batch_norm = {}\n[optimizer]",
            "`batch_norm` goes with the `name` of a published network alone, and there are `layers`",
        ),
        ("schedule = \"cosine\"", "schedule = \"one-cycle\"\nwarmup = 5", "`warmup` has no place before"),
        (
            "schedule = \"cosine\"",
            "schedule = { type = \"one-cycle\", rise = 2 }",
            "`rise` should be a number in [0, 1], got 2",
        ),
        ("schedule = \"cosine\"", "schedule = \"triangle\"", "unknown schedule type `triangle`"),
        ("iterations = 100", "iterations = 1.5", "`iterations` should be an integer of at least 1, got 1.5"),
        ("iterations = 100", "epochs = 0", "`epochs` should be an integer of at least 1"),
        ("iterations = 100", "iterations = 100\nepochs = 2", "there are both `iterations` and `epochs` in [training]"),
        ("iterations = 100", "iterations = 100\nbatch_size = 0", "`batch_size` should be an integer of at least 1"),
        ("iterations = 100", "iterations = 100\nbatch_size = 60_000", "batch_size = 60000 is more than the 59500"),
        ("iterations = 100", "iterations = 100\n[expect]\ntest_accuracy = 95", "`test_accuracy` should be a number"),
        ("[model]", "validation_images = 60_000\n[model]", "validation_images = 60000 leaves nothing to train on"),
        ("[model]", "training_images = 59_501\n[model]", "training_images = 59501 is more than the 59500"),
        ("[model]", "augmentation = { crop_padding = 29 }\n[model]", "crop_padding = 29 is more than the 28×28"),
        ("[model]", "padding = 29\n[model]", "padding = 29 is more than the 28×28"),
        (
            "[model]",
            "augmentation = { horizontal_flip = true, alternating_flip = true }\n[model]",
            "`horizontal_flip` and `alternating_flip` both mirror images",
        ),
        (
            "[model]",
            "order = \"random\"\naugmentation = { alternating_flip = true }\n[model]",
            "`alternating_flip` goes by epochs, and `order = \"random\"` has none",
        ),
        ("[model]", "augmentation = { crop_border = \"mirror\" }\n[model]", "unknown value `mirror` for `crop_border`"),
        ("[model]", "augmentation = { crop_border = \"reflect\" }\n[model]", "`crop_border` has no effect"),
        (
            "[model]",
            "augmentation = { crop_border = \"reflect\", crop_padding = 28 }\n[model]",
            "crop_padding = 28 is too much for 28×28 pixels that are mirrored once",
        ),
        ("[model]", "augmentation = { cutout = 57 }\n[model]", "cutout = 57 covers 28×28 pixels wherever it is"),
        ("[model]", "augmentation = { contrast = 1.5 }\n[model]", "`contrast` should be a number in [0, 1], got 1.5"),
        (
            "[model]",
            "augmentation = { mixup = 0.2, cutmix = 1 }\n[model]",
            "`mixup` and `cutmix` both mix the images of a batch",
        ),
        ("[model]", "augmentation = { mixup = -1 }\n[model]", "`mixup` should be a number of at least 0, got -1"),
        ("[optimizer]", "initialization = \"xavier\"\n[optimizer]", "unknown initialization type `xavier`"),
        (
            "[optimizer]",
            "initialization = { type = \"he-normal\", gain = 0 }\n[optimizer]",
            "`gain` should be a number above 0, got 0",
        ),
        ("[optimizer]", "initialization = { type = \"he-normal\", fan_in = 0 }\n[optimizer]", "`fan_in` should be"),
        ("[model]", "order = \"shuffled\"\n[model]", "unknown value `shuffled` for `order`"),
        ("[model]", "normalization = 3\n[model]", "`normalization` should be a normalization type or a table"),
        ("[model]", "normalization = \"unity\"\n[model]", "unknown normalization type `unity`"),
        (
            "[model]",
            "normalization = { type = \"subtract-mean\", of = \"row\" }\n[model]",
            "unknown value `row` for `of`",
        ),
        ("[model]", "normalization = { type = \"unit\", of = \"all\" }\n[model]", "unknown key `of`"),
        ("[1, 28, 28]", "[1, 0, 28]", "`input` should be [channels, height, width] or [features], each at least 1"),
        ("[1, 28, 28]", "[28, 28]", "`input` should be [channels, height, width] or [features], each at least 1"),
        ("kernel = 5", "kernel = 0", "`kernel` should be an integer of at least 1"),
        ("kernel = 5", "kernel = [9_223_372_036_854_775_807, 3]", "conv1 (layer 1 of 4): a window of 9223372036"),
        ("kernel = 5", "kernel = 5, stride = [1]", "`stride` should be an integer of at least 1, or two of them"),
        ("16", "9_223_372_036_854_775_807", "conv1 (layer 1 of 4): its kernels would have more than 2147483647"),
        ("iterations = 100", "iterations = 100\nloss = \"mse\"", "unknown value `mse` for `loss`"),
        ("[model]", "[model]\nfreeze = true", "freeze = true has no effect without `init_from`"),
        ("[model]", "[model]\ninit_from = \"\"", "`init_from` should be a path, got the string"),
        ("seed = 7", "evaluation = { views = \"ten\" }", "unknown value `ten` for `views`"),
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
