//! The exact text of errors in layers and networks.

use super::{changed, expect, read};

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
`kernel` should be an integer of at least 1, or two of them, [height, width], got [3, true]
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
`timurtas-64-32-16`, `timurtas-32-16-8`, `petre-mlp`, `petre-cnn`, `resnet-20`, `resnet-9`, `airbench94`, `small-cnn-3`; \
data sets for 1×28×28: `mnist-sample`, `mnist`, `fashion-mnist`",
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

/// [`SPELLED_OUT`](super::SPELLED_OUT) with a residual layer in the place of its ReLU.
fn with_residual(layer: &str) -> String {
    changed("\"relu\",", layer)
}

#[test]
fn a_layer_inside_of_a_residual_one_that_does_not_fit() {
    expect(
        &with_residual(
            "{ type = \"residual\", body = [\n        \"relu\",\n        \
             { type = \"linear\", out_features = 3 },\n    ] },",
        ),
        "\
residual1.body.linear1 (layer 2 of 2 in the body of residual1): expected a vector, got an image 16×28×28
   --> configs/a.toml:10:9
    |
 10 |         { type = \"linear\", out_features = 3 },
    |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: put a `flatten` before it",
    );
}

#[test]
fn branches_that_differ() {
    expect(
        &with_residual("{ type = \"residual\", body = [{ type = \"max_pool2d\", kernel = 2 }] },"),
        "\
residual1 (layer 2 of 4): its body gives 16×14×14, and its shortcut gives 16×28×28
  --> configs/a.toml:8:5
   |
 8 |     { type = \"residual\", body = [{ type = \"max_pool2d\", kernel = 2 }] },
   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: use `shortcut = \"zero-padding\"`, or layers that give the same shape as the body: \
`shortcut = [{ type = \"conv2d\", … }]`",
    );
}

#[test]
fn a_shortcut_that_there_is_not() {
    expect(
        &with_residual("{ type = \"residual\", body = [\"relu\"], shortcut = \"identiy\" },"),
        "\
unknown value `identiy` for `shortcut`
  --> configs/a.toml:8:54
   |
 8 |     { type = \"residual\", body = [\"relu\"], shortcut = \"identiy\" },
   |                                                      ^^^^^^^^^
help: did you mean `identity`?",
    );
    let number = read(&with_residual("{ type = \"residual\", body = [\"relu\"], shortcut = 1 },"), &[]).unwrap_err();
    let expected = "`shortcut` should be one of `identity`, `zero-padding`, or an array of layers, got 1";
    assert!(number.to_string().starts_with(expected), "{number}");
}

#[test]
fn faults_in_the_layers_of_a_body() {
    let error = read(&with_residual("{ type = \"residual\", body = [\"reluu\", 3, { kind = 1 }] },"), &[]).unwrap_err();
    let messages: Vec<&str> = error.diagnostics().iter().map(|it| it.message.as_str()).collect();
    let expected = [
        "unknown layer type `reluu`",
        "a layer should be a table with a `type`, got 3",
        "missing key `type` in a layer",
    ];
    assert_eq!(messages, expected);
    let missing = read(&with_residual("\"residual\","), &[]).unwrap_err().to_string();
    assert!(missing.starts_with("missing key `body` in a `residual` layer"), "{missing}");
    let empty = read(&with_residual("{ type = \"residual\", body = [] },"), &[]).unwrap_err().to_string();
    assert!(empty.starts_with("residual1 (layer 2 of 4): its body has no layers"), "{empty}");
}

#[test]
fn a_key_of_a_layer_inside_of_another_can_be_overridden() {
    let text = with_residual("{ type = \"residual\", body = [{ type = \"conv2d\", out_channels = 16, kernel = 1 }] },");
    let experiment = read(&text, &["model.layers.1.body.0.bias=false"]).unwrap();
    let written = experiment.to_toml();
    let expected = "    { type = \"residual\", body = [\n        { type = \"conv2d\", out_channels = 16, kernel = 1, \
                    stride = 1, padding = 0, dilation = 1, groups = 1, bias = false },\n    ], \
                    shortcut = \"identity\" },\n";
    assert!(written.contains(expected), "{written}");
}
