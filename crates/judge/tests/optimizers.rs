//! Steps of optimizers: the rules against PyTorch's steps, and wrong steps by their names.

use std::fs;
use std::path::Path;

use backproof_arrays::write::{self as files, Named};
use backproof_judge::{Level, OPTIMIZERS, Request, Verdict, judge, write, write_model_answers};
use burn::tensor::Device;

#[test]
fn weights_that_moved_before_the_momentum_are_told_by_that_name() {
    let folder = tempfile::tempdir().unwrap();
    let request = Request { subject: "momentum".to_owned(), config: None, level: Level::Program, seed: 3 };
    let written = write(&request, folder.path(), &Device::flex()).unwrap();
    for number in 1..=written.cases {
        let case = Case::read(folder.path(), number);
        let [rate, momentum, decay] = ["learning_rate", "momentum", "weight_decay"].map(|name| case.of(name)[0]);
        let (mut w, gradients) = (case.of("w0"), case.of("gradients"));
        let mut m = vec![0.0; w.len()];
        let mut weights = Vec::new();
        for g in gradients.chunks(w.len()) {
            for ((w, m), g) in w.iter_mut().zip(&mut m).zip(g) {
                *w -= rate * (*m + decay * *w);
                *m = momentum * *m + (1.0 - momentum) * g;
            }
            weights.extend(&w);
        }
        case.hand_in(&weights);
    }
    let judged = judge(folder.path(), &Device::flex()).unwrap();
    assert_eq!(judged.faults().count(), written.cases);
    for (_, tensor) in judged.faults() {
        assert_eq!(tensor.verdict, Verdict::Wrong);
        assert_eq!(tensor.diagnosis.as_deref(), Some("the weights moved before the momentum"));
    }
}

#[test]
fn the_first_step_that_is_wrong_is_told_where_the_mistake_has_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let request = Request { subject: "adam".to_owned(), config: None, level: Level::Program, seed: 0 };
    write(&request, folder.path(), &Device::flex()).unwrap();
    write_model_answers(folder.path(), &folder.path().join("right"), &Device::flex()).unwrap();
    let case = Case::read(folder.path(), 1);
    let mut weights = case.right();
    let count = case.of("w0").len();
    weights[count..].iter_mut().for_each(|w| *w *= 1.5);
    case.hand_in(&weights);
    let judged = judge(folder.path(), &Device::flex()).unwrap();
    let tensor = &judged.cases[0].tensors[0];
    assert!(
        tensor.diagnosis.as_ref().unwrap().contains("the first step is right, and the second is wrong"),
        "{tensor:?}"
    );
    assert_eq!(judged.cases[1].tensors[0].verdict, Verdict::Missing);
    assert!(OPTIMIZERS.contains(&"adam"));
}

/// A case of an exercise.
struct Case {
    folder: std::path::PathBuf,
    name: String,
}

impl Case {
    fn read(exercise: &Path, number: usize) -> Self {
        Self { folder: exercise.to_owned(), name: format!("case{number}") }
    }

    /// What is given under this name.
    fn of(&self, name: &str) -> Vec<f64> {
        let bytes = fs::read(self.folder.join("cases").join(&self.name).join(format!("{name}.f64"))).unwrap();
        bytes.chunks(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
    }

    /// What is right.
    fn right(&self) -> Vec<f64> {
        let bytes = fs::read(self.folder.join("right").join(format!("{}.npz", self.name))).unwrap();
        let mut budget = backproof_arrays::Budget::new(bytes.len(), 1000);
        let arrays = backproof_arrays::read(&bytes, &mut budget).unwrap();
        arrays.tensors["weights"].as_ref().unwrap().values().collect()
    }

    fn hand_in(&self, weights: &[f64]) {
        let shape = [weights.len() / self.of("w0").len(), self.of("w0").len()];
        // The shape of the exercise: steps, and then that of the weights.
        let bytes = files::raw(&Named { name: "weights", shape: &shape, values: weights });
        let answers = self.folder.join("answers").join(&self.name);
        fs::create_dir_all(&answers).unwrap();
        fs::write(answers.join("weights.f64"), bytes).unwrap();
    }
}
