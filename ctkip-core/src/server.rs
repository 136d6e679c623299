//! The server as states: [`Offer`], [`Pending`], [`Opening`], [`Derived`].
//!
//! Three things happen outside of them, between two calls, so that each may be slow, remote or
//! asynchronous: keeping [`Pending`] until the second request, the private operation, and the commit
//! of the token. A reply is made only from what the commit returned.

use crate::crypto::{DecryptFailed, RsaPublicKey, Scheme};
use crate::derive;
use crate::message::{
    ClientHello, ClientNonce, Confirmation, EncryptionKey, Extension, ExtensionKind, Mac, Refusal,
    ServerFinished, ServerHello, ServerOffer, Status, TokenRecord, Version,
};
use crate::{
    AuthKey, EncryptionAlgorithm, Grant, KeyType, Prf, Profile, RandomnessFailed, SecretNonce,
    SessionId, SharedKey, TokenKey,
};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;

/// Length of R_S, and of the R_C a server takes, in octets (R067, E08).
const NONCE: usize = 16;

/// Why a server does not go on. Nothing of it but the status reaches the client, and in the deployed
/// dialect not even that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The client's version is below 1.0.
    #[error("the client speaks version {0:?}, which is below 1.0")]
    UnsupportedVersion(String),
    /// The second request names another version than the session's.
    #[error("the second request names another version than the first")]
    VersionChanged,
    /// A critical extension that this server does not know.
    #[error("the client demands an extension that this server does not know: {0}")]
    CriticalExtension(String),
    /// No key type in common.
    #[error("none of the key types offered is supported")]
    NoKeyType,
    /// No encryption algorithm in common.
    #[error("none of the encryption algorithms offered is supported")]
    NoEncryptionAlgorithm,
    /// No MAC algorithm in common.
    #[error("none of the MAC algorithms offered is supported")]
    NoMacAlgorithm,
    /// The client may not have what it asks for.
    #[error("the client may not have what it asks for")]
    AccessDenied,
    /// The session is unknown, expired, failed or finished.
    #[error("there is no such session")]
    UnknownSession,
    /// The client does not repeat R_S as the dialect demands.
    #[error("the client does not repeat the server's nonce")]
    NonceEcho,
    /// R_C does not decrypt, or not to 16 octets.
    #[error(transparent)]
    Decrypt(#[from] DecryptFailed),
    /// Whoever decides who gets a token said no.
    #[error("refused by policy")]
    Refused(Status),
    /// The random source failed, or a key has a length that its algorithm does not take.
    #[error(transparent)]
    Internal(#[from] RandomnessFailed),
}

impl ServerError {
    /// The status that tells the client (`docs/spec/rfc4758-requirements.md` section 3).
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::UnsupportedVersion(_) => Status::UnsupportedVersion,
            Self::VersionChanged | Self::NonceEcho => Status::MalformedRequest,
            Self::CriticalExtension(_) => Status::UnknownCriticalExtension,
            Self::NoKeyType => Status::NoSupportedKeyTypes,
            Self::NoEncryptionAlgorithm => Status::NoSupportedEncryptionAlgorithms,
            Self::NoMacAlgorithm => Status::NoSupportedMACAlgorithms,
            Self::AccessDenied => Status::AccessDenied,
            Self::UnknownSession | Self::Internal(_) => Status::Abort,
            Self::Decrypt(_) => Status::InitializationFailed,
            Self::Refused(status) => *status,
        }
    }

    fn hello(self) -> Rejection<ServerHello> {
        let reply = ServerHello::Refused(Refusal::new(self.status()));
        Rejection { error: self, reply }
    }

    fn finished(self, session: Option<SessionId>) -> Rejection<ServerFinished> {
        let refusal = Refusal { session_id: session, ..Refusal::new(self.status()) };
        Rejection { error: self, reply: ServerFinished::Refused(refusal) }
    }
}

/// An error together with the answer that the client is still owed.
#[derive(Debug)]
pub struct Rejection<M> {
    /// Why, for the server's log.
    pub error: ServerError,
    /// What to send.
    pub reply: M,
}

/// What a server offers.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    profile: Profile,
    key: Option<RsaPublicKey>,
    key_types: Vec<KeyType>,
    encryption_algorithms: Vec<EncryptionAlgorithm>,
    mac_algorithms: Vec<Prf>,
}

impl ServerConfig {
    /// A server with an RSA key and the profile's algorithms. In RFC 4758's, `rsa-1_5` is not among
    /// them: see [`crate::crypto::Padding::Pkcs1v15`].
    #[must_use]
    pub fn new(profile: Profile, key: RsaPublicKey) -> Self {
        Self { key: Some(key), ..Self::shared_key_only(profile) }
    }

