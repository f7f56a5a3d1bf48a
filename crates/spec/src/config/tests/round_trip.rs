//! What is written reads back equal, and no text brings the reader down.

use proptest::prelude::*;

use super::{SPELLED_OUT, read};
use crate::data_set::four;
use crate::{
    Adam, Architecture, Augmentation, AvgPool2d, BatchNorm, Conv2d, Data, Dropout, Engine, Expect, Experiment, Kernels,
    Layer, Linear, Loss, MaxPool2d, Normalization, Optimizer, OptimizerKind, Schedule, Shape, Size2, Training,
    WarmStart, published,
};

fn size(range: std::ops::Range<usize>) -> impl Strategy<Value = Size2> {
    (range.clone(), range).prop_map(|(height, width)| Size2::new(height, width))
}

/// Layers that take any image of at least 2×2 to one of at least 2×2.
fn image_layer() -> impl Strategy<Value = Layer> {
    let conv = (1_usize..5, size(1..4), any::<bool>()).prop_map(|(groups, kernel, bias)| {
        let conv = Conv2d::new(groups, kernel).padding(3).stride(1);
        Layer::Conv2d(if bias { conv } else { conv.without_bias() })
    });
    let stride = prop_oneof![Just(None), Just(Some(Size2::square(1)))];
    let max = (stride.clone(), any::<bool>()).prop_map(|(stride, ceil_mode)| {
        Layer::MaxPool2d(MaxPool2d { stride, ceil_mode, dilation: Size2::new(1, 1), ..MaxPool2d::new(1) })
    });
    let average = (stride, any::<bool>(), any::<bool>()).prop_map(|(stride, ceil_mode, count_include_pad)| {
        let padding = Size2::square(1);
        Layer::AvgPool2d(AvgPool2d { kernel: Size2::new(2, 3), stride, padding, ceil_mode, count_include_pad })
    });
    prop_oneof![conv, max, average, layer_for_any_shape()]
}

fn layer_for_any_shape() -> impl Strategy<Value = Layer> {
    let finite = proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO;
    prop_oneof![
        Just(Layer::Relu),
        finite.prop_map(|slope| Layer::LeakyRelu { slope }),
        finite.prop_map(|initial_slope| Layer::Prelu { initial_slope }),
        finite.prop_map(|alpha| Layer::Elu { alpha }),
        Just(Layer::Gelu),
        Just(Layer::Sigmoid),
        Just(Layer::Tanh),
        (1e-300..1.0, 1e-9..=1.0).prop_map(|(epsilon, momentum)| Layer::BatchNorm(BatchNorm { epsilon, momentum })),
        (0.0..1.0).prop_map(|probability| Layer::Dropout(Dropout { probability })),
    ]
}

fn model(input: Shape) -> impl Strategy<Value = Architecture> {
    let published: Vec<Architecture> = published::names()
        .iter()
        .filter_map(|name| published::by_name(name))
        .filter(|network| network.input == input)
        .collect();
    let image_layers = prop::collection::vec(image_layer(), 0..4);
    let vector_layers = prop::collection::vec(layer_for_any_shape(), 0..3);
    let custom = ("[a-z][a-z0-9_-]{0,20}", image_layers, vector_layers, any::<bool>()).prop_map(
        move |(name, mut layers, vector_layers, bias)| {
            layers.push(Layer::Flatten);
            layers.extend(vector_layers);
            layers.push(Layer::Linear(Linear { out_features: 10, bias }));
            Architecture { name, input, layers }
        },
    );
    let custom = custom.prop_filter("it fits", |it| it.trace().is_ok());
    match published.is_empty() {
        true => custom.boxed(),
        false => prop_oneof![prop::sample::select(published), custom].boxed(),
    }
}

fn data() -> impl Strategy<Value = Data> {
    let images = prop::option::of(100_usize..4_000);
    let augmentation = (any::<bool>(), 0_usize..=28)
        .prop_map(|(horizontal_flip, crop_padding)| Augmentation { horizontal_flip, crop_padding });
    let normalization = prop::sample::select(Normalization::ALL.to_vec());
    let dataset = prop::sample::select(vec!["mnist-sample", "mnist", "fashion-mnist", "cifar-10"]);
    let padding = prop_oneof![Just(0), Just(2)];
    (dataset, images, 0_usize..=500, padding, normalization, augmentation).prop_map(
        |(dataset, training_images, validation_images, padding, normalization, augmentation)| Data {
            dataset: dataset.to_owned(),
            training_images,
            validation_images,
            padding,
            normalization,
            augmentation,
        },
    )
}

fn optimizer() -> impl Strategy<Value = Optimizer> {
    let schedule = prop_oneof![
        Just(Schedule::Constant),
        (1_usize.., 1e-9..=1.0).prop_map(|(every, factor)| Schedule::Step { every, factor }),
        (0.0..=1.0).prop_map(|final_fraction| Schedule::Cosine { final_fraction }),
    ];
    (optimizer_kind(), 1e-300..1e300, 0.0..1e10, 0_usize..100, schedule).prop_map(
        |(kind, learning_rate, weight_decay, warmup, schedule)| Optimizer {
            kind,
            learning_rate,
            weight_decay,
            warmup,
            schedule,
        },
    )
}

