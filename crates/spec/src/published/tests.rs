//! Every layer of every network against the published counts.

use super::*;
use crate::{LayerSpec, Shape};

/// The layers that have parameters, with weights and biases.
fn parameters(architecture: &Architecture) -> Vec<(String, usize, usize)> {
    let traced = architecture.trace().unwrap();
    traced
        .into_iter()
        .filter(|layer| layer.weights + layer.biases > 0)
        .map(|layer| (layer.name, layer.weights, layer.biases))
        .collect()
}

fn expect(architecture: Architecture, total: usize, layers: &[(&str, usize, usize)]) {
    expect_classes(&architecture, total, layers, 10);
}

fn expect_classes(architecture: &Architecture, total: usize, layers: &[(&str, usize, usize)], classes: usize) {
    let layers: Vec<_> = layers.iter().map(|&(name, weights, biases)| (name.to_owned(), weights, biases)).collect();
    assert_eq!(parameters(architecture), layers);
    assert_eq!(architecture.trainable_parameters(), Ok(total));
    assert_eq!(architecture.classes(), Ok(classes));
}

#[test]
fn mnist_baseline_has_14682_parameters() {
    let layers = [("conv1", 400, 16), ("conv2", 6_400, 16), ("linear1", 7_840, 10)];
    expect(mnist_baseline(), 14_682, &layers);
}

#[test]
fn cifar_baseline_has_48602_parameters() {
    let layers = [("conv1", 1_200, 16), ("conv2", 6_400, 16), ("linear1", 40_960, 10)];
    expect(cifar_baseline(), 48_602, &layers);
}

#[test]
fn willis_improved_has_50922_parameters() {
    let layers = [("conv1", 1_200, 16), ("conv2", 6_400, 16), ("conv3", 2_304, 16), ("linear1", 40_960, 10)];
    expect(willis_improved(), 50_922, &layers);
}

#[test]
fn bai_improved_has_55018_parameters() {
    let layers = [("conv1", 1_200, 16), ("conv2", 6_400, 16), ("conv3", 6_400, 16), ("linear1", 40_960, 10)];
    expect(bai_improved(), 55_018, &layers);
}

#[test]
fn timurtas_improved_has_68086_parameters() {
    let layers = [
        ("conv1", 1_200, 16),
        ("conv2", 12_800, 32), // 12,832
        ("conv3", 38_400, 48), // 38,448
        ("linear1", 15_360, 20),
        ("linear2", 200, 10),
    ];
    expect(timurtas_improved(), 68_086, &layers);
}

#[test]
fn every_network_is_found_by_the_name_that_it_has() {
    for name in names() {
        assert_eq!(by_name(name).unwrap().name, *name);
    }
    assert_eq!(by_name("mnist"), None);
}

#[test]
fn willis_has_no_relu_after_his_third_convolution() {
    let traced = willis_improved().trace().unwrap();
    let names: Vec<_> = traced.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["conv1", "relu1", "pool1", "conv2", "relu2", "conv3", "flatten1", "linear1"]);
}

#[test]
fn the_variants_of_timurtas_have_74262_and_21246_parameters() {
    let layers = [
        ("conv1", 4_800, 64),
        ("conv2", 51_200, 32),
        ("conv3", 12_800, 16),
        ("linear1", 5_120, 20),
        ("linear2", 200, 10),
    ];
    expect(timurtas_64_32_16(), 74_262, &layers);
    let layers = [
        ("conv1", 2_400, 32),
        ("conv2", 12_800, 16),
        ("conv3", 3_200, 8),
        ("linear1", 2_560, 20),
        ("linear2", 200, 10),
    ];
    expect(timurtas_32_16_8(), 21_246, &layers);
}

#[test]
fn petre_mlp_has_404010_parameters_and_111146_on_grey_images() {
    let layers =
        |weights| [("linear1", weights, 128), ("linear2", 8_192, 64), ("linear3", 2_048, 32), ("linear4", 320, 10)];
    expect(petre_mlp(), 404_010, &layers(3_072 * 128));
    expect(petre_mlp_fashion(), 111_146, &layers(784 * 128));
}

#[test]
fn petre_cnn_has_328810_parameters_and_266794_on_grey_images() {
    let layers = |channels: usize, features: usize| {
        [
            ("conv1", channels * 9 * 32, 32),
            ("norm1", 32, 32),
            ("conv2", 9_216, 32),
            ("norm2", 32, 32),
            ("conv3", 18_432, 64),
            ("norm3", 64, 64),
            ("conv4", 36_864, 64),
            ("norm4", 64, 64),
            ("linear1", features * 64, 64),
            ("linear2", 640, 10),
        ]
    };
    expect(petre_cnn(), 328_810, &layers(3, 4_096));
    expect(petre_cnn_fashion(), 266_794, &layers(1, 3_136));
}

