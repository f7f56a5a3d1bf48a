//! `explained.html`: where a network looks in images, with a panel for each image that is also a file.

use std::collections::BTreeMap;

use backproof_spec::thousands;
use backproof_train::{Attribution, GradientCheck};
use serde::Serialize;

use crate::ReportError;
use crate::figure::Figure;
use crate::heat::{grey, over, plain, sides};
use crate::image::{Image, MAGNIFIED};
use crate::letters::fitted;
use crate::page::Styles;
use crate::scale::round;
use crate::templates::render;

/// The longer side of a picture, what is between two, and what is above and below them.
const SIDE: f64 = 204.0;
const GAP: f64 = 22.0;
const HEAD: f64 = 62.0;
const FOOT: f64 = 40.0;
/// Pictures in a panel.
const TILES: usize = 4;

/// An image that was looked at.
#[derive(Debug, Clone)]
pub struct Explained {
    /// What it is called in the page.
    pub name: String,
    /// The name of its files, without their ending; made different from the others by a number.
    pub stem: String,
    /// Where the network looks.
    pub attribution: Attribution,
}

/// What was made of images that were looked at.
#[derive(Debug, Clone)]
pub struct ExplainedPage {
    /// The files of the folder: `explained.html`, and each panel as SVG and PNG.
    pub files: Vec<(String, Vec<u8>)>,
    /// The panels that should not be trusted, a sentence each; the page says the same.
    pub warnings: Vec<String>,
}

#[derive(Serialize)]
struct Tile {
    x: f64,
    name: &'static str,
    /// A `data:` address; nothing where there is no picture.
    image: Option<String>,
    /// Lines under the picture.
    lines: Vec<String>,
}

#[derive(Serialize)]
struct Panel<'a> {
    title: &'a str,
    tiles: Vec<Tile>,
    top: f64,
    size: [f64; 2],
    foot: f64,
}

#[derive(Serialize)]
struct Part {
    name: String,
    file: String,
    figure: String,
    check: String,
    agrees: bool,
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct Page<'a> {
    styles: Styles,
    title: String,
    subtitle: &'a str,
    notes: &'a [String],
    warnings: &'a [String],
    parts: Vec<Part>,
}

