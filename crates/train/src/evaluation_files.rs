//! The evaluation in a run folder, written and read back.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::files::{write_json, write_whole};
use crate::{
    EVALUATION_SCHEMA, Evaluation, EvaluationResult, MOST_KEPT, Prediction, Probabilities, RunFolder, Split, TOP,
    TrainError, files,
};

/// The most classes of which `confusion.csv` is a matrix. Of more it is a list of the cells that are not zero.
const MATRIX: usize = 4_000;

impl RunFolder {
    /// Writes `result.json`, `confusion.csv` and `predictions.csv` into `evaluation/`, or `evaluation/<split>` for
    /// another split than the test images.
    pub(crate) fn write_evaluation(
        &self,
        evaluation: &Evaluation,
        result: &EvaluationResult,
    ) -> Result<(), TrainError> {
        let folder = self.evaluation_folder(&result.split);
        fs::create_dir_all(&folder).map_err(|error| TrainError::write(&folder, error))?;

        let class_names: Vec<&str> = result.classes.iter().map(|class| class.class.as_str()).collect();
        let mut confusion = csv::Writer::from_writer(Vec::new());
        if class_names.len() <= MATRIX {
            let head = std::iter::once("true \\ predicted").chain(class_names.iter().copied());
            write_row(&mut confusion, head);
            for (name, row) in class_names.iter().zip(evaluation.confusion()) {
                let counts = row.iter().map(ToString::to_string);
                write_row(&mut confusion, std::iter::once((*name).to_owned()).chain(counts));
            }
        } else {
            let mut cells: BTreeMap<[usize; 2], usize> = BTreeMap::new();
            evaluation.predictions.iter().for_each(|it| *cells.entry([it.label, it.predicted]).or_default() += 1);
            write_row(&mut confusion, ["true", "predicted", "images"].into_iter());
            for ([label, predicted], images) in cells {
                let images = images.to_string();
                write_row(&mut confusion, [class_names[label], class_names[predicted], &images].into_iter());
            }
        }
        write_whole(&folder.join("confusion.csv"), &finish(confusion))?;

        let mut predictions = csv::Writer::from_writer(Vec::new());
        write_row(&mut predictions, head(&class_names).into_iter());
        evaluation.predictions.iter().for_each(|it| write_row(&mut predictions, fields(it).into_iter()));
        write_whole(&folder.join("predictions.csv"), &finish(predictions))?;
        // Last, so that who finds a result finds the rest.
        write_json(&folder.join("result.json"), result)
    }

    /// `evaluation/result.json`; `None` before the final evaluation.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, is no result, or has another schema version.
    pub fn result(&self) -> Result<Option<EvaluationResult>, TrainError> {
        self.result_on(Split::Test)
    }

    /// `result.json` of the last evaluation on `split`; `None` before there was one.
    ///
    /// # Errors
    ///
    /// As [`result`](Self::result).
    pub fn result_on(&self, split: Split) -> Result<Option<EvaluationResult>, TrainError> {
        let path = self.evaluation_folder(split.name()).join("result.json");
        let text = match files::read_text(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TrainError::read(&path, error)),
        };
        let result: EvaluationResult = serde_json::from_str(&text)
            .map_err(|error| TrainError::damaged(&path, format!("cannot be read ({error})"), "an evaluation"))?;
        if result.schema_version != EVALUATION_SCHEMA {
            let found = format!("has schema version {}", result.schema_version);
            return Err(TrainError::damaged(&path, found, format!("version {EVALUATION_SCHEMA}")));
        }
        Ok(Some(result))
    }

    /// `evaluation/`, or `evaluation/<split>` for another split than the test images.
    fn evaluation_folder(&self, split: &str) -> PathBuf {
        let folder = self.path().join("evaluation");
        if split == Split::Test.name() { folder } else { folder.join(split) }
    }

    /// `evaluation/predictions.csv`: one prediction for each image that `result` counts.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or a row that is no prediction over the classes of `result`, by number.
    pub fn predictions(&self, result: &EvaluationResult) -> Result<Vec<Prediction>, TrainError> {
        self.predictions_on(Split::Test, result)
    }

    /// The same of the last evaluation on `split`.
    ///
    /// # Errors
    ///
    /// As [`predictions`](Self::predictions).
    pub fn predictions_on(&self, split: Split, result: &EvaluationResult) -> Result<Vec<Prediction>, TrainError> {
        let path = self.evaluation_folder(split.name()).join("predictions.csv");
        let bytes = files::read(&path).map_err(|error| TrainError::read(&path, error))?;
        let mut predictions = Vec::new();
        let classes = result.classes.len();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        // Also of many classes, earlier versions wrote every probability.
        let has_likeliest = reader.headers().is_ok_and(|head| head.get(LIKELIEST) == Some(OF_LIKELIEST));
        for (number, row) in reader.records().enumerate() {
            let prediction = row.ok().and_then(|row| match has_likeliest {
                true => parse_likeliest(&row, classes),
                false => parse(&row, classes),
            });
            predictions.push(prediction.ok_or_else(|| no_prediction(&path, number + 2, classes, has_likeliest))?);
        }
        if predictions.len() != result.images {
            let found = format!("has {}", backproof_spec::counted(predictions.len(), "row"));
            return Err(TrainError::damaged(&path, found, format!("{}, as result.json says", result.images)));
        }
        Ok(predictions)
    }
}

