use std::fs;

use backproof_spec::ImageFolder;

use super::{Place, folder, values};
use crate::image_folder::listing::list;
use crate::{DataError, look};

fn warnings(place: &Place) -> String {
    let listing = list(&place.path()).unwrap();
    listing.warnings.join("\n").replace(&place.path().display().to_string(), "leaves")
}

#[test]
fn what_cannot_be_trained_on_is_refused_with_a_way_out() {
    let place = Place::new();
    assert_eq!(
        place.refused(),
        "`leaves` has no folders of classes; expected at least two [make a folder for each class, called as the class, \
         and put its images there]"
    );
    place.picture("1.png", 1);
    assert!(place.refused().starts_with("`leaves` has 1 image and no folders of classes ["), "{}", place.refused());
    place.pictures("inside/oak", 0..3);
    place.pictures("inside/ash", 3..6);
    assert_eq!(
        place.refused(),
        "`leaves` has one class, `inside`; expected at least two [`leaves/inside` has folders: perhaps that is the one]"
    );
    fs::create_dir(place.path().join("empty")).unwrap();
    place.pictures("full", 10..14);
    assert!(
        place.refused().starts_with("`leaves` has no images to train on of 2 classes: `empty`, `inside` ["),
        "{}",
        place.refused()
    );
    let none = folder(&place.path().with_file_name("leafs"));
    let error = place.load(&none).unwrap_err();
    assert!(error.to_string().ends_with("leafs` is not there"), "{error}");
    assert!(error.help().unwrap().ends_with("leaves`?"), "{error:?}");
    let file = folder(&place.path().join("1.png"));
    assert!(look(&file).unwrap_err().message.ends_with("1.png` is a file"));
}

#[test]
fn parts_that_contradict_each_other_are_refused() {
    let place = Place::new();
    place.pictures("train/a", 0..2);
    place.pictures("train/b", 2..4);
    place.pictures("val/a", 4..5);
    place.pictures("validation/a", 5..6);
    assert!(place.refused().contains("has two folders of validation images, `val` and `validation`"));
    fs::remove_dir_all(place.path().join("val")).unwrap();
    place.pictures("other/a", 6..7);
    assert!(place.refused().contains("has a folder of training images and others beside it: `other`"));
    fs::remove_dir_all(place.path().join("other")).unwrap();
    place.pictures("test/c", 8..9);
    assert!(place.refused().contains("has a class `c` of test images and none to train on"), "{}", place.refused());
}

#[test]
fn a_class_may_be_called_train() {
    let place = Place::new();
    place.pictures("train", 0..4);
    place.pictures("bus", 4..8);
    assert_eq!(place.load(&place.folder()).unwrap().data_set.class_names, ["bus", "train"]);
}

#[test]
fn what_is_odd_and_harmless_is_a_warning() {
    let place = Place::new();
    place.pictures("oak", 0..4);
    place.pictures("ash", 10..14);
    assert_eq!(warnings(&place), "");
    for name in ["oak/.DS_Store", "ash/.DS_Store", "oak/Thumbs.db", "oak/notes.txt", "._x.png", "oak/x.heic", "README"]
    {
        place.write(name, b"-");
    }
    place.picture("alone.png", 20);
    place.pictures("oak/old/deep", 30..33);
    place.pictures(".hidden/x", 40..42);
    place.pictures("lone", 50..51);
    assert_eq!(
        warnings(&place),
        "1 image directly in `leaves` is in no folder of a class and left out\n\
         `leaves/oak` has 1 folder inside, with 3 images, which are left out\n\
         7 files are no pictures by their names, and they are left out: *.heic, *.txt, .DS_Store (2), ._*, README, Thumbs.db\n\
         1 class has one image, so nothing is left to test it with: `lone`"
    );
    let data = place.load(&place.folder()).unwrap();
    assert_eq!(data.training.len() + data.test.len(), 9);
    // The class with one image is trained on.
    assert!(values(&data.training).contains(&50));
}

#[test]
fn any_name_of_a_class_is_kept() {
    let place = Place::new();
    let long = "x".repeat(200);
    for (at, name) in ["<b>&amp;", "a|b", "\"quoted\"", "l'été 葉", &long].iter().enumerate() {
        let first = 10 * at as u8;
        place.pictures(name, first..first + 4);
    }
    let names = place.load(&place.folder()).unwrap().data_set.class_names;
    assert_eq!(names, ["\"quoted\"", "<b>&amp;", "a|b", "l'été 葉", &long]);
}

