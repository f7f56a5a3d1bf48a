use std::ops::ControlFlow::Continue;

use backproof_spec::{ImageSource, Shape, Size2};

use super::{Place, folder, labels, values};
use crate::image_folder::listed::sort_names;
use crate::{export, load, load_images, look};

#[test]
fn a_folder_for_each_class_is_divided_by_seed_and_class() {
    let place = Place::new();
    place.pictures("oak", 0..12);
    place.pictures("ash", 100..104);
    let data = place.load(&place.folder()).unwrap();
    // A quarter of 16, of each class in proportion.
    assert_eq!(data.data_set.class_names, ["ash", "oak"]);
    assert_eq!((data.data_set.training_images, data.data_set.test_images), (12, 4));
    assert_eq!(data.test.class_counts(2), [1, 3]);
    assert_eq!(data.training.class_counts(2), [3, 9]);
    assert_eq!((data.data_set.name.as_str(), data.data_set.shape), ("leaves", Shape::image(1, 4, 4)));
    let mut all = [values(&data.training), values(&data.test)].concat();
    all.sort_unstable();
    assert_eq!(all, (0..12).chain(100..104).collect::<Vec<_>>());
    assert!(data.notes[0].contains("25 % of the images of each are test images, drawn by seed 1"), "{:?}", data.notes);
    let other = load_images(&ImageSource::Folder(place.folder()), Some(&place.data_dir()), 2).unwrap();
    assert_ne!(values(&other.test), values(&data.test));
    // What is known before is what there is.
    assert_eq!(look(&place.folder()).unwrap(), data.data_set);
}

#[test]
fn parts_of_a_folder_stay_and_validation_follows_training() {
    for [train, validation, test] in [["train", "val", "test"], ["Training", "VALID", "testing"]] {
        let place = Place::new();
        place.pictures(&format!("{train}/b"), 10..13);
        place.pictures(&format!("{train}/a"), 0..2);
        place.pictures(&format!("{validation}/a"), 30..32);
        place.pictures(&format!("{test}/b"), 50..51);
        let data = place.load(&place.folder()).unwrap();
        assert_eq!(values(&data.training), [0, 1, 10, 11, 12, 30, 31]);
        assert_eq!(labels(&data.training), [0, 0, 1, 1, 1, 0, 0]);
        assert_eq!((values(&data.test), labels(&data.test)), (vec![50], vec![1]));
        assert_eq!((data.published_validation, data.data_set.validation_images), (Some(5..7), Some(2)));
    }
}

#[test]
fn the_names_of_files_order_the_images_whatever_their_class() {
    let place = Place::new();
    for (path, value) in [("z/001.png", 1), ("a/002.png", 2), ("z/003.png", 3), ("a/000.png", 0)] {
        place.picture(&format!("train/{path}"), value);
    }
    place.pictures("test/a", 9..10);
    let data = place.load(&place.folder()).unwrap();
    assert_eq!((values(&data.training), labels(&data.training)), (vec![0, 1, 2, 3], vec![0, 1, 0, 1]));
}

#[test]
fn a_table_of_classes_gives_their_order_and_their_names() {
    let place = Place::new();
    place.pictures("n01", 0..4);
    place.pictures("n02", 10..14);
    place.write("classes.csv", "\u{feff}folder,class\nn02,\"a, <b>|\"\nn01,tench\n".as_bytes());
    let data = place.load(&place.folder()).unwrap();
    assert_eq!(data.data_set.class_names, ["a, <b>|", "tench"]);
    assert!((0..data.training.len()).all(|at| (data.training.label(at) == 0) == (values(&data.training)[at] >= 10)));
    for (text, expected) in [
        ("class\nn01\n", "first line: expected `folder,class`, found `class`"),
        ("folder,class\nn01,a\nn02,a\n", "names that are not empty and come once, found `a` in line 3"),
        ("folder,class\nn01,a\n", "classes: expected each folder, found no line of `n02`"),
        ("folder,class\nn01,a\nn02,b\nn03,c\n", "classes that have a folder, found `n03`, which has none"),
        ("folder,class\nn01,a,b\n", "CSV: expected two columns, found CSV error"),
    ] {
        place.write("classes.csv", text.as_bytes());
        assert!(place.refused().contains(expected), "{}", place.refused());
    }
}

