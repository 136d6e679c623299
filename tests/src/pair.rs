//! Client and server in memory, by the letter of RFC 4758.

use ctkip_core::crypto::{DecryptFailed, NonceKey, RsaPrivateKey, Scheme};
use ctkip_core::message::{
    ClientHello, ClientNonce, Confirmation, InitializationTrigger, Message, ServerFinished,
    ServerHello, ServerOffer, Status, TokenRecord,
};
use ctkip_core::service::{
    Bearer, Commit, Denied, Event, Granted, Handled, Issued, Issuer, MemorySessions,
    MemoryTriggers, ServerBinding, Service, ServiceRequest, Sessions,
};
use ctkip_core::wire::{Binding, WireRequest, WireResponse, plain};
use ctkip_core::{
    AuthKey, AwaitServerFinished, AwaitServerHello, Client, ClientConfig, ClientError, Credentials,
    EncryptionAlgorithm, Exchange, Grant, KeyType, Layout, NewToken, Pending, PinSettings, Prf,
    Profile, Progress, SecretNonce, Server, ServerConfig, SessionId, SharedKey, Timestamp, xml,
};
use getrandom::SysRng;
use rand_core::TryCryptoRng;
use std::sync::{LazyLock, Mutex};

/// When these tests happen.
pub const NOW: Timestamp = Timestamp(1_800_000_000);
/// How long sessions and triggers live here, in seconds.
pub const LIFETIME: u64 = 300;

/// A key that exists.
pub const KEY_ID: &[u8] = b"key to be replaced";
/// Its token.
pub const TOKEN_ID: &[u8] = b"token";
/// The K_AUTH of that key, 16 octets.
pub const K_AUTH: [u8; 16] = *b"authenticate me!";
/// A key that client and server share, 16 octets.
pub const K_SHARED: [u8; 16] = *b"a shared secret.";
/// Its name.
pub const K_SHARED_NAME: &str = "shared-1";

/// Every way to encrypt R_C.
pub const ENCRYPTION: [EncryptionAlgorithm; 4] = [
    EncryptionAlgorithm::RsaOaep,
    EncryptionAlgorithm::Rsa15,
    EncryptionAlgorithm::SharedKey(Prf::Aes),
    EncryptionAlgorithm::SharedKey(Prf::Sha256),
];

/// Every PRF.
pub const PRFS: [Prf; 2] = [Prf::Aes, Prf::Sha256];

/// The server's key of 2048 bits, made once a process.
static KEY: LazyLock<RsaPrivateKey> =
    LazyLock::new(|| RsaPrivateKey::generate(2048, &mut SysRng).expect("a key"));

/// The server's private key.
#[derive(Debug, Clone, Copy)]
pub struct Key;

impl Key {
    /// The key itself.
    #[must_use]
    pub fn get(self) -> &'static RsaPrivateKey {
        &KEY
    }
}

impl NonceKey for Key {
    fn decrypt<R: TryCryptoRng + ?Sized>(
        &self,
        scheme: Scheme,
        server_nonce: &[u8],
        ciphertext: &[u8],
        rng: &mut R,
    ) -> Result<SecretNonce, DecryptFailed> {
        KEY.decrypt(scheme, server_nonce, ciphertext, rng)
    }
}

/// A server's configuration that takes everything.
#[must_use]
pub fn server_config() -> ServerConfig {
    ServerConfig::new(Profile::RFC4758, Key.get().public().clone())
        .encryption_algorithms(&ENCRYPTION)
        .key_types(&[KeyType::SecurIdAes, KeyType::Prf(Prf::Aes), KeyType::Prf(Prf::Sha256)])
}

/// A client's configuration with the profile's algorithms.
#[must_use]
pub fn client_config() -> ClientConfig {
    ClientConfig::new(Profile::RFC4758)
}

/// K_AUTH as a key.
#[must_use]
pub fn k_auth() -> AuthKey {
    AuthKey::new(K_AUTH.to_vec())
}

