//! The pictures of folders without classes.

use super::Place;
use crate::pictures;

fn names(place: &Place) -> (Vec<String>, Vec<String>) {
    let found = pictures(&place.path()).unwrap();
    let name = |path: &std::path::PathBuf| path.strip_prefix(place.path()).unwrap().to_string_lossy().into_owned();
    (found.files.iter().map(name).collect(), found.notes)
}

#[test]
fn the_pictures_of_a_folder_are_sorted_and_what_else_is_in_it_is_named() {
    let place = Place::new();
    place.picture("b.png", 1);
    place.picture("a.jpg", 2);
    place.write("notes.txt", b"");
    place.write("more.txt", b"");
    place.write(".hidden.png", b"");
    place.picture("inside/c.png", 3);
    let (files, notes) = names(&place);
    assert_eq!(files, ["a.jpg", "b.png"]);
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].starts_with("3 files are no pictures by their names, and they are left out: "), "{notes:?}");
    assert!(notes[0].contains("*.txt (2)") && notes[0].contains(".hidden.png"), "{notes:?}");
    assert_eq!(notes[1], "1 folder inside is left out");
}

#[test]
fn a_folder_without_pictures_gives_those_of_the_folders_in_it() {
    let place = Place::new();
    place.picture("train/dog/a.png", 1);
    place.picture("train/cat/z.png", 2);
    place.picture("test/cat/b.png", 3);
    assert_eq!(
        names(&place),
        (vec!["test/cat/b.png".into(), "train/cat/z.png".into(), "train/dog/a.png".into()], vec![])
    );
    // And no deeper than needed.
    place.picture("train/c.png", 4);
    assert_eq!(names(&place), (vec!["train/c.png".into()], vec!["3 folders further inside are left out".into()]));
}

#[test]
fn a_folder_in_which_there_are_no_pictures_is_refused_with_what_there_is() {
    let place = Place::new();
    std::fs::create_dir(place.path()).ok();
    let error = pictures(&place.path()).unwrap_err();
    assert!(error.to_string().ends_with("has no pictures, and neither have the folders in it"), "{error}");
    assert_eq!(error.help().unwrap(), "name a folder with pictures in it, or files");
    place.picture("a/b/c/too-deep.png", 1);
    place.write("a/notes.txt", b"");
    let help = pictures(&place.path()).unwrap_err().help().unwrap();
    assert_eq!(help, "1 file is no picture by its name, and it is left out: *.txt");
}
