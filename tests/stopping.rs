//! A clean stop: what was accepted is finished, then the process ends with 0.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use influxd_tests::{BUCKET, Home, OPERATOR_TOKEN, ORG, Server, on_both_stores};
use rustix::process::Signal;

on_both_stores!(
    a_stop_finishes_a_request_that_was_accepted,
    both_signals_stop_cleanly_and_quickly,
    a_pid_file_lives_as_long_as_its_server,
);

async fn a_stop_finishes_a_request_that_was_accepted(home: Home) {
    for signal in [Signal::TERM, Signal::INT] {
        let server = home.server().await;
        let operator = server.operator();
        if operator.gets("/api/v2/setup").await.json()["allowed"] == true {
            server.set_up().await;
        }
        let line = format!("late f={} {}\n", signal.as_raw(), signal.as_raw());
        let mut slow = begins_to_write(&server, &line);

        server.signal(signal);
        tokio::time::sleep(Duration::from_millis(500)).await;
        slow.write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
        let stopped = server.ended();
        assert_eq!(stopped.status.code(), Some(0), "{}", stopped.output);
    }
    let server = home.server().await;
    assert_eq!(server.operator().counts("f", "late").await, 2);
}

/// Sends the head of a write of `line`, and nothing of its body.
fn begins_to_write(server: &Server, line: &str) -> TcpStream {
    let mut connection = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    write!(
        connection,
        "POST /api/v2/write?org={ORG}&bucket={BUCKET} HTTP/1.1\r\nHost: test\r\n\
         Authorization: Token {OPERATOR_TOKEN}\r\nContent-Length: {}\r\n\r\n",
        line.len()
    )
    .unwrap();
    // The server must have seen the head before it is told to stop.
    std::thread::sleep(Duration::from_millis(200));
    connection
}

async fn both_signals_stop_cleanly_and_quickly(home: Home) {
    for signal in [Signal::TERM, Signal::INT] {
        let server = home.server().await;
        // A connection that never sent anything must not delay the stop for long.
        let _idle = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        server.client("").gets("/ping").await;
        let began = Instant::now();
        let stopped = server.stop(signal);
        assert_eq!(stopped.status.code(), Some(0), "{}", stopped.output);
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}",
            began.elapsed()
        );
        for subsystem in ["\"HTTP server\"", "engine"] {
            let line = "msg=\"Stopping subsystem\"".to_owned();
            let found = stopped
                .output
                .lines()
                .any(|l| l.contains(&line) && l.contains(&format!("subsystem={subsystem}")));
            assert!(found, "{subsystem} in {}", stopped.output);
        }
        assert!(!stopped.output.contains("lvl=error"), "{}", stopped.output);
    }
}

async fn a_pid_file_lives_as_long_as_its_server(home: Home) {
    let path = home.folder().join("run/influxd.pid");
    let flag = format!("--pid-file={}", path.display());
    let server = home.server_with(&[&flag]).await;
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(written, server.pid().to_string());
    server.stop(Signal::TERM);
    assert!(!path.exists());
}
