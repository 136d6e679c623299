//! Loads a server with handshakes of the deployed dialect, and tells what they cost.
//!
//! ```text
//! load URL CODE|@FILE [--seconds S | --handshakes N] [--connections C] [--pid PID]…
//! load bare BITS        the private operation alone, RustCrypto, in CPU time
//! ```
//!
//! With a file of codes, a line each, all of the same length, every handshake takes the next of them.
//!
//! What a client computes is done once: R_C is the same in every handshake, and so is what it
//! encrypts to, so that client and server do not compete for the cores. Sessions are new each time,
//! every answer has to be a success, and one MAC in 64 is checked. Connections are kept as long as the
//! server keeps them. CPU time and memory of the processes named come from `/proc`. Prints one line of
//! words and numbers: see [`report`].

use base64::prelude::{BASE64_STANDARD, Engine};
use ctkip_core::crypto::{NonceKey, Padding, RsaPrivateKey, RsaPublicKey, Scheme};
use ctkip_core::message::{EncryptionKey, Message, ServerFinished, ServerHello};
use ctkip_core::wire::{Binding, soap, soap::Soap};
use ctkip_core::{
    ActivationCode, Client, ClientConfig, Exchange, Prf, Profile, SecretNonce, derive, xml,
};
use getrandom::SysRng;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// R_C of every handshake.
const R_C: [u8; 16] = [0x5A; 16];
/// One in so many MACs is checked.
const CHECKED: u64 = 64;
/// Ticks of the clock in `/proc`, a second.
const TICKS: f64 = 100.0;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|word| word == "bare") {
        return bare(args[1].parse()?);
    }
    let named = |name: &str| {
        args.windows(2)
            .filter(|pair| pair[0] == name)
            .map(|pair| pair[1].clone())
            .collect::<Vec<_>>()
    };
    let number = |name: &str, default: u64| -> Result<u64, Failure> {
        Ok(named(name).first().map_or(Ok(default), |text| text.parse())?)
    };
    let [url, code] = [&args[0], &args[1]];
    let seconds = number("--seconds", if named("--handshakes").is_empty() { 10 } else { 86_400 })?;
    let most = number("--handshakes", u64::MAX)?;
    let pids = named("--pid").iter().map(|pid| pid.parse()).collect::<Result<Vec<u32>, _>>()?;

    let load = Arc::new(Load::prepare(url, code, most)?);
    let before = (Instant::now(), cpu(&pids), cpu(&[std::process::id()]));
    let threads: Vec<_> = (0..number("--connections", 8)?)
        .map(|_| {
            let load = Arc::clone(&load);
            thread::spawn(move || load.run())
        })
        .collect();
    let deadline = before.0 + Duration::from_secs(seconds);
    while Instant::now() < deadline && !threads.iter().all(thread::JoinHandle::is_finished) {
        thread::sleep(Duration::from_millis(5));
    }
    load.over.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")??;
    }
    report(&load, before, &pids)
}

