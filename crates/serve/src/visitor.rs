//! Who may ask: programs of this machine, and the page of this server.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::answer::Refusal;

/// Refuses what a page from elsewhere makes a browser ask. Its name may lead to this machine (DNS rebinding), but `Host`
/// says the name; and what it sends across origins has an `Origin`.
pub(crate) async fn check(request: Request, next: Next) -> Response {
    match stranger(request.headers()) {
        Some(name) => {
            let error = format!("this server answers this machine alone, and not {name}; ask http://127.0.0.1");
            Refusal::new(StatusCode::FORBIDDEN, error).into_response()
        }
        None => next.run(request).await,
    }
}

/// The name of another machine in the headers.
fn stranger(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let host = text(header::HOST).filter(|host| !is_loopback(host));
    let origin = text(header::ORIGIN).filter(|origin| !origin.strip_prefix("http://").is_some_and(is_loopback));
    host.or(origin)
}

/// Whether a host, with or without a port, is this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_several_names() {
        for host in ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:8000", "127.1.2.3", "[::1]:8000", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "example.org", "localhost.example.org", "127.0.0.1.example.org:80", "10.0.0.1", "[::2]:80"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_page_from_elsewhere_is_a_stranger() {
        let mut headers = HeaderMap::new();
        assert_eq!(stranger(&headers), None);
        headers.insert(header::HOST, "127.0.0.1:8000".parse().unwrap());
        headers.insert(header::ORIGIN, "http://localhost:8000".parse().unwrap());
        assert_eq!(stranger(&headers), None);
        headers.insert(header::ORIGIN, "https://example.org".parse().unwrap());
        assert_eq!(stranger(&headers).as_deref(), Some("https://example.org"));
        headers.insert(header::ORIGIN, "null".parse().unwrap());
        assert_eq!(stranger(&headers).as_deref(), Some("null"));
        headers.insert(header::HOST, "example.org".parse().unwrap());
        assert_eq!(stranger(&headers).as_deref(), Some("example.org"));
    }
}
