//! `serve`, as typed.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use backproof_tests::{backproof, latest, program, root, stderr};

/// A server of the quickstart's run in `folder`, and its address.
fn serve(folder: &std::path::Path, more: &[&str]) -> (Child, String) {
    let mut command = Command::new(program());
    command.args(["serve", "runs/quickstart/latest", "--port", "0"]).args(more).current_dir(folder);
    let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.as_mut().unwrap()).lines();
    let address = lines.find_map(|line| {
        line.unwrap().strip_prefix("page         http://").map(|address| address.trim_end_matches('/').to_owned())
    });
    (server, address.expect("the server says where it is"))
}

fn post(address: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head =
        format!("POST /predict HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(&[head.as_bytes(), body].concat()); // it may close before it has all
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_run_answers_over_http_as_predict_does() {
    let folder = tempfile::tempdir().unwrap();
    backproof(folder.path())
        .args(["train", "--set", "training.iterations=400"])
        .args(["--set", "expect.test_accuracy=0"])
        .assert()
        .success();
    let (server, address) = serve(folder.path(), &["--limit", "1"]);
    for digit in [3, 7] {
        let file = root().join(format!("tests/fixtures/digits/{digit}.png"));
        let answer = post(&address, &std::fs::read(&file).unwrap());
        let found: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        let output = backproof(folder.path()).args(["predict", "runs/quickstart/latest", "--json"]).arg(&file).output();
        let told: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
        assert_eq!(found["predictions"][0]["top"], told["predictions"][0]["top"], "{answer}");
    }
    // What is no image, what is too large, and an image of many pixels in few bytes.
    assert!(post(&address, b"nonsense").starts_with("HTTP/1.1 422 "));
    assert!(post(&address, &vec![0; (1 << 20) + 1]).starts_with("HTTP/1.1 413 "));
    let bomb = post(&address, &large_png());
    assert!(bomb.starts_with("HTTP/1.1 422 ") && bomb.contains("60000 × 60000 pixels"), "{bomb}");
    backproof_tests::send("INT", server.id());
    let output = server.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("stopped      2 images classified"), "{output:?}");
}

/// The head of a PNG of 60,000 × 60,000 pixels.
fn large_png() -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let content = [&kind[..], data].concat();
        let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&content);
        [&(data.len() as u32).to_be_bytes()[..], &content, &sum.to_be_bytes()].concat()
    };
    let side = 60_000_u32.to_be_bytes();
    let head = [&side[..], &side, &[8, 0, 0, 0, 0]].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &head), &chunk(b"IDAT", &[0; 100]), &chunk(b"IEND", &[])].concat()
}

#[test]
fn what_cannot_be_served_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str], code: i32, words: &str| {
        let assert = backproof(folder.path()).arg("serve").args(arguments).assert().code(code);
        assert!(stderr(&assert).contains(words), "no `{words}`: {}", stderr(&assert));
    };
    refused(&[], 2, "required");
    refused(&["nowhere"], 2, "there is no run folder nowhere");
    refused(&["nowhere", "--port", "70000"], 2, "70000");
    refused(&["nowhere", "--limit", "0"], 2, "0");
    backproof(folder.path()).args(["train", "--smoke"]).assert().success();
    let run = latest(folder.path(), "quickstart");
    let (mut server, address) = serve(folder.path(), &[]);
    let port = address.rsplit_once(':').unwrap().1;
    refused(&[run.to_str().unwrap(), "--port", port], 1, "`--port 0` takes a free one");
    server.kill().unwrap();
    server.wait().unwrap();
}
