//! The tensors of a file of any format, each with its own error.

use std::borrow::Cow;
use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, SafeTensors};

use crate::matlab::{Array, Content, Variables};
use crate::{Budget, Element, Format, FormatError, Numbers, StoredTensor, numpy, shown};

/// The tensors of a file.
#[derive(Debug)]
pub struct Arrays {
    /// By name: a tensor, or why it cannot be read.
    pub tensors: BTreeMap<String, Result<StoredTensor<'static>, FormatError>>,
    /// What is wrong with the file after these tensors: what it may have had there is lost.
    pub damage: Option<FormatError>,
}

/// The tensors of a file whose format its content says. Their last axis is called last whatever the format: a MATLAB
/// array `x(i, j)` and a NumPy array `x[i, j]` have the same shape.
///
/// # Errors
///
/// Bytes that are no such file, and a file that is damaged in front of its first tensor.
pub fn read(bytes: &[u8], budget: &mut Budget) -> Result<Arrays, FormatError> {
    match Format::of(bytes)? {
        Format::Npz => {
            let tensors = numpy::each(bytes, budget)?.into_iter();
            let tensors = tensors.map(|(name, tensor)| (name, tensor.map(StoredTensor::into_owned))).collect();
            Ok(Arrays { tensors, damage: None })
        }
        Format::Safetensors => safetensors(bytes),
        Format::Matlab => matlab(bytes, budget),
    }
}

fn safetensors(bytes: &[u8]) -> Result<Arrays, FormatError> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| {
        FormatError::new(format!("is a damaged safetensors file ({error})"), "a whole one; save or copy it again")
    })?;
    let tensor = |(name, view): (&str, safetensors::tensor::TensorView<'_>)| {
        let element = match view.dtype() {
            Dtype::F16 => Element::F16,
            Dtype::BF16 => Element::BF16,
            Dtype::F32 => Element::F32,
            Dtype::F64 => Element::F64,
            Dtype::I8 => Element::I8,
            Dtype::U8 => Element::U8,
            Dtype::I16 => Element::I16,
            Dtype::U16 => Element::U16,
            Dtype::I32 => Element::I32,
            Dtype::U32 => Element::U32,
            Dtype::I64 => Element::I64,
            Dtype::U64 => Element::U64,
            other => {
                let found = format!("has a tensor `{}` of the type {other:?}", shown(name));
                return (name.to_owned(), Err(FormatError::new(found, "floating-point numbers, such as F64")));
            }
        };
        let numbers = Numbers { element, big_endian: false, bytes: Cow::Owned(view.data().to_vec()) };
        (name.to_owned(), Ok(StoredTensor::row_major(view.shape().to_vec(), numbers)))
    };
    Ok(Arrays { tensors: file.iter().map(tensor).collect(), damage: None })
}

fn matlab(bytes: &[u8], budget: &mut Budget) -> Result<Arrays, FormatError> {
    let Variables { contents, big_endian, mut damage } = Variables::up_to_damage(bytes, budget)?;
    if contents.is_empty()
        && let Some(damage) = damage
    {
        return Err(damage);
    }
    let mut tensors = BTreeMap::new();
    for content in contents {
        let array = match Array::read(&content, big_endian) {
            Ok(array) => array,
            // Without its content the name of a variable is not known.
            Err(error) => {
                damage.get_or_insert(error);
                continue;
            }
        };
        let described = array.describe();
        let Array { name, dims, content } = array;
        let tensor = match content {
            Content::Numbers(numbers) => Ok(StoredTensor::column_major(dims, numbers.into_owned())),
            _ => Err(FormatError::new(
                format!("has in `{}` {described}", shown(&name)),
                "an array of real numbers, such as `double`",
            )),
        };
        tensors.insert(name, tensor);
    }
    Ok(Arrays { tensors, damage })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::{self, Named};

    fn named() -> [Named<'static>; 3] {
        [
            Named { name: "x", shape: &[2, 3], values: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.5] },
            Named { name: "bias", shape: &[2], values: &[-1.0, 0.25] },
            Named { name: "loss", shape: &[], values: &[7.0] },
        ]
    }

    fn read_all(bytes: &[u8]) -> Arrays {
        read(bytes, &mut Budget::new(bytes.len(), 9)).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again_in_every_format() {
        let written = [write::npz(&named()), write::safetensors(&named()), write::matlab(&named())];
        for (format, bytes) in written.iter().enumerate() {
            let arrays = read_all(bytes);
            assert!(arrays.damage.is_none());
            let of = |name: &str| {
                let tensor = arrays.tensors[name].as_ref().unwrap();
                (tensor.shape.clone(), tensor.values().collect::<Vec<f64>>())
            };
            assert_eq!(of("x"), (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.5]));
            // MATLAB has no vectors and no scalars.
            let [bias, loss] = if format == 2 { [vec![2, 1], vec![1, 1]] } else { [vec![2], vec![]] };
            assert_eq!(of("bias"), (bias, vec![-1.0, 0.25]));
            assert_eq!(of("loss"), (loss, vec![7.0]));
        }
    }

    #[test]
    fn a_matlab_file_that_is_cut_has_the_variables_in_front_of_the_cut() {
        let whole = write::matlab(&named());
        let cut = &whole[..whole.len() - 8];
        let arrays = read_all(cut);
        assert_eq!(arrays.tensors.keys().map(String::as_str).collect::<Vec<_>>(), ["bias", "x"]);
        assert!(arrays.damage.unwrap().found.contains("is a damaged MATLAB file"));
    }

    #[test]
    fn no_cut_and_no_change_of_a_file_panics() {
        for bytes in [write::npz(&named()), write::safetensors(&named()), write::matlab(&named())] {
            for place in 0..bytes.len() {
                let _ = read(&bytes[..place], &mut Budget::new(place, 9));
                for change in [0x01, 0x80, 0xff] {
                    let mut changed = bytes.clone();
                    changed[place] ^= change;
                    if let Ok(arrays) = read(&changed, &mut Budget::new(changed.len(), 9)) {
                        arrays
                            .tensors
                            .values()
                            .flatten()
                            .for_each(|tensor| assert!(tensor.values().count() < 1_000_000));
                    }
                }
            }
        }
    }
}
