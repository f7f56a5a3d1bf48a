use std::io;
use std::net::SocketAddr;

/// Why a server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is not this machine's own.
    #[error("{0} is no loopback address: the server is for this machine alone")]
    NotLoopback(SocketAddr),
    /// The address is taken, or may not be used.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// There are no threads.
    #[error("cannot start the server")]
    Start(#[source] io::Error),
}
