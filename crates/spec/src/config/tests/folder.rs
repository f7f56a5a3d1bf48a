//! Folders of images, which a program looks into for this crate.

use crate::{Color, DataSet, DataSets, Experiment, FolderFault, ImageFolder, ImageSource, Resize, Shape, Size2};

/// What a program says of a folder: three classes, of which `divided` has a validation part.
fn look(folder: &ImageFolder) -> Result<DataSet, FolderFault> {
    if folder.path == "none" {
        let help = Some("did you mean `nine`?".to_owned());
        return Err(FolderFault { message: "`none` is not there".to_owned(), help });
    }
    Ok(DataSet {
        name: folder.name().to_owned(),
        shape: folder.shape(),
        class_names: ["a", "b", "c"].map(str::to_owned).to_vec(),
        training_images: 130,
        test_images: 20,
        validation_images: (folder.path == "divided").then_some(30),
    })
}

pub(super) fn config(data: &str, model: &str) -> Result<Experiment, String> {
    let text = format!(
        "[data]\n{data}\n[model]\n{model}\n[optimizer]\nlearning_rate = 0.1\n[training]\nepochs = 2\nbatch_size = 10\n"
    );
    let data_sets = crate::data_set::four().looking(look);
    Experiment::from_toml("a.toml", &text, &[], &data_sets).map_err(|error| error.to_string())
}

fn folder(experiment: &Experiment) -> &ImageFolder {
    experiment.data.images.folder().unwrap()
}

#[test]
fn what_a_folder_does_not_say_follows_from_the_network_and_from_what_is_there() {
    let experiment = config("folder = \"my/leaves\"", "name = \"cifar-baseline\"").unwrap();
    assert_eq!(
        *folder(&experiment),
        ImageFolder {
            path: "my/leaves".to_owned(),
            size: Size2::square(32),
            channels: 3,
            resize: Resize::Crop,
            background: Color::WHITE,
            test_fraction: 0.2,
            skip_unreadable: false,
        }
    );
    assert_eq!(experiment.data.images.name(), "leaves");
    // A tenth of 130; twelve batches of the other 117, twice.
    assert_eq!((experiment.data.validation_images, experiment.training.iterations), (13, 24));
    assert_eq!((experiment.model.name.as_str(), experiment.model.classes()), ("cifar-baseline-3x32x32-3", Ok(3)));
    let written = Experiment::from_toml("b.toml", &experiment.to_toml(), &[], &DataSets::any()).unwrap();
    assert_eq!(written, experiment);
    assert_eq!(
        Experiment::from_toml("b.toml", &experiment.to_toml(), &[], &DataSets::any().looking(look)).unwrap(),
        experiment
    );
}

#[test]
fn every_key_of_a_folder_is_taken() {
    let keys = "folder = \"a\"\nsize = [48, 64]\nchannels = 1\nresize = \"pad\"\nbackground = \"#102030\"\n\
                test_fraction = 0.3\nvalidation_fraction = 0.5\nskip_unreadable = true\npadding = 2";
    let experiment = config(keys, "name = \"mnist-baseline\"").unwrap();
    let found = folder(&experiment);
    assert_eq!((found.size, found.channels, found.resize), (Size2::new(48, 64), 1, Resize::Pad));
    assert_eq!((found.background, found.test_fraction, found.skip_unreadable), (Color([16, 32, 48]), 0.3, true));
    assert_eq!((experiment.data.validation_images, experiment.model.input), (65, Shape::image(1, 52, 68)));
    let written = Experiment::from_toml("b.toml", &experiment.to_toml(), &[], &DataSets::any()).unwrap();
    assert_eq!(written, experiment);
    // 28×28 pixels and two around them are the 32×32 of the network.
    let padded = config("folder = \"a\"\npadding = 2", "name = \"lenet-5\"").unwrap();
    assert_eq!((folder(&padded).size, padded.model.input), (Size2::square(28), Shape::image(1, 32, 32)));
}

