use burn::Tensor;
use burn::tensor::{Device, bf16, f16};
use safetensors::SafeTensors;

use super::*;
use crate::{PassMode, cifar_baseline, mnist_baseline};

fn images(device: &Device) -> Tensor<4> {
    Tensor::arange(0..2 * 784, device).float().reshape([2, 1, 28, 28]) / 784.0
}

#[test]
fn saved_weights_give_the_same_logits_in_another_network() {
    let device = Device::flex();
    let network = mnist_baseline(&device);
    let other = Network::new(&backproof_spec::published::mnist_baseline(), 2, &device).unwrap();
    let logits = |network: &Network| network.forward(images(&device), PassMode::Inference).into_data();
    assert_ne!(logits(&network), logits(&other));
    let (loaded, changes) = load_weights(other, &save_weights(&network).unwrap(), &[]).unwrap();
    assert_eq!(changes, Changes::default());
    assert_eq!(logits(&network), logits(&loaded));
}

#[test]
fn names_and_layouts_are_those_of_pytorch() {
    let tensors = mnist_baseline(&Device::flex()).tensors();
    let table: Vec<(&str, Vec<usize>)> =
        tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.data.shape().to_vec())).collect();
    let expected = [
        ("conv1.weight", vec![16, 1, 5, 5]),
        ("conv1.bias", vec![16]),
        ("conv2.weight", vec![16, 16, 5, 5]),
        ("conv2.bias", vec![16]),
        ("linear1.weight", vec![10, 784]),
        ("linear1.bias", vec![10]),
    ];
    assert_eq!(table, expected);
}

#[test]
fn weights_of_another_network_are_refused_by_name() {
    let device = Device::flex();
    let bytes = save_weights(&cifar_baseline(&device)).unwrap();
    let error = load_weights(mnist_baseline(&device), &bytes, &[]).unwrap_err();
    assert_eq!(error.to_string(), "conv1.weight has the shape [16, 3, 5, 5]; the network's is [16, 1, 5, 5]");
    let bytes = save_weights(&crate::willis_improved(&device)).unwrap();
    let error = load_weights(cifar_baseline(&device), &bytes, &[]).unwrap_err();
    assert!(matches!(&error, WeightsError::Unexpected(names) if names.len() == 2), "{error}");
    let bytes = save_weights(&cifar_baseline(&device)).unwrap();
    let error = load_weights(crate::willis_improved(&device), &bytes, &[]).unwrap_err();
    assert!(matches!(&error, WeightsError::Missing(names) if names.len() == 2), "{error}");
}

/// What the scripts in `tests/fixtures/weights` made.
fn fixture(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/weights");
    std::fs::read(folder.join(name)).unwrap()
}

/// The network of a config of the fixtures.
fn network_of(config: &str, device: &Device) -> Network {
    let text = String::from_utf8(fixture(config)).unwrap();
    let experiment =
        backproof_spec::Experiment::from_toml(config, &text, &[], &backproof_spec::DataSets::any()).unwrap();
    Network::new(&experiment.model, 1, device).unwrap()
}

/// The elements of a tensor in single precision.
fn values(view: &TensorView<'_>) -> TensorData {
    let bytes = safetensors::serialize([("it", view.clone())], None).unwrap();
    let architecture = backproof_spec::published::mnist_baseline();
    let file = WeightsFile::read(&bytes, &architecture, &[]).unwrap();
    file.tensor("it").unwrap().elements(DType::F32).unwrap()
}

#[test]
fn weights_that_pytorch_saved_give_the_logits_of_pytorch() {
    let device = Device::flex();
    let bytes = fixture("pytorch.safetensors");
    assert!(SafeTensors::deserialize(&bytes).unwrap().names().contains(&"norm1.num_batches_tracked"));
    for (config, prefix) in [("config.toml", ""), ("residual.toml", "residual-")] {
        let bytes = fixture(&format!("{prefix}pytorch.safetensors"));
        let (network, _) = load_weights(network_of(config, &device), &bytes, &[]).unwrap();
        let expected = fixture(&format!("{prefix}expected.safetensors"));
        let expected = SafeTensors::deserialize(&expected).unwrap();
        let tensor = |name: &str| values(&expected.tensor(name).unwrap());
        let logits = network.forward(Tensor::from_data(tensor("images"), &device), PassMode::Inference).into_data();
        for (ours, theirs) in logits.iter::<f64>().zip(tensor("logits").iter::<f64>()) {
            assert!((ours - theirs).abs() < 1e-5 * theirs.abs().max(1.0), "{config}: {ours} is not {theirs}");
        }
    }
}

