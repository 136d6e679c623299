//! What can go wrong with a token, its text or what the user gave to open it.

use alloc::string::String;

/// Why a token could not be read, written or made.
///
/// [`Error::kind`] gives a name that programs can match on; it stays the same when the wording
/// changes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing in the text looks like a token (docs/spec/securid-token.md section 3.5).
    #[error(
        "no token found: expected 81 to 85 digits, a link with ctfData=, or a document that \
         begins with <?xml"
    )]
    NotFound,
    /// A token text is damaged; the field says where.
    #[error("the token text is damaged: {0}")]
    Garbled(&'static str),
    /// A document or template is not the XML it should be.
    #[error("not a usable sdtid document: {0}")]
    Xml(String),
    /// An element of an sdtid document or template is missing or malformed.
    #[error("not a usable sdtid document: element {element} {problem}")]
    Element {
        /// The element's name.
        element: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The token text is too short or too long.
    #[error("the token text has the wrong length: {0}")]
    Length(&'static str),
    /// The checksum (version 1 and 2) or the HMAC (version 3 and 4) of the text does not fit.
    #[error("the token's checksum does not fit: the text was damaged or mistyped")]
    Checksum,
    /// The text is shorter than any token of version 3 or 4.
    #[error("the token is of a version that is not supported, or was cut short")]
    Version,
    /// The file holds several tokens where one was asked for.
    #[error("the file holds {count} tokens, and one was asked for")]
    Multiple {
        /// How many.
        count: usize,
    },
    /// The input is empty, or in an encoding that is not supported.
    #[error("cannot read the input: {0}")]
    Unreadable(&'static str),
    /// A limit was exceeded.
    #[error("{what} is larger than the limit of {limit}")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// The limit, in the unit that `what` names.
        limit: usize,
    },
    /// The seed does not fit its check value although no password was needed.
    #[error("the seed cannot be decrypted: the token text is damaged")]
    DecryptionFailed,
    /// The token is locked with a password and none (or an empty one) was given.
    #[error("the token is locked with a password: give the password")]
    PasswordMissing,
    /// The password does not open the token. A damaged text can look the same.
    #[error("the password does not open the token: check it, case included")]
    PasswordWrong,
    /// The password has more than 40 octets.
    #[error("the password has {octets} octets, more than the 40 that a token can use")]
    PasswordTooLong {
        /// Its length in octets of UTF-8.
        octets: usize,
    },
    /// The token is locked to a device, no id was given and no well-known id fits.
    #[error("the token is bound to a device: give the device id that it was issued for")]
    DeviceIdMissing,
    /// The device id does not fit the token.
    #[error("the device id does not fit the token: give the one that it was issued for")]
    DeviceIdWrong,
    /// The MAC over an sdtid header does not fit, while the token's does.
    #[error("the sdtid file's header was changed: its HeaderMAC does not fit")]
    HeaderMac,
    /// The MAC over a token in an sdtid file does not fit, while the header's does.
    #[error("the token in the sdtid file was changed: its TokenMAC does not fit")]
    TokenMac,
    /// A serial number is not 1 to 12 decimal digits.
    #[error("the serial number is not 1 to 12 decimal digits")]
    InvalidSerial,
    /// A seed is not 16 octets.
    #[error("the seed is not 16 octets")]
    InvalidSeed,
    /// A PIN is not 4 to 8 decimal digits.
    #[error("a PIN is 4 to 8 decimal digits")]
    InvalidPin,
    /// A date cannot be read, or lies outside what a token can hold.
    #[error("the date is not one that a token can hold: expected YYYY-MM-DD, not before 2000")]
    InvalidDate,
    /// The expiry day does not fit the form that was to be written.
    #[error("the expiry date {date} cannot be written {form}: choose another form")]
    ExpiryRange {
        /// The date, `YYYY-MM-DD`.
        date: String,
        /// The form, as in "as a numeric token".
        form: &'static str,
    },
    /// A line of a stokenrc file has a key without a value.
    #[error("line {line} of the stokenrc file: {key} has no value")]
    RcArgument {
        /// The line's number, from 1.
        line: usize,
        /// The key.
        key: String,
    },
    /// A stokenrc file is not of version 1.
    #[error("the stokenrc file does not say that it is of version 1")]
    RcVersion,
    /// The stored PIN cannot be decrypted.
    #[error("the stored PIN cannot be decrypted: give the PIN, or store it anew")]
    PinLocked,
    /// A JSON text is not a token.
    #[error("not a usable JSON token: {0}")]
    Json(String),
    /// The random source failed.
    #[error("the random number source failed")]
    Random,
}

impl Error {
    /// The kind of error, for programs.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound
            | Self::Garbled(_)
            | Self::Xml(_)
            | Self::Element { .. }
            | Self::RcArgument { .. }
            | Self::Json(_) => ErrorKind::Garbled,
            Self::Length(_) => ErrorKind::Length,
            Self::Checksum => ErrorKind::Checksum,
            Self::Version | Self::RcVersion => ErrorKind::Version,
            Self::Multiple { .. } => ErrorKind::Multiple,
            Self::Unreadable(_) => ErrorKind::Unreadable,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::DecryptionFailed => ErrorKind::Decrypt,
            Self::PasswordMissing => ErrorKind::PasswordMissing,
            Self::PasswordWrong | Self::PasswordTooLong { .. } => ErrorKind::PasswordWrong,
            Self::DeviceIdMissing => ErrorKind::DeviceIdMissing,
            Self::DeviceIdWrong => ErrorKind::DeviceIdWrong,
            Self::HeaderMac => ErrorKind::HeaderMac,
            Self::TokenMac => ErrorKind::TokenMac,
            Self::InvalidSerial
            | Self::InvalidSeed
            | Self::InvalidPin
            | Self::InvalidDate
            | Self::ExpiryRange { .. } => ErrorKind::InvalidValue,
            Self::PinLocked => ErrorKind::PinLocked,
            Self::Random => ErrorKind::Random,
        }
    }
}

