//! Answers that a student's loops in NumPy gave, right and wrong on purpose: `tests/fixtures/judge/make_fixtures.py`
//! made them. Every wrong one is recognised by its name, and no right one is called wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use backproof_arrays::write::{self as files, Named};
use backproof_arrays::{Budget, read};
use backproof_judge::{BROKEN, Level, Request, Verdict, judge, write};
use burn::tensor::Device;

type Answers = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/judge").join(name)
}

/// The arrays of an archive: `case1.dx`.
fn answers(name: &str) -> Answers {
    let bytes = fs::read(fixture(name)).unwrap();
    let arrays = read(&bytes, &mut Budget::new(bytes.len(), 1 << 20)).unwrap();
    let of = |(name, tensor): (String, Result<backproof_arrays::StoredTensor<'static>, _>)| {
        let tensor = tensor.unwrap();
        (name, (tensor.shape.clone(), tensor.values().collect()))
    };
    arrays.tensors.into_iter().map(of).collect()
}

/// Puts answers into the folder of an exercise, a file for each case.
fn hand_in(exercise: &Path, answers: &Answers) {
    let mut cases: BTreeMap<&str, Vec<Named<'_>>> = BTreeMap::new();
    for (name, (shape, values)) in answers {
        let (case, name) = name.split_once('.').unwrap();
        cases.entry(case).or_default().push(Named { name, shape, values });
    }
    for (case, arrays) in cases {
        fs::write(exercise.join("answers").join(format!("{case}.npz")), files::npz(&arrays)).unwrap();
    }
}

#[test]
fn every_wrong_answer_is_recognised_by_its_name_and_no_right_one_is_called_wrong() {
    let text = fs::read_to_string(fixture("faults.json")).unwrap();
    let faults: BTreeMap<String, Vec<String>> = serde_json::from_str(&text).unwrap();
    assert!(faults.keys().map(String::as_str).eq({
        let mut layers = BROKEN.to_vec();
        layers.sort_unstable();
        layers
    }));
    let mut recognised = 0;
    let mut missed = Vec::new();
    for (layer, faults) in &faults {
        assert!(faults.len() >= 4, "{layer}");
        let folder = tempfile::tempdir().unwrap();
        let request = Request { subject: layer.clone(), config: None, level: Level::Program, seed: 0 };
        write(&request, folder.path(), &Device::flex()).unwrap();
        let right = answers(&format!("{layer}.npz"));
        hand_in(folder.path(), &right);
        let judged = judge(folder.path(), &Device::flex()).unwrap();
        assert!(judged.right, "{layer}: {:?}", judged.faults().collect::<Vec<_>>());
        for (number, fault) in (1..).zip(faults) {
            let wrong = answers(&format!("{layer}-{number}.npz"));
            let mut all = right.clone();
            all.extend(wrong.clone());
            hand_in(folder.path(), &all);
            let judged = judge(folder.path(), &Device::flex()).unwrap();
            let mut named = false;
            for (case, tensor) in judged.faults() {
                let key = format!("{case}.{}", tensor.tensor);
                assert!(wrong.contains_key(&key), "{layer}: {fault}: {key} is right, and called {}", tensor.verdict);
                let says = tensor.diagnosis.clone().unwrap_or_default();
                named |= tensor.verdict == Verdict::Wrong && says.contains(fault.as_str());
            }
            match named {
                true => recognised += 1,
                false => {
                    let said: Vec<_> = judged.faults().map(|(case, tensor)| (case, &tensor.diagnosis)).collect();
                    missed.push(format!("{layer}: {fault}: {said:?}"));
                }
            }
        }
    }
    assert!(missed.is_empty() && recognised >= 40, "{recognised} recognised; missed:\n{}", missed.join("\n"));
}

#[test]
fn what_is_right_at_a_kink_is_what_the_exercise_asks_for() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let request = Request { subject: "relu".to_owned(), config: None, level: Level::Program, seed: 0 };
    write(&request, folder.path(), &device).unwrap();
    let cases: Vec<String> = ["case1", "case2", "case3"]
        .into_iter()
        .map(str::to_owned)
        .filter(|case| folder.path().join(format!("cases/{case}.npz")).exists())
        .collect();
    let given = |case: &str, name: &str| -> (Vec<usize>, Vec<f64>) {
        let bytes = fs::read(folder.path().join(format!("cases/{case}.npz"))).unwrap();
        let arrays = read(&bytes, &mut Budget::new(bytes.len(), 1 << 20)).unwrap();
        let array = arrays.tensors[name].as_ref().unwrap();
        (array.shape.clone(), array.values().collect())
    };
    let mut at_kinks = 0;
    for factor in [2.0, -1.0, 0.5, 1.0] {
        let mut answers = Answers::new();
        let mut expected = BTreeMap::new();
        for case in &cases {
            let ((shape, x), (_, g)) = (given(case, "x"), given(case, "g"));
            let pairs = || x.iter().zip(&g);
            let slope = |x: f64| if x == 0.0 { factor } else { f64::from(x > 0.0) };
            answers.insert(format!("{case}.y"), (shape.clone(), x.iter().map(|x| x.max(0.0)).collect()));
            answers.insert(format!("{case}.dx"), (shape, pairs().map(|(&x, g)| slope(x) * g).collect()));
            expected.insert(case.clone(), pairs().filter(|(x, g)| **x == 0.0 && **g != 0.0).count());
        }
        hand_in(folder.path(), &answers);
        for case in judge(folder.path(), &device).unwrap().cases {
            let Some(&wrong) = expected.get(&case.case).filter(|&&wrong| wrong > 0) else { continue };
            let dx = case.tensors.iter().find(|tensor| tensor.tensor == "dx").unwrap();
            assert_eq!((dx.verdict, dx.wrong), (Verdict::Wrong, wrong), "{factor}, {}: {dx:?}", case.case);
            assert_eq!(dx.worst.as_ref().unwrap().truth, 0.0, "{factor}, {}: {dx:?}", case.case);
            assert!(!dx.diagnosis.as_ref().unwrap().contains("overflow"), "{factor}, {}: {dx:?}", case.case);
            at_kinks += 1;
        }
    }
    assert!(at_kinks >= 4, "{at_kinks}");
}
