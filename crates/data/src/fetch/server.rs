//! A small HTTP server on this machine that behaves as badly as it is told to, for the tests.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the server does with one request. After the last of its list it goes on with the last.
#[derive(Debug, Clone, Copy)]
pub(super) enum Behaviour {
    /// Sends what is asked for, ranges included.
    Serve,
    /// Sends the whole file, whatever range is asked for.
    IgnoreRange,
    /// Promises all that is asked for, sends so many bytes of it and hangs up.
    Truncate(usize),
    /// As `Truncate`, and does not say how much there is.
    TruncateUnannounced(usize),
    /// Sends so many bytes, then nothing, and stays on the line.
    Stall(usize),
    /// Sends what is asked for with the byte at this place of the file changed.
    WrongByte(usize),
    /// Sends no file but this status.
    Status(u16),
    /// Sends a web page and says that all is well.
    Html,
    /// Sends a web page and says that it is a file.
    DisguisedHtml,
    /// Sends another range than it is asked for.
    WrongRange,
    /// Sends zeros without end.
    Endless,
}

/// The path and the start of the range of each request.
type Requests = Arc<Mutex<Vec<(String, Option<u64>)>>>;

pub(super) struct Server {
    /// The address, ending in `/`.
    pub(super) base: String,
    requests: Requests,
}

impl Server {
    /// Serves `content` under every path. The thread ends with the process.
    pub(super) fn start(content: Vec<u8>, behaviours: &[Behaviour]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, behaviours) = (Arc::clone(&requests), behaviours.to_vec());
        std::thread::spawn(move || {
            for (count, stream) in listener.incoming().enumerate() {
                let behaviour = behaviours[count.min(behaviours.len() - 1)];
                // The client may hang up at any time: that is what it is tested for.
                let _ = answer(stream.unwrap(), &content, behaviour, &log);
            }
        });
        Self { base, requests }
    }

    /// The path and the start of the range of every request so far.
    pub(super) fn requests(&self) -> Vec<(String, Option<u64>)> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(
    mut stream: TcpStream,
    content: &[u8],
    behaviour: Behaviour,
    log: &Mutex<Vec<(String, Option<u64>)>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let path = lines.next().unwrap()?.split(' ').nth(1).unwrap().to_owned();
    let mut start = None;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            start = range.trim_end_matches('-').parse::<usize>().ok();
        }
    }
    log.lock().unwrap().push((path, start.map(|start| start as u64)));
    let mut head =
        |status: &str, headers: &str| write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    let html = "<html><body>Please log in to the network.</body></html>";
    let size = content.len();
    let mut file = |start: Option<usize>| -> std::io::Result<Vec<u8>> {
        match start {
            Some(start) if start >= size => {
                head("416 Range Not Satisfiable", "Content-Length: 0\r\n")?;
                Ok(Vec::new())
            }
            Some(start) => {
                let (last, length) = (size - 1, size - start);
                head(
                    "206 Partial Content",
                    &format!("Content-Range: bytes {start}-{last}/{size}\r\nContent-Length: {length}\r\n"),
                )?;
                Ok(content[start..].to_vec())
            }
            None => {
                head("200 OK", &format!("Content-Length: {size}\r\n"))?;
                Ok(content.to_vec())
            }
        }
    };
    match behaviour {
        Behaviour::Serve => {
            let body = file(start)?;
            stream.write_all(&body)
        }
        Behaviour::IgnoreRange => {
            let body = file(None)?;
            stream.write_all(&body)
        }
        Behaviour::Truncate(count) => {
            let body = file(start)?;
            stream.write_all(&body[..count.min(body.len())])
        }
        Behaviour::TruncateUnannounced(count) => {
            head("200 OK", "")?;
            stream.write_all(&content[..count])
        }
        Behaviour::Stall(count) => {
            let body = file(start)?;
            stream.write_all(&body[..count.min(body.len())])?;
            stream.flush()?;
            // Until the client hangs up.
            std::io::copy(&mut stream, &mut std::io::sink()).map(|_| ())
        }
        Behaviour::WrongByte(at) => {
            let mut body = file(start)?;
            body[at - start.unwrap_or(0)] ^= 0x10;
            stream.write_all(&body)
        }
        Behaviour::Status(status) => head(&format!("{status} No"), "Content-Length: 0\r\n"),
        Behaviour::Html => {
            head("200 OK", &format!("Content-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n", html.len()))?;
            stream.write_all(html.as_bytes())
        }
        Behaviour::DisguisedHtml => {
            head("200 OK", &format!("Content-Type: application/gzip\r\nContent-Length: {}\r\n", html.len()))?;
            stream.write_all(html.as_bytes())
        }
        Behaviour::WrongRange => {
            head(
                "206 Partial Content",
                &format!("Content-Range: bytes 1-{}/{size}\r\nContent-Length: {}\r\n", size - 1, size - 1),
            )?;
            stream.write_all(&content[1..])
        }
        Behaviour::Endless => {
            head("200 OK", "")?;
            loop {
                stream.write_all(&[0; 4096])?;
            }
        }
    }
}