/// A file with the tensors of `network`, their names after `prefix`, the bytes of each element made by `element`.
fn file<const N: usize>(network: &Network, prefix: &str, dtype: Dtype, element: impl Fn(f64) -> [u8; N]) -> Vec<u8> {
    let tensors = network.tensors().into_iter();
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .map(|it| {
            let bytes = it.data.iter::<f64>().flat_map(&element).collect();
            (format!("{prefix}{}", it.name), it.data.shape().to_vec(), bytes)
        })
        .collect();
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| (name.clone(), TensorView::new(dtype, shape.clone(), bytes).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

fn all_values(network: &Network) -> Vec<f64> {
    network.tensors().iter().flat_map(|tensor| tensor.data.iter::<f64>().collect::<Vec<_>>()).collect()
}

#[test]
fn doubles_are_rounded_to_the_precision_of_the_network() {
    let device = Device::flex();
    let network = mnist_baseline(&device);
    let doubles = |scale: f64| file(&network, "", Dtype::F64, |w| (w * scale).to_le_bytes());
    let (loaded, _) = load_weights(mnist_baseline(&device), &doubles(1.0), &[]).unwrap();
    assert_eq!(all_values(&loaded), all_values(&network));
    let error = load_weights(mnist_baseline(&device), &doubles(1e300), &[]).unwrap_err().to_string();
    assert!(error.starts_with("conv1.weight has the element "), "{error}");
    assert!(error.ends_with(", which is too large for single precision"), "{error}");
    let error = load_weights(mnist_baseline(&device), &doubles(f64::NAN), &[]).unwrap_err().to_string();
    assert_eq!(error, "conv1.weight has an element that is not a finite number");
}

#[test]
fn both_kinds_of_half_precision_are_read_exactly() {
    let device = Device::flex();
    let network = Network::new(&backproof_spec::published::mnist_baseline(), 2, &device).unwrap();
    let halves = file(&network, "", Dtype::F16, |w| f16::from_f64(w).to_le_bytes());
    let (loaded, _) = load_weights(mnist_baseline(&device), &halves, &[]).unwrap();
    let expected: Vec<f64> = all_values(&network).into_iter().map(|w| f16::from_f64(w).to_f64()).collect();
    assert_eq!(all_values(&loaded), expected);
    let brains = file(&network, "", Dtype::BF16, |w| bf16::from_f64(w).to_le_bytes());
    let (loaded, _) = load_weights(mnist_baseline(&device), &brains, &[]).unwrap();
    let expected: Vec<f64> = all_values(&network).into_iter().map(|w| bf16::from_f64(w).to_f64()).collect();
    assert_eq!(all_values(&loaded), expected);
    assert_eq!(loaded.tensors()[0].data.dtype(), DType::F32);
    // 1.5, −2 and the smallest number above zero, by the bits.
    let of =
        |dtype, bytes: &[u8]| -> Vec<f64> { values(&TensorView::new(dtype, vec![3], bytes).unwrap()).iter().collect() };
    assert_eq!(of(Dtype::F16, &[0x00, 0x3e, 0x00, 0xc0, 0x01, 0x00]), [1.5, -2.0, 2.0_f64.powi(-24)]);
    assert_eq!(of(Dtype::BF16, &[0xc0, 0x3f, 0x00, 0xc0, 0x80, 0x00]), [1.5, -2.0, 2.0_f64.powi(-126)]);
}

#[test]
fn elements_that_are_no_floating_point_numbers_are_refused_by_their_type() {
    let device = Device::flex();
    let network = mnist_baseline(&device);
    let bytes = file(&network, "", Dtype::I32, |w| (w as i32).to_le_bytes());
    let error = load_weights(mnist_baseline(&device), &bytes, &[]).unwrap_err().to_string();
    assert_eq!(error, "conv1.weight has elements of type I32; expected F16, BF16, F32 or F64");
}

#[test]
fn a_prefix_of_every_name_is_removed_and_said() {
    let device = Device::flex();
    let network = Network::new(&backproof_spec::published::mnist_baseline(), 2, &device).unwrap();
    for prefix in ["module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.", "model.model.module."] {
        let bytes = file(&network, prefix, Dtype::F32, |w| (w as f32).to_le_bytes());
        let (loaded, changes) = load_weights(mnist_baseline(&device), &bytes, &[]).unwrap();
        assert_eq!(changes.removed_prefix.as_deref(), Some(prefix));
        assert_eq!(all_values(&loaded), all_values(&network), "{prefix}");
        let (loaded, transfer) = crate::transfer_weights(mnist_baseline(&device), &bytes, &[], false).unwrap();
        assert_eq!(transfer.changes.removed_prefix.as_deref(), Some(prefix));
        assert_eq!(all_values(&loaded), all_values(&network), "{prefix}");
        let said = format!("removed the prefix `{prefix}` from the name of every tensor\nloaded conv1.weight, ");
        assert!(transfer.to_string().starts_with(&said), "{transfer}");
    }
    // No wrapper's: a name of something else.
    let bytes = file(&network, "net.", Dtype::F32, |w| (w as f32).to_le_bytes());
    assert!(matches!(load_weights(mnist_baseline(&device), &bytes, &[]), Err(WeightsError::Missing(_))));
}

#[test]
fn a_prefix_that_only_some_names_have_is_an_error_that_names_it() {
    let device = Device::flex();
    let one = 1.0_f32.to_le_bytes();
    let view = TensorView::new(Dtype::F32, vec![1], &one).unwrap();
    let refused = |names: [&str; 2]| {
        let bytes = safetensors::serialize(names.map(|name| (name, view.clone())), None).unwrap();
        let error = load_weights(mnist_baseline(&device), &bytes, &[]).unwrap_err().to_string();
        let other = crate::transfer_weights(mnist_baseline(&device), &bytes, &[], false).unwrap_err().to_string();
        assert_eq!(error, other);
        error
    };
    assert_eq!(
        refused(["module.conv1.bias", "conv1.weight"]),
        "only some tensors have the prefix `module.`: module.conv1.bias has it, and conv1.weight does not"
    );
    assert_eq!(
        refused(["module.conv1.bias", "module._orig_mod.conv1.weight"]),
        "only some tensors have the prefix `module._orig_mod.`: module._orig_mod.conv1.weight has it, and \
         module.conv1.bias does not"
    );
}

#[test]
fn bytes_cut_anywhere_are_refused() {
    let device = Device::flex();
    let bytes = save_weights(&mnist_baseline(&device)).unwrap();
    for cut in [0, 7, 8, 100, bytes.len() - 1] {
        assert!(load_weights(mnist_baseline(&device), &bytes[..cut], &[]).is_err(), "cut at {cut}");
    }
}

fn digits() -> Vec<String> {
    (0..10).map(|digit: usize| digit.to_string()).collect()
}

#[test]
fn a_network_in_the_formats_of_others_is_the_network_in_safetensors() {
    let device = Device::flex();
    let load = |file: &str, classes: &[String]| {
        let (network, changes) = load_weights(network_of("course.toml", &device), &fixture(file), classes)
            .unwrap_or_else(|error| {
                panic!("{file}: {error}");
            });
        (all_values(&network), changes)
    };
    let (expected, none) = load("course.safetensors", &digits());
    assert_eq!(none, Changes::default());
    for file in ["course.mat", "course-compressed.mat"] {
        let (values, changes) = load(file, &digits());
        assert_eq!(values, expected, "{file}");
        let line = "took the outputs 1 to 10 of the MATLAB file as the digits 1 to 9 and 0: MATLAB counts from 1";
        assert_eq!(changes.lines(), [line]);
        // Classes with other names are in their order: what was of the digit 1 comes first.
        let (plain, changes) = load(file, &["bird".to_owned()]);
        assert_eq!(changes, Changes::default());
        let (own, theirs) = (expected.len() - 10, plain.len() - 10);
        assert_eq!(plain[theirs..][..9], expected[own + 1..]);
        assert_eq!(plain[theirs + 9], expected[own]);
    }
    for (file, prefix) in [("course.npz", None), ("course-compressed.npz", Some("module."))] {
        let (values, changes) = load(file, &digits());
        assert_eq!(values, expected, "{file}");
        assert_eq!((changes.removed_prefix.as_deref(), changes.reordered_digits), (prefix, None));
    }
}

#[test]
fn a_matlab_network_of_other_layers_is_refused_and_what_fits_of_it_can_begin_a_run() {
    let device = Device::flex();
    let bytes = fixture("course.mat");
    let error = load_weights(mnist_baseline(&device), &bytes, &digits()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer 2 of the file is conv 3, 3×5 (1×28×28 to 3×26×24); there the network has `conv1`, conv 16, 5×5, \
         padding 2 (1×28×28 to 16×28×28)"
    );
    let (_, transfer) = crate::transfer_weights(mnist_baseline(&device), &bytes, &digits(), false).unwrap();
    assert_eq!(transfer.changes.reordered_digits, Some(10));
    assert_eq!(transfer.loaded, ["linear1.bias"]);
    assert_eq!(transfer.skipped[0].reason, "which has the shape [3, 1, 3, 5] there and [16, 1, 5, 5] here");
    assert!(transfer.to_string().starts_with("took the outputs 1 to 10 of the MATLAB file"), "{transfer}");
    let (network, transfer) = crate::transfer_weights(network_of("course.toml", &device), &bytes, &[], true).unwrap();
    assert_eq!((transfer.loaded.len(), transfer.changes), (6, Changes::default()));
    let (loaded, _) = load_weights(network_of("course.toml", &device), &bytes, &[]).unwrap();
    assert_eq!(all_values(&network), all_values(&loaded));
}

#[test]
fn an_array_that_does_not_fit_is_told_with_both_shapes() {
    let device = Device::flex();
    let error = load_weights(mnist_baseline(&device), &fixture("course.npz"), &[]).unwrap_err();
    assert_eq!(error.to_string(), "conv1.weight has the shape [3, 1, 3, 5]; the network's is [16, 1, 5, 5]");
}
