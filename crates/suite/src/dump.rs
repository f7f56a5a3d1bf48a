//! Tensors of all checks in one safetensors file.

use std::collections::HashMap;

use burn::tensor::DType;
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView};

use crate::outcome::CheckOutcome;

/// The bytes of a file with `SUBJECT/CASE/TENSOR` for every check, at a hard point `SUBJECT/POINT/CASE/TENSOR`: its inputs and parameters
/// under their names, `cotangent`, and `gradient.SOURCE.TENSOR`. The metadata has a line for each check,
/// `SUBJECT/CASE`, with its shapes and options. Everything is stored as F64; what was computed in f32 is exact in it.
pub fn dump(outcomes: &[CheckOutcome], dtype: DType) -> Result<Vec<u8>, SafeTensorError> {
    let mut metadata = HashMap::from([
        ("format".to_owned(), "backproof-gradients".to_owned()),
        ("schema".to_owned(), "1".to_owned()),
        ("dtype".to_owned(), format!("{dtype:?}").to_lowercase()),
    ]);
    let mut tensors = Vec::new();
    for outcome in outcomes {
        let check = match outcome.case {
            Some(case) if outcome.general() => format!("{}/{case}", outcome.subject),
            Some(case) => format!("{}/{}/{case}", outcome.subject, outcome.point),
            None => format!("{}/{}", outcome.subject, outcome.about.split(' ').next_back().unwrap_or_default()),
        };
        for (name, value) in &outcome.tensors {
            let bytes: Vec<u8> = value.data().iter().flat_map(|x| x.to_le_bytes()).collect();
            tensors.push((format!("{check}/{name}"), value.dims().to_vec(), bytes));
        }
        metadata.insert(check, outcome.about.clone());
    }
    let views = tensors
        .iter()
        .map(|(name, dims, bytes)| Ok((name.as_str(), TensorView::new(Dtype::F64, dims.clone(), bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    safetensors::serialize(views, Some(metadata))
}
