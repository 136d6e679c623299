//! One provisioning in memory, both roles, SECURID over SOAP, from octets to octets: everything but
//! RSA, and step by step.
//!
//! The private operation is left out by a key that knows R_C. The client's public operation cannot
//! be left out, so it is measured in turn with the handshake, and its time taken off.
//! `handshake/shared key` is the same protocol without RSA at all: R_C under a shared key, whose
//! messages are smaller, since they hold neither modulus nor ciphertext.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ctkip_core::crypto::{DecryptFailed, NonceKey, Padding, RsaPrivateKey, RsaPublicKey, Scheme};
use ctkip_core::message::{ClientHello, Extension, ExtensionKind, TokenRecord};
use ctkip_core::message::{OtpConfiguration, OtpMode};
use ctkip_core::service::{
    Bearer, Commit, Denied, Granted, Issued, Issuer, MemorySessions, ServerBinding, Service,
    ServiceRequest,
};
use ctkip_core::wire::{Binding, WireRequest, WireResponse, soap::Soap};
use ctkip_core::{
    ActivationCode, Client, ClientConfig, Credentials, EncryptionAlgorithm, Exchange, Grant,
    NewToken, PinSettings, Prf, Profile, Progress, SecretNonce, Server, ServerConfig, SharedKey,
    Timestamp,
};
use getrandom::SysRng;
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const CODE: &[u8] = b"314159265358";
const SERIAL: &[u8] = b"000123456789";
/// Octets of every random value of the client, hence of R_C.
const FIXED: u8 = 0x5A;

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("handshake");
    for bits in [1024, 2048] {
        let peers = Peers::with_rsa(bits);
        group.bench_function(format!("everything but RSA, {bits}"), |bencher| {
            bencher.iter_custom(|times| {
                let mut spent = Duration::ZERO;
                for _ in 0..times {
                    let start = Instant::now();
                    black_box(peers.run());
                    let middle = Instant::now();
                    black_box(peers.public_operation());
                    // Both in one round, so that whatever slows the machine slows both.
                    spent += middle.duration_since(start).saturating_sub(middle.elapsed());
                }
                spent
            });
        });
    }
    let peers = Peers::with_shared_key();
    group.bench_function("shared key", |bencher| bencher.iter(|| peers.run()));
}

/// The fastest of many rounds, which says more than a mean where others use the machine, too.
fn fastest(_: &mut Criterion) {
    const ROUNDS: u32 = 10_000;
    let fastest = |operation: &dyn Fn()| {
        let time = |_| {
            let start = Instant::now();
            operation();
            start.elapsed()
        };
        (0..ROUNDS).map(time).min().unwrap_or_default()
    };
    for bits in [1024, 2048] {
        let peers = Peers::with_rsa(bits);
        let run = fastest(&|| drop(black_box(peers.run())));
        let public = fastest(&|| drop(black_box(peers.public_operation())));
        println!(
            "handshake/everything but RSA, {bits}: fastest of {ROUNDS}: {:?} ({run:?}, less {public:?})",
            run.saturating_sub(public)
        );
    }
}

fn steps(criterion: &mut Criterion) {
    let peers = Peers::with_rsa(1024);
    let mut group = criterion.benchmark_group("step");
    let batch = BatchSize::SmallInput;
    group.bench_function("1 client: ClientHello", |bencher| bencher.iter(|| peers.begin()));
    group.bench_function("2 server: ServerHello", |bencher| {
        bencher.iter_batched(|| peers.begin().1, |request| peers.answer(&request), batch);
    });
    group.bench_function("3 client: ClientNonce, with the public operation", |bencher| {
        let setup = || {
            let (exchange, request) = peers.begin();
            (exchange, peers.answer(&request))
        };
        bencher.iter_batched(setup, |(exchange, answer)| proceed(exchange, &answer), batch);
    });
    group.bench_function("4 server: ServerFinished, without the private operation", |bencher| {
        bencher.iter_batched(|| peers.second().1, |request| peers.answer(&request), batch);
    });
    group.bench_function("5 client: the token", |bencher| {
        let setup = || {
            let (exchange, request) = peers.second();
            (exchange, peers.answer(&request))
        };
        bencher.iter_batched(setup, |(exchange, answer)| proceed(exchange, &answer), batch);
    });
}

/// A client's configuration and a server, with a clock that moves a second a handshake, so that
/// sessions expire as they do in life.
struct Peers {
    service: Service<MemorySessions, KnownNonce, Everyone>,
    public: Option<RsaPublicKey>,
    clock: AtomicU64,
}

impl Peers {
    fn with_rsa(bits: usize) -> Self {
        let key = RsaPrivateKey::generate(bits, &mut SysRng).expect("a supported size");
        let public = key.public().clone();
        Self::new(ServerConfig::new(Profile::SECURID, public.clone()), Some(public))
    }

