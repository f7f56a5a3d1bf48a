use backproof_arrays::write::{self as files, Named};

use super::*;

fn asked() -> Vec<(String, Vec<usize>)> {
    vec![("y".to_owned(), vec![2, 3]), ("dx".to_owned(), vec![2, 1, 2]), ("db".to_owned(), vec![2])]
}

const Y: Named<'_> = Named { name: "y", shape: &[2, 3], values: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
const DX: Named<'_> = Named { name: "dx", shape: &[2, 1, 2], values: &[1.0, 2.0, 3.0, 4.0] };
const DB: Named<'_> = Named { name: "db", shape: &[2], values: &[1.5, 2.5] };

/// What is found where `answers/NAME` has this content.
fn read(name: &str, bytes: &[u8]) -> Answers {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
    Answers::read(folder.path(), "case1", &asked())
}

fn words_of(answers: &Answers) -> Vec<String> {
    let of = |answer: &Answer| match answer {
        Answer::Read(_) => "read".to_owned(),
        Answer::Missing(why) | Answer::Unreadable(why) => why.clone(),
    };
    answers.tensors.iter().map(of).collect()
}

#[test]
fn answers_are_read_from_every_format() {
    let all = [Y, DX, DB];
    for (name, bytes) in [
        ("case1.npz", files::npz(&all)),
        ("case1.mat", files::matlab(&all)),
        ("case1.safetensors", files::safetensors(&all)),
        // The content counts, and not the name.
        ("case1.npz", files::matlab(&all)),
    ] {
        let found = by_name(&read(name, &bytes), &asked());
        for Named { name, values, .. } in all {
            let (_, dims) = asked().into_iter().find(|(asked, _)| asked == name).unwrap();
            assert_eq!(found[name], Answer::Read(Value::new(dims, values.to_vec())));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let answers = folder.path().join("answers/case1");
    fs::create_dir_all(&answers).unwrap();
    fs::write(answers.join("y.f64"), files::raw(&Y)).unwrap();
    fs::write(answers.join("db.f32"), [1.5_f32, 2.5].map(f32::to_le_bytes).concat()).unwrap();
    fs::write(answers.join("dx.f64"), [0; 31]).unwrap();
    let found = Answers::read(folder.path(), "case1", &asked());
    assert_eq!(words_of(&found), ["read", "dx.f64 has 31 bytes; expected 32, 8 for each number of 2×1×2", "read"]);
}

#[test]
fn what_is_wrong_with_a_tensor_is_told_of_it_and_the_others_are_read() {
    let shape = Named { name: "dx", shape: &[2, 2, 1, 1], ..DX };
    let other = Named { name: "y", shape: &[3, 2], ..Y };
    let nan = Named { name: "db", shape: &[2], values: &[1.0, f64::NAN] };
    let found = read("case1.npz", &files::npz(&[shape, other, nan]));
    assert_eq!(
        words_of(&found),
        [
            "has the shape 3×2; expected 2×3: transposed?",
            "read",
            "1 of 2 elements are not finite; the first, [1], is NaN",
        ]
    );
    let found = read("case1.npz", &files::npz(&[Y, Named { name: "dX", ..DX }]));
    assert_eq!(
        words_of(&found),
        [
            "read",
            "the file has no `dx`; it has `dX`: names are told apart by their case",
            "the file has no `db`; it has `dX`, `y`",
        ]
    );
    assert_eq!(found.notes, ["the file also has `dX`, which nobody asked for"]);
}

#[test]
fn a_file_that_is_cut_or_no_file_of_arrays_is_an_error_of_each_tensor() {
    let whole = files::matlab(&[Y, DX, DB]);
    let cut = read("case1.mat", &whole[..whole.len() - 8]);
    assert_eq!(words_of(&cut)[..2], ["read", "read"]);
    assert!(cut.notes[0].contains("is a damaged MATLAB file"), "{:?}", cut.notes);
    for bytes in [&b""[..], b"y = [1 2 3]", &files::npz(&[Y])[..100]] {
        assert!(words_of(&read("case1.npz", bytes)).iter().all(|words| words.starts_with("the file is ")));
    }
    let newer = [&b"MATLAB 7.3 MAT-file, Platform: GLNXA64"[..], &[b' '; 86], &[0, 2], b"IM"].concat();
    assert!(words_of(&read("case1.mat", &newer))[0].contains("MATLAB file of version 7.3, which is HDF5"));
    let none = Answers::read(Path::new("."), "case1", &asked());
    assert!(words_of(&none)[0].contains("there is no answers/case1.npz"));
}

#[test]
fn a_file_that_is_larger_than_its_numbers_is_not_read() {
    let found = words_of(&read("case1.npz", &vec![0; 2 << 20]));
    assert!(found[0].contains("has 2097152 bytes, and its numbers take at most"), "{}", found[0]);
    // 8 MB of zeros in a few kilobytes.
    let zeros = vec![0.0; 1_000_000];
    let huge = files::npz(&[Named { name: "y", shape: &[1_000_000], values: &zeros }]);
    assert!(words_of(&read("case1.npz", &huge))[0].contains("its numbers take at most"));
}

#[test]
fn numbers_that_were_typed_are_read_as_json() {
    let text = r#"{"y": [[1, 2, 3], [4, 5, 6.5]], "dx": [[[1, 2]], [[3]]], "db": [1, "2"]}"#;
    let found = read("case1.json", text.as_bytes());
    assert_eq!(found.tensors[0], Answer::Read(Value::new([2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.5])));
    assert_eq!(
        words_of(&found)[1..],
        [
            "`dx` has lists of different lengths beside each other",
            "`db` has something else than numbers and lists of them"
        ]
    );
    let one = |text: &str| words_of(&read("case1.json", text.as_bytes()))[0].clone();
    assert_eq!(one(r#"{"y": [1, [2]]}"#), "`y` has lists of different lengths beside each other");
    assert_eq!(one(r#"{"y": [[1], 2]}"#), "`y` has numbers and lists beside each other");
    assert_eq!(one(r#"{"y": [[], [1]]}"#), "`y` has lists of different lengths beside each other");
    assert_eq!(one(r#"{"y": 1e999}"#), "the file is no JSON: number out of range at line 1 column 11");
    assert!(one("{").starts_with("the file is no JSON: "));
    assert_eq!(one("[1]"), "the file should have an object, {\"y\": …}");
    assert_eq!(one(" "), "the file is empty");
    // Some editors begin a text with a byte order mark.
    assert_eq!(read("case1.json", format!("\u{feff}{text}").as_bytes()).tensors[0], found.tensors[0]);
    assert!(one(&format!("{{\"y\": {}", "[".repeat(100_000))).starts_with("the file is no JSON: "));
}

#[cfg(unix)]
#[test]
fn links_and_two_files_for_one_case_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let answers = folder.path().join("answers");
    fs::create_dir_all(&answers).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", answers.join("case1.npz")).unwrap();
    let of = || words_of(&Answers::read(folder.path(), "case1", &asked()))[0].clone();
    assert_eq!(of(), "case1.npz is a link; expected a file");
    fs::remove_file(answers.join("case1.npz")).unwrap();
    fs::write(answers.join("case1.npz"), files::npz(&[Y])).unwrap();
    fs::write(answers.join("case1.mat"), files::matlab(&[Y])).unwrap();
    assert_eq!(of(), "there are case1.npz and case1.mat; keep one of them");
    fs::rename(&answers, folder.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), &answers).unwrap();
    assert_eq!(of(), "answers is a link; expected a folder");
}
