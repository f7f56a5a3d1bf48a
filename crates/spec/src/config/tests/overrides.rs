//! `--set key.path=value`.

use super::{SPELLED_OUT, read};
use crate::{LayerSpec, OptimizerKind, Schedule, Size2, TanhSpec, WarmStart, published};

#[track_caller]
fn expect(overrides: &[&str], expected: &str) {
    let error = read(SPELLED_OUT, overrides).unwrap_err().to_string();
    assert_eq!(error, expected, "\n{error}");
}

#[test]
fn values_are_toml_or_else_bare_strings() {
    let overrides = [
        "data.dataset=fashion-mnist",
        "optimizer.learning_rate=1e-3",
        "name = \"quoted\"",
        " training . batch_size = 8 ",
        "optimizer.schedule={ type = \"step\", every = 10, factor = 0.5 }",
        "expect.test_accuracy=0.5",
    ];
    let experiment = read(SPELLED_OUT, &overrides).unwrap();
    assert_eq!(experiment.data.images.name(), "fashion-mnist");
    assert_eq!(experiment.optimizer.rule.learning_rate, 1e-3);
    assert_eq!(experiment.name, "quoted");
    assert_eq!(experiment.training.batch_size, 8);
    assert_eq!(experiment.optimizer.rule.schedule, Schedule::Step { every: 10, factor: 0.5 });
    assert_eq!(experiment.expect.unwrap().test_accuracy, 0.5);
}

#[test]
fn a_key_that_is_a_string_takes_the_text_as_it_is() {
    for name in ["42", "1.5", "2024-01-01", "true", "0x2A", "007", "1_000", "inf", "nan", "-1", "1e3"] {
        let experiment = read(SPELLED_OUT, &[&format!("name={name}")]).unwrap();
        assert_eq!(experiment.name, name);
        let quoted = read(SPELLED_OUT, &[&format!("name='{name}'")]).unwrap();
        assert_eq!(quoted.name, name);
    }
    for path in ["2024", "1.5", "07:30", "[old]/latest", "{a,b}", "runs/a = b", "runs/a # b", "[1, 2]"] {
        let experiment = read(SPELLED_OUT, &[&format!("model.init_from={path}")]).unwrap();
        assert_eq!(experiment.warm_start.unwrap().init_from, path);
    }
    for (given, message) in [
        ("name=[1]", "`name` should be a name of 1 to 64 letters, digits, `-`, `_` or `.`, got the string \"[1]\""),
        ("engine=1", "unknown value `1` for `engine`"),
        ("kernels=false", "unknown value `false` for `kernels`"),
        ("data.dataset=10", "unknown value `10` for `dataset`"),
        ("optimizer.kind=2024-01-01", "unknown value `2024-01-01` for `kind`"),
        ("model.name=42", "unknown network `42`"),
    ] {
        let error = read(SPELLED_OUT, &[given]).unwrap_err();
        assert_eq!(error.diagnostics()[0].message, message);
    }
}

#[test]
fn the_last_override_of_a_key_wins() {
    let experiment = read(SPELLED_OUT, &["seed=2", "seed=3"]).unwrap();
    assert_eq!(experiment.seed, 3);
}

#[test]
fn a_type_alone_takes_further_keys() {
    let experiment = read(SPELLED_OUT, &["optimizer.schedule.final_fraction=0.1"]).unwrap();
    assert_eq!(experiment.optimizer.rule.schedule, Schedule::Cosine { final_fraction: 0.1 });
}

#[test]
fn a_published_name_replaces_layers() {
    let experiment = read(SPELLED_OUT, &["model.name=mnist-baseline"]).unwrap();
    assert_eq!(experiment.model, published::mnist_baseline());
    // And in what a run keeps, where name and layers stand together.
    let overrides = ["model.name=cifar-baseline", "data.dataset=cifar-10"];
    let experiment = read(&experiment.to_toml(), &overrides).unwrap();
    assert_eq!(experiment.model, published::cifar_baseline());
}