/// A token that was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// What was granted.
    pub grant: Grant,
    /// The token that the client named.
    pub token_id: Option<Vec<u8>>,
    /// The key that was replaced.
    pub key_id: Option<Vec<u8>>,
    /// K_TOKEN.
    pub key: Vec<u8>,
    /// MAC 2.
    pub mac: Vec<u8>,
}

/// Whoever issues tokens: to everybody who asks, unless it is told otherwise. It knows the key
/// [`KEY_ID`], shares [`K_SHARED`] with everybody, and gives out triggers.
#[derive(Debug)]
pub struct Office {
    /// The triggers given out.
    pub triggers: MemoryTriggers,
    /// Why nobody gets anything.
    pub closed: Option<Denied>,
    /// Why nothing is committed.
    pub full: Option<Denied>,
    /// K_AUTH makes the MACs of every run, not only where a key is replaced.
    pub always_authenticates: bool,
    /// There is a key to share.
    pub shares: bool,
    /// What is said of every token.
    pub record: TokenRecord,
    /// The tokens committed so far.
    pub tokens: Mutex<Vec<Committed>>,
}

impl Default for Office {
    fn default() -> Self {
        Self {
            triggers: MemoryTriggers::new(100_000, LIFETIME),
            closed: None,
            full: None,
            always_authenticates: false,
            shares: true,
            record: record(),
            tokens: Mutex::default(),
        }
    }
}

/// What the office says of a token unless told otherwise.
#[must_use]
pub fn record() -> TokenRecord {
    TokenRecord {
        token_id: b"a new token".to_vec(),
        key_id: b"a new key".to_vec(),
        ..TokenRecord::default()
    }
}

impl Office {
    /// What was committed so far.
    #[must_use]
    pub fn committed(&self) -> Vec<Committed> {
        self.tokens.lock().expect("no test panicked").clone()
    }

    /// What this office knows of a client.
    #[must_use]
    pub fn credentials(&self, hello: &ClientHello) -> Credentials {
        let knows = self.always_authenticates || hello.key_id.as_deref() == Some(KEY_ID);
        Credentials {
            rsa_key: None,
            shared_key: self.shares.then(|| K_SHARED_NAME.into()),
            auth_key: knows.then(k_auth),
            trigger_is_valid: false,
        }
    }
}

impl Issuer for Office {
    fn authorize(
        &self,
        _bearer: Bearer<'_>,
        hello: &ClientHello,
        now: Timestamp,
    ) -> Result<Granted, Denied> {
        if let Some(denied) = self.closed {
            return Err(denied);
        }
        let mut credentials = self.credentials(hello);
        let redeemed = self.triggers.redeem(hello, now);
        credentials.trigger_is_valid = redeemed.is_some();
        Ok(Granted { grant: redeemed.unwrap_or_default(), credentials })
    }

    fn recognise(
        &self,
        _bearer: Bearer<'_>,
        _grant: &Grant,
        _now: Timestamp,
    ) -> Result<(), Denied> {
        Ok(())
    }

    fn commit(&self, commit: &Commit<'_>, _now: Timestamp) -> Result<Issued, Denied> {
        if let Some(denied) = self.full {
            return Err(denied);
        }
        self.tokens.lock().expect("no test panicked").push(Committed {
            grant: commit.grant.clone(),
            token_id: commit.token_id.map(<[u8]>::to_vec),
            key_id: commit.key_id.map(<[u8]>::to_vec),
            key: commit.key.expose().to_vec(),
            mac: commit.mac.to_vec(),
        });
        Ok(Issued { record: self.record.clone(), pin: PinSettings::default(), repeated: false })
    }

    fn shared_key(&self, name: &str) -> Option<SharedKey> {
        (name == K_SHARED_NAME).then(|| SharedKey::new(K_SHARED.to_vec()))
    }
}

/// A server of octets.
pub type Site = Service<MemorySessions, Key, Office>;

/// A server that takes everything, with this office.
#[must_use]
pub fn site(office: Office) -> Site {
    site_of(server_config(), office)
}

