use crate::Value;
use crate::cotangent::Cotangent;
use crate::kinks::Crossing;

/// The function at `s − h`, `s − h/2`, `s`, `s + h/2`, `s + h` on a line, with the abscissae that were really taken.
pub(crate) struct Points {
    pub(crate) s: [f64; 5],
    pub(crate) y: [Value; 5],
    pub(crate) crossing: Crossing,
    /// The distance of 1 from the next number, in the precision of the function.
    pub(crate) epsilon: f64,
}

/// What five points say of the derivative of one objective `⟨w, f⟩`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// `D_R = (4 D_{h/2} − D_h) / 3`.
    pub(crate) derivative: f64,
    /// `|D_R − D_h|`.
    pub(crate) truncation: f64,
    /// `Σ_o |w_o D_R,o|`.
    pub(crate) magnitude: f64,
    /// `Σ_o |w_o (D₊ − D₋)_o|`, the distance between the derivatives from the right and the left.
    pub(crate) width: f64,
    /// The deviation of the objective by round-off, `(Σ_o w_o² σ_o²)^½` over the outputs that move between these
    /// points.
    pub(crate) noise: f64,
    /// What the points' not being quite symmetric makes of the bend: an even function has a slope then.
    pub(crate) asymmetry: f64,
    /// How much of the width may be noise.
    pub(crate) width_noise: f64,
    /// The sums over the outputs of the smaller and of the larger of both one-sided derivatives.
    pub(crate) one_sided: [f64; 2],
    /// How far the one-sided derivatives move if the step is halved.
    pub(crate) one_sided_error: f64,
    /// The sums of the smallest and of the largest slopes between neighbouring points, of outputs that see a kink
    /// between them.
    pub(crate) slopes: [f64; 2],
}

/// The derivatives of one output from the left and from the right, where they differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bent {
    pub(crate) output: usize,
    pub(crate) left: f64,
    pub(crate) right: f64,
}

impl Points {
    /// `h`.
    pub(crate) fn step(&self) -> f64 {
        (self.s[4] - self.s[0]) / 2.0
    }

    fn output(&self, output: usize) -> [f64; 5] {
        std::array::from_fn(|point| self.y[point].data()[output])
    }

    fn slope(&self, y: &[f64; 5], from: usize, to: usize) -> f64 {
        (y[to] - y[from]) / (self.s[to] - self.s[from])
    }

    /// The one-sided derivatives, extrapolated from the slopes over `h` and `h/2`.
    fn sides(&self, y: &[f64; 5]) -> [f64; 2] {
        let left = 2.0 * self.slope(y, 1, 2) - self.slope(y, 0, 2);
        let right = 2.0 * self.slope(y, 2, 3) - self.slope(y, 2, 4);
        [left, right]
    }

    /// Whether an output is not the same at all five points.
    pub(crate) fn moves(&self, output: usize) -> bool {
        let y = self.output(output);
        y.iter().any(|&other| other != y[2])
    }

    /// The noise of an output at these points: what was measured at the centre, and at least the rounding of its
    /// largest value.
    fn noise(&self, y: &[f64; 5], measured: f64) -> f64 {
        measured.max(self.epsilon * y.iter().fold(0.0, |largest: f64, y| largest.max(y.abs())))
    }

    /// The slope of an output between the outer points.
    pub(crate) fn outer_slope(&self, output: usize) -> f64 {
        self.slope(&self.output(output), 0, 4)
    }

    /// The outputs whose one-sided derivatives differ by more than noise.
    pub(crate) fn bent(&self, noise: &[f64]) -> Vec<Bent> {
        let bent = |output: usize| {
            let y = self.output(output);
            let [left, right] = self.sides(&y);
            let apart = (right - left).abs();
            let noise = 64.0 * self.noise(&y, noise[output]) / self.step();
            let bent = apart > (1e-5 * left.abs().max(right.abs())).max(noise);
            bent.then_some(Bent { output, left, right })
        };
        (0..noise.len()).filter(|&output| self.moves(output)).filter_map(bent).collect()
    }

    pub(crate) fn measure(&self, cotangent: &Cotangent, noise: &[f64]) -> Measured {
        let step = self.step();
        let [left, right] = [self.s[2] - self.s[0], self.s[4] - self.s[2]];
        let apart = (right - left).abs().max(self.epsilon * self.s[2].abs()) / step;
        let mut asymmetry = 0.0;
        let (mut coarse, mut fine, mut magnitude) = (0.0, 0.0, 0.0);
        let (mut one_sided, mut slopes) = ([0.0; 2], [0.0; 2]);
        let (mut width, mut width_noise, mut one_sided_error) = (0.0, 0.0, 0.0);
        // Squares of what is tiny vanish; `hypot` takes none.
        let mut deviation = 0.0f64;
        for (output, w) in cotangent.terms() {
            let y = self.output(output);
            if y.iter().all(|&other| other == y[2]) {
                continue;
            }
            let slope = |from: usize, to: usize| self.slope(&y, from, to);
            let (outer, inner) = (slope(0, 4), slope(1, 3));
            coarse += w * outer;
            fine += w * inner;
            magnitude += (w * (4.0 * inner - outer) / 3.0).abs();
            asymmetry += w.abs() * apart * (slope(2, 4) - slope(0, 2)).abs();
            let [left, right] = self.sides(&y);
            add_interval(&mut one_sided, w, [left.min(right), left.max(right)]);
            one_sided_error += w.abs() * (left - slope(1, 2)).abs().max((right - slope(2, 3)).abs());
            width += (w * (right - left)).abs();
            // The two sides differ by 11 deviations of noise over the step, typically.
            let noise = w.abs() * self.noise(&y, noise[output]);
            width_noise += 64.0 * noise / step;
            deviation = deviation.hypot(noise);
            let pieces = [slope(0, 1), slope(1, 2), slope(2, 3), slope(3, 4)];
            let range = pieces.iter().fold([pieces[0]; 2], |range, &slope| hull(range, [slope; 2]));
            // Slopes also differ where the function merely bends, by h f″; its two sides then differ by h² f‴ only.
            let crossed = (right - left).abs() > 0.25 * (range[1] - range[0]);
            add_interval(&mut slopes, w, if crossed { range } else { [(4.0 * inner - outer) / 3.0; 2] });
        }
        let derivative = (4.0 * fine - coarse) / 3.0;
        let truncation = (derivative - coarse).abs();
        Measured {
            derivative,
            truncation: if truncation.is_nan() { f64::INFINITY } else { truncation },
            magnitude,
            width,
            noise: deviation,
            asymmetry,
            width_noise,
            one_sided,
            one_sided_error,
            slopes,
        }
    }
}

fn add_interval(sum: &mut [f64; 2], w: f64, [low, high]: [f64; 2]) {
    sum[0] += (w * low).min(w * high);
    sum[1] += (w * low).max(w * high);
}

/// The smallest interval that contains both.
pub(crate) fn hull(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0].min(b[0]), a[1].max(b[1])]
}

#[cfg(test)]
mod tests;