fn write_row<S: AsRef<[u8]>>(writer: &mut csv::Writer<Vec<u8>>, row: impl Iterator<Item = S>) {
    writer.write_record(row).expect("rows have one length, and memory does not fail");
}

fn finish(writer: csv::Writer<Vec<u8>>) -> Vec<u8> {
    writer.into_inner().expect("memory does not fail")
}

/// The column of the likeliest class, and its head, which no column of a class has: those begin with `p(`.
const LIKELIEST: usize = 4;
const OF_LIKELIEST: &str = "likeliest 1";

/// The head of `predictions.csv`: for so many classes that not every probability is kept, the one of the true class and
/// those of the likeliest classes.
fn head(class_names: &[&str]) -> Vec<String> {
    let fixed = ["index", "true", "predicted"].map(str::to_owned).into_iter();
    if class_names.len() <= MOST_KEPT {
        return fixed.chain(class_names.iter().map(|name| format!("p({name})"))).collect();
    }
    let likeliest = (1..=TOP).flat_map(|place| [format!("likeliest {place}"), format!("p(likeliest {place})")]);
    fixed.chain(["p(true)".to_owned()]).chain(likeliest).collect()
}

fn fields(prediction: &Prediction) -> Vec<String> {
    let fixed = [prediction.index, prediction.label, prediction.predicted].map(|n| n.to_string()).into_iter();
    match &prediction.probabilities {
        Probabilities::Every(every) => fixed.chain(every.iter().map(f64::to_string)).collect(),
        Probabilities::Likeliest { own, top } => {
            let likeliest = top.iter().flat_map(|(class, share)| [class.to_string(), share.to_string()]);
            fixed.chain([own.to_string()]).chain(likeliest).collect()
        }
    }
}

fn is_share(share: f64) -> bool {
    (0.0..=1.0).contains(&share)
}

fn parse_likeliest(row: &csv::StringRecord, classes: usize) -> Option<Prediction> {
    let class = |field: usize| row.get(field)?.parse().ok().filter(|&class: &usize| class < classes);
    let share = |field: usize| row.get(field)?.parse().ok().filter(|&share: &f64| is_share(share));
    let (index, label, predicted) = (row.get(0)?.parse().ok()?, class(1)?, class(2)?);
    let own = share(3)?;
    let top = (0..TOP).map(|place| Some((class(LIKELIEST + 2 * place)?, share(LIKELIEST + 1 + 2 * place)?)));
    let top: Vec<(usize, f64)> = top.collect::<Option<_>>()?;
    let fits = top[0].0 == predicted && row.len() == LIKELIEST + 2 * TOP;
    let probabilities = Probabilities::Likeliest { own, top };
    fits.then(|| Prediction { index, label, predicted, probabilities, loss: -own.ln() })
}

fn parse(row: &csv::StringRecord, classes: usize) -> Option<Prediction> {
    let class = |field: usize| row.get(field)?.parse().ok().filter(|&class: &usize| class < classes);
    let (index, label, predicted) = (row.get(0)?.parse().ok()?, class(1)?, class(2)?);
    let probabilities: Vec<f64> = row.iter().skip(3).map_while(|field| field.parse().ok()).collect();
    let fits = probabilities.len() == classes && row.len() == classes + 3;
    let are_probabilities = probabilities.iter().all(|&p| is_share(p));
    (fits && are_probabilities).then(|| Prediction {
        index,
        label,
        predicted,
        loss: -probabilities[label].ln(),
        probabilities: probabilities.into(),
    })
}

