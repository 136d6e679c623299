//! What a server chooses of what a client offers. Its own order of preference decides, so the order
//! of the client's lists means nothing (R046).

use super::{Credentials, ServerConfig, ServerError};
use crate::crypto::Scheme;
use crate::message::{ClientHello, EncryptionKey};
use crate::{AuthKey, Departure, EncryptionAlgorithm, KeyType, Prf};
use alloc::string::String;
use alloc::vec::Vec;

impl ServerConfig {
    pub(super) fn key_type(&self, hello: &ClientHello) -> Result<KeyType, ServerError> {
        let is = |kind: KeyType, uri: &str| kind.uri() == uri;
        self.choose(&hello.key_types, &self.key_types, is).ok_or(ServerError::NoKeyType)
    }

    /// The encryption algorithm, of those for which there is a key, and the key.
    pub(super) fn encryption(
        &self,
        hello: &ClientHello,
        credentials: &Credentials,
    ) -> Result<(EncryptionAlgorithm, EncryptionKey), ServerError> {
        let key_for = |algorithm: EncryptionAlgorithm| match algorithm.scheme(&self.profile) {
            Scheme::Rsa(_) => {
                credentials.rsa_key.as_ref().or(self.key.as_ref()).map(|key| EncryptionKey::Rsa {
                    modulus: key.modulus().to_vec(),
                    exponent: key.exponent().to_vec(),
                })
            }
            Scheme::SharedKey(_) => credentials.shared_key.clone().map(EncryptionKey::Named),
        };
        let namespaces = self.profile.reading.namespaces;
        let choose = |own: &[EncryptionAlgorithm]| {
            let chosen = self.choose(&hello.encryption_algorithms, own, |algorithm, uri| {
                EncryptionAlgorithm::from_uri(uri, namespaces) == Some(algorithm)
            })?;
            Some((chosen, key_for(chosen)?))
        };
        let mut own = self.encryption_algorithms.clone();
        own.retain(|algorithm| key_for(*algorithm).is_some());
        let chosen = choose(&own).ok_or(ServerError::NoEncryptionAlgorithm)?;

        // A token named without a trigger is anybody's word, unless the run takes a key that only
        // the token has (R284, E30).
        if hello.token_id.is_some()
            && !(hello.trigger_nonce.is_some() && credentials.trigger_is_valid)
        {
            own.retain(|algorithm| matches!(algorithm.scheme(&self.profile), Scheme::SharedKey(_)));
            return choose(&own).ok_or(ServerError::AccessDenied);
        }
        Ok(chosen)
    }

    /// The MAC algorithm, of those that take the key which MAC 2 will be made with (E09).
    pub(super) fn mac_algorithm(
        &self,
        hello: &ClientHello,
        key_type: KeyType,
        k_auth: Option<&AuthKey>,
    ) -> Result<Prf, ServerError> {
        let octets = k_auth.map_or_else(|| key_type.octets(), |key| key.expose().len());
        let own = self.mac_algorithms.iter().copied().filter(|prf| prf.takes_key_of(octets));
        let own: Vec<Prf> = own.collect();
        let namespaces = self.profile.reading.namespaces;
        let is = |prf: Prf, uri: &str| Prf::from_uri(uri, namespaces) == Some(prf);
        self.choose(&hello.mac_algorithms, &own, is).ok_or(ServerError::NoMacAlgorithm)
    }

    /// The first of the server's own choices that the client offers too, or the first of all where
    /// the dialect lets the client offer none.
    fn choose<A: Copy>(
        &self,
        offered: &[String],
        own: &[A],
        is: impl Fn(A, &str) -> bool,
    ) -> Option<A> {
        let any =
            offered.is_empty() && self.profile.reading.lets_pass(Departure::MissingAlgorithms);
        own.iter().copied().find(|choice| any || offered.iter().any(|uri| is(*choice, uri)))
    }
}
