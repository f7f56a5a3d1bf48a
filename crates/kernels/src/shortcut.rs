//! What a residual connection needs: the sum of two images, and pixels at a stride.

use crate::isa::{Isa, Kernel};
use crate::layout::Layout;
use crate::vector::{LANES, Lanes};

/// `to ← one + other`, or max(0, one + other) with `relu`, all but the border; NaN stays NaN.
///
/// # Panics
///
/// If a layout is planar, they differ in shape, or a slice has another length than it should.
pub fn sum(isa: Isa, one: (&Layout, &[f32]), other: (&Layout, &[f32]), relu: bool, to: (&Layout, &mut [f32])) {
    one.0.check_blocked(one.1);
    other.0.check_blocked(other.1);
    to.0.check_blocked(to.1);
    assert!(one.0.shape() == to.0.shape() && other.0.shape() == to.0.shape(), "one shape");
    isa.run(Sum { one, other, relu, to });
}

struct Sum<'a> {
    one: (&'a Layout, &'a [f32]),
    other: (&'a Layout, &'a [f32]),
    relu: bool,
    to: (&'a Layout, &'a mut [f32]),
}

impl Kernel for Sum<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { one: (of_one, one), other: (of_other, other), relu, to: (layout, to) } = self;
        for (block, row) in layout.rows() {
            let terms = of_one.row(one, block, row).iter().zip(of_other.row(other, block, row));
            for (to, (one, other)) in layout.row_mut(to, block, row).iter_mut().zip(terms) {
                // SAFETY: the instructions are the caller's.
                unsafe {
                    let sum = V::of(one).add(V::of(other));
                    (if relu { sum.relu() } else { sum }).put(to);
                }
            }
        }
    }
}

/// `to_c,i,j ← from_c,s·i,s′·j`, and 0 in the channels that `from` does not have; all but the border.
///
/// # Panics
///
/// If a layout is planar, `to` has fewer channels than `from`, or not ⌈H / s⌉ rows and ⌈W / s′⌉ columns, or a slice has
/// another length than it should.
pub fn take_pixels(layout: &Layout, from: &[f32], stride: [usize; 2], to_layout: &Layout, to: &mut [f32]) {
    check(layout, from, stride, to_layout, to);
    for (block, row) in to_layout.rows() {
        let to = to_layout.row_mut(to, block, row);
        if block >= layout.blocks() {
            to.as_flattened_mut().fill(0.0);
            continue;
        }
        let from = layout.row(from, block, row * stride[0]).iter().step_by(stride[1]);
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
}

/// `to_c,s·i,s′·j ← to_c,s·i,s′·j + from_c,i,j`: the transpose of [`take_pixels`], added to what is there.
///
/// # Panics
///
/// As [`take_pixels`], with `from` and `to` exchanged.
pub fn add_pixels(layout: &Layout, from: &[f32], stride: [usize; 2], to_layout: &Layout, to: &mut [f32]) {
    check(to_layout, to, stride, layout, from);
    for block in 0..to_layout.blocks() {
        // `from` may have channels where the last block of `to` has none.
        let channels = (to_layout.channels - block * LANES).min(LANES);
        for row in 0..layout.height {
            let to = to_layout.row_mut(to, block, row * stride[0]).iter_mut().step_by(stride[1]);
            for (to, from) in to.zip(layout.row(from, block, row)) {
                if channels == LANES {
                    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                } else {
                    to[..channels].iter_mut().zip(from).for_each(|(to, from)| *to += from);
                }
            }
        }
    }
}

fn check(large: &Layout, of_large: &[f32], stride: [usize; 2], small: &Layout, of_small: &[f32]) {
    large.check_blocked(of_large);
    small.check_blocked(of_small);
    let taken = [large.height.div_ceil(stride[0]), large.width.div_ceil(stride[1])];
    let fits = small.channels >= large.channels && [small.height, small.width] == taken;
    assert!(fits, "{small:?} of {large:?} at the stride {stride:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Border;

    const BORDER: Border = Border { top: 1, left: 2, bottom: 0, right: 1 };

    fn written(layout: &Layout, values: &[f32]) -> Vec<f32> {
        let mut memory = vec![0.0; layout.size()];
        layout.write(values, &mut memory);
        memory
    }

    fn read(layout: &Layout, memory: &[f32]) -> Vec<f32> {
        let mut values = vec![f32::NAN; layout.channels * layout.height * layout.width];
        layout.read(memory, &mut values);
        values
    }

    fn counted(from: f32, count: usize) -> Vec<f32> {
        (0..count).map(|at| from + at as f32).collect()
    }

    #[test]
    fn a_sum_is_of_partners_and_its_relu_cuts_it_off() {
        let (one, other) = (Layout::blocked([18, 2, 3], BORDER), Layout::blocked([18, 2, 3], Border::default()));
        let (x, y) = (counted(-60.0, 108), counted(-20.0, 108));
        for isa in Isa::available() {
            for relu in [false, true] {
                let mut to = vec![0.0; one.size()];
                let terms = (written(&one, &x), written(&other, &y));
                sum(isa, (&one, &terms.0), (&other, &terms.1), relu, (&one, &mut to));
                let expected = x.iter().zip(&y).map(|(x, y)| if relu { (x + y).max(0.0) } else { x + y });
                assert_eq!(read(&one, &to), expected.collect::<Vec<_>>());
                let inside: f32 = read(&one, &to).iter().map(|x| x.abs()).sum();
                assert_eq!(to.iter().map(|x| x.abs()).sum::<f32>(), inside, "the border stays zero");
            }
        }
    }

    #[test]
    fn pixels_are_taken_at_a_stride_and_their_gradients_go_back_there() {
        // Blocks that are not full: the channels 17 and 18 of the large image, 19 and 20 of the small one alone.
        let (large, small) = (Layout::blocked([18, 3, 5], BORDER), Layout::blocked([20, 2, 3], Border::default()));
        let x = counted(1.0, 18 * 15);
        let mut taken = vec![7.0; small.size()];
        take_pixels(&large, &written(&large, &x), [2, 2], &small, &mut taken);
        let at = |c: usize, i: usize, j: usize| (c * 2 + i) * 3 + j;
        let mut expected = vec![0.0; 120];
        let mut gradient = counted(5.0, 18 * 15);
        let g = counted(0.5, 120);
        for (c, i, j) in (0..18).flat_map(|c| (0..2).flat_map(move |i| (0..3).map(move |j| (c, i, j)))) {
            let pixel = (c * 3 + 2 * i) * 5 + 2 * j;
            expected[at(c, i, j)] = x[pixel];
            gradient[pixel] += g[at(c, i, j)];
        }
        assert_eq!(read(&small, &taken), expected);
        let mut to = written(&large, &counted(5.0, 18 * 15));
        add_pixels(&small, &written(&small, &g), [2, 2], &large, &mut to);
        assert_eq!(read(&large, &to), gradient);
        let inside: f32 = gradient.iter().sum();
        assert_eq!(to.iter().sum::<f32>(), inside, "the border and the channels that are none stay zero");
    }

    #[test]
    fn of_blocks_alone_no_channel_is_added() {
        let (large, small) = (Layout::blocked([2, 1, 1], BORDER), Layout::blocked([40, 1, 1], BORDER));
        let mut taken = vec![0.0; small.size()];
        take_pixels(&large, &written(&large, &[3.0, 4.0]), [1, 1], &small, &mut taken);
        let taken = read(&small, &taken);
        assert_eq!((&taken[..2], taken[2..].iter().sum::<f32>()), (&[3.0, 4.0][..], 0.0));
    }
}
