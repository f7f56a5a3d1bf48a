//! The folder of a PyTorch module, without PyTorch.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use backproof_data::Normalizer;
use backproof_models::load_weights;
use safetensors::{Dtype, SafeTensors};

use super::*;
use crate::testing::{layers, model};
use crate::{ExportError, Model};

/// Names of the files in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn written(model: &Model) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_folder(model, folder.path()).unwrap();
    folder
}

#[test]
fn the_module_reads_like_one_that_a_person_wrote() {
    let folder = written(&model(layers()));
    let module = fs::read_to_string(folder.path().join("model.py")).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/export/model.py");
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if module != kept {
        let new = std::env::temp_dir().join("backproof-model.py");
        fs::write(&new, &module).unwrap();
        panic!("the module differs from {}; the new one is {}", path.display(), new.display());
    }
}

#[test]
fn the_state_dict_has_what_pytorchs_modules_have_and_its_weights_are_ours() {
    let model = model(layers());
    let folder = written(&model);
    let bytes = fs::read(folder.path().join("weights.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut expected: BTreeSet<String> = model.network.tensors().into_iter().map(|tensor| tensor.name).collect();
    let norm = |role: &str| format!("residual1.body.norm1.{role}");
    assert!(expected.insert(norm("weight")) && expected.insert(norm("num_batches_tracked")));
    assert_eq!(file.names().into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), expected);
    let counter = file.tensor(&norm("num_batches_tracked")).unwrap();
    assert_eq!((counter.dtype(), counter.shape(), counter.data()), (Dtype::I64, &[][..], &24_i64.to_le_bytes()[..]));
    let ones = file.tensor(&norm("weight")).unwrap();
    assert_eq!((ones.shape(), ones.data()), (&[3][..], &[1_f32.to_le_bytes(); 3].concat()[..]));
    // They come back, but for the γ that our layer does not have.
    let error = load_weights(model.network, &bytes, &[]).unwrap_err().to_string();
    assert_eq!(error, "the weights have residual1.body.norm1.weight, which the network lacks");
}

#[test]
fn the_test_vector_has_the_pixels_the_input_and_the_logits_of_eight_images() {
    let model = model(layers());
    let folder = written(&model);
    let bytes = fs::read(folder.path().join("test_vector.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| file.tensor(name).unwrap().shape().to_vec();
    assert_eq!(shape("pixels"), [8, 1, 5, 6]);
    assert_eq!(shape("input"), [8, 1, 7, 8]);
    assert_eq!(shape("logits"), [8, 2]);
    // (p/255 − 0.25) / 0.5, inside of a border of black pixels.
    let floats: Vec<f32> =
        file.tensor("input").unwrap().data().chunks(4).map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect();
    let pixel = f64::from(file.tensor("pixels").unwrap().data()[0]);
    assert_eq!((floats[0], floats[9]), (-0.5, ((pixel / 255.0 - 0.25) / 0.5) as f32));
}

#[test]
fn a_mean_of_each_pixel_is_a_file_that_goes_with_it() {
    let plain = model(layers());
    let folder = written(&plain);
    let before = names(folder.path());
    let mean = Normalizer::SubtractMean { mean: vec![0.5; 56], pixels: backproof_spec::Pixels::Unit };
    write_folder(&Model { normalizer: mean, ..plain.clone() }, folder.path()).unwrap();
    let module = fs::read_to_string(folder.path().join("model.py")).unwrap();
    assert!(module.contains("mean.safetensors") && folder.path().join("mean.safetensors").exists());
    // An export without it leaves none.
    write_folder(&plain, folder.path()).unwrap();
    assert_eq!(names(folder.path()), before);
}

#[test]
fn a_folder_is_new_or_of_an_earlier_export_and_other_files_stay() {
    let model = model(layers());
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("one/two");
    write_folder(&model, &folder).unwrap();
    let all = ["README.md", "check.py", "model.py", "test_vector.safetensors", "weights.safetensors"];
    assert_eq!(names(&folder), all.map(str::to_owned).into());
    assert_eq!(names(&parent.path().join("one")).len(), 1, "nothing unfinished stays");
    fs::create_dir(folder.join("__pycache__")).unwrap();
    fs::write(folder.join("model.py"), "old").unwrap();
    write_folder(&model, &folder).unwrap();
    assert!(fs::read_to_string(folder.join("model.py")).unwrap().contains("class Network"));

    for name in ["notes.txt", "thesis.tex", "x", "y"] {
        fs::write(folder.join(name), "mine").unwrap();
    }
    fs::write(folder.join("model.py"), "old").unwrap();
    let error = write_folder(&model, &folder).unwrap_err();
    assert!(matches!(&error, ExportError::OtherFiles { files, .. } if files == &["notes.txt", "thesis.tex", "x", "…"]));
    assert_eq!(fs::read_to_string(folder.join("model.py")).unwrap(), "old");
    let file = parent.path().join("file");
    fs::write(&file, "mine").unwrap();
    assert!(matches!(write_folder(&model, &file.join("folder")), Err(ExportError::Write { .. })));
    assert!(matches!(write_folder(&model, &file), Err(ExportError::Write { .. })));
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}
