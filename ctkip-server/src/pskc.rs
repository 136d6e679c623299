//! Issued tokens as an encrypted PSKC document ([RFC 6030]), for other servers to import.
//!
//! Each token is a `KeyPackage` of its own. The seed is encrypted (AES in CBC mode, section 6) and
//! carries a `ValueMAC` (HMAC-SHA-256 over IV and ciphertext) under a key that is random for each
//! document. Everything else is in clear, and **no MAC covers it**: neither which seed belongs to
//! which serial number, nor interval, digits, dates and names. Who can change the document on its
//! way can exchange two seeds. The RFC's remedy is an XML signature over the whole (section 7),
//! which is not made here; send the document through a channel that protects it.
//!
//! # Algorithm
//!
//! RFC 6030 defines HOTP and PIN only. [`ALGORITHM`] is RSA's own name, the key type that CT-KIP
//! uses for these tokens; readers that know draft-hoyer-keyprov-pskc-algorithm-profiles, which
//! describes SecurID-AES for PSKC and never became an RFC, go by the same URI. They ask for at
//! least 6 decimal digits and for both `StartDate` and `ExpiryDate`, so give [`PskcKey::start`]
//! for them.
//!
//! [RFC 6030]: https://www.rfc-editor.org/rfc/rfc6030

mod seal;
#[cfg(test)]
mod tests;
mod xml;

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use rand_core::TryCryptoRng;

use seal::{ContentKey, MacKey, SALT};
use xml::{Xml, allowed, common_name, date};

/// What [`PskcKey`]s are keys for: SecurID with AES, tokencodes by time.
pub const ALGORITHM: &str =
    "http://www.rsasecurity.com/rsalabs/otps/schemas/2005/09/otps-wst#SecurID-AES";

/// The least PBKDF2 iterations that [`write()`] takes.
pub const MIN_ITERATIONS: u32 = 10_000;

/// PBKDF2 iterations to use if there is no reason for another number.
pub const ITERATIONS: u32 = 600_000;

/// One token. Empty texts count as absent, except the serial number.
#[derive(Clone, Copy)]
pub struct PskcKey<'a> {
    /// The token's serial number, not empty: `SerialNo`, and the `Id` of the key.
    pub serial: &'a str,
    /// Who made the device. Section 4.3.1 wants `oath.` and a prefix from OATH's list, or `iana.`
    /// and an organization from the Private Enterprise Numbers; readers take any text.
    pub manufacturer: &'a str,
    /// Who issued the key.
    pub issuer: &'a str,
    /// The user's login name: `UserId`, as the distinguished name `CN=user` (section 4.3.3,
    /// RFC 4514).
    pub user: &'a str,
    /// What the token is for, to be shown to people: `FriendlyName`.
    pub service: &'a str,
    /// The seed, 16 octets.
    pub seed: &'a [u8],
    /// Digits of a tokencode, not 0.
    pub digits: u8,
    /// Seconds that a tokencode is shown, 1 to 2^31 - 1.
    pub interval: u32,
    /// The first day on which the token is valid, `YYYY-MM-DD` in UTC.
    pub start: Option<&'a str>,
    /// The last day on which the token is valid, `YYYY-MM-DD` in UTC; written as its last second,
    /// since section 5 counts the end as valid.
    pub expiry: Option<&'a str>,
    /// The id of the device that the token is bound to: `DeviceBinding`.
    pub device: Option<&'a str>,
}

impl fmt::Debug for PskcKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PskcKey").field("serial", &self.serial).finish_non_exhaustive()
    }
}

/// What the seeds are encrypted with.
#[derive(Clone, Copy)]
pub enum Encryption<'a> {
    /// A key that both sides have (section 6.1).
    PreSharedKey {
        /// The name by which the receiver finds the key.
        name: &'a str,
        /// 16 octets for AES-128, 32 for AES-256.
        key: &'a [u8],
    },
    /// AES-256 under a key made of a password (section 6.2): PBKDF2 with HMAC-SHA-256, a random
    /// salt and the password's UTF-8 octets as they are.
    Password {
        /// The password, not empty.
        password: &'a str,
        /// PBKDF2 iterations, at least [`MIN_ITERATIONS`].
        iterations: u32,
    },
}

impl fmt::Debug for Encryption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PreSharedKey { name, .. } => {
                f.debug_struct("PreSharedKey").field("name", name).finish_non_exhaustive()
            }
            Self::Password { iterations, .. } => {
                f.debug_struct("Password").field("iterations", iterations).finish_non_exhaustive()
            }
        }
    }
}

