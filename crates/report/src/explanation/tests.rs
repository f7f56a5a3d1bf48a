//! The scripts of the page in QuickJS: the sums that they compute are the numbers of the engine.

use std::collections::BTreeSet;

use backproof_models::Network;
use backproof_spec::{Architecture, LayerSpec, Loss, Shape, published};
use backproof_train::Sample;
use burn::tensor::Device;
use rquickjs::{Context, Ctx, Function, Runtime};
use serde::Deserialize;

use super::*;
use crate::derivations::of_one_sample;

/// Checks some numbers of every array of the page, and a few of them by finite differences.
const CHECK: &str = r#"
let seed = 1;
const random = (below) => Math.floor((seed = (seed * 48271) % 2147483647) / 2147483647 * below);
function check(text, perArray, differences) {
  const model = readModel(JSON.parse(text)), wrong = [], verdicts = {}, formulas = new Set();
  let checked = 0;
  model.nodes.forEach((node, n) => {
    for (const name of parts(node)) {
      const { values } = part(node, name);
      for (let k = 0; k < Math.min(perArray, values.length); k++) {
        const ref = { node: n, part: name, at: random(values.length) }, found = explain(model, ref);
        if (!found.ways.length) continue;
        checked++;
        for (const { by, formulas: shown } of found.ways) {
          for (const formula of shown) formulas.add(JSON.stringify([KINDS[model.nodes[by].kind].section, formula]));
        }
        if (!equalsEngine(found)) wrong.push(`${node.name} ${name} ${ref.at}: ${found.sum}, engine ${found.engine}`);
        if (k < differences && name.endsWith("gradient")) {
          const { verdict, value } = difference(model, ref, found.engine);
          verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
          if (verdict === "differs") wrong.push(`${node.name} ${name} ${ref.at}: ${found.engine}, difference ${value}`);
        }
      }
    }
  });
  const far = differences ? outputs(model).at(-1)[0] - model.nodes.at(-1).values[0] : 0;
  return JSON.stringify({ checked, wrong, agrees: verdicts.agrees ?? 0, kinks: verdicts.kink ?? 0, far,
    formulas: [...formulas].map((formula) => JSON.parse(formula)) });
}
"#;

#[derive(Debug, Deserialize)]
struct Checked {
    checked: usize,
    wrong: Vec<String>,
    agrees: usize,
    kinks: usize,
    /// The loss in double precision, less that of the engine.
    far: f64,
    /// The section that derives it, and the formula.
    formulas: BTreeSet<(usize, String)>,
}

