//! Panels and pages of networks with random weights.

use backproof_models::Network;
use backproof_spec::{Architecture, Loss, Shape, published};
use backproof_train::{Map, Sample};
use burn::tensor::Device;

use super::*;
use crate::explanation::tests::every_layer;

fn attribution(architecture: &Architecture, class: Option<usize>) -> Attribution {
    let network = Network::new(architecture, 5, &Device::flex()).unwrap();
    let shape = architecture.input;
    // Without a pattern that a window could meet twice.
    let pixels: Vec<u8> = (0..shape.elements()).map(|index| (index * index * 31 % 251) as u8).collect();
    let input = pixels.iter().map(|&pixel| f32::from(pixel) / 64.0 - 2.0).collect();
    Attribution::new(&network, Sample { shape, pixels, input }, Loss::CrossEntropy, class).unwrap()
}

fn explained(name: &str, attribution: Attribution) -> Explained {
    Explained { name: format!("{name}.png"), stem: name.to_owned(), attribution }
}

fn page(made: &ExplainedPage) -> String {
    let (name, bytes) = made.files.last().unwrap();
    assert_eq!(name, "explained.html");
    String::from_utf8(bytes.clone()).unwrap()
}

fn well_formed(page: &str) {
    let text = page.split_once("<html").map(|(_, rest)| format!("<html{rest}")).unwrap();
    roxmltree::Document::parse(&text).unwrap();
}

#[test]
fn the_saliency_of_a_network_with_every_kind_of_layer_agrees_with_differences_for_every_class() {
    for class in [None, Some(0), Some(1), Some(2)] {
        let found = attribution(&every_layer(), class);
        let check = found.check.as_ref().unwrap();
        assert!(check.agrees && check.pixels > 32, "{class:?}: {check:?}");
        assert!(check.largest_error.unwrap() < 1e-4, "{class:?}: {check:?}");
        assert!(found.saliency.most() > 0.0);
        assert!(class.is_none_or(|class| class == found.class));
    }
}

#[test]
fn the_saliency_of_published_networks_agrees_and_grad_cam_is_of_the_last_convolution() {
    // The last convolution of a residual network is inside of a residual layer.
    for (name, layer, side) in
        [("mnist-baseline", "conv2", 14), ("lenet-5", "conv2", 10), ("resnet-20", "residual9", 8)]
    {
        let found = attribution(&published::by_name(name).unwrap(), None);
        let check = found.check.as_ref().unwrap();
        assert!(check.agrees && check.pixels > 32, "{name}: {check:?}");
        let cam = found.grad_cam.as_ref().unwrap();
        assert_eq!((cam.layer.as_str(), cam.map.height, cam.map.width), (layer, side, side), "{name}");
        assert!(cam.map.values.iter().all(|value| *value >= 0.0), "{name}");
        let [_, height, width] = sides(found.shape);
        assert_eq!((found.occlusion.map.height, found.occlusion.map.width), (height, width), "{name}");
    }
}

#[test]
fn a_network_without_convolutions_has_no_grad_cam_and_says_so() {
    let found = attribution(&published::by_name("petre-mlp-fashion").unwrap(), None);
    assert!(found.check.as_ref().unwrap().agrees, "{:?}", found.check);
    assert_eq!(found.grad_cam, Err("The network has no convolution, so there is no Grad-CAM."));
    let made = attributions(&[explained("a", found)], "a network", &[]).unwrap();
    let page = page(&made);
    well_formed(&page);
    assert!(page.contains("The network has no convolution, so there is no Grad-CAM."), "{page}");
    assert_eq!(page.matches("<image").count(), 3);
}

/// A network of convolutions with these kernels, of 6×6 images.
fn convolutions(kernels: &[usize]) -> Architecture {
    let conv = |&kernel: &usize| {
        serde_json::json!({ "type": "conv2d", "out_channels": 3, "kernel": [kernel, kernel], "stride": [1, 1],
            "padding": [0, 0], "dilation": [1, 1], "groups": 1, "bias": true })
    };
    let ends = [serde_json::json!({ "type": "flatten" })];
    let layers: Vec<_> = kernels.iter().map(conv).chain(ends).collect();
    let layers = serde_json::from_value(layers.into()).unwrap();
    Architecture { name: "convolutions".to_owned(), input: Shape::image(1, 6, 6), layers }
}

