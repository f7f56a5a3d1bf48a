//! `serve`: the network of a run behind HTTP, on this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use backproof::cli;
use backproof::error::{Failure, code};
use backproof_data::Picture;
use backproof_report::input_uri;
use backproof_serve::{About, Classifier, Limits, Prediction, ServeError, Server, Wanted};
use backproof_spec::{Shape, counted};
use backproof_train::{Predictor, Weights};

use crate::failures::with_causes;
use crate::look::{Candidate, Look, look, notes};
use crate::picture::Showing;
use crate::setup::{open, predictor, setup, weights};
use crate::signals::stop_on_signal;

#[allow(clippy::print_stdout)] // results go to stdout
pub(crate) fn run(arguments: &cli::ServeArguments) -> anyhow::Result<()> {
    let folder = open(&arguments.run)?;
    let setup = setup(&arguments.device, &arguments.places, PathBuf::new())?;
    let weights = weights(&arguments.weights);
    let predictor = predictor(&arguments.run, &folder, &weights, &setup)?;
    let showing = Showing::new(arguments.shown, &folder, &predictor, &setup)?;
    let record = folder.record().ok();
    let network = OfRun {
        name: record.as_ref().map_or_else(|| "a run".to_owned(), |record| record.experiment.clone()),
        // Of the last weights, as the run ended with them.
        test_accuracy: record
            .filter(|_| matches!(weights, Weights::Last))
            .and_then(|record| Some(record.summary?.test_accuracy)),
        predictor,
        showing,
        inverted: arguments.shown.invert,
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let limits = Limits { bytes: usize::from(arguments.limit) << 20, ..Limits::default() };
    let server = Server::bind(address, Arc::new(network), limits).map_err(failed)?;
    let stop = stop_on_signal()?;
    println!("serving      {}", folder.path().display());
    println!("page         http://{}/", server.address());
    println!("             Ctrl-C stops it");
    let answered = server.run(|| stop.load(Ordering::Relaxed)).map_err(failed)?;
    println!("stopped      {} classified", counted(answered, "image"));
    Ok(())
}

fn failed(error: ServeError) -> Failure {
    let help = matches!(error, ServeError::Listen { .. })
        .then(|| "another program may have the port: `--port 0` takes a free one".to_owned());
    let message = with_causes(&error);
    Failure::new(code::FAILED, message).maybe_help(help)
}

/// The network of a run, as the server asks it.
struct OfRun {
    name: String,
    test_accuracy: Option<f64>,
    predictor: Predictor,
    showing: Showing,
    inverted: bool,
}

impl Classifier for OfRun {
    fn about(&self) -> About {
        let input = match self.predictor.shape() {
            Shape::Image { channels, height, width } => [channels, height, width],
            Shape::Vector { features } => [features, 1, 1],
        };
        About {
            name: self.name.clone(),
            classes: self.predictor.class_names().to_vec(),
            input,
            iteration: self.predictor.iteration(),
            test_accuracy: self.test_accuracy,
        }
    }

    fn classify(&self, file: &[u8], wanted: Wanted) -> Result<Prediction, String> {
        let picture = Picture::decode(Path::new("the image"), file, self.predictor.fit().behind)
            .map_err(|error| with_causes(&error))?;
        let Look { top, shown, .. } =
            look(&self.predictor, &picture, &self.showing, wanted.top).map_err(|error| with_causes(&error))?;
        let candidate = |it: Candidate| backproof_serve::Candidate { class: it.class, probability: it.probability };
        let top: Vec<_> = top.into_iter().map(candidate).collect();
        let (class, probability) = (top[0].class.clone(), top[0].probability);
        let notes = notes(&shown, self.inverted).iter().map(|note| format!("The image {note}.")).collect();
        let input = wanted.input.then(|| input_uri(&shown.pixels, self.predictor.shape()));
        Ok(Prediction { class, probability, top, notes, warnings: shown.warnings, input })
    }
}
