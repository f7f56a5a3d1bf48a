//! Files read back.

use std::collections::BTreeSet;
use std::path::Path;

use backproof_models::Network;
use backproof_spec::{AvgPool2dSpec, LayerSpec, Loss, MaxPool2dSpec, published};
use prost::Message;

use super::proto::{self, DataType, GraphProto, Value};
use super::*;
use crate::Model;
use crate::testing::{layers, model};

fn read(model: &Model, options: OnnxOptions) -> proto::Model {
    proto::Model::decode(&onnx(model, &options).unwrap().bytes[..]).unwrap()
}

fn graph(file: proto::Model) -> GraphProto {
    file.graph.unwrap()
}

/// `f32 [N, 1, 7, 8]`.
fn describe(value: &Value) -> String {
    let tensor = value.value_type.clone().unwrap().tensor.unwrap();
    let axes: Vec<String> = tensor
        .shape
        .unwrap()
        .dim
        .into_iter()
        .map(|dim| dim.name.unwrap_or_else(|| dim.value.unwrap().to_string()))
        .collect();
    let element = if tensor.element == i32::from(DataType::Uint8) { "u8" } else { "f32" };
    format!("{} {element} [{}]", value.name, axes.join(", "))
}

/// The ints of an attribute of the node of that name.
fn ints(graph: &GraphProto, node: &str, attribute: &str) -> Vec<i64> {
    let node = graph.node.iter().find(|it| it.name == node).unwrap_or_else(|| panic!("no node {node}"));
    node.attribute.iter().find(|it| it.name == attribute).unwrap().ints.clone()
}

fn operators(graph: &GraphProto) -> Vec<&str> {
    graph.node.iter().map(|node| node.op_type.as_str()).collect()
}

/// Each value comes from the input, a constant or a node before; each is used; and each constant is as long as its
/// shape says.
fn assert_sound(graph: &GraphProto) {
    let mut there: BTreeSet<&str> = graph.input.iter().map(|input| input.name.as_str()).collect();
    for constant in &graph.initializer {
        let size = if constant.data_type == i32::from(DataType::Int64) { 8 } else { 4 };
        let count: i64 = constant.dims.iter().product();
        assert_eq!(constant.raw_data.len(), usize::try_from(count).unwrap() * size, "{}", constant.name);
        assert!(there.insert(&constant.name), "{} is there twice", constant.name);
    }
    for node in &graph.node {
        for input in &node.input {
            assert!(there.contains(input.as_str()), "{} takes {input}, which is not there", node.name);
        }
        assert!(there.insert(&node.output[0]), "{} is there twice", node.output[0]);
    }
    let used: BTreeSet<&str> = graph.node.iter().flat_map(|node| &node.input).map(String::as_str).collect();
    let output = graph.output[0].name.as_str();
    let unused: Vec<_> = there.into_iter().filter(|&name| name != output && !used.contains(name)).collect();
    assert_eq!(unused, [""; 0]);
}

#[test]
fn every_published_network_has_its_weights_by_their_names_and_the_shapes_of_its_trace() {
    // AlexNet has 244 MB, and no kind of layer that the others do not have.
    for &name in published::names().iter().filter(|&&name| name != "alexnet") {
        let architecture = published::by_name(name).unwrap();
        let mut model = model(layers());
        model.network = Network::new(&architecture, 1, &model.device).unwrap();
        (model.image, model.padding) = (architecture.input, 0);
        model.normalizer = backproof_data::Normalizer::Unit;
        let file = read(&model, OnnxOptions::default());
        assert_eq!((file.ir_version, file.opset_import[0].version), (8, 17), "{name}");
        let graph = graph(file);
        assert_sound(&graph);
        for tensor in model.network.tensors() {
            let constant = graph.initializer.iter().find(|constant| constant.name == tensor.name);
            let constant = constant.unwrap_or_else(|| panic!("{name} has no {}", tensor.name));
            let dims: Vec<usize> = constant.dims.iter().map(|&dim| usize::try_from(dim).unwrap()).collect();
            assert_eq!(dims, &tensor.data.shape()[..], "{name}: {}", tensor.name);
            let bytes: Vec<u8> = tensor.data.iter::<f32>().flat_map(f32::to_le_bytes).collect();
            assert!(constant.raw_data == bytes, "{name}: {}", tensor.name);
        }
        let traced = architecture.trace().unwrap();
        let told: BTreeSet<String> = graph.value_info.iter().map(describe).collect();
        for layer in traced.iter().flat_map(backproof_spec::TracedLayer::all) {
            let axes =
                layer.output.dimensions().iter().fold("N".to_owned(), |axes, length| format!("{axes}, {length}"));
            let is_node = graph.node.iter().any(|node| node.name == layer.name);
            let expected = format!("{} f32 [{axes}]", layer.name);
            assert!(!is_node || told.contains(&expected), "{name}: {expected} is not among {told:?}");
        }
        assert_eq!(describe(&graph.output[0]), format!("logits f32 [N, {}]", architecture.classes().unwrap()));
    }
}

#[test]
fn the_file_of_a_model_is_the_same_each_time_down_to_its_bytes() {
    let options = OnnxOptions { normalize: Some(PixelType::U8), probabilities: true };
    let bytes = onnx(&model(layers()), &options).unwrap().bytes;
    assert!(bytes == onnx(&model(layers()), &options).unwrap().bytes);
    // tests/fixtures/export/small.onnx, which ONNX's checker and ONNX Runtime accept, as tests/machine/export says.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/export/small.onnx");
    let kept = std::fs::read(&path).unwrap_or_default();
    if kept != bytes {
        let new = std::env::temp_dir().join("backproof-small.onnx");
        std::fs::write(&new, &bytes).unwrap();
        panic!("the file differs from {}; the new one is {}", path.display(), new.display());
    }
}

