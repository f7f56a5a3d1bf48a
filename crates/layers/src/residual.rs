use crate::definition::{Definition, pair};
use crate::{Features, Initial, Layer, Mode, Ranked, Saved};
use backproof_compiled::{self as compiled, Operation};
use backproof_spec::{self as spec, Shape, Shortcut, TracedBranch, TracedLayer};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Int, Tensor};

/// A residual connection: a body of layers and a shortcut beside it get the same input, and their outputs are added up.
///
/// # Derivation
///
/// With the body `f` and the shortcut `h`, which give the same shape,
///
/// ```text
/// y = f(x) + h(x)
/// ```
///
/// With `g = ∂L/∂y`: `y_q` depends on `f_q` and on `h_q` alone, with the factor 1 each, so **both branches get `g`** as
/// the gradient of their output. The input reaches `L` in two ways, and the chain rule adds them up. With the Jacobians
/// `J_f` and `J_h`,
///
/// ```text
/// ∂L/∂x = J_fᵀ g + J_hᵀ g
/// ```
///
/// `J_fᵀ g` is what the backward passes of the body's layers make of `g`, the last layer first, and `J_hᵀ g` likewise
/// what the shortcut makes of it. The parameters of a branch get their gradients in its pass, as in any network.
///
/// **Identity.** `h(x) = x` and `J_hᵀ g = g`: whatever the body does, the gradient arrives whole.
///
/// **Zero padding** (option A). `h` takes every `s`-th row and every `s'`-th column, and has zeros in the channels
/// after the `C` of the input:
///
/// ```text
/// h_n,c,i,j        = x_n,c,s·i,s'·j   for c < C, else 0
/// (J_hᵀ g)_n,c,u,v = g_n,c,u/s,v/s'   where s divides u and s' divides v, else 0
/// ```
///
/// Each pixel of `h` copies one of `x`, and no pixel of `x` is copied twice. The added channels depend on nothing.
///
/// **Projection.** `h` is layers of its own.
///
/// # Source
///
/// He, Zhang, Ren and Sun, *Deep residual learning for image recognition* (arXiv:1512.03385), equations 1 and 2, and
/// the options A and B of section 3.3. Their `F` is our `f`. In their networks a ReLU follows the sum; here it is a
/// layer of its own after this one.
#[derive(Module, Debug)]
pub struct Residual {
    /// The layers of the body.
    pub body: Vec<Layer>,
    /// The layers of a projection; none of the other shortcuts.
    pub shortcut: Vec<Layer>,
    /// What zero padding does; nothing of the other shortcuts.
    #[module(skip)]
    pub padding: Option<ZeroPadding>,
}

/// A shortcut that takes pixels at a stride and adds channels of zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZeroPadding {
    /// The channels of the output.
    pub channels: usize,
    /// Pixels from one that is taken to the next, `[height, width]`.
    pub stride: [usize; 2],
}

/// What [`Residual::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct ResidualSaved {
    /// Of each layer of the body.
    pub body: Vec<Saved>,
    /// Of each layer of a projection.
    pub shortcut: Vec<Saved>,
    /// The shape of an input that is images, `[N, C, H, W]`.
    pub images: Option<[usize; 4]>,
}

impl Residual {
    /// Of these branches: no layers in the shortcut and no padding is the identity.
    ///
    /// # Panics
    ///
    /// If the body has no layers, or there are both a projection and a padding.
    #[must_use]
    pub fn new(body: Vec<Layer>, shortcut: Vec<Layer>, padding: Option<ZeroPadding>) -> Self {
        assert!(!body.is_empty(), "the body has no layers");
        assert!(shortcut.is_empty() || padding.is_none(), "there is one shortcut");
        Self { body, shortcut, padding }
    }

    /// The sum of both branches. `chain` runs layers one after the other; it is also given by how much the number of
    /// the first of them is larger than that of this layer.
    ///
    /// # Panics
    ///
    /// If the branches give other shapes, which `spec` refuses before a network is built.
    #[must_use]
    pub fn forward_by(
        &self,
        input: Features,
        mut chain: impl FnMut(&[Layer], usize, Features) -> Features,
    ) -> Features {
        let body = chain(&self.body, 1, input.clone());
        let beside = match &self.padding {
            Some(padding) => Ranked::Images(padding.forward(input.images())),
            None if self.shortcut.is_empty() => input,
            None => chain(&self.shortcut, self.first_beside(), input),
        };
        sum(body, beside)
    }

