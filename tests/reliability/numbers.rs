//! Data and settings at the edge: right results or clear errors.

use std::fs;

use backproof_tests::{json, stderr};

use backproof_tests::small::{folder, small, train};

#[test]
fn one_image_is_a_training_set() {
    for engine in ["autodiff", "manual", "compiled"] {
        let folder = folder();
        let engine = format!("engine={engine}");
        train(folder.path(), &["data.training_images=1", "training.batch_size=1", &engine]).assert().success();
        let result = json(&small(folder.path()).join("evaluation/result.json"));
        assert_eq!(result["images"], 500);
        assert!(result["loss"].as_f64().unwrap().is_finite());
    }
}

/// A batch of one image has the variance 0 in every feature after a `flatten`.
#[test]
fn a_batch_of_one_through_batch_normalisation_of_features_stays_finite() {
    let layers = r#"model.layers=["flatten", { type = "linear", out_features = 8 }, "batch_norm", "relu", { type = "linear", out_features = 10 }]"#;
    for engine in ["autodiff", "manual", "compiled"] {
        let folder = folder();
        let engine = format!("engine={engine}");
        train(folder.path(), &[layers, "training.batch_size=1", &engine]).assert().success();
        let metrics = fs::read_to_string(small(folder.path()).join("metrics.jsonl")).unwrap();
        assert_eq!(metrics.lines().count(), 6);
        assert!(!metrics.contains("null,\"training_accuracy\""), "{metrics}");
    }
}

#[test]
fn classes_without_a_training_image_have_no_precision_and_a_recall() {
    let folder = folder();
    train(folder.path(), &["data.training_images=3", "training.batch_size=3", "data.validation_images=0"])
        .assert()
        .success();
    let result = json(&small(folder.path()).join("evaluation/result.json"));
    let classes = result["classes"].as_array().unwrap();
    assert_eq!(classes.len(), 10);
    for class in classes {
        assert_eq!(class["support"], 50);
        assert!(class["recall"].is_number(), "{class}");
    }
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    for (set, sentence) in [
        ("training.batch_size=201", "batch_size = 201 is more than the 200 training images"),
        ("training.batch_size=0", "`batch_size` should be an integer of at least 1"),
        ("data.training_images=0", "`training_images` should be an integer of at least 1"),
        ("data.validation_images=4500", "validation_images = 4500 leaves nothing to train on"),
        ("optimizer.learning_rate=nan", "`learning_rate` should be"),
        ("optimizer.learning_rate=inf", "`learning_rate` should be"),
        ("training.iterations=0", "`iterations` should be an integer of at least 1"),
        (
            r#"model.layers=["flatten", { type = "linear", out_features = 2 }]"#,
            "ends in 2 scores, and mnist-sample has 10 classes",
        ),
        (r#"model.layers=["flatten", { type = "linear", out_features = 1000 }]"#, "ends in 1000 scores"),
        (
            r#"model.layers=["flatten", { type = "linear", out_features = 9223372036854775807 }, { type = "linear", out_features = 10 }]"#,
            "would have more than 2147483647 numbers",
        ),
        (
            r#"model.layers=["flatten", { type = "linear", out_features = 1000000000 }, { type = "linear", out_features = 10 }]"#,
            "would have more than 2147483647 numbers",
        ),
        (
            r#"model.layers=[{ type = "conv2d", out_channels = 100000000, kernel = 3, padding = 1 }, "flatten", { type = "linear", out_features = 10 }]"#,
            "would have more than 2147483647 numbers",
        ),
        (
            r#"model.layers=[{ type = "conv2d", out_channels = 1, kernel = 1, padding = 1000000 }, "flatten", { type = "linear", out_features = 10 }]"#,
            "would have more than 2147483647 numbers",
        ),
    ] {
        let folder = folder();
        let text = stderr(&train(folder.path(), &[set]).assert().code(2));
        assert!(text.contains(sentence), "{set}: {text}");
        assert!(!folder.path().join("runs").exists(), "{set}");
    }
}

#[test]
fn a_run_that_diverges_says_so_with_every_loss_and_keeps_a_finite_checkpoint() {
    for loss in ["cross-entropy", "mean-squared-error", "binary-cross-entropy"] {
        for engine in ["autodiff", "manual", "compiled"] {
            let folder = folder();
            let (loss_set, engine_set) = (format!("training.loss={loss}"), format!("engine={engine}"));
            let layers = r#"model.layers=["flatten", { type = "linear", out_features = 30 }, "relu", { type = "linear", out_features = 10 }]"#;
            let set =
                ["optimizer.kind=momentum", "optimizer.learning_rate=1e36", "training.checkpoint_every=1", layers];
            let assert = train(folder.path(), &[&set[..], &[&loss_set, &engine_set]].concat()).assert().code(4);
            let text = stderr(&assert);
            assert!(text.contains("error: training diverged at iteration "), "{loss}, {engine}: {text}");
            assert_eq!(json(&small(folder.path()).join("run.json"))["status"], "diverged");
        }
    }
}
