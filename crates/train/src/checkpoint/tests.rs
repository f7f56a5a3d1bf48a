//! Checkpoints that are cut or changed anywhere.

use backproof_models::PassMode;
use backproof_spec::{Architecture, FlattenSpec, LayerSpec, LinearSpec, Shape};
use burn::tensor::Device;

use super::*;
use crate::new_optimizer;
use crate::testing::experiment;

/// A network of 3 numbers.
fn network() -> Network {
    let layers = vec![LayerSpec::Flatten(FlattenSpec), LayerSpec::Linear(LinearSpec::new(1))];
    let architecture = Architecture { name: "tiny".to_owned(), input: Shape::image(1, 1, 2), layers };
    Network::new(&architecture, 1, &Device::flex().autodiff()).unwrap()
}

/// A run folder whose checkpoints `last` and `best` are sound, and the optimizer to load into.
fn saved() -> (tempfile::TempDir, impl Fn() -> ModuleOptimizer) {
    let run = tempfile::tempdir().unwrap();
    let experiment = experiment(&["optimizer.kind=adam"]);
    let kind = experiment.optimizer.rule;
    let mut optimizer = new_optimizer(&kind);
    let network = network();
    // One step, so that the optimizer has something to keep.
    let input = burn::Tensor::<4>::ones([1, 1, 1, 2], &Device::flex().autodiff());
    let gradients = network.forward(input, PassMode::Inference).sum().backward();
    let gradients = burn::optim::GradientsParams::from_grads(gradients, &network);
    let network = optimizer.step(0.1, network, gradients);
    let (average, slow) = (Some(network.clone()), Some(network.clone()));
    let kept = Kept { network, optimizer, average, slow };
    for name in [CheckpointName::Last, CheckpointName::Best] {
        let position = Position { iteration: 7, ..Position::default() };
        Checkpoint::new(run.path(), name).save(&kept, &experiment, &position, None).unwrap();
    }
    (run, move || new_optimizer(&kind))
}

/// Everything that going on with a run reads of a checkpoint.
fn load(checkpoint: &Checkpoint, optimizer: ModuleOptimizer) -> Result<(), TrainError> {
    checkpoint.experiment()?;
    let (network, _) = checkpoint.load_network(network())?;
    checkpoint.load_copies(&network)?;
    checkpoint.load_optimizer(optimizer)?;
    Ok(())
}

#[test]
fn a_checkpoint_that_is_cut_or_changed_at_any_byte_is_refused_and_the_other_one_is_sound() {
    let (run, optimizer) = saved();
    let last = Checkpoint::new(run.path(), CheckpointName::Last);
    load(&last, optimizer()).unwrap();
    let mut faults = 0;
    for name in [WEIGHTS, OPTIMIZER, CONFIG, AVERAGE, SLOW, STATE] {
        let path = last.folder().join(name);
        let whole = fs::read(&path).unwrap();
        for place in 0..whole.len() {
            // The last byte of `state.json` is the end of its line, which says nothing.
            if name == STATE && place + 1 == whole.len() {
                continue;
            }
            fs::write(&path, &whole[..place]).unwrap();
            let error = load(&last, optimizer()).expect_err("it is cut").to_string();
            assert!(error.contains(name), "{name} cut at {place}: {error}");
            assert_eq!(last.sound(), None, "{name} cut at {place}");
            faults += 1;
            if name != STATE {
                let mut changed = whole.clone();
                changed[place] ^= 1 << (place % 8);
                fs::write(&path, &changed).unwrap();
                assert!(load(&last, optimizer()).is_err(), "{name} changed at {place}");
                faults += 1;
            }
        }
        fs::write(&path, whole).unwrap();
    }
    println!("{faults} faults, each refused by the name of its file");
    assert!(faults > 4_000, "{faults}");
    load(&last, optimizer()).unwrap();
    assert_eq!(Checkpoint::new(run.path(), CheckpointName::Best).sound(), Some(7));
}

#[test]
fn the_weights_or_the_optimizer_of_another_network_are_refused_by_name() {
    let (run, _) = saved();
    let last = Checkpoint::new(run.path(), CheckpointName::Last);
    let other = Network::new(&experiment(&[]).model, 1, &Device::flex().autodiff()).unwrap();
    let error = last.load_network(other).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(error.to_string().ends_with("weights.safetensors does not fit the network"), "{error}");
    assert!(cause.contains("conv1.weight"), "{cause}");
}
