//! The kernels of the first convolution as pictures.

use backproof_spec::counted;
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;

use crate::ReportError;
use crate::figure::Figure;
use crate::image::{Image, MAGNIFIED};
use crate::medium::Medium;
use crate::scale::round;
use crate::templates::render;

/// Drawn kernels; a network with more has the rest left out.
const MOST: usize = 128;
const COLUMNS: usize = 8;
/// The side of a tile, and what is around it: the number is below.
const TILE: f64 = 56.0;
const AROUND: [f64; 2] = [14.0, 28.0];
/// On paper: sides of tiles, of which the first is taken that gives a figure no higher than wide, and what is around.
const TILES_ON_PAPER: [f64; 4] = [56.0, 44.0, 34.0, 26.0];
const LARGEST_TILE: f64 = 96.0;
const AROUND_ON_PAPER: [f64; 2] = [8.0, 21.0];
const HEAD: f64 = 50.0;

/// The kernels of a convolution, `[O, C, kh, kw]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kernels {
    shape: [usize; 4],
    values: Vec<f64>,
}

#[derive(Serialize)]
struct Tile {
    x: f64,
    y: f64,
    number: usize,
    image: String,
}

#[derive(Serialize)]
struct Context<'a> {
    subtitle: &'a str,
    tiles: Vec<Tile>,
    side: f64,
    /// What the ends of the scale are, and where it is drawn.
    most: String,
    foot: f64,
    /// Whether there is room to say that one scale serves all.
    remark: bool,
}

impl Kernels {
    /// The tensor `conv1.weight` of a safetensors file; what is wrong with it, in words, if it is not there or is no
    /// kernel.
    pub(crate) fn read(file: &[u8]) -> Result<Self, String> {
        let file = SafeTensors::deserialize(file).map_err(|error| format!("no safetensors file ({error})"))?;
        let tensor = file.tensor("conv1.weight").map_err(|_| "it has no tensor conv1.weight".to_owned())?;
        let Ok(shape) = <[usize; 4]>::try_from(tensor.shape()) else {
            return Err(format!("conv1.weight has the shape {:?}, not that of a convolution", tensor.shape()));
        };
        let bytes = tensor.data();
        let values: Vec<f64> = match tensor.dtype() {
            Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect(),
            Dtype::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
            other => return Err(format!("conv1.weight has elements of type {other:?}")),
        };
        if values.is_empty() || !values.iter().all(|value| value.is_finite()) {
            return Err("conv1.weight is empty or has an element that is not a finite number".to_owned());
        }
        Ok(Self { shape, values })
    }

    /// Every kernel as a tile: in colour over red, green and blue, else in grey. One scale serves all of them, so that
    /// a weak kernel looks weak: the middle is 0, the ends ± the largest weight.
    pub(crate) fn figure(&self, medium: Medium) -> Result<Figure, ReportError> {
        let [count, channels, height, width] = self.shape;
        let most = self.largest();
        let shown = count.min(MOST);
        let (side, around, columns) = match medium.width() {
            None => (TILE, AROUND, COLUMNS),
            Some(all) => {
                let [gap, below] = AROUND_ON_PAPER;
                let columns = |side: f64| ((all + gap) / (side + gap)) as usize;
                let height = |side: f64| shown.div_ceil(columns(side)) as f64 * (side + below);
                let side = TILES_ON_PAPER.into_iter().find(|&side| height(side) <= all).unwrap_or(TILES_ON_PAPER[3]);
                // As many in each row, and these as wide as there is room.
                let columns = shown.div_ceil(shown.div_ceil(columns(side)));
                (round(((all + gap) / columns as f64 - gap).min(LARGEST_TILE)), AROUND_ON_PAPER, columns)
            }
        };
        let cell = around.map(|around| side + around);
        // Magnified where a viewer might blur it: one of PDF need not keep the edges of pixels.
        let times = if medium == Medium::Screen { 1 } else { MAGNIFIED.div_ceil(height.max(width)) };
        let tiles = (0..shown).map(|kernel| Tile {
            x: (kernel % columns) as f64 * cell[0],
            y: HEAD + (kernel / columns) as f64 * cell[1],
            number: kernel + 1,
            image: Image::new([channels, height, width], |channel, row, column| {
                shade(self.value(kernel, channel, row, column), most)
            })
            .magnified(times)
            .data_uri(),
        });
        let all =
            if shown < count { format!("the first {shown} of {count} kernels") } else { counted(count, "kernel") };
        let what = match channels {
            3 => "over red, green and blue".to_owned(),
            1 => "over one channel".to_owned(),
            _ => format!("means over {channels} channels"),
        };
        let subtitle = format!("{all} of {height}×{width}, {what}");
        let description = format!("The kernels of conv1: {subtitle}. The largest weight is {most:.3} in size.");
        let foot = HEAD + shown.div_ceil(columns) as f64 * cell[1] + if medium == Medium::Screen { 8.0 } else { 2.0 };
        let context = Context {
            subtitle: &subtitle,
            tiles: tiles.collect(),
            side,
            most: format!("{most:.3}"),
            foot,
            remark: medium == Medium::Screen,
        };
        Ok(Figure {
            name: "kernels".to_owned(),
            title: "Kernels of conv1".to_owned(),
            description,
            width: medium.width().unwrap_or(cell[0] * columns as f64),
            height: foot + if medium == Medium::Screen { 26.0 } else { 18.0 },
            body: render("kernels.svg", context)?,
        })
    }

