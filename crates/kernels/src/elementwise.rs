//! ReLU, products and copies, number by number of a blocked image.

use crate::isa::{Isa, Kernel};
use crate::layout::Layout;
use crate::vector::Lanes;

/// `g ← 0` where the output of a ReLU, of layout `of`, is not above zero; elsewhere g, of layout `layout`, stays.
///
/// # Panics
///
/// If a layout is planar, the two differ in shape, or a slice has another length than it should.
pub fn relu_backward(isa: Isa, of: &Layout, output: &[f32], layout: &Layout, gradient: &mut [f32]) {
    isa.run(Each { function: Function::ReluBackward, other: (of, output), to: (layout, gradient) }.checked());
}

/// `g ← 0` where the input of a ReLU, of layout `of`, is below zero; elsewhere, at zero too, g, of layout `layout`,
/// stays.
///
/// # Panics
///
/// If a layout is planar, the two differ in shape, or a slice has another length than it should.
pub fn relu_backward_passing_zero(isa: Isa, of: &Layout, input: &[f32], layout: &Layout, gradient: &mut [f32]) {
    isa.run(Each { function: Function::ReluBackwardPassingZero, other: (of, input), to: (layout, gradient) }.checked());
}

/// `to ← max(0, from)`, all but the border; NaN stays NaN.
///
/// # Panics
///
/// If a layout is planar, the two differ in shape, or a slice has another length than it should.
pub fn relu_forward(isa: Isa, layout: &Layout, from: &[f32], to_layout: &Layout, to: &mut [f32]) {
    isa.run(Each { function: Function::Relu, other: (layout, from), to: (to_layout, to) }.checked());
}

/// `to ← to ⊙ factors`, all but the border.
///
/// # Panics
///
/// If a layout is planar, the two differ in shape, or a slice has another length than it should.
pub fn multiply(isa: Isa, of: &Layout, factors: &[f32], layout: &Layout, to: &mut [f32]) {
    isa.run(Each { function: Function::Product, other: (of, factors), to: (layout, to) }.checked());
}

/// `to ← from`, all but the border.
///
/// # Panics
///
/// If a layout is planar, the two differ in shape, or a slice has another length than it should.
pub fn copy(isa: Isa, layout: &Layout, from: &[f32], to_layout: &Layout, to: &mut [f32]) {
    isa.run(Each { function: Function::Copy, other: (layout, from), to: (to_layout, to) }.checked());
}

#[derive(Clone, Copy)]
enum Function {
    ReluBackward,
    ReluBackwardPassingZero,
    Relu,
    Product,
    Copy,
}

struct Each<'a> {
    function: Function,
    other: (&'a Layout, &'a [f32]),
    to: (&'a Layout, &'a mut [f32]),
}

impl Each<'_> {
    fn checked(self) -> Self {
        let Self { other: (of, other), to: (layout, to), .. } = &self;
        of.check_blocked(other);
        layout.check_blocked(to);
        assert_eq!(of.shape(), layout.shape(), "one shape");
        self
    }
}

impl Kernel for Each<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { function, other: (of, other), to: (layout, to) } = self;
        for (block, row) in layout.rows() {
            let pixels = layout.row_mut(to, block, row).iter_mut().zip(of.row(other, block, row));
            for (to, other) in pixels {
                // SAFETY: the instructions are the caller's.
                unsafe {
                    let (value, other) = (V::of(to), V::of(other));
                    let result = match function {
                        Function::ReluBackward => other.select_greater(V::splat(0.0), value, V::splat(0.0)),
                        Function::ReluBackwardPassingZero => V::splat(0.0).select_greater(other, V::splat(0.0), value),
                        Function::Relu => other.relu(),
                        Function::Product => value.mul(other),
                        Function::Copy => other,
                    };
                    result.put(to);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Border;

    #[test]
    fn each_number_is_met_by_its_partner() {
        let border = Border { top: 1, left: 1, bottom: 1, right: 1 };
        let (of, layout) = (Layout::blocked([3, 2, 2], border), Layout::blocked([3, 2, 2], Border::default()));
        let values: Vec<f32> = (0..12).map(|i| i as f32 - 5.0).collect();
        let mut other = vec![0.0; of.size()];
        of.write(&values, &mut other);
        let read = |memory: &[f32]| {
            let mut values = vec![0.0; 12];
            layout.read(memory, &mut values);
            values
        };
        for isa in Isa::available() {
            let mut to = vec![0.0; layout.size()];
            layout.write(&[2.0; 12], &mut to);
            multiply(isa, &of, &other, &layout, &mut to);
            assert_eq!(read(&to), values.iter().map(|x| 2.0 * x).collect::<Vec<_>>());
            let passes = |x: &f32| if *x < 0.0 { 0.0 } else { 1.0 };
            let mut ones = vec![0.0; layout.size()];
            layout.write(&[1.0; 12], &mut ones);
            relu_backward_passing_zero(isa, &of, &other, &layout, &mut ones);
            assert_eq!(read(&ones), values.iter().map(passes).collect::<Vec<_>>());
            relu_backward(isa, &of, &other, &layout, &mut to);
            assert_eq!(read(&to), values.iter().map(|x| 2.0 * x.max(0.0)).collect::<Vec<_>>());
            relu_forward(isa, &of, &other, &layout, &mut to);
            assert_eq!(read(&to), values.iter().map(|x| x.max(0.0)).collect::<Vec<_>>());
            copy(isa, &of, &other, &layout, &mut to);
            assert_eq!(read(&to), values);
        }
    }
}