#[test]
fn running_statistics_are_those_of_batch_normalisation() {
    for name in names() {
        let layers = by_name(name).unwrap().trace().unwrap();
        let statistics: usize = layers.iter().map(|layer| layer.running_statistics).sum();
        let expected = match *name {
            "petre-cnn" | "petre-cnn-fashion" => 384,
            "resnet-20" => 2 * (7 * 16 + 6 * 32 + 6 * 64),
            "resnet-9" => 2 * (64 + 3 * 128 + 256 + 3 * 512),
            "airbench94" => 2 * (2 * 64 + 4 * 256),
            "small-cnn-2" => 2 * (16 + 32),
            "small-cnn-3" => 2 * (16 + 32 + 64),
            "small-cnn-4" => 2 * (16 + 32 + 2 * 64),
            "small-cnn-5" => 2 * (16 + 32 + 3 * 64),
            "small-cnn-6" => 2 * (16 + 32 + 4 * 64),
            _ => 0,
        };
        assert_eq!(statistics, expected, "{name}");
    }
    let table = crate::parameter_table(&petre_cnn()).unwrap();
    assert!(table.ends_with("328,810\n\nand 384 running statistics, not trained\n"), "{table}");
}

#[test]
fn lenet_5_has_61706_parameters() {
    let layers = [
        ("conv1", 150, 6),
        ("conv2", 2_400, 16),
        ("linear1", 48_000, 120),
        ("linear2", 10_080, 84),
        ("linear3", 840, 10),
    ];
    expect(lenet_5(), 61_706, &layers);
}

#[test]
fn alexnet_has_60965224_parameters_and_the_shapes_of_the_paper() {
    let network = alexnet();
    let layers = [
        ("conv1", 34_848, 96),
        ("conv2", 307_200, 256), // 5 · 5 · (96 / 2) · 256
        ("conv3", 884_736, 384),
        ("conv4", 663_552, 384),
        ("conv5", 442_368, 256),
        ("linear1", 37_748_736, 4_096),
        ("linear2", 16_777_216, 4_096),
        ("linear3", 4_096_000, 1_000),
    ];
    expect_classes(&network, 60_965_224, &layers, 1_000);
    let traced = network.trace().unwrap();
    let convolutions = traced.iter().filter(|layer| layer.name.starts_with("conv"));
    let shapes: Vec<String> = convolutions.map(|layer| layer.output.to_string()).collect();
    assert_eq!(shapes, ["96×55×55", "256×27×27", "384×13×13", "384×13×13", "256×13×13"]);
}

/// He et al., table 6: 0.27 million; 269,722 is what other implementations of option A count.
#[test]
fn resnet_20_has_269722_parameters_and_the_shapes_of_the_paper() {
    let first = |from: usize, to: usize| from * to * 9 + to * to * 9;
    let layers = [
        ("conv1", 432, 0),
        ("norm1", 16, 16),
        ("residual1", 4_608 + 32, 32),
        ("residual2", 4_608 + 32, 32),
        ("residual3", 4_608 + 32, 32),
        ("residual4", first(16, 32) + 64, 64),
        ("residual5", first(32, 32) + 64, 64),
        ("residual6", first(32, 32) + 64, 64),
        ("residual7", first(32, 64) + 128, 128),
        ("residual8", first(64, 64) + 128, 128),
        ("residual9", first(64, 64) + 128, 128),
        ("linear1", 640, 10),
    ];
    let network = resnet_20();
    expect(network.clone(), 269_722, &layers);
    let traced = network.trace().unwrap();
    let blocks: Vec<String> =
        traced.iter().filter(|layer| !layer.branches.is_empty()).map(|it| it.output.to_string()).collect();
    let expected = [["16×32×32"; 3], ["32×16×16"; 3], ["64×8×8"; 3]].concat();
    assert_eq!(blocks, expected);
    // 6n + 2 layers with weights, batch normalisation not counted.
    let all = network.all_layers();
    let weighted = all.iter().filter(|layer| matches!(layer, LayerSpec::Conv2d(_) | LayerSpec::Linear(_)));
    assert_eq!(weighted.count(), 20);
}