    /// One weight; where there are neither 1 nor 3 channels, the mean over them.
    fn value(&self, kernel: usize, channel: usize, row: usize, column: usize) -> f64 {
        let [_, channels, height, width] = self.shape;
        let at = |channel| self.values[((kernel * channels + channel) * height + row) * width + column];
        if matches!(channels, 1 | 3) { at(channel) } else { (0..channels).map(at).sum::<f64>() / channels as f64 }
    }

    /// The size of the largest drawn value.
    fn largest(&self) -> f64 {
        let [count, channels, height, width] = self.shape;
        let drawn = if channels == 3 { 3 } else { 1 };
        let mut most = 0.0_f64;
        for kernel in 0..count.min(MOST) {
            for (channel, row, column) in
                (0..drawn).flat_map(|c| (0..height).flat_map(move |y| (0..width).map(move |x| (c, y, x))))
            {
                most = most.max(self.value(kernel, channel, row, column).abs());
            }
        }
        most
    }
}

/// −most is 0, 0 is 128, most is 255.
fn shade(value: f64, most: f64) -> u8 {
    if most > 0.0 { (127.5 + 127.5 * value / most).round().clamp(0.0, 255.0) as u8 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::TensorView;

    fn file(name: &str, shape: &[usize], values: &[f32]) -> Vec<u8> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, shape.to_vec(), &bytes).unwrap();
        safetensors::serialize([(name, view)], None).unwrap()
    }

    #[test]
    fn zero_is_the_middle_and_the_largest_weight_an_end() {
        assert_eq!([-0.5, 0.0, 0.25, 0.5].map(|value| shade(value, 0.5)), [0, 128, 191, 255]);
        assert_eq!(shade(0.0, 0.0), 128);
    }

    #[test]
    fn kernels_are_read_in_the_order_of_pytorch() {
        let kernels = Kernels::read(&file("conv1.weight", &[2, 1, 1, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, -6.0])).unwrap();
        assert_eq!(kernels.value(1, 0, 0, 2), -6.0);
        assert_eq!(kernels.largest(), 6.0);
        let means = Kernels::read(&file("conv1.weight", &[1, 2, 1, 3], &[1.0, 2.0, 3.0, 3.0, 4.0, 5.0])).unwrap();
        assert_eq!([0, 1, 2].map(|column| means.value(0, 0, 0, column)), [2.0, 3.0, 4.0]);
    }

    #[test]
    fn kernels_of_every_number_of_channels_can_be_drawn() {
        for channels in [1, 2, 3] {
            let values = vec![0.1; 130 * channels * 4];
            let kernels = Kernels::read(&file("conv1.weight", &[130, channels, 2, 2], &values)).unwrap();
            let figure = kernels.figure(Medium::Screen).unwrap();
            assert_eq!(figure.body.matches("<image").count(), 128);
            assert!(figure.description.contains("the first 128 of 130"));
            figure.png().unwrap();
        }
    }

    #[test]
    fn what_is_no_kernel_is_refused() {
        assert!(Kernels::read(b"{}").is_err());
        assert!(Kernels::read(&file("linear1.weight", &[2], &[1.0, 2.0])).is_err());
        assert!(Kernels::read(&file("conv1.weight", &[2], &[1.0, 2.0])).is_err());
        assert!(Kernels::read(&file("conv1.weight", &[1, 1, 1, 2], &[1.0, f32::NAN])).is_err());
    }
}
