//! A dialect of CT-KIP as a value. This is the only file that knows how dialects differ.

use crate::crypto::Padding;
use crate::{EncryptionAlgorithm, Namespace, Prf};

/// Everything in which dialects of CT-KIP differ: RFC 4758 is [`Profile::RFC4758`], what RSA's
/// SecurID software speaks is [`Profile::SECURID`]. The evidence for each knob stands in
/// `docs/profile.md`. How messages are carried (SOAP, plain HTTP) is no part of it: that is a
/// binding.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// What users call it.
    pub name: &'static str,
    /// The namespace of the roots the client sends.
    pub client_namespace: Namespace,
    /// The namespace of the roots the server sends.
    pub server_namespace: Namespace,
    /// How messages are written.
    pub layout: Layout,
    /// Where `MacAlgorithm` stands in `ServerHello`.
    pub mac_algorithm_place: MacAlgorithmPlace,
    /// Whether `ServerFinished` carries Version.
    pub finished_has_version: bool,
    /// Whether the server repeats R_S in an untyped extension of `ServerHello`, the client sends it
    /// back in `ClientNonce`, and the server insists on that.
    pub echo_server_nonce: bool,
    /// What an extension without a type means in `ServerFinished`.
    pub untyped_extension: UntypedExtension,
    /// The namespace that begins the PRF's name where the client offers it as MAC algorithm.
    pub mac_name_offered: Namespace,
    /// The namespace that begins its name in `ServerHello`'s `MacAlgorithm`.
    pub mac_name_selected: Namespace,
    /// The namespace that begins its name in the attribute of `Mac`.
    pub mac_name_in_mac: Namespace,
    /// The order of the inputs that K_TOKEN is derived from.
    pub key_input: KeyInput,
    /// Where the PRF puts the number of the block.
    pub counter: Counter,
    /// The labels of the two MACs.
    pub mac_labels: MacLabels,
    /// The length of the two MACs.
    pub mac_length: MacLength,
    /// What the name `xmlenc#rsa-1_5` means.
    pub rsa_1_5: Rsa15,
    /// How a client offers to encrypt R_C, unless told otherwise, in its order of preference.
    pub client_encryption: &'static [EncryptionAlgorithm],
    /// How a server takes R_C encrypted, unless told otherwise, in its order of preference.
    pub server_encryption: &'static [EncryptionAlgorithm],
    /// The MAC algorithms of both, unless told otherwise, in their order of preference.
    pub mac_algorithms: &'static [Prf],
    /// The smallest RSA key a client accepts unless told otherwise, in bits, counted in whole octets
    /// of the modulus.
    pub min_key_bits: usize,
    /// What a reader lets pass, and its limits.
    pub reading: Reading,
}

impl Profile {
    /// RFC 4758 to the letter when sending; receiving is lenient ([`Reading::LENIENT`]).
    pub const RFC4758: Self = Self {
        name: "rfc4758",
        client_namespace: Namespace::Rfc4758,
        server_namespace: Namespace::Rfc4758,
        layout: Layout::Schema,
        mac_algorithm_place: MacAlgorithmPlace::AfterEncryptionAlgorithm,
        finished_has_version: true,
        echo_server_nonce: false,
        untyped_extension: UntypedExtension::Unknown,
        mac_name_offered: Namespace::Rfc4758,
        mac_name_selected: Namespace::Rfc4758,
        mac_name_in_mac: Namespace::Rfc4758,
        key_input: KeyInput::LabelFirst,
        counter: Counter::Prefix,
        mac_labels: MacLabels::SmallC,
        mac_length: MacLength::AsNonce,
        rsa_1_5: Rsa15::Pkcs1v15,
        client_encryption: &[EncryptionAlgorithm::RsaOaep, EncryptionAlgorithm::Rsa15],
        // Without `rsa-1_5`, for the reason given at `Padding::Pkcs1v15`.
        server_encryption: &[
            EncryptionAlgorithm::RsaOaep,
            EncryptionAlgorithm::SharedKey(Prf::Aes),
            EncryptionAlgorithm::SharedKey(Prf::Sha256),
        ],
        mac_algorithms: &[Prf::Aes, Prf::Sha256],
        min_key_bits: 2048,
        reading: Reading::LENIENT,
    };

