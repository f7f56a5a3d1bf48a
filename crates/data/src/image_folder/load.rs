//! From a listing and its pixels to a data set.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use backproof_spec::{ImageFolder, counted, thousands};
use sha2::{Digest, Sha256};

use super::cache::Cache;
use super::listed::Listing;
use super::listing::list;
use super::look::describe;
use super::names::{Part, shown};
use crate::Images;
use crate::content::hex;
use crate::error::{DataError, Result, UnreadableFiles};
use crate::source::{LoadedData, Origin, Watch};
use crate::split::test_part;

/// The images of `folder`, from the cache under `data_dir` or decoded now, divided by `seed`.
pub(super) fn load(folder: &ImageFolder, seed: u64, data_dir: Option<&Path>, watch: Watch<'_>) -> Result<LoadedData> {
    let listing = list(Path::new(&folder.path))?;
    let described = describe(folder, &listing)?;
    listing.warnings.iter().for_each(|warning| warn_once(&format!("{}: {warning}", folder.name())));
    let cache = Cache::of(&listing, folder, data_dir, watch)?;
    let unreadable = unreadable(folder, &listing, &cache);
    if !folder.skip_unreadable && !unreadable.files.is_empty() {
        return Err(unreadable.into());
    }
    let divided = Divided::of(&listing, folder, seed);
    let is_readable = |&at: &usize| cache.rows[at].problem.is_none();
    let [training, validation, test] =
        [&divided.training, &divided.validation, &divided.test].map(|part| part.iter().copied().filter(is_readable));
    let mut training: Vec<usize> = training.collect();
    let test: Vec<usize> = test.collect();
    check_classes(folder, &listing, &training)?;
    let of_training = training.len();
    training.extend(validation);
    let published_validation = (!divided.validation.is_empty()).then_some(of_training..training.len());
    warn_of_copies(folder, &listing, &cache, &training, &test);
    let images = |indices: &[usize]| {
        let labels = indices.iter().map(|&at| listing.files[at].label).collect();
        let places = indices.iter().map(|&at| u32::try_from(at).expect("a folder has fewer files")).collect();
        Images::at(cache.pixels.clone(), places, labels, folder.shape())
    };
    let data_set = backproof_spec::DataSet { training_images: training.len(), test_images: test.len(), ..described };
    let mut notes = vec![divided.words, cache_words(&cache)];
    notes.extend((!unreadable.files.is_empty()).then(|| format!("left out: {unreadable}")));
    Ok(LoadedData {
        training: images(&training),
        test: images(&test),
        data_set,
        published_validation,
        origin: Origin::Folder(folder.path.clone().into()),
        checksums: BTreeMap::from([(folder.name().to_owned(), checksum(&listing, &cache))]),
        notes,
    })
}

/// The indices of the images of each part in the listing.
struct Divided {
    training: Vec<usize>,
    validation: Vec<usize>,
    test: Vec<usize>,
    /// How it was done.
    words: String,
}

impl Divided {
    fn of(listing: &Listing, folder: &ImageFolder, seed: u64) -> Self {
        let of = |wanted: Part| -> Vec<usize> {
            let files = listing.files.iter().enumerate().filter(|(_, file)| file.part == wanted);
            files.map(|(at, _)| at).collect()
        };
        let [training, validation, test] = Part::ALL.map(of);
        let classes = counted(listing.class_names.len(), "class");
        if !test.is_empty() {
            return Self { training, validation, test, words: format!("{classes}; test images of its own") };
        }
        let labels: Vec<u16> = training.iter().map(|&at| listing.files[at].label).collect();
        let [rest, drawn] = test_part(&labels, listing.class_names.len(), folder.test_fraction, seed);
        let share = 100.0 * folder.test_fraction;
        let words = format!("{classes}; {share} % of the images of each are test images, drawn by seed {seed}");
        let [rest, drawn] = [rest, drawn].map(|part| part.into_iter().map(|at| training[at]).collect());
        Self { training: rest, validation, test: drawn, words }
    }
}

