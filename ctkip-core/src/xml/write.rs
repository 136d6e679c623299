//! From messages to text. What is written, and in which order, is said here, once; a layout only
//! says how it looks.

mod layout;
mod recorded;
mod schema;
#[cfg(test)]
mod tests;

use self::layout::{Part, Writer};
use crate::message::{
    ClientHello, ClientNonce, Confirmation, EncryptionKey, Extension, ExtensionKind,
    InitializationTrigger, Mac, Message, OtpConfiguration, OtpMode, Platform, Refusal,
    ServerFinished, ServerHello, ServerOffer, Trigger, Version,
};
use crate::{Layout, MacAlgorithmPlace, Profile, SessionId, UntypedExtension};
use alloc::format;
use alloc::string::String;

/// Writes a message in the layout of its dialect, as UTF-8 without byte order mark.
///
/// Characters that XML 1.0 does not allow at all, such as most control characters, are written as
/// U+FFFD. Of extensions of unknown type the type is written and nothing else.
#[must_use]
pub fn write(message: &Message, profile: &Profile) -> String {
    let style = match (profile.layout, message) {
        (Layout::Schema, _) => &schema::STYLE,
        (Layout::Recorded, Message::ClientHello(_)) => &recorded::CLIENT_HELLO,
        (Layout::Recorded, Message::ClientNonce(_)) => &recorded::CLIENT_NONCE,
        (Layout::Recorded, _) => &recorded::SERVER,
    };
    let namespace = match message {
        Message::ClientHello(_) | Message::ClientNonce(_) => profile.client_namespace,
        _ => profile.server_namespace,
    };
    let mut writer = Writer::new(style, profile, namespace);
    match message {
        Message::Trigger(trigger) => writer.trigger(trigger),
        Message::ClientHello(hello) => writer.client_hello(hello),
        Message::ServerHello(ServerHello::Continue(offer)) => writer.offer(offer),
        Message::ServerHello(ServerHello::Refused(refusal)) => {
            writer.refusal("ServerHello", refusal);
        }
        Message::ClientNonce(nonce) => writer.client_nonce(nonce),
        Message::ServerFinished(ServerFinished::Success(confirmation)) => {
            writer.confirmation(confirmation);
        }
        Message::ServerFinished(ServerFinished::Refused(refusal)) => {
            writer.refusal("ServerFinished", refusal);
        }
    }
    writer.finish(message.name())
}