/// The page of `explained`, in their order, and its panels. `of` says in a few words which network it is; `notes` are
/// sentences that a reader should know, such as images that could not be read.
///
/// # Errors
///
/// A panel that cannot be drawn.
pub fn attributions(explained: &[Explained], of: &str, notes: &[String]) -> Result<ExplainedPage, ReportError> {
    let (mut files, mut warnings, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    let mut taken = BTreeMap::new();
    for one in explained {
        let file = different(&one.stem, &mut taken);
        let figure = panel(&one.attribution, &one.name, format!("panel-{}", parts.len() + 1))?;
        files.push((format!("{file}.svg"), figure.document()?.into_bytes()));
        files.push((format!("{file}.png"), figure.png()?));
        let (check, agrees) = check_in_words(one.attribution.check.as_ref());
        if !agrees {
            warnings.push(format!("{}: {check}", one.name));
        }
        let (figure, remarks) = (figure.inline()?, remarks(&one.attribution));
        parts.push(Part { name: one.name.clone(), file, figure, check, agrees, remarks });
    }
    let title = match explained {
        [one] => format!("What the network sees in {}", one.name),
        many => format!("What the network sees in {} images", thousands(many.len())),
    };
    let page = Page { styles: Styles::new()?, title, subtitle: of, notes, warnings: &warnings, parts };
    files.push(("explained.html".to_owned(), render("explained.html", page)?.into_bytes()));
    Ok(ExplainedPage { files, warnings })
}

/// `stem`, with a number from the second time on; names that differ in their case alone are one on some systems.
fn different(stem: &str, taken: &mut BTreeMap<String, usize>) -> String {
    let times = taken.entry(stem.to_lowercase()).or_insert(0);
    *times += 1;
    if *times == 1 {
        return format!("{stem}-explained");
    }
    format!("{stem}-explained-{times}")
}

/// What finite differences say, in a sentence, and whether the saliency can be trusted.
fn check_in_words(check: Option<&GradientCheck>) -> (String, bool) {
    let Some(check) = check else {
        let words = "The saliency is not checked: this device has no double precision.";
        return (words.to_owned(), true);
    };
    let kinks = match check.kinks {
        0 => String::new(),
        1 => " One more is at a kink of the logit (a ReLU at 0, or a tie in a maximum), where there is no derivative."
            .to_owned(),
        more => format!(
            " {more} more are at a kink of the logit (a ReLU at 0, or a tie in a maximum), where there is no derivative."
        ),
    };
    let words = match check.largest_error {
        Some(error) if check.agrees => format!(
            "The saliency agrees with central differences of the logit at {} pixels; the largest error is {error:.1e} of \
             the largest gradient.{kinks}",
            check.pixels
        ),
        Some(error) => format!(
            "The saliency is wrong: the gradient differs from central differences of the logit by up to {error:.1e} of \
             the largest gradient, at {} pixels.{kinks}",
            check.pixels
        ),
        None if check.pixels == 0 => format!("The saliency could not be checked at any pixel.{kinks}"),
        None => "The saliency is wrong: a gradient or a difference is not finite.".to_owned(),
    };
    (words, check.agrees)
}

/// What a reader might take for a fault.
fn remarks(attribution: &Attribution) -> Vec<String> {
    let name = &attribution.classes[attribution.class];
    let mut remarks = Vec::new();
    if attribution.saliency.most() == 0.0 {
        remarks.push(format!("The saliency is black: no pixel moves the logit of {name} by a little."));
    }
    match &attribution.grad_cam {
        Ok(activation) if activation.map.most() == 0.0 => {
            let layer = &activation.layer;
            remarks.push(format!("Grad-CAM is empty: at no place do the outputs of {layer} speak for {name}."));
        }
        Ok(_) => {}
        Err(reason) => remarks.push((*reason).to_owned()),
    }
    remarks
}

/// The panel of one image, called `name`; `id` is the figure's.
pub(crate) fn panel(attribution: &Attribution, name: &str, id: String) -> Result<Figure, ReportError> {
    let Attribution { shape, pixels, saliency, occlusion, .. } = attribution;
    let [_, height, width] = sides(*shape);
    let longer = height.max(width);
    let size = [width, height].map(|side| round(SIDE * side as f64 / longer as f64));
    let times = MAGNIFIED.div_ceil(longer);
    let place = |tile: usize| round(tile as f64 * (SIDE + GAP));
    let tile = |tile: usize, name, image: Option<Image>, lines: Vec<String>| Tile {
        x: place(tile),
        name,
        image: image.map(|image| image.data_uri()),
        lines,
    };
    let of_class = &attribution.classes[attribution.class];
    let percent = |class: usize| format!("{:.2} %", 100.0 * attribution.probabilities[class]);
    let cam = match &attribution.grad_cam {
        Ok(activation) => {
            let image = over(pixels, *shape, &activation.map, activation.map.most(), times);
            let (rows, columns) = (activation.map.height, activation.map.width);
            tile(2, "Grad-CAM", Some(image), vec![format!("of {}, {rows}×{columns}", activation.layer)])
        }
        Err(_) => tile(
            2,
            "Grad-CAM",
            None,
            vec!["none: the network has no convolution".to_owned(), "with more than one place".to_owned()],
        ),
    };
    let (patch, stride) = (occlusion.patch, occlusion.stride);
    let fall = match occlusion.largest {
        fall if fall > 0.0 => format!("probability falls by up to {:.2} points", 100.0 * fall),
        _ => "the probability falls nowhere".to_owned(),
    };
    let tiles = vec![
        tile(0, "image", Some(plain(pixels, *shape)), vec![format!("as the network gets it, {height}×{width}")]),
        tile(
            1,
            "saliency",
            Some(grey(saliency)),
            vec![format!("white is {:.3}", saliency.most()), "in logit per unit of input".to_owned()],
        ),
        cam,
        tile(
            3,
            "occlusion",
            Some(over(pixels, *shape, &occlusion.map, occlusion.map.most(), times)),
            vec![format!("patch {patch}×{patch}, stride {stride}"), fall],
        ),
    ];
    let all = round(TILES as f64 * (SIDE + GAP) - GAP);
    let predicted = &attribution.classes[attribution.predicted];
    let mut title = format!("{name}: {predicted}, {}", percent(attribution.predicted));
    if attribution.class != attribution.predicted {
        title += &format!("; explained is {of_class}, {}", percent(attribution.class));
    }
    let description = format!(
        "{title}. Four pictures: the image, the saliency of {of_class}, Grad-CAM, and occlusion. {}.",
        tiles
            .iter()
            .skip(1)
            .map(|tile| format!("{}: {}", tile.name, tile.lines.join(", ")))
            .collect::<Vec<_>>()
            .join(". ")
    );
    let title = fitted(&title, all);
    let foot = HEAD + size[1];
    let body = render("attribution.svg", Panel { title: &title, tiles, top: HEAD, size, foot })?;
    Ok(Figure { name: id, title, description, width: all, height: foot + FOOT, body })
}

#[cfg(test)]
mod tests;
