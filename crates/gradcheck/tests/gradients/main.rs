//! The check, used as somebody with a layer of their own would.

mod common;
mod custom_operation;
mod faults;
mod functions;
mod generated;
mod kinks;
mod modules;
mod named;
mod told;
mod verdicts;
