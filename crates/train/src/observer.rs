//! Who watches a run.

use std::path::Path;

use backproof_spec::Experiment;

use crate::{Computation, EndedEarly, EvaluationResult, TrainingReport, WarmStartRecord};

/// What is known when training begins.
#[derive(Debug)]
pub struct Started<'a> {
    /// The resolved experiment.
    pub experiment: &'a Experiment,
    /// The run folder.
    pub folder: &'a Path,
    /// Iterations that a checkpoint has done already; 0 for a new run.
    pub iteration: usize,
    /// The weights that the run began with, where they were not random ones.
    pub warm_start: Option<&'a WarmStartRecord>,
    /// Training, validation and test images.
    pub images: [usize; 3],
    /// What is to be known of the data, a sentence or a list each.
    pub notes: &'a [String],
    /// The device, in words.
    pub device: &'a str,
    /// What computes it.
    pub computation: &'a Computation,
    /// A way to be faster, in words.
    pub hint: Option<&'a str>,
    /// Layers that no kernel computes although kernels take part, and why a run that goes on does not end with the
    /// bits of one that was never stopped, where it does not.
    pub warnings: &'a [String],
}

/// Told how far a run is, or an evaluation or a test, to show it. Every method does nothing unless it is overridden.
pub trait Observer {
    /// So many of the images of a folder are read. Comes first, where the data is a folder of images.
    fn reading(&mut self, _done: usize, _total: usize) {}
    /// Data and network are ready.
    fn started(&mut self, _started: &Started<'_>) {}
    /// `iteration` iterations are done.
    fn iteration(&mut self, _iteration: usize) {}
    /// A line of `metrics.jsonl` was written.
    fn report(&mut self, _report: &TrainingReport) {}
    /// The run ends before its last iteration.
    fn ended_early(&mut self, _ended_early: &EndedEarly) {}
    /// The run ends with the weights of its best epoch, which ended with this iteration.
    fn restored(&mut self, _iteration: usize) {}
    /// The final evaluation begins.
    fn evaluating(&mut self, _images: usize) {}
    /// The evaluation is done and written.
    fn evaluated(&mut self, _result: &EvaluationResult) {}
}

/// Shows nothing.
#[derive(Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