#[test]
fn grad_cam_is_of_the_last_convolution_with_more_than_one_place() {
    let cam = attribution(&convolutions(&[3, 4]), None).grad_cam.unwrap();
    assert_eq!((cam.layer.as_str(), cam.map.height), ("conv1", 4));
    let none = attribution(&convolutions(&[6]), None).grad_cam;
    assert_eq!(none, Err("Each convolution's output has one place only, so there is no Grad-CAM."));
}

#[test]
fn a_gradient_that_differs_is_a_warning_on_the_page() {
    let mut wrong = attribution(&every_layer(), None);
    let check = GradientCheck { pixels: 60, kinks: 4, largest_error: Some(0.25), agrees: false };
    wrong.check = Some(check);
    let right = attribution(&every_layer(), None);
    let made = attributions(&[explained("wrong", wrong), explained("right", right)], "a network", &[]).unwrap();
    assert_eq!(made.warnings.len(), 1, "{:?}", made.warnings);
    assert!(made.warnings[0].starts_with("wrong.png: The saliency is wrong: "), "{:?}", made.warnings);
    let page = page(&made);
    well_formed(&page);
    assert!(page.contains("Do not trust these saliency maps:"));
    assert!(page.contains("by up to 2.5e-1 of the largest gradient, at 60 pixels. 4 more are at a kink"), "{page}");
    assert_eq!(page.matches("class=\"caption wrong\"").count(), 1);
}

#[test]
fn names_are_escaped_and_files_of_one_name_are_told_apart() {
    let found = attribution(&every_layer(), Some(1));
    let all = ["<b>&", "a", "A", "a"].map(|name| explained(name, found.clone()));
    let made = attributions(&all, "<i>", &["<u>".to_owned()]).unwrap();
    let names: Vec<&str> = made.files.iter().map(|(name, _)| name.as_str()).collect();
    let stems = ["<b>&-explained", "a-explained", "A-explained-2", "a-explained-3"];
    let expected: Vec<String> = stems.iter().flat_map(|stem| ["svg", "png"].map(|it| format!("{stem}.{it}"))).collect();
    assert_eq!(names[..8], expected);
    let page = page(&made);
    well_formed(&page);
    assert!(page.contains("&lt;b&gt;&amp;") && !page.contains("<b>") && !page.contains("<u>"));
    for (name, bytes) in &made.files[..8] {
        if name.ends_with("svg") {
            roxmltree::Document::parse(std::str::from_utf8(bytes).unwrap()).unwrap();
        }
    }
}

#[test]
fn what_is_empty_is_explained() {
    let mut found = attribution(&every_layer(), Some(1));
    found.saliency.values.fill(0.0);
    let zeros = Map { height: 2, width: 2, values: vec![0.0; 4] };
    found.grad_cam = Ok(backproof_train::ClassActivation { layer: "conv1".to_owned(), map: zeros });
    found.check = Some(GradientCheck { pixels: 0, kinks: 64, largest_error: None, agrees: false });
    let made = attributions(&[explained("a", found)], "a network", &[]).unwrap();
    let page = page(&made);
    for said in [
        "The saliency is black: no pixel moves the logit of 1 by a little.",
        "Grad-CAM is empty: at no place do the outputs of conv1 speak for 1.",
        "The saliency could not be checked at any pixel.",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
}

#[test]
fn an_image_that_is_not_square_keeps_its_proportions() {
    let found = attribution(&every_layer(), None);
    assert_eq!(found.shape, Shape::image(2, 9, 8));
    let figure = panel(&found, "a", "panel-1".to_owned()).unwrap();
    assert!(figure.body.contains("width=\"181.33\" height=\"204.0\""), "{}", figure.body);
    figure.png().unwrap();
}
