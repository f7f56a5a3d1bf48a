//! Targets of classes for losses that take any numbers.

use backproof_gradcheck::Value;

use crate::subject::Draw;

/// Once in three the targets of a label a sample, and the labels: the kernels know no others.
pub(super) fn perhaps_of_classes(draw: &mut Draw, targets: Value) -> (Value, Option<Vec<usize>>) {
    if !draw.once_in(3) {
        return (targets, None);
    }
    let [samples, classes] = *targets.dims() else { unreachable!("targets are a row a sample") };
    let labels: Vec<usize> = (0..samples).map(|_| draw.size(0..=classes - 1)).collect();
    let mut rows = vec![0.0; samples * classes];
    labels.iter().enumerate().for_each(|(sample, label)| rows[sample * classes + label] = 1.0);
    (Value::new([samples, classes], rows), Some(labels))
}