/// Why no PSKC document was written. Indices count the keys from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PskcError {
    /// The random source failed.
    #[error("the random source failed")]
    Random,
    /// There is no key; a document needs one.
    #[error("there is no token to export")]
    NoKeys,
    /// The encryption key is not 16 or 32 octets.
    #[error("the encryption key is not 16 or 32 octets")]
    KeyLength,
    /// The encryption key's name is empty or holds a control character.
    #[error("the encryption key's name is empty or holds a control character")]
    KeyName,
    /// The password is empty.
    #[error("the password is empty")]
    EmptyPassword,
    /// Fewer than [`MIN_ITERATIONS`].
    #[error("too few iterations: at least {MIN_ITERATIONS} are needed")]
    Iterations,
    /// A text holds a control character or a noncharacter, or the serial number is empty.
    #[error("token {index}: the {what} is empty or holds a control character")]
    Text {
        /// Of which key.
        index: usize,
        /// Which text.
        what: &'static str,
    },
    /// A seed is not 16 octets.
    #[error("token {index}: the seed is not 16 octets")]
    Seed {
        /// Of which key.
        index: usize,
    },
    /// Digits or interval are 0, or the interval is too long.
    #[error("token {index}: the {what} is out of range")]
    Number {
        /// Of which key.
        index: usize,
        /// Which number.
        what: &'static str,
    },
    /// A date is not `YYYY-MM-DD`, or not in the calendar.
    #[error("token {index}: the {what} date is not a day of the form YYYY-MM-DD")]
    Date {
        /// Of which key.
        index: usize,
        /// Which date.
        what: &'static str,
    },
}

