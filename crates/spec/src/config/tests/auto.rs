//! `name = "auto"`: the network that the images choose.

use super::folder::config;
use super::{SPELLED_OUT, read};
use crate::{DataSets, Experiment, Shape, published};

fn of_data_set(data: &str) -> String {
    format!("[data]\n{data}\n[model]\nname = \"auto\"\n[optimizer]\nlearning_rate = 0.1\n[training]\niterations = 10\n")
}

#[test]
fn the_images_choose_the_network_and_the_written_config_names_it() {
    let folder = |keys: &str| config(&format!("folder = \"leaves\"\n{keys}"), "name = \"auto\"").unwrap();
    for (keys, name, input) in [
        ("size = 8\nchannels = 1", "small-cnn-2-1x8x8-3", Shape::image(1, 8, 8)),
        ("size = [64, 48]\nchannels = 3", "small-cnn-3-3x64x48-3", Shape::image(3, 64, 48)),
        ("size = 62\npadding = 1\nchannels = 1", "small-cnn-4-1x64x64-3", Shape::image(1, 64, 64)),
        ("size = 512\nchannels = 3", "small-cnn-6-3x512x512-3", Shape::image(3, 512, 512)),
    ] {
        let experiment = folder(keys);
        assert_eq!((experiment.model.name.as_str(), experiment.model.input), (name, input));
        assert_eq!(experiment.model.classes(), Ok(3));
        let written = experiment.to_toml();
        assert!(written.contains(&format!("name = \"{name}\"")) && !written.contains("name = \"auto\""), "{written}");
        assert_eq!(Experiment::from_toml("b.toml", &written, &[], &DataSets::any()).unwrap(), experiment);
    }
    for (data, expected) in
        [("dataset = \"mnist\"", published::small_cnn_2()), ("dataset = \"cifar-10\"", published::small_cnn_3())]
    {
        assert_eq!(read(&of_data_set(data), &[]).unwrap().model, expected);
    }
    // As another network of that name would be set.
    let set = read(&of_data_set("dataset = \"mnist\""), &["model.relu_gradient_at_zero=1"]).unwrap();
    assert_eq!(set.model.without_settings(), published::small_cnn_2());
    assert_ne!(set.model, published::small_cnn_2());
}

#[test]
fn it_takes_the_place_of_another_network() {
    assert_eq!(read(SPELLED_OUT, &["model.name=auto"]).unwrap().model, published::small_cnn_2());
    let layers = "model.layers=[\"flatten\", { type = \"linear\", out_features = 10 }]";
    let overrides = [layers, "model.input=[1, 28, 28]"];
    assert_eq!(read(&of_data_set("dataset = \"mnist\""), &overrides).unwrap().model.name, "custom");
}

#[test]
fn images_that_choose_no_network_are_told_with_a_way_out() {
    for (data, expected) in [
        ("folder = \"a\"", "`size` and `channels` do not say it\n  --> a.toml:2:10\n"),
        (
            "folder = \"a\"\nsize = 64",
            "help: write `size = 64` and `channels = 3` under [data]; `train --images` chooses",
        ),
        ("folder = \"a\"\nsize = [7, 64]\nchannels = 3", "`auto` has networks for images of at least 8×8 pixels"),
        ("folder = \"a\"\nsize = 513\nchannels = 3", "images of 513×513 pixels are too large: at most 512×512"),
    ] {
        let error = config(data, "name = \"auto\"").unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let text = of_data_set("dataset = \"mnist\"");
    let error = Experiment::from_toml("a.toml", &text, &[], &DataSets::any()).unwrap_err().to_string();
    assert!(error.starts_with("`auto` chooses by the images, and those of `mnist` are not known"), "{error}");
    let with_layers = text.replace("\"auto\"", "\"auto\"\ninput = [1, 28, 28]\nlayers = [\"flatten\"]");
    let error = read(&with_layers, &[]).unwrap_err().to_string();
    assert!(error.contains("`auto` is a network that the images choose, and here are `input` and `layers`"), "{error}");
    let error = read(&text.replace("\"auto\"", "\"atuo\""), &[]).unwrap_err().to_string();
    assert!(error.contains("help: did you mean `auto`?"), "{error}");
}
