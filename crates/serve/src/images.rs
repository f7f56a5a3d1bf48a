//! `POST /predict`: the images of a request, and what the network says of them.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{FromRequest, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::answer::{Answer, Named, Refusal, SCHEMA, Unread};
use crate::classifier::Wanted;
use crate::server::Service;

/// Files of a form.
const MOST_FILES: usize = 256;

/// A file with the name that the client says.
struct File {
    name: Option<String>,
    bytes: Vec<u8>,
}

pub(crate) async fn predict(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Response {
    let wanted = match wanted {
        Ok(Query(wanted)) if wanted.top > 0 => wanted,
        _ => {
            let error = "`top` should be a whole number from 1 on, the number of classes of each image; and `input` true \
                         or false, whether to show what the network gets";
            return Refusal::new(StatusCode::BAD_REQUEST, error).into_response();
        }
    };
    let files = match tokio::time::timeout(service.limits.body_time, files(request, service.limits.bytes)).await {
        Ok(Ok(files)) => files,
        Ok(Err(refusal)) => return refusal.into_response(),
        Err(_) => {
            let seconds = service.limits.body_time.as_secs_f64();
            let error = format!("the images did not arrive within {seconds} s");
            return Refusal::new(StatusCode::REQUEST_TIMEOUT, error).into_response();
        }
    };
    let mut answer = Answer { schema_version: SCHEMA, predictions: Vec::new(), errors: Vec::new() };
    for File { name, bytes } in files {
        match service.classify(bytes, wanted).await {
            Ok(prediction) => answer.predictions.push(Named { file: name, prediction }),
            Err(error) => answer.errors.push(Unread { file: name, error }),
        }
    }
    answer.into_response()
}

/// The files of a form, or the body.
async fn files(request: Request, limit: usize) -> Result<Vec<File>, Refusal> {
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let bytes = body(request.into_body(), limit).await?;
        if bytes.is_empty() {
            let error = "there is no image: the body of the request should be one, or a form with files";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, error));
        }
        return Ok(vec![File { name: None, bytes }]);
    }
    // The form is read from what has arrived in full, so that one limit holds for all of it.
    let (parts, content) = request.into_parts();
    let content = body(content, limit).await?;
    let request = Request::from_parts(parts, Body::from(content));
    let wrong = |error: &MultipartError| {
        Refusal::new(StatusCode::BAD_REQUEST, format!("the form cannot be read: {}", error.body_text()))
    };
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| {
        Refusal::new(StatusCode::BAD_REQUEST, format!("the form cannot be read: {}", error.body_text()))
    })?;
    let mut files = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|error| wrong(&error))? {
        // A field that is no file has nothing to say here.
        let Some(name) = field.file_name().map(str::to_owned) else { continue };
        if files.len() == MOST_FILES {
            let error = format!("the form has more than {MOST_FILES} files: send them in several requests");
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error));
        }
        let bytes = field.bytes().await.map_err(|error| wrong(&error))?.to_vec();
        files.push(File { name: Some(name), bytes });
    }
    if files.is_empty() {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "the form has no file"));
    }
    Ok(files)
}

async fn body(body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    let read = to_bytes(body, limit).await.map_err(|error| {
        // axum tells the two apart by the source alone.
        let is_long = std::error::Error::source(&error).is_some_and(|it| it.to_string().contains("length limit"));
        match is_long {
            true => too_large(limit),
            false => Refusal::new(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}")),
        }
    })?;
    Ok(read.into())
}

fn too_large(limit: usize) -> Refusal {
    let mebibytes = limit as f64 / f64::from(1 << 20);
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("more than {mebibytes:.0} MiB in a request; `--limit` allows more"),
    )
}
