//! What the fuzzer calls: the files of a run folder with any content. The functions panic where a promise is broken.
//!
//! The targets in `fuzz/` call them for hours; the test here replays the corpus, and changes of it, in every build.

use std::fs;
use std::path::Path;

use backproof_spec::Shape;

use crate::{RunFolder, tensorboard};

/// A run folder whose files of JSON all hold `bytes`: an error or a value, and a rewound `metrics.jsonl` that can be
/// read.
pub fn run_folder(bytes: &[u8]) {
    let temporary = tempfile::tempdir().expect("there is a place for temporary files");
    let put = |name: &str| {
        let path = temporary.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the folder is ours");
        fs::write(path, bytes).expect("the folder is ours");
    };
    for name in
        ["run.json", "normalizer.json", "metrics.jsonl", "layers.jsonl", "log.txt", "checkpoints/last/state.json"]
    {
        put(name);
    }
    put("evaluation/explained.safetensors");
    let folder = RunFolder::open(temporary.path()).expect("there is a run.json");
    let _ = folder.record();
    let _ = folder.last().position();
    if let Ok(Some(normalizer)) = folder.normalizer(Shape::image(1, 2, 2)) {
        assert!(normalizer.fits(Shape::image(1, 2, 2)));
    }
    let _ = folder.reports();
    let _ = folder.looks();
    let _ = folder.explained();
    folder.rewind_lines(10, 10, false).expect("the folder is ours");
    assert!(folder.reports().expect("what is no report is gone").iter().all(|report| report.iteration <= 10));
    assert!(folder.looks().expect("what is no look is gone").iter().all(|look| look.iteration <= 10));
}

/// A file of TensorBoard's events: what is cut off it is its end.
pub fn events(bytes: &[u8]) {
    let temporary = tempfile::tempdir().expect("there is a place for temporary files");
    let path = temporary.path().join("tensorboard");
    fs::create_dir(&path).expect("the folder is ours");
    let path: &Path = &path.join("events.out.tfevents.0000000001.000000000.0.backproof");
    fs::write(path, bytes).expect("the folder is ours");
    tensorboard::rewind(temporary.path(), 10).expect("the folder is ours");
    assert!(bytes.starts_with(&fs::read(path).expect("the folder is ours")));
}

#[cfg(test)]
mod tests {
    use super::*;

    include!("../../../fuzz/replay.rs");

    #[test]
    fn no_file_of_a_run_folder_of_the_corpus_and_no_change_of_one_panics() {
        replay("run_folder", run_folder);
        replay("events", events);
    }
}