#[test]
fn layers_are_counted_from_zero_and_lose_the_published_name() {
    let kept = read(SPELLED_OUT, &["model.name=mnist-baseline"]).unwrap().to_toml();
    let experiment = read(&kept, &["model.layers.3.kernel=[3, 5]", "model.layers.1=tanh"]).unwrap();
    assert_eq!(experiment.model.name, "custom");
    assert_eq!(experiment.model.layers[1], LayerSpec::Tanh(TanhSpec));
    let LayerSpec::Conv2d(conv) = &experiment.model.layers[3] else { panic!("{:?}", experiment.model) };
    assert_eq!(conv.kernel, Size2::new(3, 5));
}

#[test]
fn another_network_keeps_the_warm_start() {
    let overrides = ["model.init_from=runs/a/latest", "model.freeze=true", "model.name=mnist-baseline"];
    let experiment = read(SPELLED_OUT, &overrides).unwrap();
    let warm_start = WarmStart { init_from: "runs/a/latest".to_owned(), freeze: true, resize: false };
    assert_eq!((experiment.model, experiment.warm_start), (published::mnist_baseline(), Some(warm_start)));
}

#[test]
fn another_optimizer_drops_the_keys_of_the_one_in_the_file() {
    let kept = read(SPELLED_OUT, &["optimizer.weight_decay=0.5"]).unwrap().to_toml();
    let experiment = read(&kept, &["optimizer.kind=adagrad"]).unwrap();
    let kind = OptimizerKind::AdaGrad { learning_rate_decay: 0.0, epsilon: 1e-10 };
    assert_eq!((experiment.optimizer.rule.kind, experiment.optimizer.rule.weight_decay), (kind, 0.5));
    expect(
        &["optimizer.momentum=0.5", "optimizer.kind=adagrad"],
        "\
`momentum` is not a key of the optimizer `adagrad`
  --> --set optimizer.momentum=0.5
                      ^^^^^^^^
help: it is one of `momentum`, `sgd`, `rmsprop`, `muon`; `adagrad` has `learning_rate_decay`, `epsilon`, `weight_decay`",
    );
}

#[test]
fn errors_name_the_override() {
    expect(
        &["seed=3", "optimizer.learn_rate=3"],
        "\
unknown key `learn_rate` in [optimizer]
  --> --set optimizer.learn_rate=3
                      ^^^^^^^^^^
help: did you mean `learning_rate`?",
    );
    expect(
        &["optimizer.learning_rate=-3"],
        "\
`learning_rate` should be a number above 0, got -3
  --> --set optimizer.learning_rate=-3
                                    ^^",
    );
    expect(
        &["data.dataset=minst"],
        "\
unknown value `minst` for `dataset`
  --> --set data.dataset=minst
                         ^^^^^
help: did you mean `mnist`?",
    );
    expect(
        &["model.layers.0.kernel=77"],
        "\
conv1 (layer 1 of 4): a window of 77 does not fit in height 28 with padding 2, got 1×28×28
  --> --set model.layers.0.kernel=77
            ^^^^^^^^^^^^^^^^^^^^^^^^
help: use a smaller kernel, more padding, or less pooling before it",
    );
    expect(
        &["model.name=cifar-basline"],
        "\
unknown network `cifar-basline`
  --> --set model.name=cifar-basline
                       ^^^^^^^^^^^^^
help: did you mean `cifar-baseline`?",
    );
}

#[test]
fn malformed_overrides_are_errors() {
    for (text, expected) in [
        ("seed", "an override is `key.path=value`, and this has no `=`"),
        ("=3", "`` is not a key"),
        ("data..x=3", "`` is not a key"),
        ("model.layers=[1", "unclosed array, expected `]`"),
        ("model.layers.7.kernel=1", "`layers` has 4 items, counted from 0; there is no `7`"),
        ("seed.x=1", "`seed` is a value and has no keys"),
        ("seed=1\nname = \"b\"", "`seed` should be an integer of at least 0, got the string"),
    ] {
        let error = read(SPELLED_OUT, &[text]).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
        assert!(error.contains("--> --set "), "{text}: {error}");
    }
}
