//! The HTTP transports, blocking and asynchronous, against a server on a loopback address: every case
//! over each.

use ctkip_core::service::ServiceRequest;
use ctkip_core::wire::{Headers, WireRequest, WireResponse, header};
use ctkip_core::{NewToken, Timestamp};
use ctkip_tests::cases::{CODE, Dialect, check_all};
use ctkip_tests::http::{Ca, HttpRequest, HttpServer, octets};
use ctkip_tests::http_clients::{EACH, Http};
use ctkip_transport::{Outcome, RunError, Transport, TransportError, TransportErrorKind as Kind};
use ctkip_transport_async::{Options, Proxy, is_loopback};
use ctkip_transport_loopback::{Loopback, MemoryService};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use getrandom::SysRng;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// A server that hands its requests to the byte-level service.
fn serve(
    service: MemoryService,
    mut change: impl FnMut(usize, WireResponse) -> Vec<u8> + Send + 'static,
) -> HttpServer<(MemoryService, Vec<HttpRequest>)> {
    HttpServer::start((service, Vec::new()), move |(service, seen), request| {
        let response = handle(service, &request);
        seen.push(request);
        change(seen.len() - 1, response)
    })
}

fn handle(service: &MemoryService, request: &HttpRequest) -> WireResponse {
    let HttpRequest { method, target, headers, body } = request;
    let path = target.split('?').next().unwrap_or_default();
    let request = ServiceRequest { method, path, headers, body, source: None };
    service.handle(request, Timestamp(0), &mut SysRng).response
}

fn options() -> Options {
    Options::default().pause(Duration::from_millis(1))
}

fn securid() -> Dialect {
    Dialect::all().swap_remove(0)
}

fn run(http: Http, options: &Options, url: &str) -> Result<NewToken, RunError> {
    let dialect = securid();
    http.run(dialect.run(dialect.config(), CODE), url, options)
}

/// A run that the transport ends: why, and what it leaves behind. No error tells the URL's query, nor
/// the code.
fn failure(http: Http, options: &Options, url: &str) -> (Kind, Outcome, String) {
    match run(http, options, url) {
        Err(RunError::Transport { error, outcome }) => {
            let mut told = format!("{error} {error:?}");
            let mut cause = error.source();
            while let Some(error) = cause {
                told.push_str(&format!(" {error} {error:?}"));
                cause = error.source();
            }
            assert!(!told.contains("query") && !told.contains(CODE), "{told}");
            (error.kind, outcome, error.detail)
        }
        other => panic!("{url}: {other:?}"),
    }
}

fn post(http: Http, options: &Options, url: &str) -> Result<WireResponse, TransportError> {
    let request = WireRequest { headers: Headers::new(), body: b"whatever".to_vec() };
    http.post(&request, url, options)
}

#[test]
fn every_case_ends_as_the_table_says() {
    for http in EACH {
        check_all(|loopback, run| {
            let server =
                HttpServer::start(loopback, |loopback: &mut Loopback<'static>, request| {
                    let HttpRequest { headers, body, .. } = request;
                    let answer = Transport::post(loopback, &WireRequest { headers, body });
                    answer.map(|response| octets(&response)).unwrap_or_default()
                });
            let url = format!("http://{}/", server.host());
            (http.run(run, &url, &options()), server.stop())
        });
    }
}

#[test]
fn headers_are_sent_as_recorded() {
    for http in EACH {
        let server = serve(securid().service(), |_, response| octets(&response));
        let url = format!("http://{}/ctkip/services/CtkipService", server.host());
        run(http, &options(), &url).expect("a token");
        let host = server.host();
        let (_, seen) = server.stop();
        let actions = ["StartService", "ServerFinished"];
        assert_eq!(seen.len(), actions.len());
        for (request, action) in seen.iter().zip(actions) {
            assert_eq!(
                (&*request.method, &*request.target),
                ("POST", "/ctkip/services/CtkipService")
            );
            let length = request.body.len().to_string();
            let expected = [
                ("host", &*host),
                ("user-agent", "HTTPPOST"),
                ("accept", "*/*"),
                ("authorization", CODE),
                ("soapaction", action),
                ("content-type", "application/vnd.otps.ct-kip"),
                ("content-length", &*length),
            ];
            for (name, value) in expected {
                let sent =
                    request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
                let sent: Vec<&[u8]> = sent.map(|(_, value)| value.as_slice()).collect();
                assert_eq!(sent, [value.as_bytes()], "{name}");
            }
            let encodings = header(&request.headers, "accept-encoding").expect("it is sent");
            let encodings = String::from_utf8_lossy(encodings).replace(' ', "");
            assert_eq!(encodings, "gzip,deflate");
        }
    }
}

