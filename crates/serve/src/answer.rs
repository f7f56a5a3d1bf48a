//! What a client gets: JSON, whatever happens.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::classifier::Prediction;

/// The version of the answer to `POST /predict`.
pub(crate) const SCHEMA: u32 = 1;

/// Of each image what it shows, or why that cannot be said.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    pub(crate) schema_version: u32,
    pub(crate) predictions: Vec<Named>,
    pub(crate) errors: Vec<Unread>,
}

/// A prediction with the name of its file, where the client said one.
#[derive(Debug, Serialize)]
pub(crate) struct Named {
    pub(crate) file: Option<String>,
    #[serde(flatten)]
    pub(crate) prediction: Prediction,
}

/// A file of which nothing can be said.
#[derive(Debug, Serialize)]
pub(crate) struct Unread {
    pub(crate) file: Option<String>,
    pub(crate) error: String,
}

/// A request that is not answered.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into() }
    }
}

#[derive(Serialize)]
struct Told {
    error: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(Told { error: self.error })).into_response()
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        // Of no image could anything be said.
        let status = if self.predictions.is_empty() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        (status, Json(self)).into_response()
    }
}
