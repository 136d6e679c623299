//! Messages field by field, for people.

use super::{
    ClientHello, ClientNonce, Confirmation, EncryptionKey, Extension, ExtensionKind,
    InitializationTrigger, Mac, Message, OtpConfiguration, OtpMode, Platform, Refusal,
    ServerFinished, ServerHello, ServerOffer, Trigger, Version,
};
use crate::SessionId;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

/// The name of a field and its value, octets in hexadecimal. Text is as it was sent: whoever shows it
/// takes care of control characters.
pub type Field = (String, String);

impl Message {
    /// Everything the message says, in the order of the schema. What is absent has no field.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = Fields(Vec::new());
        match self {
            Self::Trigger(trigger) => fields.trigger(trigger),
            Self::ClientHello(hello) => fields.client_hello(hello),
            Self::ServerHello(ServerHello::Continue(offer)) => fields.offer(offer),
            Self::ClientNonce(nonce) => fields.client_nonce(nonce),
            Self::ServerFinished(ServerFinished::Success(success)) => fields.confirmation(success),
            Self::ServerHello(ServerHello::Refused(refusal))
            | Self::ServerFinished(ServerFinished::Refused(refusal)) => fields.refusal(refusal),
        }
        fields.0
    }
}

struct Fields(Vec<Field>);

impl Fields {
    fn text(&mut self, name: &str, value: Option<&str>) {
        self.0.extend(value.map(|value| (String::from(name), String::from(value))));
    }

    fn octets(&mut self, name: &str, value: Option<&[u8]>) {
        let value = value.map(|octets| format!("{} ({} octets)", hex(octets), octets.len()));
        self.text(name, value.as_deref());
    }

    fn head(&mut self, version: Option<&Version>, session_id: Option<&SessionId>) {
        self.text("Version", version.map(Version::as_str));
        self.text("SessionID", session_id.map(SessionId::as_str));
    }

    fn trigger(&mut self, trigger: &Trigger) {
        self.head(trigger.version.as_ref(), None);
        let Some(initialization) = &trigger.initialization else {
            return self
                .text("InitializationTrigger", Some("none; an element of another namespace"));
        };
        let InitializationTrigger { token_id, key_id, platform, trigger_nonce, url } =
            initialization;
        self.octets("TokenID", token_id.as_deref());
        self.octets("KeyID", key_id.as_deref());
        if let Some((key, algorithm)) = platform {
            self.text("KeyLocation", key.map(Platform::as_str));
            self.text("AlgorithmLocation", algorithm.map(Platform::as_str));
        }
        self.octets("TriggerNonce", Some(trigger_nonce));
        self.text("CT-KIPURL", url.as_deref());
    }

    fn client_hello(&mut self, hello: &ClientHello) {
        self.head(hello.version.as_ref(), None);
        self.octets("TokenID", hello.token_id.as_deref());
        self.octets("KeyID", hello.key_id.as_deref());
        self.octets("ClientNonce", hello.client_nonce.as_deref());
        self.octets("TriggerNonce", hello.trigger_nonce.as_deref());
        for (name, list) in [
            ("SupportedKeyTypes", &hello.key_types),
            ("SupportedEncryptionAlgorithms", &hello.encryption_algorithms),
            ("SupportedMACAlgorithms", &hello.mac_algorithms),
        ] {
            list.iter().for_each(|uri| self.text(name, Some(uri)));
        }
        self.extensions(&hello.extensions);
    }

    fn offer(&mut self, offer: &ServerOffer) {
        self.head(offer.version.as_ref(), Some(&offer.session_id));
        self.text("Status", Some("Continue"));
        self.text("KeyType", offer.key_type.as_deref());
        self.text("EncryptionAlgorithm", offer.encryption_algorithm.as_deref());
        self.text("MacAlgorithm", offer.mac_algorithm.as_deref());
        match &offer.encryption_key {
            EncryptionKey::Named(name) => self.text("KeyName", Some(name)),
            EncryptionKey::Rsa { modulus, exponent } => {
                self.octets("Modulus", Some(modulus));
                self.octets("Exponent", Some(exponent));
            }
        }
        self.octets("Nonce", Some(&offer.server_nonce));
        self.extensions(&offer.extensions);
        self.mac(offer.mac.as_ref());
    }

    fn client_nonce(&mut self, nonce: &ClientNonce) {
        self.head(nonce.version.as_ref(), Some(&nonce.session_id));
        self.octets("EncryptedNonce", Some(&nonce.encrypted_nonce));
        self.extensions(&nonce.extensions);
    }

    fn confirmation(&mut self, confirmation: &Confirmation) {
        let Confirmation { version, session_id, record, mac } = confirmation;
        self.head(version.as_ref(), session_id.as_ref());
        self.text("Status", Some("Success"));
        self.octets("TokenID", Some(&record.token_id));
        self.octets("KeyID", Some(&record.key_id));
        self.text("KeyExpiryDate", record.key_expiry.as_deref());
        self.text("ServiceID", record.service_id.as_deref());
        if let Some(logo) = &record.service_logo {
            let size = format!("{}, {} octets", logo.mime_type, logo.octets.len());
            self.text("ServiceLogo", Some(&size));
        }
        self.text("UserID", record.user_id.as_deref());
        self.extensions(&record.extensions);
        self.mac(mac.as_ref());
    }

    fn refusal(&mut self, refusal: &Refusal) {
        self.head(refusal.version.as_ref(), refusal.session_id.as_ref());
        self.text("Status", Some(refusal.status.as_str()));
    }

    fn mac(&mut self, mac: Option<&Mac>) {
        if let Some(mac) = mac {
            self.text("Mac MacAlgorithm", mac.algorithm.as_deref());
            self.octets("Mac", Some(&mac.value));
        }
    }

    fn extensions(&mut self, extensions: &[Extension]) {
        for extension in extensions {
            let critical = if extension.critical { ", critical" } else { "" };
            let (kind, data) = match &extension.kind {
                ExtensionKind::ClientInfo(data) => ("ClientInfo", Some(data)),
                ExtensionKind::ServerInfo(data) => ("ServerInfo", Some(data)),
                ExtensionKind::OtpConfiguration(_) => ("OTPKeyConfigurationData", None),
                ExtensionKind::Untyped(data) => ("without a type", data.as_ref()),
                ExtensionKind::Unknown(name) => (name.as_str(), None),
            };
            self.text("Extension", Some(&format!("{kind}{critical}")));
            self.octets("Data", data.map(Vec::as_slice));
            if let ExtensionKind::OtpConfiguration(otp) = &extension.kind {
                self.otp_configuration(otp);
            }
        }
    }

    fn otp_configuration(&mut self, otp: &OtpConfiguration) {
        self.text("OTPFormat", otp.format.as_deref());
        self.text("OTPLength", otp.length.as_deref());
        for mode in &otp.modes {
            let mode = match mode {
                OtpMode::Time(None) => String::from("Time"),
                OtpMode::Time(Some(interval)) => format!("Time, TimeInterval {interval}"),
                OtpMode::Counter => String::from("Counter"),
                OtpMode::Challenge => String::from("Challenge"),
                OtpMode::Foreign(name) => name.to_string(),
            };
            self.text("OTPMode", Some(&mode));
        }
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len().saturating_mul(2)), |mut text, octet| {
        // Writing to a String does not fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}
