//! What is written reads back equal, and no text brings the reader down.

use proptest::prelude::*;

use super::layers::any_layer;
use super::{SPELLED_OUT, read};
use crate::data_set::four;
use crate::{
    Adam, Architecture, Augmentation, Averages, ClassWeights, Clipping, CropBorder, Data, EarlyStopping, Engine,
    Expect, Experiment, FlattenSpec, ImageSource, Kernels, LayerSpec, LinearSpec, Lookahead, Loss, Normalization,
    Optimizer, OptimizerKind, Order, ParameterGroup, Schedule, Shape, Training, Update, UpdateRule, Views, WarmStart,
    Watch, WeightAverage, published,
};

/// Those of `layers` that fit what the ones before them give.
fn those_that_fit(layers: Vec<LayerSpec>, mut shape: Shape) -> Vec<LayerSpec> {
    let fits = |layer: &LayerSpec| {
        // It would have to be the first.
        if matches!(layer, LayerSpec::Conv2d(conv) if conv.is_whitening()) {
            return false;
        }
        let alone = Architecture { name: "one".to_owned(), input: shape, layers: vec![layer.clone()] };
        alone.trace().map(|traced| shape = traced[0].output).is_ok()
    };
    layers.into_iter().filter(fits).collect()
}

fn model(input: Shape) -> impl Strategy<Value = Architecture> {
    let published: Vec<Architecture> = published::names()
        .iter()
        .filter_map(|name| published::by_name(name))
        .filter(|network| network.input == input)
        .collect();
    let custom = ("[a-z][a-z0-9_-]{0,20}", prop::collection::vec(any_layer(), 0..12), any::<bool>()).prop_map(
        move |(name, layers, bias)| {
            let mut layers = those_that_fit(layers, input);
            layers.extend([
                LayerSpec::Flatten(FlattenSpec),
                LayerSpec::Linear(LinearSpec { bias, ..LinearSpec::new(10) }),
            ]);
            Architecture { name, input, layers }
        },
    );
    match published.is_empty() {
        true => custom.boxed(),
        false => prop_oneof![prop::sample::select(published), custom].boxed(),
    }
}

fn data() -> impl Strategy<Value = Data> {
    let images = prop::option::of(100_usize..4_000);
    let flips = prop::sample::select(vec![[false, false], [true, false], [false, true]]);
    let border = prop::sample::select(CropBorder::ALL.to_vec());
    let colour = || prop_oneof![Just(0.0), 0.0..1.0_f64];
    let mixing = prop_oneof![
        Just((0.0, 0.0)),
        (1e-9..1e9_f64).prop_map(|mixup| (mixup, 0.0)),
        (1e-9..1e9_f64).prop_map(|cutmix| (0.0, cutmix))
    ];
    let augmentation = (flips, 0_usize..=27, border, 0_usize..=16, colour(), colour(), mixing).prop_map(
        |([horizontal_flip, alternating_flip], crop_padding, border, cutout, brightness, contrast, mixing)| {
            Augmentation {
                horizontal_flip,
                alternating_flip,
                crop_padding,
                crop_border: if crop_padding == 0 { CropBorder::Black } else { border },
                cutout,
                brightness,
                contrast,
                mixup: mixing.0,
                cutmix: mixing.1,
            }
        },
    );
    let normalization = prop::sample::select(Normalization::ALL.to_vec());
    let dataset = prop::sample::select(vec!["mnist-sample", "mnist", "fashion-mnist", "cifar-10"]);
    let padding = prop_oneof![Just(0), Just(2)];
    let order = prop::sample::select(Order::ALL.to_vec());
    (dataset, images, 0_usize..=500, padding, normalization, order, augmentation).prop_map(
        |(dataset, training_images, validation_images, padding, normalization, order, augmentation)| Data {
            images: ImageSource::DataSet(dataset.to_owned()),
            training_images,
            validation_images,
            padding,
            normalization,
            order: if augmentation.alternating_flip { Order::Epochs } else { order },
            augmentation,
        },
    )
}

fn optimizer() -> impl Strategy<Value = Optimizer> {
    let clipping = prop_oneof![
        (1e-9..1e9).prop_map(|most| Clipping::Norm { most }),
        (1e-9..1e9).prop_map(|most| Clipping::Value { most })
    ];
    let lookahead = (1_usize.., 1e-9..=1.0).prop_map(|(every, share)| Lookahead { every, share });
    let group = (update_rule(), prop::option::of(100_usize..), prop::option::of(1_usize..100)).prop_map(
        |(rule, frozen_from, frozen_until)| ParameterGroup {
            parameters: vec!["*".to_owned(), "linear?.w[a-e]ight".to_owned()],
            rule,
            frozen_from,
            frozen_until,
        },
    );
    let groups = prop::collection::vec(group, 0..3);
    (update_rule(), groups, prop::option::of(clipping), prop::option::of(lookahead))
        .prop_map(|(rule, groups, clipping, lookahead)| Optimizer { rule, groups, clipping, lookahead })
}