    /// A server without an RSA key, for clients that share a key with it.
    #[must_use]
    pub fn shared_key_only(profile: Profile) -> Self {
        Self {
            key: None,
            key_types: vec![KeyType::SecurIdAes],
            encryption_algorithms: profile.server_encryption.to_vec(),
            mac_algorithms: profile.mac_algorithms.to_vec(),
            profile,
        }
    }

    /// Makes keys of these types, in this order of preference, instead of SecurID's alone.
    #[must_use]
    pub fn key_types(mut self, types: &[KeyType]) -> Self {
        self.key_types = types.to_vec();
        self
    }

    /// Takes these algorithms to encrypt R_C with, in this order of preference.
    #[must_use]
    pub fn encryption_algorithms(mut self, algorithms: &[EncryptionAlgorithm]) -> Self {
        self.encryption_algorithms = algorithms.to_vec();
        self
    }

    /// Takes these MAC algorithms, in this order of preference.
    #[must_use]
    pub fn mac_algorithms(mut self, algorithms: &[Prf]) -> Self {
        self.mac_algorithms = algorithms.to_vec();
        self
    }
}

/// What a server knows of one client beyond its message: keys that both hold. Whoever keeps the keys
/// looks them up by the identifiers in `ClientHello`.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The name of a key shared with this token, if there is one.
    pub shared_key: Option<String>,
    /// K_AUTH of the key to be replaced, if this server may replace it.
    pub auth_key: Option<AuthKey>,
    /// The trigger's nonce in `ClientHello` is one this server gave out, for the identifiers beside
    /// it, and was not used before.
    pub trigger_is_valid: bool,
}

/// A server: a profile, the public half of its key, a policy. It keeps no session.
#[derive(Debug, Clone)]
pub struct Server {
    config: ServerConfig,
}

impl Server {
    /// A server of this configuration.
    #[must_use]
    pub const fn new(config: ServerConfig) -> Self {
        Self { config }
    }

