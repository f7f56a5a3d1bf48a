//! Convolution and pooling element by element, as their definitions have them, on the host: to get them wrong on
//! purpose.

use backproof_gradcheck::Value;

use crate::subject::Draw;

/// Where windows lie; pairs are `[height, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Windows {
    pub(super) stride: [usize; 2],
    pub(super) padding: [usize; 2],
    pub(super) dilation: [usize; 2],
}

/// What is wrong, and the windows that it leads to.
type Slip = (&'static str, fn(Windows) -> Windows);

/// RowMajor of windows that one gets by a slip of the hand. One that is no slip here (unit strides) changes nothing and
/// is not counted.
pub(super) const SLIPS: [Slip; 6] = [
    ("stride and dilation are exchanged", |w| Windows { stride: w.dilation, dilation: w.stride, ..w }),
    ("the stride of the rows is used for the columns too", |w| Windows { stride: [w.stride[0]; 2], ..w }),
    ("the dilation of the rows is used for the columns too", |w| Windows { dilation: [w.dilation[0]; 2], ..w }),
    ("the padding of the rows is used for the columns too", |w| Windows { padding: [w.padding[0]; 2], ..w }),
    ("the padding is lost", |w| Windows { padding: [0; 2], ..w }),
    ("shifted by one row", |w| Windows { padding: [w.padding[0] + 1, w.padding[1]], ..w }),
];

/// Kernel, padding and image of a convolution of 16 channels to 16 that the CPU kernels compute by tiles.
pub(super) fn tiled(draw: &mut Draw) -> [[usize; 2]; 3] {
    let kernel = draw.pick(&[3, 5]);
    // Tiles of 6×6 inputs that no edge cuts off.
    let size = match kernel {
        3 => draw.pair(1..=2).map(|tiles| 4 * tiles),
        _ => draw.pair(2..=3).map(|tiles| 2 * tiles),
    };
    [[kernel; 2], [kernel / 2; 2], size]
}

impl Windows {
    /// The pixel under element `k` of window `at`, if it is one of the image's.
    fn pixel(&self, at: [usize; 2], k: [usize; 2], size: [usize; 2]) -> Option<[usize; 2]> {
        let along = |axis: usize| {
            let position =
                (at[axis] * self.stride[axis] + k[axis] * self.dilation[axis]).checked_sub(self.padding[axis]);
            position.filter(|&position| position < size[axis])
        };
        Some([along(0)?, along(1)?])
    }

    /// Whether any window has a pixel of the image in it.
    pub(super) fn touch(&self, kernel: [usize; 2], size: [usize; 2]) -> bool {
        let outputs = [0, 1].map(|axis| {
            let reach = self.dilation[axis] * (kernel[axis] - 1) + 1;
            (size[axis] + 2 * self.padding[axis] - reach) / self.stride[axis] + 1
        });
        grid(outputs).any(|at| grid(kernel).any(|k| self.pixel(at, k, size).is_some()))
    }

    /// Calls `each(plane, output, input, kernel)` with flat indices, for every element of every window of every plane.
    pub(super) fn for_each(
        &self,
        planes: usize,
        [outputs, kernel, size]: [[usize; 2]; 3],
        mut each: impl FnMut(usize, usize, usize, usize),
    ) {
        for plane in 0..planes {
            for at in grid(outputs) {
                for k in grid(kernel) {
                    if let Some(pixel) = self.pixel(at, k, size) {
                        let flat = |[row, column]: [usize; 2], width: usize| row * width + column;
                        let input = plane * size[0] * size[1] + flat(pixel, size[1]);
                        let output = plane * outputs[0] * outputs[1] + flat(at, outputs[1]);
                        each(plane, output, input, flat(k, kernel[1]));
                    }
                }
            }
        }
    }
}

fn grid([rows, columns]: [usize; 2]) -> impl Iterator<Item = [usize; 2]> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| [row, column]))
}

/// The last two dimensions.
pub(super) fn plane(value: &Value) -> [usize; 2] {
    let [.., rows, columns] = value.dims() else { panic!("images have rows and columns") };
    [*rows, *columns]
}

/// `[∂⟨g, y⟩/∂x, ∂⟨g, y⟩/∂w]` of a convolution, with output channel `o` of group `group_of(o)`.
pub(super) fn convolution(windows: Windows, values: [&Value; 3], group_of: impl Fn(usize) -> usize) -> [Value; 2] {
    convolution_by(windows, values, group_of, |sum, term| *sum += term)
}

/// The same with another way to take a term into a sum.
pub(super) fn convolution_by(
    windows: Windows,
    [x, w, g]: [&Value; 3],
    group_of: impl Fn(usize) -> usize,
    take: impl Fn(&mut f64, f64),
) -> [Value; 2] {
    let (samples, channels) = (x.dims()[0], x.dims()[1]);
    let (outputs, of_group) = (w.dims()[0], w.dims()[1]);
    let sizes = [plane(g), plane(w), plane(x)];
    let [per_output, per_kernel, per_input] = sizes.map(|[rows, columns]| rows * columns);
    let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; w.len()]);
    for sample in 0..samples {
        for o in 0..outputs {
            for c in 0..of_group {
                let input = (sample * channels + group_of(o) * of_group + c) * per_input;
                let kernel = (o * of_group + c) * per_kernel;
                let output = (sample * outputs + o) * per_output;
                windows.for_each(1, sizes, |_, at, pixel, k| {
                    let g = g.data()[output + at];
                    take(&mut dx[input + pixel], g * w.data()[kernel + k]);
                    take(&mut dw[kernel + k], g * x.data()[input + pixel]);
                });
            }
        }
    }
    [Value::new(x.dims(), dx), Value::new(w.dims(), dw)]
}
