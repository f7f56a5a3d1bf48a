//! The full data sets, where `BACKPROOF_DATA_DIR` names a folder with them. Else these tests show as ignored.

use std::path::PathBuf;
use std::process::ExitCode;

use backproof_data::{DataError, Images, load};
use libtest_mimic::{Arguments, Completion, Trial};

fn main() -> ExitCode {
    let sample = "the_sample_is_the_first_500_of_each_class_of_the_training_set_of_mnist";
    let trials = vec![
        trial("mnist_loads", "mnist", loads),
        trial("fashion_mnist_loads", "fashion-mnist", loads),
        trial("cifar_10_loads", "cifar-10", loads),
        trial(sample, "mnist", the_sample_is_of),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn folder() -> Option<PathBuf> {
    std::env::var_os("BACKPROOF_DATA_DIR").map(PathBuf::from)
}

/// `test` of the data set; ignored where its files are missing.
fn trial(name: &str, data_set: &'static str, test: fn(&str)) -> Trial {
    Trial::ignorable_test(name, move || {
        let missing = match folder() {
            None => true,
            Some(folder) => matches!(load(data_set, Some(&folder)), Err(DataError::Missing(_))),
        };
        if missing {
            return Ok(Completion::ignored_with(format!("BACKPROOF_DATA_DIR names no folder with {data_set}")));
        }
        test(data_set);
        Ok(Completion::Completed)
    })
}

fn loads(data_set: &str) {
    let data = load(data_set, folder().as_deref()).unwrap();
    assert_eq!(data.training.len(), data.data_set.training_images);
    assert_eq!(data.test.len(), data.data_set.test_images);
    assert_eq!(data.checksums.len(), if data_set == "cifar-10" { 6 } else { 4 });
}

fn the_sample_is_of(mnist: &str) {
    let all = load(mnist, folder().as_deref()).unwrap();
    let sample = load("mnist-sample", None).unwrap();
    for class in 0..10 {
        let of = |images: &Images| -> Vec<Vec<u8>> {
            let members = (0..images.len()).filter(|&index| images.label(index) == class);
            members.map(|index| images.pixels(index).to_vec()).collect()
        };
        // Validation follows training in `sample.training`, so the order is that of MNIST.
        let ours = [of(&sample.training), of(&sample.test)].concat();
        assert!(ours == of(&all.training)[..500], "class {class}");
    }
}
