//! What a segment of `backproof-compiled` takes of the layers that are computed in it.

use std::sync::Arc;

use backproof_compiled::{SegmentNormalization, WriteMask};
use burn::module::Param;

use crate::{BatchNorm, Dropout};

impl BatchNorm {
    /// The parameters and running statistics, for a segment. A pass of the segment moves the statistics of the layer.
    #[must_use]
    pub fn in_segment(&self) -> SegmentNormalization {
        SegmentNormalization {
            gamma: self.gamma.as_ref().map(Param::val),
            beta: self.beta.as_ref().map(Param::val),
            running_mean: self.running_mean.clone(),
            running_variance: self.running_variance.clone(),
        }
    }
}

impl Dropout {
    /// The mask of this seed, for a segment.
    #[must_use]
    pub fn in_segment(&self, seed: [u8; 32]) -> WriteMask {
        let dropout = self.clone();
        Arc::new(move |first, mask| dropout.write_mask(seed, first, mask))
    }
}

#[cfg(test)]
mod tests {
    use backproof_compiled::{Operation, Segment, SegmentParameters};
    use backproof_kernels::{Conv2dShape, Isa};
    use burn::tensor::{DType, Tensor};

    use super::*;
    use crate::testing::{random, values};
    use crate::{Conv2d, Conv2dOptions, Mode};

    const SHAPE: Conv2dShape = Conv2dShape {
        channels: 2,
        input: [4, 5],
        outputs: 3,
        kernel: [1, 1],
        stride: [1, 1],
        padding: [0, 0],
        dilation: [1, 1],
        groups: 1,
    };

    #[test]
    fn a_segment_computes_the_layers_and_moves_their_running_statistics() {
        let single = |tensor: Tensor<1>| tensor.cast(DType::F32);
        let norm = || BatchNorm::new(single(random(1, [3])), single(random(2, [3])), 1e-3, 0.2);
        let dropout = Dropout::new(0.4);
        let seed = [3; 32];
        let weight = random::<4>(3, [3, 2, 1, 1]).cast(DType::F32);
        let images = random::<4>(4, [3, 2, 4, 5]).cast(DType::F32);

        let (in_segment, alone) = (norm(), norm());
        let operations = vec![
            Operation::Conv2d { shape: SHAPE, bias: false },
            Operation::BatchNorm { epsilon: 1e-3, momentum: 0.2, scale: true, shift: true },
            Operation::Dropout,
        ];
        let segment = Segment::new(Isa::available()[0], [2, 4, 5], operations, [3, 4, 5]);
        let (normalization, mask) = (Some(in_segment.in_segment()), Some(dropout.in_segment(seed)));
        let parameters = SegmentParameters { weight: weight.clone(), bias: None, normalization, mask };
        let found = segment.forward(images.clone(), parameters);

        let mode = Mode::Training { dropout_seed: seed };
        let features = Conv2d::new(weight, None, Conv2dOptions::default()).forward(images);
        let expected = dropout.forward(alone.forward(features, mode), mode);

        let close = |what: &str, found: Vec<f64>, expected: Vec<f64>| {
            assert_eq!(found.len(), expected.len());
            let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(apart < 1e-5, "{what}: {found:?}, not {expected:?}");
        };
        let dropped = values(found.clone().cast(DType::F64)).iter().filter(|&&value| value == 0.0).count();
        assert!(dropped > 0, "the mask drops something");
        close("output", values(found.cast(DType::F64)), values(expected.cast(DType::F64)));
        let state = |tensor: Tensor<1>| values(tensor.cast(DType::F64));
        for (what, [found, expected]) in [
            ("running mean", [&in_segment, &alone].map(|norm| norm.running_mean.value_sync())),
            ("running variance", [&in_segment, &alone].map(|norm| norm.running_variance.value_sync())),
        ] {
            close(what, state(found), state(expected));
        }
        assert!(state(in_segment.running_mean.value_sync()).iter().any(|mean| mean.abs() > 1e-3), "it moves");
    }
}
