//! Our own answers to every exercise.

use std::fs;

use backproof_judge::{JudgeError, Level, Request, Verdict, judge, subjects, write, write_model_answers};
use burn::tensor::Device;

fn request(subject: &str, level: Level, seed: u64) -> Request {
    Request { subject: subject.to_owned(), config: None, level, seed }
}

#[test]
fn our_own_answers_to_every_exercise_are_right_from_numpy_and_from_matlab() {
    let device = Device::flex();
    for subject in subjects() {
        for (level, seed) in [(Level::Pencil, 0), (Level::Program, 0), (Level::Program, 4711)] {
            let folder = tempfile::tempdir().unwrap();
            let written = write(&request(subject, level, seed), folder.path(), &device).unwrap();
            assert!(written.cases >= 1 && written.cases <= 6, "{subject}: {} cases", written.cases);
            let answers = folder.path().join("answers");
            write_model_answers(folder.path(), &answers, &device).unwrap();
            let unused = if seed == 0 { "mat" } else { "npz" };
            for case in 1..=written.cases {
                fs::remove_file(answers.join(format!("case{case}.{unused}"))).unwrap();
            }
            let judged = judge(folder.path(), &device).unwrap();
            let faults: Vec<_> = judged.faults().collect();
            assert!(judged.right, "{subject}, {level:?}, seed {seed}: {faults:?}");
        }
    }
}

#[test]
fn an_exercise_is_a_function_of_its_seed_and_another_one_is_refused() {
    let device = Device::flex();
    let folders = [0, 1, 2].map(|_| tempfile::tempdir().unwrap());
    for (folder, seed) in folders.iter().zip([1, 1, 2]) {
        write(&request("relu", Level::Program, seed), folder.path(), &device).unwrap();
    }
    let [first, again, other] =
        folders.each_ref().map(|folder| fs::read(folder.path().join("cases/case1.npz")).unwrap());
    assert!(first == again && first != other);
    let manifest = folders[0].path().join("exercise.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let broken = |text: String| {
        fs::write(&manifest, text).unwrap();
        judge(folders[0].path(), &device).unwrap_err()
    };
    assert!(matches!(broken(text.replace("\"seed\": 1", "\"seed\": 2")), JudgeError::OtherCases(_)));
    let mut fewer: serde_json::Value = serde_json::from_str(&text).unwrap();
    fewer["cases"].as_array_mut().unwrap().truncate(1);
    assert!(matches!(broken(fewer.to_string()), JudgeError::OtherCases(_)));
    let earlier = text.replace(env!("CARGO_PKG_VERSION"), "0.0.1").replace("\"seed\": 1", "\"seed\": 2");
    assert!(matches!(broken(earlier), JudgeError::OtherVersion { .. }));
    assert!(broken(text.replace("\"schema\": 1", "\"schema\": 2")).to_string().contains("schema version 2"));
    assert!(broken(text.replace("case1", "../case1")).to_string().contains("its cases are not named case1"));
    assert!(matches!(broken(text.replace("\"relu\"", "\"rely\"")), JudgeError::NoSubject(_)));
    assert!(matches!(broken(String::new()), JudgeError::Manifest { .. }));
    assert!(matches!(
        write(&request("relu", Level::Program, 1), folders[0].path(), &device),
        Err(JudgeError::NotEmpty(_))
    ));
}

#[test]
fn an_answer_that_is_far_off_is_wrong_however_large_it_is() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    write(&request("layer_norm", Level::Program, 0), folder.path(), &device).unwrap();
    for number in [1e308, 1e20, 1e3] {
        for case in fs::read_dir(folder.path().join("cases")).unwrap().map(|entry| entry.unwrap().path()) {
            let Some(name) = case.file_name().filter(|_| case.is_dir()) else { continue };
            let answers = folder.path().join("answers").join(name);
            fs::create_dir_all(&answers).unwrap();
            for (answer, of) in [("y", "g"), ("dx", "x"), ("dgamma", "gamma"), ("dbeta", "beta")] {
                let bytes = fs::read(case.join(format!("{of}.f64"))).unwrap().len();
                let numbers: Vec<u8> = f64::to_le_bytes(number).into_iter().cycle().take(bytes).collect();
                fs::write(answers.join(format!("{answer}.f64")), numbers).unwrap();
            }
        }
        let judged = judge(folder.path(), &device).unwrap();
        assert_eq!(judged.tensors_right, 0);
        for (case, tensor) in judged.faults() {
            assert_eq!(tensor.verdict, Verdict::Wrong, "{number:e}, {case}: {tensor:?}");
        }
    }
}
