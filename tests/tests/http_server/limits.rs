//! What a server does when there is too much, or too slow.

use ctkip_core::service::{Event, Handled, ServiceRequest};
use ctkip_core::wire::{WireResponse, header};
use ctkip_tests::serving::{Serving, post};
use ctkip_tests::sites::{DIALECTS, PLAIN, answers, plenty, provision};
use ctkip_transport_axum::{Limits, router};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const REQUEST: &[u8] = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n";

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

fn handled(status: u16, event: Event) -> Handled {
    Handled { response: WireResponse { status, headers: vec![], body: b"x".to_vec() }, event }
}

/// A server whose answers wait for a word from the test, after they have told that they began.
fn waiting(limits: Limits) -> (Serving, Receiver<()>, Sender<()>) {
    let (tell, began) = channel();
    let (go, gone) = channel();
    let (tell, gone) = (Mutex::new(tell), Mutex::new(gone));
    let answer = move |_: ServiceRequest<'_>| {
        tell.lock().unwrap().send(()).unwrap();
        gone.lock().unwrap().recv().unwrap();
        handled(200, Event::Http(200))
    };
    (Serving::start(router(&limits, answer), limits), began, go)
}

/// Connections that send their head an octet at a time are closed, however many there are, and
/// whoever waits behind them is served.
#[test]
fn slow_heads_end() {
    let limits = limits(|limits| {
        limits.connections = 16;
        limits.head_time = Duration::from_millis(500);
    });
    let service = plenty(&DIALECTS[0]);
    let server = Serving::start(router(&limits, answers(&service)), limits);
    let mut slow: Vec<_> = (0..16).map(|_| server.connect()).collect();
    let (mut silent, mut idle) = (server.connect(), server.connect());
    idle.send(REQUEST);
    let start = Instant::now();
    for octet in &REQUEST[..REQUEST.len() - 4] {
        for connection in &mut slow {
            connection.send(&[*octet]);
        }
        thread::sleep(Duration::from_millis(20));
    }
    for connection in &mut slow {
        assert!(connection.is_closed());
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let _ = provision(&DIALECTS[0], &server, "/");
    assert!(silent.is_closed(), "whoever says nothing");
    assert_eq!(idle.answer().unwrap().status, 415);
    assert!(idle.is_closed(), "whoever has nothing more to say");
}

#[test]
fn slow_bodies_are_408() {
    let limits = limits(|limits| limits.body_time = Duration::from_millis(300));
    let service = plenty(&DIALECTS[0]);
    let server = Serving::start(router(&limits, answers(&service)), limits);
    let mut connection = server.connect();
    connection.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n");
    for _ in 0..20 {
        connection.send(b"x");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(connection.answer().unwrap().status, 408);
    let _ = provision(&DIALECTS[0], &server, "/");
}

/// A connection does not last for ever, however diligent.
#[test]
fn connections_end() {
    let limits = limits(|limits| limits.connection_time = Duration::from_millis(300));
    let service = plenty(&DIALECTS[0]);
    let server = Serving::start(router(&limits, answers(&service)), limits);
    let mut connection = server.connect();
    let start = Instant::now();
    while connection.send(REQUEST) && connection.answer().is_ok() {
        assert!(start.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(20));
    }
    assert!(start.elapsed() >= Duration::from_millis(250), "{:?}", start.elapsed());
}

#[test]
fn no_more_connections_than_allowed_are_open() {
    let limits = limits(|limits| limits.connections = 2);
    let service = plenty(&DIALECTS[0]);
    let server = Serving::start(router(&limits, answers(&service)), limits);
    let mut two = [server.connect(), server.connect()];
    for connection in &mut two {
        connection.send(REQUEST);
        assert_eq!(connection.answer().unwrap().status, 415);
    }
    let mut third = server.connect();
    third.send(REQUEST);
    let address = server.host();
    let waiter =
        thread::spawn(move || third.answer().map(|answer| (answer.status, Instant::now())));
    thread::sleep(Duration::from_millis(300));
    let closed = Instant::now();
    drop(two);
    let (status, answered) = waiter.join().unwrap().unwrap_or_else(|e| panic!("{address}: {e}"));
    assert_eq!(status, 415);
    assert!(answered > closed, "a third connection was served beside the two");
}

/// With the worker busy and the queue full, the next one is told at once when to come again.
#[test]
fn a_full_queue_is_503_at_once() {
    let (server, began, go) = waiting(limits(|limits| {
        limits.workers = 1;
        limits.queue = 2;
    }));
    let mut three: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for connection in &mut three {
        connection.send(REQUEST);
    }
    began.recv().unwrap();
    // The others may be on their way still: whoever comes is refused once they are there.
    let start = Instant::now();
    let refused = loop {
        let mut connection = server.connect();
        connection.send(REQUEST);
        let (asked, mut late) = (Instant::now(), connection);
        if let Ok(answer) = late.answer()
            && answer.status == 503
        {
            assert!(asked.elapsed() < Duration::from_secs(5));
            break answer;
        }
        assert!(start.elapsed() < Duration::from_secs(20));
    };
    assert_eq!(header(&refused.headers, "retry-after"), Some(b"1".as_slice()));
    for _ in 0..3 {
        go.send(()).unwrap();
    }
    for connection in &mut three {
        assert_eq!(connection.answer().unwrap().status, 200);
    }
}

/// A repetition of a request that is being answered waits for the answer, for a while.
#[test]
fn repetitions_wait_for_the_answer() {
    let asked = Arc::new(AtomicUsize::new(0));
    let limits = limits(|limits| limits.busy_time = Duration::from_millis(400));
    let count = Arc::clone(&asked);
    let third_time = move |_: ServiceRequest<'_>| match count.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => handled(503, Event::Busy),
        _ => handled(200, Event::Http(200)),
    };
    let server = Serving::start(router(&limits, third_time), limits);
    assert_eq!(server.ask(REQUEST).status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 3);

    let server = Serving::start(router(&limits, |_| handled(503, Event::Busy)), limits);
    let start = Instant::now();
    assert_eq!(server.ask(REQUEST).status, 503);
    assert!(start.elapsed() >= Duration::from_millis(350), "{:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn a_panic_is_500_and_nobody_elses_affair() {
    let count = AtomicUsize::new(0);
    let answer = move |_: ServiceRequest<'_>| match count.fetch_add(1, Ordering::SeqCst) {
        0 => panic!("on purpose"),
        _ => handled(200, Event::Http(200)),
    };
    let server = Serving::start(router(&Limits::default(), answer), Limits::default());
    assert_eq!(server.ask(REQUEST).status, 500);
    assert_eq!(server.ask(REQUEST).status, 200);
}

/// Told to end, a server answers what it was asked, closes what is idle, and takes nothing more.
#[test]
fn shutting_down_is_graceful() {
    let (mut server, began, go) = waiting(Limits::default());
    let mut idle = server.connect();
    idle.send(REQUEST);
    began.recv().unwrap();
    go.send(()).unwrap();
    assert_eq!(idle.answer().unwrap().status, 200);
    let mut asking = server.connect();
    asking.send(REQUEST);
    began.recv().unwrap();

    let address = server.host();
    let stopping = thread::spawn(move || server.stop());
    assert!(idle.is_closed());
    go.send(()).unwrap();
    assert_eq!(asking.answer().unwrap().status, 200);
    stopping.join().unwrap();
    assert!(std::net::TcpStream::connect(address).is_err());
}

/// Whoever hangs does not keep a server from ending.
#[test]
fn shutting_down_does_not_wait_for_ever() {
    let limits = limits(|limits| limits.closing_time = Duration::from_millis(200));
    let service = plenty(&DIALECTS[0]);
    let mut server = Serving::start(router(&limits, answers(&service)), limits);
    let mut connection = server.connect();
    connection.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\nx");
    let mut other = server.connect();
    other.send(&post("/", &[("Content-Type", PLAIN)], b"<a/>"));
    other.answer().unwrap();
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