    /// As [`forward_by`](Self::forward_by), with what [`backward`](Self::backward) needs of it.
    ///
    /// # Panics
    ///
    /// As [`forward_by`](Self::forward_by).
    #[must_use]
    pub fn forward_saving_by(
        &self,
        input: Features,
        mut chain: impl FnMut(&[Layer], usize, Features) -> (Features, Vec<Saved>),
    ) -> (Features, ResidualSaved) {
        let images = match &input {
            Ranked::Images(images) => Some(images.dims()),
            Ranked::Vectors(_) => None,
        };
        let (mut body, mut shortcut) = (Vec::new(), Vec::new());
        let output = self.forward_by(input, |layers, first, input| {
            let (output, saved) = chain(layers, first, input);
            if first == 1 {
                body = saved;
            } else {
                shortcut = saved;
            }
            output
        });
        (output, ResidualSaved { body, shortcut, images })
    }

    /// `∂L/∂x` from `gradient = ∂L/∂y`; the gradients of the parameters are registered in `gradients`.
    ///
    /// # Panics
    ///
    /// If `saved` is of another layer.
    pub fn backward(&self, saved: ResidualSaved, gradient: Features, gradients: &mut GradientsParams) -> Features {
        self.backward_by(saved, gradient, |layers, _, saved, gradient| {
            let layers = layers.iter().zip(saved).rev();
            layers.fold(gradient, |gradient, (layer, saved)| layer.backward(saved, gradient, gradients))
        })
    }

    /// As [`backward`](Self::backward). `chain` goes back through layers that follow one another; it is also given by how
    /// much the number of the first of them is larger than that of this layer.
    ///
    /// # Panics
    ///
    /// If `saved` is of another layer.
    pub fn backward_by(
        &self,
        saved: ResidualSaved,
        gradient: Features,
        mut chain: impl FnMut(&[Layer], usize, Vec<Saved>, Features) -> Features,
    ) -> Features {
        let through_body = chain(&self.body, 1, saved.body, gradient.clone());
        let beside = match &self.padding {
            Some(padding) => {
                let images = saved.images.expect("zero padding is of images");
                Ranked::Images(padding.backward(images, gradient.images()))
            }
            None => chain(&self.shortcut, self.first_beside(), saved.shortcut, gradient),
        };
        sum(through_body, beside)
    }

    /// By how much the number of the first layer of a projection is larger than that of this layer.
    fn first_beside(&self) -> usize {
        1 + self.body.iter().map(Layer::count).sum::<usize>()
    }
}

impl ZeroPadding {
    /// `[N, C, H, W]` to `[N, C′, ⌈H/s⌉, ⌈W/s′⌉]`.
    ///
    /// # Panics
    ///
    /// If the input has more channels than the output.
    #[must_use]
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let [_, channels, height, width] = input.dims();
        let taken = every(every(input, 2, height, self.stride[0]), 3, width, self.stride[1]);
        if channels == self.channels {
            return taken;
        }
        let [samples, _, height, width] = taken.dims();
        let zeros = [samples, self.channels - channels, height, width];
        let zeros = Tensor::zeros(zeros, (&taken.device(), taken.dtype()));
        Tensor::cat(vec![taken, zeros], 1)
    }

    /// `∂L/∂x` of an input with these dimensions.
    #[must_use]
    pub fn backward(&self, input: [usize; 4], gradient: Tensor<4>) -> Tensor<4> {
        let [_, channels, height, width] = input;
        let gradient = gradient.narrow(1, 0, channels);
        spread(spread(gradient, 2, height, self.stride[0]), 3, width, self.stride[1])
    }
}

/// Every `stride`-th slice along `axis`, which has `size` of them, from the first on.
fn every(tensor: Tensor<4>, axis: usize, size: usize, stride: usize) -> Tensor<4> {
    if stride == 1 {
        return tensor;
    }
    let taken: Tensor<1, Int> = Tensor::arange_step(0..size as i64, stride, &tensor.device());
    tensor.select(axis, taken)
}

