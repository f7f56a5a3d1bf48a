//! Connections: how many, how long, and how they end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::answer::Refusal;
use crate::classifier::{Classifier, Prediction, Wanted};
use crate::error::ServeError;
use crate::{images, page, visitor};

/// What a client may ask for, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a request's body: 16 MiB.
    pub bytes: usize,
    /// Connections at once: 256. Others wait until one is closed.
    pub connections: usize,
    /// Images that are decoded and classified at once: as many as there are cores. Others wait.
    pub at_once: usize,
    /// In which the headers of a request arrive: 10 s. It closes idle connections too.
    pub header_time: Duration,
    /// In which a body arrives: 30 s.
    pub body_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 16 << 20,
            connections: 256,
            at_once: std::thread::available_parallelism().map_or(1, usize::from),
            header_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
        }
    }
}

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    service: Arc<Service>,
}

/// What every request needs.
pub(crate) struct Service {
    classifier: Arc<dyn Classifier>,
    pub(crate) limits: Limits,
    at_once: Semaphore,
    answered: AtomicUsize,
}

impl Service {
    /// Classifies an image when its turn comes, on a thread for work that takes a while.
    pub(crate) async fn classify(&self, file: Vec<u8>, wanted: Wanted) -> Result<Prediction, String> {
        let _turn = self.at_once.acquire().await.map_err(|_| "the server is stopping".to_owned())?;
        let classifier = self.classifier.clone();
        let prediction = tokio::task::spawn_blocking(move || classifier.classify(&file, wanted)).await;
        let prediction = prediction.unwrap_or_else(|fault| {
            tracing::error!("an image could not be classified: {fault}");
            Err("the image could not be classified, for a fault of the server".to_owned())
        });
        self.answered.fetch_add(usize::from(prediction.is_ok()), Ordering::Relaxed);
        prediction
    }
}

impl Server {
    /// Listens on a loopback address; on port 0, on a free one.
    ///
    /// # Errors
    ///
    /// [`ServeError`]: an address of a network, or one that is taken.
    pub fn bind(address: SocketAddr, classifier: Arc<dyn Classifier>, limits: Limits) -> Result<Self, ServeError> {
        if !address.ip().is_loopback() {
            return Err(ServeError::NotLoopback(address));
        }
        let failed = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let at_once = Semaphore::new(limits.at_once.max(1));
        let service = Service { classifier, limits, at_once, answered: AtomicUsize::new(0) };
        Ok(Self { listener, address, service: Arc::new(service) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` says so, and then what was asked before. Gives the number of images that were classified.
    ///
    /// # Errors
    ///
    /// [`ServeError::Start`].
    pub fn run(self, stop: impl Fn() -> bool) -> Result<usize, ServeError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServeError::Start)?;
        let service = self.service.clone();
        runtime.block_on(self.serve(stop))?;
        // A slow image is not waited for longer than the connections were.
        runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(service.answered.load(Ordering::Relaxed))
    }

    async fn serve(self, stop: impl Fn() -> bool) -> Result<(), ServeError> {
        /// For the answers to what was asked before the end.
        const LAST: Duration = Duration::from_secs(5);
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(ServeError::Start)?;
        let limits = self.service.limits;
        let router = router(self.service);
        let connections = Arc::new(Semaphore::new(limits.connections.max(1)));
        let graceful = GracefulShutdown::new();
        let stopped = async {
            while !stop() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::pin!(stopped);
        loop {
            let accepted = async {
                let place = connections.clone().acquire_owned().await;
                (place, listener.accept().await)
            };
            let (place, stream) = tokio::select! {
                () = &mut stopped => break,
                accepted = accepted => accepted,
            };
            match stream {
                Ok((stream, _)) => {
                    let connection = graceful.watch(connection(stream, router.clone(), limits));
                    tokio::spawn(async move {
                        // A client that goes away, or is too slow, is its own affair.
                        if let Err(error) = connection.await {
                            tracing::debug!("a connection ended: {error}");
                        }
                        drop(place);
                    });
                }
                // Such as too many open files: it may be over in a moment.
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(listener);
        let _ = tokio::time::timeout(LAST, graceful.shutdown()).await;
        Ok(())
    }
}

fn connection(
    stream: TcpStream,
    router: Router,
    limits: Limits,
) -> hyper::server::conn::http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>> {
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.header_time).max_buf_size(64 << 10);
    builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}

fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(page::html))
        .route("/page.css", get(page::css))
        .route("/page.js", get(page::script))
        .route("/model", get(model))
        .route("/predict", post(images::predict))
        .fallback(nothing)
        .method_not_allowed_fallback(not_so)
        .layer(axum::middleware::from_fn(visitor::check))
        // `images` has the limit.
        .layer(DefaultBodyLimit::disable())
        .with_state(service)
}

async fn model(State(service): State<Arc<Service>>) -> Response {
    axum::Json(service.classifier.about()).into_response()
}

async fn nothing(uri: Uri) -> Refusal {
    let error = format!("there is nothing at {}; there are `/`, `/model` and `/predict`", uri.path());
    Refusal::new(StatusCode::NOT_FOUND, error)
}

async fn not_so(method: Method, uri: Uri) -> Refusal {
    let other = if uri.path() == "/predict" { "POST" } else { "GET" };
    let error = format!("{} takes {other} and not {method}", uri.path());
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, error)
}