fn no_prediction(path: &Path, line: usize, classes: usize, has_likeliest: bool) -> TrainError {
    let expected = match has_likeliest {
        true => format!("an index, two classes, a probability and {TOP} classes with theirs"),
        false => format!("an index, two classes and {classes} probabilities"),
    };
    TrainError::damaged(path, format!("line {line} is no prediction"), expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &[&str]) -> Option<Prediction> {
        parse(&csv::StringRecord::from(fields), 2)
    }

    #[test]
    fn a_row_is_an_index_two_classes_and_a_probability_for_each() {
        let prediction = row(&["7", "0", "1", "0.25", "0.75"]).unwrap();
        assert_eq!((prediction.index, prediction.label, prediction.predicted), (7, 0, 1));
        assert_eq!(prediction.every(), Some(&[0.25, 0.75][..]));
        assert_eq!(prediction.loss, 4.0_f64.ln());
    }

    #[test]
    fn names_of_classes_with_quotes_commas_and_lines_come_back_from_the_csv_files() {
        let temporary = tempfile::tempdir().unwrap();
        fs::write(temporary.path().join("run.json"), "{}").unwrap();
        let folder = RunFolder::open(temporary.path()).unwrap();
        let names = ["say \"a\", b", "<img src=x>|`c`\nd"];
        let mut evaluation = Evaluation::new(backproof_spec::Loss::CrossEntropy, 2);
        let logits = burn::Tensor::from_data([[0.0, 1.0]], &burn::tensor::Device::flex());
        evaluation.add(logits, &[3], &[0]);
        let result = evaluation.result("test", Some(1), &names);
        folder.write_evaluation(&evaluation, &result).unwrap();
        let columns = |name: &str| -> Vec<String> {
            let bytes = fs::read(temporary.path().join("evaluation").join(name)).unwrap();
            let head = csv::Reader::from_reader(bytes.as_slice()).headers().unwrap().clone();
            head.iter().map(str::to_owned).collect()
        };
        assert_eq!(columns("confusion.csv"), ["true \\ predicted", names[0], names[1]]);
        let probabilities = names.map(|name| format!("p({name})"));
        assert_eq!(columns("predictions.csv")[3..], probabilities);
        let told = folder.predictions(&folder.result().unwrap().unwrap()).unwrap();
        assert_eq!((told[0].index, told[0].label, told[0].predicted), (3, 0, 1));
    }

    /// An evaluation of two images over more classes than those of which every probability is kept, in a folder.
    fn of_many_classes(temporary: &Path) -> (RunFolder, Evaluation, EvaluationResult) {
        let classes = MOST_KEPT + 1;
        fs::write(temporary.join("run.json"), "{}").unwrap();
        let folder = RunFolder::open(temporary).unwrap();
        // The first one is sure and right; of the second one, seven classes are equally likely, of which the true one
        // is last.
        let mut logits = vec![0.0_f32; 2 * classes];
        logits[9] = 20.0;
        logits[classes + 300..classes + 307].fill(10.0);
        let logits = burn::tensor::TensorData::new(logits, [2, classes]);
        let mut evaluation = Evaluation::new(backproof_spec::Loss::CrossEntropy, classes);
        evaluation.add(burn::Tensor::from_data(logits, &burn::tensor::Device::flex()), &[5, 3], &[9, 306]);
        let names: Vec<String> = (0..classes).map(|class| format!("class {class}")).collect();
        let result = evaluation.result("test", Some(1), &names);
        folder.write_evaluation(&evaluation, &result).unwrap();
        (folder, evaluation, result)
    }

    #[test]
    fn of_many_classes_the_likeliest_are_kept_and_read_back() {
        let temporary = tempfile::tempdir().unwrap();
        let (folder, evaluation, result) = of_many_classes(temporary.path());
        assert_eq!(evaluation.predictions[0].confidence(), evaluation.predictions[0].of_label());
        let top: Vec<usize> = evaluation.predictions[1].likeliest(9).into_iter().map(|(class, _)| class).collect();
        assert_eq!(top, [300, 301, 302, 303, 304]);
        let Probabilities::Likeliest { top, .. } = &evaluation.predictions[0].probabilities else {
            panic!("{result:?}")
        };
        assert!(top.capacity() < 2 * TOP, "room for {} classes is kept of an image", top.capacity());
        assert_eq!(result.measures.top_5_accuracy, Some(0.5));
        let text = fs::read_to_string(temporary.path().join("evaluation/predictions.csv")).unwrap();
        let head = text.lines().next().unwrap();
        assert!(head.starts_with("index,true,predicted,p(true),likeliest 1,p(likeliest 1),likeliest 2,"), "{head}");
        assert!(text.lines().all(|line| line.split(',').count() == LIKELIEST + 2 * TOP), "{text}");
        let told = folder.predictions(&result).unwrap();
        for (told, written) in told.iter().zip(&evaluation.predictions) {
            assert!((told.loss - written.loss).abs() < 1e-12, "{told:?}");
            assert_eq!(Prediction { loss: 0.0, ..told.clone() }, Prediction { loss: 0.0, ..written.clone() });
        }
        assert_eq!(crate::Measures::of(&result.classes, &told), result.measures);
    }

    #[test]
    fn of_many_classes_every_probability_is_read_too_and_what_fits_neither_form_is_refused() {
        let temporary = tempfile::tempdir().unwrap();
        let (folder, _, result) = of_many_classes(temporary.path());
        let path = temporary.path().join("evaluation/predictions.csv");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(",9,9,", ",9,8,")).unwrap();
        let error = folder.predictions(&result).unwrap_err().to_string();
        assert!(error.ends_with("expected an index, two classes, a probability and 5 classes with theirs"), "{error}");
        // As earlier versions wrote it, with a first class that is called as the column is.
        let names = std::iter::once("true".to_owned()).chain((1..result.classes.len()).map(|class| class.to_string()));
        let head = names.map(|name| format!(",p({name})")).collect::<String>();
        let share = 1.0 / result.classes.len() as f64;
        let row = format!(",2,2{}", format!(",{share}").repeat(result.classes.len()));
        fs::write(&path, format!("index,true,predicted{head}\n0{row}\n1{row}\n")).unwrap();
        let told = folder.predictions(&result).unwrap();
        assert_eq!(told[0].every().map(<[f64]>::len), Some(result.classes.len()));
        assert_eq!(told[0].of_label(), share);
    }

    #[test]
    fn what_is_no_prediction_is_refused() {
        for fields in [
            &["7", "0", "1", "0.25"][..],
            &["7", "0", "1", "0.25", "0.75", "0"],
            &["7", "0", "2", "0.25", "0.75"],
            &["-7", "0", "1", "0.25", "0.75"],
            &["7", "0", "1", "0.25", "NaN"],
            &["7", "0", "1", "-0.25", "1.25"],
            &["7", "0", "1", "<script>", "0.75"],
            &[],
        ] {
            assert_eq!(row(fields), None, "{fields:?}");
        }
    }

    #[test]
    fn a_result_and_predictions_that_do_not_fit_each_other_are_refused_by_their_file() {
        let temporary = tempfile::tempdir().unwrap();
        let at = |name: &str| temporary.path().join(name);
        fs::create_dir(at("evaluation")).unwrap();
        fs::write(at("run.json"), "{}").unwrap();
        let folder = RunFolder::open(temporary.path()).unwrap();
        assert_eq!(folder.result().unwrap(), None);

        let result = crate::Evaluation::new(backproof_spec::Loss::CrossEntropy, 2).result("test", Some(3), &["a", "b"]);
        let put = |result: &EvaluationResult| crate::write_json(&at("evaluation/result.json"), result).unwrap();
        put(&EvaluationResult { schema_version: 9, ..result.clone() });
        let error = folder.result().unwrap_err().to_string();
        assert!(error.ends_with("result.json has schema version 9; expected version 1"), "{error}");
        fs::write(at("evaluation/result.json"), "[]").unwrap();
        assert!(folder.result().unwrap_err().to_string().ends_with("; expected an evaluation"));
        // A folder in its place is there, and cannot be read.
        fs::remove_file(at("evaluation/result.json")).unwrap();
        fs::create_dir(at("evaluation/result.json")).unwrap();
        let error = folder.result().unwrap_err();
        assert!(
            error.to_string().starts_with("cannot read ") && std::error::Error::source(&error).is_some(),
            "{error}"
        );
        fs::remove_dir(at("evaluation/result.json")).unwrap();
        put(&result);
        assert_eq!(folder.result().unwrap().as_ref(), Some(&result));

        let two = EvaluationResult { images: 2, ..result };
        let refused = |rows: &str| {
            fs::write(at("evaluation/predictions.csv"), format!("index,true,predicted,p(a),p(b)\n{rows}")).unwrap();
            folder.predictions(&two).unwrap_err().to_string()
        };
        let error = refused("0,0,1,0.4,0.6\n");
        assert!(error.ends_with("predictions.csv has 1 row; expected 2, as result.json says"), "{error}");
        let error = refused("0,0,1,0.4,0.6\n1,0,2,0.4,0.6\n");
        assert!(
            error.ends_with("line 3 is no prediction; expected an index, two classes and 2 probabilities"),
            "{error}"
        );
    }
}