#[test]
fn a_code_in_latin_1_is_sent_as_its_octets() {
    for http in EACH {
        let server = HttpServer::start(Vec::new(), |seen, request| {
            seen.push(request);
            octets(&WireResponse { status: 200, headers: vec![], body: vec![] })
        });
        let dialect = securid();
        let run = dialect.run(dialect.config(), "caf\u{e9}");
        let url = format!("http://{}/", server.host());
        http.run(run, &url, &options()).expect_err("an empty answer is none");
        let seen = server.stop();
        assert_eq!(header(&seen[0].headers, "authorization"), Some(b"caf\xe9".as_slice()));
    }
}

/// Makes a request one that HTTP refuses.
type Change = fn(&mut HttpRequest);

#[test]
fn refusals_of_http_are_given_back_as_they_are() {
    for http in EACH {
        let changes: [(u16, Change); 6] = [
            (404, |request| request.target = "/nowhere".into()),
            (405, |request| request.method = "PUT".into()),
            (413, |request| request.body.resize(256 * 1024 + 1, b' ')),
            (415, |request| request.headers.retain(|(name, _)| name != "content-type")),
            (500, |request| request.body.truncate(100)),
            (500, |request| request.body.clear()),
        ];
        for (status, change) in changes {
            let server = HttpServer::start(securid().service(), move |service, mut request| {
                change(&mut request);
                octets(&handle(service, &request))
            });
            let error =
                run(http, &options(), &format!("http://{}/", server.host())).expect_err("refused");
            assert_eq!(error.outcome(), Outcome::NothingCommitted);
            let told = format!("the server answered with HTTP status {status}");
            assert_eq!(error.to_string(), told);
            let _ = server.stop();
        }
    }
}

#[test]
fn redirects_are_not_followed() {
    for http in EACH {
        for status in [301, 302, 303, 307, 308] {
            let target = HttpServer::start(0, |requests, _| {
                *requests += 1;
                Vec::new()
            });
            let location = format!("http://{}/", target.host());
            let server = HttpServer::start((), move |(), _| {
                let headers = vec![("Location".into(), location.clone().into_bytes())];
                octets(&WireResponse { status, headers, body: vec![] })
            });
            let error = run(http, &options(), &format!("http://{}/", server.host()))
                .expect_err("no answer");
            assert_eq!(error.to_string(), format!("the server answered with HTTP status {status}"));
            assert_eq!(target.stop(), 0, "{status} was followed");
        }
    }
}

fn encoded(encoding: &str, octets: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(octets).and_then(|()| encoder.finish())
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(octets).and_then(|()| encoder.finish())
        }
        _ => Ok(octets.to_vec()),
    }
    .expect("memory does not fail")
}

fn compressed(encoding: &'static str, mut response: WireResponse) -> WireResponse {
    response.headers.push(("Content-Encoding".into(), encoding.into()));
    response.body = encoded(encoding, &response.body);
    response
}

#[test]
fn compressed_answers_are_read() {
    for http in EACH {
        for encoding in ["identity", "gzip", "deflate"] {
            let server = serve(securid().service(), move |_, response| {
                octets(&compressed(encoding, response))
            });
            run(http, &options(), &format!("http://{}/", server.host())).expect(encoding);
            let (service, _) = server.stop();
            assert_eq!(service.issuer().keys().len(), 1, "{encoding}");
        }
    }
}

#[test]
fn broken_compression_is_told_from_a_broken_connection() {
    for http in EACH {
        for encoding in ["gzip", "deflate"] {
            let whole = encoded(encoding, &[7; 1000]);
            let garbled = [&whole[..12], b"garbage", &whole[12..]].concat();
            for body in [b"no such thing".to_vec(), garbled, whole[..whole.len() - 5].to_vec()] {
                let server = HttpServer::start((), move |(), _| {
                    let headers = vec![("Content-Encoding".into(), encoding.into())];
                    octets(&WireResponse { status: 200, headers, body: body.clone() })
                });
                let url = format!("http://{}/?query", server.host());
                let (kind, outcome, detail) = failure(http, &options(), &url);
                assert_eq!(
                    (kind, outcome),
                    (Kind::Encoding, Outcome::NothingCommitted),
                    "{detail}"
                );
            }
            let server = HttpServer::start((), move |(), _| {
                let headers = vec![("Content-Encoding".into(), encoding.into())];
                let response =
                    WireResponse { status: 200, headers, body: encoded(encoding, &[7; 1000]) };
                let octets = octets(&response);
                octets[..octets.len() - 5].to_vec()
            });
            let (kind, ..) = failure(http, &options(), &format!("http://{}/?query", server.host()));
            assert_eq!(kind, Kind::Interrupted, "{encoding}");
        }
    }
}

