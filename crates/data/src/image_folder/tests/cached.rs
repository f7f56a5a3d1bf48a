use std::fs;
use std::ops::ControlFlow::{Break, Continue};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use backproof_spec::{Color, ImageFolder, ImageSource, Resize, Size2};

use super::{Place, values};
use crate::image_folder::source::UserImages;
use crate::{DataError, Source};

/// How many images are decoded when the folder is loaded; what it has then.
fn decoded(place: &Place, folder: &ImageFolder) -> (usize, Vec<u8>) {
    let data = place.load(folder).unwrap();
    let words = &data.notes[1];
    let count = words.split_once("; ").map_or(0, |(_, now)| now.split(' ').next().unwrap().parse().unwrap());
    let mut all = [values(&data.training), values(&data.test)].concat();
    all.sort_unstable();
    (count, all)
}

fn caches(place: &Place) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(place.data_dir().join("images")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Makes every file of the folder old enough to be believed.
fn age(place: &Place) {
    for file in walkdir::WalkDir::new(place.path()).into_iter().flatten().filter(|it| it.file_type().is_file()) {
        let file = fs::File::options().write(true).open(file.path()).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    }
}

fn place() -> Place {
    let place = Place::new();
    place.pictures("oak", 0..10);
    place.pictures("ash", 20..30);
    age(&place);
    place
}

#[test]
fn an_image_is_decoded_once_and_anew_where_its_bytes_change() {
    let place = place();
    let all: Vec<u8> = (0..10).chain(20..30).collect();
    assert_eq!(decoded(&place, &place.folder()), (20, all.clone()));
    let whole = fs::metadata(&caches(&place)[0]).unwrap().modified().unwrap();
    assert_eq!(decoded(&place, &place.folder()), (0, all));
    assert_eq!(fs::metadata(&caches(&place)[0]).unwrap().modified().unwrap(), whole, "nothing was written");
    // Other bytes of the same length at the same time: too young to be believed.
    place.picture("oak/003.png", 77);
    place.picture("oak/new.png", 88);
    fs::remove_file(place.path().join("ash/020.png")).unwrap();
    let (count, all) = decoded(&place, &place.folder());
    assert_eq!(count, 2);
    assert!(all.contains(&77) && all.contains(&88) && !all.contains(&3) && !all.contains(&20));
    // The same bytes at another time or under another name are not decoded.
    fs::rename(place.path().join("oak/005.png"), place.path().join("oak/005b.png")).unwrap();
    let (count, all) = decoded(&place, &place.folder());
    assert_eq!((count, all.len()), (0, 20));
    assert_eq!(caches(&place).len(), 1);
}

#[test]
fn each_setting_has_a_cache_of_its_own() {
    let place = place();
    let plain = place.folder();
    let others = [
        ImageFolder { size: Size2::new(4, 8), ..plain.clone() },
        ImageFolder { channels: 3, ..plain.clone() },
        ImageFolder { resize: Resize::Pad, ..plain.clone() },
        ImageFolder { background: Color::BLACK, ..plain.clone() },
    ];
    for folder in std::iter::once(&plain).chain(&others) {
        assert_eq!(decoded(&place, folder).0, 20);
    }
    assert_eq!(caches(&place).len(), 5);
    assert_eq!(decoded(&place, &ImageFolder { test_fraction: 0.5, skip_unreadable: true, ..plain }).0, 0);
}

#[test]
fn a_damaged_cache_is_written_anew() {
    let place = place();
    let folder = place.folder();
    decoded(&place, &folder);
    let path = caches(&place).remove(0);
    let whole = fs::read(&path).unwrap();
    let cut = whole[..whole.len() - 1].to_vec();
    let without_magic = [&whole[..whole.len() - 1], b"?"].concat();
    let mut wrong_length = whole.clone();
    wrong_length[whole.len() - 24] ^= 1;
    let mut no_json = whole.clone();
    no_json[320] = b'?';
    for damaged in [Vec::new(), cut, without_magic, wrong_length, no_json, whole[1..].to_vec()] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(decoded(&place, &folder), (20, (0..10).chain(20..30).collect()));
        assert_eq!(decoded(&place, &folder).0, 0);
    }
}

#[test]
fn two_processes_at_once_get_the_same_images() {
    let place = place();
    let load = || values(&place.load(&place.folder()).unwrap().training);
    let [one, other] =
        std::thread::scope(|scope| [scope.spawn(load), scope.spawn(load)].map(|thread| thread.join().unwrap()));
    assert_eq!(one, other);
    assert_eq!(caches(&place).len(), 1, "what was unfinished is gone");
}

#[test]
fn reading_that_is_broken_off_leaves_nothing() {
    let place = place();
    let source = UserImages::new(&place.folder(), 1);
    let mut seen = 0;
    let stopped = source.load_watched(Some(&place.data_dir()), &mut |done, total| {
        assert_eq!(total, 20);
        seen = done;
        if done >= 8 { Break(()) } else { Continue(()) }
    });
    assert!(matches!(stopped, Err(DataError::Stopped)) && seen >= 8);
    assert_eq!(caches(&place), Vec::<PathBuf>::new());
}

#[test]
fn what_a_kill_left_is_removed_after_a_day() {
    let place = place();
    decoded(&place, &place.folder());
    let [old, new] = ["old", "new"].map(|name| place.data_dir().join("images").join(format!(".unfinished-{name}")));
    for (path, hours) in [(&old, 25), (&new, 1)] {
        let file = fs::File::create(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
    }
    place.picture("oak/more.png", 200);
    decoded(&place, &place.folder());
    assert!(!old.exists() && new.exists());
}

#[test]
fn the_checksum_is_of_names_classes_and_bytes() {
    let place = place();
    let sum = || place.load(&place.folder()).unwrap().checksums["leaves"].clone();
    let first = sum();
    assert_eq!((first.len(), sum()), (64, first.clone()));
    fs::rename(place.path().join("oak/005.png"), place.path().join("ash/005.png")).unwrap();
    let moved = sum();
    assert_ne!(moved, first);
    fs::rename(place.path().join("ash/005.png"), place.path().join("oak/005.png")).unwrap();
    assert_eq!(sum(), first);
    place.picture("oak/005.png", 201);
    assert_ne!(sum(), first);
    let colour = ImageFolder { channels: 3, ..place.folder() };
    let of_colour = crate::load_images(&ImageSource::Folder(colour), Some(&place.data_dir()), 9).unwrap();
    assert_eq!(of_colour.checksums["leaves"], sum(), "neither the settings nor the seed are a part of it");
}