impl Writer<'_> {
    fn trigger(&mut self, trigger: &Trigger) {
        self.root("CT-KIPTrigger", &[("Version", trigger.version.as_ref().map(Version::as_str))]);
        let Some(initialization) = &trigger.initialization else { return };
        let InitializationTrigger { token_id, key_id, platform, trigger_nonce, url } =
            initialization;
        self.open(Part::Parent, "InitializationTrigger", &[]);
        self.octets("TokenID", token_id.as_deref());
        self.octets("KeyID", key_id.as_deref());
        if let Some((key, algorithm)) = platform {
            let locations = [
                ("KeyLocation", key.map(Platform::as_str)),
                ("AlgorithmLocation", algorithm.map(Platform::as_str)),
            ];
            self.empty(Part::Child, "TokenPlatformInfo", &locations);
        }
        self.octets("TriggerNonce", Some(trigger_nonce));
        self.text("CT-KIPURL", url.as_deref());
        self.close("InitializationTrigger");
    }

    fn client_hello(&mut self, hello: &ClientHello) {
        self.root("ClientHello", &[("Version", hello.version.as_ref().map(Version::as_str))]);
        self.octets("TokenID", hello.token_id.as_deref());
        self.octets("KeyID", hello.key_id.as_deref());
        self.octets("ClientNonce", hello.client_nonce.as_deref());
        self.octets("TriggerNonce", hello.trigger_nonce.as_deref());
        self.algorithms("SupportedKeyTypes", &hello.key_types);
        self.algorithms("SupportedEncryptionAlgorithms", &hello.encryption_algorithms);
        self.algorithms("SupportedMACAlgorithms", &hello.mac_algorithms);
        self.extensions(&hello.extensions);
    }

    fn algorithms(&mut self, name: &str, algorithms: &[String]) {
        if algorithms.is_empty() {
            return;
        }
        self.open(Part::Child, name, &[]);
        for algorithm in algorithms {
            let attributes = [("xsi:type", self.style.algorithm_type)];
            self.leaf(Part::Inner, "Algorithm", &attributes, algorithm);
        }
        self.close(name);
    }

    fn offer(&mut self, offer: &ServerOffer) {
        self.response("ServerHello", Some(&offer.session_id), "Continue", offer.version.as_ref());
        self.text("KeyType", offer.key_type.as_deref());
        self.text("EncryptionAlgorithm", offer.encryption_algorithm.as_deref());
        let place = self.profile.mac_algorithm_place;
        if place == MacAlgorithmPlace::AfterEncryptionAlgorithm {
            self.text("MacAlgorithm", offer.mac_algorithm.as_deref());
        }
        self.encryption_key(&offer.encryption_key);
        self.open(Part::Parent, "Payload", &[]);
        self.octets("Nonce", Some(&offer.server_nonce));
        self.close("Payload");
        self.extensions(&offer.extensions);
        self.mac(offer.mac.as_ref());
        if place == MacAlgorithmPlace::Last {
            self.text("MacAlgorithm", offer.mac_algorithm.as_deref());
        }
    }

    fn encryption_key(&mut self, key: &EncryptionKey) {
        self.open(Part::Key, "EncryptionKey", &[]);
        match key {
            EncryptionKey::Named(name) => self.leaf(Part::Inner, "ds:KeyName", &[], name),
            EncryptionKey::Rsa { modulus, exponent } => {
                self.open(Part::KeyValue, "ds:KeyValue", &[]);
                self.open(Part::KeyValue, "ds:RSAKeyValue", &[]);
                self.base64(Part::Inner, "ds:Modulus", &[], modulus);
                self.base64(Part::Inner, "ds:Exponent", &[], exponent);
                self.close("ds:RSAKeyValue");
                self.close("ds:KeyValue");
            }
        }
        self.close("EncryptionKey");
    }

    fn client_nonce(&mut self, nonce: &ClientNonce) {
        let attributes = [
            ("Version", nonce.version.as_ref().map(Version::as_str)),
            ("SessionID", Some(nonce.session_id.as_str())),
        ];
        self.root("ClientNonce", &attributes);
        self.octets("EncryptedNonce", Some(&nonce.encrypted_nonce));
        self.extensions(&nonce.extensions);
    }

    fn confirmation(&mut self, confirmation: &Confirmation) {
        let Confirmation { version, session_id, record, mac } = confirmation;
        self.response("ServerFinished", session_id.as_ref(), "Success", version.as_ref());
        self.octets("TokenID", Some(&record.token_id));
        self.octets("KeyID", Some(&record.key_id));
        self.text("KeyExpiryDate", record.key_expiry.as_deref());
        self.text("ServiceID", record.service_id.as_deref());
        if let Some(logo) = &record.service_logo {
            let attributes = [("MimeType", Some(logo.mime_type.as_str()))];
            self.base64(Part::Child, "ServiceLogo", &attributes, &logo.octets);
        }
        self.text("UserID", record.user_id.as_deref());
        self.extensions(&record.extensions);
        self.mac(mac.as_ref());
    }

    fn refusal(&mut self, root: &str, refusal: &Refusal) {
        let Refusal { version, status, session_id } = refusal;
        self.response(root, session_id.as_ref(), status.as_str(), version.as_ref());
    }

    fn response(
        &mut self,
        root: &str,
        session_id: Option<&SessionId>,
        status: &str,
        version: Option<&Version>,
    ) {
        let attributes = [
            ("SessionID", session_id.map(SessionId::as_str)),
            ("Status", Some(status)),
            ("Version", version.map(Version::as_str)),
        ];
        self.root(root, &attributes);
    }

    fn mac(&mut self, mac: Option<&Mac>) {
        if let Some(Mac { algorithm, value }) = mac {
            self.base64(Part::Mac, "Mac", &[("MacAlgorithm", algorithm.as_deref())], value);
        }
    }

    fn extensions(&mut self, extensions: &[Extension]) {
        if extensions.is_empty() {
            return;
        }
        self.open(Part::Parent, "Extensions", &[]);
        for extension in extensions {
            self.extension(extension);
            self.close("Extension");
        }
        self.close("Extensions");
    }

    /// An extension up to its end tag.
    fn extension(&mut self, extension: &Extension) {
        let critical = ("Critical", extension.critical.then_some("true"));
        match &extension.kind {
            ExtensionKind::ClientInfo(data) => {
                let attributes = [critical, ("xsi:type", Some("ct-kip:ClientInfoType"))];
                self.open(Part::Typed, "Extension", &attributes);
                self.base64(Part::Inner, "Data", &[], data);
            }
            ExtensionKind::ServerInfo(data) => {
                let attributes = [critical, ("xsi:type", Some("ct-kip:ServerInfoType"))];
                self.open(Part::Typed, "Extension", &attributes);
                self.base64(Part::Inner, "Data", &[], data);
            }
            ExtensionKind::OtpConfiguration(otp) => {
                let name = "ct-kip:OTPKeyConfigurationDataType";
                match self.profile.untyped_extension {
                    UntypedExtension::OtpConfiguration => {
                        self.open(Part::UntypedOtp, "Extension", &[critical]);
                    }
                    UntypedExtension::Unknown => {
                        let attributes = [critical, ("xsi:type", Some(name))];
                        self.open(Part::Typed, "Extension", &attributes);
                    }
                }
                self.otp_configuration(otp);
            }
            ExtensionKind::Untyped(data) => {
                self.open(Part::Untyped, "Extension", &[critical]);
                if let Some(data) = data {
                    self.base64(Part::Inner, "Data", &[], data);
                }
            }
            ExtensionKind::Unknown(name) => {
                let (namespace, name) = prefixed(name);
                let attributes = [critical, ("xmlns:x", namespace), ("xsi:type", Some(&name))];
                self.open(Part::Typed, "Extension", &attributes);
            }
        }
    }

    fn otp_configuration(&mut self, otp: &OtpConfiguration) {
        for (name, value) in [("OTPFormat", &otp.format), ("OTPLength", &otp.length)] {
            if let Some(value) = value {
                self.leaf(Part::Inner, name, &[], value);
            }
        }
        if otp.modes.is_empty() {
            return;
        }
        self.open(Part::Mode, "OTPMode", &[]);
        for mode in &otp.modes {
            match mode {
                OtpMode::Time(interval) => {
                    self.empty(Part::Mode, "Time", &[("TimeInterval", interval.as_deref())]);
                }
                OtpMode::Counter => self.empty(Part::Mode, "Counter", &[]),
                OtpMode::Challenge => self.empty(Part::Mode, "Challenge", &[]),
                OtpMode::Foreign(name) => {
                    let (namespace, name) = prefixed(name);
                    self.empty(Part::Inner, &name, &[("xmlns:x", namespace)]);
                }
            }
        }
        self.close("OTPMode");
    }

    /// A child with text, if there is one.
    fn text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.leaf(Part::Child, name, &[], text);
        }
    }

    /// A child with octets, if there are any to write.
    fn octets(&mut self, name: &str, octets: Option<&[u8]>) {
        if let Some(octets) = octets {
            self.base64(Part::Child, name, &[], octets);
        }
    }
}

/// The namespace that the prefix xml stands for, and no other does.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// `{namespace}name` as a namespace to bind to the prefix x, and `x:name`; a name without namespace
/// as it is. A namespace may hold braces, a name may not.
fn prefixed(name: &str) -> (Option<&str>, String) {
    match name.strip_prefix('{').and_then(|name| name.rsplit_once('}')) {
        // No other prefix may be bound to this one.
        Some((XML, local)) => (None, format!("xml:{local}")),
        Some((namespace, local)) => (Some(namespace), format!("x:{local}")),
        None => (None, String::from(name)),
    }
}
