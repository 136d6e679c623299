//! Algorithm identifiers: the URIs of key types, encryption and MAC algorithms.

use crate::Profile;
use crate::crypto::{Padding, Scheme};
use alloc::string::String;

/// A CT-KIP XML namespace; each also begins the names of the PRFs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Namespace {
    /// `…/2005/11/ct-kip#`, of a draft; deployed clients still use it.
    Draft2005_11,
    /// `…/2005/12/ct-kip#`, of RFC 4758.
    Rfc4758,
}

impl Namespace {
    /// The namespace name.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Draft2005_11 => "http://www.rsasecurity.com/rsalabs/otps/schemas/2005/11/ct-kip#",
            Self::Rfc4758 => "http://www.rsasecurity.com/rsalabs/otps/schemas/2005/12/ct-kip#",
        }
    }

    /// The namespace of this name, if it is one of CT-KIP's.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        [Self::Rfc4758, Self::Draft2005_11].into_iter().find(|namespace| namespace.uri() == uri)
    }
}

/// A key type: what K_TOKEN is for, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// The AES seed of a SecurID token, 16 octets.
    SecurIdAes,
    /// A key of CT-KIP-PRF itself, such as a K_AUTH or K_SHARED for later runs: 16 octets over AES,
    /// 32 over SHA-256. RFC 4758 section 3.8.3 lets a client name the algorithm's URI as key type.
    Prf(Prf),
}

impl KeyType {
    /// The identifier in messages.
    #[must_use]
    pub fn uri(self) -> String {
        match self {
            Self::SecurIdAes => String::from(
                "http://www.rsasecurity.com/rsalabs/otps/schemas/2005/09/otps-wst#SecurID-AES",
            ),
            Self::Prf(prf) => prf.uri(Namespace::Rfc4758),
        }
    }

    /// Length of K_TOKEN in octets: the dsLen of RFC 4758 section 3.5.
    #[must_use]
    pub const fn octets(self) -> usize {
        match self {
            Self::SecurIdAes | Self::Prf(Prf::Aes) => 16,
            Self::Prf(Prf::Sha256) => 32,
        }
    }
}

/// A realisation of CT-KIP-PRF (RFC 4758 appendix D). One serves as MAC algorithm, as key
/// derivation and, in the shared-secret variant, to encrypt R_C.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prf {
    /// Over AES-CMAC, also called OMAC1-AES (appendix D.2). Blocks of 16 octets.
    Aes,
    /// Over HMAC-SHA-256 (appendix D.3). Blocks of 32 octets.
    Sha256,
}

impl Prf {
    const ALL: [Self; 2] = [Self::Aes, Self::Sha256];

    const fn fragment(self) -> &'static str {
        match self {
            Self::Aes => "ct-kip-prf-aes",
            Self::Sha256 => "ct-kip-prf-sha256",
        }
    }

    /// The identifier under a namespace. RFC 4758 knows only those of its own; the deployed
    /// dialect uses both.
    #[must_use]
    pub fn uri(self, namespace: Namespace) -> String {
        let mut uri = String::from(namespace.uri());
        uri.push_str(self.fragment());
        uri
    }

    /// The PRF that `uri` names under one of `namespaces`, if any.
    #[must_use]
    pub fn from_uri(uri: &str, namespaces: &[Namespace]) -> Option<Self> {
        let fragment = namespaces.iter().find_map(|namespace| uri.strip_prefix(namespace.uri()))?;
        Self::ALL.into_iter().find(|prf| prf.fragment() == fragment)
    }

    /// The length of key this PRF takes in a CT-KIP run, in octets: 16 for AES (RFC 4758 section
    /// 3.4.2, R201 and R216), any for HMAC.
    #[must_use]
    pub const fn takes_key_of(self, octets: usize) -> bool {
        match self {
            Self::Aes => octets == 16,
            Self::Sha256 => true,
        }
    }
}

/// How R_C travels (RFC 4758 section 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncryptionAlgorithm {
    /// `xmlenc#rsa-oaep-mgf1p`: RSAES-OAEP with SHA-1.
    RsaOaep,
    /// `xmlenc#rsa-1_5`. What it means is the profile's to say ([`crate::Rsa15`]).
    Rsa15,
    /// The XOR of RFC 4758 section 3.6 with a PRF under a shared key.
    SharedKey(Prf),
}

impl EncryptionAlgorithm {
    /// How R_C is encrypted when a profile's messages name this algorithm.
    #[must_use]
    pub const fn scheme(self, profile: &Profile) -> Scheme {
        match self {
            Self::RsaOaep => Scheme::Rsa(Padding::OaepSha1),
            Self::Rsa15 => Scheme::Rsa(profile.rsa_1_5_padding()),
            Self::SharedKey(prf) => Scheme::SharedKey(prf),
        }
    }

    /// The identifier in messages of RFC 4758.
    #[must_use]
    pub fn uri(self) -> String {
        match self {
            Self::RsaOaep => String::from("http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"),
            Self::Rsa15 => String::from("http://www.w3.org/2001/04/xmlenc#rsa-1_5"),
            Self::SharedKey(prf) => prf.uri(Namespace::Rfc4758),
        }
    }

    /// The algorithm that `uri` names, if it is known.
    #[must_use]
    pub fn from_uri(uri: &str, namespaces: &[Namespace]) -> Option<Self> {
        match uri {
            "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p" => Some(Self::RsaOaep),
            "http://www.w3.org/2001/04/xmlenc#rsa-1_5" => Some(Self::Rsa15),
            _ => Prf::from_uri(uri, namespaces).map(Self::SharedKey),
        }
    }
}