/// The machine-readable side of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Not a token, or one whose structure is damaged.
    Garbled,
    /// Wrong length of a token text.
    Length,
    /// Checksum or HMAC over the text does not fit.
    Checksum,
    /// Unknown version.
    Version,
    /// Several tokens where one was asked for.
    Multiple,
    /// Empty input, or an unknown encoding.
    Unreadable,
    /// A size limit was exceeded.
    TooLarge,
    /// The seed cannot be decrypted, with no password involved.
    Decrypt,
    /// A password is needed.
    PasswordMissing,
    /// The password is wrong or too long.
    PasswordWrong,
    /// A device id is needed.
    DeviceIdMissing,
    /// The device id is wrong.
    DeviceIdWrong,
    /// The sdtid header was changed.
    HeaderMac,
    /// The token in an sdtid file was changed.
    TokenMac,
    /// A stored PIN cannot be decrypted.
    PinLocked,
    /// A value given by the caller is outside its range.
    InvalidValue,
    /// The random source failed.
    Random,
}

impl ErrorKind {
    /// The kind's stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Garbled => "garbled",
            Self::Length => "length",
            Self::Checksum => "checksum",
            Self::Version => "version",
            Self::Multiple => "multiple",
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too-large",
            Self::Decrypt => "decrypt",
            Self::PasswordMissing => "password-missing",
            Self::PasswordWrong => "password-wrong",
            Self::DeviceIdMissing => "devid-missing",
            Self::DeviceIdWrong => "devid",
            Self::HeaderMac => "header-mac",
            Self::TokenMac => "token-mac",
            Self::PinLocked => "pin-locked",
            Self::InvalidValue => "invalid-value",
            Self::Random => "random",
        }
    }
}
