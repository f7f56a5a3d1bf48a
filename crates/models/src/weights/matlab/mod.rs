//! The networks in MATLAB files. `backproof-arrays` reads the files; [`network`] makes tensors of the struct in which
//! the course keeps its networks.

mod fit;
mod network;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub(crate) use network::MatlabNetwork;
