//! Convolution of images.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::keys::{BIAS, DILATION, INITIALIZATION, PADDING};
use super::words::unless_plain;
use super::{Inferred, Misfit, checks, window};
use crate::config::{Entries, Key, Kind, Literal, Presence, Record, key};
use crate::{Initialization, InitializationKind, Shape, Size2};

/// A two-dimensional convolution, `[C, H, W]` to `[out_channels, H′, W′]` with
/// H′ = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, and W′ likewise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conv2dSpec {
    /// Number of kernels, and so of channels of the output.
    pub out_channels: usize,
    /// Size of a kernel in pixels.
    pub kernel: Size2,
    /// Step from one window to the next.
    pub stride: Size2,
    /// Zeros put around the image, on each side.
    pub padding: Size2,
    /// Distance between the taps of a kernel; 1 is a dense kernel.
    pub dilation: Size2,
    /// Groups of channels that do not see one another; divides the channels in and out.
    pub groups: usize,
    /// Whether each output channel has a bias.
    pub bias: bool,
    /// How the weights are drawn; [`Initialization::default`] where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initialization: Option<Initialization>,
}

impl Conv2dSpec {
    /// A convolution with stride 1, no padding, no dilation, one group, with bias.
    pub fn new(out_channels: usize, kernel: impl Into<Size2>) -> Self {
        Self {
            out_channels,
            kernel: kernel.into(),
            stride: Size2::square(1),
            padding: Size2::square(0),
            dilation: Size2::square(1),
            groups: 1,
            bias: true,
            initialization: None,
        }
    }

    /// The same with another stride.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Size2>) -> Self {
        self.stride = stride.into();
        self
    }

    /// The same with another padding.
    #[must_use]
    pub fn padding(mut self, padding: impl Into<Size2>) -> Self {
        self.padding = padding.into();
        self
    }

    /// The same with another dilation.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Into<Size2>) -> Self {
        self.dilation = dilation.into();
        self
    }

    /// The same with another number of groups.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// The same without a bias.
    #[must_use]
    pub fn without_bias(mut self) -> Self {
        self.bias = false;
        self
    }

    /// Whether its kernels are computed from the training images.
    pub fn is_whitening(&self) -> bool {
        self.initialization.is_some_and(|it| it.kind == InitializationKind::Whitening)
    }

    /// Whether the patches of images of `channels` × `height` × `width` give as many kernels as it has.
    fn check_whitening(&self, channels: usize, [height, width]: [usize; 2]) -> Result<(), Misfit> {
        let (kernel, plain) = (self.kernel, Size2::square(1));
        let another = "use another initialization, such as `pytorch-default`";
        if self.groups != 1 || self.dilation != plain {
            let found = format!("groups = {} and dilation = {}", self.groups, self.dilation);
            let problem =
                format!("whitening needs kernels over whole patches, with groups and dilation 1, got {found}");
            return Err(Misfit::new(problem).help(another));
        }
        if kernel.height > height || kernel.width > width {
            let problem = format!("whitening needs patches of {kernel}, and the images have {height}×{width} pixels");
            return Err(Misfit::new(problem).help(another));
        }
        let patch = checks::elements(&[channels, kernel.height, kernel.width], "a patch")?;
        let expected = patch.saturating_mul(2);
        if self.out_channels != expected {
            let of =
                format!("two for each of the {channels} · {} · {} numbers of a patch", kernel.height, kernel.width);
            let problem = format!("whitening gives {expected} kernels, {of}, got out_channels = {}", self.out_channels);
            return Err(Misfit::new(problem).help(format!("set `out_channels = {expected}`")));
        }
        Ok(())
    }
}

impl Definition for Conv2dSpec {
    const DOC: &'static str = "Convolution of images.";

