//! Requests that were tampered with. A program of its own, since it looks at the memory in use.

use ctkip_core::service::{ServerBinding, ServiceRequest};
use ctkip_core::{Client, Exchange, Progress, Timestamp};
use ctkip_tests::cases::{CODE, Dialect};
use ctkip_tests::serving::{Serving, post};
use ctkip_tests::sites::{DIALECTS, PLAIN, SOAP, answers, plenty, provision};
use ctkip_transport_axum::{Limits, router};
use ctkip_transport_loopback::MemoryService;
use getrandom::SysRng;
use std::collections::BTreeMap;

/// Steps of SplitMix64, the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit.max(1) as u64).unwrap_or_default()
    }

    /// Octets with a few changes: bits flipped, pieces taken out, doubled, or swapped for others.
    fn mutated(&mut self, octets: &[u8]) -> Vec<u8> {
        let mut octets = octets.to_vec();
        for _ in 0..=self.below(4) {
            let start = self.below(octets.len());
            let end = (start + self.below(40)).min(octets.len());
            match self.below(5) {
                0 if !octets.is_empty() => octets[start] ^= 1 << self.below(8),
                1 => drop(octets.drain(start..end)),
                2 => {
                    let piece = octets[start..end].to_vec();
                    octets.splice(start..start, piece);
                }
                3 => {
                    let known: [&[u8]; 6] =
                        [b"<!DOCTYPE a>", b"&#0;", b"]]>", b"<", b"\xFF\xFE", b"=="];
                    octets.splice(start..end, known[self.below(6)].iter().copied());
                }
                _ => octets.truncate(start),
            }
        }
        octets
    }
}

/// The two requests of a run.
fn requests(dialect: &Dialect, service: &MemoryService) -> [Vec<u8>; 2] {
    let client = Client::new(dialect.config());
    let begun = Exchange::begin(client, dialect.client_binding(CODE), &mut SysRng);
    let (exchange, hello) = begun.expect("a request");
    let request = ServiceRequest {
        method: "POST",
        path: "/",
        headers: &hello.headers,
        body: &hello.body,
        source: None,
    };
    let handled = service.handle(request, Timestamp(0), &mut SysRng);
    match exchange.receive(&handled.response, &mut SysRng) {
        Ok(Progress::Send(_, nonce)) => [hello.body.clone(), nonce.body.clone()],
        other => panic!("{other:?}"),
    }
}

/// Resident memory of this process, in KiB.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// An answer to each of 10,000 requests that were tampered with, memory that does not grow, and the
/// next good client is served.
#[test]
fn ten_thousand_mutated_requests_are_answered() {
    for dialect in DIALECTS.iter() {
        let service = plenty(dialect);
        let server =
            Serving::start(router(&Limits::default(), answers(&service)), Limits::default());
        let soap = dialect.binding == ServerBinding::Soap;
        let headers = match soap {
            true => vec![("Content-Type", SOAP), ("Authorization", CODE)],
            false => vec![("Content-Type", PLAIN)],
        };
        let mut chance = Chance(1);
        let mut statuses = BTreeMap::new();
        let mut connection = server.connect();
        let before = resident();
        for _ in 0..10 {
            // Sessions anew now and then, since failures end them.
            let [hello, nonce] = requests(dialect, &service);
            for _ in 0..250 {
                for body in [&hello, &nonce] {
                    connection.send(&post("/", &headers, &chance.mutated(body)));
                    let status = connection.answer().expect("an answer").status;
                    *statuses.entry(status).or_insert(0) += 1;
                }
            }
        }
        println!("{:?}: {statuses:?}", dialect.binding);
        assert_eq!(statuses.values().sum::<usize>(), 5_000);
        assert!(statuses.keys().all(|status| [200, 400, 500].contains(status)), "{statuses:?}");
        assert!(statuses.len() > 1, "mutations that change nothing: {statuses:?}");
        if let (Some(before), Some(after)) = (before, resident()) {
            assert!(after < before + (64 << 10), "from {before} to {after} KiB");
        }
        let _ = provision(dialect, &server, "/");
    }
}