    /// The dialect this server speaks.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.config.profile
    }

    /// Answers `ClientHello`: chooses algorithms, and draws R_S (16 octets) from `rng`.
    ///
    /// # Errors
    /// A [`Rejection`] that holds the answer to send instead.
    pub fn hello<R: TryCryptoRng + ?Sized>(
        &self,
        hello: &ClientHello,
        credentials: Credentials,
        rng: &mut R,
    ) -> Result<Offer, Rejection<ServerHello>> {
        self.offer(hello, credentials, rng).map_err(ServerError::hello)
    }

    fn offer<R: TryCryptoRng + ?Sized>(
        &self,
        hello: &ClientHello,
        credentials: Credentials,
        rng: &mut R,
    ) -> Result<Offer, ServerError> {
        if let Some(version) = hello.version.as_ref().filter(|version| !version.includes_1_0()) {
            return Err(ServerError::UnsupportedVersion(String::from(version.as_str())));
        }
        let profile = &self.config.profile;
        check_extensions(profile, &hello.extensions)?;
        if hello.trigger_nonce.is_some() && !credentials.trigger_is_valid {
            return Err(ServerError::AccessDenied);
        }
        let key_type =
            self.choose(&hello.key_types, &self.config.key_types, |kind, uri| kind.uri() == uri);
        let key_type = key_type.ok_or(ServerError::NoKeyType)?;
        let (encryption, encryption_key) = self.choose_key(hello, &credentials)?;
        let namespaces = profile.reading.namespaces;
        let prf = self
            .choose(&hello.mac_algorithms, &self.config.mac_algorithms, |prf, uri| {
                Prf::from_uri(uri, namespaces) == Some(prf)
            })
            .ok_or(ServerError::NoMacAlgorithm)?;

        // R284: a token named by the client alone, or by a client that only has our public key, is
        // anybody's word.
        let public = matches!(encryption.scheme(profile), Scheme::Rsa(_));
        if public && hello.token_id.is_some() && !credentials.trigger_is_valid {
            return Err(ServerError::AccessDenied);
        }

        let mut server_nonce = vec![0; NONCE];
        rng.try_fill_bytes(&mut server_nonce).map_err(|_| RandomnessFailed)?;
        let mac = match (&hello.key_id, &credentials.auth_key) {
            (None, _) => None,
            (Some(_), None) => return Err(ServerError::AccessDenied),
            (Some(_), Some(key)) => {
                Some(self.mac1(prf, key, hello.client_nonce.as_deref(), &server_nonce)?)
            }
        };
        Ok(Offer {
            profile: profile.clone(),
            pending: Pending {
                version: Version::V1_0,
                server_nonce,
                key_type,
                encryption,
                prf,
                encryption_key,
                auth_key: hello.key_id.as_ref().and(credentials.auth_key),
                token_id: hello.token_id.clone(),
                key_id: hello.key_id.clone(),
                grant: Grant::default(),
            },
            mac,
            echo: client_info(&hello.extensions),
        })
    }

    /// The first of the server's own choices that the client offers too, or the first of all where
    /// the dialect lets the client offer none.
    fn choose<A: Copy>(
        &self,
        offered: &[String],
        own: &[A],
        is: impl Fn(A, &str) -> bool,
    ) -> Option<A> {
        let none_named = offered.is_empty()
            && self.config.profile.reading.lets_pass(crate::Departure::MissingAlgorithms);
        own.iter()
            .copied()
            .find(|choice| none_named || offered.iter().any(|uri| is(*choice, uri.trim())))
    }

    /// The encryption algorithm, of those for which there is a key.
    fn choose_key(
        &self,
        hello: &ClientHello,
        credentials: &Credentials,
    ) -> Result<(EncryptionAlgorithm, EncryptionKey), ServerError> {
        let profile = &self.config.profile;
        let key_for = |algorithm: &EncryptionAlgorithm| match algorithm.scheme(profile) {
            Scheme::Rsa(_) => self.config.key.as_ref().map(|key| EncryptionKey::Rsa {
                modulus: key.modulus().to_vec(),
                exponent: key.exponent().to_vec(),
            }),
            Scheme::SharedKey(_) => credentials.shared_key.clone().map(EncryptionKey::Named),
        };
        let mut with_key = self.config.encryption_algorithms.clone();
        with_key.retain(|own| key_for(own).is_some());
        let chosen = self
            .choose(&hello.encryption_algorithms, &with_key, |algorithm, uri| {
                EncryptionAlgorithm::from_uri(uri, profile.reading.namespaces) == Some(algorithm)
            })
            .ok_or(ServerError::NoEncryptionAlgorithm)?;
        let key = key_for(&chosen).ok_or(ServerError::NoEncryptionAlgorithm)?;
        Ok((chosen, key))
    }

    fn mac1(
        &self,
        prf: Prf,
        key: &AuthKey,
        r: Option<&[u8]>,
        r_s: &[u8],
    ) -> Result<Mac, ServerError> {
        let profile = &self.config.profile;
        if !prf.takes_key_of(key.expose().len()) {
            return Err(ServerError::Internal(RandomnessFailed));
        }
        let value = derive::mac1(profile, prf, key.expose(), r, r_s)
            .map_err(|_| ServerError::Internal(RandomnessFailed))?;
        Ok(Mac { algorithm: Some(prf.uri(profile.mac_name_in_mac)), value })
    }

    /// Takes `ClientNonce` into the session it names, up to the private operation.
    ///
    /// # Errors
    /// A [`Rejection`] that holds the answer to send instead. The session is over then.
    pub fn nonce(
        &self,
        pending: Pending,
        nonce: ClientNonce,
    ) -> Result<Opening, Rejection<ServerFinished>> {
        let session_id = nonce.session_id.clone();
        self.open(pending, nonce).map_err(|error| error.finished(Some(session_id)))
    }

    fn open(&self, pending: Pending, nonce: ClientNonce) -> Result<Opening, ServerError> {
        let profile = &self.config.profile;
        if nonce.version.as_ref().is_some_and(|version| *version != pending.version) {
            return Err(ServerError::VersionChanged);
        }
        check_extensions(profile, &nonce.extensions)?;
        if profile.echo_server_nonce && !repeats(&nonce.extensions, &pending.server_nonce) {
            return Err(ServerError::NonceEcho);
        }
        let profile = profile.clone();
        Ok(Opening { profile, echo: client_info(&nonce.extensions), pending, nonce })
    }

    /// The answer to a `ClientNonce` whose session is not there: unknown, expired, failed or already
    /// finished, and the client does not learn which (R042). What is wrong with the message itself
    /// comes first.
    #[must_use]
    pub fn unknown_session(&self, nonce: &ClientNonce) -> Rejection<ServerFinished> {
        check_extensions(&self.config.profile, &nonce.extensions)
            .err()
            .unwrap_or(ServerError::UnknownSession)
            .finished(None)
    }
}

/// A server that has chosen. Keep [`Self::pending`] under a session identifier, then send
/// [`Self::into_hello`].
#[derive(Debug)]
pub struct Offer {
    profile: Profile,
    pending: Pending,
    mac: Option<Mac>,
    echo: Vec<Extension>,
}