#[test]
fn the_validation_part_is_the_number_the_folder_or_a_share() {
    let validation =
        |keys: &str| config(&format!("folder = {keys}"), "name = \"cifar-baseline\"").unwrap().data.validation_images;
    assert_eq!(validation("\"divided\""), 30);
    assert_eq!(validation("\"divided\"\nvalidation_fraction = 0.5"), 30);
    assert_eq!(validation("\"divided\"\nvalidation_images = 7"), 7);
    assert_eq!(validation("\"a\"\nvalidation_fraction = 0"), 0);
}

#[test]
fn what_is_wrong_with_a_folder_is_told_where_it_is_named() {
    let cifar = "name = \"cifar-baseline\"";
    let mlp = "input = [784]\nlayers = [{ type = \"linear\", out_features = 3 }]";
    let four = "input = [4, 8, 8]\nlayers = [\"flatten\", { type = \"linear\", out_features = 3 }]";
    let ten = "input = [3, 8, 8]\nlayers = [\"flatten\", { type = \"linear\", out_features = 10 }]";
    for (data, model, expected) in [
        ("folder = \"none\"", cifar, "`none` is not there\n  --> a.toml:2:10\n"),
        ("folder = \"none\"", cifar, "help: did you mean `nine`?"),
        (
            "folder = \"a\"\nsize = 513",
            cifar,
            "images of 513×513 pixels are too large: at most 512×512\n  --> a.toml:3:8\n",
        ),
        ("folder = \"a\"\nsize = 0", cifar, "`size` should be an integer of at least 1"),
        ("folder = \"a\"\nchannels = 2", cifar, "`channels` should be 1 or 3, got 2\n  --> a.toml:3:12\n"),
        (
            "folder = \"a\"\nbackground = \"blu\"",
            cifar,
            "`background` should be \"white\", \"black\" or a colour as \"#rrggbb\"",
        ),
        ("folder = \"a\"\nresize = \"stretch\"", cifar, "unknown value `stretch` for `resize`"),
        ("folder = \"a\"\ntest_fraction = 1", cifar, "`test_fraction` should be a number in [0, 1)"),
        ("folder = \"a\"\ndataset = \"mnist\"", cifar, "dataset"),
        (
            "dataset = \"mnist\"\nsize = 28",
            cifar,
            "`size` has no effect on a data set that the program knows by name\n  --> a.toml:3:8\n",
        ),
        ("validation_images = 1", cifar, "missing key `dataset` or `folder` in [data]"),
        ("folder = \"a\"", mlp, "`custom` takes vectors, and a folder has images"),
        ("folder = \"a\"", four, "`custom` takes images of 4 channels; expected 1 or 3"),
        ("folder = \"a\"", ten, "`custom` ends in 10 scores, and a has 3 classes"),
        ("folder = \"a\"\nsize = 9", ten, "`custom` takes images of 3×8×8, and a has 3×9×9"),
        ("folder = \"a\"\nsize = 8", "name = \"alexnet\"", "alexnet"),
        (
            "folder = \"a\"\nvalidation_images = 130",
            cifar,
            "validation_images = 130 leaves nothing to train on: a has 130 training images",
        ),
    ] {
        let error = config(data, model).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn without_a_look_into_the_folder_its_classes_are_those_of_the_network() {
    let text = "[data]\nfolder = \"a\"\n[model]\nname = \"cifar-baseline\"\n[optimizer]\nlearning_rate = 0.1\n\
                [training]\niterations = 5\n";
    let experiment = Experiment::from_toml("a.toml", text, &[], &DataSets::any()).unwrap();
    assert_eq!((experiment.model.classes(), experiment.data.validation_images), (Ok(10), 0));
    let error =
        Experiment::from_toml("a.toml", &text.replace("iterations", "epochs"), &[], &DataSets::any()).unwrap_err();
    assert!(
        error.to_string().starts_with("the number of images of `a` is not known before its files are read"),
        "{error}"
    );
    assert!(matches!(experiment.data.images, ImageSource::Folder(_)));
}
