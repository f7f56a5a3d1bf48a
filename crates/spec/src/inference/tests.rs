use crate::{
    Architecture, AvgPool2dSpec, BatchNormSpec, Conv2dSpec, DropoutSpec, FlattenSpec, LayerSpec, LinearSpec,
    MaxPool2dSpec, ReluSpec, Shape, ShapeError,
};

fn network(input: Shape, layers: Vec<LayerSpec>) -> Architecture {
    Architecture { name: "test".to_owned(), input, layers }
}

fn error(input: Shape, layers: Vec<LayerSpec>) -> ShapeError {
    network(input, layers).trace().unwrap_err()
}

fn conv(conv: Conv2dSpec) -> LayerSpec {
    LayerSpec::Conv2d(conv)
}

fn linear(out_features: usize) -> LayerSpec {
    LayerSpec::Linear(LinearSpec::new(out_features))
}

fn relu() -> LayerSpec {
    LayerSpec::Relu(ReluSpec::default())
}

#[test]
fn layers_are_named_by_kind_and_count() {
    let layers = vec![
        conv(Conv2dSpec::new(2, 3)),
        LayerSpec::BatchNorm(BatchNormSpec::default()),
        relu(),
        LayerSpec::MaxPool2d(MaxPool2dSpec::new(2)),
        conv(Conv2dSpec::new(2, 1)),
        relu(),
        LayerSpec::AvgPool2d(AvgPool2dSpec::new(2)),
        LayerSpec::Flatten(FlattenSpec),
        LayerSpec::Dropout(DropoutSpec { probability: 0.5 }),
        linear(3),
    ];
    let traced = network(Shape::image(1, 10, 10), layers).trace().unwrap();
    let names: Vec<_> = traced.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(
        names,
        ["conv1", "norm1", "relu1", "pool1", "conv2", "relu2", "pool2", "flatten1", "dropout1", "linear1"]
    );
    assert_eq!((traced[1].weights, traced[1].biases, traced[1].running_statistics), (2, 2, 4));
}

#[test]
fn a_misfit_has_the_name_and_the_place_of_the_layer_what_came_and_a_way_out() {
    let error = error(Shape::image(1, 4, 4), vec![conv(Conv2dSpec::new(2, 3)), linear(3)]);
    assert_eq!(error.to_string(), "linear1 (layer 2 of 2): expected a vector, got an image 2×2×2");
    assert_eq!(error.help.as_deref(), Some("put a `flatten` before it"));
    assert_eq!((error.layer.as_str(), error.place.position, error.place.layers), ("linear1", 2, 2));
    assert_eq!(error.input, Shape::image(2, 2, 2));
}

#[test]
fn a_network_that_ends_in_an_image_has_no_classes() {
    let error = network(Shape::image(1, 4, 4), vec![relu()]).classes().unwrap_err();
    assert_eq!(error.to_string(), "the network ends in an image 1×4×4, expected a vector with one score a class");
}

#[test]
fn empty_networks_and_inputs_are_refused() {
    let nothing = error(Shape::vector(3), vec![]);
    assert_eq!(nothing.to_string(), "the network has no layers");
    let empty = error(Shape::image(1, 0, 4), vec![relu()]);
    assert!(empty.to_string().starts_with("the input 1×0×4 is empty"));
}

#[test]
fn outputs_and_parameters_too_large_are_errors() {
    let output = error(Shape::image(1, 1_000, 1_000), vec![conv(Conv2dSpec::new(3_000, 1))]);
    let expected = "its output 3000×1000×1000 would have more than 2147483647 numbers";
    assert_eq!(output.problem, expected);
    let parameters = error(Shape::vector(100_000), vec![linear(100_000)]);
    assert_eq!(
        parameters.to_string(),
        "linear1 (layer 1 of 1): all parameters up to here would have more than 2147483647 numbers"
    );
}
