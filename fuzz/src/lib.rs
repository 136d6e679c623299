//! What the fuzz targets share: a client and a server that are the same at every start and meet no
//! RSA, which would take most of the time and find nothing here.
#![forbid(unsafe_code)]

use core::convert::Infallible;
use ctkip_core::crypto::{DecryptFailed, NonceKey, RsaPublicKey, Scheme};
use ctkip_core::message::{ClientHello, Extension, ExtensionKind, OtpConfiguration, TokenRecord};
use ctkip_core::service::{Bearer, 
    Commit, Denied, Granted, Issued, Issuer, MemorySessions, ServerBinding, Service, ServiceRequest,
};
use ctkip_core::wire::{Binding, Headers, WireRequest, WireResponse, soap::Soap};
use ctkip_core::{
    ActivationCode, Client, ClientConfig, Credentials, EncryptionAlgorithm, Exchange, Grant,
    PinSettings, Prf, Profile, Progress, SecretNonce, Server, ServerConfig, SharedKey, Timestamp,
};
use ctkip_token::{ExpiryDay, Flags, Labels, Serial, Token};
use rand_core::{TryCryptoRng, TryRng};
use std::sync::LazyLock;

/// The activation code that travels in every envelope.
pub const CODE: &str = "123456789012";
const NOW: Timestamp = Timestamp(1_800_000_000);
const KEY_NAME: &str = "shared";

/// Octets 1, 2, 3 and so on.
#[derive(Default)]
pub struct Counting(u8);

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut octets = [0; 4];
        self.try_fill_bytes(&mut octets).map(|()| u32::from_be_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut octets = [0; 8];
        self.try_fill_bytes(&mut octets).map(|()| u64::from_be_bytes(octets))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to.fill_with(|| {
            self.0 = self.0.wrapping_add(1);
            self.0
        });
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

static KEY: LazyLock<RsaPublicKey> =
    LazyLock::new(|| RsaPublicKey::new(&[0xC5; 128], &[3]).expect("odd, and of 1024 bits"));

/// A dialect in a binding, with R_C under an RSA key or a shared one.
#[derive(Clone, Copy)]
pub struct Setting {
    /// Wrapped in SOAP.
    pub soap: bool,
    /// The deployed dialect.
    pub deployed: bool,
    /// Under an RSA key.
    pub rsa: bool,
}

impl Setting {
    fn profile(self) -> Profile {
        if self.deployed { Profile::SECURID } else { Profile::RFC4758 }
    }

    fn algorithms(self) -> &'static [EncryptionAlgorithm] {
        match (self.rsa, self.deployed) {
            (false, _) => &[EncryptionAlgorithm::SharedKey(Prf::Aes)],
            (true, true) => &[EncryptionAlgorithm::Rsa15],
            (true, false) => &[EncryptionAlgorithm::RsaOaep],
        }
    }

    /// A server.
    #[must_use]
    pub fn service(self) -> Service<MemorySessions, Stub, Stub> {
        let profile = self.profile();
        let sessions = MemorySessions::new(profile.layout, 4, 300);
        let config = ServerConfig::new(profile, KEY.clone());
        let config = config.encryption_algorithms(self.algorithms());
        let binding = if self.soap { ServerBinding::Soap } else { ServerBinding::Plain };
        Service::new(Server::new(config), binding, sessions, Stub, Stub)
    }

    /// A client that has made its first request.
    #[must_use]
    pub fn exchange(self) -> (Exchange, WireRequest) {
        let config = ClientConfig::new(self.profile())
            .min_key_bits(512)
            .encryption_algorithms(self.algorithms())
            .shared_key(KEY_NAME.into(), shared_key());
        let code = || ActivationCode::new(CODE.into());
        let binding = match self.soap {
            true => Binding::Soap(Soap::new(code()).expect("digits are a usable code")),
            false => Binding::Plain,
        };
        Exchange::begin(Client::new(config), binding, &mut Counting::default())
            .expect("this randomness does not fail")
    }

    /// A client that has made its second request, after the server's good answer.
    #[must_use]
    pub fn second(self, hello: &WireResponse) -> (Exchange, WireRequest) {
        match self.exchange().0.receive(hello, &mut Counting::default()) {
            Ok(Progress::Send(exchange, request)) => (exchange, request),
            other => panic!("the client refuses our own server: {other:?}"),
        }
    }
}

/// The answer to a request, and the same request with other headers or another body.
pub fn answer(
    service: &Service<MemorySessions, Stub, Stub>,
    headers: &Headers,
    body: &[u8],
) -> WireResponse {
    let request = ServiceRequest { method: "POST", path: "/", headers, body, source: None };
    service.handle(request, NOW, &mut Counting::default()).response
}

fn shared_key() -> SharedKey {
    SharedKey::new(vec![7; 16])
}

/// A key that decrypts everything to one R_C, and an issuer that gives everyone a token.
#[derive(Debug)]
pub struct Stub;

impl NonceKey for Stub {
    fn decrypt<R: TryCryptoRng + ?Sized>(
        &self,
        _: Scheme,
        _: &[u8],
        _: &[u8],
        _: &mut R,
    ) -> Result<SecretNonce, DecryptFailed> {
        Ok(SecretNonce::new((1..=16).collect()))
    }
}

impl Issuer for Stub {
    fn authorize(
        &self,
        _: Bearer<'_>,
        _: &ClientHello,
        _: Timestamp,
    ) -> Result<Granted, Denied> {
        let credentials =
            Credentials { shared_key: Some(KEY_NAME.into()), ..Credentials::default() };
        Ok(Granted { credentials, grant: Grant::default() })
    }

    fn recognise(&self, _: Bearer<'_>, _: &Grant, _: Timestamp) -> Result<(), Denied> {
        Ok(())
    }

    fn commit(&self, _: &Commit<'_>, _: Timestamp) -> Result<Issued, Denied> {
        let otp = OtpConfiguration { length: Some("8".into()), ..OtpConfiguration::default() };
        let record = TokenRecord {
            token_id: b"000123456789".to_vec(),
            key_id: b"000123456789".to_vec(),
            extensions: vec![Extension::new(ExtensionKind::OtpConfiguration(otp))],
            ..TokenRecord::default()
        };
        Ok(Issued { record, pin: PinSettings::default() , repeated: false })
    }

    fn shared_key(&self, _: &str) -> Option<SharedKey> {
        Some(shared_key())
    }
}

/// The password that is given where one is.
pub const PASSWORD: &str = "correct horse";
/// The device id that is given where one is.
pub const DEVICE_ID: &str = "a01c4380-fc01-4df0-b113-7fb98ec74694";

/// Everything about a token that can be compared.
#[must_use]
pub fn parts(token: &Token) -> (Serial, [u8; 16], Flags, ExpiryDay, Labels) {
    (token.serial, *token.seed.expose(), token.flags, token.expiry, token.labels.clone())
}