/// Writes a document, ending in a line feed. The keys stand in the given order.
///
/// Takes 48 octets from `rng`, 16 more for each key, and 16 more for a password. With a password
/// it also takes PBKDF2's time, about a tenth of a second for [`ITERATIONS`].
///
/// # Errors
/// Every [`PskcError`]: [`PskcError::Random`] if `rng` fails, the others as they describe the
/// input. Keys are checked before `rng` is asked for anything.
pub fn write<R: TryCryptoRng + ?Sized>(
    keys: &[PskcKey<'_>],
    encryption: &Encryption<'_>,
    rng: &mut R,
) -> Result<String, PskcError> {
    if keys.is_empty() {
        return Err(PskcError::NoKeys);
    }
    for (index, key) in keys.iter().enumerate() {
        check(index, key)?;
    }
    let mut salt = [0; SALT];
    let content = match *encryption {
        Encryption::PreSharedKey { name, key } => {
            if name.is_empty() || !allowed(name) {
                return Err(PskcError::KeyName);
            }
            ContentKey::shared(key)?
        }
        Encryption::Password { password, iterations } => {
            if password.is_empty() {
                return Err(PskcError::EmptyPassword);
            }
            if iterations < MIN_ITERATIONS {
                return Err(PskcError::Iterations);
            }
            rng.try_fill_bytes(&mut salt).map_err(|_| PskcError::Random)?;
            ContentKey::from_password(password, &salt, iterations)
        }
    };
    let mac = MacKey::random(rng)?;
    let sealed_mac_key = content.seal(mac.expose(), rng)?;
    let mut secrets = Vec::with_capacity(keys.len());
    for key in keys {
        let sealed = content.seal(key.seed, rng)?;
        let value_mac = mac.mac(&sealed)?;
        secrets.push((sealed, value_mac));
    }

    let mut xml = Xml::new();
    xml.element("pskc:KeyContainer", &NAMESPACES, |xml| {
        xml.element("pskc:EncryptionKey", &[], |xml| match encryption {
            Encryption::PreSharedKey { name, .. } => xml.text("ds:KeyName", name),
            Encryption::Password { iterations, .. } => {
                derivation(xml, &salt, *iterations, &content)
            }
        });
        xml.element("pskc:MACMethod", &[("Algorithm", seal::HMAC_SHA256)], |xml| {
            xml.element("pskc:MACKey", &[], |xml| encrypted(xml, &content, &sealed_mac_key));
        });
        for (key, (sealed, value_mac)) in keys.iter().zip(&secrets) {
            package(xml, key, |xml| {
                xml.element("pskc:EncryptedValue", &[], |xml| encrypted(xml, &content, sealed));
                xml.text("pskc:ValueMAC", &STANDARD.encode(value_mac));
            });
        }
    });
    Ok(xml.finish())
}

/// `pskc:` is not the default namespace, because the children of `PBKDF2-params` are in none.
const NAMESPACES: [(&str, &str); 6] = [
    ("Version", "1.0"),
    ("xmlns:pskc", "urn:ietf:params:xml:ns:keyprov:pskc"),
    ("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#"),
    ("xmlns:xenc", "http://www.w3.org/2001/04/xmlenc#"),
    ("xmlns:xenc11", "http://www.w3.org/2009/xmlenc11#"),
    ("xmlns:pkcs5", "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#"),
];

fn check(index: usize, key: &PskcKey<'_>) -> Result<(), PskcError> {
    if key.serial.is_empty() {
        return Err(PskcError::Text { index, what: "serial number" });
    }
    for (what, text) in [
        ("serial number", key.serial),
        ("manufacturer", key.manufacturer),
        ("issuer", key.issuer),
        ("user", key.user),
        ("service", key.service),
        ("device", key.device.unwrap_or_default()),
    ] {
        if !allowed(text) {
            return Err(PskcError::Text { index, what });
        }
    }
    if key.seed.len() != 16 {
        return Err(PskcError::Seed { index });
    }
    if key.digits == 0 {
        return Err(PskcError::Number { index, what: "number of digits" });
    }
    // The schema's type is xs:int.
    if key.interval == 0 || i32::try_from(key.interval).is_err() {
        return Err(PskcError::Number { index, what: "interval" });
    }
    for (what, day) in [("start", key.start), ("expiry", key.expiry)] {
        if day.is_some_and(|day| !date(day)) {
            return Err(PskcError::Date { index, what });
        }
    }
    Ok(())
}

/// A `KeyPackage`, its elements in the order of the schema (section 11); `secret` writes what is
/// in `Secret`.
fn package(xml: &mut Xml, key: &PskcKey<'_>, secret: impl FnOnce(&mut Xml)) {
    xml.element("pskc:KeyPackage", &[], |xml| {
        xml.element("pskc:DeviceInfo", &[], |xml| {
            xml.text("pskc:Manufacturer", key.manufacturer);
            xml.text("pskc:SerialNo", key.serial);
            xml.text("pskc:DeviceBinding", key.device.unwrap_or_default());
        });
        xml.element("pskc:Key", &[("Id", key.serial), ("Algorithm", ALGORITHM)], |xml| {
            xml.text("pskc:Issuer", key.issuer);
            xml.element("pskc:AlgorithmParameters", &[], |xml| {
                let digits = key.digits.to_string();
                let attributes = [("Encoding", "DECIMAL"), ("Length", digits.as_str())];
                xml.element("pskc:ResponseFormat", &attributes, |_| ());
            });
            xml.text("pskc:FriendlyName", key.service);
            xml.element("pskc:Data", &[], |xml| {
                xml.element("pskc:Secret", &[], secret);
                xml.element("pskc:TimeInterval", &[], |xml| {
                    xml.text("pskc:PlainValue", &key.interval.to_string());
                });
            });
            xml.text("pskc:UserId", &common_name(key.user));
            xml.element("pskc:Policy", &[], |xml| {
                if let Some(day) = key.start {
                    xml.text("pskc:StartDate", &format!("{day}T00:00:00Z"));
                }
                if let Some(day) = key.expiry {
                    xml.text("pskc:ExpiryDate", &format!("{day}T23:59:59Z"));
                }
                xml.text("pskc:KeyUsage", "OTP");
            });
        });
    });
}

/// The content of an `EncryptedDataType` of XML Encryption.
fn encrypted(xml: &mut Xml, key: &ContentKey, sealed: &[u8]) {
    xml.element("xenc:EncryptionMethod", &[("Algorithm", key.uri())], |_| ());
    xml.element("xenc:CipherData", &[], |xml| {
        xml.text("xenc:CipherValue", &STANDARD.encode(sealed));
    });
}

/// How the encryption key follows from the password (section 6.2).
fn derivation(xml: &mut Xml, salt: &[u8], iterations: u32, key: &ContentKey) {
    xml.element("xenc11:DerivedKey", &[], |xml| {
        xml.element("xenc11:KeyDerivationMethod", &[("Algorithm", seal::PBKDF2)], |xml| {
            xml.element("pkcs5:PBKDF2-params", &[], |xml| {
                xml.element("Salt", &[], |xml| xml.text("Specified", &STANDARD.encode(salt)));
                xml.text("IterationCount", &iterations.to_string());
                xml.text("KeyLength", &key.octets().to_string());
                xml.element("PRF", &[("Algorithm", seal::HMAC_SHA256)], |_| ());
            });
        });
    });
}
