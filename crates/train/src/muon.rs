//! Muon for the layers of a network: Burn's, on weights as matrices.

use burn::Tensor;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{LearningRate, Muon as OfMatrices, MuonConfig, Optimizer};
use burn::tensor::Device;

/// Muon (Jordan et al. 2024): momentum, whose matrix steps of Newton and Schulz bring near the orthogonal matrix of its
/// singular value decomposition. `docs/derivations/optimizers.md` derives the steps.
///
/// The matrix of a convolution `[O, C, kH, kW]` has O rows and C kH kW columns, and that of a linear layer O rows and F
/// columns. Burn's own step is for tensors of rank 2 alone, and takes the matrix of a linear layer, which Burn keeps as
/// `[F, O]`, the other way round.
#[derive(Clone)]
pub(crate) struct Muon {
    of_matrices: OfMatrices,
    rescale: bool,
}

impl Muon {
    pub(crate) fn new(momentum: f64, nesterov: bool, steps: usize, rescale: bool, weight_decay: f64) -> Self {
        let decay = (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay as f32));
        let of_matrices = MuonConfig::new()
            .with_momentum(MomentumConfig { momentum, dampening: 0.0, nesterov })
            .with_ns_steps(steps)
            .with_weight_decay(decay)
            .build();
        Self { of_matrices, rescale }
    }
}

/// `weights` as a matrix with a row an output.
fn matrix<const D: usize>(weights: Tensor<D>) -> Tensor<2> {
    if D == 2 {
        let [inputs, outputs] = [weights.dims()[0], weights.dims()[1]];
        weights.reshape([inputs, outputs]).transpose()
    } else {
        let outputs = weights.dims()[0];
        weights.reshape([outputs as i64, -1])
    }
}

impl Optimizer for Muon {
    type State<const D: usize> = <OfMatrices as Optimizer>::State<2>;