/// The transpose of [`every`]: the slices at a stride along `axis`, and zeros between them.
fn spread(tensor: Tensor<4>, axis: usize, size: usize, stride: usize) -> Tensor<4> {
    if stride == 1 {
        return tensor;
    }
    let mut dims = tensor.dims();
    let around = |from: usize, to: usize| dims[from..to].iter().product::<usize>();
    let [before, taken, after] = [around(0, axis), dims[axis], around(axis + 1, 4)];
    // Each slice with its zeros behind it; those behind the last one may be too many.
    let slices: Tensor<4> = tensor.reshape([before, taken, 1, after]);
    let zeros = Tensor::zeros([before, taken, stride - 1, after], (&slices.device(), slices.dtype()));
    dims[axis] = taken * stride;
    Tensor::cat(vec![slices, zeros], 2).reshape(dims).narrow(axis, 0, size)
}

/// The sum of two branches.
fn sum(one: Features, other: Features) -> Features {
    match (one, other) {
        (Ranked::Images(one), Ranked::Images(other)) => Ranked::Images(one + other),
        (one, other) => Ranked::Vectors(one.vectors() + other.vectors()),
    }
}

impl Definition for Residual {
    type Spec = spec::ResidualSpec;
    type Saved = ResidualSaved;

    fn build(spec: &Self::Spec, traced: &TracedLayer, initial: Initial<'_>) -> Self {
        let build = |layer: &TracedLayer| Layer::new(layer, Initial { layer: layer.number, ..initial });
        let mut branches = traced.branches.iter().map(|branch| branch.layers.iter().map(build).collect());
        let (body, shortcut) = (branches.next().unwrap_or_default(), branches.next().unwrap_or_default());
        let padding = match (&spec.shortcut, traced.output) {
            (Shortcut::ZeroPadding, Shape::Image { channels, .. }) => {
                let stride = pair(spec::zero_padding_stride(traced.input, traced.output));
                Some(ZeroPadding { channels, stride })
            }
            _ => None,
        };
        Self::new(body, shortcut, padding)
    }

    /// All layers inside of it run in the same mode. A network gives each of them its own, by
    /// [`forward_by`](Self::forward_by).
    fn forward(&self, input: Features, mode: Mode) -> Features {
        self.forward_by(input, |layers, _, input| {
            layers.iter().fold(input, |features, layer| layer.forward(features, mode))
        })
    }

    fn forward_saving(&self, input: Features, mode: Mode) -> (Features, Self::Saved) {
        self.forward_saving_by(input, |layers, _, mut features| {
            let mut kept = Vec::with_capacity(layers.len());
            for layer in layers {
                let (output, saved) = layer.forward_saving(features, mode);
                features = output;
                kept.push(saved);
            }
            (features, kept)
        })
    }

    fn backward(&self, saved: Self::Saved, gradient: Features, gradients: &mut GradientsParams) -> Features {
        self.backward(saved, gradient, gradients)
    }

    fn is_trainable(&self) -> bool {
        self.body.iter().chain(&self.shortcut).any(Layer::is_trainable)
    }

    fn branches(&self) -> Vec<&[Layer]> {
        vec![&self.body, &self.shortcut]
    }

    fn saved_inside(saved: &Self::Saved) -> Vec<&Saved> {
        saved.body.iter().chain(&saved.shortcut).collect()
    }

    fn operation(spec: &Self::Spec, traced: &TracedLayer) -> Option<Operation> {
        let operations = |branch: &TracedBranch| branch.layers.iter().map(Layer::operation).collect::<Option<Vec<_>>>();
        let body = operations(&traced.branches[0])?;
        let shortcut = match (&spec.shortcut, traced.output) {
            (Shortcut::Layers(_), _) => compiled::Shortcut::Operations(operations(&traced.branches[1])?),
            (Shortcut::ZeroPadding, Shape::Image { channels, .. }) => {
                let stride = pair(spec::zero_padding_stride(traced.input, traced.output));
                compiled::Shortcut::Pixels { channels, stride }
            }
            _ => compiled::Shortcut::Identity,
        };
        Some(Operation::Residual { body, shortcut })
    }

    #[cfg(feature = "flex")]
    fn node(&self) -> Result<crate::Node, String> {
        Err("there is no kernel for the sum of its branches".to_owned())
    }
}

#[cfg(test)]
mod tests;