/// Every file that has no pixels.
fn unreadable(folder: &ImageFolder, listing: &Listing, cache: &Cache) -> UnreadableFiles {
    let rows = listing.files.iter().zip(&cache.rows);
    let files = rows.filter_map(|(file, row)| Some((listing.root.join(&file.path), row.problem.clone()?))).collect();
    UnreadableFiles { folder: folder.path.clone().into(), files }
}

/// That a class has images to train on that can be read.
fn check_classes(folder: &ImageFolder, listing: &Listing, training: &[usize]) -> Result<()> {
    let mut counts = vec![0; listing.class_names.len()];
    training.iter().for_each(|&at| counts[usize::from(listing.files[at].label)] += 1);
    match counts.iter().position(|&count| count == 0) {
        None => Ok(()),
        Some(class) => {
            let problem =
                format!("has no image of the class `{}` that can be read", shown(&listing.class_names[class]));
            Err(DataError::folder(Path::new(&folder.path), problem))
        }
    }
}

/// Warns of files with the same bytes in the training and the test set, and of those that have two labels.
fn warn_of_copies(folder: &ImageFolder, listing: &Listing, cache: &Cache, training: &[usize], test: &[usize]) {
    const SHOWN: usize = 3;
    let mut first: HashMap<&str, usize> = HashMap::new();
    let (mut in_both, mut two_labels) = (Vec::new(), Vec::new());
    let of_test: BTreeSet<usize> = test.iter().copied().collect();
    for &at in training.iter().chain(test) {
        let Some(&before) = first.get(cache.rows[at].sha256.as_str()) else {
            first.insert(&cache.rows[at].sha256, at);
            continue;
        };
        if of_test.contains(&at) && !of_test.contains(&before) {
            in_both.push((before, at));
        }
        if listing.files[at].label != listing.files[before].label {
            two_labels.push((before, at));
        }
    }
    let name = |at: usize| shown(&listing.files[at].path.to_string_lossy());
    for (pairs, what) in [
        (in_both, "in the training set and in the test set, so the test accuracy is too high"),
        (two_labels, "in two classes"),
    ] {
        if pairs.is_empty() {
            continue;
        }
        let shown = pairs.iter().take(SHOWN).map(|&(one, other)| format!("`{}` = `{}`", name(one), name(other)));
        let mut shown: Vec<String> = shown.collect();
        if pairs.len() > SHOWN {
            shown.push(format!("{} more", pairs.len() - SHOWN));
        }
        let images = counted(pairs.len(), "image");
        let are = if pairs.len() == 1 { "is" } else { "are" };
        warn_once(&format!("{}: {images} {are} {what}: {}", folder.name(), shown.join(", ")));
    }
}

/// Warns once in a process, which may load the same folder for a run and again for its report.
fn warn_once(text: &str) {
    static WARNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if WARNED.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned()) {
        tracing::warn!("{text}");
    }
}

fn cache_words(cache: &Cache) -> String {
    let (pixels, path) = (cache.pixels.len(), cache.path.display());
    let megabytes = pixels.div_ceil(1_000_000);
    match cache.decoded {
        0 => format!("pixels in {path}, {megabytes} MB"),
        decoded => format!("pixels in {path}, {megabytes} MB; {} decoded now", thousands(decoded)),
    }
}

/// The SHA-256 of what makes the data set: the part, the class, the path and the bytes of each image, in order.
fn checksum(listing: &Listing, cache: &Cache) -> String {
    let mut hasher = Sha256::new();
    for (file, row) in listing.files.iter().zip(&cache.rows) {
        let class = listing.class_names[usize::from(file.label)].as_bytes();
        let path = file.path.as_os_str().as_encoded_bytes();
        for field in [file.part.name().as_bytes(), class, path, row.sha256.as_bytes()] {
            // Lengths, so that no two lists have the same bytes.
            hasher.update((field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
    }
    hex(&hasher.finalize())
}