    /// # Panics
    ///
    /// If the weights are a vector, which a config does not allow.
    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        assert!(D >= 2, "Muon is for matrices");
        let shape = weights.shape();
        let mut weights = matrix(weights);
        if self.rescale {
            let outputs = weights.dims()[0] as f64;
            let norm = weights.clone().square().sum().sqrt();
            weights = weights.mul(norm.recip().mul_scalar(outputs.sqrt()).unsqueeze());
        }
        let (weights, state) = self.of_matrices.step(learning_rate, weights, matrix(gradient), state);
        let weights = if D == 2 { weights.transpose() } else { weights };
        (weights.reshape(shape), state)
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        OfMatrices::to_device(state, device)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, TensorData};

    use super::*;

    /// `[rows, columns]` of numbers without any order.
    fn numbers(shape: &[usize]) -> Tensor<2> {
        let count: usize = shape.iter().product();
        let values: Vec<f64> = (0..count).map(|at| ((at * at * 7 + at * 31 + 5) % 23) as f64 / 11.0 - 1.0).collect();
        Tensor::from_data(TensorData::new(values, shape.to_vec()), (&Device::flex(), DType::F64))
    }

    fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
        tensor.to_data().try_to_vec::<f64>().unwrap()
    }

    /// The way that weights of zeros go at the first step with learning rate 1 and without momentum.
    fn direction<const D: usize>(gradient: Tensor<D>, steps: usize) -> Tensor<D> {
        let zeros = gradient.zeros_like();
        let (weights, _) = Muon::new(0.0, false, steps, false, 0.0).step(1.0, zeros, gradient, None);
        weights.neg()
    }

    /// U p(S) Vᵀ of the singular value decomposition U S Vᵀ: Newton–Schulz moves the singular values alone, each by its
    /// polynomial. The decomposition comes from the eigenvectors of G Gᵀ, by Jacobi's rotations.
    #[test]
    fn newton_schulz_moves_each_singular_value_by_its_polynomial() {
        for steps in [1, 3, 5] {
            for [outputs, inputs] in [[3, 5], [4, 4], [2, 9]] {
                let gradient = numbers(&[outputs, inputs]);
                // A linear layer keeps its matrix as [inputs, outputs].
                let found = direction(gradient.clone().transpose(), steps).transpose();
                let norm = values(&gradient).iter().map(|g| g * g).sum::<f64>().sqrt();
                let (eigenvalues, vectors) =
                    eigen(&values(&gradient.clone().matmul(gradient.clone().transpose())), outputs);
                let g = values(&gradient);
                let mut expected = vec![0.0; outputs * inputs];
                for (eigenvalue, u) in eigenvalues.iter().zip(&vectors) {
                    let s = eigenvalue.sqrt();
                    // The coefficients of Jordan et al. 2024, rounded to single precision as Burn keeps them.
                    let [a, b, c] = [3.4445_f32, -4.775, 2.0315].map(f64::from);
                    let moved = (0..steps).fold(s / norm, |s, _| a * s + b * s.powi(3) + c * s.powi(5));
                    for column in 0..inputs {
                        let v: f64 = (0..outputs).map(|row| u[row] * g[row * inputs + column]).sum::<f64>() / s;
                        (0..outputs).for_each(|row| expected[row * inputs + column] += moved * u[row] * v);
                    }
                }
                for (found, expected) in values(&found).iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-9, "{steps} steps, {outputs}×{inputs}: {found}, {expected}");
                }
            }
        }
    }

    /// Eigenvalues and eigenvectors of a symmetric matrix, by rotations that make one pair of elements 0 each.
    fn eigen(matrix: &[f64], n: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
        let mut a: Vec<Vec<f64>> = matrix.chunks(n).map(<[f64]>::to_vec).collect();
        let mut vectors: Vec<Vec<f64>> =
            (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
        for _ in 0..60 {
            for p in 0..n {
                for q in p + 1..n {
                    let angle = 0.5 * (2.0 * a[p][q]).atan2(a[q][q] - a[p][p]);
                    let (sin, cos) = angle.sin_cos();
                    for row in a.iter_mut() {
                        (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
                    }
                    for column in 0..n {
                        let (x, y) = (a[p][column], a[q][column]);
                        (a[p][column], a[q][column]) = (cos * x - sin * y, sin * x + cos * y);
                        let (x, y) = (vectors[p][column], vectors[q][column]);
                        (vectors[p][column], vectors[q][column]) = (cos * x - sin * y, sin * x + cos * y);
                    }
                }
            }
        }
        ((0..n).map(|i| a[i][i]).collect(), vectors)
    }

    /// The kernels of a convolution are the rows of a matrix, and the step of a tall matrix is √(rows / columns) as long.
    #[test]
    fn a_convolution_is_a_matrix_with_a_row_an_output() {
        let gradient = numbers(&[6, 4]);
        let of_linear = direction(gradient.clone().transpose(), 5).transpose();
        let of_conv = direction::<4>(gradient.clone().reshape([6, 1, 2, 2]), 5);
        let apart = values(&of_linear).iter().zip(values(&of_conv)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-12, "{apart}");
        let wide = direction(gradient, 5); // of 4 outputs
        let length = |tensor: &[f64]| tensor.iter().map(|x| x * x).sum::<f64>().sqrt();
        let ratio = length(&values(&of_conv)) / length(&values(&wide));
        assert!((ratio - (6.0_f64 / 4.0).sqrt()).abs() < 1e-9, "{ratio}");
    }

    #[test]
    fn weights_are_brought_to_their_norm_before_they_move() {
        let (weights, gradient) = (numbers(&[3, 5]).mul_scalar(7.0), numbers(&[3, 5]).transpose().reshape([3, 5]));
        // A linear layer with 3 inputs has 5 outputs, the rows of its matrix.
        let moved = |rescale: bool, rate: f64| {
            values(&Muon::new(0.6, true, 3, rescale, 0.0).step(rate, weights.clone(), gradient.clone(), None).0)
        };
        let norm = |numbers: &[f64]| numbers.iter().map(|x| x * x).sum::<f64>().sqrt();
        assert!((norm(&moved(true, 0.0)) - 5.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(moved(false, 0.0), values(&weights));
        let factor = 5.0_f64.sqrt() / norm(&values(&weights));
        let way = |rescale: bool| -> Vec<f64> {
            let start = if rescale { factor } else { 1.0 };
            moved(rescale, 0.1).iter().zip(values(&weights)).map(|(after, w)| after - start * w).collect()
        };
        assert!(way(true).iter().zip(way(false)).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
