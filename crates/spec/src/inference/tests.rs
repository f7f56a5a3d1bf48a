use super::window::Window;
use crate::Layer::{self, Flatten, Relu};
use crate::{Architecture, AvgPool2d, BatchNorm, Conv2d, Dropout, Linear, MaxPool2d, Shape, ShapeError, Size2};
use proptest::prelude::*;

fn network(input: Shape, layers: Vec<Layer>) -> Architecture {
    Architecture { name: "test".to_owned(), input, layers }
}

fn error(input: Shape, layers: Vec<Layer>) -> ShapeError {
    network(input, layers).trace().unwrap_err()
}

fn output_of(input: Shape, layer: Layer) -> Shape {
    network(input, vec![layer]).trace().unwrap()[0].output
}

fn conv(conv: Conv2d) -> Layer {
    Layer::Conv2d(conv)
}

fn linear(out_features: usize) -> Layer {
    Layer::Linear(Linear::new(out_features))
}

#[test]
fn a_convolution_uses_both_axes_of_every_option() {
    // Down: ⌊(20 + 2·2 − 3·(3 − 1) − 1)/2⌋ + 1 = 9; across: ⌊(30 + 2·1 − 1·(5 − 1) − 1)/3⌋ + 1 = 10.
    let layer =
        Conv2d::new(4, Size2::new(3, 5)).stride(Size2::new(2, 3)).padding(Size2::new(2, 1)).dilation(Size2::new(3, 1));
    assert_eq!(output_of(Shape::image(2, 20, 30), conv(layer)), Shape::image(4, 9, 10));
}

#[test]
fn alexnets_first_convolution_gives_54_without_padding_and_55_with_two() {
    let input = Shape::image(3, 224, 224);
    let layer = Conv2d::new(96, 11).stride(4);
    assert_eq!(output_of(input, conv(layer.clone())), Shape::image(96, 54, 54));
    let traced = network(input, vec![conv(layer.padding(2))]).trace().unwrap();
    assert_eq!(traced[0].output, Shape::image(96, 55, 55));
    assert_eq!((traced[0].weights, traced[0].biases), (34_848, 96)); // 96 · 3 · 11 · 11
}

#[test]
fn groups_divide_the_weights() {
    let layer = Conv2d::new(256, 5).padding(2).groups(2);
    let traced = network(Shape::image(96, 27, 27), vec![conv(layer)]).trace().unwrap();
    assert_eq!((traced[0].weights, traced[0].biases), (307_200, 256)); // 256 · 48 · 5 · 5
}

#[test]
fn a_layer_without_bias_has_none() {
    let layers =
        vec![conv(Conv2d::new(2, 3).without_bias()), Flatten, Layer::Linear(Linear { out_features: 4, bias: false })];
    let traced = network(Shape::image(1, 4, 4), layers).trace().unwrap();
    assert_eq!((traced[0].weights, traced[0].biases), (18, 0));
    assert_eq!((traced[2].weights, traced[2].biases), (32, 0)); // 2·2·2 · 4
}

/// `torch.nn.functional.max_pool2d` on inputs of these sizes.
#[test]
fn ceil_mode_counts_windows_as_pytorch_does() {
    let count = |kernel, stride, padding, ceil_mode, input| {
        Window { kernel, stride, padding, dilation: 1, ceil_mode }.count(input)
    };
    assert_eq!(count(2, 2, 0, false, 5), Some(2));
    assert_eq!(count(2, 2, 0, true, 5), Some(3));
    assert_eq!(count(3, 2, 1, true, 5), Some(3));
    assert_eq!(count(3, 2, 1, true, 6), Some(4));
    // ⌈(4 + 2 − 2)/3⌉ + 1 = 3 windows, the third of which starts at 6 − 1 = 5 ≥ 4, in the far padding: it is dropped.
    assert_eq!(count(2, 3, 1, true, 4), Some(2));
    // A window larger than the image may still hang over its edge.
    assert_eq!(count(4, 2, 0, true, 3), Some(1));
    assert_eq!(count(4, 2, 0, false, 3), None);
}