impl Offer {
    /// Ties the session to what the client may have.
    #[must_use]
    pub fn grant(mut self, grant: Grant) -> Self {
        self.pending.grant = grant;
        self
    }

    /// What to keep until the second request, and the answer that still lacks its SessionID.
    #[must_use]
    pub fn into_parts(self) -> (Pending, UnnamedOffer) {
        let hello = UnnamedOffer { offer: self.pending.offer(&self.profile, self.mac, self.echo) };
        (self.pending, hello)
    }
}

/// A `ServerHello` that lacks its SessionID, which is given last: after the session was stored, or
/// sealed into its identifier.
#[derive(Debug)]
pub struct UnnamedOffer {
    offer: ServerOffer,
}

impl UnnamedOffer {
    /// The answer, under the identifier that the session was kept under.
    #[must_use]
    pub fn into_hello(self, session_id: SessionId) -> ServerHello {
        ServerHello::Continue(Box::new(ServerOffer { session_id, ..self.offer }))
    }
}

/// What a server keeps between the two requests.
#[derive(Debug)]
pub struct Pending {
    version: Version,
    server_nonce: Vec<u8>,
    key_type: KeyType,
    encryption: EncryptionAlgorithm,
    prf: Prf,
    encryption_key: EncryptionKey,
    auth_key: Option<AuthKey>,
    token_id: Option<Vec<u8>>,
    key_id: Option<Vec<u8>>,
    grant: Grant,
}

impl Pending {
    /// What the client may have.
    #[must_use]
    pub const fn granted(&self) -> &Grant {
        &self.grant
    }

    /// The key the client asked to replace, if it did.
    #[must_use]
    pub fn key_id(&self) -> Option<&[u8]> {
        self.key_id.as_deref()
    }

    /// The token the client named, if it did.
    #[must_use]
    pub fn token_id(&self) -> Option<&[u8]> {
        self.token_id.as_deref()
    }

    fn offer(&self, profile: &Profile, mac: Option<Mac>, echo: Vec<Extension>) -> ServerOffer {
        let mut extensions = echo;
        if profile.echo_server_nonce {
            let nonce = ExtensionKind::Untyped(Some(self.server_nonce.clone()));
            extensions.push(Extension::new(nonce));
        }
        ServerOffer {
            version: Some(self.version.clone()),
            session_id: SessionId::new(String::new()),
            key_type: Some(self.key_type.uri()),
            encryption_algorithm: Some(self.encryption.uri()),
            mac_algorithm: Some(self.prf.uri(profile.mac_name_selected)),
            encryption_key: self.encryption_key.clone(),
            server_nonce: self.server_nonce.clone(),
            extensions,
            mac,
        }
    }
}

/// A server that needs R_C. The private operation is a pause: it may happen in this process
/// ([`crate::crypto::NonceKey`]), in an HSM or in another process, and take its time.
#[derive(Debug)]
pub struct Opening {
    profile: Profile,
    pending: Pending,
    nonce: ClientNonce,
    echo: Vec<Extension>,
}

