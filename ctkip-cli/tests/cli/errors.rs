//! Every class of error: its exit status, what is said, and nothing left behind.

use std::net::TcpListener;
use std::sync::Arc;

use ctkip_core::wire::WireResponse;
use ctkip_transport_loopback::Enrolment;

use crate::program::{Place, Ran};
use crate::server::{Answer, CODE, Listening, SERIAL, Server};

/// Runs `provision` against a URL and sees that nothing is left behind.
#[track_caller]
fn fails(url: &str, args: &[&str], status: i32) -> Ran {
    let place = Place::new();
    let mut line = vec!["provision", url, CODE, "-o", "t"];
    line.extend(args);
    let ran = place.run(&line).ended(status);
    assert_eq!(place.names(), [""; 0], "left behind");
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.lines().count() >= 2, "what happened and what to do: {}", ran.stderr);
    ran
}

/// A server whose answer to this request is made another one.
fn changed(
    number: usize,
    mut change: impl FnMut(WireResponse) -> Answer + Send + 'static,
) -> (Arc<Server>, Listening) {
    let server = Arc::new(Server::new());
    let listening = server.listen(move |n, request, answer| {
        let Answer::Response(response) = answer(request) else { return None };
        (n == number).then(|| change(response))
    });
    (server, listening)
}

fn replaced(response: &WireResponse, from: &str, to: &str) -> Answer {
    let body = String::from_utf8(response.body.clone()).unwrap();
    assert!(body.contains(from), "{body}");
    Answer::text(200, &body.replace(from, to))
}

#[test]
fn unknown_host() {
    fails("https://no-such-host.invalid/", &[], 3).told("the host is unknown").told("--proxy");
}

#[test]
fn refused_connection() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    fails(&format!("http://127.0.0.1:{port}/"), &[], 3).told("no connection");
}

#[test]
fn no_tls_there() {
    let listening = Listening::new(|_, _| Answer::text(200, "hello"));
    let url = listening.url.replace("http:", "https:");
    fails(&url, &["--timeout", "5"], 3);
}

#[test]
fn a_server_that_says_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    fails(&url, &["--timeout", "1"], 3).told("no answer in time").told("--timeout");
}

#[test]
fn http_statuses() {
    for (status, advice) in [(404, "CtkipService"), (302, "not followed"), (500, "later")] {
        let listening = Listening::new(move |_, _| Answer::text(status, "<html>no</html>"));
        fails(&listening.url, &[], 3).told(&status.to_string()).told(advice);
    }
}

#[test]
fn not_soap() {
    for body in ["<html><body>Welcome</body></html>", "{}", ""] {
        let listening = Listening::new(move |_, _| Answer::text(200, body));
        fails(&listening.url, &[], 4).told("Check the URL");
    }
}

#[test]
fn a_fault_is_boiled_down() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|_, _, _| None);
    let args = ["provision", &listening.url, "000000000000"];
    let place = Place::new();
    let ran = place.run(&args).ended(1).told("the server refused: Invalid authorization code.");
    assert!(!ran.stderr.contains("java.rmi"), "{}", ran.stderr);
    place.run(&[&args[..], &["-v"]].concat()).ended(1).told("java.rmi.RemoteException");
    let json = place.run(&[&args[..], &["--json"]].concat()).ended(1);
    let told: serde_json::Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!(told["error"]["kind"], "fault");
    assert_eq!(told["error"]["status"], 1);
}

#[test]
fn truncated_xml() {
    let (_, listening) = changed(0, |response| {
        let half = response.body.len() / 2;
        Answer::text(200, std::str::from_utf8(&response.body[..half]).unwrap())
    });
    fails(&listening.url, &[], 4).told("cannot be used");
}

#[test]
fn hostile_xml() {
    for body in [
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>".to_owned(),
        "<a>".repeat(60_000),
        "<a b='".to_owned() + &"c".repeat(200_000) + "'/>",
    ] {
        let listening = Listening::new(move |_, _| Answer::text(200, &body));
        fails(&listening.url, &[], 4);
    }
}

#[test]
fn an_answer_without_end() {
    let listening = Listening::new(|_, _| Answer::text(200, &" ".repeat(300 << 10)));
    fails(&listening.url, &[], 3).told("too large");
}

#[test]
fn another_code_repeated() {
    let (_, listening) = changed(0, |response| replaced(&response, CODE, "999999999999"));
    fails(&listening.url, &[], 4).told("another activation code");
}

#[test]
fn a_key_too_small() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|_, _, _| None);
    fails(&listening.url, &["--min-key-bits", "2048"], 4).told("1024 bits").told("--min-key-bits");
    assert!(server.seeds().is_empty());
}

