use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::conv::{Conv2d as BurnConv2d, Conv2dConfig as BurnConv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

use crate::nn::Error;
#[cfg(feature = "flex")]
use crate::nn::plans::Plans;

/// Configuration of a [`Conv2d`]: that of [`burn::nn::conv::Conv2dConfig`], with the same defaults.
#[derive(Config, Debug)]
pub struct Conv2dConfig {
    /// Channels of the input and of the output.
    pub channels: [usize; 2],
    /// Rows and columns of the kernel.
    pub kernel_size: [usize; 2],
    /// Pixels from a window to the next, by axis.
    #[config(default = "[1, 1]")]
    pub stride: [usize; 2],
    /// Pixels from an element of the kernel to the next, by axis.
    #[config(default = "[1, 1]")]
    pub dilation: [usize; 2],
    /// Parts that the channels are divided into. With as many as there are channels, it is a depthwise convolution.
    #[config(default = "1")]
    pub groups: usize,
    /// Zeros around the image.
    #[config(default = "PaddingConfig2d::Valid")]
    pub padding: PaddingConfig2d,
    /// Whether each output channel has a bias.
    #[config(default = true)]
    pub bias: bool,
    /// How parameters are drawn.
    #[config(default = "Initializer::KaimingUniform { gain: 1.0 / 3f64.sqrt(), fan_out_only: false }")]
    pub initializer: Initializer,
}

impl Conv2dConfig {
    /// A convolution with the parameters that [`burn::nn::conv::Conv2dConfig::init`] draws.
    ///
    /// # Panics
    ///
    /// If the channels cannot be divided into the groups.
    #[must_use]
    pub fn init(&self, device: &Device) -> Conv2d {
        let Self { channels, kernel_size, stride, dilation, groups, padding, bias, initializer } = self.clone();
        let config = BurnConv2dConfig { channels, kernel_size, stride, dilation, groups, padding, bias, initializer };
        config.init(device).into()
    }
}

/// Two-dimensional convolution: [`burn::nn::conv::Conv2d`], on our kernels where these run.
///
/// Its fields and the names of its parameters are the same, so that records of one load into the other. The backward
/// pass of the kernels is derived at [`crate::Conv2d`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Conv2d {
    /// `[channels_out, channels_in / groups, rows, columns]`.
    pub weight: Param<Tensor<4>>,
    /// `[channels_out]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// Pixels from a window to the next, by axis.
    pub stride: [usize; 2],
    /// Rows and columns of the kernel.
    pub kernel_size: [usize; 2],
    /// Pixels from an element of the kernel to the next, by axis.
    pub dilation: [usize; 2],
    /// Parts that the channels are divided into.
    pub groups: usize,
    /// Zeros around the image.
    #[module(skip)]
    pub padding: PaddingConfig2d,
    #[cfg(feature = "flex")]
    #[module(skip)]
    plans: Plans,
}

impl From<BurnConv2d> for Conv2d {
    fn from(of: BurnConv2d) -> Self {
        let BurnConv2d { weight, bias, stride, kernel_size, dilation, groups, padding } = of;
        Self {
            weight,
            bias,
            stride,
            kernel_size,
            dilation,
            groups,
            padding,
            #[cfg(feature = "flex")]
            plans: Plans::default(),
        }
    }
}

impl From<Conv2d> for BurnConv2d {
    fn from(of: Conv2d) -> Self {
        let Conv2d { weight, bias, stride, kernel_size, dilation, groups, padding, .. } = of;
        Self { weight, bias, stride, kernel_size, dilation, groups, padding }
    }
}

impl ModuleDisplay for Conv2d {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        BurnConv2d::from(self.clone()).custom_settings()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        BurnConv2d::from(self.clone()).custom_content(content)
    }
}

impl Conv2d {
    /// `[N, channels_in, H, W]` to `[N, channels_out, H′, W′]`.
    ///
    /// # Panics
    ///
    /// Where [`try_forward`](Self::try_forward) returns an error.
    #[must_use]
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.try_forward(input).unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`forward`](Self::forward).
    ///
    /// # Errors
    ///
    /// An input with another number of channels, or one that is smaller than the kernel.
    pub fn try_forward(&self, input: Tensor<4>) -> Result<Tensor<4>, Error> {
        let dims @ [_, channels, height, width] = input.dims();
        let [_, per_group, rows, columns] = self.weight.dims();
        let expected = per_group * self.groups;
        if channels != expected {
            return Err(Error::Channels { input: dims, expected });
        }
        let spans = |axis: usize, size: usize| self.dilation[axis] * size.saturating_sub(1) + 1;
        let kernel = [spans(0, rows), spans(1, columns)];
        let padding = self.padding_of([height, width]);
        let padded = [0, 1].map(|axis| [height, width][axis] + padding[axis].iter().sum::<usize>());
        if padded[0] < kernel[0] || padded[1] < kernel[1] {
            return Err(Error::TooSmall { input: dims, padded, kernel });
        }
        #[cfg(feature = "flex")]
        if let Some(output) = self.on_kernels(&input, padding) {
            return Ok(output);
        }
        Ok(BurnConv2d::from(self.clone()).forward(input))
    }

    /// Zeros before and after each axis of an image of this size.
    fn padding_of(&self, size: [usize; 2]) -> [[usize; 2]; 2] {
        match self.padding {
            PaddingConfig2d::Valid => [[0; 2]; 2],
            PaddingConfig2d::Explicit(top, left, bottom, right) => [[top, bottom], [left, right]],
            // As many outputs as there are windows that begin within the image; an odd zero comes last.
            PaddingConfig2d::Same => [0, 1].map(|axis| {
                let outputs = size[axis].div_ceil(self.stride[axis]);
                let reach = outputs.saturating_sub(1) * self.stride[axis] + self.kernel_size[axis];
                let zeros = reach.saturating_sub(size[axis]);
                [zeros / 2, zeros - zeros / 2]
            }),
        }
    }

    /// `None` where no kernel computes it.
    #[cfg(feature = "flex")]
    fn on_kernels(&self, input: &Tensor<4>, padding: [[usize; 2]; 2]) -> Option<Tensor<4>> {
        use backproof_compiled::{SegmentParameters, runs_on_kernels};
        use backproof_kernels::{Conv2dShape, Isa};

        let [images, channels, height, width] = input.dims();
        let weight = self.weight.val();
        let bias = self.bias.as_ref().map(Param::val);
        let on_kernels =
            runs_on_kernels(input) && runs_on_kernels(&weight) && bias.as_ref().is_none_or(runs_on_kernels);
        let symmetric = padding.iter().all(|[before, after]| before == after);
        if !on_kernels || !symmetric || images == 0 {
            return None;
        }
        let [outputs, _, rows, columns] = weight.dims();
        let shape = Conv2dShape {
            channels,
            input: [height, width],
            outputs,
            kernel: [rows, columns],
            stride: self.stride,
            padding: padding.map(|[before, _]| before),
            dilation: self.dilation,
            groups: self.groups,
        };
        let segment = self.plans.of(Isa::selected().ok()?, shape, bias.is_some());
        Some(segment.forward(input.clone(), SegmentParameters { weight, bias, normalization: None, mask: None }))
    }
}

#[cfg(test)]
mod tests;