    /// What RSA's SecurID clients and servers speak (`docs/spec/deployed-profile.md`).
    pub const SECURID: Self = Self {
        name: "securid",
        client_namespace: Namespace::Draft2005_11,
        server_namespace: Namespace::Rfc4758,
        layout: Layout::Recorded,
        mac_algorithm_place: MacAlgorithmPlace::Last,
        finished_has_version: false,
        echo_server_nonce: true,
        untyped_extension: UntypedExtension::OtpConfiguration,
        mac_name_offered: Namespace::Draft2005_11,
        mac_name_selected: Namespace::Draft2005_11,
        mac_name_in_mac: Namespace::Rfc4758,
        key_input: KeyInput::KeyFirst,
        counter: Counter::Suffix,
        mac_labels: MacLabels::CapitalC,
        mac_length: MacLength::Octets(16),
        rsa_1_5: Rsa15::OaepSha1,
        client_encryption: &[EncryptionAlgorithm::Rsa15],
        server_encryption: &[EncryptionAlgorithm::Rsa15],
        mac_algorithms: &[Prf::Aes],
        min_key_bits: 1024,
        reading: Reading::SECURID,
    };

    /// The padding that the name `xmlenc#rsa-1_5` means here.
    #[must_use]
    pub const fn rsa_1_5_padding(&self) -> Padding {
        match self.rsa_1_5 {
            Rsa15::Pkcs1v15 => Padding::Pkcs1v15,
            Rsa15::OaepSha1 => Padding::OaepSha1,
        }
    }
}

/// How messages are laid out as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// The prefix form, valid by RFC 4758's schema: a prefixed root, children in no namespace.
    Schema,
    /// Octet for octet what deployed clients and servers exchange, who compare text.
    Recorded,
}

/// Where `MacAlgorithm` stands in `ServerHello`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MacAlgorithmPlace {
    /// Third, as in RFC 4758's schema.
    AfterEncryptionAlgorithm,
    /// After the extensions.
    Last,
}

/// What an extension without `xsi:type` means in `ServerFinished`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UntypedExtension {
    /// Nothing: ignored, or fatal when critical.
    Unknown,
    /// The OTP configuration, whether critical or not; the first one counts.
    OtpConfiguration,
}

/// The order of the PRF's input when K_TOKEN is derived. k is the key R_C was encrypted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyInput {
    /// "Key generation" ‖ k ‖ R_S (RFC 4758 section 3.5).
    LabelFirst,
    /// k ‖ "Key generation" ‖ R_S.
    KeyFirst,
}

/// Where the PRF puts the four octets of the block number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Counter {
    /// Before s (RFC 4758 appendix D).
    Prefix,
    /// After s.
    Suffix,
}

/// The labels of MAC 1 and MAC 2, ASCII without terminator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MacLabels {
    /// "MAC 1 computation" and "MAC 2 computation" (RFC 4758).
    SmallC,
    /// "MAC 1 Computation" and "MAC 2 Computation".
    CapitalC,
}

impl MacLabels {
    pub(crate) const fn mac1(self) -> &'static [u8] {
        match self {
            Self::SmallC => b"MAC 1 computation",
            Self::CapitalC => b"MAC 1 Computation",
        }
    }

    pub(crate) const fn mac2(self) -> &'static [u8] {
        match self {
            Self::SmallC => b"MAC 2 computation",
            Self::CapitalC => b"MAC 2 Computation",
        }
    }
}

/// The length of the MACs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MacLength {
    /// MAC 1 as long as R_S, MAC 2 as long as R_C (RFC 4758 sections 3.8.4 and 3.8.6).
    AsNonce,
    /// So many octets, whatever the nonces.
    Octets(usize),
}

impl MacLength {
    pub(crate) const fn octets(self, nonce: usize) -> usize {
        match self {
            Self::AsNonce => nonce,
            Self::Octets(octets) => octets,
        }
    }
}

/// What the name `xmlenc#rsa-1_5` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rsa15 {
    /// What it says: RSAES-PKCS1-v1_5.
    Pkcs1v15,
    /// RSAES-OAEP with SHA-1.
    OaepSha1,
}