#[test]
fn airbench94_has_1971640_parameters() {
    let layers = [
        ("conv1", 288, 24),
        ("conv2", 13_824, 0),
        ("norm1", 0, 64),
        ("conv3", 36_864, 0),
        ("norm2", 0, 64),
        ("conv4", 147_456, 0),
        ("norm3", 0, 256),
        ("conv5", 589_824, 0),
        ("norm4", 0, 256),
        ("conv6", 589_824, 0),
        ("norm5", 0, 256),
        ("conv7", 589_824, 0),
        ("norm6", 0, 256),
        ("linear1", 2_560, 0),
    ];
    expect(airbench94(), 1_971_640, &layers);
    // The arithmetic of the paper: 118.1 million multiplications and additions an image.
    let traced = airbench94().trace().unwrap();
    let pooled: Vec<String> =
        traced.iter().filter(|it| it.name.starts_with("pool")).map(|it| it.output.to_string()).collect();
    assert_eq!(pooled, ["64×15×15", "256×7×7", "256×3×3", "256×1×1"]);
}

#[test]
fn resnet_9_has_6573120_parameters() {
    let block = |channels: usize| 2 * channels * channels * 9 + 2 * channels;
    let layers = [
        ("conv1", 1_728, 0),
        ("norm1", 64, 64),
        ("conv2", 73_728, 0),
        ("norm2", 128, 128),
        ("residual1", block(128), 256),
        ("conv3", 294_912, 0),
        ("norm3", 256, 256),
        ("conv4", 1_179_648, 0),
        ("norm4", 512, 512),
        ("residual2", block(512), 1_024),
        ("linear1", 5_120, 0),
    ];
    expect(resnet_9(), 6_573_120, &layers);
}

#[test]
fn the_small_networks_have_the_parameters_that_they_say() {
    let first = [("conv1", 144, 0), ("norm1", 16, 16), ("conv2", 4_608, 0), ("norm2", 32, 32)];
    expect(small_cnn_2(), 20_538, &[&first[..], &[("linear1", 15_680, 10)]].concat());
    let mut colour = first.to_vec();
    colour[0].1 = 432;
    for (network, total, features) in [
        (small_cnn_3(), 33_946, 1_024),
        (small_cnn_4(), 70_938, 1_024),
        (small_cnn_5(), 100_250, 256),
        (small_cnn_6(), 135_322, 64),
    ] {
        let (conv, norm) = match colour.len() {
            4 => (("conv3", 18_432, 0), ("norm3", 64, 64)),
            6 => (("conv4", 36_864, 0), ("norm4", 64, 64)),
            8 => (("conv5", 36_864, 0), ("norm5", 64, 64)),
            _ => (("conv6", 36_864, 0), ("norm6", 64, 64)),
        };
        colour.extend([conv, norm]);
        expect(network, total, &[&colour[..], &[("linear1", 10 * features, 10)]].concat());
    }
}

#[test]
fn images_of_every_size_have_a_small_network_of_few_features() {
    let chosen = |height, width| for_images(Shape::image(1, height, width)).map(|network| network.name);
    let expected =
        [(8, "2"), (16, "2"), (28, "2"), (32, "3"), (64, "4"), (96, "4"), (128, "5"), (224, "5"), (512, "6")];
    for (side, blocks) in expected {
        assert_eq!(chosen(side, side), Some(format!("small-cnn-{blocks}")), "{side}");
        // The shorter side counts.
        assert_eq!(chosen(side, 512), chosen(512, side));
        assert_eq!(chosen(side, 512), chosen(side, side));
    }
    for (side, channels) in (8..=512).flat_map(|side| [(side, 1), (side, 3)]) {
        let shape = Shape::image(channels, side, side);
        let network = for_images(shape).unwrap().fitted(shape, 10).unwrap();
        let before = network.trace().unwrap().into_iter().rev().nth(1).unwrap();
        let features = before.output.elements();
        // From 2×2 of 32 channels to 8×8 of 64.
        assert!((128..=4_096).contains(&features), "{side}: {features}");
        let parameters = network.trainable_parameters().unwrap();
        assert!((5_000..=180_000).contains(&parameters), "{side}: {parameters}");
    }
    // The table of docs/your-images.md.
    for (side, parameters) in [(8, 6_426), (32, 33_946), (64, 70_938), (128, 107_930), (256, 144_922)] {
        let shape = Shape::image(3, side, side);
        let network = for_images(shape).unwrap().fitted(shape, 10).unwrap();
        assert_eq!(network.trainable_parameters(), Ok(parameters), "{side}");
    }
    assert_eq!((chosen(7, 64), chosen(64, 7)), (None, None));
    assert_eq!(for_images(Shape::vector(784)), None);
}