/// A server of this configuration, with this office.
#[must_use]
pub fn site_of(config: ServerConfig, office: Office) -> Site {
    let sessions = MemorySessions::new(Layout::Schema, 200_000, LIFETIME);
    Service::new(Server::new(config), ServerBinding::Plain, sessions, Key, office)
}

/// Gives out a trigger that names these.
#[must_use]
pub fn trigger<S: Sessions>(
    site: &Service<S, Key, Office>,
    token: Option<&[u8]>,
    key: Option<&[u8]>,
) -> InitializationTrigger {
    let wanted = InitializationTrigger {
        token_id: token.map(<[u8]>::to_vec),
        key_id: key.map(<[u8]>::to_vec),
        url: Some("https://server.example/ctkip".into()),
        ..InitializationTrigger::default()
    };
    let grant = Grant::new(b"user of the trigger".to_vec()).expect("a short grant");
    let trigger = site.issuer().triggers.issue(wanted, grant, NOW, &mut SysRng).expect("room");
    trigger.initialization.expect("it has one")
}

/// Posts octets.
pub fn post_at<S: Sessions>(
    site: &Service<S, Key, Office>,
    body: &[u8],
    now: Timestamp,
) -> Handled {
    let headers = vec![("Content-Type".into(), plain::MEDIA_TYPE.into())];
    let request =
        ServiceRequest { method: "POST", path: "/", headers: &headers, body, source: None };
    site.handle(request, now, &mut SysRng)
}

/// Posts octets now.
pub fn post<S: Sessions>(site: &Service<S, Key, Office>, body: &[u8]) -> Handled {
    post_at(site, body, NOW)
}

/// Posts a message.
pub fn send<S: Sessions>(site: &Service<S, Key, Office>, message: Message) -> Handled {
    post(site, &octets(&message))
}

/// A message as octets.
#[must_use]
pub fn octets(message: &Message) -> Vec<u8> {
    xml::write(message, &Profile::RFC4758).into_bytes()
}

/// A response with a message.
#[must_use]
pub fn response(message: &Message) -> WireResponse {
    let headers = vec![("Content-Type".into(), plain::MEDIA_TYPE.into())];
    WireResponse { status: 200, headers, body: octets(message) }
}

/// The message of a response, which is by the letter.
#[must_use]
pub fn message(response: &WireResponse) -> Message {
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    let read = xml::read(&response.body, &Profile::RFC4758).expect("what we send can be read");
    assert!(read.departures.is_empty(), "what we send is by the letter: {:?}", read.departures);
    read.message
}

/// The status of an answer.
#[must_use]
pub fn status(response: &WireResponse) -> Status {
    match message(response) {
        Message::ServerHello(ServerHello::Continue(_)) => Status::Continue,
        Message::ServerFinished(ServerFinished::Success(_)) => Status::Success,
        Message::ServerHello(ServerHello::Refused(refusal))
        | Message::ServerFinished(ServerFinished::Refused(refusal)) => refusal.status,
        other => panic!("{} is no answer", other.name()),
    }
}

/// Runs a client against a server of octets, which answers everything; hands each request and
/// response to `seen`.
///
/// # Errors
/// What the client ends with.
pub fn run_seen<S: Sessions>(
    config: ClientConfig,
    site: &Service<S, Key, Office>,
    mut seen: impl FnMut(&WireRequest, &WireResponse),
) -> Result<NewToken, ClientError> {
    let (mut exchange, mut request) =
        Exchange::begin(Client::new(config), Binding::Plain, &mut SysRng)?;
    loop {
        let response = post(site, &request.body).response;
        seen(&request, &response);
        match exchange.receive(&response, &mut SysRng)? {
            Progress::Done(token) => return Ok(*token),
            Progress::Send(next, body) => (exchange, request) = (next, body),
        }
    }
}

/// Runs a client against a server of octets.
///
/// # Errors
/// What the client ends with.
pub fn run<S: Sessions>(
    config: ClientConfig,
    site: &Service<S, Key, Office>,
) -> Result<NewToken, ClientError> {
    run_seen(config, site, |_, _| {})
}