/// What a reader of messages lets pass, and how much it takes. A reader relaxes form and nothing
/// else: what a policy does not name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// What users call it.
    pub name: &'static str,
    /// The namespaces a root may be in.
    pub namespaces: &'static [Namespace],
    /// The departures from RFC 4758 that are let pass.
    pub tolerates: &'static [Departure],
    /// The longest nonce, in octets. The shortest is 16 for every reader.
    pub max_nonce: usize,
    /// The longest SessionID, ServiceID and UserID, in octets.
    pub max_identifier: usize,
    /// The longest SessionID, ServiceID and UserID, in characters: prose and schema of RFC 4758
    /// count differently (E11).
    pub max_identifier_characters: usize,
    /// The longest TokenID and KeyID, in octets; those of 64 octets must pass (R056).
    pub max_key_id: usize,
    /// The longest message, in octets.
    pub max_message: usize,
    /// The URL schemes that a trigger may name (R129), in lower case.
    pub url_schemes: &'static [&'static str],
}

impl Reading {
    /// Takes only what the prose and the schema of RFC 4758 both allow.
    pub const STRICT: Self = Self {
        name: "strict",
        namespaces: &[Namespace::Rfc4758],
        tolerates: &[],
        max_nonce: 16,
        max_identifier: 128,
        max_identifier_characters: 128,
        max_key_id: 1024,
        max_message: 256 * 1024,
        url_schemes: &["https"],
    };

    /// Relaxes form and nothing else (`docs/spec/rfc4758-requirements.md` section 1): the default
    /// with RFC 4758.
    pub const LENIENT: Self = Self {
        name: "lenient",
        namespaces: &[Namespace::Rfc4758],
        tolerates: &[
            Departure::QualifiedChild,
            Departure::ChildOrder,
            Departure::NonceLength,
            Departure::ForeignContent,
            Departure::OpaqueExtension,
            Departure::SuccessInHello,
            Departure::ErrorWithContent,
            Departure::TriggerWithoutVersion,
            Departure::EmptyExtensions,
            Departure::LongIdentifier,
            Departure::UnprintableText,
            Departure::TriggerId,
            Departure::LeadingZero,
        ],
        max_nonce: 1024,
        max_identifier: 512,
        max_identifier_characters: 128,
        max_key_id: 1024,
        max_message: 256 * 1024,
        url_schemes: &["https"],
    };

    /// Reads what deployed peers send (`docs/spec/deployed-profile.md` section 5). A policy of its
    /// own, not a wider lenient one: some of this contradicts a "must" of RFC 4758.
    pub const SECURID: Self = Self {
        name: "securid",
        namespaces: &[Namespace::Rfc4758, Namespace::Draft2005_11],
        tolerates: &[
            Departure::DraftNamespace,
            Departure::QualifiedChild,
            Departure::ChildOrder,
            Departure::NonceLength,
            Departure::ForeignContent,
            Departure::OpaqueExtension,
            Departure::EmptyExtensions,
            Departure::LongIdentifier,
            Departure::UnprintableText,
            Departure::MissingVersion,
            Departure::MissingAlgorithms,
            Departure::MissingTokenId,
            Departure::MissingMac,
            Departure::MissingSessionId,
            Departure::LeadingZero,
            Departure::UnpaddedBase64,
            Departure::OddValue,
            Departure::ErrorWithContent,
        ],
        max_nonce: 1024,
        max_identifier: 8 * 1024,
        max_identifier_characters: 8 * 1024,
        max_key_id: 8 * 1024,
        max_message: 256 * 1024,
        url_schemes: &["https"],
    };

    /// Whether this policy lets a departure pass.
    #[must_use]
    pub fn lets_pass(&self, departure: Departure) -> bool {
        self.tolerates.contains(&departure)
    }
}

/// A way in which a message that can still be understood departs from RFC 4758.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Departure {
    /// The root is in the namespace of the 2005/11 draft.
    DraftNamespace,
    /// A child is in the CT-KIP namespace, where the schema puts it in none.
    QualifiedChild,
    /// Known children in another order than the schema's.
    ChildOrder,
    /// A nonce longer than the schema's 16 octets.
    NonceLength,
    /// An element or attribute of a foreign namespace where the schema has none, or an `xsi:type`
    /// on anything but an extension.
    ForeignContent,
    /// An extension without a type, or of one that the CT-KIP namespace does not define.
    OpaqueExtension,
    /// A `ServerHello` with Status Success, meant as Continue.
    SuccessInHello,
    /// An error response with content or a SessionID.
    ErrorWithContent,
    /// A trigger without Version.
    TriggerWithoutVersion,
    /// A trigger with the attribute id, which only the body's schema has.
    TriggerId,
    /// An `Extensions` element with nothing in it.
    EmptyExtensions,
    /// An identifier of more than 128 octets.
    LongIdentifier,
    /// Control characters in ServiceID or UserID.
    UnprintableText,
    /// A message other than a trigger without Version.
    MissingVersion,
    /// Algorithms left out where the schema demands them; the profile's own are meant.
    MissingAlgorithms,
    /// A confirmation without TokenID or KeyID.
    MissingTokenId,
    /// A confirmation without MAC, or a `Mac` with nothing in it; no client takes either.
    MissingMac,
    /// A `ClientNonce` without SessionID, or with an empty one; no server knows that session.
    MissingSessionId,
    /// A modulus or exponent with a leading zero octet; it is taken off.
    LeadingZero,
    /// Base64 without its padding.
    UnpaddedBase64,
    /// A part of the OTP configuration, a date or a picture that is none. Text is kept as it is.
    OddValue,
}