#[test]
fn a_key_that_is_not_pinned_and_one_that_is() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|_, _, _| None);
    let ran = fails(&listening.url, &["--pin-key", &format!("sha256:{}", "00".repeat(32))], 4);
    let (_, seen) = ran.stderr.split_once("sha256:").unwrap();
    let pin = format!("sha256:{}", &seen[..64]);
    assert!(server.seeds().is_empty());
    let wrong = format!("SHA256:{}", "ff:".repeat(31) + "ff");
    let line = ["provision", &listening.url, CODE, "--pin-key", &wrong, "--pin-key", &pin];
    Place::new().run(&line).ended(0);
}

#[test]
fn a_wrong_mac() {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let (server, listening) = changed(1, |response| {
        let body = String::from_utf8(response.body.clone()).unwrap();
        let (head, rest) = body.split_once("<Response>").unwrap();
        let (response, tail) = rest.split_once("</Response>").unwrap();
        let pdu = String::from_utf8(BASE64_STANDARD.decode(response.trim()).unwrap()).unwrap();
        let (before, mac) = pdu.split_once("<Mac").unwrap();
        let (open, mac) = mac.split_once('>').unwrap();
        let first = if mac.starts_with('A') { 'B' } else { 'A' };
        let pdu = format!("{before}<Mac{open}>{first}{}", &mac[1..]);
        let response = BASE64_STANDARD.encode(pdu);
        Answer::text(200, &format!("{head}<Response>{response}</Response>{tail}"))
    });
    fails(&listening.url, &[], 4)
        .told("someone changed the exchange, or the server speaks another profile")
        .told(
            "Nothing was saved. The server may hold a token for this code, so ask for a new one.",
        );
    assert_eq!(server.seeds().len(), 1);
}

#[test]
fn an_unreadable_last_answer() {
    let (server, listening) = changed(1, |_| Answer::text(200, "<html/>"));
    fails(&listening.url, &[], 4).told("may hold a token");
    assert_eq!(server.seeds().len(), 1);
}

#[test]
fn a_last_answer_that_is_lost_is_had_by_asking_again() {
    for lost in [1, 2] {
        let server = Arc::new(Server::new());
        let listening = server.listen(move |number, request, answer| {
            (1..=lost).contains(&number).then(|| {
                answer(request);
                Answer::Hangup
            })
        });
        let place = Place::new();
        place.run(&["provision", &listening.url, CODE, "-o", "t"]).ended(0).told("again");
        let requests = listening.requests();
        assert_eq!(requests.len(), 2 + lost);
        assert!(requests[1..].iter().all(|request| *request == requests[1]), "octet for octet");
        let shown = place.run(&["show", "t", "--seed"]).ended(0);
        assert!(shown.stdout.contains(&server.seeds()[0]));
    }
}

#[test]
fn a_last_answer_that_is_lost_for_good_is_unknown() {
    let server = Arc::new(Server::new());
    let listening = server.listen(|number, request, answer| {
        (number > 0).then(|| {
            answer(request);
            Answer::Hangup
        })
    });
    fails(&listening.url, &[], 6).told("not known").told("Ask the administrator");
    assert_eq!(listening.requests().len(), 4);
}

#[test]
fn a_last_answer_cut_short_is_unknown() {
    let short = |response: WireResponse| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", response.body.len());
        Answer::Raw([head.as_bytes(), &response.body[..100]].concat())
    };
    let server = Arc::new(Server::new());
    let listening = server.listen(move |number, request, answer| match answer(request) {
        Answer::Response(response) if number > 0 => Some(short(response)),
        _ => None,
    });
    fails(&listening.url, &[], 6);
}

#[test]
fn a_server_error_after_the_last_request_is_unknown() {
    let (_, listening) = changed(1, |_| Answer::text(500, "no"));
    fails(&listening.url, &[], 6);
}

#[test]
fn faults_may_repeat_the_code() {
    let fault = format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
         <soapenv:Fault><faultcode>x</faultcode><faultstring>no {CODE}</faultstring></soapenv:Fault>\
         </soapenv:Body></soapenv:Envelope>"
    );
    let listening = Listening::new(move |_, _| Answer::text(200, &fault));
    let ran = fails(&listening.url, &["-v"], 1).told("no (code)");
    assert!(!ran.stderr.contains(CODE), "{}", ran.stderr);
}

#[test]
fn a_refusal_at_the_last_request() {
    // Its code is spent by the time of the second run.
    let server = Arc::new(Server::with(Enrolment::new(SERIAL), 1024));
    let listening = server.listen(|_, _, _| None);
    Place::new().run(&["provision", &listening.url, CODE]).ended(0);
    fails(&listening.url, &[], 1).told("Invalid authorization code.");
}
