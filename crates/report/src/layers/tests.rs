use backproof_train::Unit;

use super::*;

/// A network of `layers` convolutions; the gradient of each is `factor` times that of the one after it.
fn look(iteration: usize, layers: usize, factor: f64) -> LayersLook {
    let tensor = |at: usize| TensorLook {
        name: format!("conv{}.weight", at + 1),
        gradient: 1e-2 * factor.powi((layers - 1 - at) as i32),
        update: 1e-3,
        weight: 0.5,
    };
    let norm = TensorLook { name: "norm1.weight".to_owned(), gradient: 1e-20, update: 1e-20, weight: 1.0 };
    let relu = |at: usize| ReluLook {
        layer: format!("relu{}", at + 1),
        unit: Unit::Channel,
        units: 8,
        dead: at % 2,
        zeros: 0.25,
    };
    LayersLook {
        iteration,
        epoch: iteration as f64 / 10.0,
        tensors: (0..layers).map(tensor).chain([norm]).collect(),
        probe_images: 256,
        relus: (0..layers).map(relu).collect(),
    }
}

fn names(layers: usize) -> Vec<String> {
    (1..=layers).map(|at| format!("conv{at}")).collect()
}

#[test]
fn a_chart_has_a_curve_for_each_layer_with_a_matrix_and_marks_where_updates_usually_are() {
    let looks = [look(1, 3, 0.5), look(10, 3, 0.5)];
    let [gradients, updates, dead] = charts(&looks, &names(3));
    let curves = |chart: &Chart| chart.series.iter().map(|series| series.name.clone()).collect::<Vec<_>>();
    assert_eq!(curves(&gradients), ["conv1", "conv2", "conv3"]);
    assert_eq!(curves(&dead), ["relu1", "relu2", "relu3"]);
    assert_eq!(updates.series[0].points, [(1.0, 2e-3), (10.0, 2e-3)]);
    assert_eq!(dead.series[1].points, [(1.0, 12.5), (10.0, 12.5)]);
    let [gradients, updates, _] = charts(&looks, &names(3)).map(|chart| chart.figure(Medium::Screen).unwrap().unwrap());
    assert!(!gradients.body.contains("class=\"marked\"") && updates.body.contains("class=\"marked\""));
    // A decade of values has an axis of decades too.
    assert!(gradients.body.contains(">0.001<") && gradients.body.contains(">0.01<"), "{}", gradients.body);
    assert!(updates.body.contains(">1e-4<") && updates.body.contains(">0.01<"), "{}", updates.body);
}

#[test]
fn a_figure_below_the_axis_lies_at_its_bottom() {
    let mut looks = [look(1, 2, 0.5), look(10, 2, 0.5)];
    looks[1].tensors[0].gradient = 0.0;
    looks[1].tensors[1].update = 1e-20;
    let [gradients, updates, _] =
        charts(&looks, &names(2)).map(|chart| chart.figure(Medium::Screen).unwrap().unwrap().body);
    // The axes are from 10⁻³ to 10⁻², and from 10⁻⁶, at the height of 282, to 10⁻².
    assert!(gradients.contains(">0.001<") && gradients.contains(" L440 282"), "{gradients}");
    assert!(updates.contains(">1e-6<") && !updates.contains(">1e-7<") && updates.contains(" L440 282"), "{updates}");
    let page = Layers::new(&looks, &names(2), Vec::new()).unwrap().unwrap();
    assert_eq!((page.tensors[0].gradient.as_str(), page.tensors[1].gradient.as_str()), ("0", "1.0e-2"));
    assert!(page.charts[0].values.contains("\"0\""), "{}", page.charts[0].values);
    looks.iter_mut().flat_map(|look| &mut look.tensors).for_each(|tensor| tensor.gradient = 0.0);
    let [gradients, ..] = charts(&looks, &names(2));
    gradients.figure(Medium::Screen).unwrap().unwrap().png().unwrap();
}

#[test]
fn of_many_layers_the_outermost_curves_have_labels() {
    let looks = [look(1, 22, 0.8), look(10, 22, 0.8)];
    let [gradients, updates, dead] = charts(&looks, &names(22));
    let coloured = |chart: &Chart| -> Vec<String> {
        chart.series.iter().filter(|series| !series.is_grey()).map(|series| series.name.clone()).collect()
    };
    assert_eq!(coloured(&gradients), ["conv1", "conv2", "conv21", "conv22"]);
    assert!(coloured(&updates).len() == 4 && coloured(&dead).len() == 4);
    let page = Layers::new(&looks, &names(22), Vec::new()).unwrap().unwrap();
    assert!(page.crowded);
    assert_eq!(page.tensors.len(), 23);
    for chart in &page.charts {
        // Whoever looks up values gets those of all layers.
        assert!(chart.values.contains("conv11") || chart.values.contains("relu11"), "{}", chart.values);
    }
}

#[test]
fn a_long_run_has_as_many_points_as_can_be_told_apart_and_its_last_one() {
    let looks: Vec<LayersLook> = (1..=999).map(|iteration| look(iteration, 2, 0.5)).collect();
    let [gradients, ..] = charts(&looks, &names(2));
    let points = &gradients.series[0].points;
    assert!(points.len() <= POINTS && points.last().unwrap().0 == 999.0);
}

#[test]
fn nothing_is_said_of_a_run_without_looks_and_of_a_healthy_one_no_warning() {
    assert!(Layers::new(&[], &names(2), Vec::new()).unwrap().is_none());
    assert!(figures(&[], &[], Medium::Screen).unwrap().is_empty());
    let healthy = Layers::new(&[look(1, 3, 0.5)], &names(3), Vec::new()).unwrap().unwrap();
    assert!(healthy.warnings.is_empty());
    let vanishing = Layers::new(&[look(1, 5, 0.05)], &names(5), Vec::new()).unwrap().unwrap();
    assert_eq!(vanishing.warnings.len(), 1);
}
