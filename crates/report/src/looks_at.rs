//! Where the network looks in a few test images.

use backproof_spec::Shape;
use backproof_train::{ExplainedImage, ExplainedImages, Map};
use serde::Serialize;

use crate::heat::{grey, over, plain, sides};

/// The longer side of a picture, in pixels: what is larger is made smaller.
const SIDE: usize = 96;
/// What all pictures together may take of a page.
const BYTES: usize = 450_000;

/// What a page shows.
#[derive(Debug, Serialize)]
pub(crate) struct LooksAt {
    images: Vec<Looked>,
    /// The layer of Grad-CAM.
    layer: Option<String>,
    /// Why there is no Grad-CAM.
    without_grad_cam: Option<String>,
}

#[derive(Debug, Serialize)]
struct Looked {
    index: usize,
    label: String,
    predicted: String,
    probability: f64,
    right: bool,
    /// Image, saliency and Grad-CAM as `data:` addresses.
    image: String,
    saliency: String,
    grad_cam: Option<String>,
    width: usize,
    height: usize,
}

impl LooksAt {
    /// Of the images that a run kept, with the names of the classes; those at the end are left out where the page would
    /// become too large. `None` if nothing is left.
    pub(crate) fn new(explained: &ExplainedImages, names: &[String]) -> Option<Self> {
        let known = |image: &&ExplainedImage| image.label.max(image.predicted) < names.len();
        let (mut images, mut bytes) = (Vec::new(), 0);
        for image in explained.images.iter().filter(known) {
            let looked = looked(image, names);
            bytes += looked.image.len() + looked.saliency.len() + looked.grad_cam.as_ref().map_or(0, String::len);
            if bytes > BYTES {
                break;
            }
            images.push(looked);
        }
        let of_first = explained.images.first().map(|image| &image.grad_cam)?;
        let layer = of_first.as_ref().ok().map(|activation| activation.layer.clone());
        (!images.is_empty()).then(|| Self { images, layer, without_grad_cam: of_first.as_ref().err().cloned() })
    }
}

fn looked(image: &ExplainedImage, names: &[String]) -> Looked {
    let [channels, height, width] = sides(image.shape);
    let every = height.max(width).div_ceil(SIDE).max(1);
    let as_numbers: Vec<f64> = image.pixels.iter().map(|&pixel| f64::from(pixel)).collect();
    let planes = as_numbers.chunks_exact(height * width).map(|plane| smaller(plane, [height, width], every));
    let planes: Vec<Map> = planes.collect();
    let (height, width) = (planes[0].height, planes[0].width);
    let pixels: Vec<u8> = planes.iter().flat_map(|plane| &plane.values).map(|&value| value.round() as u8).collect();
    let shape = Shape::image(channels, height, width);
    let saliency = smaller(&image.saliency.values, [image.saliency.height, image.saliency.width], every);
    // A map between pixels is smooth only if there are enough of them.
    let times = (SIDE / 2).div_ceil(height.max(width)).max(1);
    let grad_cam = image
        .grad_cam
        .as_ref()
        .ok()
        .map(|activation| over(&pixels, shape, &activation.map, activation.map.most(), times).data_uri());
    Looked {
        index: image.index,
        label: names[image.label].clone(),
        predicted: names[image.predicted].clone(),
        probability: image.probability,
        right: image.label == image.predicted,
        image: plain(&pixels, shape).data_uri(),
        saliency: grey(&saliency).data_uri(),
        grad_cam,
        width,
        height,
    }
}

/// The means of squares of `every` by `every` numbers of `[height, width]`; those at the edges may be cut.
fn smaller(numbers: &[f64], [height, width]: [usize; 2], every: usize) -> Map {
    let (rows, columns) = (height.div_ceil(every), width.div_ceil(every));
    let mean = |row: usize, column: usize| {
        let (bottom, right) = (((row + 1) * every).min(height), ((column + 1) * every).min(width));
        let places = (row * every..bottom).flat_map(|at| (column * every..right).map(move |to| at * width + to));
        let (sum, count) = places.fold((0.0, 0), |(sum, count), place| (sum + numbers[place], count + 1));
        sum / f64::from(count)
    };
    let values = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    Map { height: rows, width: columns, values: values.map(|(row, column)| mean(row, column)).collect() }
}

#[cfg(test)]
mod tests {
    use backproof_train::ClassActivation;

    use super::*;

    fn image(side: usize, label: usize) -> ExplainedImage {
        let area = side * side;
        ExplainedImage {
            index: 7,
            label,
            predicted: 1,
            probability: 0.75,
            shape: Shape::image(3, side, side),
            // Noise, which PNG cannot make small.
            pixels: (0..3 * area).map(|at| (at * 7919 % 251 * 31 % 256) as u8).collect(),
            saliency: Map { height: side, width: side, values: (0..area).map(|at| (at * 7919 % 251) as f64).collect() },
            grad_cam: Ok(ClassActivation {
                layer: "conv3".to_owned(),
                map: Map { height: 2, width: 2, values: vec![0.0, 1.0, 2.0, 3.0] },
            }),
        }
    }

    fn names() -> Vec<String> {
        ["zero", "one"].map(str::to_owned).into()
    }

    #[test]
    fn a_map_is_made_smaller_by_means() {
        let map = smaller(&[1.0, 3.0, 5.0, 3.0, 5.0, 7.0], [2, 3], 2);
        assert_eq!(map, Map { height: 1, width: 2, values: vec![3.0, 6.0] });
        assert_eq!(smaller(&[1.0, 2.0], [1, 2], 1).values, [1.0, 2.0]);
    }

    #[test]
    fn large_images_are_made_smaller_and_those_that_the_page_has_no_room_for_are_left_out() {
        let explained = ExplainedImages { iteration: None, images: vec![image(500, 0); 40] };
        let looks = LooksAt::new(&explained, &names()).unwrap();
        assert!(looks.images.len() > 3 && looks.images.len() < 40, "{}", looks.images.len());
        assert_eq!((looks.images[0].width, looks.images[0].height), (84, 84));
        assert!(serde_json::to_string(&looks).unwrap().len() < 500_000);
    }

    #[test]
    fn an_image_of_a_class_that_is_not_known_is_left_out() {
        let explained = ExplainedImages { iteration: None, images: vec![image(8, 9), image(8, 1)] };
        let looks = LooksAt::new(&explained, &names()).unwrap();
        assert!(looks.images.len() == 1 && looks.images[0].right && looks.layer.as_deref() == Some("conv3"));
        let none = ExplainedImages { iteration: None, images: Vec::new() };
        assert!(LooksAt::new(&none, &names()).is_none());
    }
}
