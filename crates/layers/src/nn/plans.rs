//! The latest plans of a layer, by what they are for.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use backproof_compiled::{Operation, Segment};
use backproof_kernels::{Conv2dShape, Isa};

/// Shapes of images that a layer remembers a plan of. A network that sees more of them in turn makes plans anew, which
/// takes less time than to compute one batch.
const MOST: usize = 16;

/// Segments of one convolution, the latest last. Clones of a layer share them, as they hold no parameter.
#[derive(Clone, Default)]
pub(super) struct Plans(Arc<Mutex<Vec<(Conv2dShape, Segment)>>>);

impl fmt::Debug for Plans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plans")
    }
}

impl Plans {
    pub(super) fn of(&self, isa: Isa, shape: Conv2dShape, bias: bool) -> Segment {
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = plans.iter().position(|(of, _)| *of == shape);
        let found = known.map(|at| plans.remove(at)).unwrap_or_else(|| {
            let [height, width] = shape.input;
            let [rows, columns] = shape.output();
            let input = [shape.channels, height, width];
            let output = [shape.outputs, rows, columns];
            (shape, Segment::new(isa, input, vec![Operation::Conv2d { shape, bias }], output))
        });
        if plans.len() == MOST {
            plans.remove(0);
        }
        let segment = found.1.clone();
        plans.push(found);
        segment
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
