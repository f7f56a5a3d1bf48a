//! A trained network behind HTTP: images in, predictions as JSON out, and a page to drop images on.
//!
//! It is for the machine that it runs on. It listens on a loopback address, and refuses requests whose `Host` or `Origin`
//! is another machine's: a page from elsewhere, open in a browser here, could otherwise use it. No request names a file.
//! A client may be slow, send too much, or send what is no image, and others do not notice: headers and bodies have a
//! limit in bytes and in time, connections and pictures that are decoded at once are counted.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /` | the page |
//! | `GET /model` | what the network is: run, classes, input |
//! | `POST /predict` | the classes of the image that is the body, or of each file of a form |
//!
//! What computes is a [`Classifier`]; this crate knows no network.

mod answer;
mod classifier;
mod error;
mod images;
mod page;
mod server;
mod visitor;

pub use classifier::{About, Candidate, Classifier, Prediction, Wanted};
pub use error::ServeError;
pub use server::{Limits, Server};
