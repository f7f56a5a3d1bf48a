// The corpus of a fuzz target in every build, without a fuzzer: the tests beside the parsers include this file.

/// Calls `check` with every file of the corpus of `target` as it is, and cut and changed in many ways, the same in
/// every run.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no corpus");
    for file in files {
        let whole = std::fs::read(file).unwrap();
        check(&whole);
        for place in (0..whole.len()).step_by(whole.len() / 20 + 1) {
            check(&whole[..place]);
            for change in [0x01, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[place] ^= change;
                check(&changed);
            }
        }
    }
}
