//! A server with a network that says what it was given, and clients of all kinds.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use backproof_serve::{About, Candidate, Classifier, Limits, Prediction, ServeError, Server, Wanted};

/// Gives the sum of the bytes of a file as its class; some files it refuses, and one is its end.
struct Sum;

impl Classifier for Sum {
    fn about(&self) -> About {
        let classes = vec!["<b>".to_owned(), "ü".to_owned()];
        About { name: "sum".to_owned(), classes, input: [1, 2, 2], iteration: Some(3), test_accuracy: None }
    }

    fn classify(&self, file: &[u8], wanted: Wanted) -> Result<Prediction, String> {
        match file {
            b"bad" => return Err("it is no image".to_owned()),
            b"panic" => panic!("the classifier is at its end"),
            _ => {}
        }
        let class = file.iter().map(|&byte| usize::from(byte)).sum::<usize>().to_string();
        let candidate = Candidate { class: class.clone(), probability: 0.75 };
        let (top, input) = (vec![candidate; wanted.top.min(2)], wanted.input.then(|| "data:,".to_owned()));
        let warnings = vec!["it is a number".to_owned()];
        Ok(Prediction { class, probability: 0.75, top, notes: Vec::new(), warnings, input })
    }
}

struct Running {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<usize, ServeError>>,
}

impl Running {
    fn new(limits: Limits) -> Self {
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), Arc::new(Sum), limits).unwrap();
        let address = server.address();
        let stop = Arc::new(AtomicBool::new(false));
        let raised = stop.clone();
        let thread = std::thread::spawn(move || server.run(|| raised.load(Ordering::Relaxed)));
        Self { address, stop, thread }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Everything that is answered to these bytes, on a connection of their own.
    fn send(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        // A server that refuses early may close before all is sent.
        let _ = stream.write_all(request);
        read(stream)
    }

    fn post(&self, target: &str, kind: &str, body: &[u8]) -> String {
        let length = body.len();
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n"
        );
        self.send(&[head.as_bytes(), body].concat())
    }

    fn get(&self, target: &str) -> String {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
    }

    /// Stops the server; the images that it classified.
    fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap().unwrap()
    }
}

fn read(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        // What was not read when the server closed makes the system reset the connection.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}"),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap_or_else(|| panic!("no status: `{answer}`")).parse().unwrap()
}

fn json(answer: &str) -> serde_json::Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no body: {answer}"));
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

#[test]
fn an_image_is_the_body_or_a_file_of_a_form() {
    let server = Running::new(Limits::default());
    let answer = server.post("/predict?top=1", "image/png", &[1, 2, 3]);
    assert_eq!(status(&answer), 200, "{answer}");
    let found = json(&answer);
    let expected = serde_json::json!({
        "schema_version": 1,
        "predictions": [{
            "file": null, "class": "6", "probability": 0.75, "notes": [],
            "top": [{"class": "6", "probability": 0.75}], "warnings": ["it is a number"],
        }],
        "errors": [],
    });
    assert_eq!(found, expected);
    let found = json(&server.post("/predict?input=true", "image/png", &[1]));
    assert_eq!(found["predictions"][0]["input"], "data:,");
    let part = |name: &str, file: &str, body: &str| {
        format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{body}\r\n")
    };
    let form = [
        part("image", "; filename=\"a<b>.png\"", "\u{1}"),
        part("note", "", "no file"),
        part("image", "; filename=\"/etc/passwd\"", "bad"),
        "--X--\r\n".to_owned(),
    ];
    let answer = server.post("/predict", "multipart/form-data; boundary=X", form.concat().as_bytes());
    assert_eq!(status(&answer), 200, "{answer}");
    let found = json(&answer);
    assert_eq!(
        (&found["predictions"][0]["file"], &found["predictions"][0]["class"]),
        (&"a<b>.png".into(), &"1".into())
    );
    assert_eq!(found["errors"], serde_json::json!([{"file": "/etc/passwd", "error": "it is no image"}]));
    assert_eq!(server.end(), 3);
}

#[test]
fn what_is_no_image_is_refused_with_the_reason() {
    let server = Running::new(Limits::default());
    let refused = [
        (server.post("/predict", "image/png", b"bad"), 422, "it is no image"),
        (server.post("/predict", "image/png", b"panic"), 422, "a fault of the server"),
        (server.post("/predict", "image/png", b""), 400, "there is no image"),
        (server.post("/predict?top=0", "image/png", b"1"), 400, "`top` should be"),
        (server.post("/predict?input=perhaps", "image/png", b"1"), 400, "`input` true or false"),
        (server.post("/predict?top=many", "image/png", b"1"), 400, "`top` should be"),
        (server.post("/predict", "multipart/form-data", b"1"), 400, "the form cannot be read"),
        (server.post("/predict", "multipart/form-data; boundary=X", b"--X"), 400, "the form cannot be read"),
        (server.post("/predict", "multipart/form-data; boundary=X", b"--X--\r\n"), 400, "the form has no file"),
        (server.get("/predict"), 405, "takes POST"),
        (server.post("/model", "image/png", b"1"), 405, "takes GET"),
        (server.get("/../../etc/passwd"), 404, "there is nothing at"),
        (server.get("/page.html"), 404, "there is nothing at"),
    ];
    for (answer, code, words) in refused {
        assert_eq!(status(&answer), code, "{answer}");
        assert!(answer.contains(words), "no `{words}` in {answer}");
        json(&answer);
    }
    // It goes on after all of them.
    assert_eq!(status(&server.post("/predict", "image/png", b"1")), 200);
    assert_eq!(status(&server.send(b"nonsense\r\n\r\n")), 400);
    assert_eq!(server.end(), 1);
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let server = Running::new(Limits::default());
    for (target, kind) in [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")] {
        let answer = server.get(target);
        let head = answer.split("\r\n\r\n").next().unwrap().to_lowercase();
        assert_eq!(status(&answer), 200);
        assert!(head.contains(&format!("content-type: {kind}")), "{head}");
        assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
        assert!(!answer.contains("https://") && !answer.contains("innerHTML"), "{target}");
    }
    let about = json(&server.get("/model"));
    assert_eq!(about["classes"], serde_json::json!(["<b>", "ü"]));
    assert_eq!((&about["input"], &about["iteration"]), (&serde_json::json!([1, 2, 2]), &3.into()));
    assert_eq!(server.end(), 0);
}