#[test]
fn pooling_takes_its_kernel_for_a_stride_unless_told() {
    let input = Shape::image(3, 8, 8);
    let pool = MaxPool2d::new(Size2::new(2, 4));
    assert_eq!(output_of(input, Layer::MaxPool2d(pool.clone())), Shape::image(3, 4, 2));
    let overlapping = MaxPool2d { stride: Some(Size2::square(1)), ..pool };
    assert_eq!(output_of(input, Layer::MaxPool2d(overlapping)), Shape::image(3, 7, 5));
    let average = AvgPool2d { padding: Size2::square(1), ..AvgPool2d::new(3) };
    assert_eq!(output_of(input, Layer::AvgPool2d(average)), Shape::image(3, 3, 3));
}

#[test]
fn layers_are_named_by_kind_and_count() {
    let layers = vec![
        conv(Conv2d::new(2, 3)),
        Layer::BatchNorm(BatchNorm::default()),
        Relu,
        Layer::MaxPool2d(MaxPool2d::new(2)),
        conv(Conv2d::new(2, 1)),
        Layer::Prelu { initial_slope: 0.25 },
        Layer::AvgPool2d(AvgPool2d::new(2)),
        Flatten,
        Layer::Dropout(Dropout { probability: 0.5 }),
        linear(3),
    ];
    let traced = network(Shape::image(1, 10, 10), layers).trace().unwrap();
    let names: Vec<_> = traced.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(
        names,
        ["conv1", "norm1", "relu1", "pool1", "conv2", "prelu1", "pool2", "flatten1", "dropout1", "linear1"]
    );
    let counts = |index: usize| {
        let layer = &traced[index];
        (layer.weights, layer.biases, layer.running_statistics)
    };
    assert_eq!(counts(1), (2, 2, 4));
    assert_eq!(counts(5), (1, 0, 0));
}

#[test]
fn a_linear_layer_on_an_image_asks_for_a_flatten() {
    let error = error(Shape::image(1, 4, 4), vec![conv(Conv2d::new(2, 3)), linear(3)]);
    assert_eq!(error.to_string(), "linear1 (layer 2 of 2): expected a vector, got an image 2×2×2");
    assert_eq!(error.help.as_deref(), Some("put a `flatten` before it"));
    assert_eq!(error.input, Shape::image(2, 2, 2));
}

#[test]
fn each_misfit_names_the_layer_and_what_came() {
    let image = Shape::image(6, 4, 4);
    let cases: [(Layer, &str); 15] = [
        (conv(Conv2d::new(0, 3)), "out_channels must be at least 1, got 0"),
        (conv(Conv2d::new(4, Size2::new(3, 0))), "kernel must be at least 1, got 3×0"),
        (conv(Conv2d::new(4, 3).stride(0)), "stride must be at least 1, got 0×0"),
        (conv(Conv2d::new(4, 3).dilation(0)), "dilation must be at least 1, got 0×0"),
        (conv(Conv2d::new(4, 3).groups(0)), "groups must be at least 1, got 0"),
        (conv(Conv2d::new(8, 3).groups(4)), "groups = 4 does not divide the 6 channels that come in"),
        (conv(Conv2d::new(4, 3).groups(3)), "groups = 3 does not divide the 4 channels that go out"),
        (conv(Conv2d::new(4, 7).padding(1)), "a window of 7 does not fit in height 4 with padding 1, got 6×4×4"),
        (
            conv(Conv2d::new(4, 3).dilation(Size2::new(1, 2))),
            "a window of 3 with dilation 2 does not fit in width 4 with padding 0, got 6×4×4",
        ),
        (
            Layer::MaxPool2d(MaxPool2d { padding: Size2::square(2), ..MaxPool2d::new(3) }),
            "padding 2 is more than half of the window, 3",
        ),
        (
            Layer::MaxPool2d(MaxPool2d { padding: Size2::square(3), dilation: Size2::square(5), ..MaxPool2d::new(2) }),
            "dilation 5 with padding steps over all 4 pixels",
        ),
        (Layer::Dropout(Dropout { probability: 1.0 }), "probability must be in [0, 1), got 1"),
        (Layer::LeakyRelu { slope: f64::NAN }, "slope must be finite, got NaN"),
        (Layer::BatchNorm(BatchNorm { epsilon: 0.0, momentum: 0.1 }), "epsilon must be positive, got 0"),
        (Layer::BatchNorm(BatchNorm { epsilon: 1e-5, momentum: 0.0 }), "momentum must be in (0, 1], got 0"),
    ];
    for (layer, expected) in cases {
        let error = error(image, vec![Relu, layer]);
        assert_eq!(error.problem, expected);
        assert_eq!((error.position, error.layers), (2, 2));
        assert_eq!(error.input, image);
    }
}