impl Opening {
    /// How R_C was encrypted.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.pending.encryption.scheme(&self.profile)
    }

    /// `EncryptedNonce`.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.nonce.encrypted_nonce
    }

    /// R_S, which the shared-key scheme needs.
    #[must_use]
    pub fn server_nonce(&self) -> &[u8] {
        &self.pending.server_nonce
    }

    /// The key that R_C was encrypted under.
    #[must_use]
    pub const fn encryption_key(&self) -> &EncryptionKey {
        &self.pending.encryption_key
    }

    /// What the client may have.
    #[must_use]
    pub const fn granted(&self) -> &Grant {
        &self.pending.grant
    }

    /// Goes on with the result of the private operation under the server's RSA key: derives K_TOKEN
    /// and MAC 2. For a run under a shared key see [`Self::complete_shared`].
    ///
    /// # Errors
    /// A [`Rejection`], the same for every cause: R_C did not decrypt, or is not 16 octets long
    /// (R069, R225).
    pub fn complete(
        self,
        r_c: Result<SecretNonce, DecryptFailed>,
    ) -> Result<Derived, Rejection<ServerFinished>> {
        let k = match &self.pending.encryption_key {
            EncryptionKey::Rsa { modulus, .. } => modulus.clone(),
            EncryptionKey::Named(_) => return Err(self.failed()),
        };
        self.derive(r_c, &k)
    }

    /// Goes on in the shared-secret variant: K_SHARED decrypts R_C and enters the derivation.
    ///
    /// # Errors
    /// As [`Self::complete`].
    pub fn complete_shared(
        self,
        k_shared: &SharedKey,
    ) -> Result<Derived, Rejection<ServerFinished>> {
        let Scheme::SharedKey(prf) = self.scheme() else { return Err(self.failed()) };
        let profile = &self.profile;
        let key = k_shared.expose();
        let r_c = Some(key)
            .filter(|key| prf.takes_key_of(key.len()))
            .and_then(|key| {
                derive::mask_nonce(profile, prf, key, self.server_nonce(), self.ciphertext()).ok()
            })
            .map(|octets| SecretNonce::new(octets.to_vec()))
            .ok_or(DecryptFailed);
        self.derive(r_c, key)
    }

    fn derive(
        self,
        r_c: Result<SecretNonce, DecryptFailed>,
        k: &[u8],
    ) -> Result<Derived, Rejection<ServerFinished>> {
        let profile = &self.profile;
        let Pending { prf, server_nonce, key_type, auth_key, .. } = &self.pending;
        let octets = key_type.octets();
        let keys = r_c.ok().filter(|r_c| r_c.expose().len() == NONCE).and_then(|r_c| {
            let key = derive::token_key(profile, *prf, &r_c, k, server_nonce, octets).ok()?;
            let k_auth = auth_key.as_ref().map_or_else(|| key.expose(), AuthKey::expose);
            let mac = derive::mac2(profile, *prf, k_auth, &r_c).ok()?;
            Some((key, mac))
        });
        match keys {
            Some((key, mac)) => {
                let Self { profile, pending, nonce, echo } = self;
                Ok(Derived { profile, pending, session_id: nonce.session_id, echo, key, mac })
            }
            None => Err(self.failed()),
        }
    }

    fn failed(self) -> Rejection<ServerFinished> {
        ServerError::Decrypt(DecryptFailed).finished(Some(self.nonce.session_id))
    }
}

/// A server that has K_TOKEN. Make it durable, then [`Self::finish`] with what was made durable.
#[derive(Debug)]
pub struct Derived {
    profile: Profile,
    pending: Pending,
    session_id: SessionId,
    echo: Vec<Extension>,
    key: TokenKey,
    mac: Vec<u8>,
}

impl Derived {
    /// K_TOKEN, to be stored before anything is answered.
    #[must_use]
    pub const fn key(&self) -> &TokenKey {
        &self.key
    }

    /// What the client may have.
    #[must_use]
    pub const fn granted(&self) -> &Grant {
        &self.pending.grant
    }

    /// MAC 2. Public once it is sent, and the same for a repeated request.
    #[must_use]
    pub fn mac(&self) -> &[u8] {
        &self.mac
    }

    /// The answer, from the record that the commit returned.
    #[must_use]
    pub fn finish(self, record: TokenRecord) -> ServerFinished {
        let profile = &self.profile;
        let mut record = record;
        record.extensions.extend(self.echo);
        ServerFinished::Success(Box::new(Confirmation {
            version: profile.finished_has_version.then(|| self.pending.version.clone()),
            session_id: Some(self.session_id),
            record,
            mac: Some(Mac {
                algorithm: Some(self.pending.prf.uri(profile.mac_name_in_mac)),
                value: self.mac,
            }),
        }))
    }

    /// The answer when the token could not be committed.
    #[must_use]
    pub fn refuse(self, status: Status) -> Rejection<ServerFinished> {
        ServerError::Refused(status).finished(Some(self.session_id))
    }
}

fn check_extensions(profile: &Profile, extensions: &[Extension]) -> Result<(), ServerError> {
    let unknown = extensions.iter().find_map(|extension| extension.unknown_critical(profile));
    unknown.map_or(Ok(()), |name| Err(ServerError::CriticalExtension(String::from(name))))
}

/// `ClientInfo` goes back unmodified in the next answer (R103).
fn client_info(extensions: &[Extension]) -> Vec<Extension> {
    let is_info = |extension: &&Extension| matches!(extension.kind, ExtensionKind::ClientInfo(_));
    extensions
        .iter()
        .filter(is_info)
        .map(|extension| Extension::new(extension.kind.clone()))
        .collect()
}

/// Whether the first untyped extension holds R_S.
fn repeats(extensions: &[Extension], server_nonce: &[u8]) -> bool {
    extensions
        .iter()
        .find_map(|extension| match &extension.kind {
            ExtensionKind::Untyped(data) => Some(data.as_deref().unwrap_or_default()),
            _ => None,
        })
        .is_some_and(|data| data.ct_eq(server_nonce).into())
}
