//! How weights are drawn: what only some layers may ask for.

use super::read;
use crate::{Initialization, InitializationKind, LayerSpec, Whitening};

/// One line of a network, with what it is drawn from.
fn drawn(conv: &str, linear: &str) -> String {
    format!(
        "[data]\ndataset = \"cifar-10\"\n[model]\ninput = [3, 32, 32]\nlayers = [\n{conv},\n\"flatten\",\n\
         {linear},\n]\n\
         [optimizer]\nlearning_rate = 0.1\n[training]\niterations = 10\n"
    )
}

#[test]
fn whitening_dirac_and_the_unit_deviation_have_keys_with_defaults_that_are_written_out() {
    let whitening = "{ type = \"conv2d\", out_channels = 24, kernel = 2, initialization = \"whitening\" }";
    let head = "{ type = \"linear\", out_features = 10, bias = false, initialization = \
                { type = \"pytorch-default\", unit_deviation = true } }";
    let experiment = read(&drawn(whitening, head), &[]).unwrap();
    let LayerSpec::Conv2d(conv) = &experiment.model.layers[0] else { panic!() };
    let expected = Initialization {
        kind: InitializationKind::Whitening,
        whitening: Some(Whitening { images: 5_000, epsilon: 5e-4 }),
        ..Initialization::default()
    };
    assert_eq!(conv.initialization, Some(expected));
    let text = experiment.to_toml();
    let written = "initialization = { type = \"whitening\", gain = 1.0, images = 5000, epsilon = 0.0005 }";
    assert!(text.contains(written), "{text}");
    let written = "initialization = { type = \"pytorch-default\", gain = 1.0, unit_deviation = true }";
    assert!(text.contains(written), "{text}");
    assert_eq!(read(&text, &[]).unwrap(), experiment);
    let plain = drawn(&whitening.replace("whitening", "dirac"), &head.replace(", unit_deviation = true", ""));
    let text = read(&plain, &[]).unwrap().to_toml();
    assert!(text.contains("initialization = { type = \"dirac\", gain = 1.0 }"), "{text}");
    assert!(text.contains("initialization = { type = \"pytorch-default\", gain = 1.0 }"), "{text}");
}

#[test]
fn an_initialization_that_does_not_go_with_its_layer_is_an_error_at_the_layer() {
    let conv = "{ type = \"conv2d\", out_channels = 24, kernel = 2 }";
    let whitening = "{ type = \"conv2d\", out_channels = 24, kernel = 2, initialization = \"whitening\" }";
    let head = "{ type = \"linear\", out_features = 10 }";
    let of_head = |kind: &str| format!("{{ type = \"linear\", out_features = 10, initialization = \"{kind}\" }}");
    let cases = [
        (drawn(conv, &of_head("dirac")), 8, "linear1 (layer 3 of 3): the initialization `dirac` is of convolutions"),
        (drawn(conv, &of_head("whitening")), 8, "linear1 (layer 3 of 3): the initialization `whitening` is of conv"),
        (
            drawn(&whitening.replace("24", "32"), head),
            6,
            "conv1 (layer 1 of 3): whitening gives 24 kernels, two for each of the 3 · 2 · 2 numbers of a patch, got \
             out_channels = 32",
        ),
        (
            drawn(&format!("\"relu\",\n{whitening}"), head),
            7,
            "conv1 (layer 2 of 4): the initialization `whitening` is of the first layer, which sees the images",
        ),
        (
            drawn(&format!("{{ type = \"residual\", shortcut = [{conv}], body = [{whitening}] }}"), head),
            6,
            "residual1.body.conv1 (layer 1 of 1 in the body of residual1): the initialization `whitening` is of the",
        ),
        (
            drawn(&conv.replace(" }", ", initialization = { type = \"dirac\", images = 5 } }"), head),
            6,
            "unknown key `images`",
        ),
    ];
    for (text, line, message) in cases {
        let error = read(&text, &[]).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
        assert!(error.contains(&format!(".toml:{line}:")), "{error}");
    }
}