#[test]
fn a_convolution_of_a_vector_is_refused() {
    let error = error(Shape::vector(784), vec![conv(Conv2d::new(2, 3))]);
    assert_eq!(error.to_string(), "conv1 (layer 1 of 1): expected an image, got a vector of 784 features");
}

#[test]
fn a_network_that_ends_in_an_image_has_no_classes() {
    let error = network(Shape::image(1, 4, 4), vec![Relu]).classes().unwrap_err();
    assert_eq!(error.to_string(), "the network ends in an image 1×4×4, expected a vector with one score a class");
}

#[test]
fn empty_networks_and_inputs_are_refused() {
    let nothing = error(Shape::vector(3), vec![]);
    assert_eq!(nothing.to_string(), "the network has no layers");
    let empty = error(Shape::image(1, 0, 4), vec![Relu]);
    assert!(empty.to_string().starts_with("the input 1×0×4 is empty"));
}

#[test]
fn numbers_too_large_are_errors() {
    let image = Shape::image(1, 1_000, 1_000);
    for layer in [
        conv(Conv2d::new(usize::MAX, 1)),
        conv(Conv2d::new(1, 1).padding(usize::MAX)),
        conv(Conv2d::new(1, usize::MAX).dilation(usize::MAX)),
        conv(Conv2d::new(3_000, 1)),
        conv(Conv2d::new(1, usize::MAX).padding(usize::MAX)),
    ] {
        assert!(network(image, vec![layer]).trace().is_err());
    }
    let error = error(Shape::vector(100_000), vec![linear(100_000)]);
    assert_eq!(
        error.to_string(),
        "linear1 (layer 1 of 1): all parameters up to here would have more than 2147483647 numbers"
    );
}

fn any_number() -> impl Strategy<Value = usize> {
    prop_oneof![0_usize..12, any::<usize>()]
}

fn any_size() -> impl Strategy<Value = Size2> {
    (any_number(), any_number()).prop_map(|(height, width)| Size2::new(height, width))
}

proptest! {
    #[test]
    fn no_convolution_overflows(
        input in (any_number(), any_number(), any_number()),
        out_channels in any_number(),
        sizes in (any_size(), any_size(), any_size(), any_size()),
        groups in any_number(),
    ) {
        let layer = Conv2d::new(out_channels, sizes.0)
            .stride(sizes.1)
            .padding(sizes.2)
            .dilation(sizes.3)
            .groups(groups);
        let input = Shape::image(input.0, input.1, input.2);
        let _ = network(input, vec![conv(layer)]).trace();
    }

    /// Every pooling window that is accepted has at least one pixel of the image under a tap.
    #[test]
    fn every_pooling_window_touches_the_image(
        input in 1_usize..10,
        kernel in 1_usize..6,
        stride in 1_usize..6,
        padding in 0_usize..6,
        dilation in 1_usize..6,
        ceil_mode: bool,
    ) {
        let window = Window { kernel, stride, padding, dilation, ceil_mode };
        if window.check_pooling_padding(input).is_ok() && let Some(count) = window.count(input) {
            for output in 0..count {
                let start = (output * stride) as isize - padding as isize;
                let touches = (0..kernel).any(|tap| {
                    (0..input as isize).contains(&(start + (tap * dilation) as isize))
                });
                prop_assert!(touches, "window {output} of {window:?} over {input}");
            }
        }
    }
}
