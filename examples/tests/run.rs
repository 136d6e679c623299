//! Every example runs, and says what its documentation promises.

use ctkip_core::Timestamp;
use ctkip_core::service::ServiceRequest;
use ctkip_tests::cases::{CODE, Dialect, SERIAL};
use ctkip_tests::http::{HttpRequest, HttpServer, octets};
use getrandom::SysRng;
use std::process::{Command, Output};

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].concat().into_iter().map(char::from).collect()
}

fn run(program: &str) -> String {
    let output = Command::new(program).output().expect("it starts");
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

#[test]
fn in_memory() {
    assert!(run(env!("CARGO_BIN_EXE_in_memory")).contains("the same key of 16 octets"));
}

#[test]
fn loopback() {
    let said = run(env!("CARGO_BIN_EXE_loopback"));
    let endings: Vec<&str> = said.lines().filter(|line| line.starts_with("  the ")).collect();
    let [honest, mac, taken_in, his, pin] = endings[..] else { panic!("{said}") };
    assert_eq!(honest, "  the client has a token; the server has its key");
    assert_eq!(mac, "  the client has no token: the server's MAC is missing or wrong");
    assert_eq!(taken_in, "  the client has a token; the server does not have its key");
    assert_eq!(his, "  the man in the middle has its key");
    assert!(pin.contains("no token: the server's key is none of the pinned ones"), "{pin}");
}

#[test]
fn blocking_client() {
    let program = env!("CARGO_BIN_EXE_blocking_client");
    let dialect = Dialect::all().swap_remove(0);
    let server = HttpServer::start(dialect.service(), |service, request: HttpRequest| {
        let HttpRequest { method, target, headers, body } = &request;
        let request = ServiceRequest { method, path: target, headers, body, source: None };
        octets(&service.handle(request, Timestamp(0), &mut SysRng).response)
    });
    let url = format!("http://{}/ctkip/services/CtkipService", server.host());
    let run = |code| Command::new(program).arg(&url).env("CTKIP_CODE", code).output();

    let refused = run("271828182845").expect("it starts");
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let output = run(CODE).expect("it starts");
    assert!(output.status.success() && said(&output).contains(SERIAL), "{}", said(&output));
    assert_eq!(server.stop().issuer().keys().len(), 1);

    let usage = Command::new(program).output().expect("it starts");
    assert_eq!(usage.status.code(), Some(2), "{}", said(&usage));
}

#[test]
fn async_client() {
    let program = env!("CARGO_BIN_EXE_async_client");
    let dialect = Dialect::all().swap_remove(0);
    let server = HttpServer::start(dialect.service(), |service, request: HttpRequest| {
        let HttpRequest { method, target, headers, body } = &request;
        let request = ServiceRequest { method, path: target, headers, body, source: None };
        octets(&service.handle(request, Timestamp(0), &mut SysRng).response)
    });
    let url = format!("http://{}/ctkip/services/CtkipService", server.host());
    let run = |codes| Command::new(program).arg(&url).env("CTKIP_CODES", codes).output();

    // One of the two is wrong.
    let output = run(format!("{CODE},271828182845")).expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let said_so = said(&output);
    assert!(said_so.contains(&format!("token {SERIAL}")), "{said_so}");
    assert!(said_so.contains("no token: "), "{said_so}");
    assert_eq!(server.stop().issuer().keys().len(), 1);

    let usage = Command::new(program).output().expect("it starts");
    assert_eq!(usage.status.code(), Some(2), "{}", said(&usage));
}

#[test]
fn remote_key_server() {
    let said = run(env!("CARGO_BIN_EXE_remote_key_server"));
    assert_eq!(said, "token 0001 is confirmed\ntoken 0002 is confirmed\n");
}