/// `handshakes N seconds S per_second R server_us U client_us U p50_ms M p99_ms M rss_kib K unavailable N`
fn report(load: &Load, before: (Instant, f64, f64), pids: &[u32]) -> Result<(), Failure> {
    let seconds = before.0.elapsed().as_secs_f64();
    let done = load.done.load(Ordering::Relaxed);
    let each = |cpu: f64| cpu * 1e6 / done as f64;
    let mut times = std::mem::take(&mut *load.times.lock().expect("no thread panicked"));
    times.sort_unstable();
    let quantile = |part: f64| {
        let index = (times.len() as f64 * part) as usize;
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    println!(
        "handshakes {done} seconds {seconds:.2} per_second {:.0} server_us {:.1} client_us {:.1} p50_ms {:.2} p99_ms {:.2} rss_kib {} unavailable {}",
        done as f64 / seconds,
        each(cpu(pids) - before.1),
        each(cpu(&[std::process::id()]) - before.2),
        quantile(0.5),
        quantile(0.99),
        resident(pids),
        load.unavailable.load(Ordering::Relaxed),
    );
    Ok(())
}

/// What every connection sends.
struct Load {
    host: String,
    path: String,
    codes: Vec<String>,
    hello: Vec<u8>,
    /// R_C under the server's key, in base64.
    encrypted: String,
    modulus: Vec<u8>,
    most: u64,
    begun: AtomicU64,
    done: AtomicU64,
    unavailable: AtomicU64,
    over: AtomicBool,
    times: Mutex<Vec<Duration>>,
}

impl Load {
    fn prepare(url: &str, code: &str, most: u64) -> Result<Self, Failure> {
        let rest = url.strip_prefix("http://").ok_or("an http URL is wanted")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let codes: Vec<String> = match code.strip_prefix('@') {
            Some(file) => std::fs::read_to_string(file)?.lines().map(str::to_owned).collect(),
            None => vec![code.to_owned()],
        };
        let code = codes.first().ok_or("a code is wanted")?;
        // With a file, each is good once.
        let most = if codes.len() > 1 { most.min(codes.len() as u64) } else { most };
        let soap = Soap::new(ActivationCode::new(code.clone().into()))?;
        let client = Client::new(ClientConfig::new(Profile::SECURID));
        let (_, request) = Exchange::begin(client, Binding::Soap(soap), &mut SysRng)?;
        let mut load = Self {
            host: host.to_owned(),
            path: format!("/{path}"),
            codes: codes.clone(),
            hello: Vec::new(),
            encrypted: String::new(),
            modulus: Vec::new(),
            most,
            begun: AtomicU64::new(0),
            done: AtomicU64::new(0),
            unavailable: AtomicU64::new(0),
            over: AtomicBool::new(false),
            times: Mutex::default(),
        };
        load.hello = load.post(code, "StartService", &request.body);
        let answer = Connection::open(&load.host)?.ask(&load.hello)?;
        let Message::ServerHello(ServerHello::Continue(offer)) = message(&answer.body)? else {
            return Err("the server does not go on".into());
        };
        let EncryptionKey::Rsa { modulus, exponent } = &offer.encryption_key else {
            return Err("the server offers no RSA key".into());
        };
        let key = RsaPublicKey::new(modulus, exponent)?;
        let r_c = SecretNonce::new(R_C.to_vec());
        load.encrypted =
            BASE64_STANDARD.encode(key.encrypt(Padding::OaepSha1, &r_c, &mut SysRng)?);
        load.modulus = key.modulus().to_vec();
        Ok(load)
    }

    fn post(&self, code: &str, action: &str, body: &[u8]) -> Vec<u8> {
        let Self { host, path, .. } = self;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nuser-agent: HTTPPOST\r\nAuthorization: {code}\r\nSOAPAction: {action}\r\ncontent-type: application/vnd.otps.ct-kip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    /// Handshakes, one after the other, over one connection as far as the server keeps it.
    fn run(&self) -> Result<(), Failure> {
        let mut connection = Connection::open(&self.host)?;
        let mut times = Vec::new();
        while !self.over.load(Ordering::Relaxed) {
            let number = self.begun.fetch_add(1, Ordering::Relaxed);
            if number >= self.most {
                break;
            }
            let start = Instant::now();
            let code = &self.codes[number as usize % self.codes.len()];
            if self.handshake(&mut connection, code, number.is_multiple_of(CHECKED))? {
                self.done.fetch_add(1, Ordering::Relaxed);
                times.push(start.elapsed());
            } else {
                self.unavailable.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(10));
            }
        }
        self.times.lock().expect("no thread panicked").extend(times);
        Ok(())
    }

    /// One handshake; `false` when the server has no room.
    fn handshake(
        &self,
        connection: &mut Connection,
        code: &str,
        check: bool,
    ) -> Result<bool, Failure> {
        let answer = connection.ask(&self.hello(code))?;
        if answer.status == 503 {
            return Ok(false);
        }
        let pdu = enveloped(&answer.body)?;
        let text = std::str::from_utf8(&pdu)?;
        let session = between(text, "SessionID=\"", "\"").ok_or("no SessionID")?;
        let r_s = between(text, "<Nonce xmlns=\"\">", "</Nonce>").ok_or("no nonce")?;
        let answer =
            connection.ask(&self.post(code, "ServerFinished", &self.nonce(code, session, r_s)))?;
        if answer.status == 503 {
            return Ok(false);
        }
        let pdu = enveloped(&answer.body)?;
        if between(std::str::from_utf8(&pdu)?, "Status=\"", "\"") != Some("Success") {
            return Err("a handshake did not succeed".into());
        }
        if check {
            self.check(&answer.body, &BASE64_STANDARD.decode(r_s)?)?;
        }
        Ok(true)
    }

    /// The first request, with another code of the same length.
    fn hello(&self, code: &str) -> Vec<u8> {
        let first = self.codes[0].as_bytes();
        let mut hello = self.hello.clone();
        let mut at = 0;
        while let Some(found) = hello[at..].windows(first.len()).position(|part| part == first) {
            hello[at + found..at + found + first.len()].copy_from_slice(code.as_bytes());
            at += found + first.len();
        }
        hello
    }

    /// The second request (`docs/spec/deployed-profile.md` sections 4 and 5.3).
    fn nonce(&self, code: &str, session: &str, r_s: &str) -> Vec<u8> {
        let pdu = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ClientNonce xmlns=\"http://www.rsasecurity.com/rsalabs/otps/schemas/2005/11/ct-kip#\" Version=\"1.0\" SessionID=\"{session}\"><EncryptedNonce xmlns=\"\">{}\n</EncryptedNonce><Extensions xmlns=\"\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Extension xmlns=\"\" xmlns:ct-kip=\"http://www.rsasecurity.com/rsalabs/otps/schemas/2005/12/ct-kip#\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Data>{r_s}\n</Data></Extension></Extensions></ClientNonce>",
            self.encrypted
        );
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n      <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n        <soapenv:Body>\n          <ClientRequest xmlns=\"http://ctkipservice.rsasecurity.com\">\n            <AuthData >{}</AuthData>\n            <ProvisioningData>PD94bWwgdmVyc2lvbj0iMS4wIj8+PFByb3Zpc2lvbmluZ0RhdGE+PFZlcnNpb24+NS4wLjIuNDQwPC9WZXJzaW9uPjxNYW51ZmFjdHVyZXI+UlNBIFNlY3VyaXR5IEluYy48L01hbnVmYWN0dXJlcj48Rm9ybUZhY3Rvci8+PC9Qcm92aXNpb25pbmdEYXRhPg==\n</ProvisioningData>\n            <Request>{}\n</Request>\n          </ClientRequest>\n        </soapenv:Body>\n      </soapenv:Envelope>",
            code,
            BASE64_STANDARD.encode(pdu)
        )
        .into_bytes()
    }

    fn check(&self, body: &[u8], r_s: &[u8]) -> Result<(), Failure> {
        let Message::ServerFinished(ServerFinished::Success(confirmation)) = message(body)? else {
            return Err("no confirmation".into());
        };
        let (profile, r_c) = (Profile::SECURID, SecretNonce::new(R_C.to_vec()));
        let key = derive::token_key(&profile, Prf::Aes, &r_c, &self.modulus, r_s, 16)?;
        let mac = derive::mac2(&profile, Prf::Aes, key.expose(), &r_c)?;
        match confirmation.mac {
            Some(theirs) if theirs.value == mac => Ok(()),
            _ => Err("a MAC is wrong".into()),
        }
    }
}

