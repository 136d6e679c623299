//! Where a request came from, when a proxy stands before the server.

use super::node::{Node, exchange};
use crate::program::{Place, Ran};
use crate::server::{Answer, Listening};

/// A proxy that says that whatever comes is from here.
fn proxy(server: &Node, source: &'static str) -> Listening {
    let address = server.url.split('/').nth(2).unwrap().to_owned();
    Listening::new(move |_, request| {
        let mut head = format!("POST {} HTTP/1.1\r\nForwarded: for={source}\r\n", request.path);
        head.push_str("Connection: close\r\n");
        for (name, value) in &request.headers {
            if !name.eq_ignore_ascii_case("connection") {
                head.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value)));
            }
        }
        head.push_str("\r\n");
        Answer::Raw(exchange(&address, &[head.as_bytes(), &request.body].concat()))
    })
}

struct Tried {
    place: Place,
    server: Node,
}

impl Tried {
    fn new(args: &[&str]) -> Self {
        let place = Place::new();
        let args = [&["--user", "a", "--guesses-per-source", "1"], args].concat();
        let server = Node::in_memory(&place, &args);
        Self { place, server }
    }

    fn provision(&self, through: &Listening, code: &str) -> Ran {
        let url = format!("{}ctkip/services/CtkipService", through.url);
        self.place.run(&["provision", &url, code, "-o", "a.sdtid"])
    }
}

#[test]
fn a_trusted_proxy_tells_who_guesses() {
    for trusted in ["127.0.0.1", "127.0.0.0/8"] {
        let tried = Tried::new(&["--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", trusted]);
        let (bad, good) = (proxy(&tried.server, "192.0.2.1"), proxy(&tried.server, "192.0.2.2"));
        tried.provision(&bad, "000000000000").ended(1);
        tried.server.tells("source=192.0.2.1");
        // His guesses are used up, and nobody else's.
        tried.provision(&bad, &tried.server.code(0)).ended(1);
        tried.server.tells("cause=\"throttled\"");
        tried.provision(&good, &tried.server.code(0)).ended(0);
    }
}

#[test]
fn other_proxies_are_not_believed() {
    for args in [&[][..], &["--trusted-proxy", "10.0.0.0/8"]] {
        let tried = Tried::new(args);
        let (bad, good) = (proxy(&tried.server, "192.0.2.1"), proxy(&tried.server, "192.0.2.2"));
        tried.provision(&bad, "000000000000").ended(1);
        tried.provision(&good, &tried.server.code(0)).ended(1);
        tried.server.tells("cause=\"throttled\"");
        assert!(!tried.server.stderr().contains("192.0.2."), "{}", tried.server.stderr());
    }
}

#[test]
fn a_network_is_wanted() {
    super::refused(&["--store", "memory", "--trusted-proxy", "proxy"], "10.0.0.0/8");
}