#[test]
fn a_cut_answer_is_asked_for_again_in_the_same_octets() {
    for http in EACH {
        let server = serve(securid().service(), |number, response| {
            let mut octets = octets(&response);
            if number == 1 {
                octets.truncate(octets.len() - 100);
            }
            octets
        });
        run(http, &options(), &format!("http://{}/", server.host())).expect("a token");
        let (service, seen) = server.stop();
        assert_eq!(seen.len(), 3);
        assert_eq!((&seen[1].body, &seen[1].headers), (&seen[2].body, &seen[2].headers));
        assert_eq!(service.issuer().keys().len(), 1);
    }
}

#[test]
fn an_answer_that_is_always_cut_leaves_the_outcome_unknown() {
    for http in EACH {
        let server = serve(securid().service(), |number, response| {
            let mut octets = octets(&response);
            if number > 0 {
                octets.truncate(octets.len() - 100);
            }
            octets
        });
        let (kind, outcome, _) = failure(http, &options(), &format!("http://{}/", server.host()));
        assert_eq!((kind, outcome), (Kind::Interrupted, Outcome::Unknown));
        let (service, seen) = server.stop();
        assert_eq!((seen.len(), service.issuer().keys().len()), (4, 1));
    }
}

#[test]
fn a_refused_connection_and_an_unknown_host() {
    for http in EACH {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let (kind, outcome, detail) =
            failure(http, &options(), &format!("http://{address}/?query={CODE}"));
        assert_eq!((kind, outcome), (Kind::Connect, Outcome::NothingCommitted));
        assert!(detail.starts_with(&format!("{address}: ")), "{detail}");

        let options = options().proxy(Proxy::None);
        let (kind, outcome, detail) =
            failure(http, &options, &format!("http://ctkip.invalid/?query={CODE}"));
        assert_eq!((kind, outcome), (Kind::UnknownHost, Outcome::NothingCommitted));
        assert!(detail.starts_with("ctkip.invalid: "), "{detail}");
    }
}

#[test]
fn the_timeout_bounds_the_run() {
    for http in EACH {
        // Repetitions included: the server never answers the second request.
        let service = securid().service();
        let server = serve(service, |number, response| {
            if number > 0 {
                thread::sleep(Duration::from_secs(6));
            }
            octets(&response)
        });
        let options = options().timeout(Duration::from_secs(3));
        let started = Instant::now();
        let (kind, outcome, _) =
            failure(http, &options, &format!("http://{}/?query", server.host()));
        assert_eq!((kind, outcome), (Kind::Timeout, Outcome::Unknown));
        assert!(started.elapsed() < Duration::from_millis(5500), "{:?}", started.elapsed());
    }
}

