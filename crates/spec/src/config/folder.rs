//! What `folder` under [data] means, and what follows from it.

use std::borrow::Cow;

use super::check::Fault;
use super::keys::folder::{KEYS, USUAL_TEST_FRACTION, USUAL_VALIDATION_FRACTION};
use super::record::Record;
use crate::{
    Architecture, Color, Data, DataSet, DataSets, FolderFault, ImageFolder, ImageSource, Resize, Shape, Size2,
};

/// Where the images come from. `model` says the size and the channels that the config leaves out; there is none where
/// the images choose it.
pub(super) fn images(record: &Record, model: Option<&Architecture>) -> Result<ImageSource, Vec<Fault>> {
    let Some(path) = record.optional_text("folder") else {
        let given = KEYS.iter().filter_map(|key| record.field(key).span.map(|span| (key, span)));
        let faults: Vec<Fault> = given
            .map(|(key, span)| {
                let message = format!("`{key}` has no effect on a data set that the program knows by name");
                Fault::new(message, Some(span)).help("it goes with `folder`; leave it out")
            })
            .collect();
        let name = record.text("dataset").to_owned();
        return if faults.is_empty() { Ok(ImageSource::DataSet(name)) } else { Err(faults) };
    };
    let of_model = match model.map(|model| model.input) {
        Some(Shape::Image { channels, height, width }) => Some((channels, Size2::new(height, width))),
        Some(Shape::Vector { .. }) | None => None,
    };
    let channels = record.optional_count("channels").or(of_model.map(|(channels, _)| channels));
    let size = record.optional_size("size").or_else(|| Some(without(of_model?.1, record.count("padding"))));
    let (Some(channels), Some(size)) = (channels, size) else {
        let (message, help) = match model {
            Some(model) => (
                format!("`{}` takes vectors, and a folder has images", model.name),
                "write `size` and `channels` under [data], and use a network that takes images",
            ),
            None => (
                "the network `auto` goes by the size of the images, and `size` and `channels` do not say it".to_owned(),
                "write `size = 64` and `channels = 3` under [data]; `train --images` chooses them by itself",
            ),
        };
        return Err(vec![Fault::new(message, record.span_of("folder")).help(help)]);
    };
    if ![1, 3].contains(&channels) {
        let (message, help, key) = match model {
            Some(model) if record.field("channels").span.is_none() => (
                format!("`{}` takes images of {channels} channels; expected 1 or 3", model.name),
                "use another network",
                "folder",
            ),
            _ => (format!("channels = {channels}; expected 1 or 3"), "1 is grey, and 3 is colour", "channels"),
        };
        return Err(vec![Fault::new(message, record.span_of(key)).help(help)]);
    }
    let most = ImageFolder::MOST_PIXELS;
    if size.height.max(size.width) > most {
        let message = format!("images of {}×{} pixels are too large: at most {most}×{most}", size.height, size.width);
        return Err(vec![Fault::new(message, record.span_of("size")).help(format!("use `size = {most}` or less"))]);
    }
    Ok(ImageSource::Folder(ImageFolder {
        path: path.to_owned(),
        size,
        channels,
        resize: match record.optional_text("resize") {
            Some(_) => record.choice("resize", &Resize::ALL, |resize| resize.name()),
            None => Resize::default(),
        },
        background: record.optional_text("background").and_then(Color::parse).unwrap_or(Color::WHITE),
        test_fraction: record.optional_number("test_fraction").unwrap_or(USUAL_TEST_FRACTION),
        skip_unreadable: record.optional_flag("skip_unreadable").unwrap_or(false),
    }))
}

/// `size` without `padding` on each side.
fn without(size: Size2, padding: usize) -> Size2 {
    let side = |side: usize| side.saturating_sub(padding.saturating_mul(2)).max(1);
    Size2::new(side(size.height), side(size.width))
}

/// What is known of the images.
pub(super) fn known<'a>(
    images: &ImageSource,
    record: &Record,
    data_sets: &'a DataSets,
) -> Result<Option<Cow<'a, DataSet>>, Fault> {
    data_sets.known_of(images).map_err(|FolderFault { message, help }| {
        let fault = Fault::new(message, record.span_of("folder"));
        match help {
            Some(help) => fault.help(help),
            None => fault,
        }
    })
}

/// How many images are held out: what the config says, or else the folder's own validation part, or else a share.
pub(super) fn validation_images(images: &ImageSource, record: &Record, known: Option<&DataSet>) -> usize {
    if images.folder().is_none() || record.field("validation_images").span.is_some() {
        return record.count("validation_images");
    }
    let fraction = record.optional_number("validation_fraction").unwrap_or(USUAL_VALIDATION_FRACTION);
    let share = |known: &DataSet| (known.training_images as f64 * fraction).round() as usize;
    known.map_or(0, |known| known.validation_images.unwrap_or_else(|| share(known)))
}

/// A published network for the images and the classes of a folder, or for the classes of a data set whose images it
/// takes; any other network as it is.
pub(super) fn fitted(
    model: Architecture,
    data: &Data,
    known: Option<&DataSet>,
    record: &Record,
) -> Result<Architecture, Fault> {
    let of_model = record.table("model");
    let Some(known) = known.filter(|_| of_model.optional_list("layers").is_none()) else { return Ok(model) };
    let shape = match data.images.folder() {
        Some(folder) => data.padded(folder.shape()),
        None => data.padded(known.shape),
    };
    if data.images.folder().is_none() && model.input != shape {
        return Ok(model);
    }
    model.fitted(shape, known.classes()).map_err(|error| Fault::of_shape(error, of_model.span_of("name")))
}