#[test]
fn a_page_from_elsewhere_may_not_ask() {
    let server = Running::new(Limits::default());
    for header in ["Host: example.org", "Host: localhost\r\nOrigin: https://example.org"] {
        let request = format!("POST /predict HTTP/1.1\r\n{header}\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1");
        let answer = server.send(request.as_bytes());
        assert_eq!(status(&answer), 403, "{answer}");
    }
    assert_eq!(server.end(), 0);
}

#[test]
fn too_much_is_refused_before_it_is_read() {
    let limits = Limits { bytes: 1000, ..Limits::default() };
    let server = Running::new(limits);
    assert_eq!(status(&server.post("/predict", "image/png", &[1; 1000])), 200);
    // A gigabyte is announced, and none of it is waited for.
    let begun = Instant::now();
    let head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n";
    let answer = server.send(&[head.as_bytes(), &[1; 5000]].concat());
    assert_eq!(status(&answer), 413, "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    // Nothing is announced.
    let head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("1f4\r\n{}\r\n", "1".repeat(500));
    let answer = server.send(&[head.as_bytes(), chunk.repeat(10).as_bytes()].concat());
    assert_eq!(status(&answer), 413, "{answer}");
    // Headers without end.
    let line = format!("X: {}\r\n", "1".repeat(1000));
    let answer = server.send(format!("GET / HTTP/1.1\r\n{}\r\n", line.repeat(1000)).as_bytes());
    assert_eq!(status(&answer), 431, "{answer}");
    assert_eq!(server.end(), 1);
}

#[test]
fn who_is_slow_is_sent_away_and_holds_up_nobody() {
    let limits =
        Limits { header_time: Duration::from_millis(300), body_time: Duration::from_millis(300), ..Limits::default() };
    let server = Running::new(limits);
    let mut silent: Vec<TcpStream> = (0..20).map(|_| server.connect()).collect();
    for stream in &mut silent {
        stream.write_all(b"POST /predict HTTP/1.1\r\nHost: local").unwrap();
    }
    let mut slow = server.connect();
    slow.write_all(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1").unwrap();
    assert_eq!(status(&server.post("/predict", "image/png", b"1")), 200);
    let answer = read(slow);
    assert_eq!(status(&answer), 408, "{answer}");
    for stream in silent {
        read(stream); // it ends
    }
    assert_eq!(server.end(), 1);
}

#[test]
fn many_clients_at_once_get_their_own_answers() {
    let server = Running::new(Limits { connections: 16, ..Limits::default() });
    std::thread::scope(|scope| {
        for client in 0..64_u8 {
            let server = &server;
            scope.spawn(move || {
                for image in 0..20_u8 {
                    let answer = server.post("/predict", "image/png", &[client, image, 7]);
                    let class = json(&answer)["predictions"][0]["class"].as_str().unwrap().to_owned();
                    assert_eq!(class, (u32::from(client) + u32::from(image) + 7).to_string());
                }
            });
        }
    });
    assert_eq!(server.end(), 64 * 20);
}

#[test]
fn several_requests_share_a_connection() {
    let server = Running::new(Limits::default());
    let mut stream = server.connect();
    for image in 1..4_u8 {
        let request = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n";
        stream.write_all(&[request.as_bytes(), &[image]].concat()).unwrap();
        let mut answer = [0; 2000];
        let length = stream.read(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.contains(&format!("\"class\":\"{image}\"")), "{answer}");
    }
    // An open connection does not keep the server from ending.
    let begun = Instant::now();
    assert_eq!(server.end(), 3);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn only_a_free_address_of_this_machine_is_taken() {
    let bind = |address: &str| Server::bind(address.parse().unwrap(), Arc::new(Sum), Limits::default());
    let error = bind("0.0.0.0:0").err().unwrap();
    assert!(error.to_string().contains("no loopback address"), "{error}");
    let first = bind("127.0.0.1:0").unwrap();
    let error = bind(&first.address().to_string()).err().unwrap();
    assert!(matches!(error, ServeError::Listen { .. }), "{error}");
}
