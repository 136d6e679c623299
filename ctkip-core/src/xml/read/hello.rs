//! `ClientHello` and `ServerHello`.

use super::decoder::{Children, Decoder, Vocabulary, required};
use super::extensions::In;
use super::{Element, fault};
use crate::message::{ClientHello, EncryptionKey, Refusal, ServerHello, ServerOffer, Status};
use crate::{Departure, MessageError, MessageErrorKind, SessionId};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

type Part<'d, 'a> = Option<Element<'d, 'a>>;

impl Decoder<'_> {
    pub(super) fn client_hello(
        &mut self,
        root: Element<'_, '_>,
    ) -> Result<ClientHello, MessageError> {
        let [version] = self.attributes(root, "ClientHello", ["Version"])?;
        let version = self.version(version)?;
        let [token_id, key_id, client_nonce, trigger_nonce, key_types, encryption, mac, extensions] =
            self.children(
                root,
                "ClientHello",
                [
                    "TokenID",
                    "KeyID",
                    "ClientNonce",
                    "TriggerNonce",
                    "SupportedKeyTypes",
                    "SupportedEncryptionAlgorithms",
                    "SupportedMACAlgorithms",
                    "Extensions",
                ],
            )?;
        Ok(ClientHello {
            version,
            token_id: token_id.map(|id| self.key_id(id, "TokenID")).transpose()?,
            key_id: key_id.map(|id| self.key_id(id, "KeyID")).transpose()?,
            client_nonce: client_nonce.map(|r| self.nonce(r, "ClientNonce")).transpose()?,
            trigger_nonce: trigger_nonce.map(|n| self.nonce(n, "TriggerNonce")).transpose()?,
            key_types: self.algorithms(key_types, "SupportedKeyTypes")?,
            encryption_algorithms: self.algorithms(encryption, "SupportedEncryptionAlgorithms")?,
            mac_algorithms: self.algorithms(mac, "SupportedMACAlgorithms")?,
            extensions: self.extensions(extensions, In::ClientHello)?,
        })
    }

    fn algorithms(
        &mut self,
        list: Part<'_, '_>,
        place: &'static str,
    ) -> Result<Vec<String>, MessageError> {
        let mut algorithms = Vec::new();
        if let Some(list) = list {
            let [] = self.attributes(list, place, [])?;
            for algorithm in self.repeated(list, place, "Algorithm")? {
                algorithms.push(self.uri(algorithm, "Algorithm")?);
            }
        }
        if algorithms.is_empty() {
            self.depart(Departure::MissingAlgorithms, place)?;
        }
        Ok(algorithms)
    }

    pub(super) fn server_hello(
        &mut self,
        root: Element<'_, '_>,
    ) -> Result<ServerHello, MessageError> {
        let names = ["Version", "SessionID", "Status"];
        let [version, session_id, status] = self.attributes(root, "ServerHello", names)?;
        let version = self.version(version)?;
        match Self::status(status)? {
            Status::Continue => {}
            Status::Success => self.depart(Departure::SuccessInHello, "Status")?,
            status => {
                if session_id.is_some() {
                    self.depart(Departure::ErrorWithContent, "SessionID")?;
                }
                let refusal = Refusal { version, status, session_id: None };
                return Ok(ServerHello::Refused(self.refusal(root, "ServerHello", refusal)?));
            }
        }
        let session_id = required(session_id.filter(|id| !id.is_empty()), "SessionID")?;
        let [key_type, encryption, mac_algorithm, key, payload, extensions, mac] = self.children(
            root,
            "ServerHello",
            [
                "KeyType",
                "EncryptionAlgorithm",
                "MacAlgorithm",
                "EncryptionKey",
                "Payload",
                "Extensions",
                "Mac",
            ],
        )?;
        Ok(ServerHello::Continue(Box::new(ServerOffer {
            version,
            session_id: SessionId::new(self.identifier(session_id, "SessionID")?),
            key_type: self.chosen(key_type, "KeyType")?,
            encryption_algorithm: self.chosen(encryption, "EncryptionAlgorithm")?,
            mac_algorithm: self.chosen(mac_algorithm, "MacAlgorithm")?,
            encryption_key: self.encryption_key(required(key, "EncryptionKey")?)?,
            server_nonce: self.payload(required(payload, "Payload")?)?,
            extensions: self.extensions(extensions, In::ServerHello)?,
            mac: mac.map(|mac| self.mac(mac)).transpose()?.flatten(),
        })))
    }

    fn chosen(
        &mut self,
        algorithm: Part<'_, '_>,
        place: &'static str,
    ) -> Result<Option<String>, MessageError> {
        if algorithm.is_none() {
            self.depart(Departure::MissingAlgorithms, place)?;
        }
        algorithm.map(|algorithm| self.uri(algorithm, place)).transpose()
    }

    fn payload(&mut self, payload: Element<'_, '_>) -> Result<Vec<u8>, MessageError> {
        let [] = self.attributes(payload, "Payload", [])?;
        let [nonce] = self.children(payload, "Payload", ["Nonce"])?;
        self.nonce(required(nonce, "Nonce")?, "Nonce")
    }

    /// Exactly one key, by name or by value (R092).
    fn encryption_key(&mut self, key: Element<'_, '_>) -> Result<EncryptionKey, MessageError> {
        let [_id] = self.attributes(key, "EncryptionKey", ["Id"])?;
        match self.signature(key, "EncryptionKey", ["KeyName", "KeyValue"])? {
            [Some(name), None] => {
                Ok(EncryptionKey::Named(String::from(self.text(name, "KeyName")?)))
            }
            [None, Some(value)] => self.rsa_key(value),
            [Some(_), Some(_)] => Err(fault(MessageErrorKind::Unexpected, "EncryptionKey")),
            [None, None] => Err(fault(MessageErrorKind::Missing, "EncryptionKey")),
        }
    }

    fn rsa_key(&mut self, value: Element<'_, '_>) -> Result<EncryptionKey, MessageError> {
        let [] = self.attributes(value, "KeyValue", [])?;
        let [rsa] = self.signature(value, "KeyValue", ["RSAKeyValue"])?;
        let rsa = required(rsa, "RSAKeyValue")?;
        let [] = self.attributes(rsa, "RSAKeyValue", [])?;
        let [modulus, exponent] = self.signature(rsa, "RSAKeyValue", ["Modulus", "Exponent"])?;
        Ok(EncryptionKey::Rsa {
            modulus: self.number(required(modulus, "Modulus")?, "Modulus")?,
            exponent: self.number(required(exponent, "Exponent")?, "Exponent")?,
        })
    }

    fn signature<'d, 'a, const N: usize>(
        &mut self,
        parent: Element<'d, 'a>,
        place: &'static str,
        names: [&'static str; N],
    ) -> Result<Children<'d, 'a, N>, MessageError> {
        self.children_of(Vocabulary::Signature, parent, place, names)
    }
}
