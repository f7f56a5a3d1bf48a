use backproof_gradcheck::{Options, Role, Verdict, assert_gradients, check, check_module};
use burn::module::{Module, Param, RunningState};
use burn::nn::LinearConfig;
use burn::tensor::{Device, Distribution, Tensor, activation};

use crate::common::device;

#[derive(Module, Debug)]
struct Linear {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl Linear {
    fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        let normal = Distribution::Normal(0.0, 1.0);
        Self {
            weight: Param::from_tensor(Tensor::random([inputs, outputs], normal, device)),
            bias: Param::from_tensor(Tensor::random([outputs], normal, device)),
        }
    }

    fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        input.matmul(self.weight.val()) + self.bias.val().unsqueeze()
    }
}

#[derive(Module, Debug)]
struct Network {
    layers: Vec<Linear>,
    shift: RunningState<Tensor<1>>,
    detached: bool,
}

impl Network {
    fn new(detached: bool, device: &Device) -> Self {
        let layers = vec![Linear::new(4, 6, device), Linear::new(6, 3, device)];
        Self { layers, shift: RunningState::new(Tensor::ones([3], device)), detached }
    }

    fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let hidden = activation::tanh(self.layers[0].forward(input));
        let hidden = if self.detached { hidden.detach() } else { hidden };
        self.layers[1].forward(hidden) + self.shift.value().unsqueeze()
    }
}

fn input(device: &Device) -> Tensor<2> {
    Tensor::random([5, 4], Distribution::Normal(0.0, 1.0), device)
}

#[test]
fn a_module_is_proven_by_the_names_of_its_parameters() {
    let device = device();
    let module = Network::new(false, &device);
    let report = check(&module, input(&device), |module, input| module.forward(input));
    report.assert();
    let names: Vec<&str> = report.rows.iter().map(|row| row.tensor.as_str()).collect();
    assert_eq!(names, ["input", "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]);
    assert_eq!(report.name, "Network");
    assert_gradients!(module, input(&device));
    assert_gradients!(module, input(&device), |module: &Network, input| module.forward(input).exp());
}

#[test]
fn a_module_that_was_made_for_training_is_proven_too() {
    let device = device().autodiff();
    let module = Network::new(false, &device);
    assert_gradients!(module, input(&device));
}

#[test]
fn the_module_itself_is_left_as_it_was() {
    let device = device();
    let module = Network::new(false, &device);
    let (x, running) = (input(&device), module.shift.clone());
    let before = module.forward(x.clone()).to_data();
    check(&module, x.clone(), |module, input| module.forward(input)).assert();
    module.forward(x).to_data().assert_eq(&before, true);
    running.value().to_data().assert_eq(&Tensor::<1>::ones([3], &device).to_data(), true);
}

#[test]
fn a_detached_part_of_a_module_is_missing() {
    let device = device();
    let module = Network::new(true, &device);
    let report = check(&module, input(&device), |module, input| module.forward(input));
    for tensor in ["input", "layers.0.weight", "layers.0.bias"] {
        assert_eq!(report.verdict("autodiff", tensor), Some(Verdict::Missing), "{report}");
    }
    assert_eq!(report.verdict("autodiff", "layers.1.weight"), Some(Verdict::Pass), "{report}");
}

#[test]
#[should_panic(expected = "layers.0.weight")]
fn the_assertion_panics_with_the_table() {
    let device = device();
    assert_gradients!(Network::new(true, &device), input(&device));
}

#[test]
fn frozen_parameters_and_running_statistics_are_constants() {
    let device = device();
    let mut module = Network::new(false, &device);
    module.layers[0] = module.layers[0].clone().no_grad();
    let forward = |module: &Network, input| module.forward(input);
    let problem = check_module(&module, input(&device), forward, &device, &device);
    let constants: Vec<_> =
        problem.tensors.iter().filter(|t| t.role == Role::Constant).map(|t| t.name.as_str()).collect();
    assert_eq!(constants, ["layers.0.weight", "layers.0.bias", "shift"]);
    let options = Options::default();
    let examination = problem.examine(&options);
    examination.report().assert();
    examination.mutants().assert();
}

#[test]
fn burns_own_linear_layer_is_proven_as_the_readme_shows() {
    let layer = LinearConfig::new(4, 3).init(&Device::flex());
    assert_gradients!(layer, Tensor::<2>::random([2, 4], Distribution::Default, &Device::flex()));
}
