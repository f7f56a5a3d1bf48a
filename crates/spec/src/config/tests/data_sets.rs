//! Data sets that this crate does not know, and those that a program gives it.

use super::{SPELLED_OUT, changed};
use crate::{DataSet, DataSets, Experiment, Shape, Views, defaults, schema};

fn letters() -> DataSet {
    DataSet {
        name: "letters".to_owned(),
        shape: Shape::image(1, 20, 24),
        class_names: ["a", "b", "c"].map(str::to_owned).to_vec(),
        training_images: 900,
        test_images: 90,
        validation_images: None,
    }
}

/// `letters`, and `folder`, of which nothing is known before its files are read.
fn two() -> DataSets {
    DataSets::of([("letters".to_owned(), Some(letters())), ("folder".to_owned(), None)])
}

fn read(text: &str, data_sets: &DataSets) -> Result<Experiment, String> {
    Experiment::from_toml("a.toml", text, &[], data_sets).map_err(|error| error.to_string())
}

fn of_letters() -> String {
    changed("dataset = \"mnist\"", "dataset = \"letters\"")
        .replace("[1, 28, 28]", "[1, 20, 24]")
        .replace("= 10 }", "= 3 }")
}

#[test]
fn a_network_for_three_classes_and_images_that_are_not_square_is_valid_for_such_a_data_set() {
    let experiment = read(&of_letters(), &two()).unwrap();
    assert_eq!((experiment.data.images.name(), experiment.model.classes()), ("letters", Ok(3)));
    assert_eq!(read(&experiment.to_toml(), &two()).unwrap(), experiment);
}

#[test]
fn a_published_network_has_the_classes_of_a_data_set_whose_images_it_takes() {
    let data_set = |name: &str, shape| DataSet { name: name.to_owned(), shape, ..letters() };
    let sets = [("three", Shape::image(1, 28, 28)), ("padded", Shape::image(1, 24, 24)), ("other", letters().shape)]
        .map(|(name, shape)| (name.to_owned(), Some(data_set(name, shape))));
    let named = |data: &str| {
        let text = format!(
            "[data]\n{data}\nvalidation_images = 0\n[model]\nname = \"mnist-baseline\"\n\
             [optimizer]\nlearning_rate = 0.1\n[training]\niterations = 10\n"
        );
        read(&text, &DataSets::of(sets.clone()))
    };
    for (data, name) in [("dataset = \"three\"", "three"), ("dataset = \"padded\"\npadding = 2", "padded")] {
        let experiment = named(data).unwrap();
        assert_eq!((experiment.model.name.as_str(), experiment.model.classes()), ("mnist-baseline-1x28x28-3", Ok(3)));
        assert_eq!(experiment.data.images.name(), name);
        assert_eq!(read(&experiment.to_toml(), &DataSets::of(sets.clone())).unwrap(), experiment);
    }
    let error = named("dataset = \"other\"").unwrap_err();
    assert!(error.starts_with("`mnist-baseline` takes images of 1×28×28, and other has 1×20×24\n"), "{error}");
}

/// A data set of shape `shape`, and a config of a network for it with `views`.
fn looked_at(shape: Shape, views: &str) -> Result<Experiment, String> {
    let data_set = DataSet {
        name: "small".to_owned(),
        shape,
        class_names: ["a", "b"].map(str::to_owned).to_vec(),
        training_images: 100,
        test_images: 10,
        validation_images: None,
    };
    let flatten = if matches!(shape, Shape::Image { .. }) { "\"flatten\"," } else { "" };
    let text = format!(
        "[data]\ndataset = \"small\"\nvalidation_images = 0\n[evaluation]\nviews = \"{views}\"\n[model]\ninput = {:?}\n\
         layers = [{flatten} {{ type = \"linear\", out_features = 2 }}]\n[optimizer]\nlearning_rate = 0.1\n\
         [training]\niterations = 10\n",
        shape.dimensions()
    );
    read(&text, &DataSets::of([("small".to_owned(), Some(data_set))]))
}

#[test]
fn views_need_images_that_have_them() {
    let error = looked_at(Shape::vector(12), "mirror").unwrap_err();
    let expected = "\
views = \"mirror\" needs images, and small has vectors of 12 features
  --> a.toml:5:9
   |
 5 | views = \"mirror\"
   |         ^^^^^^^^
help: leave out `views`, or use `views = \"one\"`";
    assert_eq!(error, expected);
    for shape in [Shape::vector(12), Shape::image(3, 1, 5), Shape::image(3, 5, 1)] {
        let error = looked_at(shape, "six").unwrap_err();
        let found =
            if shape == Shape::vector(12) { "vectors of 12 features".to_owned() } else { format!("images of {shape}") };
        let expected = format!("views = \"six\" needs images of at least 2×2 pixels, and small has {found}\n");
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!(looked_at(shape, "one").unwrap().views, Views::One);
    }
    assert_eq!(looked_at(Shape::image(3, 1, 5), "mirror").unwrap().views, Views::Mirror);
    let six = looked_at(Shape::image(3, 2, 2), "six").unwrap();
    assert!(six.views == Views::Six && six.to_toml().ends_with("\n[evaluation]\nviews = \"six\"\n"));
}