/// Runs `work` where the scripts are defined.
fn with_scripts<T>(work: impl FnOnce(&Ctx<'_>) -> T) -> T {
    let runtime = Runtime::new().unwrap();
    Context::full(&runtime).unwrap().with(|ctx| {
        let atob = Function::new(ctx.clone(), |text: String| -> String {
            STANDARD.decode(text).unwrap().into_iter().map(char::from).collect()
        });
        ctx.globals().set("atob", atob.unwrap()).unwrap();
        let scripts = COMPUTING.join("\n") + CHECK;
        if let Err(error) = ctx.eval::<(), _>(scripts) {
            panic!("{error}: {:?}", ctx.catch());
        }
        work(&ctx)
    })
}

fn check(data: &Value, per_array: usize, differences: usize) -> Checked {
    with_scripts(|ctx| {
        let check: Function<'_> = ctx.eval("check").unwrap();
        let found: Result<String, _> = check.call((data.to_string(), per_array, differences));
        let found = found.unwrap_or_else(|error| panic!("{error}: {:?}", ctx.catch()));
        serde_json::from_str(&found).unwrap()
    })
}

/// A network with random weights, and an image.
fn explained(architecture: &Architecture, loss: Loss, batch_statistics: bool) -> Explanation {
    let network = Network::new(architecture, 5, &Device::flex()).unwrap();
    let shape = architecture.input;
    // Without a pattern that a window could meet twice.
    let pixels: Vec<u8> = (0..shape.elements()).map(|index| (index * index * 31 % 251) as u8).collect();
    let input = pixels.iter().map(|&pixel| f32::from(pixel) / 64.0 - 2.0).collect();
    Explanation::new(&network, Sample { shape, pixels, input }, loss, Some(1), batch_statistics).unwrap()
}

fn assert_right(checked: &Checked, of: &str) {
    assert!(checked.wrong.is_empty(), "{of}: {:#?}", checked.wrong);
    assert!(checked.checked > 20 && checked.agrees > checked.kinks, "{of}: {checked:?}");
    assert!(checked.far.abs() < 1e-4, "{of}: {checked:?}");
}

#[test]
fn every_number_of_every_published_network_is_the_sum_of_its_terms() {
    let mut seen = 0;
    for name in published::names() {
        let architecture = published::by_name(name).unwrap();
        if architecture.trace().unwrap().iter().map(|layer| layer.weights + layer.biases).sum::<usize>() > 330_000 {
            continue;
        }
        let data = data(&explained(&architecture, Loss::CrossEntropy, false));
        // Without differences: they take forward passes in double precision, which QuickJS is slow at.
        let checked = check(&data, 10, 0);
        assert!(checked.wrong.is_empty() && checked.checked > 20, "{name}: {checked:?}");
        seen += 1;
    }
    assert!(seen >= 12, "{seen} networks");
}

/// A small network with every kind of layer.
pub(crate) fn every_layer() -> Architecture {
    let layers = serde_json::json!([
        { "type": "conv2d", "out_channels": 4, "kernel": [3, 2], "stride": [1, 2], "padding": [2, 1], "dilation": [2, 1],
          "groups": 2, "bias": true },
        { "type": "batch_norm", "epsilon": 1e-5, "momentum": 0.1 },
        { "type": "silu" },
        { "type": "max_pool2d", "kernel": [3, 3], "stride": [2, 1], "padding": [1, 1], "dilation": [1, 1],
          "ceil_mode": true },
        { "type": "residual", "shortcut": "zero-padding", "body": [
            { "type": "conv2d", "out_channels": 6, "kernel": [3, 3], "stride": [2, 2], "padding": [1, 1],
              "dilation": [1, 1], "groups": 1, "bias": false },
            { "type": "gelu", "approximate": "none" },
            { "type": "group_norm", "groups": 2, "epsilon": 1e-5 }] },
        { "type": "residual", "body": [pointwise(5), { "type": "tanh" }], "shortcut": [pointwise(5)] },
        { "type": "residual", "shortcut": "identity", "body": [
            { "type": "softplus" },
            { "type": "residual", "shortcut": "identity", "body": [{ "type": "elu", "alpha": 0.7 }] }] },
        { "type": "avg_pool2d", "kernel": [2, 2], "stride": [1, 1], "padding": [1, 1], "ceil_mode": false,
          "count_include_pad": false },
        { "type": "gelu", "approximate": "tanh" },
        { "type": "prelu", "initial_slope": 0.25 },
        { "type": "leaky_relu", "slope": 0.1 },
        { "type": "avg_pool2d", "kernel": [2, 2], "stride": null, "padding": [1, 1], "ceil_mode": true,
          "count_include_pad": true },
        { "type": "layer_norm", "epsilon": 1e-5 },
        { "type": "global_avg_pool" },
        { "type": "flatten" },
        { "type": "dropout", "probability": 0.5 },
        { "type": "linear", "out_features": 7, "bias": true },
        { "type": "layer_norm", "epsilon": 1e-5 },
        { "type": "batch_norm", "epsilon": 1e-5, "momentum": 0.1, "scale": false },
        { "type": "sigmoid" },
        { "type": "scale", "factor": 3.0 },
        { "type": "linear", "out_features": 4, "bias": true },
        { "type": "relu" },
        { "type": "linear", "out_features": 4, "bias": true },
        { "type": "relu", "gradient_at_zero": 1 },
        { "type": "linear", "out_features": 3, "bias": false },
    ]);
    let (name, layers) = ("every-layer".to_owned(), serde_json::from_value(layers).unwrap());
    Architecture { name, input: Shape::image(2, 9, 8), layers }
}

fn pointwise(channels: usize) -> Value {
    serde_json::json!({ "type": "conv2d", "out_channels": channels, "kernel": [1, 1], "stride": [1, 1],
        "padding": [0, 0], "dilation": [1, 1], "groups": 1, "bias": true })
}

#[test]
fn every_kind_of_layer_and_every_loss_computes_its_numbers_and_agrees_with_differences() {
    for loss in Loss::ALL {
        for batch_statistics in [false, true] {
            let data = data(&explained(&every_layer(), loss, batch_statistics));
            assert_right(&check(&data, 60, 3), loss.name());
        }
    }
}

#[test]
fn the_formulas_of_the_page_stand_in_the_section_that_it_shows() {
    let mut formulas = BTreeSet::new();
    for (loss, batch_statistics) in Loss::ALL.into_iter().zip([false, true, true]) {
        formulas.extend(check(&data(&explained(&every_layer(), loss, batch_statistics)), 4, 0).formulas);
    }
    assert!(formulas.len() > 40, "{formulas:?}");
    for (section, formula) in formulas {
        let text = of_one_sample(section).unwrap_or_else(|| panic!("no section {section}, for {formula}"));
        // A table of functions has their right-hand sides alone.
        let sought = formula.strip_prefix("f(x) = ").or_else(|| formula.strip_prefix("f'(x) = ")).unwrap_or(&formula);
        assert!(text.contains(&sought.replace(' ', "")), "section {section} lacks {formula}");
    }
}

#[test]
fn the_network_of_this_test_has_every_kind_of_layer() {
    let traced = every_layer().trace().unwrap();
    let kinds: Vec<String> = traced
        .iter()
        .flat_map(backproof_spec::TracedLayer::all)
        .map(|layer| serde_json::to_value(&layer.layer).unwrap()["type"].as_str().unwrap().to_owned())
        .collect();
    let missing: Vec<_> = LayerSpec::TYPES.iter().filter(|kind| !kinds.iter().any(|it| it == *kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_relu_that_passes_the_gradient_at_zero_does_so_on_the_page() {
    for (passes, formula) in [(0, "f'(x) = [x > 0]"), (1, "f'(x) = [x ≥ 0]")] {
        let layers = serde_json::json!([
            { "type": "relu", "gradient_at_zero": passes },
            { "type": "flatten" },
            { "type": "linear", "out_features": 3, "bias": true },
        ]);
        let (name, layers) = ("zeros".to_owned(), serde_json::from_value(layers).unwrap());
        let architecture = Architecture { name, input: Shape::image(1, 2, 2), layers };
        let network = Network::new(&architecture, 5, &Device::flex()).unwrap();
        let sample = Sample { shape: architecture.input, pixels: vec![0; 4], input: vec![0.0, 0.0, 1.0, -1.0] };
        let explanation = Explanation::new(&network, sample, Loss::CrossEntropy, Some(1), false).unwrap();
        assert_eq!(explanation.input_gradient[0] != 0.0, passes == 1, "{:?}", explanation.input_gradient);
        let checked = check(&data(&explanation), 60, 0);
        assert!(checked.wrong.is_empty(), "{checked:?}");
        assert!(checked.formulas.contains(&(4, formula.to_owned())), "{checked:?}");
    }
}

#[test]
fn a_changed_number_is_noticed() {
    let mut explanation = explained(&every_layer(), Loss::CrossEntropy, false);
    let layer = explanation.layers.iter_mut().find(|layer| layer.name == "linear1").unwrap();
    for gradient in &mut layer.gradient {
        *gradient *= 1.001;
    }
    let checked = check(&data(&explanation), 20, 2);
    assert!(checked.wrong.iter().any(|wrong| wrong.starts_with("linear1 gradient")), "{checked:#?}");
    assert!(checked.wrong.iter().any(|wrong| wrong.contains("difference")), "{checked:#?}");
}

#[test]
fn the_page_is_well_formed_and_has_the_image_the_answer_and_the_data() {
    let mut explanation = explained(&every_layer(), Loss::CrossEntropy, true);
    explanation.classes = ["</script><b>&", "two", "three"].map(str::to_owned).to_vec();
    let page = super::explanation(&[explanation.clone()], "picture <1>.png", vec!["Mind & read.".to_owned()]).unwrap();
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(&page, options).unwrap();
    let text = |id: &str| document.descendants().find(|node| node.attribute("id") == Some(id)).unwrap().text().unwrap();
    let data: Value = serde_json::from_str(text("data")).unwrap();
    let data = &data["checkpoints"][0];
    assert_eq!(data["classes"][0], "</script><b>&");
    assert_eq!(data["layers"].as_array().unwrap().len(), explanation.layers.len());
    assert!(
        page.contains("picture &lt;1&gt;.png")
            && page.contains("Mind &amp; read.")
            && page.contains("take the statistics of this image")
    );
    assert_eq!(page.matches("</script>").count(), 2);
}

#[test]
fn a_network_with_too_many_numbers_is_refused_with_both_counts() {
    let mut explanation = explained(&every_layer(), Loss::CrossEntropy, false);
    explanation.tensors[0].values = vec![0.0; 3_000_000];
    let error = super::explanation(&[explanation.clone()], "an image", Vec::new()).unwrap_err().to_string();
    assert!(error.contains("a page can hold 2,700,000"), "{error}");
}