/// What an envelope holds, found the cheap way.
fn enveloped(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let text = between(std::str::from_utf8(body)?, "<Response>", "</Response>");
    Ok(BASE64_STANDARD.decode(text.ok_or("no answer in the envelope")?.trim_end())?)
}

fn message(body: &[u8]) -> Result<Message, Failure> {
    Ok(xml::read(&soap::message(body)?, &Profile::SECURID)?.message)
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

/// A connection that is opened again when the server closes it.
struct Connection {
    host: String,
    stream: BufReader<TcpStream>,
    closed: bool,
}

struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Connection {
    fn open(host: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self { host: host.to_owned(), stream: BufReader::new(stream), closed: false })
    }

    fn ask(&mut self, request: &[u8]) -> Result<Answer, Failure> {
        if self.closed {
            *self = Self::open(&self.host)?;
        }
        self.stream.get_mut().write_all(request)?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        if line.is_empty() {
            // Closed while it was idle, so nothing was answered.
            *self = Self::open(&self.host)?;
            self.stream.get_mut().write_all(request)?;
            self.stream.read_line(&mut line)?;
        }
        let status =
            line.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or("no status")?;
        let mut length = None;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let header = line.trim_end().to_ascii_lowercase();
            match header.split_once(": ") {
                None => break,
                Some(("content-length", value)) => length = Some(value.parse()?),
                Some(("connection", "close")) => self.closed = true,
                Some(_) => {}
            }
        }
        let mut body = vec![0; length.ok_or("no length")?];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, body })
    }
}

/// CPU time of these processes so far, in seconds.
fn cpu(pids: &[u32]) -> f64 {
    let of = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest).to_owned();
        let field = |at: usize| rest.split_whitespace().nth(at).and_then(|n| n.parse::<f64>().ok());
        // utime and stime are the 14th and 15th, counted from 1; the name in brackets is the 2nd.
        field(11).zip(field(12)).map_or(0.0, |(user, system)| user + system)
    };
    pids.iter().map(of).sum::<f64>() / TICKS
}

/// Resident memory of these processes, in KiB.
fn resident(pids: &[u32]) -> u64 {
    let of = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).map(str::to_owned);
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0)
    };
    pids.iter().map(of).sum()
}

/// CPU time of one private operation, blinded, with OAEP, on all cores at once: as when a server is
/// loaded.
fn bare(bits: usize) -> Result<(), Failure> {
    let key = RsaPrivateKey::generate(bits, &mut SysRng)?;
    let r_c = SecretNonce::new(R_C.to_vec());
    let encrypted = key.public().encrypt(Padding::OaepSha1, &r_c, &mut SysRng)?;
    let (key, encrypted, times) = (&key, &encrypted, &AtomicU64::new(0));
    let myself = [std::process::id()];
    let (start, before) = (Instant::now(), cpu(&myself));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(move || {
                let scheme = Scheme::Rsa(Padding::OaepSha1);
                while start.elapsed() < Duration::from_secs(3) {
                    key.decrypt(scheme, &[], encrypted, &mut SysRng).expect("it decrypts");
                    times.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let times = times.load(Ordering::Relaxed) as f64;
    println!("{:.1}", (cpu(&myself) - before) * 1e6 / times);
    Ok(())
}