fn optimizer_kind() -> impl Strategy<Value = OptimizerKind> {
    let epsilon = || 1e-300..1.0;
    let adam = (0.0..1.0, 0.0..1.0, epsilon(), any::<bool>()).prop_map(|(beta_1, beta_2, epsilon, amsgrad)| Adam {
        beta_1,
        beta_2,
        epsilon,
        amsgrad,
    });
    prop_oneof![
        (0.0..1.0).prop_map(|momentum| OptimizerKind::Momentum { momentum }),
        (1e-9..1.0, 0.0..=1.0, any::<bool>()).prop_map(|(momentum, dampening, nesterov)| {
            let dampening = if nesterov { 0.0 } else { dampening };
            OptimizerKind::Sgd { momentum, dampening, nesterov }
        }),
        (0.0..1e10, epsilon())
            .prop_map(|(learning_rate_decay, epsilon)| OptimizerKind::AdaGrad { learning_rate_decay, epsilon }),
        (0.0..1.0, 0.0..1.0, epsilon(), any::<bool>()).prop_map(|(smoothing, momentum, epsilon, centered)| {
            OptimizerKind::RmsProp { smoothing, momentum, epsilon, centered }
        }),
        adam.clone().prop_map(OptimizerKind::Adam),
        adam.prop_map(OptimizerKind::AdamW),
    ]
}

fn training() -> impl Strategy<Value = Training> {
    let loss = prop::sample::select(Loss::ALL.to_vec());
    (loss, 100_usize.., 1_usize..100, 1_usize.., 1_usize.., 1_usize..).prop_map(
        |(loss, iterations, batch_size, report_every, validate_every, checkpoint_every)| Training {
            loss,
            iterations,
            batch_size,
            report_every,
            validate_every,
            checkpoint_every,
        },
    )
}

fn warm_start() -> impl Strategy<Value = Option<WarmStart>> {
    let warm_start = ("\\PC{1,20}", any::<bool>(), any::<bool>()).prop_map(|(init_from, freeze, resize)| WarmStart {
        init_from,
        freeze,
        resize,
    });
    prop::option::of(warm_start)
}

fn experiment() -> impl Strategy<Value = Experiment> {
    let expect = prop::option::of((0.0..=1.0).prop_map(|test_accuracy| Expect { test_accuracy }));
    let all = Engine::ALL.into_iter().flat_map(|engine| Kernels::ALL.map(|kernels| (engine, kernels)));
    let valid = all.filter(|&it| it != (Engine::Compiled, Kernels::Off)).collect::<Vec<_>>();
    let head = ("[A-Za-z0-9_-]{1,64}", any::<u64>(), prop::sample::select(valid));
    data()
        .prop_flat_map(|data| (Just(data.clone()), model(data.padded(four().by_name(&data.dataset).unwrap().shape))))
        .prop_flat_map(move |(data, model)| {
            (head.clone(), Just(data), Just(model), warm_start(), optimizer(), training(), expect.clone()).prop_map(
                |((name, seed, (engine, kernels)), data, model, warm_start, optimizer, training, expect)| Experiment {
                    name,
                    seed,
                    engine,
                    kernels,
                    data,
                    model,
                    warm_start,
                    optimizer,
                    training,
                    expect,
                },
            )
        })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_equal(experiment in experiment()) {
        let text = experiment.to_toml();
        match read(&text, &[]) {
            Ok(back) => prop_assert_eq!(back, experiment),
            Err(error) => prop_assert!(false, "{}\n{}", error, text),
        }
    }

    #[test]
    fn no_bytes_bring_the_reader_down(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = read(&text, &[]).map_err(|error| error.to_string());
    }

    #[test]
    fn no_text_brings_the_reader_down(text in "\\PC*", over in "\\PC*", path in "[a-z.=\\[\\]\"{} 0-9]*") {
        let _ = read(&text, &[&over, &path]).map_err(|error| error.to_string());
        let _ = read(SPELLED_OUT, &[&over]).map_err(|error| error.to_string());
        let _ = read(SPELLED_OUT, &[&path]).map_err(|error| error.to_string());
    }

    /// A good config with a piece of it replaced by another or by noise is the hardest to tell from a good one.
    #[test]
    fn no_damage_brings_the_reader_down(
        start in 0..SPELLED_OUT.len(),
        length in 0_usize..40,
        piece in 0..SPELLED_OUT.len(),
        noise in "\\PC{0,5}",
    ) {
        let end = (start + length).min(SPELLED_OUT.len());
        let copied = &SPELLED_OUT[piece..(piece + length).min(SPELLED_OUT.len())];
        for middle in [copied, &noise, "9223372036854775807", "[[[", "\"\"\"", "\u{feff}"] {
            let text = format!("{}{middle}{}", &SPELLED_OUT[..start], &SPELLED_OUT[end..]);
            let _ = read(&text, &[]).map_err(|error| error.to_string());
        }
    }
}

#[test]
fn equal_experiments_have_equal_hashes_and_others_do_not() {
    let hash = |overrides: &[&str]| read(SPELLED_OUT, overrides).unwrap().hash();
    assert_eq!(hash(&[]), hash(&["training.batch_size=16"])); // the default, written out
    assert_ne!(hash(&[]), hash(&["seed=8"]));
    assert_eq!(hash(&[]).len(), 8);
    assert!(hash(&[]).chars().all(|c| c.is_ascii_hexdigit()));
}
