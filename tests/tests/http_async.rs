//! What only the asynchronous transport has to do: to be cancelled, and to share a thread.

use ctkip_core::wire::{Headers, WireRequest};
use ctkip_tests::cases::{CODE, Dialect};
use ctkip_tests::http_clients::runtime;
use ctkip_transport::{AsyncTransport, TransportErrorKind};
use ctkip_transport_async::{HttpTransport, Options};
use getrandom::SysRng;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};
use tokio::time::timeout;

fn request() -> WireRequest {
    WireRequest { headers: Headers::new(), body: b"whatever".to_vec() }
}

/// Wherever a request is when its future is dropped: its connection is closed, and the transport
/// posts the next one.
#[test]
fn a_dropped_request_leaves_nothing_behind() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone";
    for part in [0, 10, answer.find("\r\n\r\n").expect("a head") + 4, answer.len() - 1] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let (closed, is_closed) = channel();
        let server = thread::spawn(move || {
            for whole in [false, true] {
                let (mut stream, _) = listener.accept().expect("a client");
                let mut request = Vec::new();
                while !request.ends_with(b"whatever") {
                    let mut octets = [0; 1024];
                    let length = stream.read(&mut octets).expect("a request");
                    request.extend(&octets[..length]);
                }
                let length = if whole { answer.len() } else { part };
                stream.write_all(&answer.as_bytes()[..length]).expect("the client listens");
                if !whole {
                    // It ends when the client closes, and not before.
                    let left = stream.read(&mut [0]);
                    closed.send(matches!(left, Ok(0) | Err(_))).expect("somebody listens");
                }
            }
        });
        runtime().block_on(async {
            let mut transport: Box<dyn AsyncTransport> =
                Box::new(HttpTransport::new(&url).expect("a URL"));
            let dropped = timeout(Duration::from_millis(200), transport.post(&request())).await;
            assert!(dropped.is_err(), "it has {part} octets of an answer");
            let response = transport.post(&request()).await.expect("the transport is as it was");
            assert_eq!((response.status, &response.body[..]), (200, &b"done"[..]));
        });
        assert_eq!(is_closed.recv_timeout(Duration::from_secs(5)), Ok(true), "{part}");
        server.join().expect("no panic");
    }
}

/// The clock of a run is not put back by what is dropped.
#[test]
fn the_timeout_counts_from_the_first_request_though_it_be_dropped() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    runtime().block_on(async {
        let options = Options::default().timeout(Duration::from_millis(600));
        let mut transport = HttpTransport::with(&url, &options).expect("a URL");
        let started = Instant::now();
        let dropped = timeout(Duration::from_millis(300), transport.post(&request())).await;
        assert!(dropped.is_err());
        let error = transport.post(&request()).await.expect_err("nobody answers");
        assert_eq!(error.kind, TransportErrorKind::Timeout);
        assert!(started.elapsed() < Duration::from_millis(850), "{:?}", started.elapsed());
        let error = transport.post(&request()).await.expect_err("the time is over");
        assert_eq!(error.kind, TransportErrorKind::Timeout);
    });
}

/// No answer comes before all requests are there, and yet one thread sends them all.
#[test]
fn many_requests_share_a_thread() {
    const MANY: usize = 8;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let server = thread::spawn(move || {
        let mut streams: Vec<_> = (0..MANY)
            .map(|_| {
                let (mut stream, _) = listener.accept().expect("a client");
                stream.read_exact(&mut [0; 4]).expect("the beginning of a request");
                stream
            })
            .collect();
        for stream in &mut streams {
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").expect("the client listens");
        }
        // The rest of the requests is read, so that closing does not reset.
        for mut stream in streams {
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    let statuses = runtime().block_on(async {
        let posts: Vec<_> = (0..MANY)
            .map(|_| {
                let url = url.clone();
                tokio::spawn(async move {
                    let mut transport = HttpTransport::new(&url).expect("a URL");
                    transport.post(&request()).await.expect("an answer").status
                })
            })
            .collect();
        let mut statuses = Vec::new();
        for post in posts {
            statuses.push(post.await.expect("no panic"));
        }
        statuses
    });
    assert_eq!(statuses, [204; MANY]);
    server.join().expect("no panic");
}

/// A run may be handed to a runtime of many threads.
#[test]
fn a_run_can_be_sent_to_another_thread() {
    fn sent<T: Send>(future: T) -> T {
        future
    }
    let dialect = Dialect::all().swap_remove(0);
    let run = dialect.run(dialect.config(), CODE);
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let url = format!("http://{}/", listener.expect("a free port"));
    let mut transport = HttpTransport::new(&url).expect("a URL");
    let mut rng = SysRng;
    let future = sent(run.over_async(&mut transport, &mut rng));
    let error = runtime().block_on(future).expect_err("nobody listens");
    assert_eq!(error.outcome(), ctkip_transport::Outcome::NothingCommitted);
}