/// A client that has sent its `ClientHello`, the offer of an honest server, and what the server
/// keeps.
#[must_use]
pub fn opened(config: ClientConfig) -> (AwaitServerHello, Box<ServerOffer>, Pending) {
    let client = Client::new(config).start(&mut SysRng).expect("it can start");
    let credentials = Office::default().credentials(&client.message);
    let server = Server::new(server_config());
    let offer = server.hello(&client.message, credentials, &mut SysRng);
    let (pending, unnamed) = offer.expect("something in common").into_parts();
    let id = SessionId::random(Layout::Schema, &mut SysRng).expect("random octets");
    let ServerHello::Continue(offer) = unnamed.into_hello(id) else { panic!("no offer") };
    (client.state, offer, pending)
}

/// A client that has sent its `ClientNonce`, and the confirmation of an honest server.
#[must_use]
pub fn confirmed(config: ClientConfig) -> (AwaitServerFinished, Box<Confirmation>) {
    let (client, offer, pending) = opened(config);
    let client = client.receive(ServerHello::Continue(offer), &mut SysRng).expect("a good offer");
    let finished = answer(pending, client.message, record());
    let ServerFinished::Success(confirmation) = finished else { panic!("{finished:?}") };
    (client.state, confirmation)
}

/// The answer of an honest server to `ClientNonce`.
#[must_use]
pub fn answer(pending: Pending, nonce: ClientNonce, record: TokenRecord) -> ServerFinished {
    let opening = Server::new(server_config()).nonce(pending, nonce).expect("a good request");
    let derived = match opening.scheme() {
        Scheme::SharedKey(_) => opening.complete_shared(&SharedKey::new(K_SHARED.to_vec())),
        scheme => {
            let (r_s, ciphertext) = (opening.server_nonce(), opening.ciphertext());
            let r_c = KEY.decrypt(scheme, r_s, ciphertext, &mut SysRng);
            opening.complete(r_c)
        }
    };
    derived.expect("it decrypts").finish(record)
}

/// What came of a request, as a word.
#[must_use]
pub fn word(event: &Event) -> String {
    let text = format!("{event:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// A run in one of its variants.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// How R_C travels.
    pub encryption: EncryptionAlgorithm,
    /// What derives and authenticates.
    pub prf: Prf,
    /// Whether a key is replaced.
    pub replaces: bool,
    /// Whether a trigger starts the run.
    pub triggered: bool,
}

impl Variant {
    /// Every combination.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for encryption in ENCRYPTION {
            for prf in PRFS {
                for (replaces, triggered) in
                    [(false, false), (false, true), (true, false), (true, true)]
                {
                    all.push(Self { encryption, prf, replaces, triggered });
                }
            }
        }
        all
    }

    /// The client of this variant.
    #[must_use]
    pub fn client<S: Sessions>(self, site: &Service<S, Key, Office>) -> ClientConfig {
        let shared = SharedKey::new(K_SHARED.to_vec());
        let mut config = client_config()
            .encryption_algorithms(&[self.encryption])
            .mac_algorithms(&[self.prf])
            .client_info(b"about me".to_vec())
            .shared_key(K_SHARED_NAME.into(), shared);
        if self.replaces {
            config = config.replacing(KEY_ID.to_vec(), k_auth());
        }
        if self.triggered {
            let key = self.replaces.then_some(KEY_ID);
            config = config.trigger(trigger(site, Some(TOKEN_ID), key));
        }
        config
    }

    /// A name that a file can have.
    #[must_use]
    pub fn name(self) -> String {
        let Self { encryption, prf, replaces, triggered } = self;
        let name = format!(
            "{encryption:?}-{prf:?}-{}-{}",
            if replaces { "replacement" } else { "new" },
            if triggered { "triggered" } else { "untriggered" },
        );
        name.replace(['(', ')'], "").to_lowercase()
    }
}