#[test]
fn a_list_of_paths_and_labels_is_a_data_set_in_the_order_of_its_lines() {
    let place = Place::new();
    (0..8).for_each(|value| place.picture(&format!("all/{value}.png"), value));
    place.write(
        "list.csv",
        b"Label;File;Split\nb;all/3.png;train\na;all/1.png;train\nb;all/0.png;val\na;all/7.png;test\n",
    );
    let listed = folder(&place.path().join("list.csv"));
    let data = place.load(&listed).unwrap();
    assert_eq!((values(&data.training), labels(&data.training)), (vec![3, 1, 0], vec![1, 0, 1]));
    assert_eq!((values(&data.test), data.data_set.name.as_str()), (vec![7], "list"));
    assert_eq!(data.published_validation, Some(2..3));
    let refused = |text: &str| {
        place.write("list.csv", text.as_bytes());
        place.load(&listed).unwrap_err().to_string()
    };
    for (text, expected) in [
        ("", "first line: expected the columns `path` and `label`, perhaps also `split`, found ``"),
        ("a,b\n1,2\n", "found `a,b`"),
        ("path,label\nall/1.png,a\n", "labels: expected at least two different ones, found 1 label in 1 line"),
        (
            "path,label\nall/1.png,a\nall/1.png,b\n",
            "path: expected each image once, found `all/1.png` in the lines 2 and 3",
        ),
        ("path,label\nall/1.png,\n", "label: expected one in each line, found none in line 2"),
        ("path,label\n,a\n", "path: expected one in each line, found none in line 2"),
        ("path,label,split\nall/1.png,a,dev\n", "split: expected train, validation or test, found `dev` in line 2"),
        ("path,label\nall/1.png\n", "CSV: expected as many columns as in the first line"),
        (
            "path,label\nall/1.png,a\nall/none.png,b\nall/2.png,b\nall/3.png,a\n",
            "all/none.png: cannot be read: No such file",
        ),
    ] {
        assert!(refused(text).contains(expected), "{}", refused(text));
    }
}

#[test]
fn names_that_are_numbers_are_in_the_order_of_numbers() {
    let sorted = |names: &[&str]| {
        let mut names = names.to_vec();
        sort_names(&mut names);
        names.join(" ")
    };
    assert_eq!(sorted(&["10", "9", "100", "0"]), "0 9 10 100");
    assert_eq!(sorted(&["10", "9", "b"]), "10 9 b");
    assert_eq!(sorted(&["ä", "b", "Z"]), "Z b ä");
}

#[test]
fn an_exported_data_set_comes_back_with_every_pixel_and_label_in_order() {
    let place = Place::new();
    let digits = load("mnist-sample", None).unwrap();
    let exported = export(&digits, &place.path(), &mut |_, _| Continue(())).unwrap();
    assert_eq!(exported.images, [4_000, 500, 500]);
    let again = place.load(&backproof_spec::ImageFolder { size: Size2::square(28), ..place.folder() }).unwrap();
    assert_eq!(again.data_set.class_names, digits.data_set.class_names);
    assert_eq!(again.published_validation, digits.published_validation);
    for (one, other) in [(&again.training, &digits.training), (&again.test, &digits.test)] {
        assert_eq!((one.len(), labels(one)), (other.len(), labels(other)));
        assert!((0..one.len()).all(|index| one.pixels(index) == other.pixels(index)));
    }
    let error = export(&digits, &place.path(), &mut |_, _| Continue(())).unwrap_err().to_string();
    assert!(error.ends_with("leaves` is not empty"), "{error}");
}