#[test]
fn options_say_what_comes_in_and_what_goes_out() {
    let model = model(layers());
    let normalization = ["Pad", "Div", "Sub", "Div"];
    for (options, words, first, last) in [
        (OnnxOptions::default(), "input f32 [N, 1, 7, 8] → logits f32 [N, 2]", &["Conv"][..], "Gemm"),
        (
            OnnxOptions { normalize: Some(PixelType::F32), probabilities: false },
            "pixels f32 [N, 1, 5, 6] → logits f32 [N, 2]",
            &normalization,
            "Gemm",
        ),
        (
            OnnxOptions { normalize: Some(PixelType::U8), probabilities: true },
            "pixels u8 [N, 1, 5, 6] → probabilities f32 [N, 2]",
            &["Cast", "Pad", "Div", "Sub", "Div"],
            "Softmax",
        ),
    ] {
        assert_eq!(onnx(&model, &options).unwrap().words, words);
        let graph = graph(read(&model, options));
        assert_sound(&graph);
        assert_eq!(format!("{} → {}", describe(&graph.input[0]), describe(&graph.output[0])), words);
        let operators = operators(&graph);
        assert_eq!(&operators[..first.len()], first);
        assert_eq!(operators.last(), Some(&last));
    }
}

#[test]
fn probabilities_follow_from_the_loss() {
    for (loss, expected) in [
        (Loss::CrossEntropy, &["Softmax"][..]),
        (Loss::BinaryCrossEntropy, &["Sigmoid", "ReduceSum", "Div"]),
        (Loss::MeanSquaredError, &["Relu", "ReduceSum", "Greater", "Div", "Where"]),
    ] {
        let model = Model { loss, ..model(layers()) };
        let graph = graph(read(&model, OnnxOptions { probabilities: true, ..OnnxOptions::default() }));
        assert_sound(&graph);
        let operators = operators(&graph);
        let (_, after) = operators.split_at(operators.len() - expected.len());
        assert_eq!(after, expected);
    }
}

/// Of 7×8 pixels, with a stride of 3: rows 0, 3, 6 with 2 rows behind the padding; a fourth column would begin behind it.
#[test]
fn a_pooling_that_rounds_up_has_padding_for_the_windows_that_there_are() {
    let pads = |layer: LayerSpec| {
        let mut layers = layers();
        layers.splice(0..3, [layer]);
        layers.remove(1);
        let graph = graph(read(&model(layers), OnnxOptions::default()));
        assert_sound(&graph);
        let padded = graph.node.iter().any(|node| node.op_type == "Pad");
        (ints(&graph, "pool1", "pads"), padded)
    };
    let max = |kernel: usize, stride: usize, padding: usize, dilation: usize| {
        LayerSpec::MaxPool2d(MaxPool2dSpec {
            stride: Some(stride.into()),
            padding: padding.into(),
            dilation: dilation.into(),
            ceil_mode: true,
            ..MaxPool2dSpec::new(kernel)
        })
    };
    assert_eq!(pads(max(3, 3, 0, 1)), (vec![0, 0, 2, 1], false));
    // ⌈(7 + 2 − 2) / 3⌉ + 1 = 4 windows down, but the fourth would begin at pixel 9 of 7 + 1: 3, which need no more.
    assert_eq!(pads(max(2, 3, 1, 1)), (vec![1, 1, 1, 1], false));
    // A window reaches over 4 pixels and has 2: padding of 2 is not less than that.
    assert_eq!(pads(max(2, 2, 2, 3)), (vec![0, 0, 0, 0], true));
    let average = |padding: usize, count_include_pad| {
        LayerSpec::AvgPool2d(AvgPool2dSpec {
            stride: Some(3.into()),
            padding: padding.into(),
            ceil_mode: true,
            count_include_pad,
            ..AvgPool2dSpec::new(4)
        })
    };
    // ⌈(7 + 2 − 4) / 3⌉ + 1 = 3 windows down reach over 10 pixels of 9, and 3 across over 10 of 10.
    assert_eq!(pads(average(1, false)), (vec![1, 1, 2, 1], false));
    assert_eq!(pads(average(1, true)), (vec![0, 0, 1, 0], true));
}

#[test]
fn metadata_say_what_one_must_know() {
    let say = |model: &Model, options| -> Vec<(String, String)> {
        read(model, options).metadata_props.into_iter().map(|entry| (entry.key, entry.value)).collect()
    };
    let mut model = model(layers());
    let expected = [
        ("run", "small/20261201T000000Z-00000000"),
        ("network", "small"),
        ("iteration", "24"),
        ("test_accuracy", "0.875"),
        ("test_views", "one"),
        ("classes", r#"["cat","\"dog\""]"#),
        ("image_shape", "[1,5,6]"),
        ("padding", "1"),
        ("normalization", r#"{"kind":"standardize","mean":[0.25],"std":[0.5]}"#),
        ("normalization_in_graph", "false"),
    ];
    assert_eq!(say(&model, OnnxOptions::default()), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    (model.iteration, model.test_accuracy) = (None, None);
    let keys: Vec<String> = say(&model, OnnxOptions::default()).into_iter().map(|(key, _)| key).collect();
    assert_eq!(
        keys,
        ["run", "network", "classes", "image_shape", "padding", "normalization", "normalization_in_graph"]
    );
}