    const KEYS: &'static [Key] = &[
        key("out_channels", Kind::Integer { least: 1 }, Presence::Required(Literal::Integer(16)), "Number of kernels."),
        key(
            "kernel",
            Kind::Size { least: 1 },
            Presence::Required(Literal::Integer(5)),
            "Size of a kernel, 5 or [height, width].",
        ),
        key(
            "stride",
            Kind::Size { least: 1 },
            Presence::Default(Literal::Integer(1)),
            "Step from one window to the next.",
        ),
        PADDING,
        DILATION,
        key(
            "groups",
            Kind::Integer { least: 1 },
            Presence::Default(Literal::Integer(1)),
            "Groups of channels that do not see one another.",
        ),
        BIAS,
        INITIALIZATION,
    ];

    const STEM: Option<&'static str> = Some("conv");

    fn read(record: &Record) -> Self {
        Self {
            out_channels: record.count("out_channels"),
            kernel: record.size("kernel"),
            stride: record.size("stride"),
            padding: record.size("padding"),
            dilation: record.size("dilation"),
            groups: record.count("groups"),
            bias: record.flag("bias"),
            initialization: record.optional_chosen("initialization").map(Initialization::read),
        }
    }

    fn write(&self, entries: &mut Entries) {
        entries.push("out_channels", self.out_channels);
        entries.push("kernel", self.kernel);
        entries.push("stride", self.stride);
        entries.push("padding", self.padding);
        entries.push("dilation", self.dilation);
        entries.push("groups", self.groups);
        entries.push("bias", self.bias);
        entries.push_some("initialization", self.initialization.map(|it| it.entries()));
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        let (channels, height, width) = checks::image(input)?;
        checks::positive("out_channels", self.out_channels)?;
        checks::positive("groups", self.groups)?;
        for (what, count) in [("channels that come in", channels), ("channels that go out", self.out_channels)] {
            if count % self.groups != 0 {
                return Err(Misfit::new(format!("groups = {} does not divide the {count} {what}", self.groups)));
            }
        }
        if self.is_whitening() {
            self.check_whitening(channels, [height, width])?;
        }
        let [down, across] = window::both(self.kernel, self.stride, self.padding, self.dilation, false)?;
        let (height, width) = (down.fit(height, "height", input)?, across.fit(width, "width", input)?);
        let kernels = [self.out_channels, channels / self.groups, self.kernel.height, self.kernel.width];
        let weights = checks::elements(&kernels, "its kernels")?;
        checks::deviation(self.initialization, weights)?;
        Ok(Inferred {
            output: Shape::image(self.out_channels, height, width),
            weights,
            biases: if self.bias { self.out_channels } else { 0 },
            running_statistics: 0,
        })
    }

    /// Each weight once for each pixel of the output.
    fn multiplications(&self, weights: usize, output: Shape) -> u64 {
        match output {
            Shape::Image { height, width, .. } => weights as u64 * height as u64 * width as u64,
            Shape::Vector { .. } => 0,
        }
    }

    fn describe(&self) -> String {
        let mut text = format!("conv {}, {}", self.out_channels, self.kernel);
        text += &unless_plain("stride", self.stride, 1);
        text += &unless_plain("padding", self.padding, 0);
        text += &unless_plain("dilation", self.dilation, 1);
        if self.groups > 1 {
            text += &format!(", {} groups", self.groups);
        }
        if !self.bias {
            text += ", no bias";
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problem(layer: &Conv2dSpec, input: Shape) -> String {
        layer.infer(input, &[]).unwrap_err().problem
    }

    #[test]
    fn both_axes_of_every_option_count() {
        // Down: ⌊(20 + 2·2 − 3·(3 − 1) − 1)/2⌋ + 1 = 9; across: ⌊(30 + 2·1 − 1·(5 − 1) − 1)/3⌋ + 1 = 10.
        let layer = Conv2dSpec::new(4, [3, 5]).stride([2, 3]).padding([2, 1]).dilation([3, 1]);
        assert_eq!(layer.infer(Shape::image(2, 20, 30), &[]).unwrap().output, Shape::image(4, 9, 10));
    }

    #[test]
    fn alexnets_first_convolution_gives_54_without_padding_and_55_with_two() {
        let input = Shape::image(3, 224, 224);
        let layer = Conv2dSpec::new(96, 11).stride(4);
        assert_eq!(layer.infer(input, &[]).unwrap().output, Shape::image(96, 54, 54));
        let padded = layer.padding(2).infer(input, &[]).unwrap();
        assert_eq!(padded.output, Shape::image(96, 55, 55));
        assert_eq!((padded.weights, padded.biases), (34_848, 96)); // 96 · 3 · 11 · 11
    }

    #[test]
    fn groups_divide_the_weights_and_the_arithmetic() {
        let layer = Conv2dSpec::new(256, 5).padding(2).groups(2);
        let inferred = layer.infer(Shape::image(96, 27, 27), &[]).unwrap();
        assert_eq!((inferred.weights, inferred.biases), (307_200, 256)); // 256 · 48 · 5 · 5
        assert_eq!(layer.multiplications(inferred.weights, inferred.output), 307_200 * 27 * 27);
    }

    #[test]
    fn without_bias_there_is_none() {
        let inferred = Conv2dSpec::new(2, 3).without_bias().infer(Shape::image(1, 4, 4), &[]).unwrap();
        assert_eq!((inferred.weights, inferred.biases), (18, 0));
    }

    #[test]
    fn a_misfit_says_what_came() {
        let image = Shape::image(6, 4, 4);
        let cases = [
            (Conv2dSpec::new(0, 3), "out_channels must be at least 1, got 0"),
            (Conv2dSpec::new(4, [3, 0]), "kernel must be at least 1, got 3×0"),
            (Conv2dSpec::new(4, 3).stride(0), "stride must be at least 1, got 0×0"),
            (Conv2dSpec::new(4, 3).dilation(0), "dilation must be at least 1, got 0×0"),
            (Conv2dSpec::new(4, 3).groups(0), "groups must be at least 1, got 0"),
            (Conv2dSpec::new(8, 3).groups(4), "groups = 4 does not divide the 6 channels that come in"),
            (Conv2dSpec::new(4, 3).groups(3), "groups = 3 does not divide the 4 channels that go out"),
            (Conv2dSpec::new(4, 7).padding(1), "a window of 7 does not fit in height 4 with padding 1, got 6×4×4"),
            (
                Conv2dSpec::new(4, 3).dilation([1, 2]),
                "a window of 3 with dilation 2 does not fit in width 4 with padding 0, got 6×4×4",
            ),
        ];
        for (layer, expected) in cases {
            assert_eq!(problem(&layer, image), expected);
        }
        let vector = problem(&Conv2dSpec::new(2, 3), Shape::vector(784));
        assert_eq!(vector, "expected an image, got a vector of 784 features");
    }

    #[test]
    fn whitening_has_two_kernels_for_each_number_of_a_patch_of_whole_images() {
        let whitening = |layer: Conv2dSpec| {
            let kind = InitializationKind::Whitening;
            Conv2dSpec { initialization: Some(Initialization { kind, ..Initialization::default() }), ..layer }
        };
        let image = Shape::image(3, 4, 5);
        assert!(whitening(Conv2dSpec::new(24, 2)).infer(image, &[]).is_ok());
        let cases = [
            (
                Conv2dSpec::new(16, 2),
                "whitening gives 24 kernels, two for each of the 3 · 2 · 2 numbers of a patch, got out_channels = 16",
            ),
            (
                Conv2dSpec::new(24, 2).groups(3),
                "whitening needs kernels over whole patches, with groups and dilation 1, got groups = 3 and dilation = \
                 1×1",
            ),
            (Conv2dSpec::new(150, 5).padding(2), "whitening needs patches of 5×5, and the images have 4×5 pixels"),
            (Conv2dSpec::new(24, [2, usize::MAX]), "whitening needs patches of 2×18446744073709551615, and the"),
        ];
        for (layer, expected) in cases {
            let found = problem(&whitening(layer), image);
            assert!(found.starts_with(expected), "{found}");
        }
        let misfit = whitening(Conv2dSpec::new(16, 2)).infer(image, &[]).unwrap_err();
        assert_eq!(misfit.help.as_deref(), Some("set `out_channels = 24`"));
    }

    #[test]
    fn numbers_too_large_are_misfits() {
        for layer in [
            Conv2dSpec::new(usize::MAX, 2),
            Conv2dSpec::new(1, 1).padding(usize::MAX),
            Conv2dSpec::new(1, usize::MAX).dilation(usize::MAX),
            Conv2dSpec::new(1, usize::MAX).padding(usize::MAX),
        ] {
            assert!(layer.infer(Shape::image(1, 1_000, 1_000), &[]).is_err(), "{layer:?}");
        }
    }

    #[test]
    fn what_is_not_plain_is_described() {
        let layer = Conv2dSpec::new(8, 3).stride([2, 1]).dilation(2).groups(4).without_bias();
        assert_eq!(layer.describe(), "conv 8, 3×3, stride 2×1, dilation 2, 4 groups, no bias");
        assert_eq!(Conv2dSpec::new(8, [3, 5]).describe(), "conv 8, 3×5");
    }

    fn any_number() -> impl Strategy<Value = usize> {
        prop_oneof![0_usize..12, any::<usize>()]
    }

    fn any_size() -> impl Strategy<Value = Size2> {
        (any_number(), any_number()).prop_map(|(height, width)| Size2::new(height, width))
    }

    proptest! {
        #[test]
        fn nothing_overflows(
            input in (any_number(), any_number(), any_number()),
            out_channels in any_number(),
            sizes in (any_size(), any_size(), any_size(), any_size()),
            groups in any_number(),
        ) {
            let layer = Conv2dSpec::new(out_channels, sizes.0)
                .stride(sizes.1)
                .padding(sizes.2)
                .dilation(sizes.3)
                .groups(groups);
            let _ = layer.infer(Shape::image(input.0, input.1, input.2), &[]);
        }
    }
}