#[test]
fn the_timeout_bounds_an_answer_that_drips() {
    for http in EACH {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/?query", listener.local_addr().expect("an address"));
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let _ = stream.read(&mut [0; 16 * 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            while stream.write_all(b".").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let started = Instant::now();
        let options = options().timeout(Duration::from_millis(500));
        let error = post(http, &options, &url).expect_err("it takes 20 seconds");
        assert_eq!(error.kind, Kind::Timeout, "{error}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}

#[test]
fn the_limit_counts_octets_after_decompression() {
    for http in EACH {
        for (encoding, length, fits) in [
            ("identity", 256 * 1024, true),
            ("identity", 256 * 1024 + 1, false),
            ("gzip", 256 * 1024, true),
            ("gzip", 64 * 1024 * 1024, false),
            ("deflate", 64 * 1024 * 1024, false),
        ] {
            let response = WireResponse { status: 200, headers: vec![], body: vec![b' '; length] };
            let answer = octets(&compressed(encoding, response));
            let server = HttpServer::start((), move |(), _| answer.clone());
            let result = post(http, &options(), &format!("http://{}/", server.host()));
            match result {
                Ok(response) => {
                    assert!(fits && response.body.len() == length, "{encoding} {length}")
                }
                Err(error) => assert!(!fits && error.kind == Kind::TooLarge, "{encoding}: {error}"),
            }
        }
    }
}

/// A HTTPS server with a certificate of this CA for this name, and its URL.
fn serve_tls(ca: &Ca, name: &str) -> (HttpServer<MemoryService>, String) {
    let config = ca.server(name);
    let server = HttpServer::start_tls(securid().service(), config, |service, request| {
        octets(&handle(service, &request))
    });
    let url = format!("https://{}/?query={CODE}", server.host());
    (server, url)
}

#[test]
fn https_with_a_ca_of_ones_own() {
    for http in EACH {
        let ca = Ca::new();
        let (server, url) = serve_tls(&ca, "127.0.0.1");
        let with_ca = |ca: &Ca| options().ca_pem(ca.pem().as_bytes()).expect("a certificate");
        run(http, &with_ca(&ca), &url).expect("a token");
        assert_eq!(server.stop().issuer().keys().len(), 1);

        for (name, options, reason) in [
            ("127.0.0.1", options(), "UnknownIssuer"),
            ("127.0.0.1", with_ca(&Ca::new()), "invalid peer certificate"),
            ("other.example", with_ca(&ca), "not valid for name"),
        ] {
            let (server, url) = serve_tls(&ca, name);
            let (kind, outcome, detail) = failure(http, &options, &url);
            assert_eq!((kind, outcome), (Kind::Tls, Outcome::NothingCommitted), "{detail}");
            assert!(detail.contains(reason), "{detail}");
            let anything = options.dangerous_accept_any_certificate();
            run(http, &anything, &url).expect("any certificate will do");
            assert_eq!(server.stop().issuer().keys().len(), 1);
        }
    }
}

#[test]
fn tls_and_no_tls_do_not_meet() {
    for http in EACH {
        let plain = serve(securid().service(), |_, response| octets(&response));
        let (kind, ..) = failure(http, &options(), &format!("https://{}/?query", plain.host()));
        assert!(matches!(kind, Kind::Tls | Kind::Connect), "{kind:?}");

        let (tls, url) = serve_tls(&Ca::new(), "127.0.0.1");
        let (kind, ..) = failure(http, &options(), &url.replace("https:", "http:"));
        assert!(matches!(kind, Kind::Interrupted | Kind::Other), "{kind:?}");
        assert!(tls.stop().issuer().keys().is_empty());
    }
}

#[test]
fn a_proxy_is_used_when_it_is_named() {
    for http in EACH {
        let service = securid().service();
        let proxy = serve(service, |_, response| octets(&response));
        let through = options().proxy(Proxy::Url(format!("http://{}", proxy.host())));
        let error =
            run(http, &through, "http://ctkip.invalid/path").expect_err("the path is a URL here");
        assert_eq!(error.to_string(), "the server answered with HTTP status 404");
        let (_, seen) = proxy.stop();
        assert_eq!(seen[0].target, "http://ctkip.invalid/path");

        let no_url = options().proxy(Proxy::Url("::".into()));
        let error = post(http, &no_url, "http://a/").expect_err("no URL");
        assert_eq!(error.kind, Kind::Url);
    }
}

#[test]
fn urls_that_cannot_be_posted_to_are_refused_at_once() {
    for http in EACH {
        for url in
            ["", "am.example.com", "ftp://a/", "http://", "http://user@a/", "http://:secret@a/"]
        {
            let error = post(http, &options(), url).expect_err(url);
            assert_eq!(error.kind, Kind::Url, "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        for pem in ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
        {
            let result = Options::default().ca_pem(pem.as_bytes());
            let result = result.and_then(|options| post(http, &options, "https://a/"));
            assert_eq!(result.expect_err(pem).kind, Kind::Tls, "{pem}");
        }
    }
}

#[test]
fn loopback_addresses_are_known() {
    for (url, is) in [
        ("http://localhost/", true),
        ("http://LOCALHOST:8080/a?b", true),
        ("http://127.0.0.1/", true),
        ("http://127.255.0.9:1/", true),
        ("http://127.1/", true),
        ("http://[::1]:80/", true),
        ("http://[::ffff:127.0.0.1]/", true),
        ("http://localhost.example/", false),
        ("http://127.0.0.1.example/", false),
        ("http://10.0.0.1/", false),
        ("http://[::2]/", false),
        ("http://0.0.0.0/", false),
        ("http://localhost@example.com/", false),
        ("nonsense", false),
    ] {
        assert_eq!(is_loopback(url), is, "{url}");
    }
}

#[test]
fn a_service_may_be_shared() {
    for http in EACH {
        // One server, two clients at once, each with a transport of its own.
        let service = Arc::new(securid().service());
        let shared = Arc::clone(&service);
        let server =
            HttpServer::start(shared, |service, request| octets(&handle(service, &request)));
        let url = format!("http://{}/", server.host());
        let results = thread::scope(|scope| {
            let threads = [0, 1].map(|_| scope.spawn(|| run(http, &options(), &url)));
            threads.map(|thread| thread.join().expect("no panic"))
        });
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        assert_eq!(service.issuer().keys().len(), 1);
    }
}