    fn with_shared_key() -> Self {
        let config = ServerConfig::shared_key_only(Profile::SECURID);
        Self::new(config.encryption_algorithms(&[SHARED]), None)
    }

    fn new(config: ServerConfig, public: Option<RsaPublicKey>) -> Self {
        let sessions = MemorySessions::new(Profile::SECURID.layout, 1000, 300);
        let server = Server::new(config);
        let service = Service::new(server, ServerBinding::Soap, sessions, KnownNonce, Everyone);
        Self { service, public, clock: AtomicU64::new(1_800_000_000) }
    }

    fn begin(&self) -> (Exchange, WireRequest) {
        let config = match &self.public {
            Some(_) => ClientConfig::new(Profile::SECURID),
            None => ClientConfig::new(Profile::SECURID)
                .encryption_algorithms(&[SHARED])
                .shared_key(NAME.into(), shared_key()),
        };
        let soap = Soap::new(ActivationCode::new(CODE.to_vec())).expect("a usable code");
        Exchange::begin(Client::new(config), Binding::Soap(soap), &mut Fixed).expect("a request")
    }

    fn second(&self) -> (Exchange, WireRequest) {
        let (exchange, request) = self.begin();
        match proceed(exchange, &self.answer(&request)) {
            Progress::Send(exchange, request) => (exchange, request),
            Progress::Done(_) => panic!("there is a second request"),
        }
    }

    fn answer(&self, request: &WireRequest) -> WireResponse {
        let now = Timestamp(self.clock.fetch_add(1, Ordering::Relaxed));
        let WireRequest { headers, body } = request;
        let request = ServiceRequest { method: "POST", path: "/", headers, body, source: None };
        self.service.handle(request, now, &mut SysRng).response
    }

    fn run(&self) -> NewToken {
        let (exchange, request) = self.second();
        match proceed(exchange, &self.answer(&request)) {
            Progress::Done(token) => *token,
            Progress::Send(..) => panic!("the second answer is the last"),
        }
    }

    /// What the client does with the server's key in a run, and nothing else.
    fn public_operation(&self) -> Vec<u8> {
        let r_c = SecretNonce::new(vec![FIXED; 16]);
        let key = self.public.as_ref().expect("a run with RSA");
        let key = RsaPublicKey::new(key.modulus(), key.exponent()).expect("a usable key");
        key.encrypt(Padding::OaepSha1, &r_c, &mut Fixed).expect("a ciphertext")
    }
}

fn proceed(exchange: Exchange, answer: &WireResponse) -> Progress {
    exchange.receive(answer, &mut Fixed).expect("a good answer")
}

const SHARED: EncryptionAlgorithm = EncryptionAlgorithm::SharedKey(Prf::Aes);
const NAME: &str = "shared";

fn shared_key() -> SharedKey {
    SharedKey::new(vec![7; 16])
}

/// A private key that need not compute.
struct KnownNonce;

impl NonceKey for KnownNonce {
    fn decrypt<R: TryCryptoRng + ?Sized>(
        &self,
        _: Scheme,
        _: &[u8],
        _: &[u8],
        _: &mut R,
    ) -> Result<SecretNonce, DecryptFailed> {
        Ok(SecretNonce::new(vec![FIXED; 16]))
    }
}

/// An issuer that gives everyone the same token.
struct Everyone;

impl Issuer for Everyone {
    fn authorize(&self, _: Bearer<'_>, _: &ClientHello, _: Timestamp) -> Result<Granted, Denied> {
        let credentials = Credentials { shared_key: Some(NAME.into()), ..Credentials::default() };
        Ok(Granted { credentials, grant: Grant::default() })
    }

    fn recognise(&self, _: Bearer<'_>, _: &Grant, _: Timestamp) -> Result<(), Denied> {
        Ok(())
    }

    fn commit(&self, _: &Commit<'_>, _: Timestamp) -> Result<Issued, Denied> {
        let otp = OtpConfiguration {
            format: Some("Decimal".into()),
            length: Some("8".into()),
            modes: vec![OtpMode::Time(Some("60".into()))],
        };
        let record = TokenRecord {
            token_id: SERIAL.to_vec(),
            key_id: SERIAL.to_vec(),
            key_expiry: Some("2031-02-28T00:00:00+00:00".into()),
            service_id: Some("RSA CT-KIP".into()),
            user_id: Some(String::new()),
            extensions: vec![Extension::new(ExtensionKind::OtpConfiguration(otp))],
            ..TokenRecord::default()
        };
        Ok(Issued { record, pin: PinSettings::default(), repeated: false })
    }

    fn shared_key(&self, _: &str) -> Option<SharedKey> {
        Some(shared_key())
    }
}

/// A client's randomness that the server's key knows.
struct Fixed;

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_ne_bytes([FIXED; 4]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_ne_bytes([FIXED; 8]))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to.fill(FIXED);
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

criterion_group!(handshake, whole, fastest, steps);
criterion_main!(handshake);