fn update_rule() -> impl Strategy<Value = UpdateRule> {
    let schedule = prop_oneof![
        Just(Schedule::Constant),
        (1_usize.., 1e-9..=1.0).prop_map(|(every, factor)| Schedule::Step { every, factor }),
        (0.0..=1.0).prop_map(|final_fraction| Schedule::Cosine { final_fraction }),
        (0.0..=1.0).prop_map(|final_fraction| Schedule::Linear { final_fraction }),
        (0.0..=1.0, 0.0..=1.0, 0.0..=1.0).prop_map(|(rise, initial_fraction, final_fraction)| Schedule::OneCycle {
            rise,
            initial_fraction,
            final_fraction
        }),
    ];
    (optimizer_kind(), 1e-300..1e300, 0.0..1e10, 0_usize..100, schedule).prop_map(
        |(kind, learning_rate, weight_decay, warmup, schedule)| UpdateRule {
            kind,
            learning_rate,
            weight_decay,
            warmup: if matches!(schedule, Schedule::OneCycle { .. }) { 0 } else { warmup },
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
        (0.0..1.0, prop::sample::select(Update::ALL.to_vec()))
            .prop_map(|(momentum, update)| OptimizerKind::Momentum { momentum, update }),
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
    let watch = prop::sample::select(Watch::ALL.to_vec());
    let early_stopping =
        (watch, 1_usize.., 0.0..1e10, any::<bool>()).prop_map(|(watch, patience, least_change, restore_best)| {
            EarlyStopping { watch, patience, least_change, restore_best }
        });
    let early_stopping = prop::option::of(early_stopping);
    let averages = prop::sample::select(Averages::ALL.to_vec());
    let every = (1_usize.., 1_usize.., 1_usize.., any::<usize>());
    let keep = prop::collection::btree_set(any::<usize>(), 0..4).prop_map(|kept| kept.into_iter().collect());
    let every = (every, keep);
    // A weight for each of the ten classes, and both with the cross-entropy alone.
    let weights =
        prop_oneof![Just(ClassWeights::Balanced), prop::collection::vec(1e-9..1e9, 10).prop_map(ClassWeights::Each)];
    let average = prop::option::of((0.0..1.0).prop_map(|decay| WeightAverage { decay }));
    let softened = prop::option::of((0.0..1.0, prop::option::of(weights)));
    (loss, softened, 100_usize.., 1_usize..100, every, averages, early_stopping, average).prop_map(
        |(loss, softened, iterations, batch_size, every, averages, early_stopping, weight_average)| Training {
            loss: if softened.is_some() { Loss::CrossEntropy } else { loss },
            label_smoothing: softened.as_ref().map_or(0.0, |(smoothing, _)| *smoothing),
            class_weights: softened.and_then(|(_, weights)| weights),
            iterations,
            batch_size,
            report_every: every.0.0,
            validate_every: every.0.1,
            checkpoint_every: every.0.2,
            layers_every: every.0.3,
            keep: every.1,
            averages,
            early_stopping,
            weight_average,
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
    let views = prop::sample::select(Views::ALL.to_vec());
    let head =
        ("[A-Za-z0-9_-]{1,64}", any::<u64>(), prop::sample::select(valid), (views, any::<usize>(), any::<bool>()));
    data()
        .prop_flat_map(|data| {
            (Just(data.clone()), model(data.padded(four().by_name(data.images.name()).unwrap().shape)))
        })
        .prop_flat_map(move |(data, model)| {
            (head.clone(), Just(data), Just(model), warm_start(), optimizer(), training(), expect.clone()).prop_map(
                |(
                    (name, seed, (engine, kernels), (views, explained_images, check_gradients)),
                    data,
                    model,
                    warm_start,
                    optimizer,
                    mut training,
                    expect,
                )| {
                    // Without validation images there is only the training loss to watch.
                    let rule = training.early_stopping.as_mut().filter(|_| data.validation_images == 0);
                    if let Some(rule) = rule {
                        rule.watch = Watch::TrainingLoss;
                    }
                    Experiment {
                        name,
                        seed,
                        engine,
                        kernels,
                        data,
                        model,
                        warm_start,
                        optimizer,
                        training,
                        views,
                        explained_images,
                        check_gradients,
                        expect,
                    }
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
