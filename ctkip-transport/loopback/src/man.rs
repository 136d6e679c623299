//! The two men in the middle that a good MAC is no protection against, or just enough.

use crate::{Onward, fault};
use base64::prelude::{BASE64_STANDARD, Engine};
use ctkip_core::crypto::{NonceKey, RsaPrivateKey, RsaPublicKey, Scheme};
use ctkip_core::message::{
    ClientNonce, EncryptionKey, Message, ServerFinished, ServerHello, ServerOffer,
};
use ctkip_core::wire::{WireRequest, WireResponse, soap};
use ctkip_core::{EncryptionAlgorithm, KeyType, Prf, Profile, TokenKey, derive, xml};
use rand_core::TryCryptoRng;

/// Somebody who swaps the server's RSA key for his own, reads R_C, and encrypts it again for the
/// server, so that both sides go on.
///
/// If he leaves it at that, the MAC gives him away: client and server derive K_TOKEN from different
/// moduli. If he [recomputes the MAC](Self::recomputing_mac), which he can since he knows R_C, the
/// client takes it, and has a token that he can copy and the server does not know. Only TLS or a
/// pinned key ([`ctkip_core::ClientConfig::pin_server_key`]) is proof against that.
///
/// ```
/// # use ctkip_core::{Client, ClientConfig, Profile, crypto::RsaPrivateKey, service::ServerBinding, wire::Binding};
/// # use ctkip_transport::Run;
/// # use ctkip_transport_loopback::*;
/// # use getrandom::SysRng;
/// # let key = || RsaPrivateKey::generate(2048, &mut SysRng).unwrap();
/// # let issuer = MemoryIssuer::new(Enrolment::new("000123456789"));
/// # let service = service(Profile::RFC4758, ServerBinding::Plain, key(), issuer);
/// let mut man = ManInTheMiddle::new(Profile::RFC4758, key(), SysRng);
/// let mut transport = Loopback::new(&service, SysRng).man(|request, onward| man.carry(request, onward));
/// let client = Client::new(ClientConfig::new(Profile::RFC4758));
/// let error = Run::new(client, Binding::Plain).over(&mut transport, &mut SysRng).unwrap_err();
/// assert_eq!(error.to_string(), "the server's MAC is missing or wrong");
/// ```
#[derive(Debug)]
pub struct ManInTheMiddle<R> {
    profile: Profile,
    key: RsaPrivateKey,
    recomputes: bool,
    rng: R,
    offer: Option<ServerOffer>,
    clients: Option<(TokenKey, Vec<u8>)>,
}

impl<R: TryCryptoRng> ManInTheMiddle<R> {
    /// A man with a key of his own, who forwards the server's MAC.
    #[must_use]
    pub const fn new(profile: Profile, key: RsaPrivateKey, rng: R) -> Self {
        Self { profile, key, recomputes: false, rng, offer: None, clients: None }
    }

    /// Makes MAC 2 himself.
    #[must_use]
    pub const fn recomputing_mac(mut self) -> Self {
        self.recomputes = true;
        self
    }

    /// The key that the client made, once he has seen its `ClientNonce`.
    #[must_use]
    pub fn client_key(&self) -> Option<&TokenKey> {
        self.clients.as_ref().map(|(key, _)| key)
    }

    /// Carries a request, for [`crate::Loopback::man`]. What he does not understand he leaves alone.
    pub fn carry(&mut self, request: &WireRequest, onward: &mut Onward<'_>) -> WireResponse {
        let mut request = fault::copy(request);
        if let Some(Message::ClientNonce(mut nonce)) = self.read(&request.body)
            && self.open(&mut nonce).is_some()
        {
            self.rewrite(&mut request.body, &Message::ClientNonce(nonce));
        }
        let mut response = onward(&request);
        match (self.read(&response.body), &self.clients) {
            (Some(Message::ServerHello(ServerHello::Continue(mut offer))), _) => {
                self.offer = Some((*offer).clone());
                offer.encryption_key = EncryptionKey::Rsa {
                    modulus: self.key.public().modulus().to_vec(),
                    exponent: self.key.public().exponent().to_vec(),
                };
                let hello = ServerHello::Continue(offer);
                self.rewrite(&mut response.body, &Message::ServerHello(hello));
            }
            (
                Some(Message::ServerFinished(ServerFinished::Success(mut confirmation))),
                Some((_, mac2)),
            ) if self.recomputes => {
                if let Some(mac) = &mut confirmation.mac {
                    mac.value.clone_from(mac2);
                }
                let finished = ServerFinished::Success(confirmation);
                self.rewrite(&mut response.body, &Message::ServerFinished(finished));
            }
            _ => {}
        }
        response
    }

    /// Reads R_C, derives what the client derives of it, and encrypts it for the server.
    fn open(&mut self, nonce: &mut ClientNonce) -> Option<()> {
        let Self { profile, key, rng, offer, .. } = self;
        let offer = offer.as_ref()?;
        let namespaces = profile.reading.namespaces;
        let encryption =
            EncryptionAlgorithm::from_uri(offer.encryption_algorithm.as_deref()?, namespaces)?;
        let prf = Prf::from_uri(offer.mac_algorithm.as_deref()?, namespaces)?;
        let EncryptionKey::Rsa { modulus, exponent } = &offer.encryption_key else { return None };
        let scheme = encryption.scheme(profile);
        let Scheme::Rsa(padding) = scheme else { return None };

        let r_s = &offer.server_nonce;
        let r_c = key.decrypt(scheme, r_s, &nonce.encrypted_nonce, rng).ok()?;
        let k = key.public().modulus();
        let octets = KeyType::SecurIdAes.octets();
        let client_key = derive::token_key(profile, prf, &r_c, k, r_s, octets).ok()?;
        let mac2 = derive::mac2(profile, prf, client_key.expose(), &r_c).ok()?;
        let servers = RsaPublicKey::new(modulus, exponent).ok()?;
        nonce.encrypted_nonce = servers.encrypt(padding, &r_c, rng).ok()?;
        self.clients = Some((client_key, mac2));
        Some(())
    }

    fn read(&self, body: &[u8]) -> Option<Message> {
        let pdu = soap::message(body).unwrap_or_else(|_| body.to_vec());
        xml::read(&pdu, &self.profile).ok().map(|read| read.message)
    }

    /// Puts another message in the place of the one in a body, whatever stands around it.
    fn rewrite(&self, body: &mut Vec<u8>, message: &Message) {
        let new = xml::write(message, &self.profile);
        *body = match soap::message(body) {
            Ok(old) => String::from_utf8_lossy(body)
                .replace(&BASE64_STANDARD.encode(old), &BASE64_STANDARD.encode(new))
                .into_bytes(),
            Err(_) => new.into_bytes(),
        };
    }
}