impl Departure {
    /// All of them.
    #[cfg_attr(not(feature = "xml"), expect(dead_code, reason = "the linter's"))]
    pub(crate) const ALL: [Self; 21] = [
        Self::DraftNamespace,
        Self::QualifiedChild,
        Self::ChildOrder,
        Self::NonceLength,
        Self::ForeignContent,
        Self::OpaqueExtension,
        Self::SuccessInHello,
        Self::ErrorWithContent,
        Self::TriggerWithoutVersion,
        Self::TriggerId,
        Self::EmptyExtensions,
        Self::LongIdentifier,
        Self::UnprintableText,
        Self::MissingVersion,
        Self::MissingAlgorithms,
        Self::MissingTokenId,
        Self::MissingMac,
        Self::MissingSessionId,
        Self::LeadingZero,
        Self::UnpaddedBase64,
        Self::OddValue,
    ];

    /// The requirement or defect of `docs/spec/rfc4758-requirements.md` that this departs from.
    #[must_use]
    pub const fn reference(self) -> &'static str {
        match self {
            Self::DraftNamespace => "R074",
            Self::QualifiedChild => "R075, E02",
            Self::ChildOrder => "R076",
            Self::NonceLength => "R067, E01",
            Self::ForeignContent => "R078, R083, R090",
            Self::OpaqueExtension => "R089, R095",
            Self::SuccessInHello => "R025, E04",
            Self::ErrorWithContent => "R037, R039, E13",
            Self::TriggerWithoutVersion => "R013, E22",
            Self::TriggerId => "R133, E20",
            Self::EmptyExtensions => "R094",
            Self::LongIdentifier => "R047, E11",
            Self::UnprintableText => "R062, E39",
            Self::MissingVersion => "R001, R002",
            Self::MissingAlgorithms => "R082, R038",
            Self::MissingTokenId => "R040",
            Self::MissingMac => "R175, R183, R238",
            Self::MissingSessionId => "R048, R051",
            Self::LeadingZero => "R164",
            Self::UnpaddedBase64 => "R068",
            Self::OddValue => "R116 to R120, R188, R190",
        }
    }

    /// What was found, in words.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::DraftNamespace => "the root is in the namespace of the 2005/11 draft",
            Self::QualifiedChild => "a child is in the CT-KIP namespace instead of none",
            Self::ChildOrder => "children are not in the order of the schema",
            Self::NonceLength => "a nonce is longer than 16 octets",
            Self::ForeignContent => {
                "content of a foreign namespace stands where the schema has none"
            }
            Self::OpaqueExtension => "an extension has no type, or none that is defined",
            Self::SuccessInHello => "a ServerHello says Success where Continue is meant",
            Self::ErrorWithContent => "an error response has content",
            Self::TriggerWithoutVersion => "the trigger has no Version",
            Self::TriggerId => {
                "the trigger has an id, which the schema of Appendix A does not know"
            }
            Self::EmptyExtensions => "Extensions is empty",
            Self::LongIdentifier => "an identifier is longer than 128 octets",
            Self::UnprintableText => "an identifier holds control characters",
            Self::MissingVersion => "Version is absent",
            Self::MissingAlgorithms => "algorithms are absent",
            Self::MissingTokenId => "TokenID or KeyID is absent",
            Self::MissingMac => "there is no MAC",
            Self::MissingSessionId => "there is no SessionID",
            Self::LeadingZero => "a number begins with a zero octet",
            Self::UnpaddedBase64 => "base64 without its padding",
            Self::OddValue => "a value is not of its type",
        }
    }
}