#[test]
fn files_that_cannot_be_read_are_listed_once_and_left_out_where_that_is_asked_for() {
    let place = Place::new();
    place.pictures("oak", 0..20);
    place.pictures("ash", 30..50);
    place.write("oak/cut.png", &crate::picture::png(&[1; 16], backproof_spec::Shape::image(1, 4, 4))[..40]);
    place.write("ash/text.jpg", b"hello");
    place.write("ash/empty.gif", b"");
    let error = place.load(&place.folder()).unwrap_err();
    let text = error.to_string().replace(&place.path().display().to_string(), "leaves");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "3 files of `leaves` cannot be read:");
    assert_eq!(lines[2], "  leaves/ash/empty.gif: is empty");
    assert_eq!(lines[3], "  leaves/ash/text.jpg: is no PNG, JPEG, GIF, BMP, WebP or TIFF");
    assert!(lines[1].starts_with("  leaves/oak/cut.png: is damaged or cut: "), "{text}");
    assert_eq!(lines.len(), 4);
    assert!(error.help().unwrap().contains("`skip_unreadable = true`"));
    let skipping = ImageFolder { skip_unreadable: true, ..place.folder() };
    for _ in 0..2 {
        let data = place.load(&skipping).unwrap();
        assert_eq!(data.training.len() + data.test.len(), 40);
        assert_eq!(data.data_set.training_images, data.training.len());
        let note = data.notes.last().unwrap();
        assert!(note.starts_with("left out: 3 files of `") && note.lines().count() == 4, "{note}");
    }
    // Mended, it is read.
    place.picture("oak/cut.png", 99);
    let data = place.load(&skipping).unwrap();
    assert!(values(&data.training).contains(&99) || values(&data.test).contains(&99));
}

#[test]
fn a_class_of_which_nothing_can_be_read_is_an_error() {
    let place = Place::new();
    place.pictures("oak", 0..8);
    (0..4).for_each(|at| place.write(&format!("ash/{at}.png"), b"-"));
    let error = place.load(&ImageFolder { skip_unreadable: true, ..place.folder() }).unwrap_err().to_string();
    assert!(error.ends_with("has no image of the class `ash` that can be read"), "{error}");
}

#[test]
fn a_share_of_test_images_that_is_none_is_refused() {
    let place = Place::new();
    place.pictures("oak", 0..2);
    place.pictures("ash", 10..12);
    let error = look(&ImageFolder { test_fraction: 0.1, ..place.folder() }).unwrap_err();
    assert!(
        error.message.ends_with("has no test images, and test_fraction = 0.1 makes none of its 4 images"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_and_names_that_are_no_utf8_are_no_obstacle() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    let place = Place::new();
    place.pictures("oak", 0..4);
    place.pictures("ash", 10..14);
    let odd = place.path().join("oak").join(OsStr::from_bytes(b"\xff\xfe.png"));
    fs::rename(place.path().join("oak/000.png"), &odd).unwrap();
    symlink(place.path(), place.path().join("oak/up")).unwrap();
    symlink(place.path().join("oak"), place.path().join("beech")).unwrap();
    let data = place.load(&place.folder()).unwrap();
    assert_eq!(data.data_set.class_names, ["ash", "beech", "oak"]);
    assert_eq!(data.training.len() + data.test.len(), 12);
    // A second start finds the name again.
    assert!(place.load(&place.folder()).is_ok());
    symlink("self.png", place.path().join("ash/self.png")).unwrap();
    assert!(matches!(place.load(&place.folder()), Err(DataError::Unreadable(files)) if files.files.len() == 1));
}

#[test]
fn two_to_65_535_classes_are_told_apart() {
    let place = Place::new();
    let mut text = "path,label,split\n".to_owned();
    place.picture("a.png", 1);
    for class in 0..=65_535 {
        text += &format!("{class}.png,{class},train\n");
    }
    place.write("list.csv", text.as_bytes());
    let listed = place.path().join("list.csv");
    let error = list(&listed).unwrap_err().to_string();
    assert!(error.ends_with("has 65536 classes; at most 65535 are told apart"), "{error}");
    place.write("list.csv", text.replace("65535.png,65535,train\n", "").as_bytes());
    let listing = list(&listed).unwrap();
    assert_eq!((listing.class_names.len(), listing.files.last().unwrap().label), (65_535, 65_534));
}