#[test]
fn classes_images_and_numbers_are_those_of_the_data_set_that_was_given() {
    let error = read(&of_letters().replace("= 3 }", "= 10 }"), &two()).unwrap_err();
    assert_eq!(
        error,
        "\
`custom` ends in 10 scores, and letters has 3 classes
   --> a.toml:10:5
    |
 10 |     { type = \"linear\", out_features = 10 },
    |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: end it with a `linear` layer of 3 features",
    );
    let error = read(&of_letters().replace("[1, 20, 24]", "[1, 24, 28]"), &two()).unwrap_err();
    assert!(error.starts_with("`custom` takes images of 1×24×28, and letters has 1×20×24\n"), "{error}");
    assert!(error.ends_with("help: `padding = 2` under [data] makes the images of letters 1×24×28"), "{error}");
    let error = read(&of_letters().replace("[1, 20, 24]", "[1, 28, 28]"), &two()).unwrap_err();
    assert!(error.ends_with("help: no published network takes 1×20×24: `name = \"auto\"` fits one to it"), "{error}");
    let error = read(&of_letters().replace("\"letters\"", "\"letters\"\nvalidation_images = 900"), &two()).unwrap_err();
    assert!(error.contains("leaves nothing to train on: letters has 900 training images"), "{error}");
}

#[test]
fn a_data_set_that_is_not_listed_is_an_error_only_where_there_is_a_list() {
    let error = read(SPELLED_OUT, &two()).unwrap_err();
    assert!(error.starts_with("unknown value `mnist` for `dataset`\n"), "{error}");
    assert!(error.ends_with("help: valid values: `letters`, `folder`"), "{error}");
    assert_eq!(read(SPELLED_OUT, &DataSets::any()).unwrap().data.images.name(), "mnist");
    let error = read(&changed("\"mnist\"", "\"../mnist\""), &DataSets::any()).unwrap_err();
    assert!(error.starts_with("`dataset` should be a name of 1 to 64 letters"), "{error}");
}

#[test]
fn what_is_known_only_later_is_checked_then() {
    let of_folder = SPELLED_OUT.replace("\"mnist\"", "\"folder\"");
    let experiment = read(&of_folder, &two()).unwrap();
    assert_eq!(read(&of_folder, &DataSets::any()).unwrap(), experiment);
    let found = DataSet { name: "folder".to_owned(), ..letters() };
    let error = experiment.check_data_set(&found).unwrap_err().to_string();
    assert!(error.starts_with("`custom` takes images of 1×28×28, and folder has 1×20×24\n"), "{error}");
    assert!(error.contains("error: `custom` ends in 10 scores, and folder has 3 classes\n"), "{error}");
    let ten = (0..10).map(|class| class.to_string()).collect();
    let fitting = DataSet { shape: Shape::image(1, 28, 28), class_names: ten, ..found };
    assert!(experiment.check_data_set(&fitting).is_ok());
}

#[test]
fn the_defaults_and_the_schema_list_the_data_sets_that_there_are() {
    assert!(defaults(&two()).contains("# The data set: letters, folder. Required.\n"), "{}", defaults(&two()));
    assert!(defaults(&DataSets::any()).contains("# The data set. Required.\n"));
    let words = |data_sets: &DataSets| {
        let schema: serde_json::Value = serde_json::from_str(&schema(data_sets)).unwrap();
        schema["properties"]["data"]["properties"]["dataset"].clone()
    };
    assert_eq!(words(&two())["enum"], serde_json::json!(["letters", "folder"]));
    assert_eq!(words(&DataSets::any())["type"], "string");
}

#[test]
fn epochs_count_the_batches_of_what_is_left_to_train_on() {
    let text = of_letters()
        .replace("\"letters\"", "\"letters\"\nvalidation_images = 100")
        .replace("iterations = 100", "epochs = 3\nbatch_size = 64");
    // 800 images make 13 batches of 64.
    let experiment = read(&text, &two()).unwrap();
    assert_eq!(experiment.training.iterations, 39);
    assert!(experiment.to_toml().contains("iterations = 39\n"), "a run folder has the iterations");
    let limited = text.replace("validation_images", "training_images = 128\nvalidation_images");
    assert_eq!(read(&limited, &two()).unwrap().training.iterations, 6);
    // An override takes the place of the other key.
    let set = |overrides: &[&str]| {
        let overrides: Vec<String> = overrides.iter().map(|&it| it.to_owned()).collect();
        Experiment::from_toml("a.toml", &text, &overrides, &two()).map(|experiment| experiment.training.iterations)
    };
    assert_eq!(set(&["training.iterations=7"]).unwrap(), 7);
    assert_eq!(set(&["training.iterations=7", "training.epochs=2"]).unwrap(), 26);

    let error = read(&text.replace("\"letters\"", "\"folder\""), &two()).unwrap_err();
    assert!(error.starts_with("the number of images of `folder` is not known before its files are read\n"), "{error}");
    assert!(error.ends_with("help: give `iterations` in place of `epochs`"), "{error}");
}

#[test]
fn early_stopping_that_watches_a_validation_needs_validation_images() {
    let text = of_letters()
        .replace("\"letters\"", "\"letters\"\nvalidation_images = 0")
        .replace("iterations = 100", "iterations = 100\nearly_stopping = { watch = \"validation-loss\" }");
    let error = read(&text, &two()).unwrap_err();
    assert!(error.starts_with("watch = \"validation-loss\" needs validation images, and there are none\n"), "{error}");
    assert!(read(&text.replace("validation-loss", "training-loss"), &two()).is_ok());
    assert!(read(&text.replace("validation_images = 0", ""), &two()).is_ok());
}
